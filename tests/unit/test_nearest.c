/*
 * lib/nearest: distances, and what is near enough.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/nearest.h"

static void
test_distance(void **state)
{
	static const struct {
		const char *a, *b;
		size_t want;
	} rows[] = {
		{ "", "", 0 },
		{ "a", "", 1 },
		{ "", "abc", 3 },
		{ "same", "same", 0 },
		{ "stirct", "strict", 1 },
		{ "greeting_tmie", "greeting_time", 1 },
		{ "sesions", "sessions", 1 },
		{ "sessionns", "sessions", 1 },
		{ "kitten", "sitting", 3 },
		{ "ab", "ba", 1 },
		{ "ca", "abc", 3 },
		{ "0123456789012345678901234567890123456789", "", 40 },
		{ "01234567890123456789012345678901234567890", "0", SIZE_MAX },
		{ "0", "01234567890123456789012345678901234567890", SIZE_MAX },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(nearest_distance(rows[i].a, rows[i].b) == rows[i].want);
		assert_true(nearest_distance(rows[i].b, rows[i].a) == rows[i].want);
	}
}

static void
test_near_enough(void **state)
{
	static const char *const names[] = { "name", "sessions", "strict", "tls", "greeting_time",
		"tag", NULL };
	static const struct {
		const char *word, *want;
	} rows[] = {
		{ "base", NULL }, /* two of four letters */
		{ "nme", "name" },
		{ "nmae", "name" },
		{ "tsl", "tls" },
		{ "x", NULL },
		{ "", NULL },
		{ "ta", "tag" },
		{ "t", NULL },
		{ "session", "sessions" },
		{ "secsion", "sessions" },
		{ "greet_time", "greeting_time" },
		{ "time", NULL },
		{ "greetin_tim", "greeting_time" },
		{ "strictly", "strict" },
		{ "zebra", NULL },
		{ "01234567890123456789012345678901234567890", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *got = nearest_of(rows[i].word, names);

		if (rows[i].want == NULL)
			assert_null(got);
		else
			assert_string_equal(got, rows[i].want);
	}
}

static void
test_first_of_equals(void **state)
{
	struct nearest nearest = nearest_to("abcd_");

	(void)state;
	assert_true(nearest_offer(&nearest, "abcd1"));
	assert_false(nearest_offer(&nearest, "abcd2"));
	assert_string_equal(nearest.name, "abcd1");
	assert_true(nearest_offer(&nearest, "abcd_"));
	assert_int_equal(nearest.distance, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_distance),
		cmocka_unit_test(test_near_enough),
		cmocka_unit_test(test_first_of_equals),
	};

	return cmocka_run_group_tests_name("nearest", tests, NULL, NULL);
}
