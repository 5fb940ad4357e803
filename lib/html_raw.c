#include "lib/html_parts.h"

#include "lib/html_entity.h"
#include "lib/utf8.h"

/* ---- raw text: everything up to the end tag of its own name ---- */

/* Within a script <!-- begins an escape, and <script within that a second one, in which an end
 * tag only ends that one. */
enum html_escape { ESCAPE_NONE, ESCAPE_ONE, ESCAPE_TWO };

static bool
html_raw_is(const struct html *html, const char *name)
{
	return strncmp(html->raw, name, HTML_NAME_MOST) == 0;
}

void
html_raw_begin(struct html *html, unsigned int flags)
{
	memset(html->raw, 0, sizeof(html->raw));
	memcpy(html->raw, html->tag, html->tag_length);
	html->state = HTML_RAW_TEXT;
	html->escape = ESCAPE_NONE;
	html->dashes = HTML_DASHES_NONE;
	html->unit = 0;
	if (flags & HTML_CSS)
		html_css_init(html);
}

static void
html_raw_tell_text(struct html *html, struct slice text)
{
	enum html_text kind = html_raw_is(html, "title") ? HTML_HIDDEN : HTML_RAW;

	html->sink.text(html->sink.arg, kind, text);
}

/* Where words of text end, whatever else may be in them. */
static bool
html_raw_is_between(char c)
{
	return (unsigned char)c <= ' ' || c == '"' || c == '<' || c == '>' || c == 0x7f;
}

/* How much of CSS its two readers may get at once: words, and of long ones single bytes, so that
 * the order of what they tell does not hang on the pieces. */
static size_t
html_raw_unit(struct html *html, const char *from, const char *to)
{
	const char *at = from;

	while (at < to && html->unit < HTML_UNIT_MOST) {
		html->unit++;
		if (html_raw_is_between(*at++)) {
			html->unit = 0;
			break;
		}
	}
	if (at > from)
		return (size_t)(at - from);
	if (html_raw_is_between(*at))
		html->unit = 0;
	return 1;
}

static void
html_raw_tell(struct html *html, const char *from, const char *to)
{
	bool is_style = html_raw_is(html, "style");

	while (from < to) {
		size_t length = (size_t)(to - from);

		if (is_style)
			length = html_raw_unit(html, from, to);
		if (is_style)
			css_url_feed(&html->css, (struct slice) { from, length });
		html_raw_tell_text(html, (struct slice) { from, length });
		from += length;
	}
}

static void
html_raw_over(struct html *html)
{
	if (html_raw_is(html, "style"))
		css_url_end(&html->css);
	html->sink.text(html->sink.arg, HTML_RAW, slice_of("\n"));
	html->raw[0] = '\0';
}

/* Dashes and what ends with them, within a script. */
static void
html_raw_dashes(struct html *html, char c)
{
	if (c == '-' && html->dashes < 2)
		html->dashes++;
	else if (c == '>' && html->dashes == 2)
		html->escape = ESCAPE_NONE;
	if (c != '-')
		html->dashes = 0;
}

const char *
html_raw_step(struct html *html, const char *at, const char *end)
{
	const char *stop = memchr(at, '<', (size_t)(end - at));

	if (stop == NULL)
		stop = end;
	if (html->escape != ESCAPE_NONE)
		for (const char *c = at; c < stop; c++)
			html_raw_dashes(html, *c);
	html_raw_tell(html, at, stop);
	if (stop == end)
		return end;
	html->state = HTML_RAW_LESS;
	html->matched = 0;
	html->dashes = 0;
	return stop + 1;
}

/* What has been taken for a tag is text. */
static const char *
html_raw_back(struct html *html, const char *taken, const char *at)
{
	html->state = HTML_RAW_TEXT;
	html_raw_tell(html, taken, taken + strlen(taken));
	return at;
}

/* Behind < : a slash, and in a script !-- or the beginning of its name. */
const char *
html_raw_less(struct html *html, const char *at, const char *end)
{
	static const char *const begun[] = { "<", "<!", "<!-" };
	bool is_script = html_raw_is(html, "script");

	(void)end;
	if (html->matched == 0 && *at == '/') {
		html->state = HTML_RAW_END;
		html->is_end = true;
		html->tag_length = 0;
		return at + 1;
	}
	if (is_script && html->escape == ESCAPE_NONE && *at == "!--"[html->matched]) {
		if (++html->matched < 3)
			return at + 1;
		html->escape = ESCAPE_ONE;
		html->dashes = 2;
		return html_raw_back(html, "<!--", at + 1);
	}
	if (is_script && html->escape == ESCAPE_ONE && html_is_letter(*at)) {
		html->state = HTML_RAW_END;
		html->is_end = false;
		html->tag_length = 0;
		return at;
	}
	return html_raw_back(html, begun[html->matched], at);
}

/* The name in html->tag is not the end of this text: it belongs to it. */
static const char *
html_raw_not(struct html *html, const char *at)
{
	html->state = HTML_RAW_TEXT;
	html_raw_tell(
	    html, html->is_end ? "</" : "<", (html->is_end ? "</" : "<") + 1 + html->is_end);
	html_raw_tell(html, html->tag, html->tag + html->tag_length);
	return at;
}

/* The name is that of the element, and its tag goes on or ends with c. */
static const char *
html_raw_named(struct html *html, const char *at)
{
	if (html->escape == ESCAPE_TWO || !html->is_end) {
		html->escape = html->is_end ? ESCAPE_ONE : ESCAPE_TWO;
		return html_raw_not(html, at);
	}
	html_raw_over(html);
	html_tag_begin(html, true);
	return at;
}

const char *
html_raw_end(struct html *html, const char *at, const char *end)
{
	size_t length = strnlen(html->raw, HTML_NAME_MOST);

	for (; at < end; at++) {
		char c = html_lower(*at);

		if (html->tag_length == length)
			return html_is_blank(c) || c == '/' || c == '>' ? html_raw_named(html, at)
									: html_raw_not(html, at);
		if (c != html->raw[html->tag_length])
			return html_raw_not(html, at);
		html->tag[html->tag_length++] = c;
	}
	return end;
}

/* ---- character references ---- */

void
html_entity_begin(struct html *html)
{
	html->back = html->state;
	html->state = HTML_ENTITY;
	html->entity_length = 0;
}

/* Text, or a part of a value. */
static void
html_entity_put(struct html *html, const char *bytes, size_t count)
{
	if (html->back == HTML_DATA)
		html_tell_text(html, bytes, bytes + count);
	else
		html_value_add(html, bytes, count);
}

static void
html_entity_put_code(struct html *html, uint32_t code)
{
	char bytes[UTF8_MOST];

	html_entity_put(html, bytes, utf8_write(bytes, code));
}

static void
html_entity_literal(struct html *html, size_t from)
{
	if (from == 0)
		html_entity_put(html, "&", 1);
	html_entity_put(html, html->entity + from, html->entity_length - from);
}

/* The name is over; c: what follows. Whether the c belongs to it. */
static bool
html_entity_named(struct html *html, char c)
{
	struct slice name = { html->entity, html->entity_length };
	uint32_t code = c == ';' ? html_entity_find(name) : 0;
	bool is_in_value = html->back != HTML_DATA;
	size_t used;

	html->state = html->back;
	if (code != 0) {
		html_entity_put_code(html, code);
		return true;
	}
	used = html_entity_find_short(name, &code);
	if (used == 0 || (is_in_value && (used < name.length || c == '='))) {
		html_entity_literal(html, 0);
		return false;
	}
	html_entity_put_code(html, code);
	html_entity_put(html, html->entity + used, html->entity_length - used);
	return false;
}

const char *
html_entity_step(struct html *html, const char *at, const char *end)
{
	for (; at < end; at++) {
		bool is_digit = *at >= '0' && *at <= '9';

		if (html->entity_length == 0 && *at == '#') {
			html->state = HTML_NUMBER;
			html->code = 0;
			html->has_digits = false;
			return at + 1;
		}
		if (!html_is_letter(*at) && !is_digit)
			return at + html_entity_named(html, *at);
		if (html->entity_length == HTML_ENTITY_MOST)
			return at + html_entity_named(html, 'a');
		html->entity[html->entity_length++] = *at;
	}
	return end;
}

/* -1: no digit of that base. */
static int
html_digit(char c, bool is_hexadecimal)
{
	char lower = html_lower(c);

	if (c >= '0' && c <= '9')
		return c - '0';
	return is_hexadecimal && lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static const char *
html_number_over(struct html *html, const char *at)
{
	html->state = html->back;
	if (html->has_digits) {
		html_entity_put_code(html, html_entity_number(html->code));
		return at;
	}
	html_entity_put(html, "&#", 2);
	html_entity_put(html, html->entity, html->entity_length);
	return at;
}

const char *
html_number_step(struct html *html, const char *at, const char *end)
{
	for (; at < end; at++) {
		bool is_hexadecimal = html->entity_length > 0;
		int digit = html_digit(*at, is_hexadecimal);

		if (!html->has_digits && !is_hexadecimal && html_lower(*at) == 'x') {
			html->entity[html->entity_length++] = *at;
			continue;
		}
		if (digit < 0) {
			at += html->has_digits && *at == ';';
			return html_number_over(html, at);
		}
		html->has_digits = true;
		if (html->code <= 0x10ffff)
			html->code = html->code * (is_hexadecimal ? 16 : 10) + (uint32_t)digit;
	}
	return end;
}

/* ---- an end ---- */

void
html_abandon(struct html *html)
{
	if (html->state == HTML_ENTITY)
		html_entity_named(html, '\0');
	else if (html->state == HTML_NUMBER)
		html_number_over(html, NULL);
	if (html->state == HTML_TAG_OPEN)
		html_tell_literal(html, "<");
	if (html->raw[0] != '\0')
		html_raw_over(html);
	html->state = HTML_DATA;
	html->wanted = NULL;
}
