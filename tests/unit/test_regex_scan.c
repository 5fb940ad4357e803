/*
 * regex_scan: PCRE2 alone and with Vectorscan before it say the same; patterns that it does not
 * know; those that take too long.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/regex_scan.h"

static const char *const patterns[] = {
	"viagra",
	"^begin",
	"end$",
	"\\bword\\b",
	"(a|b)c{2,3}d",
	"(\\w)\\1\\1",
	"(?<!not )wanted",
	"foo(?=bar)",
	"(?i-s)x.y",
	"[^a]{100,200}z",
	"<input\\b[^>]{0,500}\\btype\\s*=\\s*[\"']?\\s*password\\b",
	"\xd0\xb1\xd0\xb8\xd1\x82",
	"(?-i)CASE",
	"k",
	"\xc5\xbf",
	"a*",
	"\\d{3}-\\d{4}",
	"\\x{20ac}+",
	"(?s)one.{0,40}two",
	"\\R",
	"(?>ab+)c",
	"x{20}y",
	"^$",
	"\\Aat",
	"[[:punct:]]{3}",
};
enum { PATTERNS = sizeof(patterns) / sizeof(patterns[0]) };

static const char *const texts[] = {
	"",
	"Viagra",
	"a VIAGRA b\nbegin here\nthe end",
	"begin\nmiddle end",
	"sword word",
	"swords",
	"bccd accccd",
	"oooh",
	"not wanted",
	"is wanted",
	"foobar foo",
	"x\ny x-y",
	"<input name=a type=\"password\">",
	"<input name=a >type=\"password\">",
	"\xd0\x91\xd0\x98\xd0\xa2\xd0\x9a\xd0\x9e\xd0\x98\xd0\x9d",
	"case CASE",
	"case",
	"\xe2\x84\xaa", /* the sign of Kelvin, which is a k */
	"s",
	"call 555-1234",
	"\xe2\x82\xac\xe2\x82\xac",
	"one\ntwo",
	"abbbc",
	"xxxxxxxxxxxxxxxxxxxxy",
	"xxxxxxxxxy",
	"what?!?",
};
enum { TEXTS = sizeof(texts) / sizeof(texts[0]) };

static struct regex *
set_of(struct arena *arena, const char *const *all, size_t count)
{
	struct regex *regex = regex_new(arena);
	struct regex_fault fault;

	for (size_t i = 0; i < count; i++)
		if (!regex_add(regex, slice_of(all[i]), "x:1",
			REGEX_CASELESS | REGEX_LINES | REGEX_CLEAN, &fault))
			fail_msg("%s: %s", all[i], fault.why);
	return regex;
}

/* Each pattern by itself is the judge. */
static void
check_text(const struct regex_scan *scan, const struct regex *regex, struct slice text)
{
	uint8_t results[PATTERNS] = { 0 };
	size_t yes = 0;

	size_t changes = regex_scan_piece(scan, text, 0, results);

	for (size_t i = 0; i < PATTERNS; i++) {
		if (results[i] != (uint8_t)regex_match(regex, i, text))
			fail_msg("\"%s\" in \"%.*s\": %d", patterns[i], (int)text.length, text.data,
			    results[i]);
		yes += results[i] == REGEX_YES;
	}
	assert_int_equal(changes, yes);
	assert_int_equal(regex_scan_piece(scan, text, 0, results), 0); /* known by now */
}

static void
test_same(void **state)
{
	struct arena *arena = arena_new(SIZE_MAX);
	const struct regex *regex = set_of(arena, patterns, PATTERNS);
	const struct regex_scan *plain = regex_scan_new(arena, regex, 0, PATTERNS, true);
	const struct regex_scan *quick = regex_scan_new(arena, regex, 0, PATTERNS, false);

	(void)state;
	assert_int_equal(regex_scan_known(plain), 0);
#ifdef HAVE_VECTORSCAN
	assert_true(regex_scan_known(quick) > PATTERNS / 2);
#else
	assert_int_equal(regex_scan_known(quick), 0);
#endif
	for (size_t i = 0; i < TEXTS; i++) {
		check_text(plain, regex, slice_of(texts[i]));
		check_text(quick, regex, slice_of(texts[i]));
	}
	arena_free(arena);
}

/* Words of the patterns' own letters, from a fixed seed. */
static void
test_random(void **state)
{
	static const char letters[] = "abcdxyz 123-\n<>=\"typepasswordinputwanted\xd0\xb1k";
	struct arena *arena = arena_new(SIZE_MAX);
	const struct regex *regex = set_of(arena, patterns, PATTERNS);
	const struct regex_scan *quick = regex_scan_new(arena, regex, 0, PATTERNS, false);
	unsigned random = 12345;
	char text[64];

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t length = 0;

		while (length < sizeof(text)) {
			random = random * 1103515245 + 12345;
			char c = letters[(random >> 16) % (sizeof(letters) - 1)];

			text[length++] = c < 0 ? '\n' : c; /* valid UTF-8 only */
		}
		check_text(quick, regex, (struct slice) { text, length });
	}
	arena_free(arena);
}

/* A part of the set: numbers begin anew. */
static void
test_range(void **state)
{
	struct arena *arena = arena_new(SIZE_MAX);
	const struct regex *regex = set_of(arena, patterns, PATTERNS);
	const struct regex_scan *scan = regex_scan_new(arena, regex, 1, 2, false);
	uint8_t results[3] = { 0, 0, 77 };

	(void)state;
	assert_int_equal(regex_scan_piece(scan, slice_of("the end"), 0, results), 1);
	assert_int_equal(results[0], REGEX_NO);
	assert_int_equal(results[1], REGEX_YES);
	assert_int_equal(results[2], 77);
	arena_free(arena);
}

/* A piece that is cut within a line has no beginning and no end there. */
static void
test_edges(void **state)
{
	struct arena *arena = arena_new(SIZE_MAX);
	const struct regex *regex = set_of(arena, patterns, PATTERNS);
	uint8_t results[3];

	(void)state;
	for (int plain = 0; plain < 2; plain++) {
		const struct regex_scan *scan = regex_scan_new(arena, regex, 0, 3, plain);

		memset(results, 0, sizeof(results));
		regex_scan_piece(
		    scan, slice_of("begin the end"), REGEX_CUT_BEFORE | REGEX_CUT_BEHIND, results);
		assert_int_equal(results[1] | results[2], REGEX_NO);
		regex_scan_piece(scan, slice_of("begin the end"), REGEX_CUT_BEHIND, results);
		assert_int_equal(results[1], REGEX_YES);
		assert_int_equal(results[2], REGEX_NO);
	}
	arena_free(arena);
}

/* One after the other is cut short, and then no more are asked. */
static void
test_limits(void **state)
{
	enum { MANY = REGEX_SCAN_LIMITS + 5 };
	const char *all[MANY];
	uint8_t results[MANY] = { 0 };
	char text[40];
	struct arena *arena = arena_new(SIZE_MAX);

	(void)state;
	memset(text, 'a', sizeof(text));
	for (size_t i = 0; i < MANY; i++)
		all[i] = i + 1 < MANY ? "^(a+a?)+$(?<!a)" : "a";
	const struct regex_scan *scan =
	    regex_scan_new(arena, set_of(arena, all, MANY), 0, MANY, true);

	assert_int_equal(
	    regex_scan_piece(scan, (struct slice) { text, sizeof(text) }, 0, results), MANY);
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(results[i], REGEX_LIMIT);
	arena_free(arena);
}

/* Letters of a newer Unicode than that of Vectorscan, for other cases of older ones. */
static void
test_newer_letters(void **state)
{
	static const char *const newer[] = { "\\x{432}\\x{43e}\\x{434}\\x{430}", "в[а-я]да",
		"\\x{10d0}", "\\p{L}{3}", "\\x{13a0}", "ascii" };
	static const char *const seen[] = { "вода", "\u1c80\u1c82\u1c81а", "В\u1c82да", "\u1c90",
		"\uab70", "\U0001e900\U00010c80\uab70", "\u1c80scii", "ASCII\u1c80" };
	enum { COUNT = sizeof(newer) / sizeof(newer[0]) };
	struct arena *arena = arena_new(SIZE_MAX);
	const struct regex *regex = set_of(arena, newer, COUNT);
	const struct regex_scan *plain = regex_scan_new(arena, regex, 0, COUNT, true);
	const struct regex_scan *quick = regex_scan_new(arena, regex, 0, COUNT, false);

	(void)state;
	for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++) {
		uint8_t expected[COUNT] = { 0 }, results[COUNT] = { 0 };

		assert_true(regex_scan_piece(plain, slice_of(seen[i]), 0, expected) > 0);
		regex_scan_piece(quick, slice_of(seen[i]), 0, results);
		assert_memory_equal(results, expected, COUNT);
	}
	arena_free(arena);
}

/* Not cut short, but slow: it runs to the end of the text from every place in it. */
static void
test_slow(void **state)
{
	static const char *const slow[] = { "(.)\\1.*(?:b|c|\\d)(?=x)y", "a+1y" };
	struct arena *arena = arena_new(SIZE_MAX);
	const struct regex *regex = set_of(arena, slow, 2);
	struct slice text = { memset(arena_alloc(arena, 12288), 'a', 12288), 12288 };

	(void)state;
	memcpy((char *)text.data + text.length - 3, "1y ", 3);
	assert_int_equal(regex_match(regex, 0, text), REGEX_NO);
	for (int plain = 0; plain < 2; plain++) {
		const struct regex_scan *scan = regex_scan_new(arena, regex, 0, 2, plain);
		uint8_t results[2] = { 0 };

		assert_int_equal(regex_scan_piece(scan, text, 0, results), 2);
		assert_int_equal(results[0], REGEX_LIMIT);
		assert_int_equal(results[1], REGEX_YES);
		assert_int_equal(regex_scan_piece(scan, text, 0, results), 0);
	}
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slow),
		cmocka_unit_test(test_newer_letters),
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_range),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests_name("regex_scan", tests, NULL, NULL);
}
