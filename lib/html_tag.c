#include "lib/html_parts.h"

#include "lib/utf8.h"

static struct slice
html_tag_name(const struct html *html)
{
	return (struct slice) { html->tag, html->tag_length };
}

/* ---- what is told ---- */

static void
html_css_found(void *arg, struct slice value)
{
	struct html *html = arg;

	html->sink.link(html->sink.arg, HTML_STYLE, value);
}

void
html_css_init(struct html *html)
{
	css_url_init(&html->css, html_css_found, html);
}

void
html_tell_text(struct html *html, const char *from, const char *to)
{
	enum html_text kind = html->hidden_depth > 0 ? HTML_HIDDEN : HTML_SHOWN;

	if (to > from)
		html->sink.text(html->sink.arg, kind, (struct slice) { from, (size_t)(to - from) });
}

void
html_tell_literal(struct html *html, const char *text)
{
	html_tell_text(html, text, text + strlen(text));
}

static void
html_tell_link(struct html *html, enum html_link_kind kind, struct slice value)
{
	html->sink.link(html->sink.arg, kind, value);
}

/* The candidates of srcset: addresses with descriptors behind, commas between (HTML 4.8.4.4). */
static void
html_tell_set(struct html *html, enum html_link_kind kind, struct slice set)
{
	const char *at = set.data, *end = set.data + set.length;

	while (at < end) {
		const char *begin, *stop;

		while (at < end && (html_is_blank(*at) || *at == ','))
			at++;
		for (begin = at; at < end && !html_is_blank(*at); at++)
			;
		for (stop = at; stop > begin && stop[-1] == ','; stop--)
			;
		if (stop > begin)
			html_tell_link(
			    html, kind, (struct slice) { begin, (size_t)(stop - begin) });
		if (stop < at)
			continue;
		while (at < end && *at != ',')
			at++;
	}
}

/* "5; url='http://...'" */
static void
html_tell_refresh(struct html *html)
{
	const char *at = html->meta, *end = html->meta + html->meta_length;
	char quote = '\0';

	while (at < end && *at != ';' && *at != ',' && (at == html->meta || !html_is_blank(*at)))
		at++;
	while (at < end && (html_is_blank(*at) || *at == ';' || *at == ','))
		at++;
	if (end - at >= 3 && strncasecmp(at, "url", 3) == 0) {
		const char *behind = at + 3;

		while (behind < end && html_is_blank(*behind))
			behind++;
		if (behind < end && *behind == '=')
			at = behind + 1;
	}
	while (at < end && html_is_blank(*at))
		at++;
	if (at < end && (*at == '"' || *at == '\''))
		quote = *at++;
	const char *stop = quote != '\0' ? memchr(at, quote, (size_t)(end - at)) : NULL;

	if (at < end)
		html_tell_link(html, HTML_REFRESH,
		    (struct slice) { at, (size_t)((stop != NULL ? stop : end) - at) });
}

/* ---- attributes ---- */

/* Of equal ones the first counts. */
void
html_attribute_named(struct html *html)
{
	const struct slice name = { html->attribute, html->attribute_length };
	unsigned int bit;

	html->value_length = html->value_skipped = 0;
	html->wanted = html->is_end ? NULL : html_attribute_find(html_tag_name(html), name, &bit);
	if (html->wanted == NULL)
		return;
	if (html->attributes_seen & 1u << bit)
		html->wanted = NULL;
	html->attributes_seen |= 1u << bit;
}

/*
 * The value is full before a host has come: of what stands behind "scheme://" only the end can
 * matter, for all before an @ is user information.
 */
static void
html_value_make_room(struct html *html)
{
	enum { KEPT = 1024, SKIPPED_MOST = 64 * 1024 };
	struct slice value = { html->value, html->value_length };
	const char *slashes = memmem(value.data, 64, "//", 2), *authority;

	if (slashes == NULL || html->value_skipped > SKIPPED_MOST)
		return;
	authority = slashes + 2;
	size_t front = (size_t)(authority - value.data);

	for (size_t i = front; i < value.length; i++)
		if (memchr("/?#\\", value.data[i], 4) != NULL)
			return;
	memmove(html->value + front, html->value + value.length - KEPT, KEPT);
	html->value_skipped += value.length - front - KEPT;
	html->value_length = front + KEPT;
}

void
html_value_add(struct html *html, const char *bytes, size_t count)
{
	if (html->wanted == NULL)
		return;
	while (count > 0) {
		size_t room = HTML_VALUE_MOST - html->value_length;
		size_t part = count < room ? count : room;

		memcpy(html->value + html->value_length, bytes, part);
		html->value_length += part;
		bytes += part;
		count -= part;
		if (html->value_length < HTML_VALUE_MOST)
			return;
		html_value_make_room(html);
		if (html->value_length == HTML_VALUE_MOST)
			return;
	}
}

static struct slice
html_trimmed(struct slice text)
{
	while (text.length > 0 && html_is_blank(text.data[0]))
		text.data++, text.length--;
	while (text.length > 0 && html_is_blank(text.data[text.length - 1]))
		text.length--;
	return text;
}

static bool
html_declaration_hides(struct slice name, struct slice value)
{
	static const struct {
		size_t length; /* of the name */
		const char *name, *value;
	} hiding[] = { { 7, "display", "none" }, { 10, "visibility", "hidden" },
		{ 8, "mso-hide", "all" }, { 9, "font-size", "0" } };

	for (size_t i = 0; i < sizeof(hiding) / sizeof(hiding[0]); i++) {
		if (name.length != hiding[i].length || !slice_matches(name, hiding[i].name))
			continue;
		size_t length = strlen(hiding[i].value);

		if (value.length < length || strncasecmp(value.data, hiding[i].value, length) != 0)
			continue;
		return value.length == length ||
		    memchr("123456789.", value.data[length], 10) == NULL;
	}
	return false;
}

static bool
html_style_hides(struct slice style)
{
	while (style.length > 0) {
		const char *end = memchr(style.data, ';', style.length);
		size_t length = end != NULL ? (size_t)(end - style.data) : style.length;
		const char *colon = memchr(style.data, ':', length);

		if (colon != NULL) {
			size_t front = (size_t)(colon - style.data);

			if (html_declaration_hides(
				html_trimmed((struct slice) { style.data, front }),
				html_trimmed((struct slice) { colon + 1, length - front - 1 })))
				return true;
		}
		length += end != NULL;
		style = (struct slice) { style.data + length, style.length - length };
	}
	return false;
}

static void
html_style_attribute(struct html *html, struct slice value)
{
	html->hides |= html_style_hides(value);
	if (memchr(value.data, '(', value.length) == NULL &&
	    memchr(value.data, '\\', value.length) == NULL)
		return;
	css_url_feed(&html->css, value);
	css_url_end(&html->css);
}

void
html_value_end(struct html *html)
{
	const struct slice value = { html->value, html->value_length };
	const struct html_attribute *wanted = html->wanted;

	html->wanted = NULL;
	if (wanted == NULL)
		return;
	switch (wanted->use) {
	case HTML_USE_LINK:
		html_tell_link(html, wanted->kind, value);
		break;
	case HTML_USE_SET:
		html_tell_set(html, wanted->kind, value);
		break;
	case HTML_USE_CSS:
		html_style_attribute(html, value);
		break;
	case HTML_USE_CONTENT:
		html->meta_length = value.length < HTML_META_MOST ? value.length : HTML_META_MOST;
		memcpy(html->meta, value.data, html->meta_length);
		break;
	case HTML_USE_EQUIV:
		html->is_refresh = slice_matches(value, "refresh");
		break;
	case HTML_USE_HIDDEN:
		html->hides = true;
		break;
	}
}

/* ---- tags ---- */

void
html_tag_begin(struct html *html, bool is_end)
{
	html->state = HTML_TAG_NAME;
	html->tag_length = 0;
	html->is_end = is_end;
	html->is_self_closing = html->is_refresh = html->hides = false;
	html->meta_length = 0;
	html->attributes_seen = 0;
	html->wanted = NULL;
}

/* Hidden is what stands in an element that is, up to the end tag of its name. */
static void
html_note_hidden(struct html *html, unsigned int flags)
{
	size_t length = html->tag_length;
	bool is_same = html->hidden_depth > 0 && length == strnlen(html->hidden, HTML_NAME_MOST) &&
	    memcmp(html->hidden, html->tag, length) == 0;

	if (flags & HTML_VOID)
		return;
	if (html->is_end && is_same)
		html->hidden_depth--;
	else if (!html->is_end && is_same)
		html->hidden_depth++;
	else if (!html->is_end && html->hides && html->hidden_depth == 0) {
		html->hidden_depth = 1;
		memset(html->hidden, 0, sizeof(html->hidden));
		memcpy(html->hidden, html->tag, length);
	}
}

static void
html_note_foreign(struct html *html, unsigned int flags)
{
	if (!(flags & HTML_FOREIGN))
		return;
	if (html->is_end && html->foreign > 0)
		html->foreign--;
	else if (!html->is_end && !html->is_self_closing)
		html->foreign++;
}

void
html_tag_end(struct html *html)
{
	unsigned int flags = html_element_flags(html_tag_name(html));

	html->state = HTML_DATA;
	html_note_foreign(html, flags);
	if (flags & HTML_BLOCK)
		html_tell_literal(html, "\n");
	if (html->is_end && flags & HTML_LEAVES)
		html->sink.leave(html->sink.arg);
	html_note_hidden(html, flags);
	if (html->is_end)
		return;
	if (html->is_refresh && html->meta_length > 0)
		html_tell_refresh(html);
	if (flags & HTML_PLAIN && html->foreign == 0)
		html->state = HTML_PLAINTEXT;
	if (flags & HTML_RAWTEXT && html->foreign == 0)
		html_raw_begin(html, flags);
}
