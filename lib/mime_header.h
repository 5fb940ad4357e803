/*
 * mime_header: the fields of a part, as far as they say how to read it.
 *
 * Fed in pieces of any size; only a field that counts is held, and of it the first 64 KiB.
 * mime_header_feed() ends behind the empty line, or at the first line that is none of a header
 * (there is no colon in it): then that line is in `left` and belongs to the body.
 *
 * What the fields say is in the struct once is_done. Where they say two things that mail
 * programs choose from differently, both are there: further boundaries, a second encoding.
 */
#pragma once

#include <stdint.h>

#include "lib/buf.h"
#include "lib/decode.h"
#include "lib/mime_fault.h"
#include "lib/mime_field.h"

enum {
	MIME_TYPE = 96,
	MIME_WORD = 64,
	MIME_NAME = 1024, /* bytes of up to 255 characters */
	MIME_BOUNDARY = 998,
	MIME_BOUNDARIES = 4,
	MIME_HEADER_LINE = 1200,
	MIME_HEADER_FIELD = 64 * 1024
};

struct mime_boundary {
	uint16_t length;
	char data[MIME_BOUNDARY];
};

struct mime_header {
	char type[MIME_TYPE], charset[MIME_WORD], disposition[MIME_WORD], encoding[MIME_WORD];
	char name[MIME_NAME];
	struct mime_boundary boundary[MIME_BOUNDARIES];
	size_t boundaries;
	enum decode_encoding decoding, second_decoding;
	bool has_second_decoding;
	bool is_html;     /* by one of its types */
	bool is_doubtful; /* its type can be read in more than one way */
	bool is_flowed, is_delsp;
	bool is_junk; /* a line of it is read as text by some */
	uint64_t faults;

	bool is_done;
	struct slice left;
	struct slice junk; /* the beginning of the first line that is junk, without its colon */

	enum mime_header_state {
		MIME_HEADER_START, /* of a line */
		MIME_HEADER_CR,    /* behind a CR there */
		MIME_HEADER_NAME,
		MIME_HEADER_VALUE,
		MIME_HEADER_SKIP /* a field that does not count */
	} state;
	enum mime_header_wanted {
		MIME_HEADER_NONE,
		MIME_HEADER_TYPE,
		MIME_HEADER_ENCODING,
		MIME_HEADER_DISPOSITION
	} wanted;
	bool is_first;
	bool has_encoding, has_disposition, has_file_name;
	bool is_typed;
	bool is_quoted;  /* the field: there are quotes or comments in it */
	size_t line;     /* length so far */
	struct buf text; /* of the line or field under way */
	struct mime_field field;
};

/* All of it anew; keeps its memory. text is zero at first. type: if the fields say none. */
void mime_header_begin(struct mime_header *header, const char *type);

/*
 * How many bytes it has taken: all of them, unless is_done is set then, or is_junk for the first
 * time (the rest is to be fed again). What is_junk stands for begins with `junk`, and goes on to
 * the end.
 */
size_t mime_header_feed(struct mime_header *header, struct slice input);

/* There is no more: what was begun counts. */
void mime_header_end(struct mime_header *header);
void mime_header_free(struct mime_header *header);
