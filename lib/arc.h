/*
 * arc: the ARC chain of one message, verified as it passes (RFC 8617 5.2).
 *
 *	arc_begin()     the header is whole: its sets are read and judged by form (lib/arc_set.h)
 *	arc_body()      a piece of the body, as it came
 *	arc_key()       the record of one of the keys is there, or is not
 *	arc_end()       the body is whole and each key is known: the result
 *
 * Verified are the message signature of the newest set and the seals of all; what older message
 * signatures say of a body that has changed since is nobody's business. Whatever is wrong makes
 * the chain `fail`, an answer that cannot be had, too: RFC 8617 knows no other word.
 *
 * Nothing of the header is kept. A chain that passes says that those who sealed it have said
 * what is in it, not that they may be believed.
 */
#pragma once

#include "lib/arc_set.h"
#include "lib/dkim_canon.h"
#include "lib/dkim_record.h"
#include "lib/dns.h"

enum { ARC_FIELDS_MOST = 1000, ARC_KEYS_MOST = ARC_SETS_MOST + 1 };

/* A signature that is to be verified. */
struct arc_key {
	const struct dkim_signature *signature;
	const char *name;                      /* where its key is asked for (TXT) */
	struct slice made;                     /* b=, decoded */
	unsigned char digest[DKIM_CANON_HASH]; /* of what is signed */
	bool is_known;                         /* arc_key() was there */
	const char *why;                       /* NULL: it is right; once is_known */
};

struct arc {
	struct arena *arena;
	struct arc_sets *sets; /* NULL: there is no ARC field */
	struct arc_key *key;   /* the message signature's, and the seals', by instance */
	size_t count;          /* of key; 0: there is nothing to verify */
	struct dkim_canon body;
	char last[2]; /* of the body */
	uint64_t size;
	const char *body_hash; /* bh= */
	const char *word;      /* NULL before arc_end(); none pass fail */
	const char *why;       /* in words */
};

/* arc: all zero. header: borrowed for the call. now: Unix time. */
void arc_begin(struct arc *arc, struct arena *arena, struct slice header, double now);

void arc_body(struct arc *arc, struct slice piece);

/* For a key that is not known: the answer for its name. */
void arc_key(struct arc *arc, struct arc_key *key, const struct dns_answer *answer);

void arc_end(struct arc *arc);
