/*
 * mime: a message taken apart while it comes in.
 *
 * mime_feed() gets the message in pieces of any size and tells the sink of its parts, in their
 * order (lib/part.h). What is told does not hang on how the message is cut; only the pieces of
 * data and text may be other ones. Memory is constant, some 60 KiB, and up to 128 KiB more while
 * a field of that length is read. Nothing recurses by the depth of the input.
 *
 * How it is read, where mail programs differ (RFC 2045 to 2047, 2231, 3676):
 *
 *   - A delimiter is a whole line, but for blanks at its end; the longest boundary wins, the
 *     innermost of equal ones. That of an outer multipart ends all inner ones.
 *   - Of several boundaries each makes parts. A part may follow the end of its multipart.
 *   - Encoded multiparts and messages are decoded and then read; a multipart that is not
 *     encoded after all is read as it is.
 *   - A file whose name ends in .eml, .nws, .mht or .mhtml is a message; in .htm, .html, .xhtml,
 *     .shtml, .stm, .svg, .hta or .htc, HTML.
 *   - What can be read in two ways is given in the second way too, by a part that is_raw.
 *
 * What is broken is in faults; each fault has the path of the part where it was first.
 *
 * mime_new() makes it in an arena, which sees to its end.
 */
#pragma once

#include "lib/arena.h"
#include "lib/mime_fault.h"
#include "lib/part.h"

enum {
	MIME_DEPTH = 50, /* containers in each other */
	MIME_PARTS = 1000,
	MIME_LAYERS = 4, /* encoded containers in each other */
	MIME_PATH = 320,
	MIME_FIRST = 48,     /* of the path with a fault, with its NUL */
	MIME_TEXT = 16 << 20 /* bytes of text of a part; the rest is not given */
};

/* Any may be NULL. */
struct mime_sink {
	void (*part_begin)(void *arg, const struct part *part);
	void (*data)(void *arg, const struct part *part, struct slice bytes); /* not of raw ones */
	void (*text)(void *arg, const struct part *part, struct slice text);
	void (*part_end)(void *arg, const struct part *part);
	void *arg;
};

struct mime;

struct mime *mime_new(struct arena *arena, const struct mime_sink *sink);
void mime_feed(struct mime *mime, struct slice bytes);

/* The message is whole. Saying it again changes nothing. */
void mime_end(struct mime *mime);

uint64_t mime_faults(const struct mime *mime);
const char *mime_fault_path(const struct mime *mime, enum mime_fault fault);
unsigned mime_count(const struct mime *mime); /* of parts, containers too, raw ones not */
unsigned mime_depth(const struct mime *mime); /* of the deepest part; 1: only the message */
