/*
 * uri_page: the addresses in HTML, fed in pieces: those that links and resources lead to, and those
 * in the text. The text that is shown is told by the way.
 *
 * A link whose text names a host of another registered domain than it leads to is told once more
 * as URI_MISLEADS. What stands in text that is not shown (the title, hidden elements, the inside
 * of style, script and the like) is URI_IS_HIDDEN.
 *
 * Input is UTF-8, the source of the page. What is told does not depend on how it is cut, but for the
 * order of addresses in CSS and in text. Needs some 20 KiB, all in the struct, which must not be
 * moved after init.
 */
#pragma once

#include "lib/html.h"
#include "lib/uri_scan.h"

/* The members are the reader's own. */
struct uri_page {
	struct uri_base base;
	struct uri_sink outer, in_link, in_text;
	enum html_text kind;
	bool is_in_link, has_target, is_told;

	struct uri target; /* of the link that is open, if it has one */
	char target_text[200];
	struct html html;
	struct uri_scan scan;
};

void uri_page_init(struct uri_page *page, const struct uri_sink *sink);
void uri_page_feed(struct uri_page *page, struct slice source);
void uri_page_end(struct uri_page *page);
