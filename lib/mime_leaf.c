#include "lib/mime_leaf.h"

enum { PIECE = 4096 };

static void
mime_leaf_text(void *arg, struct slice text)
{
	struct mime_leaf *leaf = arg;
	uint64_t room = MIME_TEXT - leaf->text_size;

	if (text.length > room) {
		leaf->part.is_truncated = true;
		text.length = (size_t)room;
	}
	leaf->text_size += text.length;
	if (text.length > 0 && leaf->sink->text != NULL)
		leaf->sink->text(leaf->sink->arg, &leaf->part, text);
}

static void
mime_leaf_paragraphs(void *arg, struct slice text)
{
	struct mime_leaf *leaf = arg;

	flowed_feed(&leaf->flowed, text);
}

void
mime_leaf_begin(struct mime_leaf *leaf)
{
	leaf->is_open = true;
	leaf->text_size = leaf->part.size = leaf->faults = 0;
	leaf->decode = (struct decode) { .encoding = leaf->decode.encoding };
	leaf->flowed = (struct flowed) {
		.is_delsp = leaf->flowed.is_delsp, .sink = mime_leaf_text, .arg = leaf
	};
	if (leaf->part.is_text)
		charset_begin(&leaf->charset, slice_of(leaf->part.charset), leaf->part.is_html,
		    leaf->is_flowed ? mime_leaf_paragraphs : mime_leaf_text, leaf);
	if (leaf->sink->part_begin != NULL)
		leaf->sink->part_begin(leaf->sink->arg, &leaf->part);
}

static void
mime_leaf_take(struct mime_leaf *leaf, struct slice bytes)
{
	if (bytes.length == 0)
		return;
	leaf->part.size += bytes.length;
	if (leaf->sink->data != NULL && !leaf->part.is_raw)
		leaf->sink->data(leaf->sink->arg, &leaf->part, bytes);
	if (leaf->part.is_text)
		charset_feed(&leaf->charset, bytes);
}

void
mime_leaf_feed(struct mime_leaf *leaf, struct slice bytes)
{
	char room[PIECE + DECODE_HELD];

	if (leaf->decode.encoding == DECODE_NONE) {
		mime_leaf_take(leaf, bytes);
		return;
	}
	while (bytes.length > 0) {
		struct slice piece = { bytes.data, bytes.length < PIECE ? bytes.length : PIECE };

		mime_leaf_take(
		    leaf, (struct slice) { room, decode_feed(&leaf->decode, piece, room) });
		bytes = (struct slice) { bytes.data + piece.length, bytes.length - piece.length };
	}
}

static void
mime_leaf_decode_faults(struct mime_leaf *leaf)
{
	enum decode_encoding encoding = leaf->decode.encoding;
	unsigned faults = leaf->decode.faults;

	if (encoding == DECODE_BASE64 && faults & DECODE_LINE)
		leaf->faults |= MIME_BIT(MIME_BASE64_LINE);
	if (encoding == DECODE_BASE64 && faults & ~(unsigned)DECODE_LINE)
		leaf->faults |= MIME_BIT(MIME_BASE64);
	if (encoding == DECODE_QUOTED && faults != 0)
		leaf->faults |= MIME_BIT(MIME_QUOTED_PRINTABLE);
	if (encoding == DECODE_UUENCODE && faults != 0)
		leaf->faults |= MIME_BIT(MIME_UUENCODE);
}

void
mime_leaf_end(struct mime_leaf *leaf)
{
	char room[DECODE_HELD];

	if (!leaf->is_open)
		return;
	mime_leaf_take(leaf, (struct slice) { room, decode_end(&leaf->decode, room) });
	mime_leaf_decode_faults(leaf);
	if (leaf->part.is_text) {
		charset_end(&leaf->charset);
		if (leaf->is_flowed)
			flowed_end(&leaf->flowed);
		if (leaf->charset.is_unknown)
			leaf->faults |= MIME_BIT(MIME_CHARSET_UNKNOWN);
		if (leaf->charset.is_broken)
			leaf->faults |= MIME_BIT(MIME_CHARSET_BAD);
	}
	if (leaf->part.is_truncated)
		leaf->faults |= MIME_BIT(MIME_TRUNCATED);
	leaf->is_open = false;
	if (leaf->sink->part_end != NULL)
		leaf->sink->part_end(leaf->sink->arg, &leaf->part);
}

void
mime_leaf_free(struct mime_leaf *leaf)
{
	if (leaf->is_open && leaf->part.is_text)
		charset_abandon(&leaf->charset);
	leaf->is_open = false;
}
