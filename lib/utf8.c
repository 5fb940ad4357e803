#include "lib/utf8.h"

struct utf8_form {
	uint8_t mask, lead; /* of the first byte */
	uint8_t length;
	uint32_t least; /* smaller codes in this form are overlong */
};

static const struct utf8_form utf8_forms[] = {
	{ 0x80, 0x00, 1, 0 },
	{ 0xe0, 0xc0, 2, 0x80 },
	{ 0xf0, 0xe0, 3, 0x800 },
	{ 0xf8, 0xf0, 4, 0x10000 },
};

static size_t
utf8_read_form(const struct utf8_form *form, struct slice text, uint32_t *code)
{
	uint32_t value = (uint8_t)text.data[0] & (uint8_t)~form->mask;

	if (form->length > text.length)
		return 0;
	for (size_t i = 1; i < form->length; i++) {
		uint8_t byte = (uint8_t)text.data[i];

		if ((byte & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (byte & 0x3f);
	}
	if (value < form->least || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
		return 0;
	if (code != NULL)
		*code = value;
	return form->length;
}

size_t
utf8_read(struct slice text, uint32_t *code)
{
	if (text.length == 0)
		return 0;
	for (size_t i = 0; i < sizeof(utf8_forms) / sizeof(utf8_forms[0]); i++)
		if (((uint8_t)text.data[0] & utf8_forms[i].mask) == utf8_forms[i].lead)
			return utf8_read_form(&utf8_forms[i], text, code);
	return 0;
}

size_t
utf8_write(char out[UTF8_MOST], uint32_t code)
{
	size_t form = 0;

	if (code == 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		code = 0xfffd;
	while (form < 3 && code >= utf8_forms[form + 1].least)
		form++;
	for (size_t i = form; i > 0; i--) {
		out[i] = (char)(0x80 | (code & 0x3f));
		code >>= 6;
	}
	out[0] = (char)(utf8_forms[form].lead | code);
	return form + 1;
}

size_t
utf8_ascii(struct slice text)
{
	size_t i = 0;
	uint64_t word;

	for (; i + sizeof(word) <= text.length; i += sizeof(word)) {
		memcpy(&word, text.data + i, sizeof(word));
		if (word & 0x8080808080808080)
			break;
	}
	while (i < text.length && !(text.data[i] & 0x80))
		i++;
	return i;
}
