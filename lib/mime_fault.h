/*
 * mime_fault: in what ways the structure of a message can be broken, so that mail programs read
 * it differently.
 *
 * A set of them is a uint64_t with a bit each.
 */
#pragma once

#include <stdint.h>

enum mime_fault {
	MIME_BOUNDARY_MISSING, /* of a multipart; or it is empty or too long */
	MIME_BOUNDARY_TWICE,
	MIME_BOUNDARY_UNSEEN,
	MIME_END_MISSING,
	MIME_AFTER_END, /* a part behind the end of its multipart */
	MIME_TYPE_TWICE,
	MIME_TYPE_BAD,
	MIME_ENCODING_TWICE,
	MIME_ENCODING_UNKNOWN,
	MIME_ENCODING_CONTAINER, /* of a multipart or message, where none may be */
	MIME_DISPOSITION_TWICE,
	MIME_PARAMETER_TWICE,
	MIME_PARAMETER_BAD,
	MIME_NAME_ENCODED, /* by RFC 2047, where RFC 2231 holds */
	MIME_NAME_LONG,
	MIME_HEADER_BAD,
	MIME_HEADER_LONG,
	MIME_BASE64,
	MIME_BASE64_LINE,
	MIME_QUOTED_PRINTABLE,
	MIME_UUENCODE,
	MIME_CHARSET_UNKNOWN,
	MIME_CHARSET_BAD, /* bytes that are none of it */
	MIME_NUL,
	MIME_BARE_CR,
	MIME_TOO_DEEP,
	MIME_TOO_MANY,
	MIME_TRUNCATED,
	MIME_FAULTS
};

#define MIME_BIT(fault) ((uint64_t)1 << (fault))

/* The names of all, for tables. */
#define MIME_FAULT_NAMES                                                                           \
	"boundary_missing boundary_twice boundary_unseen end_missing after_end "                   \
	"type_twice type_bad encoding_twice encoding_unknown encoding_container "                  \
	"disposition_twice parameter_twice parameter_bad name_encoded name_long "                  \
	"header_bad header_long base64 base64_line quoted_printable uuencode "                     \
	"charset_unknown charset_bad nul bare_cr too_deep too_many truncated"

/* "boundary_twice" */
const char *mime_fault_name(enum mime_fault fault);

/* For people. */
const char *mime_fault_text(enum mime_fault fault);
