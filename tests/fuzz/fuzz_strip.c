/*
 * A header from outside. What is left has no more of what is taken out, and is made of the fields
 * that came, in their order; a field with our name put before or behind is never left.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "proxy/strip.h"

enum { HEADER_MOST = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *aliases[] = { "xn--bcher-kva.example", "example-auth" };
static const struct config config = {
	.authserv_id = "mx.example.com",
	.authserv_aliases = { 2, aliases },
};

/* Without the dots that DATA wants. */
static struct slice
fuzz_unstuff(char *text, size_t length)
{
	size_t to = 0;

	for (size_t i = 0; i < length; i++) {
		bool is_stuffed = text[i] == '.' && i + 1 < length && text[i + 1] == '.' &&
		    (i == 0 || text[i - 1] == '\n');

		i += is_stuffed;
		text[to++] = text[i];
	}
	return (struct slice) { text, to };
}

static size_t
fuzz_count(struct slice header)
{
	struct header_field field;
	size_t offset = 0, count = 0;

	while (header_next(header, &offset, &field))
		count++;
	return count;
}

/* Every field of `left` is one of `whole`, in the same order. */
static void
fuzz_check_order(struct slice whole, struct slice left)
{
	struct header_field one, other;
	size_t at = 0, from = 0;

	while (header_next(left, &at, &one))
		do {
			bool is_there = header_next(whole, &from, &other);

			assert(is_there);
		} while (!slice_equals(one.whole, other.whole));
}

/* The fields alone, as the session has them. */
static struct slice
fuzz_fields(const char *text, size_t length)
{
	struct slice header = { text, length };
	struct header_field field;
	size_t offset = 0;

	while (header_next(header, &offset, &field))
		;
	return (struct slice) { text, offset };
}

static size_t
fuzz_strip(struct slice header)
{
	struct buf out = { .limit = 4 * HEADER_MOST }, again = { .limit = 4 * HEADER_MOST };
	size_t count = fuzz_count(header);

	if (strip_header(&config, header, &out)) {
		char *text = malloc(out.length + 1);

		memcpy(text, buf_slice(&out).data, out.length);
		struct slice left = fuzz_unstuff(text, out.length);

		assert(strip_wire_length(left) == out.length);
		fuzz_check_order(header, left);
		assert(fuzz_count(left) < count);
		assert(!strip_header(&config, left, &again));
		count = fuzz_count(left);
		free(text);
	}
	buf_free(&out);
	buf_free(&again);
	return count;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char ours[] = "Authentication-Results: (c) \"MX.example.com\"; dkim=pass\r\n";
	static char text[HEADER_MOST + sizeof(ours) + 2];

	if (size > HEADER_MOST)
		return 0;
	memcpy(text, data, size);
	for (size_t i = 0; i < size; i++) /* lines end with CRLF, as unframe.h leaves them */
		if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r'))
			text[i] = ' ';
	memcpy(text + size, "\r\n", 2);
	struct slice header = fuzz_fields(text, size + 2);
	size_t count = fuzz_strip(header);

	memmove(text + sizeof(ours) - 1, text, header.length);
	memcpy(text, ours, sizeof(ours) - 1);
	header = (struct slice) { text, header.length + sizeof(ours) - 1 };
	if (header.length > sizeof(ours) - 1 &&
	    (text[sizeof(ours) - 1] == ' ' || text[sizeof(ours) - 1] == '\t'))
		return 0; /* then it goes on with ours */
	assert(fuzz_strip(header) == count);
	return 0;
}
