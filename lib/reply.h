/*
 * reply: the answers of a backend, taken in and passed on.
 *
 * A reply_reader reads one reply, however it is cut. What is whole is taken from the input, an
 * unfinished line stays there (so the input must be able to hold REPLY_LINE_MOST + 2 octets);
 * what follows the reply stays there too, for the caller to see: behind the answer to the final
 * dot there may be nothing. Memory is taken from the arena line by line while a reply comes in;
 * a reader that waits for one costs its struct.
 *
 * Read: three digits, the first from 2 to 5, and a blank or hyphen or nothing; the same code in
 * every line; lines end with CRLF or LF. Anything else is REPLY_BAD: the backend's session is
 * out of step then and must be dropped, the client gets 4yz. Control characters in the text
 * become '?' (also a bare CR, so that no text can become a line of its own); octets from 128
 * are left as they are.
 *
 * Limits: a line is cut at 2048 octets; more than 100 lines or 64 KiB are REPLY_BAD.
 *
 * RFC 5321 4.2 and 4.5.3.1.5, RFC 2034.
 */
#pragma once

#include <stdint.h>

#include "lib/arena.h"

enum {
	REPLY_LINE_MOST = 2048,
	REPLY_LINES_MOST = 100,
	REPLY_MOST = 64 * 1024,
	REPLY_CLIENT_LINE = 512 /* with CRLF: RFC 5321 4.5.3.1.5 */
};

struct reply {
	int code;
	size_t count;        /* at least 1 */
	struct slice *lines; /* texts behind the code and its blank or hyphen */
};

enum reply_result { REPLY_NEED_MORE, REPLY_DONE, REPLY_BAD };

struct reply_line;

struct reply_reader {
	struct reply reply;  /* set when DONE */
	const char *why_bad; /* set when BAD: for the log */
	struct arena *arena;
	struct reply_line *newest;
	size_t octets;
	bool is_cut;   /* within the rest of a line over REPLY_LINE_MOST */
	bool is_final; /* that line is the last one */
};

/* For the next reply; its lines live in the arena. Each reply takes a few dozen octets of it. */
void reply_reader_init(struct reply_reader *reader, struct arena *arena);

/* *used is to be taken off the input with every result. After DONE or BAD: init again. */
enum reply_result reply_read(struct reply_reader *reader, struct slice input, size_t *used);

/* A reply of one line, of our own making; text is borrowed. */
struct reply *reply_new(struct arena *arena, int code, const char *text);

/* The enhanced code at the beginning of the first line ("5.1.1"), of the class of the reply's
 * code; else length 0. */
struct slice reply_enhanced(const struct reply *reply);

/* All lines for the client, CRLF and all: those over 512 octets are continued in further lines,
 * which begin with the enhanced code again. */
struct slice reply_format(struct arena *arena, const struct reply *reply);

/* The same under another code (a 552 to RCPT that is said as 452, for example), 200 to 599; the
 * class of the enhanced code follows. */
struct slice reply_format_as(struct arena *arena, const struct reply *reply, int code);
