#include "lib/html_entity.h"

/* 0x80 ... 0x9f in windows-1252; 0: as it is. */
static const uint16_t html_entity_windows[32] = { 0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020,
	0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017d, 0, 0, 0x2018, 0x2019, 0x201c,
	0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0, 0x017e, 0x0178 };

uint32_t
html_entity_find(struct slice name)
{
	size_t low = 0, high = html_entities_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = slice_compare(name, html_entities[middle].name);

		if (order == 0)
			return html_entities[middle].code;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return 0;
}

static bool
html_entity_is_short(struct slice name)
{
	size_t low = 0, high = html_entities_short_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = slice_compare(name, html_entities_short[middle]);

		if (order == 0)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

size_t
html_entity_find_short(struct slice text, uint32_t *code)
{
	enum { SHORT_LEAST = 2, SHORT_MOST = 6 };
	size_t length = text.length < SHORT_MOST ? text.length : SHORT_MOST;

	for (; length >= SHORT_LEAST; length--) {
		const struct slice name = { text.data, length };

		if (!html_entity_is_short(name))
			continue;
		*code = html_entity_find(name);
		return length;
	}
	return 0;
}

uint32_t
html_entity_number(uint32_t number)
{
	if (number >= 0x80 && number <= 0x9f && html_entity_windows[number - 0x80] != 0)
		return html_entity_windows[number - 0x80];
	return number;
}
