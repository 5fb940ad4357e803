#include "lib/unframe.h"

#include <assert.h>

/* One feed. What lies between a stream's from and the place looked at is clean and still to be
 * given out; lf and cr are the next of their kind at or behind that place, or end. */
struct unframe_run {
	struct unframe *unframe;
	const struct unframe_sink *sink;
	const char *wire_from, *content_from;
	const char *at, *end;
	const char *lf, *cr;
	const char *unclean; /* up to here blocks are not looked at again */
};

enum { BLOCK = 128 };

void
unframe_init(struct unframe *unframe, enum unframe_framing framing, enum unframe_mode mode)
{
	*unframe = (struct unframe) {
		.framing = framing,
		.mode = mode,
		.state = UNFRAME_LINE,
		.is_line_start = true,
	};
}

static void
unframe_wire(const struct unframe_sink *sink, const char *data, size_t length)
{
	if (length > 0 && sink->wire != NULL)
		sink->wire(sink->arg, (struct slice) { data, length });
}

static void
unframe_content(
    struct unframe *unframe, const struct unframe_sink *sink, const char *data, size_t length)
{
	unframe->content_length += length;
	if (length > 0 && sink->content != NULL)
		sink->content(sink->arg, (struct slice) { data, length });
}

/* The same octets on both streams, from outside the input. */
static void
unframe_say(struct unframe *unframe, const struct unframe_sink *sink, const char *text)
{
	unframe_wire(sink, text, strlen(text));
	unframe_content(unframe, sink, text, strlen(text));
}

static void
unframe_say_newline(struct unframe *unframe, const struct unframe_sink *sink)
{
	unframe_say(unframe, sink, "\r\n");
	unframe->is_line_start = true;
}

/* A CR alone that was held back. */
static void
unframe_say_bare_cr(struct unframe *unframe, const struct unframe_sink *sink)
{
	unframe->had_bare_cr = true;
	unframe->state = UNFRAME_TEXT;
	if (unframe->mode != UNFRAME_PASS) {
		unframe_say_newline(unframe, sink);
		return;
	}
	unframe_say(unframe, sink, "\r");
	unframe->is_line_start = false;
}

/* What is held back, now that the next octet is known; true: that octet belongs to it. */
static bool
unframe_resume(struct unframe *unframe, const struct unframe_sink *sink, char next)
{
	if (unframe->state == UNFRAME_DOT && next == '\r') {
		unframe->state = UNFRAME_DOT_CR;
		return true;
	}
	if (unframe->state == UNFRAME_DOT) {
		unframe->state = UNFRAME_TEXT; /* the dot goes, the line still begins */
		return false;
	}
	if (next != '\n') {
		unframe_say_bare_cr(unframe, sink);
		return false;
	}
	if (unframe->state == UNFRAME_DOT_CR) {
		unframe->state = UNFRAME_DONE;
		return true;
	}
	unframe_say_newline(unframe, sink);
	unframe->state = UNFRAME_LINE;
	return true;
}

/* Give out what is clean on both streams up to the place looked at, and go on behind skip. */
static void
unframe_flush(struct unframe_run *run, size_t skip)
{
	unframe_wire(run->sink, run->wire_from, (size_t)(run->at - run->wire_from));
	unframe_content(
	    run->unframe, run->sink, run->content_from, (size_t)(run->at - run->content_from));
	run->at += skip;
	run->wire_from = run->content_from = run->at;
}

/* Stop at the place looked at, holding back what is from there to the end. */
static void
unframe_hold(struct unframe_run *run, enum unframe_state state)
{
	unframe_flush(run, (size_t)(run->end - run->at));
	run->unframe->state = state;
}

/* A dot at the beginning of a raw line: the end, or the client's stuffing. */
static void
unframe_take_dot(struct unframe_run *run)
{
	size_t length = (size_t)(run->end - run->at);

	if (length == 1) {
		unframe_hold(run, UNFRAME_DOT);
	} else if (run->at[1] == '\r' && length == 2) {
		unframe_hold(run, UNFRAME_DOT_CR);
	} else if (run->at[1] == '\r' && run->at[2] == '\n') {
		unframe_flush(run, 3);
		run->unframe->state = UNFRAME_DONE;
	} else if (run->at[1] == '.') {
		/* It stays on the wire, where the dot behind it needs it. */
		unframe_content(run->unframe, run->sink, run->content_from,
		    (size_t)(run->at - run->content_from));
		run->content_from = run->at + 1;
		run->at += 2;
		run->unframe->state = UNFRAME_TEXT;
		run->unframe->is_line_start = false;
	} else {
		unframe_flush(run, 1);
		run->unframe->state = UNFRAME_TEXT;
	}
}

/* A line of the content that begins with a dot and has no stuffing in the input. */
static void
unframe_stuff(struct unframe_run *run)
{
	unframe_wire(run->sink, run->wire_from, (size_t)(run->at - run->wire_from));
	unframe_wire(run->sink, ".", 1);
	run->wire_from = run->at++;
	run->unframe->state = UNFRAME_TEXT;
	run->unframe->is_line_start = false;
}

/* A bare CR or LF at the place looked at. */
static void
unframe_mend(struct unframe_run *run)
{
	struct unframe *unframe = run->unframe;

	unframe->had_bare_lf |= *run->at == '\n';
	unframe->had_bare_cr |= *run->at == '\r';
	unframe->state = UNFRAME_TEXT;
	if (unframe->mode == UNFRAME_PASS) {
		run->at++;
		unframe->is_line_start = false;
		return;
	}
	unframe_flush(run, 1);
	unframe_say_newline(unframe, run->sink);
}

/* Does each CR stand before an LF, each LF behind a CR (or at the beginning), and no dot behind an
 * LF? One octet more is looked at. Written so that the compiler takes 16 octets at a time. */
static bool
unframe_is_clean(const char block[BLOCK + 1])
{
	unsigned char faults = 0;

	for (int i = 0; i < BLOCK; i++)
		faults |= (unsigned char)(((block[i] == '\r') ^ (block[i + 1] == '\n')) |
		    ((block[i] == '\n') & (block[i + 1] == '.')));
	return faults == 0;
}

/* Over whole blocks of ordinary lines; what is left stands before the LF of the last CR. */
static void
unframe_skip_clean(struct unframe_run *run)
{
	const char *start = run->at;

	if (run->at < run->unclean || *run->at == '\n')
		return;
	while (run->end - run->at > BLOCK && unframe_is_clean(run->at))
		run->at += BLOCK;
	run->unclean = run->end - run->at > BLOCK ? run->at + BLOCK : run->end;
	if (run->at == start)
		return;
	run->at -= run->at[-1] == '\r';
	run->unframe->is_line_start = run->at[-1] == '\n';
	run->unframe->state = run->unframe->is_line_start ? UNFRAME_LINE : UNFRAME_TEXT;
}

/* Up to and with the next line end of any kind. */
static void
unframe_take_text(struct unframe_run *run)
{
	struct unframe *unframe = run->unframe;

	unframe_skip_clean(run);
	const char *start = run->at;

	if (run->lf < start)
		run->lf = memchr(start, '\n', (size_t)(run->end - start)) ?: run->end;
	if (run->cr < start)
		run->cr = memchr(start, '\r', (size_t)(run->end - start)) ?: run->end;
	run->at = run->lf < run->cr ? run->lf : run->cr;
	if (run->at > start) {
		unframe->state = UNFRAME_TEXT;
		unframe->is_line_start = false;
	}
	if (run->at == run->end)
		return;
	if (run->at == run->cr && run->cr + 1 == run->end) {
		unframe_hold(run, UNFRAME_CR);
	} else if (run->at == run->cr && run->cr + 1 == run->lf) {
		run->at += 2;
		unframe->state = UNFRAME_LINE;
		unframe->is_line_start = true;
	} else {
		unframe_mend(run);
	}
}

static bool
unframe_is_within(const struct unframe *unframe)
{
	return unframe->state == UNFRAME_LINE || unframe->state == UNFRAME_TEXT;
}

/* NUL and octets from 128, eight at a time. */
static void
unframe_note(struct unframe *unframe, const char *data, size_t length)
{
	const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
	uint64_t all = 0, nuls = 0, word;

	for (; length >= sizeof(word); data += sizeof(word), length -= sizeof(word)) {
		memcpy(&word, data, sizeof(word));
		all |= word;
		nuls |= (word - ones) & ~word;
	}
	word = ones;
	if (length > 0)
		memcpy(&word, data, length);
	all |= word;
	nuls |= (word - ones) & ~word;
	unframe->had_8bit |= (all & tops) != 0;
	unframe->had_nul |= (nuls & tops) != 0;
}

size_t
unframe_feed(struct unframe *unframe, struct slice input, const struct unframe_sink *sink)
{
	size_t held = 0;

	while (held < input.length && !unframe_is_within(unframe) && !unframe_is_done(unframe))
		if (unframe_resume(unframe, sink, input.data[held]))
			held++;
	struct unframe_run run = {
		.unframe = unframe,
		.sink = sink,
		.wire_from = input.data + held,
		.content_from = input.data + held,
		.at = input.data + held,
		.end = input.data + input.length,
		.unclean = input.data,
	};

	while (run.at < run.end && unframe_is_within(unframe)) {
		if (*run.at != '.' || !unframe->is_line_start)
			unframe_take_text(&run);
		else if (unframe->state == UNFRAME_LINE && unframe->framing == UNFRAME_DATA)
			unframe_take_dot(&run);
		else
			unframe_stuff(&run);
	}
	unframe_flush(&run, 0);
	size_t used = (size_t)(run.at - input.data);

	unframe_note(unframe, input.data, used);
	return used;
}

void
unframe_finish(struct unframe *unframe, const struct unframe_sink *sink)
{
	assert(unframe->framing == UNFRAME_CHUNKS);
	if (unframe->state == UNFRAME_CR)
		unframe_say_bare_cr(unframe, sink);
	if (!unframe->is_line_start)
		unframe_wire(sink, "\r\n", strlen("\r\n"));
	unframe->state = UNFRAME_DONE;
}
