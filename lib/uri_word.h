/*
 * uri_word: one word of running text; the inside of lib/uri_scan.
 */
#pragma once

#include "lib/uri_scan.h"

struct uri_word {
	struct uri_scan *scan;
	struct slice text;
	bool is_last;           /* nothing of it follows */
	bool ends_in_authority; /* filled: it ended between // and a host */
};

void uri_word_read(struct uri_word *word);

/* With the host at the end of the last line in front of it. */
void uri_word_join(struct uri_word *word);
