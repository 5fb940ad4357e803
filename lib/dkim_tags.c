#include "lib/dkim_tags.h"

static bool
dkim_tags_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* What stands before the next `end`, or all the rest; *rest moves behind it. */
static struct slice
dkim_tags_until(struct slice *rest, char end, bool *is_last)
{
	const char *at = rest->length > 0 ? memchr(rest->data, end, rest->length) : NULL;
	struct slice part = { rest->data, at != NULL ? (size_t)(at - rest->data) : rest->length };

	*is_last = at == NULL;
	rest->data += part.length + (at != NULL);
	rest->length -= part.length + (at != NULL);
	return part;
}

static bool
dkim_tags_is_name(struct slice name)
{
	for (size_t i = 0; i < name.length; i++) {
		char c = name.data[i];
		bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!is_letter && (i == 0 || (c != '_' && (c < '0' || c > '9'))))
			return false;
	}
	return name.length > 0;
}

static bool
dkim_tags_is_plain(struct slice text)
{
	for (size_t i = 0; i < text.length; i++)
		if ((text.data[i] < ' ' || text.data[i] > '~') && !dkim_tags_is_blank(text.data[i]))
			return false;
	return true;
}

static const struct slice *
dkim_tags_find_slice(const struct dkim_tags *tags, struct slice name)
{
	for (size_t i = 0; i < tags->count; i++)
		if (slice_equals(tags->tag[i].name, name))
			return &tags->tag[i].value;
	return NULL;
}

static const char *
dkim_tags_add(struct dkim_tags *tags, struct slice part)
{
	bool has_no_value;
	struct slice name =
	    slice_trim(dkim_tags_until(&part, '=', &has_no_value), dkim_tags_is_blank);

	if (has_no_value)
		return "a part without \"=\"";
	if (!dkim_tags_is_name(name))
		return "a tag with a name that is none";
	if (dkim_tags_find_slice(tags, name) != NULL)
		return "a tag that is there twice";
	if (tags->count == DKIM_TAGS_MOST)
		return "too many tags";
	tags->tag[tags->count++] = (struct dkim_tag) { name, slice_trim(part, dkim_tags_is_blank) };
	return NULL;
}

const char *
dkim_tags_read(struct dkim_tags *tags, struct slice text)
{
	const char *why = dkim_tags_is_plain(text) ? NULL : "octets that are no text";
	bool is_last = false;

	tags->count = 0;
	while (!is_last) {
		struct slice part = dkim_tags_until(&text, ';', &is_last);

		if (is_last && slice_trim(part, dkim_tags_is_blank).length == 0)
			break;
		const char *fault = dkim_tags_add(tags, part);

		if (why == NULL)
			why = fault;
	}
	return why;
}

const struct slice *
dkim_tags_find(const struct dkim_tags *tags, const char *name)
{
	return dkim_tags_find_slice(tags, slice_of(name));
}

char *
dkim_tags_squeeze(struct arena *arena, struct slice value)
{
	char *text = arena_copy(arena, value), *end = text;

	for (size_t i = 0; i < value.length; i++)
		if (!dkim_tags_is_blank(value.data[i]))
			*end++ = value.data[i];
	*end = '\0';
	return text;
}

/* A list is over when its data is NULL; an empty rest is an empty item. */
bool
dkim_tags_item(struct slice *rest, struct slice *item)
{
	bool is_last;

	if (rest->data == NULL)
		return false;
	*item = slice_trim(dkim_tags_until(rest, ':', &is_last), dkim_tags_is_blank);
	if (is_last)
		rest->data = NULL;
	return true;
}

bool
dkim_tags_lists(struct slice value, const char *word)
{
	struct slice item;

	while (dkim_tags_item(&value, &item))
		if (slice_equals(item, slice_of(word)))
			return true;
	return false;
}

static bool
dkim_tags_is_digit(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	    c == '+' || c == '/';
}

bool
dkim_tags_is_base64(struct slice value)
{
	size_t digits = 0, padding = 0;

	for (size_t i = 0; i < value.length; i++) {
		char c = value.data[i];

		if (dkim_tags_is_blank(c))
			continue;
		if (c != '=' && (padding > 0 || !dkim_tags_is_digit(c)))
			return false;
		digits += c != '=';
		padding += c == '=';
	}
	return digits > 0 && padding <= 2 && (digits + padding) % 4 == 0;
}
