#include "lib/uri_scan.h"

#include "lib/uri_word.h"

/* Characters that words are cut at, and those that make one worth looking at. */
enum { SCAN_BLANK = 1, SCAN_DOT = 2, SCAN_COLON = 4, SCAN_HIGH = 8, LONG_LINE = 60 };

static const uint8_t uri_scan_kinds[256] = {
	[0 ... ' '] = SCAN_BLANK,
	['"'] = SCAN_BLANK,
	['.'] = SCAN_DOT,
	[':'] = SCAN_COLON,
	['<'] = SCAN_BLANK,
	['>'] = SCAN_BLANK,
	[0x7f] = SCAN_BLANK,
	[0x80 ... 0xff] = SCAN_HIGH,
};

void
uri_scan_init(struct uri_scan *scan, enum uri_where where, const struct uri_sink *sink)
{
	memset(scan, 0, offsetof(struct uri_scan, word));
	scan->sink = sink;
	scan->where = where;
}

/* ---- words ---- */

/* A name needs a dot before its end, an address a colon. */
static bool
uri_scan_is_dull(struct slice text, unsigned int seen)
{
	if (!(seen & (SCAN_DOT | SCAN_COLON)))
		return true;
	if (seen & SCAN_COLON)
		return false;
	const char *dot = memchr(text.data, '.', text.length);

	return dot == text.data + text.length - 1;
}

static void
uri_scan_word(struct uri_scan *scan, struct slice text, unsigned int seen, bool is_last)
{
	struct uri_word word = { .scan = scan, .text = text, .is_last = is_last };

	if (scan->is_cut)
		uri_word_join(&word);
	scan->is_cut = false;
	scan->cut_length = 0;
	if (!uri_scan_is_dull(text, seen) || scan->is_in_authority)
		uri_word_read(&word);
	scan->is_in_authority = word.ends_in_authority;
}

/* The word is full and goes on: its end is kept, for what begins there. */
static void
uri_scan_overflow(struct uri_scan *scan)
{
	uri_scan_word(scan, (struct slice) { scan->word, scan->length }, scan->seen, false);
	scan->is_torn = true;
	scan->length = URI_SCAN_OVERLAP;
	memmove(scan->word, scan->word + URI_SCAN_WORD_MOST - URI_SCAN_OVERLAP, URI_SCAN_OVERLAP);
	scan->seen = 0;
	for (size_t i = 0; i < URI_SCAN_OVERLAP; i++)
		scan->seen |= uri_scan_kinds[(uint8_t)scan->word[i]];
}

static void
uri_scan_keep(struct uri_scan *scan, const char *from, const char *to)
{
	while (from < to) {
		size_t room = URI_SCAN_WORD_MOST - scan->length;
		size_t part = (size_t)(to - from) < room ? (size_t)(to - from) : room;

		for (size_t i = 0; i < part; i++)
			scan->seen |= uri_scan_kinds[(uint8_t)from[i]];
		memcpy(scan->word + scan->length, from, part);
		scan->length += part;
		from += part;
		if (scan->length == URI_SCAN_WORD_MOST && from < to)
			uri_scan_overflow(scan);
	}
}

void
uri_scan_break(struct uri_scan *scan)
{
	if (scan->length > 0)
		uri_scan_word(scan, (struct slice) { scan->word, scan->length }, scan->seen, true);
	scan->length = 0;
	scan->seen = 0;
	scan->is_torn = scan->is_in_authority = false;
}

/* What stands between words: lines end, angle brackets open and close. */
static void
uri_scan_between(struct uri_scan *scan, char c)
{
	if (c == '\n') {
		scan->is_cut = scan->cut_length > 0 && !scan->is_cut &&
		    (scan->is_in_angle || scan->column >= LONG_LINE);
		scan->column = 0;
		return;
	}
	scan->column++;
	if (c == '<' || c == '>')
		scan->is_in_angle = c == '<';
	if (c == '\r' || (c == ' ' && scan->is_in_angle && scan->is_cut))
		return;
	scan->cut_length = 0;
	scan->is_cut = false;
}

/* ---- text ---- */

void
uri_scan_feed(struct uri_scan *scan, struct slice text)
{
	const char *at = text.data, *end = text.data + text.length;

	while (at < end) {
		const char *stop = at;
		unsigned int seen = 0, kind = 0;

		while (stop < end && !((kind = uri_scan_kinds[(uint8_t)*stop]) & SCAN_BLANK))
			seen |= kind, stop++;
		scan->column += (size_t)(stop - at);
		if (scan->length == 0 && stop < end && stop - at <= URI_SCAN_WORD_MOST) {
			if (stop > at)
				uri_scan_word(
				    scan, (struct slice) { at, (size_t)(stop - at) }, seen, true);
		} else {
			uri_scan_keep(scan, at, stop);
			if (stop == end)
				return;
			uri_scan_break(scan);
		}
		uri_scan_between(scan, *stop);
		at = stop + 1;
	}
}

void
uri_scan_end(struct uri_scan *scan)
{
	uri_scan_break(scan);
	uri_scan_init(scan, scan->where, scan->sink);
}
