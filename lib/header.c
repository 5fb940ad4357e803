#include "lib/header.h"

/* The line at offset, with its end; length 0: the block is over. */
static struct slice
header_line(struct slice block, size_t offset)
{
	struct slice line = { block.data + offset, block.length - offset };
	const char *lf = line.length > 0 ? memchr(line.data, '\n', line.length) : NULL;

	if (lf != NULL)
		line.length = (size_t)(lf - line.data) + 1;
	return line;
}

static struct slice
header_without_end(struct slice line)
{
	if (line.length > 0 && line.data[line.length - 1] == '\n')
		line.length--;
	if (line.length > 0 && line.data[line.length - 1] == '\r')
		line.length--;
	return line;
}

static bool
header_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool
header_is_folded(struct slice line)
{
	return line.length > 0 && header_is_blank(line.data[0]);
}

/* NUL, or a CR that is not before an LF. */
static bool
header_has_control(struct slice whole)
{
	struct slice text = header_without_end(whole);

	if (memchr(text.data, '\0', text.length) != NULL)
		return true;
	for (size_t i = 0; i < text.length; i++) {
		const char *cr = memchr(text.data + i, '\r', text.length - i);

		if (cr == NULL)
			return false;
		i = (size_t)(cr - text.data);
		if (i + 1 == text.length || text.data[i + 1] != '\n')
			return true;
	}
	return false;
}

static void
header_read_name(struct header_field *field, const char *colon)
{
	struct slice name = { field->whole.data, (size_t)(colon - field->whole.data) };

	while (name.length > 0 && header_is_blank(name.data[name.length - 1])) {
		name.length--;
		field->faults |= HEADER_BLANK_NAME;
	}
	if (name.length == 0)
		field->faults |= HEADER_BAD_NAME;
	for (size_t i = 0; i < name.length; i++)
		if (name.data[i] <= ' ' || name.data[i] > '~')
			field->faults |= HEADER_BAD_NAME;
	field->name = name;
}

bool
header_next(struct slice block, size_t *offset, struct header_field *field)
{
	struct slice first = header_line(block, *offset);
	struct slice text = header_without_end(first);
	size_t end = *offset + first.length;

	if (text.length == 0)
		return false;
	for (struct slice line; header_is_folded(line = header_line(block, end));)
		end += line.length;
	*field = (struct header_field) {
		.name = { text.data, 0 },
		.whole = { text.data, end - *offset },
	};
	*offset = end;
	field->value = header_without_end(field->whole);
	const char *colon = memchr(text.data, ':', text.length);

	if (header_is_folded(text)) {
		field->faults |= HEADER_ORPHAN;
	} else if (colon == NULL) {
		field->faults |= HEADER_NO_COLON;
	} else {
		header_read_name(field, colon);
		field->value.length -= (size_t)(colon + 1 - field->value.data);
		field->value.data = colon + 1;
	}
	if (header_has_control(field->whole))
		field->faults |= HEADER_CONTROL;
	return true;
}

bool
header_find(struct slice block, size_t *offset, const char *name, struct header_field *field)
{
	while (header_next(block, offset, field))
		if (!(field->faults & HEADER_BAD_NAME) && slice_matches(field->name, name))
			return true;
	return false;
}

size_t
header_count(struct slice block, const char *name)
{
	struct header_field field;
	size_t offset = 0, count = 0;

	while (header_find(block, &offset, name, &field))
		count++;
	return count;
}

unsigned int
header_faults(struct slice block)
{
	struct header_field field;
	size_t offset = 0;
	unsigned int faults = 0;

	while (header_next(block, &offset, &field))
		faults |= field.faults;
	return faults;
}

static bool
header_is_space(char c)
{
	return header_is_blank(c) || c == '\r' || c == '\n' || c == '\0';
}

size_t
header_unfold(struct slice value, char *out, size_t room)
{
	size_t length = 0;

	while (value.length > 0 && header_is_space(value.data[0]))
		value = (struct slice) { value.data + 1, value.length - 1 };
	while (value.length > 0 && header_is_space(value.data[value.length - 1]))
		value.length--;
	for (size_t i = 0; i < value.length && length < room; i++) {
		char c = value.data[i];

		if (c == '\n' || (c == '\r' && value.data[i + 1] == '\n'))
			continue;
		out[length++] = c == '\0' || c == '\r' ? ' ' : c;
	}
	return length;
}

/* One octet; true: it was the last of the block. */
static bool
header_end_step(struct header_end *end, char c)
{
	if (c == '\n' && end->state != HEADER_END_TEXT)
		return true;
	if (c == '\n')
		end->state = HEADER_END_LINE;
	else if (c == '\r' && end->state == HEADER_END_LINE)
		end->state = HEADER_END_CR;
	else
		end->state = HEADER_END_TEXT;
	return false;
}

size_t
header_end_feed(struct header_end *end, struct slice input)
{
	for (size_t i = 0; i < input.length && !end->is_found; i++) {
		if (end->state == HEADER_END_TEXT) {
			const char *lf = memchr(input.data + i, '\n', input.length - i);

			if (lf == NULL)
				return input.length;
			i = (size_t)(lf - input.data);
		}
		end->is_found = header_end_step(end, input.data[i]);
		if (end->is_found)
			return i + 1;
	}
	return end->is_found ? 0 : input.length;
}
