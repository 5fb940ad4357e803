/*
 * author: the author domains of a message, out of its From field (RFC 5322 3.6.2, RFC 9989 4.2).
 *
 * Read as a strict reader of RFC 5322 with its obsolete forms and groups (RFC 6854) does:
 * comments anywhere, quoted strings, folding, empty list elements. What such a reader and a
 * mail client could see differently is MALFORMED: two From fields, an open comment, two
 * addresses without a comma, an address in front of another. Encoded words are names and are
 * never decoded to addresses (RFC 2047 5).
 *
 * Domains come as A-labels (IDNA2008) in lower case, each once, in their order.
 */
#pragma once

#include "lib/arena.h"

enum { AUTHOR_DOMAINS_MOST = 10 };

enum author_kind {
	AUTHOR_ONE,       /* domain[0] */
	AUTHOR_MANY,      /* more than one domain */
	AUTHOR_NONE,      /* no domain: an empty group, an address literal */
	AUTHOR_MALFORMED, /* no From field, more than one, or one that cannot be read for certain */
};

struct author {
	enum author_kind kind;
	size_t count;
	const char *domain[AUTHOR_DOMAINS_MOST];
	const char *why; /* of MALFORMED: in words, static */
};

/* header: the fields of the message. The domains are in the arena. */
struct author author_read(struct arena *arena, struct slice header);

/* "Bücher.example" as "xn--bcher-kva.example", one dot at the end left out; NULL: that is no
 * domain name (labels of 1 to 63, 253 in all, letters, digits, '-' and '_' as A-labels). */
const char *author_domain(struct arena *arena, struct slice domain);
