/*
 * header: the fields at the head of a message.
 *
 * header_end_feed() finds in a stream where the header block ends: behind the first empty line.
 * The caller gathers what belongs to it (bounded), and reads the block with the other functions,
 * which look at it from its beginning each time and keep nothing.
 *
 * Lines end with CRLF; a bare LF (of a message that was passed unmended) ends one too, so that no
 * field can hide from a backend that sees it so. Fields come in their order, broken ones too,
 * flagged in what way: such a line is no field to some readers and one to others. Names compare
 * without case. Slices point into the block.
 *
 * RFC 5322 2.2, 2.2.3 and 3.6.8.
 */
#pragma once

#include "lib/slice.h"

enum header_fault {
	HEADER_NO_COLON = 1 << 0,   /* a line without a colon; name is empty, value the line */
	HEADER_ORPHAN = 1 << 1,     /* a folded line where none was begun; the same */
	HEADER_BLANK_NAME = 1 << 2, /* "Subject : x"; the name is without the blanks */
	HEADER_BAD_NAME = 1 << 3,   /* empty, or other than graphic ASCII in the name */
	HEADER_CONTROL = 1 << 4     /* a NUL or bare CR in the field */
};

struct header_field {
	struct slice name;
	struct slice value;  /* behind the colon, folding and blanks as they are, no line end */
	struct slice whole;  /* all lines of it, with their ends */
	unsigned int faults; /* enum header_fault */
};

/* The field at *offset (0 at first), which moves behind it. False at the empty line or the end
 * of the block; *offset stays there. */
bool header_next(struct slice block, size_t *offset, struct header_field *field);

/* The next field of that name from *offset on; as header_next(). Broken fields count when they
 * have that name, but for HEADER_BAD_NAME. */
bool header_find(struct slice block, size_t *offset, const char *name, struct header_field *field);

size_t header_count(struct slice block, const char *name);

/* The faults of all fields together. */
unsigned int header_faults(struct slice block);

/* The value in one line: the line ends of the folding go, blanks at both ends too; NUL and bare
 * CR become blanks. Returns the length; out is not ended by a NUL. What does not fit into room
 * is cut off. */
size_t header_unfold(struct slice value, char *out, size_t room);

struct header_end {
	enum header_end_state { HEADER_END_LINE, HEADER_END_TEXT, HEADER_END_CR } state;
	bool is_found;
};

/* All zero to begin with. Returns how many octets of input belong to the header block, with the
 * empty line that ends it (is_found is set then, and what follows is the body). */
size_t header_end_feed(struct header_end *end, struct slice input);
