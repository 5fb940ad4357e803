#include "rules/policy_read.h"

#include <ctype.h>
#include <stdlib.h>

#include "lib/option_value.h"
#include "rules/policy_parts.h"

enum { NAME_MOST = 64, BAN_USUAL = 3600, BAN_MOST = 365 * 86400, SCORE_MOST = 100000 };

/* One rule as it stands in the file. */
struct draft {
	const char *name;
	const struct node *when, *unless, *scope, *score;
	struct choice action;
	const char *text, *to;
	struct choice speak, mode;
};

static bool
policy_node_read(struct option_reader *reader, const struct node *value, void *field)
{
	(void)reader;
	*(const struct node **)field = value;
	return true;
}

/* A name goes into logs, replies and metrics. */
static bool
policy_name_read(struct option_reader *reader, const struct node *value, void *field)
{
	size_t length = value->kind == NODE_TEXT ? strlen(value->text) : 0;

	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)value->text[i]) &&
		    strchr("-_.", value->text[i]) == NULL)
			return false;
	if (length == 0 || length > NAME_MOST)
		return false;
	*(const char **)field = arena_strdup(reader->arena, value->text);
	return true;
}

/* The words stand in the order of enum action; where a score is, `ban` stands, which is a REJECT
 * with a time. */
static const char *const policy_actions[] = { "accept", "reject", "defer", "tag", "discard",
	"redirect", "ban", NULL };
static const char *const policy_speaks[] = { "late", "at_once", NULL };
static const char *const policy_modes[] = { "enforce", "shadow", NULL };

#define CUSTOM(name, field, function, ...)                                                         \
	{                                                                                          \
		.key = name, .offset = offsetof(struct draft, field), .kind = OPTION_IS_CUSTOM,    \
		.read = function, .size = sizeof(void *), __VA_ARGS__                              \
	}

const struct option policy_rule_rows[] = {
	CUSTOM("name", name, policy_name_read, .required = true,
	    .expected = "a name of letters, digits, - _ and ., such as no-name",
	    .help = "Of the rule, in logs and replies; no two rules have the same."),
	CUSTOM("when", when, policy_node_read, .expected = "facts, such as { ptr: none }",
	    .help = "All of these facts must be there. A list of values is any of them; a "
		    "filter's name alone means its result."),
	CUSTOM("unless", unless, policy_node_read, .expected = "facts, such as { ptr: pass }",
	    .help = "None of these facts may be there."),
	CUSTOM("for", scope, policy_node_read,
	    .expected = "c@example.com, postmaster@, example.com, .example.com, "
			"\"listener *:25\", or a list of such",
	    .help = "Only for these recipients or domains, and on these listeners. With do: ban "
		    "it is the time for which the client is banned instead, such as 12h (1h)."),
	OPTION_AS("do", draft, action, .words = policy_actions,
	    .help = "What happens to the message, if no rule before has settled it. ban rejects "
		    "it, and keeps the client's address (of IPv6 its /64) out for a while."),
	CUSTOM("score", score, policy_node_read, .expected = "a number",
	    .help = "Instead of do: what the rule adds to the sum for thresholds:, a number, or a "
		    "fact that is one, such as rule.score."),
	OPTION(draft, text,
	    .help = "What a rejected or deferred client is told. {client} {name} {helo} {from} "
		    "{recipient} {rule} {detail} (of the fact that the first condition asks for) "
		    "{case} are filled in."),
	OPTION(draft, to, .help = "With do: redirect, the address that gets the message."),
	OPTION(draft, speak, .fallback = "late", .words = policy_speaks,
	    .help = "at_once: a rejected or deferred client hears it instead of the greeting, "
		    "not only after RCPT."),
	OPTION(draft, mode, .fallback = "enforce", .words = policy_modes,
	    .help = "shadow: the rule decides nothing; what it would have done is recorded."),
	{ 0 },
};

/* A rule being read. */
struct reading {
	struct option_reader *reader;
	const struct policy_terms *terms;
	const struct node *map;
	struct draft draft;
	struct rule *rule;
	struct condition *unless; /* the rule's */
};

static const struct node *
policy_place(const struct reading *reading, const char *key)
{
	const struct node *node = node_find(reading->map, key);

	return node != NULL ? node : reading->map;
}

/* Is the key there, but with an action that has no use for it? */
static bool
policy_is_idle(const struct reading *reading, const char *key, bool is_used, const char *with)
{
	const struct node *node = node_find(reading->map, key);

	if (node == NULL || is_used)
		return false;
	fault_add(reading->reader->faults, node, "%s: means nothing without %s", key, with);
	return true;
}

/* `for:` of do: ban. */
static void
policy_read_ban(struct reading *reading)
{
	static const struct option row = {
		.key = "for", .kind = OPTION_TIME, .min = 1, .max = BAN_MOST
	};
	const struct node *node = reading->draft.scope;
	struct seconds time = { BAN_USUAL };

	if (node != NULL &&
	    (node->kind != NODE_TEXT || !option_value_read(&row, node->text, &time)))
		option_impossible(
		    reading->reader, node, "with do: ban a time such as 1h, between 1s and 365d");
	reading->rule->ban = time.value;
}

/* A number, or a fact that is one. */
static void
policy_read_score(struct reading *reading)
{
	static const struct option row = {
		.key = "score", .kind = OPTION_NUMBER, .min = -SCORE_MOST, .max = SCORE_MOST
	};
	const struct node *node = reading->draft.score;
	struct rule *rule = reading->rule;

	if (node->kind == NODE_TEXT && isalpha((unsigned char)node->text[0]) &&
	    strchr(node->text, '.') != NULL)
		rule->adds = policy_number_read(reading->reader, node, reading->terms);
	else if (node->kind != NODE_TEXT || !option_value_read(&row, node->text, &rule->score))
		option_impossible(reading->reader, node,
		    "a number between -100000 and 100000, or a fact that is one: rule.score");
}

static void
policy_read_action(struct reading *reading)
{
	bool has_do = node_find(reading->map, "do") != NULL;
	bool has_score = node_find(reading->map, "score") != NULL;
	struct rule *rule = reading->rule;

	rule->action = has_do ? (enum action)reading->draft.action.value : SCORE;
	if (has_do && rule->action == SCORE) {
		rule->action = REJECT;
		policy_read_ban(reading);
	} else {
		rule->scope =
		    policy_scope_read(reading->reader, reading->draft.scope, reading->terms);
	}
	if (has_score)
		policy_read_score(reading);
	if (has_do && has_score)
		fault_add(reading->reader->faults, policy_place(reading, "score"),
		    "a rule has do: or score:, not both");
	else if (!has_do && !has_score)
		fault_add(reading->reader->faults, reading->map,
		    "what does this rule do? Expected do: or score:");
}

static void
policy_read_words(struct reading *reading)
{
	struct rule *rule = reading->rule;
	bool is_refusal = rule->action == REJECT || rule->action == DEFER;

	if (!policy_is_idle(reading, "text", is_refusal, "do: reject or do: defer") &&
	    reading->draft.text != NULL)
		policy_text_check(reading->reader, policy_place(reading, "text"),
		    rule->action == REJECT ? '5' : '4');
	rule->text = reading->draft.text;
	if (policy_is_idle(reading, "to", rule->action == REDIRECT, "do: redirect"))
		return;
	if (reading->draft.to != NULL)
		policy_address_check(reading->reader, policy_place(reading, "to"));
	else if (rule->action == REDIRECT)
		fault_add(reading->reader->faults, policy_place(reading, "do"),
		    "redirect needs an address: to: abuse@example.com");
	rule->redirect = reading->draft.to;
}

/* Before the greeting nothing is known but the connection. */
static void
policy_check_early(
    struct option_reader *reader, const struct node *at, const struct condition *condition)
{
	for (; condition->filter != NULL; condition++)
		if (condition->values != NULL && condition->stage != CONNECT)
			fault_add(reader->faults, at,
			    "cannot speak at once: %s.%s is not known before the greeting",
			    condition->filter, condition->key);
}

static void
policy_read_speak(struct reading *reading)
{
	struct rule *rule = reading->rule;
	const struct node *at = policy_place(reading, "speak");
	bool is_refusal = rule->action == REJECT || rule->action == DEFER;

	rule->speaks_at_once = reading->draft.speak.value == 1;
	if (policy_is_idle(reading, "speak", is_refusal, "do: reject or do: defer") ||
	    !rule->speaks_at_once)
		return;
	policy_check_early(reading->reader, at, rule->when);
	policy_check_early(reading->reader, at, rule->unless);
	if (rule->scope.recipients != NULL || rule->scope.domains != NULL)
		fault_add(reading->reader->faults, at,
		    "cannot speak at once: the recipient is not known before the greeting");
}

/* A filter in shadow mode decides nothing. */
static void
policy_read_mode(struct reading *reading)
{
	struct rule *rule = reading->rule;

	rule->is_shadow = reading->draft.mode.value == 1;
	for (const struct condition *one = rule->when; one->filter != NULL; one++)
		rule->is_shadow |= policy_condition_is_shadow(one, reading->terms);
	if (rule->adds.filter != NULL)
		rule->is_shadow |= policy_condition_is_shadow(&rule->adds, reading->terms);
	for (struct condition *one = reading->unless; one->filter != NULL; one++)
		if (!rule->is_shadow && policy_condition_is_shadow(one, reading->terms))
			one->is_off = true;
}

static void
policy_read_rule(struct reading *reading)
{
	struct option_reader *reader = reading->reader;
	struct rule *rule = reading->rule;

	rule->name = "";
	if (reading->map->kind != NODE_MAP) {
		option_impossible(reader, reading->map,
		    "a rule, such as "
		    "{ name: no-name, when: { ptr: none }, "
		    "do: defer }");
		return;
	}
	option_read(reader, policy_rule_rows, reading->map, &reading->draft);
	if (reading->draft.name != NULL)
		rule->name = reading->draft.name;
	rule->when = policy_conditions_read(reader, reading->draft.when, reading->terms);
	reading->unless = policy_conditions_read(reader, reading->draft.unless, reading->terms);
	rule->unless = reading->unless;
	policy_read_action(reading);
	policy_read_words(reading);
	policy_read_speak(reading);
	policy_read_mode(reading);
}

static int
policy_compare(const void *a, const void *b)
{
	return strcmp(
	    (*(const struct rule *const *)a)->name, (*(const struct rule *const *)b)->name);
}

/* Names are unique, and the relay rule's is taken. */
static void
policy_check_names(
    struct option_reader *reader, const struct node *list, const struct rule *rules, size_t count)
{
	const struct rule **sorted = arena_alloc(reader->arena, (count + 1) * sizeof(*sorted));
	const struct node **maps = arena_alloc(reader->arena, (count + 1) * sizeof(*maps));
	const struct node *map = list->child;

	for (size_t i = 0; i < count; i++, map = map->next) {
		sorted[i] = &rules[i];
		maps[i] = map;
		if (strcmp(rules[i].name, policy_relay_rule.name) == 0)
			fault_add(reader->faults, node_find(map, "name"),
			    "the name %s is postern's own", rules[i].name);
	}
	qsort(sorted, count, sizeof(*sorted), policy_compare);
	for (size_t i = 1; i < count; i++) {
		const struct rule *a = sorted[i - 1], *b = sorted[i];
		const struct rule *first = a < b ? a : b, *second = a < b ? b : a;
		const struct node *twin = node_find(maps[first - rules], "name");

		if (*a->name != '\0' && strcmp(a->name, b->name) == 0)
			fault_add(reader->faults, node_find(maps[second - rules], "name"),
			    "there is a rule \"%s\" already, in line %u of %s", a->name, twin->line,
			    twin->file != NULL ? twin->file : "the configuration");
	}
}

void
policy_read(struct option_reader *reader, const struct node *list, const struct policy_terms *terms,
    struct policy *policy)
{
	size_t count = list != NULL ? node_count(list) : 0;
	struct rule *rules = arena_alloc(reader->arena, (count + 1) * sizeof(*rules));
	const struct node *map = list != NULL ? list->child : NULL;

	for (size_t i = 0; i < count; i++, map = map->next) {
		struct reading reading = {
			.reader = reader, .terms = terms, .map = map, .rule = &rules[i]
		};

		policy_read_rule(&reading);
	}
	if (list != NULL)
		policy_check_names(reader, list, rules, count);
	policy->rules = rules;
	policy->hash = policy_hash(reader->arena, policy);
}
