#include "lib/decode_parts.h"

enum { BASE64_LINE = 76 };

bool
decode_find(struct slice name, enum decode_encoding *encoding)
{
	static const struct {
		const char *name;
		enum decode_encoding encoding;
	} rows[] = {
		{ "7bit", DECODE_NONE },
		{ "8bit", DECODE_NONE },
		{ "binary", DECODE_NONE },
		{ "base64", DECODE_BASE64 },
		{ "quoted-printable", DECODE_QUOTED },
		{ "x-uuencode", DECODE_UUENCODE },
		{ "uuencode", DECODE_UUENCODE },
		{ "x-uue", DECODE_UUENCODE },
		{ "uue", DECODE_UUENCODE },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!slice_matches(name, rows[i].name))
			continue;
		*encoding = rows[i].encoding;
		return true;
	}
	return false;
}

/* ---- base64 ---- */

enum { OTHER = 0x80, BLANK, PAD };

/* What each byte stands for; OTHER and above are no digits. */
static const uint8_t *
decode_base64_table(void)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	static uint8_t table[256];

	if (table['B'] == 1)
		return table;
	memset(table, OTHER, sizeof(table));
	for (uint8_t i = 0; i < 64; i++)
		table[(uint8_t)digits[i]] = i;
	table['\r'] = table['\n'] = table[' '] = table['\t'] = BLANK;
	table['='] = PAD;
	return table;
}

/* The padding ends the group; how many bytes are left of it. */
static size_t
decode_base64_pad(struct decode *decode, char *out)
{
	size_t length = 0;

	if (decode->count == 2) {
		out[length++] = (char)(decode->bits >> 4);
		decode->padding = 1;
	} else if (decode->count == 3) {
		out[length++] = (char)(decode->bits >> 10);
		out[length++] = (char)(decode->bits >> 2);
	} else if (decode->padding > 0) {
		decode->padding--;
	} else {
		decode->faults |= DECODE_GARBAGE;
	}
	decode->was_padded = true;
	decode->count = 0;
	decode->bits = 0;
	return length;
}

static size_t
decode_base64_digit(struct decode *decode, uint8_t digit, char *out)
{
	if (decode->was_padded)
		decode->faults |= DECODE_PADDING;
	decode->was_padded = false;
	decode->padding = 0;
	decode->bits = decode->bits << 6 | digit;
	if (++decode->count < 4)
		return 0;
	out[0] = (char)(decode->bits >> 16);
	out[1] = (char)(decode->bits >> 8);
	out[2] = (char)decode->bits;
	decode->count = 0;
	decode->bits = 0;
	return 3;
}

/* Whole groups, as many as come without anything else. */
static size_t
decode_base64_groups(const uint8_t *table, const uint8_t **at, const uint8_t *end, char *out)
{
	const uint8_t *p = *at;
	size_t length = 0;

	for (; end - p >= 4; p += 4) {
		uint8_t a = table[p[0]], b = table[p[1]], c = table[p[2]], d = table[p[3]];

		if ((a | b | c | d) & 0x80)
			break;
		uint32_t bits = (uint32_t)a << 18 | (uint32_t)b << 12 | (uint32_t)c << 6 | d;

		out[length] = (char)(bits >> 16);
		out[length + 1] = (char)(bits >> 8);
		out[length + 2] = (char)bits;
		length += 3;
	}
	*at = p;
	return length;
}

static size_t
decode_base64_odd(struct decode *decode, uint8_t byte, uint8_t kind, char *out)
{
	decode->line++;
	if (kind == PAD)
		return decode_base64_pad(decode, out);
	if (kind == OTHER)
		decode->faults |= DECODE_GARBAGE;
	if (byte == '\r' || byte == '\n')
		decode->line--;
	if (decode->line > BASE64_LINE)
		decode->faults |= DECODE_LINE;
	if (byte == '\n')
		decode->line = 0;
	return 0;
}

static size_t
decode_base64(struct decode *decode, struct slice input, char *out)
{
	const uint8_t *table = decode_base64_table();
	const uint8_t *p = (const uint8_t *)input.data, *end = p + input.length;
	size_t length = 0;

	while (p < end) {
		if (decode->count == 0 && !decode->was_padded) {
			const uint8_t *begin = p;

			length += decode_base64_groups(table, &p, end, out + length);
			decode->line += (size_t)(p - begin);
			if (p == end)
				break;
		}
		uint8_t byte = *p++, kind = table[byte];

		if (kind < OTHER) {
			decode->line++;
			length += decode_base64_digit(decode, kind, out + length);
		} else {
			length += decode_base64_odd(decode, byte, kind, out + length);
		}
	}
	if (decode->line > BASE64_LINE)
		decode->faults |= DECODE_LINE;
	return length;
}

static size_t
decode_base64_end(struct decode *decode, char *out)
{
	size_t length = 0;

	if (decode->count > 0) {
		decode->faults |= DECODE_CUT;
		if (decode->count > 1)
			length = decode_base64_pad(decode, out);
	} else if (decode->padding > 0) {
		decode->faults |= DECODE_CUT;
	}
	return length;
}

/* ---- all of them ---- */

size_t
decode_feed(struct decode *decode, struct slice input, char *out)
{
	switch (decode->encoding) {
	case DECODE_BASE64:
		return decode_base64(decode, input, out);
	case DECODE_QUOTED:
		return decode_quoted(decode, input, out);
	case DECODE_UUENCODE:
		return decode_uu(decode, input, out);
	case DECODE_NONE:
		break;
	}
	memcpy(out, input.data, input.length);
	return input.length;
}

size_t
decode_end(struct decode *decode, char *out)
{
	switch (decode->encoding) {
	case DECODE_BASE64:
		return decode_base64_end(decode, out);
	case DECODE_QUOTED:
		return decode_quoted_end(decode, out);
	case DECODE_UUENCODE:
		return decode_uu_end(decode, out);
	case DECODE_NONE:
		break;
	}
	return 0;
}
