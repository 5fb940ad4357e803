/*
 * html: a tokenizer of HTML, fed in pieces, for what a reader sees and where it leads.
 *
 * It tells text and the values of attributes that lead somewhere, and keeps nothing else: no
 * tree. Tokens are found as by the HTML standard (html.spec.whatwg.org, "Tokenization"), so that
 * it sees the tags that a browser sees: stray end tags, attributes without blanks or quotes, raw
 * text (style, script, title ...) and its ends, a script's escapes, CDATA within svg and math,
 * character references. What is told does not depend on how the input is cut.
 *
 *	text    in pieces of any size. Block elements and breaks give a line end, others nothing,
 *	        so that e<b>vi</b>l is one word. Hidden text (title, the attribute hidden, style
 *	        display:none, visibility:hidden or a font of size 0) is marked, and so is raw text
 *	        that no reader is shown
 *	link    when the value ends; CSS (the attribute and the element style) is looked through
 *	        for url() and @import; of srcset each candidate; of meta only a refresh
 *	leave   at </a>
 *
 * Comments are not looked into, except those that Outlook for Windows shows, <!--[if ...]>: what is
 * in them counts like the rest, but never hides what follows behind their end.
 *
 * Input is UTF-8; what is none passes unchanged. The struct is all the memory there is; of a value
 * VALUE_MOST bytes are kept, where a long user information in front of a host is left out first.
 */
#pragma once

#include <stdint.h>

#include "lib/css_url.h"

enum html_text { HTML_SHOWN, HTML_HIDDEN, HTML_RAW };

enum html_link_kind {
	HTML_LINK,    /* of a, area, and whatever else has href */
	HTML_BASE,    /* of base: what relative ones are relative to */
	HTML_FORM,    /* where a form is sent */
	HTML_REFRESH, /* of meta: opened without a click */
	HTML_SOURCE,  /* an image, a frame, a sheet of style: loaded */
	HTML_STYLE,   /* in CSS */
};

struct html_sink {
	void (*text)(void *arg, enum html_text kind, struct slice text);
	void (*link)(void *arg, enum html_link_kind kind, struct slice value);
	void (*leave)(void *arg);
	void *arg;
};

enum {
	HTML_NAME_MOST = 32,
	HTML_VALUE_MOST = 4096,
	HTML_ENTITY_MOST = 40,
	HTML_META_MOST = 1024,
	HTML_UNIT_MOST = 1024
};

/* The members are the tokenizer's own. */
struct html {
	struct html_sink sink;
	uint8_t state, back; /* back: where a character reference stands */

	/* the tag at hand */
	char tag[HTML_NAME_MOST], attribute[HTML_NAME_MOST];
	uint8_t tag_length, attribute_length;
	bool is_end, is_self_closing;
	uint32_t attributes_seen; /* a bit per row of the table */
	const struct html_attribute *wanted;
	size_t value_length, value_skipped;
	size_t meta_length;
	bool is_refresh, hides;

	/* a character reference */
	char entity[HTML_ENTITY_MOST];
	uint8_t entity_length;
	uint32_t code;
	bool has_digits;

	/* raw text and comments */
	char raw[HTML_NAME_MOST]; /* the element that ends it */
	uint8_t matched, dashes, escape;
	uint16_t unit; /* of CSS: how long the word at hand is */
	bool is_conditional;
	uint8_t conditional_dashes;

	uint32_t foreign; /* svg and math that are open */
	char hidden[HTML_NAME_MOST];
	uint32_t hidden_depth; /* elements of that name since it */

	/* as far as their lengths; meta: of content, until http-equiv is known */
	char meta[HTML_META_MOST], value[HTML_VALUE_MOST];
	struct css_url css;
};

void html_init(struct html *html, const struct html_sink *sink);
void html_feed(struct html *html, struct slice input);
void html_end(struct html *html); /* what was begun counts as ended */
