/*
 * lib/option_value: how times, sizes, numbers and bools are written, and how not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/option.h"
#include "lib/option_value.h"
#include "lib/yaml.h"

struct limits {
	uint32_t sessions;
	struct seconds greeting_time;
	struct bytes message_size;
	bool strict;
	double score;
};

static const struct option limits_options[] = {
	OPTION(limits, sessions, .fallback = "10000", .min = 1, .max = 1000000),
	OPTION(limits, greeting_time, .fallback = "5m", .min = 1, .max = 86400),
	OPTION(limits, message_size, .fallback = "0"),
	OPTION(limits, strict, .fallback = "no"),
	OPTION(limits, score, .fallback = "-2.5", .min = -10, .max = 10),
	{ 0 },
};

/* Whether `key: "text"` is good; the struct is filled in any case. */
static bool
limits_read(struct limits *limits, const char *line)
{
	struct arena *arena = arena_new(SIZE_MAX);
	struct faults faults;
	struct option_reader reader = { .arena = arena, .faults = &faults };

	*limits = (struct limits) { .sessions = 0 };
	faults_init(&faults, arena);

	const struct node *map = yaml_read(arena, "a.yaml", slice_of(line), NULL, &faults);

	assert_non_null(map);

	bool done = option_read(&reader, limits_options, map, limits);

	assert_int_equal(faults.count, done ? 0 : 1);
	arena_free(arena);
	return done;
}

static void
test_times(void **state)
{
	static const struct {
		const char *text;
		double want; /* -1: impossible */
	} rows[] = {
		{ "1s", 1 },
		{ "1500ms", 1.5 },
		{ "1000ms", 1 },
		{ "1m", 60 },
		{ "24h", 86400 },
		{ "1d", 86400 },
		{ "2d", -1 },
		{ "999ms", -1 },
		{ "0", -1 },
		{ "30", -1 },
		{ "30 s", -1 },
		{ " 30s", -1 },
		{ "-30s", -1 },
		{ "+30s", -1 },
		{ "1.5s", -1 },
		{ "s", -1 },
		{ "30S", -1 },
		{ "30sec", -1 },
		{ "1h30m", -1 },
		{ "0x10s", -1 },
		{ "18446744073709551615d", -1 },
		{ "99999999999999999999s", -1 },
		{ "213503982334602d", -1 },
	};
	struct limits limits;
	char text[100];
	bool done;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "greeting_time: \"%s\"", rows[i].text);
		done = limits_read(&limits, text);
		assert_true(done == (rows[i].want >= 0));
		if (done)
			assert_true(limits.greeting_time.value == rows[i].want);
		else /* what is useless is whole, though */
			assert_true(limits.greeting_time.value == 300);
	}
}

static void
test_sizes(void **state)
{
	static const struct {
		const char *text;
		bool is_good;
		uint64_t want;
	} rows[] = {
		{ "0", true, 0 },
		{ "1", true, 1 },
		{ "256K", true, 256 * 1024 },
		{ "3G", true, 3ULL << 30 },
		{ "2T", true, 2ULL << 40 },
		{ "18446744073709551615", true, UINT64_MAX },
		{ "18446744073709551616", false, 0 },
		{ "16777216T", false, 0 },
		{ "25m", false, 0 },
		{ "25MB", false, 0 },
		{ "K", false, 0 },
		{ "1 K", false, 0 },
		{ "-1", false, 0 },
	};
	struct limits limits;
	char text[100];
	bool done;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "message_size: \"%s\"", rows[i].text);
		done = limits_read(&limits, text);
		assert_true(done == rows[i].is_good);
		assert_true(limits.message_size.value == rows[i].want);
	}
}

static void
test_numbers_and_bools(void **state)
{
	static const struct {
		const char *text;
		bool is_good;
	} rows[] = {
		{ "sessions: 1", true },
		{ "sessions: 1000000", true },
		{ "sessions: 0", false },
		{ "sessions: 1000001", false },
		{ "sessions: 4294967297", false },
		{ "sessions: 0755", true },
		{ "sessions: 1.0", false },
		{ "sessions: 1e3", false },
		{ "sessions: 1_000", false },
		{ "score: 10", true },
		{ "score: -10.0", true },
		{ "score: 10.1", false },
		{ "score: 1e1", false },
		{ "score: nan", false },
		{ "score: inf", false },
		{ "score: .5", false },
		{ "score: 5.", false },
		{ "score: \"-\"", false },
		{ "score: 1.0000000000000001", false },
		{ "strict: true", true },
		{ "strict: off", true },
		{ "strict: 1", false },
		{ "strict: y", false },
		{ "strict: [yes]", false },
		{ "strict: {yes: yes}", false },
		{ "strict:", false },
		{ "strict: \"\"", false },
	};
	struct limits limits;
	bool done;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		done = limits_read(&limits, rows[i].text);
		if (done != rows[i].is_good)
			print_error("%s\n", rows[i].text);
		assert_true(done == rows[i].is_good);
	}
}

/* Values out, and in again. */
static void
test_print(void **state)
{
	static const char *const lines[] = {
		"greeting_time: 1s",
		"greeting_time: 61s",
		"greeting_time: 1m",
		"greeting_time: 90m",
		"greeting_time: 1001ms",
		"greeting_time: 1d",
		"message_size: 0",
		"message_size: 1",
		"message_size: 1025",
		"message_size: 3K",
		"message_size: 1025K",
		"message_size: 1G",
		"message_size: 18446744073709551615",
		"sessions: 77",
		"score: 0.1",
		"score: -0.000001",
		"score: 0.30000000000000",
		"score: 10",
		"strict: yes",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char text[200] = "", *line;
		FILE *to = fmemopen(text, sizeof(text), "w");
		struct limits limits, again;

		assert_true(limits_read(&limits, lines[i]));
		option_print_yaml(to, limits_options, &limits, NULL);
		fclose(to);
		line = strstr(text, lines[i]);
		if (i != 16) /* the one with zeros at its end */
			assert_non_null(line);
		assert_true(limits_read(&again, text));
		assert_true(again.sessions == limits.sessions);
		assert_true(again.greeting_time.value == limits.greeting_time.value);
		assert_true(again.message_size.value == limits.message_size.value);
		assert_true(again.strict == limits.strict && again.score == limits.score);
	}
}

static void
expect_words(const struct option *row, const char *want)
{
	char words[200] = "";
	FILE *to = fmemopen(words, sizeof(words), "w");

	option_value_expected(to, row);
	fclose(to);
	assert_string_equal(words, want);
}

static void
test_expected(void **state)
{
	static const char *const one[] = { "one", NULL };
	static const char *const two[] = { "one", "two", NULL };

	(void)state;
	expect_words(&limits_options[0], "a whole number, between 1 and 1000000");
	expect_words(&limits_options[1], "a time such as 30s, 5m, 1h, between 1s and 1d");
	expect_words(&limits_options[2], "a size such as 256K, 25M");
	expect_words(&limits_options[4], "a number, between -10 and 10");
	expect_words(&(struct option) { .kind = OPTION_TIME, .min = 0.5 },
	    "a time such as 30s, 5m, 1h, at least 500ms");
	expect_words(&(struct option) { .kind = OPTION_SIZE, .max = 1 << 20 },
	    "a size such as 256K, 25M, at most 1M");
	expect_words(&(struct option) { .kind = OPTION_CHOICE, .words = one }, "one");
	expect_words(&(struct option) { .kind = OPTION_CHOICE, .words = two }, "one or two");
	expect_words(&(struct option) { .kind = OPTION_TEXT, .min = 1 }, "a text, at least 1 byte");
	expect_words(&(struct option) { .kind = OPTION_TEXTS, .max = 9 },
	    "a text or a list of texts, at most 9 items");
	expect_words(&(struct option) { .kind = OPTION_TEXT, .expected = "a host" }, "a host");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_numbers_and_bools),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_expected),
	};

	return cmocka_run_group_tests_name("option_value", tests, NULL, NULL);
}
