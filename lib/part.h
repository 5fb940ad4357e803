/*
 * part: a piece of a message, as a reader of mail would take it out (RFC 2045, 2046).
 *
 * A leaf has content; a container (multipart, message/rfc822) has parts in it. Paths are as in
 * IMAP, but that the message itself is "1": its second part is "1.2", and a message in that one
 * "1.2.1".
 *
 * is_raw: not what a mail program is meant to show, but what one may show of a broken message:
 * the body of a part whose fields can be read in two ways, taken in the other way; what lies
 * before, between and behind parts; what is beyond a limit. Its type is text/plain. It is worth
 * to be searched. At any time at most one leaf is open, and besides it at most one raw one; who
 * keeps something for a part that is open keeps two of it, by is_raw.
 *
 * Strings are never NULL; "" stands for none. Peers wrote them: any byte but NUL and control
 * characters may be in there, and name is valid UTF-8. All of it is borrowed for the call.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/slice.h"

struct part {
	const char *path;
	const char *type;        /* lower case, "text/html" */
	const char *charset;     /* lower case, the label as it was written */
	const char *name;        /* of the file, decoded */
	const char *encoding;    /* lower case, "base64"; "" for 7bit */
	const char *disposition; /* lower case, "attachment" */
	uint64_t size;           /* decoded, as far as it came by; of leaves */
	unsigned depth;          /* 1: the message itself */
	bool is_container;
	bool is_text; /* its content is given as text, too */
	bool is_html; /* that text is the source of HTML (or of SVG) */
	bool is_raw;
	bool is_attachment; /* a leaf that a mail program offers as a file */
	bool is_truncated;  /* the rest of its text was left out */
};
