/*
 * unframe: the text of DATA or BDAT, turned into the message and into what the backend is sent.
 *
 * Fed with octets as they come, cut anywhere; the results are the same. In this order: the end
 * is found strictly on the raw octets (CRLF.CRLF, or .CRLF at the very beginning, and nothing
 * else), the stuffing is taken off (only behind a raw CRLF), then bare LF and bare CR become
 * CRLF, and for the wire each line that now begins with a dot is stuffed, also a line that only
 * the mending made (RFC 5321 2.3.8, 4.5.2).
 *
 * Two streams come out through the sink, in pieces:
 *   content: the message itself, for filters and for BDAT;
 *   wire: the same, stuffed for DATA, without the line of the final dot.
 * A piece lies in the input or is constant; it is borrowed for the call. A clean stretch of the
 * input is one piece. Where one of the functions is NULL that stream is not made.
 *
 * Modes for bare CR and LF:
 *   NORMALIZE mends them; REJECT too, and the caller looks at has_bare_lf and has_bare_cr when
 *   all is read (the end is still the true one); PASS leaves them (a line then begins behind
 *   CRLF only).
 * The octets of BDAT (UNFRAME_CHUNKS) have no stuffing and no end of their own: the caller
 * counts, and calls unframe_finish() behind the last chunk. With PASS and no content function
 * this is plain dot-stuffing of a finished message.
 *
 * State is a few octets; the unfinished CRLF.CRLF is held back in it, never a copy of the input.
 */
#pragma once

#include <stdint.h>

#include "lib/slice.h"

enum unframe_mode { UNFRAME_NORMALIZE, UNFRAME_REJECT, UNFRAME_PASS };
enum unframe_framing { UNFRAME_DATA, UNFRAME_CHUNKS };

struct unframe_sink {
	void (*wire)(void *arg, struct slice piece);
	void (*content)(void *arg, struct slice piece);
	void *arg;
};

struct unframe {
	uint64_t content_length; /* octets given to (or meant for) content so far */
	enum unframe_mode mode;
	enum unframe_framing framing;
	enum unframe_state {
		UNFRAME_LINE,   /* at the beginning of a raw line */
		UNFRAME_DOT,    /* held back: . at the beginning of a raw line */
		UNFRAME_DOT_CR, /* held back: . CR there */
		UNFRAME_TEXT,   /* within a line */
		UNFRAME_CR,     /* held back: CR */
		UNFRAME_DONE
	} state;
	bool is_line_start; /* the content is at the beginning of a line */
	bool had_bare_lf;
	bool had_bare_cr;
	bool had_nul;
	bool had_8bit;
};

void unframe_init(struct unframe *unframe, enum unframe_framing framing, enum unframe_mode mode);

/* Returns how many octets were used: all, or up to and with CRLF.CRLF. */
size_t unframe_feed(struct unframe *unframe, struct slice input, const struct unframe_sink *sink);

/* UNFRAME_CHUNKS only: the message is whole. A CR held back comes out; the wire gets a CRLF if it
 * does not end with one (DATA cannot say it otherwise), the content does not. */
void unframe_finish(struct unframe *unframe, const struct unframe_sink *sink);

static inline bool
unframe_is_done(const struct unframe *unframe)
{
	return unframe->state == UNFRAME_DONE;
}

/* Whether the text so far had line ends other than CRLF (for REJECT). */
static inline bool
unframe_is_impure(const struct unframe *unframe)
{
	return unframe->had_bare_lf || unframe->had_bare_cr;
}
