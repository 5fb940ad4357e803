/*
 * flowed: paragraphs out of lines (RFC 3676, format=flowed), in pieces of any size.
 *
 * A line that ends with a blank goes on in the next one, where that is quoted as deeply; so an
 * address that is cut between two lines is whole again. Stuffed blanks at the beginning of lines
 * go, quotation marks stay at the beginning of each paragraph.
 */
#pragma once

#include "lib/charset.h"

struct flowed {
	bool is_delsp; /* the blank at the end of a line is no text (delsp=yes) */
	charset_sink sink;
	void *arg;

	bool is_within; /* behind quotation marks and stuffing */
	bool has_blank; /* held: a blank */
	bool has_cr;    /* held: a CR */
	bool is_soft;   /* held: the end of the last line, and the blank before it */
	bool is_soft_crlf;
	unsigned depth, last_depth; /* of quotation */
	unsigned signature; /* of "-- ": how much of it the line is so far; 4: another line */
};

/* The rest of the struct is zero at first. */
void flowed_feed(struct flowed *flowed, struct slice text);
void flowed_end(struct flowed *flowed);
