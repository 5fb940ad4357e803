/*
 * explain_text: what kind of line ends a file has, and that it comes out as it would be sent,
 * wherever the pieces are cut.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "proxy/explain_text.h"

static const char *
write_file(const char *data, size_t length)
{
	static char path[] = "/tmp/test_explain_text.XXXXXX";

	memcpy(strrchr(path, '.'), ".XXXXXX", 7);
	int file = mkstemp(path);

	assert_true(file >= 0);
	assert_int_equal(write(file, data, length), length);
	close(file);
	return path;
}

/* All of it, then nothing any more. */
static void
read_all(struct explain_text *text, struct buf *out)
{
	struct slice piece;

	while ((piece = explain_text_next(text)).length > 0)
		assert_true(buf_append(out, piece));
	assert_int_equal(explain_text_next(text).length, 0);
}

static void
assert_sent(const char *file, size_t length, const char *sent, size_t sent_length, bool is_unix)
{
	struct arena *arena = arena_new(1 << 20);
	struct buf out = { .limit = 1 << 20 };
	const char *path = write_file(file, length), *why;
	struct explain_text *text = explain_text_open(arena, path, &why);

	assert_non_null(text);
	assert_null(why);
	assert_int_equal(text->size, length);
	assert_int_equal(explain_text_is_unix(text), is_unix);
	read_all(text, &out);
	assert_int_equal(out.length, sent_length);
	if (sent_length > 0)
		assert_memory_equal(out.data, sent, sent_length);
	buf_free(&out);
	arena_free(arena);
	unlink(path);
}

static void
test_line_ends(void **state)
{
	static const struct {
		const char *file, *sent;
		bool is_unix;
	} rows[] = {
		{ "", "", false },
		{ "a", "a\r\n", false },
		{ "\n", "\r\n", true },
		{ "a\nb\n", "a\r\nb\r\n", true },
		{ "a\nb", "a\r\nb\r\n", true },
		{ "\n\n.\n", "\r\n\r\n.\r\n", true },
		{ "a\r\nb\r\n", "a\r\nb\r\n", false },
		{ "a\r\nb", "a\r\nb\r\n", false },
		{ "a\r\nb\n", "a\r\nb\n", false },
		{ "a\nb\r\n", "a\nb\r\n", false },
		{ "a\nb\rc\n", "a\nb\rc\n", false },
		{ "\ra\n", "\ra\n", false },
		{ "a\n\r", "a\n\r\r\n", false },
		{ "a\r\r\n", "a\r\r\n", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_sent(rows[i].file, strlen(rows[i].file), rows[i].sent, strlen(rows[i].sent),
		    rows[i].is_unix);
	assert_sent("a\0\nb", 4, "a\0\r\nb\r\n", 7, true);
}

/* A line end at each place around the end of a piece. */
static void
test_cut(void **state)
{
	enum { PIECE = sizeof(((struct explain_text *)0)->piece), MOST = 3 * PIECE };
	char *file = malloc(MOST), *sent = malloc(MOST + 2);

	(void)state;
	for (size_t at = PIECE - 3; at < PIECE + 3; at++) {
		memset(file, 'x', MOST);
		memset(sent, 'x', MOST + 2);
		file[at] = '\n';
		file[MOST - 1] = '\n';
		memcpy(sent + at, "\r\n", 2);
		memcpy(sent + MOST, "\r\n", 2);
		assert_sent(file, MOST, sent, MOST + 2, true);
		memcpy(file + at, "\r\n", 2);
		memcpy(file + MOST - 2, "\r\n", 2);
		assert_sent(file, MOST, file, MOST, false);
	}
	memset(file, '\n', MOST);
	for (size_t i = 0; i < PIECE; i++)
		memcpy(sent + 2 * i, "\r\n", 2);
	assert_sent(file, PIECE, sent, 2 * PIECE, true);
	free(file);
	free(sent);
}

static void
test_pipe(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	struct buf out = { .limit = 1 << 20 };
	int ends[2], before = dup(STDIN_FILENO);
	const char *why;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "a\nb\n", 4), 4);
	close(ends[1]);
	dup2(ends[0], STDIN_FILENO);
	close(ends[0]);
	struct explain_text *text = explain_text_open(arena, "-", &why);

	dup2(before, STDIN_FILENO);
	close(before);
	assert_non_null(text);
	assert_true(explain_text_is_unix(text));
	read_all(text, &out);
	assert_int_equal(out.length, 6);
	assert_memory_equal(out.data, "a\r\nb\r\n", 6);
	buf_free(&out);
	arena_free(arena);
}

static void
test_unreadable(void **state)
{
	static const char *const paths[] = { "/nonexistent/a.eml", "/", "" };
	struct arena *arena = arena_new(1 << 20);

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		const char *why = NULL;

		assert_null(explain_text_open(arena, paths[i], &why));
		assert_non_null(why);
	}
	arena_free(arena);
}

static void
test_too_long(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	const char *path = write_file("a", 1), *why = NULL;

	(void)state;
	assert_int_equal(truncate(path, EXPLAIN_TEXT_MOST + 1), 0); /* a hole */
	assert_null(explain_text_open(arena, path, &why));
	assert_string_equal(why, "more than 256 MiB");
	arena_free(arena);
	unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line_ends),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_pipe),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_too_long),
	};

	return cmocka_run_group_tests_name("explain_text", tests, NULL, NULL);
}
