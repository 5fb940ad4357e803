#include "lib/mime_fault.h"

static const struct {
	const char *name, *text;
} mime_faults[MIME_FAULTS] = {
	[MIME_BOUNDARY_MISSING] = { "boundary_missing", "a multipart without a boundary" },
	[MIME_BOUNDARY_TWICE] = { "boundary_twice", "a multipart with two boundaries" },
	[MIME_BOUNDARY_UNSEEN] = { "boundary_unseen", "a multipart in which no part begins" },
	[MIME_END_MISSING] = { "end_missing", "a multipart that does not end" },
	[MIME_AFTER_END] = { "after_end", "a part behind the end of its multipart" },
	[MIME_TYPE_TWICE] = { "type_twice", "two fields Content-Type" },
	[MIME_TYPE_BAD] = { "type_bad", "a Content-Type that is none" },
	[MIME_ENCODING_TWICE] = { "encoding_twice", "two transfer encodings" },
	[MIME_ENCODING_UNKNOWN] = { "encoding_unknown", "a transfer encoding that nobody knows" },
	[MIME_ENCODING_CONTAINER] = { "encoding_container", "a multipart or message is encoded" },
	[MIME_DISPOSITION_TWICE] = { "disposition_twice", "two fields Content-Disposition" },
	[MIME_PARAMETER_TWICE] = { "parameter_twice", "a parameter stands twice" },
	[MIME_PARAMETER_BAD] = { "parameter_bad", "a parameter against the grammar" },
	[MIME_NAME_ENCODED] = { "name_encoded", "a file's name in encoded words" },
	[MIME_NAME_LONG] = { "name_long", "a file's name of more than 255 characters" },
	[MIME_HEADER_BAD] = { "header_bad", "a line in a header that is no field" },
	[MIME_HEADER_LONG] = { "header_long", "a line in a header of more than 998 characters" },
	[MIME_BASE64] = { "base64", "base64 that is cut off, or with other text in it" },
	[MIME_BASE64_LINE] = { "base64_line", "base64 in lines of more than 76 characters" },
	[MIME_QUOTED_PRINTABLE] = { "quoted_printable", "codes in quoted-printable that are none" },
	[MIME_UUENCODE] = { "uuencode", "uuencode without a beginning or an end" },
	[MIME_CHARSET_UNKNOWN] = { "charset_unknown", "a charset that nobody knows" },
	[MIME_CHARSET_BAD] = { "charset_bad", "text that is not in its charset" },
	[MIME_NUL] = { "nul", "NUL in the message" },
	[MIME_BARE_CR] = { "bare_cr", "CR without LF in the message" },
	[MIME_TOO_DEEP] = { "too_deep", "parts in parts beyond the limit" },
	[MIME_TOO_MANY] = { "too_many", "more parts than the limit" },
	[MIME_TRUNCATED] = { "truncated", "more text than the limit" },
};

const char *
mime_fault_name(enum mime_fault fault)
{
	return mime_faults[fault].name;
}

const char *
mime_fault_text(enum mime_fault fault)
{
	return mime_faults[fault].text;
}
