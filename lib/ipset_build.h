/*
 * ipset_build: what the three files of ipset share: ipset_builder.c takes entries in,
 * ipset_pieces.c sorts out what overlaps, ipset.c makes the flat block and searches it.
 *
 * The builder keeps each entry as a first address, a last address and a tag (its source and
 * line). ipset_pieces_make() sorts them by their first address and walks through them once. A
 * piece begins at an address and ends where the next one begins; all its addresses have the
 * same most specific entry, whose tag it bears, or are in no entry at all: IPSET_GAP. Since a
 * piece can only begin where an entry begins, or right behind the end of one, n entries make at
 * most 2 n pieces, whatever overlaps.
 */
#pragma once

#include "lib/ipset.h"

typedef unsigned __int128 ipset_number; /* an address of either family */

enum { IPSET_GAP = 0, IPSET_TAG_LINE_BITS = 24 }; /* a tag is source << 24 | line; lines from 1 */

struct ipset_span {
	ipset_number first, last;
	uint32_t tag;
};

struct ipset_span_four { /* a quarter of the size, for lists have millions */
	uint32_t first, last;
	uint32_t tag;
};

/* Of one family; of malloc. */
struct ipset_spans {
	bool is_six;
	union {
		void *any;
		struct ipset_span_four *four;
		struct ipset_span *six;
	};
	size_t count, size;
};

/* Of one family; of malloc. */
struct ipset_pieces {
	size_t count;
	uint32_t *tags;
	uint32_t *four;  /* where they begin, IPv4 */
	uint64_t *high;  /* where they begin, IPv6, upper 64 bits */
	uint64_t *lower; /* and lower 64 bits */
};

struct ipset_builder {
	struct arena *arena;
	struct ipset_spans four, six;
	int sources;
	char *names[IPSET_SOURCES_MOST]; /* in the arena */
};

ipset_number ipset_number_of(const struct ip *ip);

void ipset_spans_add(struct ipset_spans *spans, const struct ipset_span *span);
void ipset_spans_free(struct ipset_spans *spans);

void ipset_pieces_make(struct ipset_pieces *pieces, struct ipset_spans *spans); /* sorts them */
void ipset_pieces_free(struct ipset_pieces *pieces);
