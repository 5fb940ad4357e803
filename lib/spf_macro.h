/*
 * spf_macro: texts with macros, RFC 7208 section 7.
 *
 * spf_macro_is() reads by the grammar; spf_macro_expand() takes only what is right by it.
 * What a macro brought in is not expanded again, whatever it looks like.
 */
#pragma once

#include "lib/buf.h"
#include "lib/ip.h"

enum {
	SPF_NAME_MOST = 253,     /* bytes of a name (7.3) */
	SPF_EXPANDED_MOST = 4096 /* bytes that a text may expand to; the limit is ours */
};

enum spf_macro_kind {
	SPF_MACRO_DOMAIN,     /* domain-spec: ends in a top label or a macro; not %{c} %{r} %{t} */
	SPF_MACRO_STRING,     /* macro-string */
	SPF_MACRO_EXPLANATION /* explain-string: blanks, too */
};

bool spf_macro_is(struct slice text, enum spf_macro_kind kind);

/* Does it hold %{p}, which costs questions? */
bool spf_macro_has_name(struct slice text);

struct spf_values {
	const char *local;         /* l: never "" */
	const char *sender_domain; /* o; s is l@o */
	const char *domain;        /* d: whose record it is */
	const char *helo;          /* h */
	const char *receiver;      /* r */
	const char *name;          /* p: the client's validated name, or "unknown" */
	const struct ip *client;   /* i c v */
	double now;                /* t, clock_unix() */
};

enum spf_expansion {
	SPF_EXPANDED,
	SPF_EXPANDS_NEVER,  /* %{l} or %{s} of a local part beyond ASCII (RFC 8616 4) */
	SPF_EXPANDS_TOO_FAR /* more than fits into out */
};

/* Appends to out, whose limit is for the caller to choose: SPF_EXPANDED_MOST will do. */
enum spf_expansion
spf_macro_expand(struct buf *out, struct slice text, const struct spf_values *values);

/*
 * The name that an expanded domain-spec stands for: the last dot dropped, and whole labels
 * from the left until it has no more than SPF_NAME_MOST bytes (7.3). A copy in arena.
 */
const char *spf_macro_name(struct arena *arena, struct slice expanded);
