/*
 * part_reader: what a reader meets in the text of a part: what it shows, and its addresses.
 *
 * A part of rules/parts. One is made for the leaf that is open, and one for what is_raw beside it
 * (lib/part.h), when there is the first text for either, and used for all parts that follow. The
 * addresses of the latter are URI_IS_HIDDEN.
 */
#pragma once

#include "lib/uri_page.h"
#include "rules/pipeline.h"

struct part_reader {
	struct scope *scope;
	const struct part *part; /* while it is open */
	struct uri_sink sink;
	struct uri_page *page;
	struct uri_scan *scan;
};

/* Does any filter want to know, or who watches? */
bool part_reader_is_wanted(const struct scope *scope);

void part_reader_begin(struct part_reader *reader, struct scope *scope, const struct part *part);
void part_reader_feed(struct part_reader *reader, struct slice text);
void part_reader_end(struct part_reader *reader);
