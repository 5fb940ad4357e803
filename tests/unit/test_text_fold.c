/*
 * text_fold: what blanks, line ends, unseen and broken characters become; pieces that are cut at
 * words and overlap; and the same however the text comes in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "lib/text_fold.h"

/* All pieces, each with its edges: "(0)text" ... */
struct told {
	struct arena *arena;
	const char *all;
	size_t count, longest;
};

static void
on_piece(void *arg, struct slice piece, unsigned edges)
{
	struct told *told = arg;

	told->all = arena_format(
	    told->arena, "%s(%u)%.*s", told->all, edges, (int)piece.length, piece.data);
	told->count++;
	if (piece.length > told->longest)
		told->longest = piece.length;
}

static struct told
fold(struct arena *arena, struct slice text, size_t step, bool keeps_lines)
{
	struct text_fold *fold = arena_alloc(arena, sizeof(*fold));
	struct told told = { arena, "", 0, 0 };

	fold->sink = on_piece;
	fold->arg = &told;
	fold->keeps_lines = keeps_lines;
	for (int twice = 0; twice < 2; twice++) { /* it is good for another text */
		told.all = "";
		for (size_t at = 0; at < text.length; at += step) {
			size_t rest = text.length - at;

			text_fold_feed(
			    fold, (struct slice) { text.data + at, rest < step ? rest : step });
		}
		text_fold_end(fold);
	}
	return told;
}

static void
check(struct slice text, bool keeps_lines, const char *expected)
{
	static const size_t steps[] = { 1, 2, 3, 7, 4096 };

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct arena *arena = arena_new(SIZE_MAX);

		assert_string_equal(fold(arena, text, steps[i], keeps_lines).all, expected);
		arena_free(arena);
	}
}

static void
test_blanks(void **state)
{
	(void)state;
	check(slice_of(""), false, "");
	check(slice_of(" \r\n\t"), false, "");
	check(slice_of("a"), false, "(0)a");
	check(slice_of("  a \t b\r\nc\nd  "), false, "(0)a b c d");
	check(slice_of("a\r\n\r\nb\n \n\n c"), false, "(0)a\nb\nc");
	check(slice_of("a\rb\r\rc"), false, "(0)a b\nc");
	check(slice_of("a\xc2\xa0\xe3\x80\x80"
		       "b\x7f"
		       "c"),
	    false, "(0)a b c");
	check((struct slice) { "a\0b", 3 }, false, "(0)a b");
}

static void
test_unseen(void **state)
{
	(void)state;
	check(slice_of("pa\xc2\xadss\xe2\x80\x8bw\xef\xbb\xbford"), false, "(0)password");
	check(slice_of("\xe2\x80\x8b"), false, "");
	check(slice_of("x\xf3\xa0\x80\x81y"), false, "(0)xy");
	check(slice_of("pa\xc2\xadss"), true, "(0)pa\xc2\xadss");
}

static void
test_broken(void **state)
{
	(void)state;
	check(slice_of("a\xff"
		       "b"),
	    false,
	    "(0)a\xef\xbf\xbd"
	    "b");
	check(slice_of("a\xe2\x82"
		       "b\xc3\xa4"),
	    false,
	    "(0)a\xef\xbf\xbd"
	    "b\xc3\xa4");
	check(slice_of("\xc0\xaf\xed\xa0\x80"), false, "(0)\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	check(slice_of("\xe2\xe2\x82\xac"), false, "(0)\xef\xbf\xbd\xe2\x82\xac");
	check(slice_of("a\xe2\x82"), false, "(0)a\xef\xbf\xbd");
}

static void
test_lines(void **state)
{
	(void)state;
	check(slice_of("a  b\r\nc\rd\n\ne"), true, "(0)a  b\nc\nd\n\ne");
	check(slice_of("a\tb"), true, "(0)a b");
}

/* Pieces end with words; what is no longer than the overlap is whole in one of them. */
static void
test_pieces(void **state)
{
	enum { WORDS = 4000 };
	struct arena *arena = arena_new(SIZE_MAX);
	struct buf *text = buf_new(arena, SIZE_MAX / 4);
	char word[32];

	(void)state;
	for (unsigned i = 0; i < WORDS; i++)
		buf_print(text, "word%u%s", i, i % 97 == 96 ? "\n\n" : " ");
	struct told whole = fold(arena, buf_slice(text), SIZE_MAX / 2, false);

	assert_true(
	    whole.longest <= TEXT_FOLD_PIECE && whole.count >= text->length / TEXT_FOLD_PIECE);
	for (size_t step = 1; step < 10000; step += 1999)
		assert_string_equal(fold(arena, buf_slice(text), step, false).all, whole.all);
	for (unsigned i = 0; i + 1 < WORDS; i++) {
		snprintf(word, sizeof(word), "word%u%cword%u", i, i % 97 == 96 ? '\n' : ' ', i + 1);
		assert_non_null(strstr(whole.all, word));
	}
	assert_null(strstr(whole.all, "wor("));
	arena_free(arena);
}

/* Without a blank anywhere it is cut between characters. */
static void
test_no_blank(void **state)
{
	struct arena *arena = arena_new(SIZE_MAX);
	struct buf *text = buf_new(arena, SIZE_MAX / 4);

	(void)state;
	buf_append_byte(text, 'x');
	for (int i = 0; i < 20000; i++)
		buf_append(text, slice_of("\xe2\x82\xac"));
	struct told told = fold(arena, buf_slice(text), 5, false);

	assert_true(told.count > 60000 / TEXT_FOLD_PIECE && told.longest <= TEXT_FOLD_PIECE);
	assert_null(strstr(told.all, "\xef\xbf\xbd"));
	assert_memory_equal(told.all, "(2)x\xe2\x82\xac", 7);
	assert_string_equal(fold(arena, buf_slice(text), 70000, false).all, told.all);
	arena_free(arena);
}

/* What is looked for, and whether it was whole in a piece. */
struct wanted {
	const char *text;
	bool is_seen;
};

static void
on_wanted(void *arg, struct slice piece, unsigned edges)
{
	struct wanted *wanted = arg;

	(void)edges;
	wanted->is_seen = wanted->is_seen ||
	    memmem(piece.data, piece.length, wanted->text, strlen(wanted->text)) != NULL;
}

/* Wherever it stands, what is no longer than the overlap is whole in a piece: also if it begins
 * within a word that is longer than that. */
static void
test_whole(void **state)
{
	struct arena *arena = arena_new(SIZE_MAX);
	const char *rest = arena_format(arena, "<input name=%0500d type=password>", 0);
	const char *text = arena_format(arena, "%03000d%s", 0, rest);
	char *filler = arena_alloc(arena, TEXT_FOLD_PIECE + 1);

	(void)state;
	assert_true(strlen(rest) <= TEXT_FOLD_OVERLAP);
	for (size_t length = 0; length < TEXT_FOLD_PIECE; length += 7) {
		struct text_fold *fold = arena_alloc(arena, sizeof(*fold));
		struct wanted wanted = { rest, false };

		fold->sink = on_wanted;
		fold->arg = &wanted;
		fold->keeps_lines = length % 2 == 1;
		memset(filler, ' ', length);
		for (size_t i = 0; i < length; i += 2)
			filler[i] = 'x';
		text_fold_feed(fold, (struct slice) { filler, length });
		text_fold_feed(fold, slice_of(text));
		text_fold_end(fold);
		if (!wanted.is_seen)
			fail_msg("not whole behind %zu bytes", length);
	}
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blanks),
		cmocka_unit_test(test_unseen),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_no_blank),
		cmocka_unit_test(test_whole),
	};

	return cmocka_run_group_tests_name("text_fold", tests, NULL, NULL);
}
