#include "lib/mime.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/mime_parts.h"

enum { PIECE = 1024 };

struct mime_frame *
mime_top(struct mime *mime)
{
	return mime->frame_count > 0 ? &mime->frames[mime->frame_count - 1] : NULL;
}

struct mime_layer *
mime_add_layer(struct mime *mime, enum decode_encoding encoding)
{
	assert(mime->layer_count < MIME_LAYERS);
	struct mime_layer *layer = &mime->layers[mime->layer_count++];

	layer->multiparts = layer->sniff_length = layer->newline = layer->line_length = 0;
	layer->is_line_start = true;
	layer->is_sniffing = false;
	layer->decode = (struct decode) { .encoding = encoding };
	return layer;
}

/* ---- faults ---- */

void
mime_note(struct mime *mime, uint64_t faults)
{
	uint64_t fresh = faults & ~mime->faults;

	mime->faults |= faults;
	for (; fresh != 0; fresh &= fresh - 1)
		snprintf(mime->first[__builtin_ctzll(fresh)], MIME_FIRST, "%.*s", MIME_FIRST - 1,
		    mime->path);
}

/* What may be nowhere in a message. */
static void
mime_note_bytes(struct mime *mime, struct slice bytes)
{
	const char *at = bytes.data, *end = bytes.data + bytes.length;

	if (memchr(bytes.data, '\0', bytes.length) != NULL)
		mime_note(mime, MIME_BIT(MIME_NUL));
	if (mime->had_cr && bytes.data[0] != '\n')
		mime_note(mime, MIME_BIT(MIME_BARE_CR));
	mime->had_cr = end[-1] == '\r';
	if (mime->faults & MIME_BIT(MIME_BARE_CR))
		return;
	while ((at = memchr(at, '\r', (size_t)(end - at))) != NULL) {
		if (++at == end)
			break;
		if (*at == '\n')
			continue;
		mime_note(mime, MIME_BIT(MIME_BARE_CR));
		break;
	}
}

/* ---- paths ---- */

static void
mime_set_path(struct mime *mime, size_t length, unsigned number)
{
	int written = snprintf(mime->path + length, sizeof(mime->path) - length, "%s%u",
	    length > 0 ? "." : "", number);

	mime->path_length = length + (size_t)written;
	assert(mime->path_length < sizeof(mime->path));
}

static void
mime_cut_path(struct mime *mime, size_t length)
{
	mime->path_length = length;
	mime->path[length] = '\0';
}

void
mime_begin_header(struct mime *mime, size_t k, const char *type)
{
	struct mime_frame *frame = mime_top(mime);

	mime_set_path(
	    mime, frame != NULL ? frame->path_length : 0, frame != NULL ? ++frame->count : 1);
	mime_header_begin(&mime->header, type);
	mime->was_junk = false;
	mime->layers[k].state = MIME_IN_HEADER;
	mime->layers[k].is_line_start = true;
}

/* ---- content ---- */

void
mime_close_leaves(struct mime *mime)
{
	if (mime->leaf.is_open) {
		mime_leaf_end(&mime->leaf);
		mime_note(mime, mime->leaf.faults);
	}
	mime_leaf_end(&mime->raw);
}

/* Blank lines are nothing worth a part. */
void
mime_beside(struct mime *mime, struct slice bytes)
{
	struct mime_leaf *raw = &mime->raw;

	while (!raw->is_open && bytes.length > 0 &&
	    (bytes.data[0] == ' ' || bytes.data[0] == '\r' || bytes.data[0] == '\n')) {
		bytes.data++;
		bytes.length--;
	}
	if (bytes.length == 0)
		return;
	if (!raw->is_open) {
		raw->part = (struct part) { .path = mime->path,
			.type = "text/plain",
			.charset = "",
			.name = "",
			.encoding = "",
			.disposition = "",
			.depth = mime->frame_count > 0 ? mime_top(mime)->depth : 1,
			.is_text = true,
			.is_raw = true };
		raw->decode.encoding = DECODE_NONE;
		raw->is_flowed = false;
		mime_leaf_begin(raw);
	}
	mime_leaf_feed(raw, bytes);
}

/* The line that has ended a header, which does not outlast the next one. */
static void
mime_begin_entity(struct mime *mime, size_t k)
{
	struct slice left = mime->header.left;

	mime->left_length = left.length;
	if (left.length > 0)
		memcpy(mime->left, left.data, left.length);
	mime_entity(mime, k);
}

/* How much was used; *is_over: the header has ended, and its part begun. */
static size_t
mime_in_header(struct mime *mime, size_t k, struct slice bytes, bool *is_over)
{
	struct mime_header *header = &mime->header;
	size_t used = mime_header_feed(header, bytes);

	if (mime->was_junk) {
		mime_beside(mime, (struct slice) { bytes.data, used });
	} else if (header->is_junk) {
		mime->was_junk = true;
		mime_beside(mime, header->junk);
		mime_beside(mime, (struct slice) { ":", 1 });
		header->is_doubtful = true;
	}
	*is_over = header->is_done;
	if (*is_over)
		mime_begin_entity(mime, k);
	return used;
}

/* All of it are characters of base64; else the encoding is a lie. */
static bool
mime_is_base64(struct slice text)
{
	for (size_t i = 0; i < text.length; i++) {
		char byte = text.data[i];

		if (!(byte >= 'A' && byte <= 'Z') && !(byte >= 'a' && byte <= 'z') &&
		    !(byte >= '0' && byte <= '9') && strchr("+/=\r\n", byte) == NULL)
			return false;
	}
	return true;
}

static void
mime_decode(struct mime *mime, size_t k, struct slice bytes)
{
	char room[PIECE + DECODE_HELD];

	while (bytes.length > 0) {
		struct slice piece = { bytes.data, bytes.length < PIECE ? bytes.length : PIECE };
		size_t length = decode_feed(&mime->layers[k].decode, piece, room);

		mime_lines(mime, k, (struct slice) { room, length });
		bytes = (struct slice) { bytes.data + piece.length, bytes.length - piece.length };
	}
}

static void
mime_end_sniffing(struct mime *mime, size_t k)
{
	struct mime_layer *layer = &mime->layers[k];
	struct slice held = { layer->sniff, layer->sniff_length };

	if (!layer->is_sniffing)
		return;
	layer->is_sniffing = false;
	if (!mime_is_base64(held))
		layer->decode.encoding = DECODE_NONE;
	mime_decode(mime, k, held);
}

/* For the layer k, from the one below it. */
static void
mime_in_inner(struct mime *mime, size_t k, struct slice bytes)
{
	struct mime_layer *layer = &mime->layers[k];

	while (layer->is_sniffing && bytes.length > 0) {
		layer->sniff[layer->sniff_length++] = bytes.data[0];
		if (bytes.data[0] == '\n' || layer->sniff_length == MIME_SNIFF)
			mime_end_sniffing(mime, k);
		bytes = (struct slice) { bytes.data + 1, bytes.length - 1 };
	}
	mime_decode(mime, k, bytes);
}

size_t
mime_content(struct mime *mime, size_t k, struct slice bytes)
{
	struct mime_layer *layer = &mime->layers[k];
	bool is_over = false;
	size_t used = 0;

	switch (layer->state) {
	case MIME_IN_HEADER:
		while (used < bytes.length && !is_over)
			used += mime_in_header(mime, k,
			    (struct slice) { bytes.data + used, bytes.length - used }, &is_over);
		return used;
	case MIME_IN_LEAF:
		mime_leaf_feed(&mime->leaf, bytes);
		if (mime->raw.is_open)
			mime_leaf_feed(&mime->raw, bytes);
		break;
	case MIME_IN_BESIDE:
		mime_beside(mime, bytes);
		break;
	case MIME_IN_INNER:
		mime_in_inner(mime, k + 1, bytes);
		break;
	}
	return bytes.length;
}

/* ---- ends ---- */

/* A header that ends where its part does. */
static void
mime_end_header(struct mime *mime)
{
	for (;;) {
		size_t k = mime->layer_count - 1;

		if (mime->layers[k].state != MIME_IN_HEADER)
			return;
		mime_header_end(&mime->header);
		mime_begin_entity(mime, k);
		if (mime->left_length > 0)
			mime_flush(mime, k);
	}
}

/* The layers from this one on have no more to come. */
static void
mime_end_layers(struct mime *mime, size_t from)
{
	char room[DECODE_HELD];

	for (size_t k = from; k < mime->layer_count; k++) {
		mime_end_sniffing(mime, k);
		mime_lines(
		    mime, k, (struct slice) { room, decode_end(&mime->layers[k].decode, room) });
		mime_flush(mime, k);
	}
	mime_end_header(mime);
	mime_close_leaves(mime);
	mime->layer_count = from;
}

/* Closes the innermost containers, until there are so many. */
static void
mime_pop(struct mime *mime, size_t count)
{
	while (mime->frame_count > count) {
		struct mime_frame *frame = &mime->frames[--mime->frame_count];

		mime_cut_path(mime, frame->path_length);
		mime->pool_length = frame->pool_length;
		if (frame->boundaries == 0)
			continue;
		mime->layers[frame->layer].multiparts--;
		if (frame->is_encoded && frame->count == 0)
			continue;
		if (frame->count == 0)
			mime_note(mime, MIME_BIT(MIME_BOUNDARY_UNSEEN));
		else if (!frame->is_closed)
			mime_note(mime, MIME_BIT(MIME_END_MISSING));
	}
}

/* ---- delimiters ---- */

static void
mime_next_part(struct mime *mime, size_t k, struct mime_frame *frame)
{
	if (frame->is_closed)
		mime_note(mime, MIME_BIT(MIME_AFTER_END));
	frame->is_closed = false;
	if (mime->count >= MIME_PARTS) {
		mime_note(mime, MIME_BIT(MIME_TOO_MANY));
		mime->layers[k].state = MIME_IN_BESIDE;
		return;
	}
	mime_begin_header(mime, k, frame->is_digest ? "message/rfc822" : "text/plain");
}

bool
mime_delimiter(struct mime *mime, size_t k, struct slice line)
{
	bool is_end = false;

	while (line.length > 0 && strchr(" \t\r\n", line.data[line.length - 1]) != NULL &&
	    line.data[line.length - 1] != '\0')
		line.length--;
	if (line.length <= 2)
		return false;
	size_t i = mime_find(mime, k, line, &is_end);

	if (i == mime->frame_count)
		return false;
	mime_end_layers(mime, k + 1);
	mime_pop(mime, i + 1);
	mime_cut_path(mime, mime->frames[i].path_length);
	if (is_end) {
		mime->frames[i].is_closed = true;
		mime->layers[k].state = MIME_IN_BESIDE;
	} else {
		mime_next_part(mime, k, &mime->frames[i]);
	}
	return true;
}

/* ---- begin and end ---- */

static void
mime_free(void *arg)
{
	struct mime *mime = arg;

	mime_leaf_free(&mime->leaf);
	mime_leaf_free(&mime->raw);
	mime_header_free(&mime->header);
	free(mime);
}

struct mime *
mime_new(struct arena *arena, const struct mime_sink *sink)
{
	struct mime *mime = malloc(sizeof(*mime));

	if (mime == NULL)
		abort();
	memset(mime, 0, offsetof(struct mime, layers));
	mime->header.text = (struct buf) { 0 };
	arena_defer(arena, mime_free, mime);
	mime->sink = *sink;
	mime->leaf.sink = mime->raw.sink = &mime->sink;
	mime_add_layer(mime, DECODE_NONE);
	mime_begin_header(mime, 0, "text/plain");
	return mime;
}

void
mime_feed(struct mime *mime, struct slice bytes)
{
	if (bytes.length == 0)
		return;
	assert(!mime->is_over);
	mime_note_bytes(mime, bytes);
	mime_lines(mime, 0, bytes);
}

void
mime_end(struct mime *mime)
{
	if (mime->is_over)
		return;
	mime->is_over = true;
	if (mime->had_cr)
		mime_note(mime, MIME_BIT(MIME_BARE_CR));
	mime_end_layers(mime, 0);
	mime_pop(mime, 0);
}

uint64_t
mime_faults(const struct mime *mime)
{
	return mime->faults;
}

const char *
mime_fault_path(const struct mime *mime, enum mime_fault fault)
{
	return mime->first[fault];
}

unsigned
mime_count(const struct mime *mime)
{
	return mime->count;
}

unsigned
mime_depth(const struct mime *mime)
{
	return mime->depth;
}
