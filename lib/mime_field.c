#include "lib/mime_field.h"

#include <assert.h>

#include "lib/charset.h"
#include "lib/encoded_word.h"
#include "lib/utf8.h"

/* ---- reading: in place, as nothing becomes longer ---- */

struct mime_field_text {
	char *data;
	size_t length;
	size_t at; /* read so far */
	unsigned faults;
};

static bool
mime_field_is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n' || byte == '\0';
}

/* Behind a comment, which may hold further ones. */
static void
mime_field_comment(struct mime_field_text *text)
{
	unsigned depth = 0;

	for (; text->at < text->length; text->at++) {
		char byte = text->data[text->at];

		if (byte == '\\' && text->at + 1 < text->length)
			text->at++;
		else if (byte == '(')
			depth++;
		else if (byte == ')' && --depth == 0)
			break;
	}
	if (text->at == text->length)
		text->faults |= MIME_FIELD_SYNTAX;
	else
		text->at++;
}

static void
mime_field_skip(struct mime_field_text *text)
{
	while (text->at < text->length) {
		if (text->data[text->at] == '(')
			mime_field_comment(text);
		else if (mime_field_is_blank(text->data[text->at]))
			text->at++;
		else
			break;
	}
}

/* At the quotation mark; what is within goes to *end. */
static void
mime_field_quoted(struct mime_field_text *text, size_t *end)
{
	for (text->at++; text->at < text->length; text->at++) {
		char byte = text->data[text->at];

		if (byte == '"') {
			text->at++;
			return;
		}
		if (byte == '\\' && text->at + 1 < text->length)
			byte = text->data[++text->at];
		else if (byte == '\r' || byte == '\n')
			continue;
		text->data[(*end)++] = byte;
	}
	text->faults |= MIME_FIELD_SYNTAX;
}

/*
 * Up to a semicolon (or stop). Blanks within are kept, one each, and are wrong, as are quotes
 * that do not enclose all of it; a comment stands behind a blank.
 */
static struct slice
mime_field_word(struct mime_field_text *text, char stop)
{
	size_t begin, end;
	bool is_after_blank = false, is_first = true;

	mime_field_skip(text);
	begin = end = text->at;
	for (; text->at < text->length; is_first = false) {
		char byte = text->data[text->at];

		if (byte == ';' || byte == stop)
			break;
		if (mime_field_is_blank(byte)) {
			mime_field_skip(text);
			is_after_blank = true;
			continue;
		}
		if (!is_first && (is_after_blank || byte == '"'))
			text->faults |= MIME_FIELD_SYNTAX;
		if (is_after_blank)
			text->data[end++] = ' ';
		is_after_blank = false;
		if (byte == '"') {
			mime_field_quoted(text, &end);
			continue;
		}
		text->data[end++] = byte;
		text->at++;
	}
	return (struct slice) { text->data + begin, end - begin };
}

void
mime_field_read(struct mime_field *field, char *data, size_t length)
{
	struct mime_field_text text = { .data = data, .length = length };

	if (memchr(data, '\0', length) != NULL)
		text.faults |= MIME_FIELD_NUL;
	field->token = mime_field_word(&text, ';');
	field->count = 0;
	while (text.at < text.length && field->count < MIME_FIELD_MOST) {
		struct slice value = { "", 0 }, name;

		text.at++;
		name = mime_field_word(&text, '=');
		if (text.at < text.length && text.data[text.at] == '=') {
			text.at++;
			value = mime_field_word(&text, ';');
		} else if (name.length > 0) {
			text.faults |= MIME_FIELD_SYNTAX;
		}
		if (name.length == 0)
			continue;
		field->params[field->count].name = name;
		field->params[field->count++].value = value;
	}
	if (text.at < text.length)
		text.faults |= MIME_FIELD_LONG;
	field->faults = text.faults;
}

/* ---- values ---- */

struct mime_field_join {
	char data[MIME_FIELD_VALUE];
	size_t length;
	struct slice label;
	bool is_cut;
};

static void
mime_field_add(struct mime_field_join *join, char byte)
{
	if (join->length < sizeof(join->data))
		join->data[join->length++] = byte;
	else
		join->is_cut = true;
}

static int
mime_field_hex(char byte)
{
	const char *digits = "0123456789abcdef";
	const char *at = byte != '\0' ? strchr(digits, byte | 0x20) : NULL;

	return at != NULL ? (int)(at - digits) : -1;
}

/* A piece with percents; the first one has charset'language' before it. */
static void
mime_field_add_extended(struct mime_field_join *join, struct slice value, bool is_first)
{
	size_t i = 0;
	const char *mark = is_first ? memchr(value.data, '\'', value.length) : NULL;

	if (mark != NULL) {
		size_t label = (size_t)(mark - value.data);
		const char *second = memchr(mark + 1, '\'', value.length - label - 1);

		if (second != NULL) {
			join->label = (struct slice) { value.data, label };
			i = (size_t)(second + 1 - value.data);
		}
	}
	for (; i < value.length; i++) {
		int high = -1, low = -1;

		if (value.data[i] == '%' && i + 2 < value.length) {
			high = mime_field_hex(value.data[i + 1]);
			low = mime_field_hex(value.data[i + 2]);
		}
		if (high >= 0 && low >= 0) {
			mime_field_add(join, (char)(high << 4 | low));
			i += 2;
		} else {
			mime_field_add(join, value.data[i]);
		}
	}
}

/* Behind the name: "" plain, "*" extended, "*3", "*3*" pieces. */
struct mime_field_form {
	bool is_extended;
	bool is_piece;
	unsigned number;
};

static bool
mime_field_form(struct slice written, const char *name, struct mime_field_form *form)
{
	size_t length = strlen(name);

	*form = (struct mime_field_form) { 0 };
	if (written.length < length || strncasecmp(written.data, name, length) != 0)
		return false;
	if (written.length > length && written.data[written.length - 1] == '*') {
		form->is_extended = true;
		written.length--;
	}
	if (written.length == length)
		return true;
	if (written.data[length] != '*' || written.length == length + 1 ||
	    written.length > length + 4)
		return false;
	form->is_piece = true;
	for (size_t i = length + 1; i < written.length; i++) {
		if (written.data[i] < '0' || written.data[i] > '9')
			return false;
		form->number = form->number * 10 + (unsigned)(written.data[i] - '0');
	}
	return true;
}

/* The parameter in one of its forms; field->count: it is not there. */
static size_t
mime_field_find(struct mime_field *field, const char *name, bool is_piece, unsigned number,
    int is_extended, unsigned which)
{
	size_t found = field->count;
	unsigned count = 0;
	struct mime_field_form form;

	for (size_t i = 0; i < field->count; i++) {
		if (!mime_field_form(field->params[i].name, name, &form) ||
		    form.is_piece != is_piece || form.number != number ||
		    (is_extended >= 0 && form.is_extended != is_extended))
			continue;
		if (count == which)
			found = i;
		if (count++ > 0)
			field->faults |= MIME_FIELD_TWICE;
	}
	return found;
}

static bool
mime_field_is_extended(const struct mime_field *field, size_t i)
{
	const struct slice *name = &field->params[i].name;

	return name->data[name->length - 1] == '*';
}

static bool
mime_field_join_pieces(struct mime_field *field, const char *name, struct mime_field_join *join)
{
	unsigned number = 0;
	struct mime_field_form form;
	size_t i;

	for (;; number++) {
		i = mime_field_find(field, name, true, number, -1, 0);
		if (i == field->count)
			break;
		struct slice value = field->params[i].value;

		if (mime_field_is_extended(field, i))
			mime_field_add_extended(join, value, number == 0);
		else
			for (size_t k = 0; k < value.length; k++)
				mime_field_add(join, value.data[k]);
	}
	for (i = 0; i < field->count; i++)
		if (mime_field_form(field->params[i].name, name, &form) && form.is_piece &&
		    form.number >= number)
			field->faults |= MIME_FIELD_GAP;
	return number > 0;
}

/* Does the parameter stand there in a form that counts before the plain one? */
static bool
mime_field_has_other(const struct mime_field *field, const char *name)
{
	struct mime_field_form form;

	for (size_t i = 0; i < field->count; i++)
		if (mime_field_form(field->params[i].name, name, &form) &&
		    (form.is_extended || (form.is_piece && form.number == 0)))
			return true;
	return false;
}

struct mime_field_out {
	char *data;
	size_t length, room;
};

static void
mime_field_take(void *arg, struct slice text)
{
	struct mime_field_out *out = arg;

	while (text.length > 0) {
		size_t size = utf8_read(text, NULL);
		bool is_control = (uint8_t)text.data[0] < ' ' || text.data[0] == 0x7f;

		if (size == 0 || size > out->room - out->length)
			return;
		memcpy(out->data + out->length, is_control ? " " : text.data, size);
		out->length += size;
		text = (struct slice) { text.data + size, text.length - size };
	}
}

static size_t
mime_field_convert(struct slice bytes, struct slice label, char *data, size_t room)
{
	struct mime_field_out out = { .data = data, .room = room };
	struct charset charset;

	charset_begin(&charset, label, false, mime_field_take, &out);
	charset_feed(&charset, bytes);
	charset_end(&charset);
	return out.length;
}

bool
mime_field_value(struct mime_field *field, const char *name, unsigned which, bool is_raw, char *out,
    size_t room, size_t *length)
{
	struct mime_field_join join = { .label = { "", 0 } };
	unsigned ahead = which > 0 && mime_field_has_other(field, name);
	size_t plain = mime_field_find(field, name, false, 0, 0, which - ahead);
	size_t extended = mime_field_find(field, name, false, 0, 1, 0);
	unsigned words = 0;

	if (which == 0 && extended < field->count) {
		mime_field_add_extended(&join, field->params[extended].value, true);
	} else if (which > 0 || !mime_field_join_pieces(field, name, &join)) {
		if (plain == field->count)
			return false;
		struct slice value = field->params[plain].value;

		*length = is_raw ? mime_field_convert(value, join.label, out, room)
				 : encoded_word_decode(value, out, room, &words);
		field->faults |= words > 0 ? MIME_FIELD_ENCODED : 0;
		return true;
	}
	field->faults |= join.is_cut ? MIME_FIELD_LONG : 0;
	*length =
	    mime_field_convert((struct slice) { join.data, join.length }, join.label, out, room);
	return true;
}
