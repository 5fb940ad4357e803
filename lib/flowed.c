#include "lib/flowed.h"

enum { SIGNATURE_DASHES = 2, SIGNATURE_OTHER = 4 };

static void
flowed_give(struct flowed *flowed, const char *data, size_t length)
{
	if (length > 0)
		flowed->sink(flowed->arg, (struct slice) { data, length });
}

static void
flowed_release(struct flowed *flowed)
{
	if (flowed->has_blank)
		flowed_give(flowed, " ", 1);
	if (flowed->has_cr)
		flowed_give(flowed, "\r", 1);
	flowed->has_blank = flowed->has_cr = false;
}

/* The last line's end, if this one does not go on with it. */
static void
flowed_release_soft(struct flowed *flowed, bool is_joined)
{
	if (!flowed->is_soft)
		return;
	flowed->is_soft = false;
	if (!is_joined || !flowed->is_delsp)
		flowed_give(flowed, " ", 1);
	if (!is_joined)
		flowed_give(
		    flowed, flowed->is_soft_crlf ? "\r\n" : "\n", 1u + flowed->is_soft_crlf);
}

/* Behind the quotation marks. */
static void
flowed_begin_line(struct flowed *flowed)
{
	bool is_joined = flowed->is_soft && flowed->depth == flowed->last_depth;

	flowed_release_soft(flowed, is_joined);
	for (unsigned i = 0; i < flowed->depth && !is_joined; i++)
		flowed_give(flowed, ">", 1);
	flowed->is_within = true;
	flowed->signature = 0;
}

static void
flowed_end_line(struct flowed *flowed)
{
	bool is_signature = flowed->signature == SIGNATURE_DASHES;

	flowed->is_soft = flowed->has_blank && !is_signature;
	if (flowed->is_soft) {
		flowed->is_soft_crlf = flowed->has_cr;
		flowed->last_depth = flowed->depth;
		flowed->has_blank = flowed->has_cr = false;
	} else {
		flowed_release(flowed);
		flowed_give(flowed, "\n", 1);
	}
	flowed->is_within = false;
	flowed->depth = 0;
}

/* One byte that ends a run of text. */
static void
flowed_special(struct flowed *flowed, char byte)
{
	if (byte == '\n') {
		flowed_end_line(flowed);
		return;
	}
	if (byte == ' ') {
		if (flowed->has_blank || flowed->has_cr)
			flowed->signature = SIGNATURE_OTHER;
		flowed_release(flowed);
		flowed->has_blank = true;
		return;
	}
	if (flowed->has_cr)
		flowed_release(flowed);
	flowed->has_cr = true;
}

static size_t
flowed_run(struct flowed *flowed, struct slice text)
{
	size_t length = 0;

	while (length < text.length &&
	    !(text.data[length] == ' ' || text.data[length] == '\r' || text.data[length] == '\n'))
		length++;
	if (length == 0)
		return 0;
	if (flowed->has_blank || flowed->has_cr)
		flowed->signature = SIGNATURE_OTHER;
	for (size_t i = 0; i < length && flowed->signature < SIGNATURE_OTHER; i++)
		flowed->signature += text.data[i] == '-' ? 1 : SIGNATURE_OTHER;
	flowed_release(flowed);
	flowed_give(flowed, text.data, length);
	return length;
}

void
flowed_feed(struct flowed *flowed, struct slice text)
{
	size_t i = 0;

	while (i < text.length) {
		char byte = text.data[i];

		if (!flowed->is_within && byte == '>') {
			flowed->depth++;
			i++;
			continue;
		}
		if (!flowed->is_within) {
			flowed_begin_line(flowed);
			i += byte == ' ';
			continue;
		}
		i += flowed_run(flowed, (struct slice) { text.data + i, text.length - i });
		if (i < text.length)
			flowed_special(flowed, text.data[i++]);
	}
}

void
flowed_end(struct flowed *flowed)
{
	if (flowed->depth > 0 && !flowed->is_within)
		flowed_begin_line(flowed);
	flowed_release_soft(flowed, false);
	flowed_release(flowed);
}
