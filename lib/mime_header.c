#include "lib/mime_header.h"

#include "lib/utf8.h"

enum { LINE_MOST = 998, NAME_CHARACTERS = 255, NAME_HALF = 127, LABEL_MOST = 100 };

/* ---- what a field says ---- */

static void
mime_header_fault(struct mime_header *header, enum mime_fault fault)
{
	header->faults |= MIME_BIT(fault);
}

static void
mime_header_field_faults(struct mime_header *header, unsigned faults)
{
	if (faults & MIME_FIELD_TWICE)
		mime_header_fault(header, MIME_PARAMETER_TWICE);
	if (faults & (MIME_FIELD_SYNTAX | MIME_FIELD_GAP | MIME_FIELD_LONG | MIME_FIELD_NUL))
		mime_header_fault(header, MIME_PARAMETER_BAD);
	if (faults & MIME_FIELD_ENCODED)
		mime_header_fault(header, MIME_NAME_ENCODED);
}

/* In lower case, without what is not graphic; cut off at room - 1. */
static void
mime_header_word(char *out, size_t room, struct slice word)
{
	size_t length = 0;

	for (size_t i = 0; i < word.length && length + 1 < room; i++) {
		char byte = word.data[i];

		if (byte > ' ' && byte < 0x7f)
			out[length++] = byte >= 'A' && byte <= 'Z' ? (char)(byte | 0x20) : byte;
	}
	out[length] = '\0';
}

static void
mime_header_boundaries(struct mime_header *header)
{
	char value[MIME_FIELD_VALUE];
	size_t length;

	for (unsigned which = 0; which < MIME_BOUNDARIES; which++) {
		if (!mime_field_value(
			&header->field, "boundary", which, true, value, sizeof(value), &length))
			return;
		while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t'))
			length--;
		if (length == 0 || length > MIME_BOUNDARY || header->boundaries == MIME_BOUNDARIES)
			continue;
		struct mime_boundary *boundary = &header->boundary[header->boundaries++];

		boundary->length = (uint16_t)length;
		memcpy(boundary->data, value, length);
		if (header->boundaries > 1)
			mime_header_fault(header, MIME_BOUNDARY_TWICE);
	}
}

/* Of a name that is too long the middle goes: how it begins is shown, how it ends is its type. */
static size_t
mime_header_cut_name(char *name, size_t length)
{
	size_t starts[MIME_FIELD_VALUE], count = 0;

	for (size_t i = 0; i < length; i++)
		if (((uint8_t)name[i] & 0xc0) != 0x80)
			starts[count++] = i;
	if (count <= NAME_CHARACTERS)
		return length;
	size_t end = starts[count - NAME_HALF - 1];

	memmove(name + starts[NAME_HALF], name + end, length - end);
	return starts[NAME_HALF] + length - end;
}

static void
mime_header_name(struct mime_header *header, const char *parameter)
{
	char value[MIME_FIELD_VALUE];
	size_t length, cut;

	if (!mime_field_value(&header->field, parameter, 0, false, value, sizeof(value), &length) ||
	    length == 0)
		return;
	cut = mime_header_cut_name(value, length);
	if (cut < length)
		mime_header_fault(header, MIME_NAME_LONG);
	memcpy(header->name, value, cut);
	header->name[cut] = '\0';
}

/* Which of two types is taken: what has parts in it, as these are searched as well as it is. */
static unsigned
mime_header_rank(const char *type)
{
	if (strncmp(type, "multipart/", 10) == 0)
		return 2;
	return strcmp(type, "message/rfc822") == 0 || strcmp(type, "message/global") == 0;
}

static bool
mime_header_is_html(const char *type)
{
	return strcmp(type, "text/html") == 0 || strcmp(type, "application/xhtml+xml") == 0 ||
	    strcmp(type, "image/svg+xml") == 0;
}

static bool
mime_header_parameter(struct mime_header *header, const char *name, char *out, size_t room)
{
	char value[MIME_FIELD_VALUE];
	size_t length;

	if (!mime_field_value(&header->field, name, 0, true, value, sizeof(value), &length))
		return false;
	mime_header_word(out, room, (struct slice) { value, length });
	return true;
}

static void
mime_header_take_type(struct mime_header *header)
{
	struct mime_field *field = &header->field;
	const char *slash = memchr(field->token.data, '/', field->token.length);
	char type[MIME_TYPE], format[MIME_WORD] = "", delsp[MIME_WORD] = "";
	bool is_bad = slash == NULL || slash == field->token.data ||
	    slash + 1 == field->token.data + field->token.length ||
	    memchr(field->token.data, ' ', field->token.length) != NULL;

	mime_header_word(type, sizeof(type), field->token);
	if (is_bad || field->faults & MIME_FIELD_NUL) {
		mime_header_fault(header, MIME_TYPE_BAD);
		header->is_doubtful = true;
	}
	if (is_bad && slash == NULL)
		strcpy(type, strncmp(type, "multipart", 9) == 0 ? "multipart/mixed" : "text/plain");
	mime_header_boundaries(header);
	header->is_html |= mime_header_is_html(type);
	if (header->is_typed) {
		mime_header_fault(header, MIME_TYPE_TWICE);
		header->is_doubtful = true;
		if (mime_header_rank(type) <= mime_header_rank(header->type))
			return;
	}
	header->is_typed = true;
	strcpy(header->type, type);
	mime_header_parameter(header, "charset", header->charset, sizeof(header->charset));
	mime_header_parameter(header, "format", format, sizeof(format));
	mime_header_parameter(header, "delsp", delsp, sizeof(delsp));
	header->is_flowed = strcmp(format, "flowed") == 0;
	header->is_delsp = strcmp(delsp, "yes") == 0;
	if (!header->has_file_name)
		mime_header_name(header, "name");
}

static void
mime_header_take_encoding(struct mime_header *header)
{
	enum decode_encoding decoding = DECODE_NONE;
	char word[MIME_WORD];

	mime_header_word(word, sizeof(word), header->field.token);
	if (!decode_find(slice_of(word), &decoding) || header->is_quoted) {
		mime_header_fault(header, MIME_ENCODING_UNKNOWN);
		header->has_second_decoding = true;
	}
	if (!header->has_encoding) {
		strcpy(header->encoding, word);
		header->decoding = decoding;
		header->has_encoding = true;
		return;
	}
	mime_header_fault(header, MIME_ENCODING_TWICE);
	if (decoding == header->decoding)
		return;
	header->has_second_decoding = true;
	if (header->decoding != DECODE_NONE) {
		header->second_decoding = decoding;
		return;
	}
	header->decoding = decoding;
	strcpy(header->encoding, word);
}

static void
mime_header_take_disposition(struct mime_header *header)
{
	if (header->has_disposition) {
		mime_header_fault(header, MIME_DISPOSITION_TWICE);
		if (header->has_file_name)
			return;
	} else {
		mime_header_word(
		    header->disposition, sizeof(header->disposition), header->field.token);
	}
	header->has_disposition = true;
	char before[MIME_NAME];

	strcpy(before, header->name);
	header->name[0] = '\0';
	mime_header_name(header, "filename");
	header->has_file_name = header->name[0] != '\0';
	if (!header->has_file_name)
		strcpy(header->name, before);
}

/* The field that is held. */
static void
mime_header_take(struct mime_header *header)
{
	enum mime_header_wanted wanted = header->wanted;

	header->wanted = MIME_HEADER_NONE;
	if (wanted == MIME_HEADER_NONE)
		return;
	if (header->text.overflowed)
		mime_header_fault(header, MIME_HEADER_LONG);
	header->is_quoted = memchr(header->text.data, '"', header->text.length) != NULL ||
	    memchr(header->text.data, '(', header->text.length) != NULL;
	mime_field_read(&header->field, header->text.data, header->text.length);
	if (wanted == MIME_HEADER_TYPE)
		mime_header_take_type(header);
	else if (wanted == MIME_HEADER_ENCODING)
		mime_header_take_encoding(header);
	else
		mime_header_take_disposition(header);
	mime_header_field_faults(header, header->field.faults);
	buf_clear(&header->text);
}

/* ---- lines ---- */

static enum mime_header_wanted
mime_header_find(struct slice name)
{
	if (slice_matches(name, "content-type"))
		return MIME_HEADER_TYPE;
	if (slice_matches(name, "content-transfer-encoding"))
		return MIME_HEADER_ENCODING;
	return slice_matches(name, "content-disposition") ? MIME_HEADER_DISPOSITION
							  : MIME_HEADER_NONE;
}

/* A line up to its colon. */
static void
mime_header_begin_field(struct mime_header *header)
{
	struct slice name = buf_slice(&header->text);
	bool is_bad = false;

	while (name.length > 0 &&
	    (name.data[name.length - 1] == ' ' || name.data[name.length - 1] == '\t')) {
		name.length--;
		mime_header_fault(header, MIME_HEADER_BAD);
	}
	for (size_t i = 0; i < name.length; i++)
		is_bad |= name.data[i] <= ' ' || name.data[i] == 0x7f;
	if (name.length == 0 || is_bad) {
		mime_header_fault(header, MIME_HEADER_BAD);
		if (!header->is_junk)
			header->junk = buf_slice(&header->text);
		header->is_junk = true;
	}
	header->wanted = mime_header_find(name);
	buf_clear(&header->text);
	header->state = header->wanted == MIME_HEADER_NONE ? MIME_HEADER_SKIP : MIME_HEADER_VALUE;
}

/* mbox has a line of its own before each message. */
static bool
mime_header_is_envelope(const struct mime_header *header)
{
	struct slice text = buf_slice(&header->text);

	return header->is_first && text.length >= 5 &&
	    (memcmp(text.data, "From ", 5) == 0 ||
		(text.length >= 6 && memcmp(text.data, ">From ", 6) == 0));
}

/* Nothing but blanks, where a field should be: many programs look behind it. */
static bool
mime_header_is_blank(const struct mime_header *header)
{
	return slice_is_blank(buf_slice(&header->text));
}

/* A line without a colon: it is none of the header. */
static void
mime_header_stop(struct mime_header *header)
{
	mime_header_fault(header, MIME_HEADER_BAD);
	header->left = buf_slice(&header->text);
	header->is_done = true;
}

static void
mime_header_name_byte(struct mime_header *header, char byte)
{
	if (byte == ':') {
		if (mime_header_is_envelope(header)) {
			buf_clear(&header->text);
			header->state = MIME_HEADER_SKIP;
		} else {
			mime_header_begin_field(header);
		}
		return;
	}
	buf_append_byte(&header->text, byte);
	if (byte != '\n' && header->text.length < MIME_HEADER_LINE)
		return;
	if (byte == '\n' && header->is_first && mime_header_is_blank(header)) {
		mime_header_fault(header, MIME_HEADER_BAD);
	} else if (!mime_header_is_envelope(header)) {
		mime_header_stop(header);
		return;
	}
	buf_clear(&header->text);
	header->state = byte == '\n' ? MIME_HEADER_START : MIME_HEADER_SKIP;
}

static void
mime_header_start_byte(struct mime_header *header, char byte)
{
	bool is_blank = byte == ' ' || byte == '\t';

	header->line = 1;
	if (is_blank && !header->is_first) {
		buf_append_byte(&header->text, byte);
		header->state =
		    header->wanted == MIME_HEADER_NONE ? MIME_HEADER_SKIP : MIME_HEADER_VALUE;
		if (header->state == MIME_HEADER_SKIP)
			buf_clear(&header->text);
		return;
	}
	mime_header_take(header);
	if (byte == '\n') {
		header->is_done = true;
	} else if (byte == '\r') {
		header->state = MIME_HEADER_CR;
	} else {
		header->state = MIME_HEADER_NAME;
		mime_header_name_byte(header, byte);
	}
}

/* The rest of a line of a field; how much of the input. */
static size_t
mime_header_rest(struct mime_header *header, struct slice input)
{
	const char *end = memchr(input.data, '\n', input.length);
	size_t length = end != NULL ? (size_t)(end - input.data) + 1 : input.length;

	if (header->state == MIME_HEADER_VALUE) {
		struct slice piece = { input.data, length };

		if (piece.length > buf_room(&header->text) && !header->text.overflowed) {
			piece.length = buf_room(&header->text);
			buf_append(&header->text, piece);
			piece.length = length;
		}
		buf_append(&header->text, piece);
	}
	header->line += length;
	if (header->line > LINE_MOST + 2)
		mime_header_fault(header, MIME_HEADER_LONG);
	if (end != NULL) {
		header->state = MIME_HEADER_START;
		header->is_first = false;
	}
	return length;
}

size_t
mime_header_feed(struct mime_header *header, struct slice input)
{
	bool was_junk = header->is_junk;
	size_t i = 0;

	while (i < input.length && !header->is_done && header->is_junk == was_junk) {
		switch (header->state) {
		case MIME_HEADER_START:
			mime_header_start_byte(header, input.data[i++]);
			break;
		case MIME_HEADER_CR:
			if (input.data[i] == '\n') {
				header->is_done = true;
				i++;
				break;
			}
			header->state = MIME_HEADER_NAME;
			mime_header_name_byte(header, '\r');
			break;
		case MIME_HEADER_NAME:
			header->line++;
			mime_header_name_byte(header, input.data[i++]);
			break;
		case MIME_HEADER_VALUE:
		case MIME_HEADER_SKIP:
			i += mime_header_rest(
			    header, (struct slice) { input.data + i, input.length - i });
			break;
		}
	}
	return i;
}

/* ---- begin and end ---- */

void
mime_header_begin(struct mime_header *header, const char *type)
{
	struct buf text = header->text;

	memset(header, 0, offsetof(struct mime_header, boundary));
	memset(&header->boundaries, 0,
	    sizeof(*header) - offsetof(struct mime_header, boundaries) - sizeof(header->field));
	strcpy(header->type, type);
	text.limit = MIME_HEADER_FIELD;
	buf_clear(&text);
	header->text = text;
	header->is_first = true;
}

void
mime_header_end(struct mime_header *header)
{
	if (header->is_done)
		return;
	if (header->state == MIME_HEADER_NAME && !mime_header_is_envelope(header)) {
		mime_header_stop(header);
		return;
	}
	if (header->state == MIME_HEADER_CR)
		header->left = (struct slice) { "\r", 1 };
	mime_header_take(header);
	header->is_done = true;
}

void
mime_header_free(struct mime_header *header)
{
	buf_free(&header->text);
}
