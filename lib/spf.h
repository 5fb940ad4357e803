/*
 * spf: may this client send mail in the name of this domain? (RFC 7208)
 *
 * spf_check() is the check_host() of section 4. It asks again: false means that questions are
 * under way, and that it wants to be called anew, with the same query, when an answer has
 * come. It then asks all that is already known to be needed, so that there are few rounds.
 * Nothing is kept in between, and the result does not depend on the order of the answers.
 *
 * Records are read by us (spf_record.h), their macros expanded by us (spf_macro.h); libspf2
 * evaluates what is then written anew (spf_rewrite.c). The limits of 4.6.4 are counted over the
 * whole evaluation, in the order in which terms are reached:
 *
 *	terms   that ask DNS: a mx ptr include exists redirect; one more is permerror
 *	voids   answers without a record; one more is permerror
 *	SPF_HOSTS_MOST   hosts of one mx: one more is permerror; names of one ptr: the rest is
 *	        not looked at
 *
 * With 10 terms it asks 123 questions at most. A question that failed is temperror, where the
 * result hangs on it; for ptr, %{p} and exp= it is as if there were no record.
 */
#pragma once

#include "lib/dns.h"
#include "lib/ip.h"

enum { SPF_HOSTS_MOST = 10, SPF_LIMIT_MOST = 20, SPF_WORDS_MOST = 400 };

enum spf_result {
	SPF_PASS,
	SPF_FAIL,
	SPF_SOFTFAIL,
	SPF_NEUTRAL,
	SPF_NONE,
	SPF_TEMPERROR,
	SPF_PERMERROR,
};

/* The strings are raw text of a peer, and borrowed. */
struct spf_query {
	struct ip client;
	const char *helo;
	const char *local;     /* of the sender; "": postmaster (4.3) */
	const char *domain;    /* of the sender, whose record is asked */
	const char *receiver;  /* our name, for %{r}; NULL: "unknown" */
	double now;            /* clock_unix(), for %{t} */
	unsigned terms, voids; /* the limits; SPF_LIMIT_MOST at most */
	bool wants_explanation;
};

/* Raw text of peers, too, each cut to SPF_WORDS_MOST bytes. In the arena given. */
struct spf_verdict {
	enum spf_result result;
	const char *term;        /* that decided, as published; "": none */
	const char *domain;      /* whose record it stands in */
	const char *why;         /* where no term decided: in words */
	const char *explanation; /* for a fail: what the domain says about it; "": nothing */
};

/* The word of RFC 7208 2.6. */
const char *spf_word(enum spf_result result);

/* arena: for the verdict; nothing is left there by a call that returns false. */
__attribute__((warn_unused_result)) bool spf_check(struct spf_verdict *verdict, struct arena *arena,
    struct dns *dns, const struct spf_query *query);
