/*
 * html_parts: what the files of lib/html share.
 *
 * html.c has the states, html_tag.c what becomes of a tag and of what is told, html_raw.c raw
 * text and character references.
 */
#pragma once

#include "lib/html_tables.h"

enum html_state {
	HTML_DATA,
	HTML_PLAINTEXT,
	HTML_TAG_OPEN,
	HTML_END_TAG_OPEN,
	HTML_BOGUS,
	HTML_MARKUP,
	HTML_MARKUP_DASH,
	HTML_COMMENT,
	HTML_CDATA,
	HTML_TAG_NAME,
	HTML_SELF_CLOSING,
	HTML_BEFORE_NAME,
	HTML_NAME,
	HTML_AFTER_NAME,
	HTML_BEFORE_VALUE,
	HTML_VALUE_DOUBLE,
	HTML_VALUE_SINGLE,
	HTML_VALUE_PLAIN,
	HTML_ENTITY,
	HTML_NUMBER,
	HTML_RAW_TEXT,
	HTML_RAW_LESS,
	HTML_RAW_END,
};

enum html_dashes {
	HTML_DASHES_NONE,
	HTML_DASHES_ONE,
	HTML_DASHES_TWO, /* from here on a > ends the comment */
	HTML_DASHES_BANG,
	HTML_DASHES_START,
	HTML_DASHES_START_ONE,
};

static inline bool
html_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static inline bool
html_is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline char
html_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* Where a tag, a reference or a NUL is, or a piece ends: each is looked for in the whole piece. */
static inline const char *
html_data_end(const char *at, const char *end)
{
	enum { PIECE = 128 };
	static const char stops[] = { '<', '&', '\0' };
	const char *stop = end - at > PIECE ? at + PIECE : end;

	if (memchr(stops, *at, sizeof(stops)) != NULL)
		return at;
	for (size_t i = 0; i < sizeof(stops); i++) {
		const char *found = memchr(at, stops[i], (size_t)(stop - at));

		stop = found != NULL ? found : stop;
	}
	return stop;
}

void html_css_init(struct html *html);
void html_tell_text(struct html *html, const char *from, const char *to);
void html_tell_literal(struct html *html, const char *text);

void html_tag_begin(struct html *html, bool is_end);
void html_tag_end(struct html *html);
void html_attribute_named(struct html *html);
void html_value_add(struct html *html, const char *bytes, size_t count);
void html_value_end(struct html *html);

void html_raw_begin(struct html *html, unsigned int flags);
const char *html_raw_step(struct html *html, const char *at, const char *end);
const char *html_raw_less(struct html *html, const char *at, const char *end);
const char *html_raw_end(struct html *html, const char *at, const char *end);

void html_entity_begin(struct html *html);
const char *html_entity_step(struct html *html, const char *at, const char *end);
const char *html_number_step(struct html *html, const char *at, const char *end);

/* Whatever was begun is over; what follows is read as from the beginning. */
void html_abandon(struct html *html);
