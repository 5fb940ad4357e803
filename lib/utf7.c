#include "lib/utf7.h"

enum { REPLACED = 0xfffd };

/* The value of a letter of base64; 64: it is none. */
static uint32_t
utf7_value(uint8_t byte)
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *found = byte != '\0' ? strchr(letters, byte) : NULL;

	return found != NULL ? (uint32_t)(found - letters) : 64;
}

/* A first half that waits for its second, and does not get it. */
static size_t
utf7_give_up(struct utf7 *utf7, char *out, bool *is_broken)
{
	if (utf7->high == 0)
		return 0;
	utf7->high = 0;
	*is_broken = true;
	return utf8_write(out, REPLACED);
}

static size_t
utf7_unit(struct utf7 *utf7, uint16_t unit, char *out, bool *is_broken)
{
	size_t length = 0;

	if (utf7->high != 0 && unit >= 0xdc00 && unit < 0xe000) {
		uint32_t code = 0x10000 + ((uint32_t)(utf7->high - 0xd800) << 10) + unit - 0xdc00;

		utf7->high = 0;
		return utf8_write(out, code);
	}
	length = utf7_give_up(utf7, out, is_broken);
	if (unit >= 0xd800 && unit < 0xdc00) {
		utf7->high = unit;
		return length;
	}
	*is_broken |= unit == 0 || (unit >= 0xdc00 && unit < 0xe000);
	return length + utf8_write(out + length, unit); /* which replaces what is none */
}

static size_t
utf7_leave(struct utf7 *utf7, char *out, bool *is_broken)
{
	size_t length = utf7_give_up(utf7, out, is_broken);

	*is_broken |= utf7->count >= 6 || utf7->bits != 0; /* RFC 2152, rule 2 */
	utf7->is_shifted = false;
	utf7->bits = utf7->count = 0;
	return length;
}

static size_t
utf7_plain(struct utf7 *utf7, uint8_t byte, char *out, bool *is_broken)
{
	if (byte == '+') {
		utf7->is_shifted = utf7->is_empty = true;
		return 0;
	}
	if (byte < 0x80) {
		out[0] = (char)byte;
		return 1;
	}
	*is_broken = true;
	return utf8_write(out, REPLACED);
}

size_t
utf7_read(struct utf7 *utf7, uint8_t byte, char out[UTF7_MOST], bool *is_broken)
{
	uint32_t value = utf7_value(byte);

	if (!utf7->is_shifted)
		return utf7_plain(utf7, byte, out, is_broken);
	if (value < 64) {
		utf7->is_empty = false;
		utf7->bits = utf7->bits << 6 | value;
		utf7->count += 6;
		if (utf7->count < 16)
			return 0;
		utf7->count -= 16;
		uint16_t unit = (uint16_t)(utf7->bits >> utf7->count);

		utf7->bits &= (1u << utf7->count) - 1;
		return utf7_unit(utf7, unit, out, is_broken);
	}
	bool is_plus = utf7->is_empty && byte == '-';
	size_t length = utf7_leave(utf7, out, is_broken);

	if (is_plus)
		out[length++] = '+';
	if (byte == '-')
		return length;
	return length + utf7_plain(utf7, byte, out + length, is_broken);
}

size_t
utf7_end(struct utf7 *utf7, char out[UTF7_MOST], bool *is_broken)
{
	return utf7_leave(utf7, out, is_broken);
}
