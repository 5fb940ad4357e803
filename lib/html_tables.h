/*
 * html_tables: the elements and attributes of HTML that mean something to lib/html.
 */
#pragma once

#include "lib/html.h"

enum html_element_flag {
	HTML_BLOCK = 1 << 0,   /* begins and ends a line */
	HTML_VOID = 1 << 1,    /* has no end tag */
	HTML_FOREIGN = 1 << 2, /* svg, math */
	HTML_RAWTEXT = 1 << 3, /* what is in it is text, up to its end tag */
	HTML_SCRIPT = 1 << 4,  /* likewise, with escapes */
	HTML_TITLE = 1 << 5,   /* likewise, and shown elsewhere or not at all */
	HTML_PLAIN = 1 << 6,   /* all that follows is text */
	HTML_CSS = 1 << 7,     /* likewise CSS */
	HTML_LEAVES = 1 << 8,  /* its end ends a link */
};

/* 0: nothing special. */
unsigned int html_element_flags(struct slice name);

enum html_attribute_use {
	HTML_USE_LINK, /* the value leads somewhere */
	HTML_USE_SET,  /* candidates of srcset */
	HTML_USE_CSS,
	HTML_USE_CONTENT, /* of meta */
	HTML_USE_EQUIV,
	HTML_USE_HIDDEN,
};

struct html_attribute {
	const char *name, *tag; /* tag NULL: of any */
	enum html_attribute_use use;
	enum html_link_kind kind;
};

/* NULL: nobody wants its value. *bit is its number, the same for one name in one tag. */
const struct html_attribute *
html_attribute_find(struct slice tag, struct slice name, unsigned int *bit);
