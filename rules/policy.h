/*
 * policy: from facts to a verdict.
 *
 * Rules stand in an order. A rule is asked only where its `for:` fits (recipient, domain,
 * listener). It holds when every `when` condition is YES and every `unless` is NO. The first
 * rule that holds and has an ending action ends the matter. Rules with a score add up; what
 * no rule has ended is rejected, tagged or accepted by the thresholds. A shadow rule is
 * passed over and reported by policy_shadows(): it neither decides nor makes anybody wait.
 *
 * policy_judge() may be called at any time. The rules are gone through from the top, and the
 * first one that is neither held nor failed stops the walk:
 *
 *	JUDGED        the verdict is there
 *	JUDGE_WAIT    that rule hangs on a question under way: call again when an answer is in
 *	JUDGE_LATER   it hangs only on what a later stage will find: go on with the session
 *
 * So a verdict is spoken only when no rule before it can still hold, and as knowledge only
 * grows (see evidence.h), the result is the same whatever answer came first. When all rules
 * are decided the thresholds may speak, at whatever point. At POINT_MESSAGE what no filter
 * will find counts as NO, and JUDGE_LATER does not occur.
 *
 * At POINT_CONNECT only rules with `speak: at_once` may end the matter there and then; for
 * the others the walk stops as JUDGE_LATER (their refusal is spoken at RCPT).
 *
 * Never an open relay: at POINT_RCPT the fact relay.result = denied is a refusal before any
 * rule is read, and no rule can undo it (the verdict's rule is policy_relay_rule).
 */
#pragma once

#include "filters/evidence.h"

enum action { ACCEPT, REJECT, DEFER, TAG, DISCARD, REDIRECT, SCORE };
enum point { POINT_CONNECT, POINT_RCPT, POINT_MESSAGE };

struct condition {
	const char *filter, *key;
	enum stage stage;          /* after which its facts are in */
	bool is_off;               /* the filter does not run: the condition is NO */
	const char *const *values; /* any of them; ends with NULL */
};

/* What a rule is narrowed to; all empty: everybody. */
struct rule_scope {
	const char *const *recipients; /* "c@example.com", "postmaster@"; ends with NULL, or NULL */
	const char *const *domains;    /* "example.com", ".example.com" */
	const char *const *listeners;  /* "*:25" */
};

struct rule {
	const char *name;
	const struct condition *when;   /* all of them; ends with a filter NULL */
	const struct condition *unless; /* none of them */
	struct rule_scope scope;
	enum action action;
	double score; /* for SCORE */
	struct condition
	    adds;         /* for SCORE: a fact whose number is added instead; filter NULL: none */
	double ban;       /* with REJECT: how long the client is banned, in seconds; 0: not */
	const char *text; /* for REJECT and DEFER: enhanced code and words; NULL: default */
	const char *redirect; /* for REDIRECT: an address */
	bool is_shadow;
	bool speaks_at_once;
};

struct policy {
	const struct rule *rules; /* ends with a name NULL */
	double tag, reject;       /* thresholds; 0: none */
	bool is_shadow;           /* the whole of postern: record, but let everything pass */
	const char *hash;         /* SHA-256 of the rules as read, hexadecimal */
};

extern const struct rule policy_relay_rule;

enum judgement { JUDGED, JUDGE_WAIT, JUDGE_LATER };

struct verdict {
	enum action action;      /* never SCORE */
	const struct rule *rule; /* NULL: the thresholds, or nothing against it */
	double score;
	bool is_shadow; /* by mode: shadow; the action is what would have been done */
};

/* evidence: the innermost scope; recipient: NULL at POINT_CONNECT; listener: never NULL. */
enum judgement
policy_judge(const struct policy *policy, const struct evidence *evidence, enum point point,
    const struct address *recipient, const char *listener, struct verdict *verdict);

/*
 * Could the message get different verdicts for these two recipients? (RFC 5321 4.5.3.1.10's
 * 452 lets the second come in a transaction of its own.) a, b: their own scopes. True when
 * any rule that could still speak stands differently for them now.
 */
bool policy_differs(const struct policy *policy, const struct evidence *a,
    const struct address *a_recipient, const struct evidence *b, const struct address *b_recipient,
    const char *listener);

/* The next shadow rule after `after` (NULL: the first) that holds by what is known; NULL: none. */
const struct rule *policy_shadow(const struct policy *policy, const struct evidence *evidence,
    const struct address *recipient, const char *listener, const struct rule *after);

/* For who explains: how a rule stands by what is known now. */
enum standing {
	STANDING_HELD,
	STANDING_FAILED,
	STANDING_NARROWED, /* `for:` leaves this recipient or listener out */
	STANDING_OFF,      /* it hangs on a filter that does not run */
	STANDING_OPEN      /* an answer is missing, or a later stage */
};

enum standing policy_standing(const struct rule *rule, const struct evidence *evidence,
    enum point point, const struct address *recipient, const char *listener);

/* Might a verdict reached only after the body need a header or another recipient? Then the
 * message cannot be streamed (delivery: auto holds it). */
bool policy_needs_hold(const struct policy *policy);

/* Is there a rule that refuses mail for this fact? (For who makes such a fact, and asks what
 * will come of it.) */
bool
policy_heeds(const struct policy *policy, const char *filter, const char *key, const char *value);

const char *action_name(enum action action);
const char *rule_action(const struct rule *rule); /* as it is written in the policy */
