/*
 * symbols: what a spam filter has found in a message: names, each with a score.
 *
 * Of many the most telling are kept: those whose score is furthest from 0, and of equal ones those
 * that came first. Names are printable and bounded.
 */
#pragma once

#include "lib/slice.h"

enum { SYMBOLS_MOST = 30, SYMBOL_NAME_MOST = 64 };

struct symbol {
	double score;
	char name[SYMBOL_NAME_MOST];
};

struct symbols {
	size_t count;
	struct symbol item[SYMBOLS_MOST]; /* the most telling first */
};

/* Is it a number that a spam filter says, and no nonsense? */
bool symbols_is_score(double score);

/* What has no such score is left out. */
void symbols_add(struct symbols *symbols, struct slice name, double score);
