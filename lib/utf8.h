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
