/*
 * policy: four kinds of knowledge; whatever answer comes first, one verdict, spoken at the
 * same point; and nobody waits for what cannot matter.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rules/policy.h"

#define WHEN(...)                                                                                  \
	.when = (const struct condition[])                                                         \
	{                                                                                          \
		__VA_ARGS__,                                                                       \
		{                                                                                  \
			0                                                                          \
		}                                                                                  \
	}
#define UNLESS(...)                                                                                \
	.unless = (const struct condition[])                                                       \
	{                                                                                          \
		__VA_ARGS__,                                                                       \
		{                                                                                  \
			0                                                                          \
		}                                                                                  \
	}
#define TEXTS(...) ((const char *const[]) { __VA_ARGS__, NULL })
#define IS(filter, stage, ...)                                                                     \
	{                                                                                          \
		filter, "result", stage, false, TEXTS(__VA_ARGS__)                                 \
	}
#define RULES(...) ((const struct rule[]) { __VA_ARGS__, { 0 } })

static const char listener[] = "*:25";
static const struct address c = { "c@example.com", "c", "example.com", false };
static const struct address d = { "D@sub.example.com", "D", "sub.example.com", false };
static const struct address postmaster = { "Postmaster", "Postmaster", "", false };

struct fixture {
	struct arena *arena;
	struct evidence *connection, *helo, *transaction, *recipient;
};

static void
fixture_begin(struct fixture *f)
{
	f->arena = arena_new(1 << 20);
	f->connection = evidence_new(f->arena, NULL);
	f->helo = evidence_new(f->arena, f->connection);
	f->transaction = evidence_new(f->arena, f->helo);
	f->recipient = evidence_new(f->arena, f->transaction);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	fixture_begin(f);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	arena_free(f->arena);
	free(f);
	return 0;
}

static void
tell(struct evidence *evidence, const char *filter, enum stage stage, const char *value)
{
	evidence_begin(evidence, filter, stage);
	evidence_add(evidence, filter, "result", value, "");
	evidence_over(evidence, filter, stage);
}

static void
tell_relay(struct fixture *f, const char *value)
{
	tell(f->recipient, "relay", RCPT, value);
}

static enum judgement
judge(
    const struct fixture *f, const struct policy *policy, enum point point, struct verdict *verdict)
{
	*verdict = (struct verdict) { .action = SCORE };
	if (point == POINT_CONNECT)
		return policy_judge(policy, f->connection, point, NULL, listener, verdict);
	return policy_judge(policy, f->recipient, point, &c, listener, verdict);
}

static void
assert_verdict(const struct fixture *f, const struct policy *policy, enum point point,
    enum action action, const char *rule)
{
	struct verdict verdict;

	assert_int_equal(judge(f, policy, point, &verdict), JUDGED);
	assert_int_equal(verdict.action, action);
	if (rule == NULL)
		assert_null(verdict.rule);
	else
		assert_string_equal(verdict.rule->name, rule);
}

static void
assert_judgement(
    const struct fixture *f, const struct policy *policy, enum point point, enum judgement want)
{
	struct verdict verdict;

	assert_int_equal(judge(f, policy, point, &verdict), want);
	assert_int_equal(verdict.action, SCORE); /* untouched */
}

/* ---- four kinds of knowledge ---- */

static const struct policy one_rule = {
	.rules = RULES({ "blocked", WHEN(IS("list", CONNECT, "block")), .action = REJECT })
};
static const struct policy one_unless = {
	.rules = RULES({ "stranger", UNLESS(IS("list", CONNECT, "allow")), .action = REJECT })
};

static void
test_when(void **state)
{
	struct fixture *f = *state;

	tell_relay(f, "domain");
	assert_judgement(f, &one_rule, POINT_RCPT, JUDGE_LATER);
	evidence_begin(f->connection, "list", CONNECT);
	assert_judgement(f, &one_rule, POINT_RCPT, JUDGE_WAIT);
	assert_judgement(f, &one_rule, POINT_MESSAGE, JUDGE_WAIT);
	evidence_over(f->connection, "list", CONNECT);
	assert_verdict(f, &one_rule, POINT_RCPT, ACCEPT, NULL);
	evidence_add(f->connection, "list", "result", "block", "");
	assert_verdict(f, &one_rule, POINT_RCPT, REJECT, "blocked");
}

static void
test_unless(void **state)
{
	struct fixture *f = *state;

	tell_relay(f, "domain");
	assert_judgement(f, &one_unless, POINT_RCPT, JUDGE_LATER);
	assert_verdict(f, &one_unless, POINT_MESSAGE, REJECT, "stranger");
	evidence_begin(f->connection, "list", CONNECT);
	assert_judgement(f, &one_unless, POINT_MESSAGE, JUDGE_WAIT);
	evidence_over(f->connection, "list", CONNECT);
	assert_verdict(f, &one_unless, POINT_RCPT, REJECT, "stranger");
	evidence_add(f->connection, "list", "result", "allow", "");
	assert_verdict(f, &one_unless, POINT_RCPT, ACCEPT, NULL);
}

/* At the end what nobody will find counts as NO; with nothing known and nothing under way. */
static void
test_never_found(void **state)
{
	assert_verdict(*state, &one_rule, POINT_MESSAGE, ACCEPT, NULL);
}

static void
test_switched_off(void **state)
{
	struct fixture *f = *state;
	const struct policy policy = {
		.rules = RULES({ "when-off", WHEN({ "spf", "result", MAIL, true, TEXTS("fail") }),
				   .action = DEFER },
		    { "unless-off", UNLESS({ "dkim", "result", END, true, TEXTS("pass") }),
			.action = REJECT })
	};

	tell_relay(f, "domain");
	assert_verdict(f, &policy, POINT_RCPT, REJECT, "unless-off");
}

/* Within a rule: NO beats all, PENDING beats LATER. */
static void
test_within_a_rule(void **state)
{
	struct fixture *f = *state;
	const struct policy policy = {
		.rules = RULES({ "friend", WHEN(IS("zen", CONNECT, "sbl"), IS("spf", MAIL, "pass")),
				   .action = ACCEPT },
		    { "bl", WHEN(IS("bl", CONNECT, "bad")), .action = REJECT,
			.speaks_at_once = true })
	};

	tell_relay(f, "domain");
	tell(f->connection, "bl", CONNECT, "bad");
	evidence_begin(f->connection, "zen", CONNECT);
	assert_judgement(f, &policy, POINT_CONNECT, JUDGE_WAIT);
	assert_judgement(f, &policy, POINT_RCPT, JUDGE_WAIT);
	tell(f->connection, "zen", CONNECT, "none");
	assert_verdict(f, &policy, POINT_CONNECT, REJECT, "bl");
	evidence_add(f->connection, "zen", "result", "sbl", "");
	assert_judgement(f, &policy, POINT_CONNECT, JUDGE_LATER);
	assert_judgement(f, &policy, POINT_RCPT, JUDGE_LATER);
}

/* The first rule that ends the matter ends it, and a rule behind an undecided one is silent. */
static void
test_order_of_rules(void **state)
{
	struct fixture *f = *state;
	const struct policy policy = {
		.rules = RULES({ "spf", WHEN(IS("spf", MAIL, "pass")), .action = ACCEPT },
		    { "first", WHEN(IS("list", CONNECT, "block")), .action = DEFER },
		    { "second", WHEN(IS("list", CONNECT, "block")), .action = REJECT })
	};

	tell_relay(f, "domain");
	tell(f->connection, "list", CONNECT, "block");
	assert_judgement(f, &policy, POINT_RCPT, JUDGE_LATER);
	evidence_begin(f->transaction, "spf", MAIL);
	assert_judgement(f, &policy, POINT_RCPT, JUDGE_WAIT);
	tell(f->transaction, "spf", MAIL, "fail");
	assert_verdict(f, &policy, POINT_RCPT, DEFER, "first");
	evidence_add(f->transaction, "spf", "result", "pass", "");
	assert_verdict(f, &policy, POINT_RCPT, ACCEPT, "spf");
}

/* ---- thresholds, shadow ---- */

static void
test_thresholds(void **state)
{
	struct fixture *f = *state;
	const struct policy policy = {
		.rules = RULES({ "a", WHEN(IS("a", CONNECT, "x")), .action = SCORE, .score = 3 },
		    { "b", WHEN(IS("b", CONNECT, "x")), .action = SCORE, .score = 2.5 },
		    { "c", WHEN(IS("c", END, "x")), .action = SCORE, .score = -1 }),
		.tag = 3,
		.reject = 5.5
	};
	struct verdict verdict;

	tell_relay(f, "domain");
	tell(f->connection, "a", CONNECT, "x");
	evidence_begin(f->connection, "b", CONNECT);
	assert_judgement(f, &policy, POINT_RCPT, JUDGE_LATER); /* c is later, whatever b says */
	assert_judgement(f, &policy, POINT_MESSAGE, JUDGE_WAIT);
	tell(f->connection, "b", CONNECT, "y");
	assert_judgement(f, &policy, POINT_RCPT, JUDGE_LATER);
	assert_verdict(f, &policy, POINT_MESSAGE, TAG, NULL);
	evidence_add(f->connection, "b", "result", "x", "");
	assert_verdict(f, &policy, POINT_MESSAGE, REJECT, NULL);
	tell(f->transaction, "c", END, "x");
	assert_int_equal(judge(f, &policy, POINT_RCPT, &verdict), JUDGED);
	assert_int_equal(verdict.action, TAG);
	assert_true(verdict.score > 4.49 && verdict.score < 4.51);
}

static void
test_no_thresholds(void **state)
{
	struct fixture *f = *state;
	const struct policy policy = {
		.rules = RULES({ "a", WHEN(IS("a", CONNECT, "x")), .action = SCORE, .score = 99 })
	};

	tell_relay(f, "domain");
	tell(f->connection, "a", CONNECT, "x");
	assert_verdict(f, &policy, POINT_RCPT, ACCEPT, NULL);
}

static const struct policy with_shadow = {
	.rules = RULES({ "s1", WHEN(IS("x", CONNECT, "a")), .action = REJECT, .is_shadow = true },
	    { "real", WHEN(IS("y", CONNECT, "a")), .action = DEFER },
	    { "s2", WHEN(IS("y", CONNECT, "a")), .action = SCORE, .score = 4, .is_shadow = true },
	    { "s3", WHEN(IS("y", CONNECT, "a")), .scope.recipients = TEXTS("nobody@example.com"),
		.action = REJECT, .is_shadow = true }),
	.reject = 3
};

static void
test_shadow(void **state)
{
	struct fixture *f = *state;
	const struct rule *rule;

	tell_relay(f, "domain");
	evidence_begin(f->connection, "x", CONNECT);
	tell(f->connection, "y", CONNECT, "b");
	assert_verdict(f, &with_shadow, POINT_RCPT, ACCEPT, NULL); /* nobody waits for x */
	assert_null(policy_shadow(&with_shadow, f->recipient, &c, listener, NULL));
	evidence_add(f->connection, "y", "result", "a", "");
	rule = policy_shadow(&with_shadow, f->recipient, &c, listener, NULL);
	assert_string_equal(rule->name, "s2");
	assert_null(policy_shadow(&with_shadow, f->recipient, &c, listener, rule));
	tell(f->connection, "x", CONNECT, "a");
	rule = policy_shadow(&with_shadow, f->recipient, &c, listener, NULL);
	assert_string_equal(rule->name, "s1");
	rule = policy_shadow(&with_shadow, f->recipient, &c, listener, rule);
	assert_string_equal(rule->name, "s2");
	assert_verdict(f, &with_shadow, POINT_RCPT, DEFER, "real");
}

/* For those who explain; at the end what nobody will find counts as NO. */
static void
test_standing(void **state)
{
	struct fixture *f = *state;
	const struct rule *rules =
	    RULES({ "list", WHEN(IS("list", CONNECT, "block")), .action = REJECT },
		{ "narrow", WHEN(IS("list", CONNECT, "block")),
		    .scope = { .domains = TEXTS("example.net") } },
		{ "elsewhere", .scope = { .listeners = TEXTS("*:465") } },
		{ "off", WHEN({ "spf", "result", MAIL, true, TEXTS("fail") }) },
		{ "unless-off", UNLESS({ "spf", "result", MAIL, true, TEXTS("fail") }) });
	static const struct {
		const char *value; /* of list; NULL: nothing told */
		enum point point;
		enum standing want[5];
	} rows[] = {
		{ NULL, POINT_RCPT,
		    { STANDING_OPEN, STANDING_NARROWED, STANDING_NARROWED, STANDING_OFF,
			STANDING_HELD } },
		{ NULL, POINT_MESSAGE,
		    { STANDING_FAILED, STANDING_NARROWED, STANDING_NARROWED, STANDING_OFF,
			STANDING_HELD } },
		{ "none", POINT_RCPT,
		    { STANDING_FAILED, STANDING_NARROWED, STANDING_NARROWED, STANDING_OFF,
			STANDING_HELD } },
		{ "block", POINT_RCPT,
		    { STANDING_HELD, STANDING_NARROWED, STANDING_NARROWED, STANDING_OFF,
			STANDING_HELD } },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].value != NULL)
			tell(f->connection, "list", CONNECT, rows[i].value);
		for (size_t j = 0; j < 5; j++)
			assert_int_equal(
			    policy_standing(&rules[j], f->recipient, rows[i].point, &c, listener),
			    rows[i].want[j]);
	}
	evidence_begin(f->connection, "slow", CONNECT);
	const struct rule slow = { "slow", WHEN(IS("slow", CONNECT, "a")) };

	assert_int_equal(
	    policy_standing(&slow, f->recipient, POINT_MESSAGE, &c, listener), STANDING_OPEN);
}

static void
test_mode_shadow(void **state)
{
	struct fixture *f = *state;
	struct policy policy = one_rule;
	struct verdict verdict;

	policy.is_shadow = true;
	tell(f->connection, "list", CONNECT, "block");
	tell_relay(f, "network");
	assert_int_equal(judge(f, &policy, POINT_RCPT, &verdict), JUDGED);
	assert_int_equal(verdict.action, REJECT);
	assert_true(verdict.is_shadow);
}

/* ---- the connection ---- */

static void
test_at_once(void **state)
{
	struct fixture *f = *state;
	struct rule rules[] = { { "list", WHEN(IS("list", CONNECT, "block")), .action = REJECT },
		{ 0 } };
	const struct policy policy = { .rules = rules };

	evidence_begin(f->connection, "list", CONNECT);
	assert_judgement(f, &policy, POINT_CONNECT, JUDGE_LATER); /* it may not speak: no wait */
	rules[0].speaks_at_once = true;
	assert_judgement(f, &policy, POINT_CONNECT, JUDGE_WAIT);
	tell(f->connection, "list", CONNECT, "block");
	assert_verdict(f, &policy, POINT_CONNECT, REJECT, "list");
	rules[0].speaks_at_once = false;
	assert_judgement(f, &policy, POINT_CONNECT, JUDGE_LATER);
	tell_relay(f, "domain");
	assert_verdict(f, &policy, POINT_RCPT, REJECT, "list");
}

/* A rule that may speak stands behind one that may not. */
static void
test_at_once_behind(void **state)
{
	struct fixture *f = *state;
	const struct policy policy = {
		.rules = RULES({ "allowed", WHEN(IS("list", CONNECT, "allow")), .action = ACCEPT },
		    { "zen", WHEN(IS("zen", CONNECT, "sbl")), .action = REJECT,
			.speaks_at_once = true },
		    { "later", WHEN(IS("spf", MAIL, "fail")), .action = REJECT })
	};

	evidence_begin(f->connection, "list", CONNECT);
	evidence_begin(f->connection, "zen", CONNECT);
	assert_judgement(f, &policy, POINT_CONNECT, JUDGE_WAIT);
	evidence_add(f->connection, "zen", "result", "sbl", "");
	assert_judgement(f, &policy, POINT_CONNECT, JUDGE_WAIT);
	evidence_over(f->connection, "list", CONNECT);
	assert_verdict(f, &policy, POINT_CONNECT, REJECT, "zen");
	evidence_add(f->connection, "list", "result", "allow", "");
	assert_judgement(f, &policy, POINT_CONNECT, JUDGE_LATER);
}

/* zen has said no: nothing is left that may speak now, though the list is still open. */
static void
test_at_once_is_over(void **state)
{
	struct fixture *f = *state;
	const struct policy policy = { .rules = RULES({ "score", WHEN(IS("list", CONNECT, "bad")),
							  .action = SCORE, .score = 1 },
					   { "zen", WHEN(IS("zen", CONNECT, "sbl")),
					       .action = REJECT, .speaks_at_once = true }),
		.reject = 1 };

	evidence_begin(f->connection, "list", CONNECT);
	evidence_begin(f->connection, "zen", CONNECT);
	assert_judgement(f, &policy, POINT_CONNECT, JUDGE_WAIT);
	evidence_over(f->connection, "zen", CONNECT);
	assert_judgement(f, &policy, POINT_CONNECT, JUDGE_LATER);
	tell(f->connection, "list", CONNECT, "bad");
	assert_judgement(f, &policy, POINT_CONNECT, JUDGE_LATER); /* thresholds do not speak here */
}

/* ---- for: ---- */

static bool
fits(struct fixture *f, struct rule_scope scope, const struct address *recipient, const char *at)
{
	const struct rule rules[] = { { "for", .scope = scope, .action = REJECT }, { 0 } };
	const struct policy policy = { .rules = rules };
	struct verdict verdict;

	assert_int_equal(
	    policy_judge(&policy, f->transaction, POINT_MESSAGE, recipient, at, &verdict), JUDGED);
	return verdict.action == REJECT;
}

static void
test_for(void **state)
{
	struct fixture *f = *state;

	assert_true(fits(f, (struct rule_scope) { 0 }, &c, "x"));
	assert_true(fits(f, (struct rule_scope) { .recipients = TEXTS("C@EXAMPLE.com") }, &c, "x"));
	assert_true(
	    fits(f, (struct rule_scope) { .recipients = TEXTS("a@b", "c@example.com") }, &c, "x"));
	assert_false(
	    fits(f, (struct rule_scope) { .recipients = TEXTS("cc@example.com") }, &c, "x"));
	assert_false(fits(f, (struct rule_scope) { .recipients = TEXTS("c@example.co") }, &c, "x"));
	assert_false(fits(f, (struct rule_scope) { .recipients = TEXTS("c") }, &c, "x"));
	assert_true(
	    fits(f, (struct rule_scope) { .recipients = TEXTS("postmaster@") }, &postmaster, "x"));
	assert_false(fits(f, (struct rule_scope) { .recipients = TEXTS("postmaster@") }, &c, "x"));
	assert_true(fits(f, (struct rule_scope) { .recipients = TEXTS("c@") }, &c, "x"));
	assert_true(fits(f, (struct rule_scope) { .domains = TEXTS("example.com") }, &c, "x"));
	assert_false(fits(f, (struct rule_scope) { .domains = TEXTS("example.com") }, &d, "x"));
	assert_true(fits(f, (struct rule_scope) { .domains = TEXTS(".example.com") }, &d, "x"));
	assert_false(fits(f, (struct rule_scope) { .domains = TEXTS(".example.com") }, &c, "x"));
	assert_false(
	    fits(f, (struct rule_scope) { .domains = TEXTS("example.com") }, &postmaster, "x"));
	assert_true(fits(f, (struct rule_scope) { .listeners = TEXTS("*:465", "x") }, &c, "x"));
	assert_false(fits(f, (struct rule_scope) { .listeners = TEXTS("*:465") }, &c, "x"));
	assert_false(fits(f,
	    (struct rule_scope) { .domains = TEXTS("example.com"), .listeners = TEXTS("*:465") },
	    &c, "x"));
	assert_true(fits(f,
	    (struct rule_scope) {
		.domains = TEXTS("a.test"), .recipients = TEXTS("c@example.com") },
	    &c, "x"));
	assert_false(fits(f, (struct rule_scope) { .domains = TEXTS("example.com") }, NULL, "x"));
}

/* At connect nobody knows the recipient: such a rule is LATER, unless it has failed. */
static void
test_for_at_connect(void **state)
{
	struct fixture *f = *state;
	const struct policy policy = { .rules = RULES({ "for", WHEN(IS("a", CONNECT, "x")),
							  .scope.domains = TEXTS("example.com"),
							  .action = ACCEPT },
					   { "zen", WHEN(IS("zen", CONNECT, "sbl")),
					       .action = REJECT, .speaks_at_once = true }) };

	tell(f->connection, "zen", CONNECT, "sbl");
	evidence_begin(f->connection, "a", CONNECT);
	assert_judgement(f, &policy, POINT_CONNECT, JUDGE_WAIT);
	evidence_over(f->connection, "a", CONNECT);
	assert_verdict(f, &policy, POINT_CONNECT, REJECT, "zen");
	evidence_add(f->connection, "a", "result", "x", "");
	assert_judgement(f, &policy, POINT_CONNECT, JUDGE_LATER);
}

/* ---- relay ---- */

static void
test_relay(void **state)
{
	struct fixture *f = *state;
	const struct policy policy = { .rules = RULES({ "everybody", .action = ACCEPT }),
		.is_shadow = true };
	struct verdict verdict;

	tell_relay(f, "denied");
	for (enum point point = POINT_RCPT; point <= POINT_MESSAGE; point++) {
		assert_int_equal(judge(f, &policy, point, &verdict), JUDGED);
		assert_int_equal(verdict.action, REJECT);
		assert_ptr_equal(verdict.rule, &policy_relay_rule);
		assert_false(verdict.is_shadow); /* not even mode: shadow lets it pass */
	}
}

/* No rule, of whatever action, undoes it; also none on the relay fact itself. */
static void
test_relay_against_every_action(void **state)
{
	struct fixture *f = *state;

	tell_relay(f, "denied");
	tell(f->connection, "list", CONNECT, "allow");
	for (enum action action = ACCEPT; action <= SCORE; action++) {
		const struct rule rules[] = { { "list", WHEN(IS("list", CONNECT, "allow")),
						  .action = action, .score = -100,
						  .speaks_at_once = true },
			{ "all", .action = action, .redirect = "x@example.com" },
			{ "denied", WHEN(IS("relay", RCPT, "denied")), .action = action }, { 0 } };
		const struct policy policy = { .rules = rules, .tag = 1, .reject = 1000 };

		assert_verdict(f, &policy, POINT_RCPT, REJECT, "relay");
		assert_verdict(f, &policy, POINT_MESSAGE, REJECT, "relay");
	}
}

static void
test_relay_not_said(void **state)
{
	struct fixture *f = *state;
	const struct policy policy = { .rules = RULES({ "everybody", .action = ACCEPT }) };

	assert_verdict(f, &policy, POINT_RCPT, REJECT, "relay");
	evidence_begin(f->recipient, "relay", RCPT);
	assert_judgement(f, &policy, POINT_RCPT, JUDGE_WAIT);
	evidence_over(f->recipient, "relay", RCPT);
	assert_verdict(f, &policy, POINT_RCPT, REJECT, "relay");
	evidence_add(f->recipient, "relay", "result", "network", "");
	assert_verdict(f, &policy, POINT_RCPT, ACCEPT, "everybody");
}

/* ---- two recipients ---- */

static bool
differs(struct fixture *f, const struct policy *policy)
{
	struct evidence *other = evidence_new(f->arena, f->transaction);
	bool result;

	tell(other, "relay", RCPT, "domain");
	result = policy_differs(policy, f->recipient, &c, other, &d, listener);
	assert_int_equal(policy_differs(policy, other, &d, f->recipient, &c, listener), result);
	return result;
}

static void
test_differs(void **state)
{
	struct fixture *f = *state;
	struct rule rules[] = {
		{ "first", WHEN(IS("spf", MAIL, "pass")), .action = ACCEPT },
		{ "for", WHEN(IS("dkim", END, "fail")), .scope.domains = TEXTS("example.com"),
		    .action = REJECT },
		{ 0 },
	};
	struct policy policy = { .rules = rules };

	tell_relay(f, "domain");
	assert_true(differs(f, &policy));
	evidence_begin(f->transaction, "spf", MAIL);
	assert_true(differs(f, &policy));
	tell(f->transaction, "spf", MAIL, "fail");
	assert_true(differs(f, &policy)); /* c will be asked for DKIM, d not */
	rules[1].is_shadow = true;
	assert_false(differs(f, &policy));
	rules[1].is_shadow = false;
	rules[1].score = 5;
	rules[1].action = SCORE; /* without thresholds no matter */
	assert_false(differs(f, &policy));
	policy.tag = 1;
	assert_true(differs(f, &policy));
	tell(f->transaction, "dkim", END, "pass"); /* it failed for both */
	assert_false(differs(f, &policy));
	evidence_add(f->transaction, "dkim", "result", "fail", "");
	assert_true(differs(f, &policy));
	evidence_add(f->transaction, "spf", "result", "pass", ""); /* ended before for both */
	assert_false(differs(f, &policy));
}

/* An exception for one of them, and nothing against the other either: one answer for both. */
static void
test_differs_not_in_effect(void **state)
{
	struct fixture *f = *state;
	struct rule rules[] = {
		{ "c", .scope.recipients = TEXTS("c@example.com"), .action = ACCEPT },
		{ "spf", WHEN(IS("spf", MAIL, "fail")), .action = REJECT },
		{ "relayed", WHEN(IS("relay", RCPT, "auth")), .action = TAG },
		{ 0 },
	};
	const struct policy policy = { .rules = rules };

	tell_relay(f, "domain");
	assert_true(differs(f, &policy));
	tell(f->transaction, "spf", MAIL, "pass");
	assert_false(differs(f, &policy));
	rules[0].action = TAG;
	assert_true(differs(f, &policy));
}

/* A question that only one recipient's own scope will answer. */
static void
test_differs_by_recipient(void **state)
{
	struct fixture *f = *state;
	const struct policy policy = {
		.rules = RULES(
		    { "own", WHEN(IS("own", RCPT, "x"), IS("dkim", END, "x")), .action = REJECT })
	};

	tell_relay(f, "domain");
	assert_true(differs(f, &policy)); /* nobody knows yet */
	tell(f->recipient, "own", RCPT, "y");
	assert_true(differs(f, &policy));
}

static void
test_needs_hold(void **state)
{
	struct rule rules[] = {
		{ "spf", WHEN(IS("spf", MAIL, "fail")), .action = TAG },
		{ "dkim", WHEN(IS("dkim", END, "fail")), .action = REJECT },
		{ "ptr", WHEN(IS("ptr", CONNECT, "none")), .action = DEFER },
		{ 0 },
	};
	struct policy policy = { .rules = rules };

	(void)state;
	assert_false(policy_needs_hold(&policy));
	rules[2].action = TAG; /* reached only when dkim is known */
	assert_true(policy_needs_hold(&policy));
	rules[2].is_shadow = true;
	assert_false(policy_needs_hold(&policy));
	policy.tag = 5;
	assert_true(policy_needs_hold(&policy));
	policy.is_shadow = true;
	assert_false(policy_needs_hold(&policy));
	policy.is_shadow = false;
	rules[1].is_shadow = true; /* nothing hangs on the body */
	assert_false(policy_needs_hold(&policy));
	rules[1] = (struct rule) { "off", WHEN({ "dkim", "result", END, true, TEXTS("fail") }),
		.action = TAG };
	assert_false(policy_needs_hold(&policy));
	rules[1] =
	    (struct rule) { "redirect", UNLESS(IS("dkim", END, "pass")), .action = REDIRECT };
	assert_true(policy_needs_hold(&policy));
}

static void
test_names(void **state)
{
	(void)state;
	assert_string_equal(action_name(ACCEPT), "accept");
	assert_string_equal(action_name(REJECT), "reject");
	assert_string_equal(action_name(DEFER), "defer");
	assert_string_equal(action_name(TAG), "tag");
	assert_string_equal(action_name(DISCARD), "discard");
	assert_string_equal(action_name(REDIRECT), "redirect");
	assert_string_equal(action_name(SCORE), "score");
}

/*
 * ---- every order ----
 *
 * Policies made at random, facts made at random; a session goes from point to point while the
 * answers come in some order, before they are awaited or not. Rule, action, score and point
 * must be what a plain reading of the rules with all the facts gives, in all 720 orders.
 */
enum { FACTS = 6, RULES_MOST = 6 };

static const char *const names[FACTS] = { "f0", "f1", "f2", "f3", "f4", "f5" };
static const enum stage stages[FACTS] = { CONNECT, CONNECT, HELO, MAIL, END, END };
static const char *const words[] = { "a", "b", "c" };

struct play {
	struct rule rules[RULES_MOST + 1];
	struct condition when[RULES_MOST][3], unless[RULES_MOST][2];
	struct policy policy;
	const char *facts[FACTS];
};

struct outcome {
	enum point point;
	enum action action;
	const struct rule *rule;
	int score;
};

static unsigned
roll(unsigned sides)
{
	static uint64_t seed = 42;

	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % sides;
}

static void
play_make_conditions(struct condition *conditions, size_t count)
{
	static const char *const sets[][3] = { { "a" }, { "b" }, { "a", "c" } };

	for (size_t i = 0; i < count; i++) {
		unsigned fact = roll(FACTS);

		conditions[i] = (struct condition) { names[fact], "result", stages[fact],
			roll(10) == 0, sets[roll(3)] };
	}
}

static void
play_make(struct play *play)
{
	*play = (struct play) { .policy = { .rules = play->rules, .tag = 2, .reject = 4 } };
	for (size_t i = 0; i < RULES_MOST; i++) {
		play_make_conditions(play->when[i], 1 + roll(2));
		play_make_conditions(play->unless[i], roll(3) / 2);
		play->rules[i] = (struct rule) { "rule", play->when[i], play->unless[i],
			.action = roll(2) == 0 ? SCORE : (enum action)roll(DISCARD),
			.score = 1 + roll(2), .is_shadow = roll(6) == 0,
			.speaks_at_once = roll(2) == 0 };
	}
	for (size_t i = 0; i < FACTS; i++)
		play->facts[i] = words[roll(3)];
}

static bool
plain_is(const struct play *play, const struct condition *condition)
{
	size_t fact = (size_t)(condition->filter[1] - '0');

	for (const char *const *value = condition->values; *value != NULL; value++)
		if (!condition->is_off && strcmp(*value, play->facts[fact]) == 0)
			return true;
	return false;
}

static struct outcome
plain_outcome(const struct play *play)
{
	struct outcome outcome = { .action = ACCEPT };

	for (size_t i = 0; i < RULES_MOST; i++) {
		const struct rule *rule = &play->rules[i];
		bool holds = !rule->is_shadow;

		for (const struct condition *one = rule->when; one->filter != NULL; one++)
			holds &= plain_is(play, one);
		for (const struct condition *one = rule->unless; one->filter != NULL; one++)
			holds &= !plain_is(play, one);
		if (holds && rule->action != SCORE)
			return (struct outcome) {
				.action = rule->action, .rule = rule, .score = outcome.score
			};
		outcome.score += holds ? (int)rule->score : 0;
	}
	if (outcome.score >= 2)
		outcome.action = outcome.score >= 4 ? REJECT : TAG;
	return outcome;
}

static struct evidence *
session_scope(struct fixture *f, size_t fact)
{
	if (stages[fact] == CONNECT)
		return f->connection;
	return stages[fact] == HELO ? f->helo : f->transaction;
}

static void
session_reach(struct fixture *f, enum stage reached)
{
	for (size_t i = 0; i < FACTS; i++)
		if (stages[i] <= reached)
			evidence_begin(session_scope(f, i), names[i], stages[i]);
}

/* The next answer, in this order, among those that have been asked for. */
static bool
session_answer(struct fixture *f, const struct play *play, const size_t order[FACTS],
    enum stage reached, bool has_come[FACTS])
{
	for (size_t i = 0; i < FACTS; i++) {
		size_t fact = order[i];

		if (has_come[fact] || stages[fact] > reached)
			continue;
		has_come[fact] = true;
		tell(session_scope(f, fact), names[fact], stages[fact], play->facts[fact]);
		return true;
	}
	return false;
}

static struct outcome
session_play(const struct play *play, const size_t order[FACTS])
{
	static const enum stage reached[] = { CONNECT, MAIL, END };
	struct fixture f;
	bool has_come[FACTS] = { false };
	struct verdict verdict = { 0 };
	enum point point = POINT_CONNECT;
	enum judgement judgement;

	fixture_begin(&f);
	for (;; point++) {
		assert_true(point <= POINT_MESSAGE);
		session_reach(&f, reached[point]);
		if (point == POINT_RCPT)
			tell_relay(&f, "domain");
		for (unsigned i = roll(3); i > 0; i--)
			session_answer(&f, play, order, reached[point], has_come);
		while ((judgement = judge(&f, &play->policy, point, &verdict)) == JUDGE_WAIT)
			assert_true(session_answer(&f, play, order, reached[point], has_come));
		if (judgement == JUDGED)
			break;
	}
	arena_free(f.arena);
	return (struct outcome) { point, verdict.action, verdict.rule, (int)verdict.score };
}

static unsigned long
orders_try(const struct play *play, size_t order[FACTS], size_t fixed, struct outcome *first)
{
	unsigned long count = 0;

	if (fixed == FACTS) {
		struct outcome got = session_play(play, order);
		struct outcome want = plain_outcome(play);

		if (first->action == SCORE)
			*first = got;
		assert_int_equal(got.action, want.action);
		assert_ptr_equal(got.rule, want.rule);
		assert_int_equal(got.score, want.score);
		assert_int_equal(got.point, first->point);
		return 1;
	}
	for (size_t i = fixed; i < FACTS; i++) {
		size_t swap = order[fixed];

		order[fixed] = order[i];
		order[i] = swap;
		count += orders_try(play, order, fixed + 1, first);
		order[i] = order[fixed];
		order[fixed] = swap;
	}
	return count;
}

static void
test_every_order(void **state)
{
	unsigned long count = 0;
	unsigned points[3] = { 0 };

	(void)state;
	for (int i = 0; i < 60; i++) {
		size_t order[FACTS] = { 0, 1, 2, 3, 4, 5 };
		struct outcome first = { .action = SCORE };
		struct play play;

		play_make(&play);
		count += orders_try(&play, order, 0, &first);
		points[first.point]++;
	}
	assert_int_equal(count, 60 * 720);
	for (enum point point = POINT_CONNECT; point <= POINT_MESSAGE; point++)
		assert_true(points[point] > 0); /* the policies are no trivial ones */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* The number of a fact is added; nobody waits for a filter that does not run. */
static void
test_adds(void **state)
{
	const struct rule *rules =
	    RULES({ .name = "spf", WHEN(IS("spf", MAIL, "fail")), .action = SCORE, .score = 1 },
		{ .name = "sum",
		    .action = SCORE,
		    .adds = { "rule", "score", END, false, (const char *const[]) { NULL } } },
		{ .name = "off",
		    .action = SCORE,
		    .adds = { "rspamd", "score", END, true, (const char *const[]) { NULL } } });
	const struct policy policy = { .rules = rules, .tag = 5, .reject = 12 };
	static const struct {
		const char *number;
		enum action action;
		double score;
	} cases[] = { { "4", TAG, 5 }, { "3.9", ACCEPT, 4.9 }, { "-3", ACCEPT, -2 },
		{ "1000", REJECT, 1001 }, { NULL, ACCEPT, 1 } };
	struct fixture *f = *state;
	struct verdict verdict;

	assert_true(policy_needs_hold(&policy));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		tell_relay(f, "domain");
		tell(f->transaction, "spf", MAIL, "fail");
		assert_judgement(f, &policy, POINT_RCPT, JUDGE_LATER);
		evidence_begin(f->transaction, "rule", END);
		assert_judgement(f, &policy, POINT_MESSAGE, JUDGE_WAIT);
		if (cases[i].number != NULL)
			evidence_add(f->transaction, "rule", "score", cases[i].number, "");
		evidence_over(f->transaction, "rule", END);
		assert_verdict(f, &policy, POINT_MESSAGE, cases[i].action, NULL);
		judge(f, &policy, POINT_MESSAGE, &verdict);
		assert_true(
		    verdict.score > cases[i].score - 1e-9 && verdict.score < cases[i].score + 1e-9);
		arena_free(f->arena);
		fixture_begin(f);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_when),
		TEST(test_unless),
		TEST(test_never_found),
		TEST(test_switched_off),
		TEST(test_within_a_rule),
		TEST(test_order_of_rules),
		TEST(test_thresholds),
		TEST(test_no_thresholds),
		TEST(test_shadow),
		TEST(test_standing),
		TEST(test_mode_shadow),
		TEST(test_at_once),
		TEST(test_at_once_behind),
		TEST(test_at_once_is_over),
		TEST(test_for),
		TEST(test_for_at_connect),
		TEST(test_relay),
		TEST(test_relay_against_every_action),
		TEST(test_relay_not_said),
		TEST(test_differs),
		TEST(test_differs_not_in_effect),
		TEST(test_differs_by_recipient),
		TEST(test_needs_hold),
		TEST(test_names),
		TEST(test_adds),
		TEST(test_every_order),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
