#include "rules/policy.h"

#include <stdlib.h>

#include "lib/domain.h"

static const char *const policy_denied[] = { "denied", NULL };

const struct rule policy_relay_rule = {
	.name = "relay",
	.when =
	    (const struct condition[]) { { "relay", "result", RCPT, false, policy_denied }, { 0 } },
	.action = REJECT,
	.text = "5.7.1 Relaying denied",
};

/* With what the rules are asked. */
struct view {
	const struct evidence *evidence;
	enum point point;
	const struct address *recipient; /* NULL: not known yet, or no matter */
	const char *listener;
};

/* "c@example.com"; "postmaster@" is that local part in any domain, or without one. */
static bool
policy_is_recipient(const struct address *recipient, const char *pattern)
{
	const char *at = strrchr(pattern, '@');

	if (at == NULL)
		return strcasecmp(recipient->text, pattern) == 0;
	return slice_matches(
		   (struct slice) { pattern, (size_t)(at - pattern) }, recipient->local) &&
	    (at[1] == '\0' || strcasecmp(recipient->domain, at + 1) == 0);
}

static bool
policy_fits(const struct rule_scope *scope, const struct address *recipient)
{
	for (const char *const *one = scope->recipients; one != NULL && *one != NULL; one++)
		if (policy_is_recipient(recipient, *one))
			return true;
	for (const char *const *one = scope->domains; one != NULL && *one != NULL; one++)
		if (domain_matches(slice_of(recipient->domain), *one))
			return true;
	return scope->recipients == NULL && scope->domains == NULL;
}

/* `for:` one of these recipients or domains, and one of these listeners. */
static enum knowledge
policy_scope(const struct rule_scope *scope, const struct view *view)
{
	const char *const *listener = scope->listeners;

	while (listener != NULL && *listener != NULL && strcmp(*listener, view->listener) != 0)
		listener++;
	if (listener != NULL && *listener == NULL)
		return NO;
	if (view->recipient != NULL)
		return policy_fits(scope, view->recipient) ? YES : NO;
	if (scope->recipients == NULL && scope->domains == NULL)
		return YES;
	return view->point == POINT_MESSAGE ? NO : LATER;
}

static enum knowledge
policy_condition(const struct condition *condition, const struct view *view)
{
	if (condition->is_off)
		return NO;
	enum knowledge is = evidence_ask(
	    view->evidence, condition->filter, condition->key, condition->stage, condition->values);

	return is == LATER && view->point == POINT_MESSAGE ? NO : is;
}

/* Is the fact in whose number is added? No condition can hold before it is. */
static enum knowledge
policy_number(const struct condition *adds, const struct view *view)
{
	if (!adds->is_off && evidence_find(view->evidence, adds->filter, adds->key) != NULL)
		return YES;
	return policy_condition(adds, view);
}

static double
policy_score(const struct rule *rule, const struct view *view)
{
	const struct fact *fact = rule->adds.filter != NULL
	    ? evidence_find(view->evidence, rule->adds.filter, rule->adds.key)
	    : NULL;

	return fact != NULL ? strtod(fact->value, NULL) : rule->score;
}

/*
 * What is known of a rule. NO beats everything; then PENDING beats LATER: a pending answer
 * may yet make the rule fail and let the rules behind it speak here and now.
 */
static enum knowledge
policy_rule(const struct rule *rule, const struct view *view)
{
	enum knowledge sum = policy_scope(&rule->scope, view);

	if (rule->adds.filter != NULL && sum != NO) {
		enum knowledge is = policy_number(&rule->adds, view);

		if (is == NO || is == PENDING || sum == YES)
			sum = is;
	}

	for (const struct condition *one = rule->when; one != NULL && one->filter != NULL; one++) {
		enum knowledge is = policy_condition(one, view);

		if (is == NO || sum == NO)
			return NO;
		if (is == PENDING || sum == YES)
			sum = is;
	}
	for (const struct condition *one = rule->unless; one != NULL && one->filter != NULL;
	     one++) {
		enum knowledge is = policy_condition(one, view);

		if (is == YES || sum == NO)
			return NO;
		if (is == PENDING || (is == LATER && sum == YES))
			sum = is;
	}
	return sum;
}

/* May this rule end the matter at this point? */
static bool
policy_may_end(const struct rule *rule, enum point point)
{
	return rule->action != SCORE && (point != POINT_CONNECT || rule->speaks_at_once);
}

/*
 * The walk has come to an undecided rule. Is it worth to wait for what is under way, or is
 * it certain by now that, whatever the answers, nothing will be said at this point? (No
 * greeting waits for a DNS list when only a later point may speak of it.)
 */
static enum judgement
policy_undecided(const struct rule *rule, const struct view *view)
{
	for (; rule->name != NULL; rule++) {
		if (rule->is_shadow)
			continue;
		switch (policy_rule(rule, view)) {
		case NO:
			break;
		case LATER:
			return JUDGE_LATER;
		case YES:
			if (rule->action != SCORE)
				return policy_may_end(rule, view->point) ? JUDGE_WAIT : JUDGE_LATER;
			break;
		case PENDING:
			if (policy_may_end(rule, view->point))
				return JUDGE_WAIT;
			break;
		}
	}
	return view->point == POINT_CONNECT ? JUDGE_LATER : JUDGE_WAIT;
}

static struct verdict
policy_thresholds(const struct policy *policy, double score)
{
	struct verdict verdict = {
		.action = ACCEPT, .score = score, .is_shadow = policy->is_shadow
	};

	if (policy->reject > 0 && score >= policy->reject)
		verdict.action = REJECT;
	else if (policy->tag > 0 && score >= policy->tag)
		verdict.action = TAG;
	return verdict;
}

static enum judgement
policy_walk(const struct policy *policy, const struct view *view, struct verdict *verdict)
{
	double score = 0;

	for (const struct rule *rule = policy->rules; rule->name != NULL; rule++) {
		enum knowledge is = rule->is_shadow ? NO : policy_rule(rule, view);

		if (is == PENDING || is == LATER)
			return policy_undecided(rule, view);
		if (is == YES && rule->action == SCORE)
			score += policy_score(rule, view);
		if (is == NO || rule->action == SCORE)
			continue;
		if (!policy_may_end(rule, view->point))
			return JUDGE_LATER;
		*verdict = (struct verdict) { rule->action, rule, score, policy->is_shadow };
		return JUDGED;
	}
	if (view->point == POINT_CONNECT)
		return JUDGE_LATER;
	*verdict = policy_thresholds(policy, score);
	return JUDGED;
}

/*
 * Is the recipient one that we must not relay to? At RCPT also when nobody has said that we
 * may: a relay is opened by a fact, and never by the lack of one.
 */
static enum knowledge
policy_relay(const struct view *view)
{
	enum knowledge is = evidence_ask(view->evidence, "relay", "result", RCPT, policy_denied);

	if (is == YES || view->point != POINT_RCPT)
		return is == YES ? YES : NO;
	if (is == PENDING)
		return PENDING;
	return evidence_find(view->evidence, "relay", "result") == NULL ? YES : NO;
}

enum judgement
policy_judge(const struct policy *policy, const struct evidence *evidence, enum point point,
    const struct address *recipient, const char *listener, struct verdict *verdict)
{
	const struct view view = { evidence, point, recipient, listener };
	enum knowledge is_denied = policy_relay(&view);

	if (is_denied == PENDING)
		return JUDGE_WAIT;
	if (is_denied == NO)
		return policy_walk(policy, &view, verdict);
	*verdict = (struct verdict) { .action = REJECT, .rule = &policy_relay_rule };
	return JUDGED;
}

/* Is a condition still open that only the recipient's own scope will settle? */
static bool
policy_hangs_on_recipient(const struct condition *condition, const struct view *view)
{
	for (; condition != NULL && condition->filter != NULL; condition++) {
		enum knowledge is =
		    condition->stage == RCPT ? policy_condition(condition, view) : NO;

		if (is == PENDING || is == LATER)
			return true;
	}
	return false;
}

/* Does the rule stand differently, or may it yet, for these two? */
static bool
policy_rule_differs(const struct rule *rule, const struct view *a, const struct view *b)
{
	enum knowledge is = policy_rule(rule, a);

	if (is != policy_rule(rule, b))
		return true;
	return is != YES && is != NO &&
	    (policy_hangs_on_recipient(rule->when, a) || policy_hangs_on_recipient(rule->when, b) ||
		policy_hangs_on_recipient(rule->unless, a) ||
		policy_hangs_on_recipient(rule->unless, b));
}

/* Has the same verdict been reached for both? No later fact changes it. */
static bool
policy_is_settled(const struct policy *policy, const struct view *a, const struct view *b)
{
	struct verdict for_a = { 0 }, for_b = { 0 };

	return policy_walk(policy, a, &for_a) == JUDGED &&
	    policy_walk(policy, b, &for_b) == JUDGED && for_a.action == for_b.action &&
	    (for_a.action == ACCEPT || for_a.rule == for_b.rule);
}

bool
policy_differs(const struct policy *policy, const struct evidence *a,
    const struct address *a_recipient, const struct evidence *b, const struct address *b_recipient,
    const char *listener)
{
	const struct view for_a = { a, POINT_RCPT, a_recipient, listener };
	const struct view for_b = { b, POINT_RCPT, b_recipient, listener };
	bool has_thresholds = policy->tag > 0 || policy->reject > 0;

	if (policy_is_settled(policy, &for_a, &for_b))
		return false;
	for (const struct rule *rule = policy->rules; rule->name != NULL; rule++) {
		if (rule->is_shadow || (rule->action == SCORE && !has_thresholds))
			continue;
		if (policy_rule_differs(rule, &for_a, &for_b))
			return true;
		if (rule->action != SCORE && policy_rule(rule, &for_a) == YES)
			return false;
	}
	return false;
}

const struct rule *
policy_shadow(const struct policy *policy, const struct evidence *evidence,
    const struct address *recipient, const char *listener, const struct rule *after)
{
	const struct view view = { evidence, POINT_RCPT, recipient, listener };
	const struct rule *rule = after != NULL ? after + 1 : policy->rules;

	while (rule->name != NULL && !(rule->is_shadow && policy_rule(rule, &view) == YES))
		rule++;
	return rule->name != NULL ? rule : NULL;
}

static bool
policy_is_off(const struct rule *rule)
{
	for (const struct condition *one = rule->when; one != NULL && one->filter != NULL; one++)
		if (one->is_off)
			return true;
	return rule->adds.is_off;
}

enum standing
policy_standing(const struct rule *rule, const struct evidence *evidence, enum point point,
    const struct address *recipient, const char *listener)
{
	const struct view view = { evidence, point, recipient, listener };

	if (policy_scope(&rule->scope, &view) == NO)
		return STANDING_NARROWED;
	switch (policy_rule(rule, &view)) {
	case YES:
		return STANDING_HELD;
	case NO:
		return policy_is_off(rule) ? STANDING_OFF : STANDING_FAILED;
	case PENDING:
	case LATER:
		break;
	}
	return STANDING_OPEN;
}

static bool
policy_is_late(const struct condition *condition)
{
	for (; condition != NULL && condition->filter != NULL; condition++)
		if (!condition->is_off && condition->stage >= HEADERS)
			return true;
	return false;
}

/* A rule behind one that hangs on the body is reached only after the body, too. */
bool
policy_needs_hold(const struct policy *policy)
{
	bool is_late = false;

	for (const struct rule *rule = policy->rules; rule->name != NULL; rule++) {
		if (rule->is_shadow || policy_is_off(rule))
			continue;
		is_late |= policy_is_late(rule->when) || policy_is_late(rule->unless) ||
		    (rule->adds.filter != NULL && rule->adds.stage >= HEADERS);
		if (is_late && (rule->action == TAG || rule->action == REDIRECT))
			return !policy->is_shadow;
	}
	return is_late && policy->tag > 0 && !policy->is_shadow;
}

static bool
policy_asks_for(
    const struct condition *condition, const char *filter, const char *key, const char *value)
{
	for (; condition != NULL && condition->filter != NULL; condition++) {
		if (strcmp(condition->filter, filter) != 0 || strcmp(condition->key, key) != 0)
			continue;
		for (const char *const *one = condition->values; *one != NULL; one++)
			if (strcmp(*one, value) == 0)
				return true;
	}
	return false;
}

bool
policy_heeds(const struct policy *policy, const char *filter, const char *key, const char *value)
{
	for (const struct rule *rule = policy->rules; rule->name != NULL; rule++)
		if (!rule->is_shadow && rule->action != ACCEPT && rule->action != TAG &&
		    policy_asks_for(rule->when, filter, key, value))
			return !policy->is_shadow;
	return false;
}

const char *
action_name(enum action action)
{
	static const char *const names[] = {
		[ACCEPT] = "accept",
		[REJECT] = "reject",
		[DEFER] = "defer",
		[TAG] = "tag",
		[DISCARD] = "discard",
		[REDIRECT] = "redirect",
		[SCORE] = "score",
	};

	return names[action];
}

const char *
rule_action(const struct rule *rule)
{
	return rule->ban > 0 ? "ban" : action_name(rule->action);
}
