/*
 * spf_macro: expansion, with the examples of RFC 7208 7.4, and with what a peer may do to it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/spf_macro.h"

struct macro_case {
	const char *text, *want;
};

static struct ip ip4 = { 4, { 192, 0, 2, 3 } };
static struct ip ip6 = { 16, { 0x20, 0x01, 0x0d, 0xb8, [15] = 0xcb } };
static struct spf_values values = {
	.local = "strong-bad",
	.sender_domain = "email.example.com",
	.domain = "email.example.com",
	.helo = "mail.example.org",
	.receiver = "mx.example.net",
	.name = "mx.example.org",
	.client = &ip4,
	.now = 1234567890.6,
};

static enum spf_expansion
expand(const char *text, const struct spf_values *with, struct buf *out)
{
	buf_clear(out);
	return spf_macro_expand(out, slice_of(text), with);
}

static void
assert_expands(const char *text, const struct spf_values *with, const char *want)
{
	struct arena *arena = arena_new(SIZE_MAX);
	struct buf *out = buf_new(arena, SPF_EXPANDED_MOST);

	assert_true(spf_macro_is(slice_of(text), SPF_MACRO_EXPLANATION));
	assert_int_equal(expand(text, with, out), SPF_EXPANDED);
	assert_string_equal(arena_copy(arena, buf_slice(out)), want);
	arena_free(arena);
}

/* The first two tables are those of the RFC. */
static void
test_expand(void **state)
{
	static const struct macro_case cases[] = {
		{ "%{s}", "strong-bad@email.example.com" },
		{ "%{o}", "email.example.com" },
		{ "%{d}", "email.example.com" },
		{ "%{d4}", "email.example.com" },
		{ "%{d3}", "email.example.com" },
		{ "%{d2}", "example.com" },
		{ "%{d1}", "com" },
		{ "%{dr}", "com.example.email" },
		{ "%{d2r}", "example.email" },
		{ "%{l}", "strong-bad" },
		{ "%{l-}", "strong.bad" },
		{ "%{lr}", "strong-bad" },
		{ "%{lr-}", "bad.strong" },
		{ "%{l1r-}", "strong" },
		{ "%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com" },
		{ "%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com" },
		{ "%{lr-}.lp.%{ir}.%{v}._spf.%{d2}",
		    "bad.strong.lp.3.2.0.192.in-addr._spf.example.com" },
		{ "%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net" },
		{ "%{h} %{r} %{t} %{c} %{p}",
		    "mail.example.org mx.example.net 1234567891 192.0.2.3 mx.example.org" },
		{ "%%%_%-%%d}", "% %20%d}" },
		{ "a%{D2}b", "aexample.comb" },
		{ "%{S}", "strong-bad%40email.example.com" },
		{ "", "" },
		{ "%{d999999999999}", "email.example.com" },
		{ "%{o2.-}", "example.com" },
		{ "%{s1@}", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (cases[i].want != NULL)
			assert_expands(cases[i].text, &values, cases[i].want);
		else
			assert_false(spf_macro_is(slice_of(cases[i].text), SPF_MACRO_STRING));
}

static void
test_ip6(void **state)
{
	struct spf_values with = values;

	(void)state;
	with.client = &ip6;
	assert_expands("%{ir}.%{v}._spf.%{d2}", &with,
	    "B.C.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2."
	    "ip6._spf.example.com");
	assert_expands("%{c} %{i2}", &with, "2001:db8::cb C.B");
}

/* What a sender may have in an address, and a client say with HELO. */
static void
test_odd_bytes(void **state)
{
	struct spf_values with = values;

	(void)state;
	with.local = "\"a b@c%{d}/24..\\\"\"";
	with.helo = "\x80\xff--..";
	assert_expands("%{l}|%{l1}", &with, "\"a b@c%{d}/24..\\\"\"|\\\"\"");
	assert_expands("%{L}", &with, "%22a%20b%40c%25%7Bd%7D%2F24..%5C%22%22");
	assert_expands("%{l/}", &with, "\"a b@c%{d}.24..\\\"\"");
	assert_expands("%{H}", &with, "%80%FF--..");
	assert_expands("%{h-}", &with, "\x80\xff....");
	assert_expands("%{hr}", &with, "..\x80\xff--");
	assert_expands("%{h2-.}", &with, ".");
	with.local = "=_/,+-.";
	assert_expands("%{l=_/,+-.}", &with, ".......");
	assert_expands("%{l3=_/,+-.}", &with, "..");
}

static void
test_never(void **state)
{
	struct arena *arena = arena_new(SIZE_MAX);
	struct buf *out = buf_new(arena, SPF_EXPANDED_MOST);
	struct spf_values with = values;

	(void)state;
	with.local = "gr\xc3\xbc\xc3\x9f"
		     "e";
	assert_int_equal(expand("a.%{l}.b", &with, out), SPF_EXPANDS_NEVER);
	assert_int_equal(expand("%{S}", &with, out), SPF_EXPANDS_NEVER);
	assert_int_equal(expand("%{o}", &with, out), SPF_EXPANDED);
	arena_free(arena);
}

static void
test_too_far(void **state)
{
	struct arena *arena = arena_new(SIZE_MAX);
	struct buf *out = buf_new(arena, SPF_EXPANDED_MOST), *text = buf_new(arena, 1 << 16);
	struct spf_values with = values;
	char local[2048];

	(void)state;
	while (text->length + 4 <= 4 * SPF_EXPANDED_MOST / 17)
		buf_append(text, slice_of("%{d}"));
	buf_append_byte(text, '\0');
	assert_int_equal(expand(text->data, &with, out), SPF_EXPANDED);
	assert_int_equal(
	    expand(arena_format(arena, "%s%%{d}", text->data), &with, out), SPF_EXPANDS_TOO_FAR);
	assert_int_equal(expand(arena_format(arena, "%s12345678901234567", text->data), &with, out),
	    SPF_EXPANDS_TOO_FAR);
	memset(local, '.', sizeof(local));
	local[sizeof(local) - 1] = '\0';
	with.local = local;
	assert_int_equal(expand("%{l}", &with, out), SPF_EXPANDS_TOO_FAR);
	memset(local, 'a', sizeof(local) - 1);
	assert_int_equal(expand("%{l}", &with, out), SPF_EXPANDED);
	memset(local, '/', sizeof(local) - 1);
	assert_int_equal(expand("%{L}", &with, out), SPF_EXPANDS_TOO_FAR);
	arena_free(arena);
}

static void
test_name(void **state)
{
	struct arena *arena = arena_new(SIZE_MAX);
	char text[600], *end;

	(void)state;
	assert_string_equal(spf_macro_name(arena, slice_of("a.b")), "a.b");
	assert_string_equal(spf_macro_name(arena, slice_of("a.b.")), "a.b");
	assert_string_equal(spf_macro_name(arena, slice_of("a.b..")), "a.b.");
	assert_string_equal(spf_macro_name(arena, slice_of("")), "");
	assert_string_equal(spf_macro_name(arena, slice_of(".")), "");
	memset(text, 'a', sizeof(text));
	text[500] = '\0';
	assert_int_equal(strlen(spf_macro_name(arena, slice_of(text))), 500);
	for (size_t length = 240; length < 270; length++) {
		memset(text, 'a', sizeof(text));
		text[10] = text[30] = text[90] = '.';
		text[length] = '\0';
		end = text + (length > SPF_NAME_MOST ? 11 : 0);
		if (strlen(end) > SPF_NAME_MOST)
			end = text + 31;
		assert_string_equal(spf_macro_name(arena, slice_of(text)), end);
	}
	arena_free(arena);
}

static void
test_has_name(void **state)
{
	(void)state;
	assert_true(spf_macro_has_name(slice_of("%{p}")));
	assert_true(spf_macro_has_name(slice_of("a%%%{P2r-}.b")));
	assert_false(spf_macro_has_name(slice_of("%%{p}")));
	assert_false(spf_macro_has_name(slice_of("%{d}p%")));
	assert_false(spf_macro_has_name(slice_of("%{p")));
	assert_false(spf_macro_has_name(slice_of("")));
}

/* What an explanation may hold, and a domain may not. */
static void
test_kinds(void **state)
{
	(void)state;
	assert_true(spf_macro_is(slice_of("a b %{c} "), SPF_MACRO_EXPLANATION));
	assert_false(spf_macro_is(slice_of("a b %{c} "), SPF_MACRO_STRING));
	assert_true(spf_macro_is(slice_of("%{c}%{r}%{t}"), SPF_MACRO_STRING));
	assert_false(spf_macro_is(slice_of("%{c}"), SPF_MACRO_DOMAIN));
	assert_false(spf_macro_is(slice_of("a\nb"), SPF_MACRO_EXPLANATION));
	assert_false(spf_macro_is(slice_of("a\x80"), SPF_MACRO_EXPLANATION));
	assert_true(spf_macro_is(slice_of(""), SPF_MACRO_EXPLANATION));
	assert_false(spf_macro_is(slice_of(""), SPF_MACRO_DOMAIN));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expand),
		cmocka_unit_test(test_ip6),
		cmocka_unit_test(test_odd_bytes),
		cmocka_unit_test(test_never),
		cmocka_unit_test(test_too_far),
		cmocka_unit_test(test_name),
		cmocka_unit_test(test_has_name),
		cmocka_unit_test(test_kinds),
	};

	return cmocka_run_group_tests_name("spf_macro", tests, NULL, NULL);
}
