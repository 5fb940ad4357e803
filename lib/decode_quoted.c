#include <assert.h>

#include "lib/decode_parts.h"

enum { RUN_MOST = 128 };

static int
decode_hex(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	return -1;
}

static bool
decode_is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

static bool
decode_is_special(char byte)
{
	return byte == '=' || byte == '\r' || byte == '\n';
}

static size_t
decode_release(struct decode *decode, char *out)
{
	size_t length = decode->held_length;

	memcpy(out, decode->held, length);
	decode->held_length = 0;
	return length;
}

/* A stretch without codes and line ends, or a piece of one. Blanks at its end are held, they may be
 * a line's last and fall away then. Where they are too many they are text; so are those that
 * follow. */
static size_t
decode_quoted_run(struct decode *decode, const char **at, const char *end, char *out)
{
	static const char stops[] = { '\r', '=', '\n' };
	size_t length = decode_release(decode, out), blanks = 0;
	const char *stop = end - *at > RUN_MOST ? *at + RUN_MOST : end;

	for (size_t i = 0; i < sizeof(stops); i++) {
		const char *found = memchr(*at, stops[i], (size_t)(stop - *at));

		stop = found != NULL ? found : stop;
	}
	memcpy(out + length, *at, (size_t)(stop - *at));
	length += (size_t)(stop - *at);
	*at = stop;
	while (blanks < length && decode_is_blank(out[length - blanks - 1]))
		blanks++;
	if (decode->is_long && blanks == length)
		return length;
	decode->is_long = blanks > DECODE_BLANKS;
	if (decode->is_long)
		return length;
	memcpy(decode->held, out + length - blanks, blanks);
	decode->held_length = blanks;
	return length - blanks;
}

/* It was no code: what was held is text, and the byte is read again. */
static size_t
decode_quoted_fail(struct decode *decode, char *out)
{
	decode->faults |= DECODE_GARBAGE;
	decode->state = DECODE_TEXT;
	return decode_release(decode, out);
}

static void
decode_hold(struct decode *decode, char byte, enum decode_state state)
{
	assert(decode->held_length < sizeof(decode->held));
	decode->held[decode->held_length++] = byte;
	decode->state = state;
}

/* Within a line end or a code. *is_taken: the byte is done with. */
static size_t
decode_quoted_step(struct decode *decode, char byte, char *out, bool *is_taken)
{
	enum decode_state state = decode->state;
	int high = state == DECODE_CODE_HEX ? decode_hex(decode->held[1]) : -1;

	*is_taken = true;
	if (state == DECODE_CODE && decode_hex(byte) >= 0) {
		decode_hold(decode, byte, DECODE_CODE_HEX);
	} else if (state == DECODE_CODE_HEX && decode_hex(byte) >= 0) {
		decode->held_length = 0;
		decode->state = DECODE_TEXT;
		out[0] = (char)(high << 4 | decode_hex(byte));
		return 1;
	} else if (state == DECODE_CODE_HEX) {
		*is_taken = false;
		return decode_quoted_fail(decode, out);
	} else if (byte == '\n') {
		decode->held_length = 0;
		decode->state = DECODE_TEXT;
	} else if (state != DECODE_SOFT_CR && byte == '\r') {
		decode_hold(decode, byte, DECODE_SOFT_CR);
	} else if (state != DECODE_SOFT_CR && decode_is_blank(byte) &&
	    decode->held_length <= DECODE_BLANKS) {
		decode_hold(decode, byte, DECODE_SOFT);
	} else {
		*is_taken = false;
		return decode_quoted_fail(decode, out);
	}
	return 0;
}

/* Behind a CR, with blanks before it in held. */
static size_t
decode_quoted_cr(struct decode *decode, char byte, char *out, bool *is_taken)
{
	size_t length = 0;

	*is_taken = byte == '\n';
	decode->state = DECODE_TEXT;
	if (byte == '\n') {
		decode->held_length = 0;
		out[length++] = '\r';
		out[length++] = '\n';
		return length;
	}
	length = decode_release(decode, out);
	out[length++] = '\r';
	return length;
}

/* At a byte that ends a run. */
static size_t
decode_quoted_special(struct decode *decode, char byte, char *out)
{
	size_t length = 0;

	decode->is_long = false;
	if (byte == '\r') {
		decode->state = DECODE_CR;
		return 0;
	}
	if (byte == '\n') {
		decode->held_length = 0;
		out[0] = '\n';
		return 1;
	}
	length = decode_release(decode, out);
	decode_hold(decode, '=', DECODE_CODE);
	return length;
}

size_t
decode_quoted(struct decode *decode, struct slice input, char *out)
{
	const char *p = input.data, *end = p + input.length;
	size_t length = 0;
	bool is_taken;

	while (p < end) {
		if (decode->state == DECODE_TEXT) {
			length += decode_quoted_run(decode, &p, end, out + length);
			if (p < end && decode_is_special(*p))
				length += decode_quoted_special(decode, *p++, out + length);
			continue;
		}
		length += decode->state == DECODE_CR
		    ? decode_quoted_cr(decode, *p, out + length, &is_taken)
		    : decode_quoted_step(decode, *p, out + length, &is_taken);
		p += is_taken;
	}
	return length;
}

size_t
decode_quoted_end(struct decode *decode, char *out)
{
	size_t length = 0;

	if (decode->state == DECODE_CODE_HEX) {
		decode->faults |= DECODE_CUT;
		length = decode_release(decode, out);
	} else if (decode->state == DECODE_CR) {
		out[length++] = '\r';
	}
	decode->held_length = 0;
	return length;
}
