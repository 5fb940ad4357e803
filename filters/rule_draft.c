#include "filters/rule_draft.h"

#include <ctype.h>

#include "lib/nearest.h"

enum { NAME_MOST = 64, REASON_MOST = 200, FIELD_NAME_MOST = 76 };

const char *const rule_places[] = {
	[RULE_IN_BODY] = "body",
	[RULE_IN_HTML] = "html",
	[RULE_IN_URI] = "uri",
	[RULE_IN_HOST] = "host",
	[RULE_IN_ATTACHMENT] = "attachment",
	[RULE_IN_HELO] = "helo",
	[RULE_IN_MAIL_FROM] = "mail_from",
	[RULE_IN_RCPT_TO] = "rcpt_to",
	[RULE_IN_HEADER] = "header",
	[RULE_PLACES] = NULL,
};

/* ---- what may stand in a file ---- */

/* What says where and what: a rule of one pattern, and a term of others. */
struct rule_aim {
	struct choice in;
	const char *field;
	const struct node *match;
};

struct rule_some {
	const struct node *of;
	uint32_t least;
};

struct rule_text {
	const char *name, *reason;
	struct rule_aim aim;
	const struct node *all, *any, *none;
	struct rule_some *count;
	double score;
	bool quiet;
	struct rule_examples *examples;
};

static bool
rule_draft_node(struct option_reader *reader, const struct node *value, void *field)
{
	(void)reader;
	*(const struct node **)field = value;
	return true;
}

/* Names are words in policies and records. */
static bool
rule_draft_name(struct option_reader *reader, const struct node *value, void *field)
{
	size_t length = value->kind == NODE_TEXT ? strlen(value->text) : 0;

	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)value->text[i]) &&
		    strchr("-_.", value->text[i]) == NULL)
			return false;
	if (length == 0 || length > NAME_MOST || strcmp(value->text, "none") == 0)
		return false;
	*(const char **)field = arena_strdup(reader->arena, value->text);
	return true;
}

static bool
rule_draft_is_field(const char *text)
{
	size_t length = 0;

	for (; text[length] != '\0'; length++)
		if (text[length] <= ' ' || text[length] == ':' || text[length] > '~')
			return false;
	return length > 0 && length <= FIELD_NAME_MOST;
}

static bool
rule_draft_field(struct option_reader *reader, const struct node *value, void *field)
{
	if (value->kind != NODE_TEXT || !rule_draft_is_field(value->text))
		return false;
	*(const char **)field = arena_strdup(reader->arena, value->text);
	return true;
}

#define CUSTOM(name, type, field, function, ...)                                                   \
	{                                                                                          \
		.key = name, .offset = offsetof(struct type, field), .kind = OPTION_IS_CUSTOM,     \
		.read = function, .size = sizeof(void *), __VA_ARGS__                              \
	}
#define AIM(type, place, name, pattern)                                                            \
	OPTION_AS("in", type, place, .words = rule_places),                                        \
	    CUSTOM("field", type, name, rule_draft_field, .expected = "a field's name"),           \
	    CUSTOM("match", type, pattern, rule_draft_node, .expected = "a regular expression")

static const struct option rule_aim_rows[] = { AIM(rule_aim, in, field, match), { 0 } };

static const struct option rule_some_rows[] = {
	CUSTOM("of", rule_some, of, rule_draft_node, .required = true, .expected = "terms"),
	OPTION(rule_some, least, .required = true, .min = 1, .max = RULE_TERMS_MOST),
	{ 0 },
};

static const struct option rule_examples_rows[] = {
	CUSTOM("match", rule_examples, match, rule_draft_node, .expected = "examples"),
	CUSTOM("no_match", rule_examples, no_match, rule_draft_node, .expected = "examples"),
	{ 0 },
};

static const struct option rule_text_rows[] = {
	CUSTOM("name", rule_text, name, rule_draft_name, .required = true,
	    .expected = "a name of letters, digits, - _ and ., but for none"),
	OPTION(rule_text, reason, .max = REASON_MOST),
	AIM(rule_text, aim.in, aim.field, aim.match),
	CUSTOM("all", rule_text, all, rule_draft_node, .expected = "terms"),
	CUSTOM("any", rule_text, any, rule_draft_node, .expected = "terms"),
	CUSTOM("none", rule_text, none, rule_draft_node, .expected = "terms"),
	OPTION_MAYBE(rule_text, count, rule_some, rule_some_rows),
	OPTION(rule_text, score, .min = -1000, .max = 1000),
	OPTION(rule_text, quiet),
	OPTION_MAYBE(rule_text, examples, rule_examples, rule_examples_rows),
	{ 0 },
};

/* ---- terms ---- */

/* "\bword" in double quotes is a backspace, which no text has. */
static bool
rule_draft_has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if (iscntrl((unsigned char)*text) && *text != '\t' && *text != '\n')
			return true;
	return false;
}

/* The pattern that `aim` is, in this map; its number, or UINT32_MAX after a fault. */
static uint32_t
rule_draft_pattern(struct rule_draft *draft, const struct node *map, const struct rule_aim *aim)
{
	struct faults *faults = draft->reader->faults;
	const struct node *in = node_find(map, "in");

	if (in != NULL && aim->field != NULL)
		fault_add(faults, in, "a pattern has in: or field:, not both");
	if (aim->match == NULL || aim->match->kind != NODE_TEXT || *aim->match->text == '\0') {
		option_impossible(
		    draft->reader, aim->match != NULL ? aim->match : map, "a regular expression");
		return UINT32_MAX;
	}
	if (rule_draft_has_control(aim->match->text))
		fault_add(faults, aim->match,
		    "a control character in a regular expression; in double quotes \\b is one, in "
		    "single quotes the end of a word");
	if (draft->pattern_count == REGEX_MOST) {
		fault_add(faults, aim->match, "more than %d patterns", REGEX_MOST);
		return UINT32_MAX;
	}
	if (draft->pattern_count == draft->pattern_size) {
		size_t size = draft->pattern_size > 0 ? 2 * draft->pattern_size : 64;
		struct rule_pattern *more = arena_alloc(draft->reader->arena, size * sizeof(*more));

		if (draft->pattern_count > 0)
			memcpy(more, draft->patterns, draft->pattern_count * sizeof(*more));
		draft->patterns = more;
		draft->pattern_size = size;
	}
	draft->patterns[draft->pattern_count] = (struct rule_pattern) {
		.place = aim->field != NULL ? RULE_IN_FIELD : (enum rule_place)aim->in.value,
		.field = aim->field,
		.text = aim->match,
	};
	return (uint32_t)draft->pattern_count++;
}

static uint32_t
rule_draft_find(struct rule_draft *draft, const struct node *name)
{
	struct nearest nearest = nearest_to(name->text);

	for (uint32_t i = 0; i < draft->count; i++)
		if (strcmp(draft->rules[i].name, name->text) == 0)
			return i;
	for (uint32_t i = 0; i < draft->count; i++)
		nearest_offer(&nearest, draft->rules[i].name);
	fault_add(draft->reader->faults, name, "there is no rule \"%.64s\" above%s%s", name->text,
	    nearest.name != NULL ? "; did you mean " : "",
	    nearest.name != NULL ? nearest.name : "");
	return UINT32_MAX;
}

static struct rule_term
rule_draft_term(struct rule_draft *draft, const struct node *node)
{
	struct rule_aim aim = { 0 };

	if (node->kind == NODE_TEXT)
		return (struct rule_term) { true, rule_draft_find(draft, node) };
	if (node->kind == NODE_MAP)
		option_read(draft->reader, rule_aim_rows, node, &aim);
	return (struct rule_term) { false, rule_draft_pattern(draft, node, &aim) };
}

/* node NULL: none. */
static struct rule_terms
rule_draft_terms(struct rule_draft *draft, const struct node *node)
{
	bool is_list = node != NULL && node->kind == NODE_LIST;
	size_t count = node == NULL ? 0 : is_list ? node_count(node) : 1;
	struct rule_terms terms = { 0 };

	if (node == NULL)
		return terms;
	if (count == 0 || count > RULE_TERMS_MOST) {
		fault_add(draft->reader->faults, node, "expected 1 to %d terms", RULE_TERMS_MOST);
		return terms;
	}
	terms.item = arena_alloc(draft->reader->arena, count * sizeof(*terms.item));
	for (const struct node *item = is_list ? node->child : node; terms.count < count;
	     item = item->next)
		terms.item[terms.count++] = rule_draft_term(draft, item);
	return terms;
}

/* ---- a rule ---- */

/* A pattern that stands in the rule itself is one more of `all`. */
static void
rule_draft_own(struct rule_draft *draft, const struct node *map, const struct rule_aim *aim,
    struct rule_terms *all)
{
	struct rule_term *terms =
	    arena_alloc(draft->reader->arena, (all->count + 1) * sizeof(*terms));

	if (all->count > 0)
		memcpy(terms, all->item, all->count * sizeof(*terms));
	terms[all->count] = (struct rule_term) { false, rule_draft_pattern(draft, map, aim) };
	*all = (struct rule_terms) { all->count + 1, terms };
}

static void
rule_draft_check(
    struct rule_draft *draft, const struct node *map, const struct rule_entry *rule, size_t before)
{
	struct faults *faults = draft->reader->faults;

	if (rule->all.count + rule->any.count + rule->of.count == 0 && faults->count == before)
		fault_add(faults, map,
		    "what does this rule look for? Expected match:, all:, any: "
		    "or count:");
	if (rule->least > rule->of.count && rule->of.count > 0)
		fault_add(faults, node_find(map, "count"), "at least %u of %zu never hold",
		    (unsigned)rule->least, rule->of.count);
	for (size_t i = 0; i < draft->count; i++)
		if (strcmp(draft->rules[i].name, rule->name) == 0)
			fault_add(faults, node_find(map, "name"),
			    "there is a rule \"%s\" already, in line %u of %s", rule->name,
			    draft->maps[i]->line,
			    draft->maps[i]->file != NULL ? draft->maps[i]->file : "the text");
}

static void
rule_draft_fill(struct rule_draft *draft, const struct node *map, const struct rule_text *text)
{
	struct rule_entry *rule = &draft->rules[draft->count];
	size_t before = draft->reader->faults->count;
	bool has_aim =
	    text->aim.match != NULL || text->aim.field != NULL || node_find(map, "in") != NULL;

	*rule = (struct rule_entry) {
		.name = text->name,
		.reason = text->reason != NULL ? text->reason : "",
		.score = text->score,
		.is_quiet = text->quiet,
		.all = rule_draft_terms(draft, text->all),
		.any = rule_draft_terms(draft, text->any),
		.none = rule_draft_terms(draft, text->none),
	};
	if (text->count != NULL) {
		rule->of = rule_draft_terms(draft, text->count->of);
		rule->least = text->count->least;
	}
	if (has_aim)
		rule_draft_own(draft, map, &text->aim, &rule->all);
	if (rule->is_quiet && rule->score != 0)
		fault_add(draft->reader->faults, node_find(map, "score"),
		    "a quiet rule is only for others, and has no score");
	rule_draft_check(draft, map, rule, before);
	draft->maps[draft->count] = map;
	if (text->examples != NULL)
		draft->examples[draft->count] = *text->examples;
	draft->count++;
}

void
rule_draft_add(struct rule_draft *draft, const struct node *map)
{
	struct faults *faults = draft->reader->faults;
	struct rule_text text = { 0 };
	size_t before = faults->count;

	if (map->kind != NODE_MAP) {
		option_impossible(draft->reader, map,
		    "a rule, such as { name: lottery, in: body, match: 'you have won' }");
		return;
	}
	if (draft->count == RULES_MOST) {
		if (faults->count == 0)
			fault_add(faults, map, "more than %d rules", RULES_MOST);
		return;
	}
	option_read(draft->reader, rule_text_rows, map, &text);
	if (faults->count == before)
		rule_draft_fill(draft, map, &text);
}
