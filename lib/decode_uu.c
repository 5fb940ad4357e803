#include "lib/decode_parts.h"

enum { UU_MOST = 128 };

static size_t
decode_uu_data(const struct decode *decode, char *out)
{
	const char *line = decode->held;
	size_t wanted = (size_t)((line[0] - ' ') & 63), length = 0;

	/* Blanks at the end may have been cut off; but a line gives no more than it is long. */
	for (size_t i = 1; length < wanted && i < decode->held_length; i += 4) {
		uint32_t bits = 0;

		for (size_t k = i; k < i + 4; k++) {
			char digit = k < decode->held_length ? line[k] : ' ';

			bits = bits << 6 | (uint32_t)((digit - ' ') & 63);
		}
		for (int shift = 16; shift >= 0 && length < wanted; shift -= 8)
			out[length++] = (char)(bits >> shift);
	}
	return length;
}

static bool
decode_uu_begins(struct slice line)
{
	size_t i = 6;

	if (line.length < 10 || memcmp(line.data, "begin ", 6) != 0)
		return false;
	while (i < line.length && line.data[i] >= '0' && line.data[i] <= '7')
		i++;
	return i >= 9 && i <= 10 && i < line.length && line.data[i] == ' ';
}

static size_t
decode_uu_line(struct decode *decode, char *out)
{
	struct slice line = { decode->held, decode->held_length };

	if (line.length > 0 && line.data[line.length - 1] == '\r')
		line.length--;
	decode->held_length = line.length;
	if (decode->state != DECODE_UU_DATA) {
		if (decode_uu_begins(line))
			decode->state = DECODE_UU_DATA;
		decode->had_block |= decode->state == DECODE_UU_DATA;
		return 0;
	}
	if (line.length == 3 && memcmp(line.data, "end", 3) == 0) {
		decode->state = DECODE_UU_BEFORE;
		return 0;
	}
	return line.length > 0 ? decode_uu_data(decode, out) : 0;
}

size_t
decode_uu(struct decode *decode, struct slice input, char *out)
{
	size_t length = 0;

	for (size_t i = 0; i < input.length; i++) {
		if (input.data[i] != '\n') {
			if (decode->held_length < UU_MOST)
				decode->held[decode->held_length++] = input.data[i];
			continue;
		}
		length += decode_uu_line(decode, out + length);
		decode->held_length = 0;
	}
	return length;
}

size_t
decode_uu_end(struct decode *decode, char *out)
{
	size_t length = decode_uu_line(decode, out);

	if (decode->state == DECODE_UU_DATA || !decode->had_block)
		decode->faults |= DECODE_CUT;
	decode->held_length = 0;
	return length;
}
