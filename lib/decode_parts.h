/*
 * decode_parts: the encodings, one by one.
 *
 * A part of lib/decode, which see.
 */
#pragma once

#include "lib/decode.h"

size_t decode_quoted(struct decode *decode, struct slice input, char *out);
size_t decode_quoted_end(struct decode *decode, char *out);
size_t decode_uu(struct decode *decode, struct slice input, char *out);
size_t decode_uu_end(struct decode *decode, char *out);
