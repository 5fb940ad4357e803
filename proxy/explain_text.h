/*
 * explain_text: the message in a file, read in pieces as it would be sent.
 *
 * The file is gone through once when it is opened, to see its size and its line ends: those
 * of a plain Unix file become CRLF, any other file stays as it is. What is no regular file (a
 * pipe) is first copied into a file without a name. The last line gets an end, as in a
 * session, if it has none.
 */
#pragma once

#include <stdint.h>

#include "lib/arena.h"

enum { EXPLAIN_TEXT_MOST = 256 * 1024 * 1024 };

struct explain_text {
	int file;
	uint64_t size; /* of the file */
	char last;     /* its last byte */
	bool has_crlf, has_bare_lf, has_bare_cr;
	bool has_ended;
	char piece[32 * 1024], room[64 * 1024];
};

/* NULL: *why says why not. Closed with the arena. path: "-" is the standard input. */
struct explain_text *explain_text_open(struct arena *arena, const char *path, const char **why);

bool explain_text_is_unix(const struct explain_text *text); /* all its lines end with LF */

/* The next piece, borrowed until the next call; empty: the end. */
struct slice explain_text_next(struct explain_text *text);
