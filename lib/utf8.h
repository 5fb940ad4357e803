/*
 * utf8: where characters begin and end (RFC 3629).
 *
 * No overlong forms, no surrogates, nothing above U+10FFFF.
 */
#pragma once

#include <stdint.h>

#include "lib/slice.h"

/* The length, 1 ... 4, of the character text begins with, which goes to *code (may be NULL);
 * 0: text is empty, cut within a character, or its first byte begins none. */
size_t utf8_read(struct slice text, uint32_t *code);

/* How many bytes at its beginning are ASCII. */
size_t utf8_ascii(struct slice text);

enum { UTF8_MOST = 4 };

/* The character's bytes; how many there are. What is no character (0, a surrogate, beyond
 * U+10FFFF) is written as U+FFFD. */
size_t utf8_write(char out[UTF8_MOST], uint32_t code);
