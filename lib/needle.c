#include "lib/needle.h"

static void
needle_search(struct needle *needle, const char *data, size_t length)
{
	for (size_t i = 0; i < needle->count; i++)
		if (!(needle->found & 1u << i) &&
		    memmem(data, length, needle->patterns[i].data, needle->patterns[i].length) !=
			NULL)
			needle->found |= 1u << i;
}

void
needle_feed(struct needle *needle, struct slice bytes)
{
	char joined[2 * NEEDLE_MOST];
	size_t head = bytes.length < NEEDLE_MOST ? bytes.length : NEEDLE_MOST;
	size_t length = needle->tail_length + head;

	memcpy(joined, needle->tail, needle->tail_length);
	memcpy(joined + needle->tail_length, bytes.data, head);
	needle_search(needle, joined, length);
	if (bytes.length >= NEEDLE_MOST) {
		needle_search(needle, bytes.data, bytes.length);
		needle->tail_length = NEEDLE_MOST;
		memcpy(needle->tail, bytes.data + bytes.length - NEEDLE_MOST, NEEDLE_MOST);
		return;
	}
	needle->tail_length = length < NEEDLE_MOST ? length : NEEDLE_MOST;
	memcpy(needle->tail, joined + length - needle->tail_length, needle->tail_length);
}
