#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/reply.h"

enum { LIMIT = 1024 * 1024 };

struct outcome {
	enum reply_result result;
	struct reply_reader reader;
	size_t used;
};

/* Feeds text in pieces of size octets (0: at once), as an input buffer would grow. */
static struct outcome
feed(struct arena *arena, struct slice text, size_t size)
{
	struct outcome outcome = { .used = 0 };

	reply_reader_init(&outcome.reader, arena);
	for (size_t come = 0; come < text.length && outcome.result == REPLY_NEED_MORE;) {
		size_t used;

		come = size == 0 || come + size > text.length ? text.length : come + size;
		size_t length = come - outcome.used;
		char *input = malloc(length > 0 ? length : 1);

		memcpy(input, text.data + outcome.used, length);
		outcome.result =
		    reply_read(&outcome.reader, (struct slice) { input, length }, &used);
		outcome.used += used;
		free(input);
	}
	return outcome;
}

static void
assert_same(const struct outcome *a, const struct outcome *b)
{
	assert_int_equal(a->result, b->result);
	if (a->result == REPLY_BAD)
		assert_string_equal(a->reader.why_bad, b->reader.why_bad);
	if (a->result != REPLY_DONE)
		return;
	assert_int_equal(a->used, b->used);
	assert_int_equal(a->reader.reply.code, b->reader.reply.code);
	assert_int_equal(a->reader.reply.count, b->reader.reply.count);
	for (size_t i = 0; i < a->reader.reply.count; i++)
		assert_true(slice_equals(a->reader.reply.lines[i], b->reader.reply.lines[i]));
}

/* want: the formatted reply; NULL: bad; "": needs more. */
static void
check(struct slice text, const char *want, size_t left)
{
	struct arena *arena = arena_new(LIMIT);
	struct outcome whole = feed(arena, text, 0);

	if (want == NULL) {
		assert_int_equal(whole.result, REPLY_BAD);
		assert_non_null(whole.reader.why_bad);
	} else if (want[0] == '\0') {
		assert_int_equal(whole.result, REPLY_NEED_MORE);
	} else {
		assert_int_equal(whole.result, REPLY_DONE);
		assert_int_equal(text.length - whole.used, left);
		struct slice got = reply_format(arena, &whole.reader.reply);

		if (!slice_equals(got, slice_of(want)))
			fail_msg("%.*s", (int)got.length, got.data);
	}
	for (size_t size = 1; size < text.length; size = size < 40 ? size + 1 : size * 2) {
		struct outcome pieces = feed(arena, text, size);

		assert_same(&whole, &pieces);
	}
	arena_free(arena);
}

static void
test_read(void **state)
{
	static const struct {
		const char *text, *want;
		size_t left;
	} rows[] = {
		{ "250 2.0.0 ok\r\n", "250 2.0.0 ok\r\n", 0 },
		{ "354-one\r\n354-two\r\n354 three\r\n", "354-one\r\n354-two\r\n354 three\r\n", 0 },
		{ "250\r\n", "250 \r\n", 0 },
		{ "250-\r\n250\r\n", "250-\r\n250 \r\n", 0 },
		{ "250 ok\n", "250 ok\r\n", 0 },
		{ "250 ok\r\n250 extra\r\n", "250 ok\r\n", 11 },
		{ "354 go\r\n250 early\r\n", "354 go\r\n", 11 },
		{ "550 5.1.1 no\r250 yes\r\n", "550 5.1.1 no?250 yes\r\n", 0 },
		{ "550 a\tb\x01"
		  "c\x7f\r\n",
		    "550 a\tb?c?\r\n", 0 },
		{ "550 n\xfc\r\n", "550 n\xfc\r\n", 0 },
		{ "250 ok\r\r\n", "250 ok?\r\n", 0 },
		{ "299 x\r\n", "299 x\r\n", 0 },
		{ "", "", 0 },
		{ "250 2.", "", 0 },
		{ "250 ok\r", "", 0 },
		{ "250-ok\r\n", "", 0 },
		{ "\r\n354 ok\r\n", NULL, 0 },
		{ "welcome to the machine\r\n", NULL, 0 },
		{ "25 ok\r\n", NULL, 0 },
		{ "2500 ok\r\n", NULL, 0 },
		{ "150 wait\r\n", NULL, 0 },
		{ "650 what\r\n", NULL, 0 },
		{ "050 what\r\n", NULL, 0 },
		{ "2a0 what\r\n", NULL, 0 },
		{ "250\tok\r\n", NULL, 0 },
		{ " 250 ok\r\n", NULL, 0 },
		{ "250\r250 ok\r\n", NULL, 0 },
		{ "250-one\r\n550 two\r\n", NULL, 0 },
		{ "250-one\r\n251 two\r\n", NULL, 0 },
		{ "250-one\r\nnone\r\n", NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(slice_of(rows[i].text), rows[i].want, rows[i].left);
	check((struct slice) { "250 o\0k\r\n", 9 }, "250 o?k\r\n", 0);
}

/* "250 " or "250-", count times x, CRLF. */
static char *
put_line(char *end, char sign, size_t count)
{
	end += sprintf(end, "250%c", sign);
	end = (char *)memset(end, 'x', count) + count;
	return stpcpy(end, "\r\n");
}

static void
test_limits(void **state)
{
	struct arena *arena = arena_new(LIMIT);
	char *text = malloc(200 * 1024), *end;
	struct outcome outcome;

	(void)state;
	for (size_t count = 2030; count < 2060; count++) {
		end = put_line(text, ' ', count);
		struct slice input = { text, (size_t)(end - text) };

		outcome = feed(arena, input, 0);
		assert_int_equal(outcome.result, REPLY_DONE);
		assert_int_equal(outcome.used, input.length);
		assert_int_equal(outcome.reader.reply.lines[0].length, count < 2044 ? count : 2044);
		struct outcome bytes = feed(arena, input, 1);

		assert_same(&outcome, &bytes);
	}
	end = put_line(text, ' ', 60000);
	memcpy(end, "250 next\r\n", 10);
	outcome = feed(arena, (struct slice) { text, (size_t)(end - text) + 10 }, 100);
	assert_int_equal(outcome.result, REPLY_DONE);
	assert_int_equal(outcome.used, end - text);
	end = put_line(text, '-', 60000);
	end = put_line(end, ' ', 5);
	outcome = feed(arena, (struct slice) { text, (size_t)(end - text) }, 1000);
	assert_int_equal(outcome.result, REPLY_DONE);
	assert_int_equal(outcome.reader.reply.count, 2);
	end = put_line(text, ' ', REPLY_MOST);
	check((struct slice) { text, (size_t)(end - text) }, NULL, 0);
	free(text);
	arena_free(arena);
}

static void
test_many_lines(void **state)
{
	struct arena *arena = arena_new(LIMIT);
	char *text = malloc(200 * 1024), *end = text;

	(void)state;
	for (int i = 0; i < 99; i++)
		end = put_line(end, '-', 3);
	char *last = end;

	end = put_line(last, ' ', 3);
	struct outcome outcome = feed(arena, (struct slice) { text, (size_t)(end - text) }, 0);

	assert_int_equal(outcome.result, REPLY_DONE);
	assert_int_equal(outcome.reader.reply.count, 100);
	end = put_line(last, '-', 3);
	end = put_line(end, ' ', 3);
	check((struct slice) { text, (size_t)(end - text) }, NULL, 0);
	end = text;
	for (int i = 0; i < 40; i++)
		end = put_line(end, '-', 2000);
	check((struct slice) { text, (size_t)(end - text) }, NULL, 0);
	free(text);
	arena_free(arena);
}

/* Each line within 512 octets, the same code, the enhanced code again; joined it is the text. */
static void
check_wrapped(struct arena *arena, struct slice text, const char *enhanced, bool joins_with_blank)
{
	struct reply reply = { .code = 550, .count = 1, .lines = &text };
	struct slice got = reply_format(arena, &reply);
	char *joined = arena_alloc(arena, text.length + 1000), *end = joined;
	size_t start = 0;

	while (start < got.length) {
		const char *lf = memchr(got.data + start, '\n', got.length - start);
		size_t length = (size_t)(lf - got.data) + 1 - start;
		bool is_last = start + length == got.length;

		assert_true(length <= 512 && length > 6 && lf[-1] == '\r');
		assert_memory_equal(got.data + start, is_last ? "550 " : "550-", 4);
		assert_memory_equal(got.data + start + 4, enhanced, strlen(enhanced));
		size_t skip = 4 + (start > 0 ? strlen(enhanced) : 0);

		if (start > 0 && joins_with_blank)
			*end++ = ' ';
		end = mempcpy(end, got.data + start + skip, length - skip - 2);
		start += length;
	}
	assert_int_equal(end - joined, text.length);
	assert_memory_equal(joined, text.data, text.length);
}

static void
test_wrap(void **state)
{
	struct arena *arena = arena_new(LIMIT);
	char text[2100];

	(void)state;
	for (size_t length = 490; length < 2100; length += 7) {
		memset(text, 't', length);
		check_wrapped(arena, (struct slice) { text, length }, "", false);
		memcpy(text, "5.1.10 ", 7);
		check_wrapped(arena, (struct slice) { text, length }, "5.1.10 ", false);
		for (size_t i = 57; i + 1 < length; i += 50)
			text[i] = ' ';
		if (length > 600)
			check_wrapped(arena, (struct slice) { text, length }, "5.1.10 ", true);
	}
	arena_free(arena);
}

static void
test_wrap_edges(void **state)
{
	struct arena *arena = arena_new(LIMIT);
	char text[1300];
	struct slice line = { text, sizeof(text) };
	struct reply reply = { .code = 250, .count = 1, .lines = &line };

	(void)state;
	memset(text, ' ', sizeof(text));
	assert_true(slice_equals(reply_format(arena, &reply), slice_of("250 \r\n")));
	memset(text, 'a', sizeof(text));
	for (size_t i = 1; i + 1 < sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xbc", 2);
	struct slice got = reply_format(arena, &reply);

	for (size_t i = 0; i + 1 < got.length; i++)
		if (got.data[i] == '\r')
			assert_true(got.data[i - 1] == '\xbc' || got.data[i - 1] == 'a');
	memset(text, '\xbf', sizeof(text));
	assert_true(reply_format(arena, &reply).length > sizeof(text));
	arena_free(arena);
}

static void
test_enhanced(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "5.1.1 no", "5.1.1" },
		{ "5.1.1", "5.1.1" },
		{ "5.123.456 x", "5.123.456" },
		{ "2.1.1 no", "" },
		{ "4.1.1 no", "" },
		{ "5.1.1no", "" },
		{ "5.1 no", "" },
		{ "5.1. no", "" },
		{ "5..1 no", "" },
		{ "5.1234.1 no", "" },
		{ "no 5.1.1", "" },
		{ "", "" },
		{ "5.1.", "" },
	};
	struct arena *arena = arena_new(LIMIT);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice got = reply_enhanced(reply_new(arena, 550, rows[i].text));

		if (!slice_equals(got, slice_of(rows[i].want)))
			fail_msg("%s", rows[i].text);
	}
	arena_free(arena);
}

static void
test_other_code(void **state)
{
	struct arena *arena = arena_new(LIMIT);
	struct reply *reply = reply_new(arena, 552, "5.2.2 over quota");

	(void)state;
	assert_true(
	    slice_equals(reply_format_as(arena, reply, 452), slice_of("452 4.2.2 over quota\r\n")));
	assert_true(slice_equals(reply_format(arena, reply), slice_of("552 5.2.2 over quota\r\n")));
	assert_true(slice_equals(
	    reply_format_as(arena, reply_new(arena, 250, "ok"), 451), slice_of("451 ok\r\n")));
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_many_lines),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_wrap_edges),
		cmocka_unit_test(test_enhanced),
		cmocka_unit_test(test_other_code),
	};

	return cmocka_run_group_tests_name("reply", tests, NULL, NULL);
}
