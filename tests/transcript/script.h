/*
 * script: a transcript, read.
 *
 * Lines of words; # begins a comment line; the text stands behind the blanks after the words.
 * What each line means is written in tests/transcripts/README.md.
 *
 * In the text of `>` and `<` stand for bytes: \r \n \t \0 \\ \xHH. A line that is said ends
 * with CRLF, but not if its last character is a lone backslash.
 */
#pragma once

#include <stdio.h>

#include "lib/dns_fake.h"
#include "rules/config.h"

enum { SCRIPT_ROWS = 32 };

enum script_kind {
	SCRIPT_CLIENT, /* text: its address */
	SCRIPT_FRONT_SAYS,
	SCRIPT_FRONT_HEARS,
	SCRIPT_FRONT_CLOSES,
	SCRIPT_FRONT_GONE,
	SCRIPT_FRONT_DEAF,
	SCRIPT_FRONT_HEEDS,
	SCRIPT_BACK_SAYS,
	SCRIPT_BACK_HEARS,
	SCRIPT_BACK_CLOSES,
	SCRIPT_BACK_GONE,
	SCRIPT_BACK_REFUSES,
	SCRIPT_BACK_DEAF,
	SCRIPT_BACK_HEEDS,
	SCRIPT_TIME,
	SCRIPT_RECORD, /* text: KEY=VALUE, or none */
	SCRIPT_WORKER_ENDS
};

struct script_line {
	struct script_line *next;
	unsigned number; /* in the file */
	enum script_kind kind;
	struct slice text; /* to be said, with its CRLF; a pattern to be heard, without */
	unsigned times;    /* it is said */
	double seconds;    /* SCRIPT_TIME */
};

struct script {
	const char *path;
	bool is_only_as_written, is_not_at_once;
	const struct config *config;
	struct dns_row rows[SCRIPT_ROWS + 1]; /* ends with a name NULL */
	bool is_never[SCRIPT_ROWS];           /* this row's answer never comes */
	struct script_line *lines;
};

/* NULL: it is not written as it should be, and why has been printed to `complaints`. */
struct script *script_read(struct arena *arena, const char *path, FILE *complaints);

/* `...` in the pattern stands for any text. */
bool script_matches(struct slice pattern, struct slice text);
