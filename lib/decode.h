/*
 * decode: transfer encodings undone, in pieces of any size (RFC 2045 6).
 *
 * What comes out does not hang on how the input is cut. Wrong input is read as most programs
 * read it, and noted in faults: in base64 what is not of the alphabet is skipped, and data
 * behind padding goes on; in quoted-printable what is no code stays as it is. Of uuencoded text
 * the blocks from "begin" to "end" count (POSIX), all else is dropped.
 *
 * Nothing is allocated; an all-zero struct with its encoding is ready.
 */
#pragma once

#include <stdint.h>

#include "lib/slice.h"

enum decode_encoding { DECODE_NONE, DECODE_BASE64, DECODE_QUOTED, DECODE_UUENCODE };

enum decode_fault {
	DECODE_GARBAGE = 1 << 0, /* base64: outside of the alphabet; quoted: no code behind = */
	DECODE_PADDING = 1 << 1, /* base64: data behind padding */
	DECODE_CUT = 1 << 2,     /* it ends within a group, a code or a block */
	DECODE_LINE = 1 << 3     /* base64: a line of more than 76 characters */
};

enum { DECODE_BLANKS = 256, DECODE_HELD = DECODE_BLANKS + 8 };

struct decode {
	enum decode_encoding encoding;
	unsigned faults; /* enum decode_fault */

	uint32_t bits; /* base64: of the group that is open */
	unsigned count;
	unsigned padding; /* "=" that may still follow */
	bool was_padded;
	size_t line; /* length so far */

	enum decode_state {
		DECODE_TEXT,
		DECODE_CR,        /* quoted: in held, behind blanks */
		DECODE_CODE,      /* = */
		DECODE_CODE_HEX,  /* =4 */
		DECODE_SOFT,      /* = and blanks */
		DECODE_SOFT_CR,   /* = and blanks and CR */
		DECODE_UU_BEFORE, /* uuencode: outside of a block (also DECODE_TEXT) */
		DECODE_UU_DATA
	} state;
	bool had_block;         /* uuencode */
	bool is_long;           /* quoted: in more blanks than are held */
	char held[DECODE_HELD]; /* what is not decided yet; a line of uuencode */
	size_t held_length;
};

/* The encoding of a Content-Transfer-Encoding, in lower case. False: unknown. */
bool decode_find(struct slice name, enum decode_encoding *encoding);

/* Decodes all of the input; how many bytes. out has room for the length of input and DECODE_HELD
 * more. */
size_t decode_feed(struct decode *decode, struct slice input, char *out);

/* The end: out has room for DECODE_HELD. */
size_t decode_end(struct decode *decode, char *out);
