/*
 * mime_field: a structured field of MIME, taken apart (RFC 2045 5.1, RFC 2183, RFC 2231).
 *
 *	Content-Type: text/plain; charset=utf-8; name*0*=utf-8''r%C3%A9; name*1=sum.txt
 *
 * mime_field_read() works in the caller's buffer, in which it unfolds and unquotes; the slices
 * point there. mime_field_value() puts a parameter together from the pieces in which it may
 * stand, and decodes it. Where a parameter stands twice the first counts.
 *
 * What is wrong with a field is noted in faults: different programs then read different values.
 */
#pragma once

#include "lib/slice.h"

enum mime_field_fault {
	MIME_FIELD_SYNTAX = 1 << 0,  /* other than the grammar has it: blanks without quotes ... */
	MIME_FIELD_TWICE = 1 << 1,   /* a parameter or a piece of it stands twice */
	MIME_FIELD_GAP = 1 << 2,     /* a piece of a value is missing; what follows is left out */
	MIME_FIELD_ENCODED = 1 << 3, /* an encoded word in a value */
	MIME_FIELD_LONG = 1 << 4,    /* too many parameters, or cut off */
	MIME_FIELD_NUL = 1 << 5
};

enum { MIME_FIELD_MOST = 64, MIME_FIELD_VALUE = 2048 };

struct mime_field {
	struct slice token; /* before the first semicolon, without blanks and comments */
	size_t count;
	struct {
		struct slice name, value;
	} params[MIME_FIELD_MOST];
	unsigned faults; /* enum mime_field_fault */
};

/* text: the value of the field, of length; it is changed. */
void mime_field_read(struct mime_field *field, char *text, size_t length);

/*
 * The value of a parameter, decoded into UTF-8 without control characters, cut off at room
 * (MIME_FIELD_VALUE is enough). is_raw: no encoded words in it. which: 0 the one that
 * counts, 1 the next of the same name (plain ones only). False: it has none. The length goes to *length.
 */
bool mime_field_value(struct mime_field *field, const char *name, unsigned which, bool is_raw,
    char *out, size_t room, size_t *length);
