/*
 * ptr: each result, with the answers in every order; the client that leaves in the middle.
 */
#include "tests/unit/play.h"

#include <stdlib.h>
#include <unistd.h>

#include "filters/registry.h"

enum { ROWS = 6 };

static const char *const generic_options =
    "generic: [ '^\\d+-\\d+-\\d+-\\d+\\.', \"(dsl|cable)[.-]\" ]\n";

struct ptr_case {
	const char *title;
	const char *client;
	struct dns_row rows[ROWS + 1];
	const char *want;
	const char *options; /* NULL: generic_options */
};

#define REVERSE DNS_PTR, "5.100.51.198.in-addr.arpa"
#define CLIENT "198.51.100.5"

static const struct ptr_case cases[] = {
	{ "a name that leads back", CLIENT,
	    { { REVERSE, DNS_OK, { "mx.a.test" } },
		{ DNS_A, "mx.a.test", DNS_OK, { "198.51.100.4", CLIENT } } },
	    "ptr.result=pass(mx.a.test)" },
	{ "no name", CLIENT, { { REVERSE, DNS_NO_NAME } }, "ptr.result=none(no name)" },
	{ "a name without PTR", CLIENT, { { REVERSE, DNS_NO_DATA } }, "ptr.result=none(no name)" },
	{ "name server down", CLIENT, { { REVERSE, DNS_FAILED, .why = "servfail" } },
	    "ptr.result=error(servfail)" },
	{ "three names, the second leads back", CLIENT,
	    { { REVERSE, DNS_OK, { "a.test", "b.test", "c.test" } },
		{ DNS_A, "a.test", DNS_NO_DATA }, { DNS_A, "b.test", DNS_OK, { CLIENT } },
		{ DNS_A, "c.test", DNS_FAILED, .why = "down" } },
	    "ptr.result=pass(b.test)" },
	{ "two lead back: the first of the answer", CLIENT,
	    { { REVERSE, DNS_OK, { "b.test", "a.test" } }, { DNS_A, "a.test", DNS_OK, { CLIENT } },
		{ DNS_A, "b.test", DNS_OK, { CLIENT } } },
	    "ptr.result=pass(b.test)" },
	{ "none leads back", CLIENT,
	    { { REVERSE, DNS_OK, { "a.test", "b.test" } },
		{ DNS_A, "a.test", DNS_OK, { "192.0.2.1" } }, { DNS_A, "b.test", DNS_NO_NAME } },
	    "ptr.result=mismatch(a.test)" },
	{ "none leads back, one not found out", CLIENT,
	    { { REVERSE, DNS_OK, { "a.test", "b.test", "c.test" } },
		{ DNS_A, "a.test", DNS_OK, { "192.0.2.1" } },
		{ DNS_A, "b.test", DNS_FAILED, .why = "time limit" },
		{ DNS_A, "c.test", DNS_NO_NAME } },
	    "ptr.result=error(time limit)" },
	{ "a dial-up line", CLIENT,
	    { { REVERSE, DNS_OK, { "198-51-100-5.dyn.test" } },
		{ DNS_A, "198-51-100-5.dyn.test", DNS_OK, { CLIENT } } },
	    "ptr.result=generic(198-51-100-5.dyn.test) {pattern=test.yaml:1}" },
	{ "a dial-up line that has a good name, too", CLIENT,
	    { { REVERSE, DNS_OK, { "x.DSL.test", "mx.a.test" } },
		{ DNS_A, "x.dsl.test", DNS_OK, { CLIENT } },
		{ DNS_A, "mx.a.test", DNS_OK, { CLIENT } } },
	    "ptr.result=pass(mx.a.test)" },
	{ "a dial-up line, and a name not found out", CLIENT,
	    { { REVERSE, DNS_OK, { "x.dsl.test", "mx.a.test" } },
		{ DNS_A, "x.dsl.test", DNS_OK, { CLIENT } }, { DNS_A, "mx.a.test", DNS_FAILED } },
	    "ptr.result=generic(x.dsl.test) {pattern=test.yaml:1}" },
	{ "looks generic, but does not lead back", CLIENT,
	    { { REVERSE, DNS_OK, { "x.dsl.test" } }, { DNS_A, "x.dsl.test", DNS_NO_NAME } },
	    "ptr.result=mismatch(x.dsl.test)" },
	{ "no patterns", CLIENT,
	    { { REVERSE, DNS_OK, { "x.dsl.test" } }, { DNS_A, "x.dsl.test", DNS_OK, { CLIENT } } },
	    "ptr.result=pass(x.dsl.test)", "" },
	{ "a pattern that explodes", CLIENT,
	    { { REVERSE, DNS_OK, { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.test" } },
		{ DNS_A, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.test", DNS_OK,
		    { CLIENT } } },
	    "ptr.result=error(a pattern in `generic` takes too long)", "generic: '^(a+)+$'" },
	{ "IPv6", "2001:db8::5",
	    { { DNS_PTR, "5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
		  DNS_OK, { "mx.a.test" } },
		{ DNS_AAAA, "mx.a.test", DNS_OK, { "2001:db8::4", "2001:db8::5" } } },
	    "ptr.result=pass(mx.a.test)" },
	{ "IPv4 in IPv6 is IPv4", "::ffff:198.51.100.5",
	    { { REVERSE, DNS_OK, { "mx.a.test" } }, { DNS_A, "mx.a.test", DNS_OK, { CLIENT } } },
	    "ptr.result=pass(mx.a.test)" },
	{ "a name that is none", CLIENT, { { REVERSE, DNS_OK, { "bad..name" } } },
	    "ptr.result=mismatch(bad..name)" },
};

static size_t
row_count(const struct dns_row *rows)
{
	size_t count = 0;

	while (rows[count].name != NULL)
		count++;
	return count;
}

static void
ptr_begin(struct play *play, const struct ptr_case *one)
{
	struct arena *arena = arena_new(1 << 20);
	const char *yaml = one->options != NULL ? one->options : generic_options;
	const struct pipeline_row rows[] = {
		{ &ptr_filter, play_options_good(arena, &ptr_filter, yaml) }, { 0 }
	};

	play_begin(play, one->client, rows, one->rows);
	arena_defer(play->arena, (arena_undo)arena_free, arena);
}

static void
play_case(const size_t *order, const void *arg)
{
	const struct ptr_case *one = arg;
	const char *any[] = { NULL };
	struct play play;

	ptr_begin(&play, one);
	for (size_t i = 0; i < row_count(one->rows); i++)
		play_answer(&play, order[i]);
	assert_string_equal(play_facts(&play), one->want);
	assert_false(scope_waits(play.scope));
	assert_int_equal(dns_fake_waiting(play.fake), 0);
	assert_int_equal(
	    evidence_ask(play.scope->mail.evidence, "ptr", "result", CONNECT, any), NO);
	play_end(&play);
}

static void
test_every_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		play_orders(row_count(cases[i].rows), play_case, &cases[i]);
}

/* Nothing is told before all is known. */
static void
play_leaving(const size_t *order, const void *arg)
{
	const struct ptr_case *one = arg;
	size_t count = row_count(one->rows);

	for (size_t leaves = 0; leaves < count; leaves++) {
		struct play play;

		ptr_begin(&play, one);
		for (size_t i = 0; i < leaves; i++)
			play_answer(&play, order[i]);
		if (scope_waits(play.scope))
			assert_string_equal(play_facts(&play), "");
		play_end(&play);
	}
}

static void
test_client_leaves(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		play_orders(row_count(cases[i].rows), play_leaving, &cases[i]);
}

/* All names are asked side by side, ten at most, and asking again costs no memory. */
static void
test_asks_side_by_side(void **state)
{
	static const struct dns_row rows[] = { { REVERSE, DNS_OK,
						   { "a.t", "b.t", "c.t", "d.t", "e.t", "f.t",
						       "g.t", "h.t", "i.t", "j.t", "k.t", "l.t" } },
		{ DNS_A, "a.t", DNS_NO_NAME }, { DNS_A, "b.t", DNS_NO_NAME },
		{ DNS_A, "c.t", DNS_NO_NAME }, { DNS_A, "d.t", DNS_NO_NAME },
		{ DNS_A, "e.t", DNS_NO_NAME }, { DNS_A, "f.t", DNS_NO_NAME },
		{ DNS_A, "g.t", DNS_NO_NAME }, { DNS_A, "h.t", DNS_NO_NAME },
		{ DNS_A, "i.t", DNS_NO_NAME }, { DNS_A, "j.t", DNS_NO_NAME }, { 0 } };
	struct play play;

	(void)state;
	struct arena *arena = arena_new(1 << 20);
	const struct pipeline_row pipeline[] = {
		{ &ptr_filter, play_options_good(arena, &ptr_filter, "") }, { 0 }
	};

	play_begin(&play, CLIENT, pipeline, rows);
	assert_int_equal(dns_fake_waiting(play.fake), 1);
	play_answer(&play, 0);
	assert_int_equal(dns_fake_waiting(play.fake), 10);
	size_t before = arena_size(play.arena);

	for (int i = 0; i < 1000; i++)
		scope_run(play.scope);
	assert_int_equal(arena_size(play.arena), before);
	for (size_t i = 10; i > 0; i--)
		play_answer(&play, i);
	assert_string_equal(play_facts(&play), "ptr.result=mismatch(a.t)");
	play_end(&play);
	arena_free(arena);
}

static void
assert_fault(const char *yaml, unsigned line, unsigned column, const char *words)
{
	struct arena *arena = arena_new(1 << 20);
	struct faults faults;

	assert_null(play_options(arena, &ptr_filter, yaml, &faults));
	assert_true(faults.count >= 1);
	assert_string_equal(faults.kept[0].file, "test.yaml");
	assert_int_equal(faults.kept[0].line, line);
	assert_int_equal(faults.kept[0].column, column);
	assert_non_null(strstr(faults.kept[0].words, words));
	arena_free(arena);
}

static void
test_bad_options(void **state)
{
	(void)state;
	assert_fault("generic: [ 'a(b' ]\n", 1, 16, "regular expression");
	assert_fault("generic:\n  - ok\n  - a)b\n", 3, 6, "regular expression");
	assert_fault("generic: \"\xc3\xa4\xc3\xa4(\"\n", 1, 14, "regular expression");
	assert_fault("generic: [ file: no-such-file.re ]\n", 1, 18, "cannot read");
	assert_fault("generic: [ [ a ] ]\n", 1, 12, "regular expression");
	assert_fault("generic: [ { file: a, b: c } ]\n", 1, 12, "regular expression");
	assert_fault("generix: a\n", 1, 1, "generic");
}

static void
test_file_of_patterns(void **state)
{
	static const char text[] =
	    "\xef\xbb\xbf# lines of providers\n\n  \t\ndsl\\.\r\n^no\nba(d\n";
	struct arena *arena = arena_new(1 << 20);
	char path[] = "/tmp/test_ptr_XXXXXX";
	int fd = mkstemp(path);
	struct faults faults;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	close(fd);
	const char *yaml = arena_format(arena, "generic: [ good, file: %s ]\n", path);

	assert_null(play_options(arena, &ptr_filter, yaml, &faults));
	assert_int_equal(faults.count, 1);
	assert_string_equal(faults.kept[0].file, path);
	assert_int_equal(faults.kept[0].line, 6);
	assert_int_equal(faults.kept[0].column, 5);
	unlink(path);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_order),
		cmocka_unit_test(test_client_leaves),
		cmocka_unit_test(test_asks_side_by_side),
		cmocka_unit_test(test_bad_options),
		cmocka_unit_test(test_file_of_patterns),
	};

	return cmocka_run_group_tests_name("ptr", tests, NULL, NULL);
}
