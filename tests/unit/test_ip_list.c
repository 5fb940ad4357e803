/*
 * ip_list: allow wins over block; the detail names the list and line.
 */
#include "tests/unit/play.h"

#include <stdlib.h>
#include <unistd.h>

#include "filters/registry.h"

static void
assert_facts(const char *yaml, const char *client, const char *want)
{
	struct arena *arena = arena_new(1 << 20);
	const struct pipeline_row rows[] = {
		{ &ip_list_filter, play_options_good(arena, &ip_list_filter, yaml) }, { 0 }
	};
	const char *any[] = { NULL };
	struct play play;

	play_begin(&play, client, rows, NULL);
	assert_string_equal(play_facts(&play), want);
	assert_false(scope_waits(play.scope)); /* it never waits */
	assert_int_equal(
	    evidence_ask(play.scope->mail.evidence, "ip_list", "result", CONNECT, any), NO);
	play_end(&play);
	arena_free(arena);
}

static void
test_results(void **state)
{
	static const char yaml[] = "allow: [ 192.0.2.7, 2001:db8:1::/48 ]\n"
				   "block:\n"
				   "  - 192.0.2.0/24\n"
				   "  - 2001:db8::/32\n";

	(void)state;
	assert_facts(yaml, "192.0.2.1", "ip_list.result=block(test.yaml:3)");
	assert_facts(yaml, "192.0.2.7", "ip_list.result=allow(test.yaml:1)");
	assert_facts(yaml, "192.0.3.1", "ip_list.result=none()");
	assert_facts(yaml, "::ffff:192.0.2.1", "ip_list.result=block(test.yaml:3)");
	assert_facts(yaml, "2001:db8::1", "ip_list.result=block(test.yaml:4)");
	assert_facts(yaml, "2001:db8:1::1", "ip_list.result=allow(test.yaml:1)");
	assert_facts(yaml, "2001:db9::1", "ip_list.result=none()");
}

static void
test_allow_wins(void **state)
{
	(void)state;
	assert_facts("{ allow: 0.0.0.0/0, block: 192.0.2.1 }", "192.0.2.1",
	    "ip_list.result=allow(test.yaml:1)");
}

static void
test_nothing_configured(void **state)
{
	(void)state;
	assert_facts("", "192.0.2.1", "ip_list.result=none()");
	assert_facts("{ allow: [] }", "2001:db8::1", "ip_list.result=none()");
}

static void
test_file(void **state)
{
	static const char text[] =
	    "# known spammers\n192.0.2.0/24\n\n198.51.100.9 ; and this one\n";
	char path[] = "/tmp/test_ip_list_XXXXXX", yaml[80], want[80];
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	close(fd);
	snprintf(yaml, sizeof(yaml), "block: [ file: %s, 203.0.113.1 ]", path);
	snprintf(want, sizeof(want), "ip_list.result=block(%s:4)", path);
	assert_facts(yaml, "198.51.100.9", want);
	assert_facts(yaml, "203.0.113.1", "ip_list.result=block(test.yaml:1)");
	assert_facts(yaml, "203.0.113.2", "ip_list.result=none()");
	unlink(path);
}

static void
test_bad_options(void **state)
{
	static const char *const bad[] = { "block: [ 192.0.2.1/24 ]", "block: [ file: /no/such ]",
		"blocked: 192.0.2.1", "allow: example.com", "allow: { x: y }" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct arena *arena = arena_new(1 << 20);
		struct faults faults;

		assert_null(play_options(arena, &ip_list_filter, bad[i], &faults));
		assert_true(faults.count > 0);
		assert_int_equal(faults.kept[0].line, 1);
		arena_free(arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_results),
		cmocka_unit_test(test_allow_wins),
		cmocka_unit_test(test_nothing_configured),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_bad_options),
	};

	return cmocka_run_group_tests_name("ip_list", tests, NULL, NULL);
}
