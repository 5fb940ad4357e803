#include "proxy/explain_parts.h"

#include "lib/buf.h"

enum { WORDS_MOST = 400, NAME_LEAST = 12, NAME_MOST = 32 };

/* For whom the rules are gone through, and what came of it. */
struct matter {
	const char *title;
	enum point point;
	const struct evidence *evidence;
	const struct address *recipient;
	const struct verdict *verdict;
	bool is_settled_before; /* by what comes before all rules */
};

/* ---- a rule in words ---- */

static void
explain_add_conditions(struct buf *out, const char *word, const struct condition *condition)
{
	for (; condition != NULL && condition->filter != NULL; condition++, word = "and") {
		bool is_plain = strcmp(condition->key, "result") == 0;

		buf_print(out, "%s%s %s%s%s", out->length > 0 ? " " : "", word, condition->filter,
		    is_plain ? "" : ".", is_plain ? "" : condition->key);
		for (const char *const *value = condition->values; *value != NULL; value++)
			buf_print(out, "%s%s", value == condition->values ? ": " : "|", *value);
	}
}

static void
explain_add_texts(struct buf *out, const char *const *text)
{
	for (; text != NULL && *text != NULL; text++)
		buf_print(out, " %s", *text);
}

static void
explain_add_scope(struct buf *out, const struct rule_scope *scope)
{
	if (scope->recipients == NULL && scope->domains == NULL && scope->listeners == NULL)
		return;
	buf_print(out, "%sfor", out->length > 0 ? " " : "");
	explain_add_texts(out, scope->recipients);
	explain_add_texts(out, scope->domains);
	explain_add_texts(out, scope->listeners);
}

static void
explain_print_words(const struct rule *rule)
{
	struct buf words;

	buf_init(&words, WORDS_MOST);
	explain_add_conditions(&words, "when", rule->when);
	explain_add_conditions(&words, "unless", rule->unless);
	explain_add_scope(&words, &rule->scope);
	printf("%.*s%s\n", (int)words.length, words.data != NULL ? words.data : "",
	    words.overflowed ? " ..." : "");
	buf_free(&words);
}

static const char *
explain_action(struct arena *arena, const struct rule *rule)
{
	if (rule->action == SCORE && rule->adds.filter != NULL)
		return arena_format(arena, "score %s.%s", rule->adds.filter, rule->adds.key);
	if (rule->action == SCORE)
		return arena_format(arena, "score %+g", rule->score);
	if (rule->action == REDIRECT)
		return arena_format(arena, "redirect to %s", rule->redirect);
	return rule_action(rule);
}

/* ---- the rules of one matter ---- */

static const char *
explain_standing(enum standing standing)
{
	static const char *const words[] = {
		[STANDING_HELD] = "held",
		[STANDING_FAILED] = "did not hold",
		[STANDING_NARROWED] = "for others",
		[STANDING_OFF] = "filter off",
		[STANDING_OPEN] = "not known",
	};

	return words[standing];
}

static int
explain_name_width(const struct policy *policy)
{
	size_t width = NAME_LEAST;

	for (const struct rule *rule = policy->rules; rule->name != NULL; rule++)
		if (strlen(rule->name) > width)
			width = strlen(rule->name);
	return width < NAME_MOST ? (int)width : NAME_MOST;
}

/* A shadow rule decides nothing, so it is always reached. */
static void
explain_print_rule(const struct explain *explain, const struct matter *matter,
    const struct rule *rule, bool *is_over)
{
	struct arena *arena = explain->session->arena;
	enum standing standing = policy_standing(rule, matter->evidence, matter->point,
	    matter->recipient, explain->session->listen->address);
	bool is_reached = rule->is_shadow || !*is_over;
	const char *action = explain_action(arena, rule);

	if (rule->is_shadow)
		action = arena_format(
		    arena, "shadow: %s%s", standing == STANDING_HELD ? "would " : "", action);
	printf("  %3d  %-*s  %-13s %-20s ", (int)(rule - explain->config->policy.rules) + 1,
	    explain_name_width(&explain->config->policy), rule->name,
	    is_reached ? explain_standing(standing) : "not reached", action);
	explain_print_words(rule);
	if (!rule->is_shadow)
		*is_over |= rule == matter->verdict->rule || standing == STANDING_OPEN;
}

static void
explain_print_matter(const struct explain *explain, const struct matter *matter)
{
	const struct policy *policy = &explain->config->policy;
	bool is_over = matter->is_settled_before;

	printf("\nRules %s\n", matter->title);
	if (is_over)
		printf("    -  %-*s  %-13s %s\n", explain_name_width(policy),
		    matter->verdict->rule->name, "held",
		    action_name(matter->verdict->rule->action));
	for (const struct rule *rule = policy->rules; rule->name != NULL; rule++)
		explain_print_rule(explain, matter, rule, &is_over);
	if (policy->rules->name == NULL)
		printf("  there are none\n");
}

static void
explain_print_connection(const struct explain *explain)
{
	struct matter matter = {
		.title = "for the connection",
		.point = POINT_CONNECT,
		.evidence = explain->session->connection->mail.evidence,
		.verdict = &explain->refusal.verdict,
	};

	explain_print_matter(explain, &matter);
}

static void
explain_print_recipient(const struct explain *explain, const struct recipient *recipient)
{
	struct matter matter = {
		.title = arena_format(explain->session->arena, "for <%s>", recipient->address.text),
		.point = POINT_RCPT,
		.evidence = recipient->scope->mail.evidence,
		.recipient = &recipient->address,
		.verdict = &recipient->verdict,
		.is_settled_before = recipient->verdict.rule == &policy_relay_rule,
	};

	explain_print_matter(explain, &matter);
}

static void
explain_print_all(const struct explain *explain, const struct recipient *first)
{
	const struct transaction *t = explain->session->mail;
	struct matter matter = {
		.title = "for the message",
		.point = POINT_MESSAGE,
		.evidence = first->scope->mail.evidence,
		.recipient = &first->address,
		.verdict = &t->verdict,
		.is_settled_before = t->body.fault != NULL,
	};

	explain_print_matter(explain, &matter);
}

void
explain_print_rules(const struct explain *explain)
{
	const struct transaction *t = explain->session->mail;
	const struct recipient *first = NULL;

	if (t == NULL) {
		explain_print_connection(explain);
		return;
	}
	for (const struct recipient *r = t->recipients; r != NULL; r = r->next) {
		if (r->id[0] != '\0')
			explain_print_recipient(explain, r);
		if (first == NULL && r->state == RECIPIENT_TAKEN)
			first = r;
	}
	if (first != NULL)
		explain_print_all(explain, first);
}
