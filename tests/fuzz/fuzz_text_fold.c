/*
 * Text as regular expressions see it. The first octet says how the text is cut, and whether lines
 * are kept; the pieces must be the same as of the whole, valid UTF-8, and within their bounds.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/text_fold.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What has come out: a sum over the pieces, and the end of the last one. */
struct seen {
	uint64_t sum;
	size_t count, length;
	char last[TEXT_FOLD_PIECE];
};

static void
seen_add(struct seen *seen, const void *bytes, size_t length)
{
	const uint8_t *byte = bytes;

	for (size_t i = 0; i < length; i++)
		seen->sum = (seen->sum ^ byte[i]) * UINT64_C(1099511628211) + 1;
}

static void
seen_check(struct slice piece)
{
	assert(piece.length > 0 && piece.length <= TEXT_FOLD_PIECE);
	while (piece.length > 0) {
		size_t length = utf8_read(piece, NULL);

		assert(length > 0);
		piece = (struct slice) { piece.data + length, piece.length - length };
	}
}

/* A piece begins with what the one before ended with, and there is something new in it. */
static void
seen_check_overlap(const struct seen *seen, struct slice piece)
{
	size_t shared = TEXT_FOLD_OVERLAP;

	while (shared < piece.length && shared <= seen->length &&
	    memcmp(seen->last + seen->length - shared, piece.data, shared) != 0)
		shared++;
	assert(shared < piece.length && shared <= seen->length);
}

static void
on_piece(void *arg, struct slice piece, unsigned edges)
{
	struct seen *seen = arg;

	seen_check(piece);
	assert(seen->length > 0 || (edges & REGEX_CUT_BEFORE) == 0);
	if (seen->length > 0)
		seen_check_overlap(seen, piece);
	seen_add(seen, piece.data, piece.length);
	seen_add(seen, &edges, sizeof(edges));
	memcpy(seen->last, piece.data, piece.length);
	seen->length = piece.length;
	seen->count++;
}

/* Twice the same text, as a fold is used for one text after the other. */
static void
fold_text(struct seen *seen, struct slice text, size_t step, bool keeps_lines)
{
	struct text_fold *fold = calloc(1, sizeof(*fold));

	assert(fold != NULL);
	*fold = (struct text_fold) { .sink = on_piece, .arg = seen, .keeps_lines = keeps_lines };
	for (int i = 0; i < 2; i++) {
		for (size_t at = 0; at < text.length; at += step) {
			size_t rest = text.length - at;
			struct slice piece = { text.data + at, rest < step ? rest : step };

			text_fold_feed(fold, piece);
		}
		text_fold_end(fold);
		seen->length = 0;
	}
	free(fold);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct seen whole, cut;

	if (size < 2)
		return 0;
	struct slice text = { (const char *)data + 1, size - 1 };
	bool keeps_lines = data[0] & 1;

	memset(&whole, 0, sizeof(whole));
	memset(&cut, 0, sizeof(cut));
	fold_text(&whole, text, text.length, keeps_lines);
	fold_text(&cut, text, data[0] / 2 % 40 + 1u, keeps_lines);
	assert(whole.sum == cut.sum && whole.count == cut.count);
	return 0;
}
