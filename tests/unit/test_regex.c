/*
 * regex: what matches, what is refused and where, and patterns that would take too long.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "lib/regex.h"

static int
setup(void **state)
{
	*state = arena_new(1 << 22);
	return 0;
}

static int
teardown(void **state)
{
	arena_free(*state);
	return 0;
}

static struct regex *
one(struct arena *arena, const char *pattern, bool is_caseless)
{
	struct regex *regex = regex_new(arena);
	struct regex_fault fault;

	assert_true(
	    regex_add(regex, slice_of(pattern), "x:1", is_caseless ? REGEX_CASELESS : 0, &fault));
	return regex;
}

static bool
matches(struct arena *arena, const char *pattern, const char *text)
{
	return regex_match(one(arena, pattern, false), 0, slice_of(text)) == REGEX_YES;
}

static void
test_matches(void **state)
{
	struct arena *arena = *state;

	assert_true(matches(arena, "b+", "abbc"));
	assert_false(matches(arena, "^b+", "abbc"));
	assert_true(matches(arena, "^$", ""));
	assert_true(matches(arena, "\\bdsl\\d{3}\\.", "x.dsl123.example"));
	assert_false(matches(arena, "B", "b"));
	assert_true(matches(arena, "(?i)B", "b"));
	assert_true(matches(arena, "^.{2}$", "\xc3\xa4\xc3\xb6")); /* characters, no bytes */
	assert_true(regex_match(one(arena, "B", true), 0, slice_of("b")) == REGEX_YES);
	assert_true(
	    regex_match(one(arena, "\xc3\x84", true), 0, slice_of("\xc3\xa4")) == REGEX_YES);
	assert_true(regex_match(one(arena, "(?-i)B", true), 0, slice_of("b")) == REGEX_NO);
	assert_true(regex_match(one(arena, "x", true), 0, (struct slice) { 0 }) == REGEX_NO);
	assert_true(regex_match(one(arena, "^$", true), 0, (struct slice) { 0 }) == REGEX_YES);
	assert_true(
	    regex_match(one(arena, "a\\x00b", true), 0, (struct slice) { "a\0b", 3 }) == REGEX_YES);
	assert_true(regex_match(one(arena, "c", true), 0, (struct slice) { "abc", 2 }) == REGEX_NO);
}

/* Bytes that are no UTF-8 match nothing, and hide nothing. */
static void
test_bad_utf8(void **state)
{
	struct arena *arena = *state;

	assert_true(matches(arena, "good", "\xff\xfe good \xc3"));
	assert_true(matches(arena, "good", "good\x80"));
	assert_true(matches(arena, "good", "\xe4good"));
	assert_false(matches(arena, "a.b",
	    "a\xff"
	    "b"));
}

static void
test_set(void **state)
{
	struct arena *arena = *state;
	struct regex *regex = regex_new(arena);
	struct regex_fault fault;
	size_t number = 99;
	char place[16], pattern[16];

	assert_int_equal(regex_find(NULL, slice_of("x"), &number), REGEX_NO);
	assert_int_equal(regex_find(regex, slice_of("x"), &number), REGEX_NO);
	assert_int_equal(regex_count(NULL), 0);
	for (int i = 0; i < 100; i++) {
		snprintf(pattern, sizeof(pattern), "^p%d$", i);
		snprintf(place, sizeof(place), "list:%d", i + 1);
		assert_true(regex_add(regex, slice_of(pattern), place, REGEX_CASELESS, &fault));
	}
	snprintf(place, sizeof(place), "gone");
	assert_int_equal(regex_count(regex), 100);
	assert_int_equal(regex_find(regex, slice_of("p7"), &number), REGEX_YES);
	assert_int_equal(number, 7);
	assert_string_equal(regex_place(regex, 7), "list:8");
	assert_string_equal(regex_place(regex, 99), "list:100");
	assert_int_equal(regex_find(regex, slice_of("p100"), &number), REGEX_NO);
	assert_true(regex_add(regex, slice_of("p"), "", REGEX_CASELESS, &fault));
	assert_int_equal(regex_find(regex, slice_of("p3"), &number), REGEX_YES);
	assert_int_equal(number, 3); /* the first */
	assert_true(regex_slow_count(regex) <= 101);
}

static void
refused(struct arena *arena, const char *pattern, size_t at)
{
	struct regex *regex = regex_new(arena);
	struct regex_fault fault = { .at = 9999 };

	assert_false(regex_add(regex, slice_of(pattern), "x", 0, &fault));
	assert_int_equal(fault.at, at);
	assert_true(strlen(fault.why) > 0);
	assert_int_equal(regex_count(regex), 0);
}

static void
test_refused(void **state)
{
	struct arena *arena = *state;
	char nested[2001];
	static char longest[REGEX_PATTERN_MOST + 2];

	refused(arena, "", 0);
	refused(arena, "a(b", 3);
	refused(arena, "a)b", 1);
	refused(arena, "x\\C", 3);
	refused(arena, "*a", 0);
	refused(arena, "a\xff", 1);
	refused(arena, "[z-a]", 3);
	memset(nested, '(', 1000);
	memset(nested + 1000, ')', 1000);
	nested[2000] = '\0';
	struct regex_fault fault;

	assert_false(regex_add(regex_new(arena), slice_of(nested), "x", 0, &fault));
	memset(longest, 'a', REGEX_PATTERN_MOST + 1);
	assert_false(regex_add(regex_new(arena), slice_of(longest), "x", 0, &fault));
	longest[REGEX_PATTERN_MOST] = '\0';
	assert_true(regex_add(regex_new(arena), slice_of(longest), "x", 0, &fault));
}

/* A set that refused a pattern is as good as before. */
static void
test_refused_then_good(void **state)
{
	struct regex *regex = one(*state, "good", false);
	struct regex_fault fault;
	size_t number;

	assert_false(regex_add(regex, slice_of("ba(d"), "x", 0, &fault));
	assert_true(regex_add(regex, slice_of("fine"), "x", 0, &fault));
	assert_int_equal(regex_count(regex), 2);
	assert_int_equal(regex_find(regex, slice_of("is fine"), &number), REGEX_YES);
	assert_int_equal(number, 1);
}

static void
test_too_many(void **state)
{
	struct arena *arena = arena_new(1 << 24);
	struct regex *regex = regex_new(arena);
	struct regex_fault fault;

	(void)state;
	for (int i = 0; i < REGEX_MOST; i++)
		assert_true(regex_add(regex, slice_of("a"), "", 0, &fault));
	assert_false(regex_add(regex, slice_of("a"), "", 0, &fault));
	assert_non_null(strstr(fault.why, "too many"));
	arena_free(arena);
}

static void
test_limit(void **state)
{
	static char text[20001];
	struct arena *arena = *state;
	struct regex *regex = one(arena, "^(a+)+$", false);
	struct regex_fault fault;
	size_t number = 99;
	clock_t begin = clock();

	memset(text, 'a', 60);
	text[60] = '!';
	assert_int_equal(regex_match(regex, 0, slice_of(text)), REGEX_LIMIT);
	assert_int_equal(regex_find(regex, slice_of(text), &number), REGEX_LIMIT);
	assert_int_equal(number, 0);
	assert_true(regex_add(regex, slice_of("!$"), "x", 0, &fault));
	assert_int_equal(regex_find(regex, slice_of(text), &number), REGEX_YES);
	assert_int_equal(number, 1);
	memset(text, '!', 20000);
	assert_int_not_equal(
	    regex_match(one(arena, "!.*!.*!.*!#", false), 0, slice_of(text)), REGEX_YES);
	memset(text, 'y', 20000);
	memcpy(text + 19997, "end", 3);
	assert_int_not_equal(
	    regex_match(one(arena, "^(?:(x)|y)*end", false), 0, slice_of(text)), REGEX_NO);
	assert_true(clock() - begin < 2 * CLOCKS_PER_SEC);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_matches),
		TEST(test_bad_utf8),
		TEST(test_set),
		TEST(test_refused),
		TEST(test_refused_then_good),
		TEST(test_too_many),
		TEST(test_limit),
	};

	return cmocka_run_group_tests_name("regex", tests, NULL, NULL);
}
