#include <assert.h>

#include "lib/mime_parts.h"

/*
 * A delimiter takes the line end before it along, so that is held until it is known what
 * follows; and a line that begins like one is held until it is whole.
 */

static void
mime_give(struct mime *mime, size_t k, struct slice bytes)
{
	if (bytes.length == 0)
		return;
	size_t used = mime_content(mime, k, bytes);

	assert(used == bytes.length);
}

/* What is held goes out. */
static void
mime_release(struct mime *mime, size_t k)
{
	struct mime_layer *layer = &mime->layers[k];
	struct slice newline = { layer->newline_text, layer->newline };
	struct slice line = { layer->line, layer->line_length };

	layer->newline = layer->line_length = 0;
	mime_give(mime, k, newline);
	mime_give(mime, k, line);
}

/* The line end is held. */
static void
mime_end_line(struct mime *mime, size_t k, struct slice newline)
{
	struct mime_layer *layer = &mime->layers[k];

	layer->is_line_start = true;
	memcpy(layer->newline_text, newline.data, newline.length);
	layer->newline = newline.length;
}

static struct slice
mime_newline_of(struct slice line)
{
	size_t length = line.length > 1 && line.data[line.length - 2] == '\r' ? 2 : 1;

	return (struct slice) { line.data + line.length - length, length };
}

/* The candidate is a whole line. */
static void
mime_judge(struct mime *mime, size_t k)
{
	struct mime_layer *layer = &mime->layers[k];
	char text[MIME_CANDIDATE];
	struct slice line = { text, layer->line_length };

	memcpy(text, layer->line, line.length);
	layer->line_length = 0;
	if (mime_delimiter(mime, k, line)) {
		layer->newline = 0;
		return;
	}
	struct slice newline = mime_newline_of(line);

	mime_release(mime, k);
	if (layer->state == MIME_IN_HEADER) {
		mime_give(mime, k, line);
		layer->is_line_start = true;
		return;
	}
	mime_give(mime, k, (struct slice) { line.data, line.length - newline.length });
	mime_end_line(mime, k, newline);
}

/* At the beginning of a line, or within one that may be a delimiter. How much was used. */
static size_t
mime_candidate(struct mime *mime, size_t k, struct slice input)
{
	struct mime_layer *layer = &mime->layers[k];
	size_t used = 0;

	while (used < input.length && layer->is_line_start) {
		char byte = input.data[used];

		if ((layer->line_length < 2 && byte != '-') ||
		    layer->line_length == MIME_CANDIDATE) {
			layer->is_line_start = false;
			mime_release(mime, k);
			break;
		}
		layer->line[layer->line_length++] = byte;
		used++;
		if (byte != '\n')
			continue;
		mime_judge(mime, k);
		break;
	}
	return used;
}

/* A CR was held at the end of a piece. How much was used. */
static size_t
mime_after_cr(struct mime *mime, size_t k, struct slice input)
{
	if (input.data[0] == '\n') {
		mime_end_line(mime, k, (struct slice) { "\r\n", 2 });
		return 1;
	}
	mime_release(mime, k);
	return 0;
}

/* Where the line ends behind which a delimiter may stand; NULL: not in here. */
static const char *
mime_find_newline(struct slice input)
{
	const char *at = input.data, *end = input.data + input.length;

	while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		if (at + 1 == end || at[1] == '-')
			return at;
		at++;
	}
	return NULL;
}

/* A header has its line ends at once, and may end anywhere. */
static size_t
mime_header_text(struct mime *mime, size_t k, struct slice input)
{
	struct mime_layer *layer = &mime->layers[k];
	const char *newline = memchr(input.data, '\n', input.length);

	if (newline != NULL)
		input.length = (size_t)(newline + 1 - input.data);
	size_t used = mime_content(mime, k, input);

	layer->is_line_start = newline != NULL && used == input.length;
	return used;
}

/* Within a line. */
static size_t
mime_text(struct mime *mime, size_t k, struct slice input)
{
	struct mime_layer *layer = &mime->layers[k];
	const char *newline = mime_find_newline(input);
	struct slice text = input, end;

	if (newline == NULL) {
		if (input.data[input.length - 1] == '\r') {
			text.length--;
			layer->newline_text[0] = '\r';
			layer->newline = 1;
		}
		mime_give(mime, k, text);
		return input.length;
	}
	text.length = (size_t)(newline + 1 - input.data);
	end = mime_newline_of(text);
	text.length -= end.length;
	mime_give(mime, k, text);
	mime_end_line(mime, k, end);
	return text.length + end.length;
}

static size_t
mime_scan(struct mime *mime, size_t k, struct slice input)
{
	struct mime_layer *layer = &mime->layers[k];

	if (layer->multiparts == 0)
		return mime_content(mime, k, input);
	if (layer->is_line_start)
		return mime_candidate(mime, k, input);
	if (layer->state == MIME_IN_HEADER)
		return mime_header_text(mime, k, input);
	if (layer->newline > 0)
		return mime_after_cr(mime, k, input);
	return mime_text(mime, k, input);
}

static void
mime_scan_all(struct mime *mime, size_t k, struct slice input)
{
	while (input.length > 0 && mime->left_length == 0) {
		size_t used = mime_scan(mime, k, input);

		input = (struct slice) { input.data + used, input.length - used };
	}
	assert(input.length == 0);
}

/* The line that has ended a header belongs to the body, and may be a delimiter there. */
static void
mime_take_left(struct mime *mime, size_t k)
{
	char text[sizeof(mime->left)];

	while (mime->left_length > 0) {
		struct slice line = { text, mime->left_length };

		memcpy(text, mime->left, line.length);
		mime->left_length = 0;
		mime->layers[k].is_line_start = true;
		mime_scan_all(mime, k, line);
	}
}

void
mime_lines(struct mime *mime, size_t k, struct slice input)
{
	while (input.length > 0) {
		size_t used = mime_scan(mime, k, input);

		input = (struct slice) { input.data + used, input.length - used };
		mime_take_left(mime, k);
	}
}

void
mime_flush(struct mime *mime, size_t k)
{
	struct mime_layer *layer = &mime->layers[k];
	char text[MIME_CANDIDATE];
	struct slice line = { text, layer->line_length };

	mime_take_left(mime, k);
	memcpy(text, layer->line, line.length);
	layer->line_length = 0;
	layer->is_line_start = false;
	if (line.length > 0 && mime_delimiter(mime, k, line)) {
		layer->newline = 0;
		return;
	}
	mime_release(mime, k);
	mime_give(mime, k, line);
	mime_take_left(mime, k);
}

/* ---- which delimiter it is ---- */

/* Is this "--boundary", or "--boundary--" (*is_end)? The boundary's length, 0: neither. */
static size_t
mime_match(const struct mime *mime, const struct mime_frame *frame, struct slice line, bool *is_end)
{
	size_t longest = 0;

	for (size_t i = 0; i < frame->boundaries; i++) {
		size_t length = frame->length[i], tail = line.length - 2 - length;
		const char *end = line.data + 2 + length;

		if (length + 2 > line.length || length <= longest || (tail != 0 && tail != 2) ||
		    (tail == 2 && memcmp(end, "--", 2) != 0) ||
		    memcmp(line.data + 2, mime->pool + frame->offset[i], length) != 0)
			continue;
		longest = length;
		*is_end = tail == 2;
	}
	return longest;
}

size_t
mime_find(const struct mime *mime, size_t k, struct slice line, bool *is_end)
{
	size_t longest = 0, found = mime->frame_count;
	bool end = false;

	for (size_t i = mime->frame_count; i-- > 0;) {
		if (mime->frames[i].layer != k)
			continue;
		size_t length = mime_match(mime, &mime->frames[i], line, &end);

		if (length <= longest)
			continue;
		longest = length;
		found = i;
		*is_end = end;
	}
	return found;
}
