/*
 * utf7: UTF-7 (RFC 2152) into UTF-8, byte by byte.
 *
 * The C library's keeps half a character in its state when it meets a wrong one, and says something
 * else for each cut of the input. What is wrong becomes U+FFFD: a half of a pair of surrogates
 * alone, a byte beyond ASCII.
 */
#pragma once

#include <stdint.h>

#include "lib/utf8.h"

enum { UTF7_MOST = 2 * UTF8_MOST };

/* All zero to begin with. */
struct utf7 {
	bool is_shifted; /* within + ... - */
	bool is_empty;   /* and nothing has come there yet */
	uint32_t bits;   /* of the next unit of UTF-16 */
	unsigned count;  /* how many */
	uint16_t high;   /* the first half of a pair; 0: none */
};

/* What the next byte brings; *is_broken is set if something was wrong. */
size_t utf7_read(struct utf7 *utf7, uint8_t byte, char out[UTF7_MOST], bool *is_broken);

/* The text is over: what is left. */
size_t utf7_end(struct utf7 *utf7, char out[UTF7_MOST], bool *is_broken);
