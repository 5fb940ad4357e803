/*
 * The text of DATA and BDAT. The first octet chooses framing and mode, the second how the rest is
 * cut. The streams must be the same as without cuts; the wire must hold no bare CR or LF and no
 * end of data, and must come in again as the same message.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "lib/unframe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct stream {
	char *data;
	size_t length, size;
};

struct streams {
	struct stream wire, content;
};

static void
stream_add(struct stream *stream, struct slice piece)
{
	assert(piece.length > 0);
	while (stream->length + piece.length > stream->size) {
		stream->size = stream->size * 2 + 64;
		stream->data = realloc(stream->data, stream->size);
		assert(stream->data != NULL);
	}
	memcpy(stream->data + stream->length, piece.data, piece.length);
	stream->length += piece.length;
}

static void
add_wire(void *arg, struct slice piece)
{
	stream_add(&((struct streams *)arg)->wire, piece);
}

static void
add_content(void *arg, struct slice piece)
{
	stream_add(&((struct streams *)arg)->content, piece);
}

static bool
stream_equals(const struct stream *a, const struct stream *b)
{
	return a->length == b->length &&
	    (a->length == 0 || memcmp(a->data, b->data, a->length) == 0);
}

static void
streams_free(struct streams *streams)
{
	free(streams->wire.data);
	free(streams->content.data);
}

/* Cuts of a size that changes; step 0: none. */
static size_t
feed(struct unframe *unframe, struct streams *out, struct slice text, size_t step)
{
	struct unframe_sink sink = { add_wire, add_content, out };
	size_t start = 0, turn = 0;

	while (start < text.length && !unframe_is_done(unframe)) {
		size_t length = step == 0 ? text.length : 1 + (step * ++turn) % 7;

		if (length > text.length - start)
			length = text.length - start;
		size_t used =
		    unframe_feed(unframe, (struct slice) { text.data + start, length }, &sink);

		assert(used == length || unframe_is_done(unframe));
		start += used;
	}
	if (unframe->framing == UNFRAME_CHUNKS)
		unframe_finish(unframe, &sink);
	return start;
}

static void
check_wire(const struct stream *wire)
{
	for (size_t i = 0; i < wire->length; i++) {
		const char *at = wire->data + i;

		if (*at == '\r')
			assert(i + 1 < wire->length && at[1] == '\n');
		if (*at == '\n')
			assert(i > 0 && at[-1] == '\r');
		if (*at == '.' && (i == 0 || at[-1] == '\n'))
			assert(i + 1 < wire->length && at[1] == '.');
	}
}

/* What a strict receiver makes of the wire; with BDAT the missing last CRLF comes on top. */
static void
check_again(struct streams *out, enum unframe_framing framing)
{
	struct streams again = { .wire = { .length = 0 } };
	struct unframe unframe;

	stream_add(&out->wire, slice_of(".\r\n"));
	unframe_init(&unframe, UNFRAME_DATA, UNFRAME_PASS);
	size_t used =
	    feed(&unframe, &again, (struct slice) { out->wire.data, out->wire.length }, 0);

	assert(used == out->wire.length && unframe_is_done(&unframe));
	assert(!unframe.had_bare_lf && !unframe.had_bare_cr);
	if (framing == UNFRAME_CHUNKS && again.content.length == out->content.length + 2)
		stream_add(&out->content, slice_of("\r\n"));
	assert(stream_equals(&again.content, &out->content));
	streams_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	struct slice text = { (const char *)data + 2, size - 2 };
	enum unframe_framing framing = data[0] & 1 ? UNFRAME_CHUNKS : UNFRAME_DATA;
	enum unframe_mode mode = (data[0] >> 1) % 3;
	struct streams whole = { .wire = { .length = 0 } }, pieces = whole;
	struct unframe once, often;

	unframe_init(&once, framing, mode);
	unframe_init(&often, framing, mode);
	size_t used = feed(&once, &whole, text, 0);

	assert(feed(&often, &pieces, text, 1 + data[1]) == used);
	assert(stream_equals(&whole.wire, &pieces.wire));
	assert(stream_equals(&whole.content, &pieces.content));
	assert(once.content_length == whole.content.length);
	assert(once.content_length == often.content_length && once.state == often.state);
	assert(once.had_bare_lf == often.had_bare_lf && once.had_bare_cr == often.had_bare_cr);
	assert(once.had_nul == often.had_nul && once.had_8bit == often.had_8bit);
	if (mode != UNFRAME_PASS && unframe_is_done(&once)) {
		check_wire(&whole.wire);
		check_again(&whole, framing);
	}
	streams_free(&whole);
	streams_free(&pieces);
	return 0;
}
