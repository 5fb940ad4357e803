/*
 * spf_run: what the files of spf share: one run of an evaluation, from its beginning to its end
 * or to the first answer that is not there.
 *
 *	spf.c            the query, the verdict, the explanation
 *	spf_ask.c        the questions: records, the client's names, all of them early
 *	spf_rewrite.c    a record, written anew for libspf2
 *	spf_evaluate.c   libspf2, and what it asks
 *
 * Everything lives in the run's arena, which ends with the call of spf_check().
 */
#pragma once

#include "lib/spf.h"
#include "lib/spf_macro.h"
#include "lib/spf_record.h"

/* What a domain publishes. */
enum spf_state {
	SPF_WAITS,      /* not known yet */
	SPF_HAS_RECORD, /* and it is right */
	SPF_HAS_NONE,
	SPF_IS_WRONG,  /* two records, or a fault in it */
	SPF_NOT_KNOWN, /* the question failed */
};

struct spf_found {
	struct spf_found *next;
	const struct dns_answer *answer;
	enum spf_state state;
	const char *domain;
	const char *why; /* in words, for all but SPF_HAS_RECORD */
	struct spf_record record;
};

enum spf_alias_kind {
	SPF_ALIAS_TERM,      /* of the term's target */
	SPF_ALIAS_MARKER,    /* never found; that it is asked for says that its term was reached */
	SPF_ALIAS_LATER,     /* the term's target is not known yet */
	SPF_ALIAS_TOO_LONG,  /* it is longer than we can expand */
	SPF_ALIAS_HOST,      /* of an mx */
	SPF_ALIAS_HOST_MORE, /* one more than SPF_HOSTS_MOST */
	SPF_ALIAS_NAME,      /* of a ptr */
};

/* A name that libspf2 sees, and what it stands for. */
struct spf_alias {
	enum spf_alias_kind kind;
	const struct spf_term *term;
	const struct spf_found *owner; /* whose record the term stands in */
	const char *name;              /* the true one */
	unsigned depth;                /* of include; 0: the record asked for, or its redirect */
	size_t number;
};

struct spf_run {
	const struct spf_query *query;
	struct dns *dns;
	struct arena *arena;
	struct spf_found *found; /* so far, newest first */
	struct spf_alias **aliases;
	size_t alias_count, alias_room;
	unsigned terms, voids;

	/* Either of these ends the run, whatever libspf2 makes of it. */
	bool waits;
	bool is_over;
	enum spf_result result; /* when it is over */
	const char *why;

	const struct spf_alias *reached;   /* the term that is evaluated */
	const struct spf_alias *decides;   /* the same, of depth 0 only */
	const struct spf_found *explained; /* whose exp= counts */
};

/* spf_ask.c. The answer is remembered for the run; where it is SPF_WAITS, a new one. */
const struct spf_found *spf_ask_record(struct spf_run *run, const char *domain);

/* The client's names; NULL: wait. */
const struct dns_answer *spf_ask_names(struct spf_run *run);
enum dns_type spf_ask_type(const struct spf_run *run); /* A or AAAA, as the client's */

enum spf_target { SPF_TARGET, SPF_TARGET_LATER, SPF_TARGET_NEVER, SPF_TARGET_TOO_LONG };

/* The expanded text, in the record of domain; buf: empty. */
enum spf_target
spf_ask_expanded(struct spf_run *run, const char *domain, struct slice text, struct buf *expanded);

/* The name that a term is about (4.8). */
enum spf_target spf_ask_target(struct spf_run *run, const struct spf_found *owner,
    const struct spf_term *term, const char **name);

/* The hosts of an mx, in their order: by preference, then by name. */
struct slice *spf_ask_hosts(struct spf_run *run, const struct dns_answer *mx);

/* Asks whatever can be asked by now. */
void spf_ask_early(struct spf_run *run);

/* spf_rewrite.c: for this client and this sender, for libspf2. */
const char *spf_rewrite(struct spf_run *run, const struct spf_found *found, unsigned depth);

/* The alias of the same term with another kind and name; the text of its own name. */
const struct spf_alias *spf_rewrite_alias(struct spf_run *run, const struct spf_alias *like);
const struct spf_alias *spf_rewrite_find(const struct spf_run *run, const char *text);

/* spf_evaluate.c: sets waits, or the result and what decided. */
void spf_evaluate(struct spf_run *run, const struct spf_found *found);
