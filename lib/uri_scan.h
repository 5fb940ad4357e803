/*
 * uri_scan: the addresses in running text, fed in pieces.
 *
 * What counts is what mail programs make a link of: scheme://host with a scheme of the web,
 * whatever letters are glued to its front; a bare name whose last label is a top level of the DNS;
 * the domain of a mail address, as URI_IS_MAIL. Punctuation, quotes and brackets of any script end
 * an address. Names that are as likely those of files are URI_IS_FILE. A host that was cut by the
 * end of a long line, or within angle brackets, is also told with what follows on the next line,
 * as URI_IS_JOINED (RFC 3986 appendix C).
 *
 * Input is UTF-8. Words are looked at whole; of one longer than WORD_MOST each piece, with an
 * overlap. What is told does not depend on how the input is cut. The struct is all the memory.
 */
#pragma once

#include "lib/uri.h"

enum { URI_SCAN_WORD_MOST = 4096, URI_SCAN_OVERLAP = 512, URI_SCAN_JOIN_MOST = 256 };

/* The members but for the first two are the scanner's own. */
struct uri_scan {
	const struct uri_sink *sink;
	unsigned int flags; /* added to all that is told; to be changed between words only */
	enum uri_where where;

	size_t length;        /* of the word */
	unsigned int seen;    /* kinds of characters in it */
	bool is_torn;         /* its beginning was looked at before */
	bool is_in_authority; /* that beginning ended between // and the host */

	size_t column;
	bool is_in_angle;
	size_t cut_length; /* of the host at the end of a line */
	bool is_cut;       /* the line has ended behind it */

	char word[URI_SCAN_WORD_MOST]; /* as far as length, and cut likewise */
	char cut[URI_SCAN_JOIN_MOST];
};

void uri_scan_init(struct uri_scan *scan, enum uri_where where, const struct uri_sink *sink);
void uri_scan_feed(struct uri_scan *scan, struct slice text);
void uri_scan_end(struct uri_scan *scan);   /* of the text; as after init, then */
void uri_scan_break(struct uri_scan *scan); /* the word ends here */
