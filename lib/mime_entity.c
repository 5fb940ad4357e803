#include <assert.h>
#include <stdio.h>

#include "lib/mime_parts.h"

/* ---- what it is ---- */

static bool
mime_starts(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* Does the name have one of these endings (with blanks between)? As Windows has it, dots and
 * blanks behind it do not count. */
static bool
mime_name_ends(const char *name, const char *const *endings)
{
	size_t length = strlen(name);

	while (length > 0 && (name[length - 1] == '.' || name[length - 1] == ' '))
		length--;
	for (; *endings != NULL; endings++) {
		size_t size = strlen(*endings);

		if (length > size && strncasecmp(name + length - size, *endings, size) == 0)
			return true;
	}
	return false;
}

static bool
mime_is_html(const struct mime_header *header)
{
	static const char *const endings[] = { ".htm", ".html", ".xhtml", ".shtml", ".xht", ".svg",
		".hta", ".htc", ".stm", NULL };

	return header->is_html || mime_name_ends(header->name, endings);
}

static bool
mime_is_text(const struct mime_header *header)
{
	static const char *const endings[] = { ".txt", ".ics", ".url", ".csv", ".vcf", ".xml",
		".rtf", ".website", ".webloc", ".desktop", NULL };

	return mime_starts(header->type, "text/") || mime_starts(header->type, "message/") ||
	    mime_starts(header->type, "multipart/") || mime_name_ends(header->name, endings);
}

static bool
mime_is_message(const struct mime_header *header)
{
	static const char *const types[] = { "message/rfc822", "message/global", "message/news",
		"message/partial", "message/external-body", "message/x-rfc822",
		"application/x-mimearchive" };
	static const char *const endings[] = { ".eml", ".mht", ".mhtml", ".nws", NULL };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(header->type, types[i]) == 0)
			return true;
	return mime_starts(header->type, "application/") && mime_name_ends(header->name, endings);
}

static bool
mime_is_attachment(const struct mime_header *header)
{
	if (mime_starts(header->type, "multipart/"))
		return false;
	return strcmp(header->disposition, "attachment") == 0 || header->name[0] != '\0' ||
	    !(mime_starts(header->type, "text/") || mime_starts(header->type, "message/"));
}

static struct part
mime_part(const struct mime *mime, unsigned depth)
{
	const struct mime_header *header = &mime->header;

	return (struct part) {
		.path = mime->path,
		.type = header->type,
		.charset = header->charset,
		.name = header->name,
		.encoding = header->encoding,
		.disposition = header->disposition,
		.depth = depth,
	};
}

/* ---- containers ---- */

static bool
mime_has_room(struct mime *mime, unsigned depth)
{
	if (depth > MIME_DEPTH)
		mime_note(mime, MIME_BIT(MIME_TOO_DEEP));
	if (mime->count >= MIME_PARTS)
		mime_note(mime, MIME_BIT(MIME_TOO_MANY));
	return depth <= MIME_DEPTH && mime->count < MIME_PARTS;
}

/* All of its boundaries must find room. */
static bool
mime_has_boundaries(struct mime *mime)
{
	const struct mime_header *header = &mime->header;
	size_t length = 0;

	if (header->boundaries == 0) {
		mime_note(mime, MIME_BIT(MIME_BOUNDARY_MISSING));
		return false;
	}
	for (size_t i = 0; i < header->boundaries; i++)
		length += header->boundary[i].length;
	if (2 * length > sizeof(mime->pool) - mime->pool_length) {
		mime_note(mime, MIME_BIT(MIME_TOO_DEEP));
		return false;
	}
	return true;
}

static void
mime_container(struct mime *mime, unsigned depth)
{
	struct part part = mime_part(mime, depth);

	part.is_container = true;
	if (mime->sink.part_begin != NULL)
		mime->sink.part_begin(mime->sink.arg, &part);
	if (mime->sink.part_end != NULL)
		mime->sink.part_end(mime->sink.arg, &part);
}

static struct mime_frame *
mime_push(struct mime *mime, size_t layer, unsigned depth)
{
	const struct mime_frame *outer = mime_top(mime);
	bool is_doubtful = mime->header.is_doubtful || (outer != NULL && outer->is_doubtful);

	assert(mime->frame_count < MIME_FRAMES);
	struct mime_frame *frame = &mime->frames[mime->frame_count++];

	*frame = (struct mime_frame) { .layer = layer,
		.depth = depth,
		.path_length = mime->path_length,
		.pool_length = mime->pool_length,
		.is_doubtful = is_doubtful };
	return frame;
}

static struct mime_frame *
mime_push_multipart(struct mime *mime, size_t k, unsigned depth)
{
	const struct mime_header *header = &mime->header;
	struct mime_frame *frame = mime_push(mime, k, depth);

	frame->is_digest = strcmp(header->type, "multipart/digest") == 0;
	frame->boundaries = header->boundaries;
	for (size_t i = 0; i < header->boundaries; i++) {
		frame->offset[i] = (uint16_t)mime->pool_length;
		frame->length[i] = header->boundary[i].length;
		memcpy(mime->pool + mime->pool_length, header->boundary[i].data, frame->length[i]);
		mime->pool_length += frame->length[i];
	}
	mime->layers[k].state = MIME_IN_BESIDE;
	mime->layers[k].multiparts++;
	return frame;
}

/* What comes out of the decoder is a layer of its own. */
static void
mime_push_layer(struct mime *mime, size_t k)
{
	mime_add_layer(mime, mime->header.decoding);
	assert(mime->layer_count == k + 2);
	mime->layers[k].state = MIME_IN_INNER;
}

static void
mime_multipart(struct mime *mime, size_t k, unsigned depth)
{
	bool is_encoded = mime->header.decoding != DECODE_NONE;

	mime_container(mime, depth);
	mime_push_multipart(mime, k, depth)->is_encoded = is_encoded;
	if (!is_encoded)
		return;
	mime_note(mime, MIME_BIT(MIME_ENCODING_CONTAINER));
	if (mime->layer_count == MIME_LAYERS)
		return;
	mime_push_layer(mime, k);
	mime_push_multipart(mime, k + 1, depth)->is_encoded = true;
}

/* The message in a part is its only part, and may be one of many. */
static void
mime_message(struct mime *mime, size_t k, unsigned depth)
{
	bool is_encoded = mime->header.decoding != DECODE_NONE;

	mime_container(mime, depth);
	if (is_encoded && mime_starts(mime->header.type, "message/"))
		mime_note(mime, MIME_BIT(MIME_ENCODING_CONTAINER));
	if (is_encoded) {
		mime_push_layer(mime, k);
		k++;
		mime->layers[k].is_sniffing = mime->header.decoding == DECODE_BASE64;
	}
	mime_push(mime, k, depth);
	mime_begin_header(mime, k, "text/plain");
}

/* ---- leaves ---- */

/*
 * Is it to be given in a second way, as text, and with what encoding? A program may see another
 * encoding or type than we do, or may show a container that we look into as it stands.
 */
static bool
mime_second(struct mime *mime, const struct part *part, enum decode_encoding *encoding)
{
	const struct mime_header *header = &mime->header;
	const struct mime_frame *outer = mime_top(mime);
	bool is_plain = part->is_text && !part->is_html;
	bool is_identity = header->decoding == DECODE_NONE;

	*encoding = header->has_second_decoding ? header->second_decoding : DECODE_NONE;
	if (header->has_second_decoding)
		return !is_plain || *encoding != header->decoding;
	if (header->is_doubtful && !is_plain) {
		*encoding = header->decoding;
		return true;
	}
	return outer != NULL && outer->is_doubtful && is_identity && !is_plain;
}

static void
mime_leaf_open(struct mime *mime, unsigned depth)
{
	const struct mime_header *header = &mime->header;
	struct mime_leaf *leaf = &mime->leaf;
	enum decode_encoding second;

	leaf->part = mime_part(mime, depth);
	leaf->part.is_html = mime_is_html(header);
	leaf->part.is_text = leaf->part.is_html || mime_is_text(header);
	leaf->part.is_attachment = mime_is_attachment(header);
	leaf->decode.encoding = header->decoding;
	leaf->is_flowed = header->is_flowed && !leaf->part.is_html;
	leaf->flowed.is_delsp = header->is_delsp;
	mime_leaf_begin(leaf);
	if (!mime_second(mime, &leaf->part, &second))
		return;
	leaf = &mime->raw;
	leaf->part = mime_part(mime, depth);
	leaf->part.type = "text/plain";
	leaf->part.is_text = leaf->part.is_raw = true;
	leaf->decode.encoding = second;
	leaf->is_flowed = false;
	mime_leaf_begin(leaf);
}

/* ---- all of them ---- */

void
mime_entity(struct mime *mime, size_t k)
{
	const struct mime_header *header = &mime->header;
	struct mime_layer *layer = &mime->layers[k];
	const struct mime_frame *outer = mime_top(mime);
	unsigned depth = outer != NULL ? outer->depth + 1 : 1;

	mime_close_leaves(mime);
	mime_note(mime, header->faults);
	layer->is_line_start = true;
	layer->state = MIME_IN_LEAF;
	mime->count++;
	if (depth > mime->depth)
		mime->depth = depth;
	if (mime_starts(header->type, "multipart/")) {
		if (mime_has_boundaries(mime) && mime_has_room(mime, depth)) {
			mime_multipart(mime, k, depth);
			return;
		}
	} else if (mime_is_message(header) && mime_has_room(mime, depth)) {
		if (header->decoding == DECODE_NONE || mime->layer_count < MIME_LAYERS) {
			mime_message(mime, k, depth);
			return;
		}
		mime_note(mime, MIME_BIT(MIME_TOO_DEEP));
	}
	mime_leaf_open(mime, depth);
}
