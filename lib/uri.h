/*
 * uri: where an address leads, and what may be fishy about it.
 *
 * uri_read() takes the value of an attribute, as a mail program would hand it to a browser
 * (url.spec.whatwg.org, "URL parsing"): control characters at the ends and line ends within do not
 * count, \ is /, the host stands behind the last @. Without a scheme it is relative to the base, if
 * the page has one; without one it counts as a host if it begins with one of a known top level.
 *
 * Each host is told on its own. Those within an address (the target of a redirector, in its path or
 * query, percent-escaped up to three times) come behind it as URI_IS_NESTED, and the outer one is
 * told to redirect. Of a mail address (mailto:) the domain is told as URI_IS_MAIL. An address in
 * which no DNS list can be asked about anything tells nothing.
 *
 * Running text: lib/uri_scan.h. HTML: lib/uri_page.h.
 */
#pragma once

#include "lib/host_form.h"

/* Where it stands; the most telling first. */
enum uri_where {
	URI_IN_LINK,
	URI_IN_FORM,
	URI_IN_REFRESH,
	URI_IN_SOURCE, /* an image, a frame, a sheet of style */
	URI_IN_STYLE,
	URI_IN_TEXT,
	URI_IN_HEADER,
};

enum uri_flag {
	URI_IS_BARE = 1 << 0,   /* a name without a scheme */
	URI_IS_FILE = 1 << 1,   /* and it may be the name of a file: setup.sh */
	URI_IS_MAIL = 1 << 2,   /* of a mail address */
	URI_IS_NESTED = 1 << 3, /* within another one */
	URI_REDIRECTS = 1 << 4, /* has others within it */
	URI_HAS_USER = 1 << 5,  /* user information in front of the host */
	URI_IS_JOINED = 1 << 6, /* over the end of a line, where it may have been broken */
	URI_IS_HIDDEN = 1 << 7, /* in text that is not shown */
	URI_MISLEADS = 1 << 8,  /* the link's text names a host of another domain */
	URI_IS_BASE = 1 << 9,   /* stands in the page's base; something is relative to it */
};

struct uri {
	struct host_form host;
	unsigned int flags;
	enum uri_where where;
	struct slice text; /* as it stands there; borrowed for the call */
};

struct uri_sink {
	void (*found)(void *arg, const struct uri *uri);
	void *arg;
	void (*shown)(void *arg, struct slice text); /* of a page, to a reader; NULL: never mind */
};

enum { URI_MOST = 4096, URI_SCHEME_MOST = 16, URI_NESTED_MOST = 10 };

/* What relative ones are relative to. All zero to begin with. */
struct uri_base {
	bool is_set, is_wanted, is_told;
	char scheme[URI_SCHEME_MOST];
	struct host_form host;
};

void uri_read(
    struct slice value, enum uri_where where, struct uri_base *base, const struct uri_sink *sink);

/* The value of <base href>; the first one that is an address counts. */
void uri_set_base(struct slice value, struct uri_base *base, const struct uri_sink *sink);

const char *uri_where_name(enum uri_where where); /* "link", "form" ... */

/* ---- for the readers of text ---- */

/* The host in what stands between "//" and the path; URI_HAS_USER is added. */
struct slice uri_authority_host(struct slice authority, unsigned int *flags);

/* Tells those within the text, with the outer one's place and flags. How many there were. */
size_t uri_tell_nested(struct slice text, const struct uri *outer, const struct uri_sink *sink);

/* The same of what stands behind ";base64," in a data: address (RFC 2397), up to URI_MOST. */
void uri_tell_base64(struct slice text, const struct uri *outer, const struct uri_sink *sink);

/* Is the last label of the name a top level of the DNS? */
bool uri_has_top(const struct host_form *host);
