/*
 * Whole messages. The first octet says how the stream is cut; what comes out must be the same as
 * of the whole, and each part must begin and end in its turn.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "lib/mime.h"
#include "lib/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One number of all that is told, in an order that cuts do not change. */
struct seen {
	uint64_t sum[2], text[2]; /* of the leaf, of the raw one */
	bool is_open[2];
	unsigned count;
};

static uint64_t
seen_sum(uint64_t sum, struct slice bytes)
{
	for (size_t i = 0; i < bytes.length; i++)
		sum = (sum ^ (uint8_t)bytes.data[i]) * UINT64_C(1099511628211) + 1;
	return sum;
}

static void
seen_add(struct seen *seen, bool is_raw, struct slice bytes)
{
	seen->sum[is_raw] = seen_sum(seen->sum[is_raw], bytes);
}

static void
seen_begin(void *arg, const struct part *part)
{
	struct seen *seen = arg;

	assert(!seen->is_open[part->is_raw]);
	assert(!part->is_container || !seen->is_open[0]);
	seen->is_open[part->is_raw] = true;
	seen->count += !part->is_raw;
	seen_add(seen, part->is_raw, slice_of(part->path));
	seen_add(seen, part->is_raw, slice_of(part->type));
	seen_add(seen, part->is_raw, slice_of(part->charset));
	seen_add(seen, part->is_raw, slice_of(part->name));
	for (struct slice rest = slice_of(part->name); rest.length > 0;) {
		size_t length = utf8_read(rest, NULL);

		assert(length > 0);
		rest = (struct slice) { rest.data + length, rest.length - length };
	}
}

static void
seen_data(void *arg, const struct part *part, struct slice bytes)
{
	struct seen *seen = arg;

	assert(seen->is_open[0] && !part->is_raw && !part->is_container && bytes.length > 0);
	seen_add(seen, false, bytes);
}

static void
seen_text(void *arg, const struct part *part, struct slice text)
{
	struct seen *seen = arg;

	assert(seen->is_open[part->is_raw] && part->is_text && text.length > 0);
	seen->text[part->is_raw] = seen_sum(seen->text[part->is_raw], text);
}

static void
seen_end(void *arg, const struct part *part)
{
	struct seen *seen = arg;

	assert(seen->is_open[part->is_raw]);
	seen->is_open[part->is_raw] = false;
	if (!part->is_raw)
		seen_add(seen, false, (struct slice) { (const char *)&part->size, 8 });
}

static struct seen
read_message(const uint8_t *data, size_t size, size_t step, uint64_t *faults)
{
	struct seen seen = { .count = 0 };
	struct mime_sink sink = { seen_begin, seen_data, seen_text, seen_end, &seen };
	struct arena *arena = arena_new(SIZE_MAX);
	struct mime *mime = mime_new(arena, &sink);

	for (size_t i = 0; i < size; i += step) {
		size_t length = size - i < step ? size - i : step;
		char *piece = malloc(length);

		assert(piece != NULL);
		memcpy(piece, data + i, length);
		mime_feed(mime, (struct slice) { piece, length });
		free(piece);
	}
	if (size % 7 != 0) /* else the peer has left */
		mime_end(mime);
	*faults = mime_faults(mime);
	assert(seen.count <= mime_count(mime) && mime_count(mime) <= MIME_PARTS);
	arena_free(arena);
	return seen;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t faults[2];

	if (size < 2)
		return 0;
	struct seen whole = read_message(data + 1, size - 1, size, &faults[0]);
	struct seen cut = read_message(data + 1, size - 1, data[0] % 40 + 1u, &faults[1]);

	if ((size - 1) % 7 == 0)
		return 0; /* without its end it is another one at each cut */
	assert(whole.sum[0] == cut.sum[0] && whole.sum[1] == cut.sum[1]);
	assert(whole.text[0] == cut.text[0] && whole.text[1] == cut.text[1]);
	assert(whole.count == cut.count && faults[0] == faults[1]);
	return 0;
}
