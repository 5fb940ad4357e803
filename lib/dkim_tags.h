/*
 * dkim_tags: a list of tag=value, as in a DKIM-Signature field and in a key record.
 *
 * RFC 6376 3.2, read strictly: parts between semicolons, each a name, '=' and a value; names
 * are letters, digits and '_', begin with a letter, and differ in case; no name twice; only
 * behind the last semicolon there may be nothing. Other octets than printable ASCII, blanks
 * and the line ends of folding are in no such list.
 *
 * Slices point into the text; values have no blanks at either end, inside folding is left as
 * it is.
 */
#pragma once

#include "lib/arena.h"

enum { DKIM_TAGS_MOST = 64 };

struct dkim_tag {
	struct slice name, value;
};

struct dkim_tags {
	size_t count;
	struct dkim_tag tag[DKIM_TAGS_MOST];
};

/* NULL: it is such a list; else why not. What was read before the fault is there. */
const char *dkim_tags_read(struct dkim_tags *tags, struct slice text);

/* NULL: there is no such tag. */
const struct slice *dkim_tags_find(const struct dkim_tags *tags, const char *name);

/* The value as text, without any blanks and line ends inside. */
char *dkim_tags_squeeze(struct arena *arena, struct slice value);

/* The next item of a list between colons, without the blanks around it; *rest moves behind it.
 * Begin with the value; false: there are no more. An item may be empty. */
bool dkim_tags_item(struct slice *rest, struct slice *item);

/* Is `word` one of a list between colons? Words of lists differ in case. */
bool dkim_tags_lists(struct slice value, const char *word);

/* Base64 (RFC 4648 4) of at least one octet; blanks and line ends inside count for nothing. */
bool dkim_tags_is_base64(struct slice value);
