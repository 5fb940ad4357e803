/*
 * text_fold: text as regular expressions want to see it, in pieces that overlap.
 *
 * Blanks of any kind become one blank, and so does the end of a line; an empty line ends a
 * paragraph, with LF. So words are found whatever the width of the lines. Characters that nobody
 * sees (soft hyphens, those of no width, marks of direction and the like) are left out. What is no
 * UTF-8 becomes U+FFFD. With keeps_lines only line ends become LF, and other control characters
 * blanks.
 *
 * The text comes out in pieces of up to TEXT_FOLD_PIECE bytes, which are cut where a paragraph or a
 * word ends, if any does. Each begins with the last TEXT_FOLD_OVERLAP bytes of the one before, and up
 * to as many more, so that it begins with a word: whatever is no longer than that is whole in one of
 * them. edges says whether a piece was cut within a paragraph. Where pieces are cut depends on the
 * text, and not on how it came in.
 */
#pragma once

#include <stdint.h>

#include "lib/regex.h"
#include "lib/utf8.h"

enum { TEXT_FOLD_PIECE = 8192, TEXT_FOLD_OVERLAP = 1024 };

/* edges: of enum regex_edge (lib/regex.h). */
typedef void (*text_fold_sink)(void *arg, struct slice piece, unsigned edges);

/* The first three are the owner's; the rest is zero to begin with. */
struct text_fold {
	text_fold_sink sink;
	void *arg;
	bool keeps_lines;

	size_t length, fresh; /* of the piece at hand; where it is new */
	unsigned edges;
	bool has_blank, had_cr; /* held: a blank, or */
	unsigned newlines;      /* so many line ends */
	char cut[UTF8_MOST];    /* a character that is not whole yet */
	size_t cut_length;
	char piece[TEXT_FOLD_PIECE];
};

void text_fold_feed(struct text_fold *fold, struct slice text);
void text_fold_end(struct text_fold *fold); /* of the text; ready for another one */
