/*
 * spf_record: a published SPF record, read by the grammar of RFC 7208 section 12.
 *
 * A record is read as a whole before anything of it is evaluated: one fault anywhere makes it
 * useless (4.6), and says so in words. Words of the grammar are the same in either letter
 * case; bytes that are not printable ASCII are faults. There is no limit to its length but
 * SPF_TERMS_MOST, which is ours.
 *
 * What is read points into the text, which must live as long.
 */
#pragma once

#include "lib/arena.h"
#include "lib/ip.h"

enum { SPF_TERMS_MOST = 512, SPF_NO_BITS = 255 };

/* The mechanisms (5), and the modifier (6) that is a term of its own. */
enum spf_kind {
	SPF_TERM_ALL,
	SPF_TERM_INCLUDE,
	SPF_TERM_A,
	SPF_TERM_MX,
	SPF_TERM_PTR,
	SPF_TERM_IP4,
	SPF_TERM_IP6,
	SPF_TERM_EXISTS,
	SPF_TERM_REDIRECT,
};

struct spf_term {
	enum spf_kind kind;
	char qualifier;         /* + - ~ ? */
	struct slice text;      /* as published, "-a:example.org/24" */
	struct slice domain;    /* the domain-spec, with its macros; empty: none */
	struct network network; /* ip4, ip6 */
	uint8_t bits4, bits6;   /* a, mx: of the prefix; SPF_NO_BITS: none was given */
};

struct spf_record {
	size_t count;
	struct spf_term *terms;    /* [count]: the mechanisms, in their order */
	struct spf_term *redirect; /* NULL: none */
	struct slice explanation;  /* the domain-spec of exp=; empty: none */
};

/* Is this TXT record one of SPF: "v=spf1", then a blank or nothing (4.5)? */
bool spf_record_is(struct slice text);

/* text: one for which spf_record_is(). false: a fault, and *why says which, in arena. */
__attribute__((warn_unused_result)) bool spf_record_read(
    struct spf_record *record, struct arena *arena, struct slice text, const char **why);
