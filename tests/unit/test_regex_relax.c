/* Patterns as Vectorscan gets them: what is widened, what is left as it is, and what it never sees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "lib/regex_relax.h"
#include "lib/regex_scan.h"

struct row {
	const char *pattern, *relaxed; /* NULL: none */
};

static void
check_rows(const struct row *rows, size_t count)
{
	struct arena *arena = arena_new(SIZE_MAX);

	for (size_t i = 0; i < count; i++) {
		const char *relaxed = regex_relax(arena, rows[i].pattern);

		print_message("%s\n", rows[i].pattern);
		if (rows[i].relaxed == NULL)
			assert_null(relaxed);
		else
			assert_string_equal(relaxed, rows[i].relaxed);
	}
	arena_free(arena);
}

#define CHECK(rows) check_rows(rows, sizeof(rows) / sizeof((rows)[0]))

static void
test_repeats(void **state)
{
	static const struct row rows[] = {
		{ "", "" },
		{ "abc", "abc" },
		{ "a{3}b{2,5}c{4,}", "a{3}b{2,5}c{4,}" },
		{ "a{0,500}", "a{0,}" },
		{ "a{3,9}?b{9}c{20,}", "a{3,}?b{8,}c{8,}" },
		{ "a{500", "a{500" },
		{ "a{5,00}", "a{5,00}" },
		{ "a{,500}{x}{", "a{,500}{x}{" },
		{ "\\x{456}{0,50}", "\\x{456}{0,}" },
		{ "\\x{", "\\x{" },
		{ "a{0,8}b{8}c{2,}", "a{0,8}b{8}c{2,}" },
		{ "a{9}", "a{8,}" },
		{ "a{2,500}?", "a{2,}?" },
		{ "a{20,}", "a{8,}" },
		{ "(abc){4,40}", "(abc){4,}" },
		{ "a{}b{x}c{,5}d{1,2", "a{}b{x}c{,5}d{1,2" },
		{ "a\\{20}", "a\\{20}" },
		{ "\\Qa{20}\\E{20}", "\\Qa{20}\\E{8,}" },
		{ "\\Qa{20}", "\\Qa{20}" },
		{ "\\x{456}{20}", "\\x{456}{8,}" },
	};

	(void)state;
	CHECK(rows);
}

static void
test_classes(void **state)
{
	static const struct row rows[] = {
		{ "[^>]{0,500}x", "[^>]{0,}x" },
		{ "[a{20}]{20}", "[a{20}]{8,}" },
		{ "[]{20}]", "[]{20}]" },
		{ "[^]{20}]", "[^]{20}]" },
		{ "[\\]{20}]", "[\\]{20}]" },
		{ "[\\c]{20}]", "[\\c]{20}]" },
		{ "\\c[{20}", "\\c[{8,}" },
		{ "[[:alpha:]{20}]{20}", "[[:alpha:]{20}]{8,}" },
		{ "[[:^alpha:]]{20}", "[[:^alpha:]]{8,}" },
		{ "[[:]{20}", "[[:]{8,}" },
		{ "[[:a]{20}:]", "[[:a]{8,}:]" },
		{ "[\\Q]{20}\\E]", "[\\Q]{20}\\E]" },
		{ "[a", "[a" },
		{ "a\\", "a\\" },
	};

	(void)state;
	CHECK(rows);
}

/* Large things are not unrolled, and what is large all the same is left to PCRE2. */
static void
test_sizes(void **state)
{
	static const struct row rows[] = {
		{ "(\\d{1,3}\\.){3}\\d{1,3}", "(\\d{1,3}\\.){3}\\d{1,3}" },
		{ "(\\w{8}){8}", "(\\w{8}){8}" },
		{ "((\\w{8}){8}){8}", "((\\w{8}){8}){1,}" },
		{ "((a{8}){8}){8}", "((a{8}){8}){8}" },
		{ "(((a{8}){8}){8}){8}", "(((a{8}){8}){8}){1,}" },
		{ "(.{0,8}b){0,8}", "(.{0,8}b){0,}" },
		{ "(.{0,80}b){2}", "(.{0,}b){2}" },
	};
	char *long_one = calloc(1, 4097), *large = calloc(1, 4097);

	(void)state;
	CHECK(rows);
	memset(long_one, 'a', 4096);
	for (size_t i = 0; i < 4090; i += 6)
		memcpy(large + i, ".{0,8}", 6);
	CHECK(((const struct row[]) { { long_one, long_one }, { large, NULL } }));
	free(long_one);
	free(large);
}

static void
test_none(void **state)
{
	static const struct row rows[] = {
		{ "a(?!b)", "a(?!b)" },
		{ "(?!a{0,5})b", "(?!a{0,5})b" },
		{ "(?!a{0,50})b", NULL },
		{ "a{9}(?!b)", NULL },
		{ "(?<!b)a{9}", NULL },
		{ "(?>a{9})", NULL },
		{ "a{9}+", NULL },
		{ "\\p{L}", NULL },
		{ "[\\PL]", NULL },
		{ "\\\\p{20}", "\\\\p{8,}" },
		{ "\\X", NULL },
		{ "(*UCP)\\w", NULL },
		{ "(?#[)[]{20}]", NULL },
		{ "(?x) a # [\n", NULL },
		{ "(?i-s:x)", "(?i-s:x)" },
		{ "(?sx:a)", NULL },
		{ "(?<x>a)", "(?<x>a)" },
	};
	char deep[400] = "";

	(void)state;
	CHECK(rows);
	memset(deep, '(', 150);
	memset(deep + 150, ')', 150);
	CHECK(((const struct row[]) { { deep, NULL } }));
}

/* Patterns that Vectorscan works on for half a minute and more, as they are. */
static void
test_time(void **state)
{
	static const char *const patterns[] = { "(((.{0,8}b){8}){8}){8}",
		"((([a-z].{0,8}){8}){8}){8}", "((\\p{L}{0,8}b){8}){8}", "(((\\w{8}){8}){8}){8}",
		"((\\p{L}{0,8}\\p{N}){8}){8}", ".{0,500}b.{0,500}c" };
	struct arena *arena = arena_new(SIZE_MAX);
	clock_t before = clock();

	(void)state;
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		struct regex *set = regex_new(arena);
		struct regex_fault fault;

		assert_true(regex_add(set, slice_of(patterns[i]), "a:1",
		    REGEX_CASELESS | REGEX_LINES | REGEX_CLEAN, &fault));
		assert_non_null(regex_scan_new(arena, set, 0, 1, false));
	}
	assert_true((clock() - before) / CLOCKS_PER_SEC < 20);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_repeats),
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
