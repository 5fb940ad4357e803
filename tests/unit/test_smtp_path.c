#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/smtp_path.h"

#define L20 "llllllllllllllllllll"
#define L60 L20 L20 L20
#define LABEL63 L60 "lll"
#define NAME191 LABEL63 "." LABEL63 "." LABEL63

enum { LIMIT = 64 * 1024 };

/* want: the text, or NULL for a fault. */
struct path_case {
	const char *argument, *want;
};

/* A copy without a NUL at its end, so that AddressSanitizer sees a read beyond. */
static struct slice
exact(const char *text)
{
	size_t length = strlen(text);
	char *copy = malloc(length > 0 ? length : 1);

	return (struct slice) { memcpy(copy, text, length), length };
}

static void
check(const struct path_case *row, bool is_forward)
{
	struct slice argument = exact(row->argument), rest;
	struct smtp_path path;
	const struct smtp_fault *fault = is_forward
	    ? smtp_path_read_forward(&path, argument, &rest)
	    : smtp_path_read_reverse(&path, argument, &rest);

	if ((fault == NULL) != (row->want != NULL))
		fail_msg("%s: %s", row->argument, fault != NULL ? fault->text : "no fault");
	if (fault == NULL && !slice_equals(path.text, slice_of(row->want)))
		fail_msg("%s: %.*s", row->argument, (int)path.text.length, path.text.data);
	if (fault != NULL) {
		assert_int_equal(fault->code / 100, 5);
		assert_int_equal(fault->enhanced[0], '5');
	}
	free((char *)argument.data);
}

static const struct path_case both_ways[] = {
	{ "<a@b>", "a@b" },
	{ " <a@b>", "a@b" },
	{ "\t<a@b>  ", "a@b" },
	{ "a@b", "a@b" },
	{ "  a@example.org  SIZE=1", "a@example.org" },
	{ "<A.b@Example.ORG>", "A.b@Example.ORG" },
	{ "<.a@b>", ".a@b" },
	{ "<a.@b>", "a.@b" },
	{ "<a..b@c>", "a..b@c" },
	{ "<#$&'*+-/=?^_`{}~@b>", "#$&'*+-/=?^_`{}~@b" },
	{ "<%!|@b>", "%!|@b" },
	{ "<\"\"@b>", "\"\"@b" },
	{ "<\"a b\"@c>", "\"a b\"@c" },
	{ "<\"a>b\"@c>", "\"a>b\"@c" },
	{ "<\"a@b\"@c>", "\"a@b\"@c" },
	{ "<\"a\\\"b\\\\\"@c>", "\"a\\\"b\\\\\"@c" },
	{ "\"a b\"@c", "\"a b\"@c" },
	{ "<@r:a@b>", "a@b" },
	{ "<@r.example,@s.example:a@b>", "a@b" },
	{ "<a@my_host.example>", "a@my_host.example" },
	{ "<a@xn--bcher-kva.test>", "a@xn--bcher-kva.test" },
	{ "<a@2130706433>", "a@2130706433" },
	{ "<a@[192.0.2.1]>", "a@[192.0.2.1]" },
	{ "<a@[IPv6:2001:db8::1]>", "a@[IPv6:2001:db8::1]" },
	{ "<a@[ipv6:::ffff:192.0.2.1]>", "a@[ipv6:::ffff:192.0.2.1]" },
	{ "<a@" LABEL63 ".example>", "a@" LABEL63 ".example" },
	{ "<" L60 "lllll@b>", L60 "lllll@b" },
	{ "<" L60 "@" NAME191 ">", L60 "@" NAME191 },
	{ "<\xc3\xbc@b\xc3\xbc.example>", "\xc3\xbc@b\xc3\xbc.example" },
	{ "<\"\xc3\xbc x\"@b>", "\"\xc3\xbc x\"@b" },
	{ "", NULL },
	{ " ", NULL },
	{ "<", NULL },
	{ ">", NULL },
	{ "< >", NULL },
	{ "<a@b", NULL },
	{ "a@b>", NULL },
	{ "<<a@b>>", NULL },
	{ "<a@b>>", NULL },
	{ "<a@b>x", NULL },
	{ "<a@b>SIZE=1", NULL },
	{ "<a@b>,<c@d>", NULL },
	{ "\"A\" <a@b>", NULL },
	{ "A <a@b>", NULL },
	{ "(c)<a@b>", NULL },
	{ "x@y<a@b>", NULL },
	{ "<@b>", NULL },
	{ "<a@>", NULL },
	{ "<a@@b>", NULL },
	{ "<a@b@c>", NULL },
	{ "<a b@c>", NULL },
	{ "<a @b>", NULL },
	{ "<a@ b>", NULL },
	{ "<a@b >", NULL },
	{ "<a,b@c>", NULL },
	{ "<a;b@c>", NULL },
	{ "<a:b@c>", NULL },
	{ "<a(c)@b>", NULL },
	{ "<a\\b@c>", NULL },
	{ "<a\"b\"c@d>", NULL },
	{ "<\"a\"b@d>", NULL },
	{ "<\"a\".b@d>", NULL },
	{ "<\"a@b>", NULL },
	{ "<\"a\\", NULL },
	{ "<\"a\tb\"@c>", NULL },
	{ "<\"a\x7f\"@c>", NULL },
	{ "<\"a\\\xc3\xbc\"@c>", NULL },
	{ "<a\x01@c>", NULL },
	{ "<@a.example,b@c>", NULL },
	{ "<@a.example:>", NULL },
	{ "<@:a@b>", NULL },
	{ "<@a,:a@b>", NULL },
	{ "<@[127.0.0.1]:a@b>", NULL },
	{ "<a@.b>", NULL },
	{ "<a@b.>", NULL },
	{ "<a@b..c>", NULL },
	{ "<a@-b>", NULL },
	{ "<a@b->", NULL },
	{ "<a@b%c>", NULL },
	{ "<a@b/c>", NULL },
	{ "<a@l" LABEL63 ".example>", NULL },
	{ "<a@[192.0.2.1>", NULL },
	{ "<a@[300.0.2.1]>", NULL },
	{ "<a@[192.0.2]>", NULL },
	{ "<a@[]>", NULL },
	{ "<a@[2001:db8::1]>", NULL },
	{ "<a@[IPv6:2001::db8::1]>", NULL },
	{ "<a@[IPv6:192.0.2.1]>", NULL },
	{ "<a@[IPv6:]>", NULL },
	{ "<a@[192.0.2.1]x>", NULL },
	{ "<l" L60 "llll@" NAME191 ">", NULL },
	{ "<\xc0\xbc@b>", NULL },
	{ "<\xed\xa0\x80@b>", NULL },
	{ "<\xc3@b>", NULL },
	{ "<\xfc@b>", NULL },
	{ "<\xc2\x85@b>", NULL },
	{ "<a@b\xe3\x80\x82"
	  "com>",
	    NULL },
	{ "<a@b\xef\xbc\x8e"
	  "com>",
	    NULL },
	{ "<a>", NULL },
	{ "a", NULL },
	{ "<\"postmaster\">", NULL },
	{ "<postmaster@>", NULL },
};

static void
test_both_ways(void **state)
{
	char text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(both_ways) / sizeof(both_ways[0]); i++) {
		snprintf(text, sizeof(text), "from:%s", both_ways[i].argument);
		check(&(struct path_case) { text, both_ways[i].want }, false);
		snprintf(text, sizeof(text), "To:%s", both_ways[i].argument);
		check(&(struct path_case) { text, both_ways[i].want }, true);
	}
}

static void
test_one_way(void **state)
{
	(void)state;
	check(&(struct path_case) { "FROM:<>", "" }, false);
	check(&(struct path_case) { "FROM: <> BODY=8BITMIME", "" }, false);
	check(&(struct path_case) { "TO:<>", NULL }, true);
	check(&(struct path_case) { "FROM:<postmaster>", NULL }, false);
	check(&(struct path_case) { "TO:<PostMaster>", "PostMaster" }, true);
	check(&(struct path_case) { "TO:postmaster", "postmaster" }, true);
	check(&(struct path_case) { "FROM <a@b>", NULL }, false);
	check(&(struct path_case) { "FROM :<a@b>", NULL }, false);
	check(&(struct path_case) { "TO:<a@b>", NULL }, false);
	check(&(struct path_case) { "FROM:<a@b>", NULL }, true);
	check(&(struct path_case) { "FROM", NULL }, false);
	check(&(struct path_case) { "", NULL }, true);
}

/* However it is cut off, what is there must not be read beyond (AddressSanitizer looks). */
static void
test_cut_off(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(both_ways) / sizeof(both_ways[0]); i++) {
		struct slice whole = slice_of(both_ways[i].argument);

		for (size_t length = 0; length < whole.length; length++) {
			char *text = malloc(3 + length);
			struct smtp_path path;
			struct slice rest;

			memcpy(text, "TO:", 3);
			memcpy(text + 3, whole.data, length);
			if (smtp_path_read_forward(
				&path, (struct slice) { text, 3 + length }, &rest) == NULL)
				assert_true(path.text.length > 0);
			free(text);
		}
	}
}

static struct smtp_path
read_forward(const char *argument)
{
	struct smtp_path path;
	struct slice rest;

	assert_null(smtp_path_read_forward(&path, slice_of(argument), &rest));
	return path;
}

static void
test_what_it_is(void **state)
{
	struct smtp_path path = read_forward("TO:<@a,@b:\"x\"@Example.org> NOTIFY=NEVER");

	(void)state;
	assert_true(path.has_route && path.is_quoted);
	assert_false(path.is_literal || path.is_utf8 || path.is_null || path.is_postmaster);
	assert_true(slice_equals(path.local, slice_of("\"x\"")));
	assert_true(slice_equals(path.domain, slice_of("Example.org")));
	path = read_forward("TO:<POSTMASTER@[192.0.2.1]>");
	assert_true(path.is_postmaster && path.is_literal && !path.has_route);
	assert_true(slice_equals(path.domain, slice_of("[192.0.2.1]")));
	path = read_forward("TO:<postmaster>");
	assert_true(path.is_postmaster && path.domain.length == 0);
	assert_true(read_forward("TO:<\xc3\xbc@b>").is_utf8);
	assert_true(read_forward("TO:<a@\xc3\xbc>").is_utf8);
	assert_true(read_forward("TO:<\"\xc3\xbc\"@b>").is_utf8);
	assert_false(read_forward("TO:<@\xc3\xbc:a@b>").is_utf8);
}

static void
test_rest(void **state)
{
	struct smtp_path path;
	struct slice rest;

	(void)state;
	assert_null(smtp_path_read_reverse(&path, slice_of("FROM:<>"), &rest));
	assert_true(path.is_null);
	assert_int_equal(rest.length, 0);
	assert_null(smtp_path_read_reverse(&path, slice_of("FROM:a@b \t A B=1 "), &rest));
	assert_true(slice_equals(rest, slice_of("A B=1")));
}

static void
test_faults(void **state)
{
	struct smtp_path path;
	struct slice rest;

	(void)state;
	const struct smtp_fault *fault =
	    smtp_path_read_reverse(&path, slice_of("FROM:<a@@>"), &rest);

	assert_int_equal(fault->code, 501);
	assert_string_equal(fault->enhanced, "5.1.7");
	fault = smtp_path_read_forward(&path, slice_of("TO:<a@@>"), &rest);
	assert_string_equal(fault->enhanced, "5.1.3");
	fault = smtp_path_read_forward(&path, slice_of("TO:<a>"), &rest);
	assert_int_equal(fault->code, 553);
	fault = smtp_path_read_forward(&path, slice_of("FOR:<a@b>"), &rest);
	assert_string_equal(fault->enhanced, "5.5.4");
}

static void
test_routing(void **state)
{
	static const struct {
		const char *argument;
		bool want;
	} rows[] = {
		{ "TO:<a@example.com>", false },
		{ "TO:<a/b|c=d@example.com>", false },
		{ "TO:<prvs=1234567890=a@example.com>", false },
		{ "TO:<postmaster>", false },
		{ "TO:<a%b@example.com>", true },
		{ "TO:<b!a@example.com>", true },
		{ "TO:<\"a@b\"@example.com>", true },
		{ "TO:<\"a\\@b\"@example.com>", true },
		{ "TO:<\"a%b\"@example.com>", true },
		{ "TO:</dev/null@example.com>", true },
		{ "TO:<|cat@example.com>", true },
		{ "TO:<\"|cat\"@example.com>", true },
		{ "TO:<\"\\|cat\"@example.com>", true },
		{ "TO:<\"/x\"@example.com>", true },
		{ "TO:<a\xef\xbc\xa0"
		  "b@example.com>",
		    true },
		{ "TO:<a\xef\xbc\x85"
		  "b@example.com>",
		    true },
		{ "TO:<b\xc3\xbcro@example.com>", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct smtp_path path = read_forward(rows[i].argument);

		if (smtp_path_is_routing(&path) != rows[i].want)
			fail_msg("%s", rows[i].argument);
	}
	struct smtp_path null = { .local = slice_of(""), .is_null = true };

	assert_false(smtp_path_is_routing(&null));
}

static void
test_mailbox(void **state)
{
	struct smtp_path path;

	(void)state;
	assert_true(smtp_path_read_mailbox(&path, slice_of("a@example.com")));
	assert_true(slice_equals(path.domain, slice_of("example.com")));
	assert_false(smtp_path_read_mailbox(&path, slice_of("a")));
	assert_false(smtp_path_read_mailbox(&path, slice_of("")));
	assert_false(smtp_path_read_mailbox(&path, slice_of("<a@b>")));
	assert_false(smtp_path_read_mailbox(&path, slice_of("a@b ")));
	assert_false(smtp_path_read_mailbox(&path, slice_of("a@b>")));
}

static void
test_copy(void **state)
{
	struct arena *arena = arena_new(LIMIT);
	struct smtp_path path = read_forward("TO:<@r:a.b@Example.org>");
	struct smtp_path copy = smtp_path_copy(arena, &path);

	(void)state;
	assert_ptr_not_equal(copy.text.data, path.text.data);
	assert_true(slice_equals(copy.text, slice_of("a.b@Example.org")));
	assert_true(slice_equals(copy.local, slice_of("a.b")));
	assert_true(slice_equals(copy.domain, slice_of("Example.org")));
	assert_true(copy.domain.data > copy.text.data &&
	    copy.domain.data < copy.text.data + copy.text.length);
	path = read_forward("TO:<postmaster>");
	copy = smtp_path_copy(arena, &path);
	assert_true(slice_equals(copy.text, slice_of("postmaster")));
	assert_int_equal(copy.domain.length, 0);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ways),
		cmocka_unit_test(test_one_way),
		cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_what_it_is),
		cmocka_unit_test(test_rest),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_routing),
		cmocka_unit_test(test_mailbox),
		cmocka_unit_test(test_copy),
	};

	return cmocka_run_group_tests_name("smtp_path", tests, NULL, NULL);
}
