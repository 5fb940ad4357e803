/*
 * encoded_word: what header fields say in encoded words (RFC 2047; language tags by RFC 2231 5).
 *
 * Blanks between two words vanish. Words that follow each other in the same charset are joined
 * before they are converted, as a character may be cut between them. Of more than
 * ENCODED_WORD_MOST the rest stays as it is. Text beside the words may be raw UTF-8 (RFC 6532),
 * or windows-1252.
 */
#pragma once

#include "lib/slice.h"

enum { ENCODED_WORD_MOST = 200, ENCODED_WORD_FIELD = 4096 };

/*
 * value: in one line. Writes UTF-8 without control characters (they become blanks), cut off at
 * room between characters; its length. words: how many there were; may be NULL.
 */
size_t encoded_word_decode(struct slice value, char *out, size_t room, unsigned *words);

/* The same of a field's value as it came, which may be folded; what lies beyond the first
 * ENCODED_WORD_FIELD bytes is not looked at. */
size_t encoded_word_field(struct slice value, char *out, size_t room);
