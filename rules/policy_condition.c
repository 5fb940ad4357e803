#include "rules/policy_parts.h"

#include <stdarg.h>

#include "filters/registry.h"
#include "lib/nearest.h"

enum { NAMES_MOST = 400 };

/* One condition while it is read. */
struct draft {
	struct option_reader *reader;
	const struct node *at;          /* the key */
	const struct filter *filter;    /* named in it */
	const struct pipeline_row *row; /* NULL: the filter does not run */
	const char *key;
};

static const struct pipeline_row *
policy_row(const struct pipeline *pipeline, const char *filter)
{
	for (size_t i = 0; i < pipeline->count; i++)
		if (strcmp(pipeline->rows[i].filter->name, filter) == 0)
			return &pipeline->rows[i];
	return NULL;
}

bool
policy_condition_is_shadow(const struct condition *condition, const struct policy_terms *terms)
{
	const struct pipeline_row *row = policy_row(terms->pipeline, condition->filter);

	return row != NULL && row->is_shadow;
}

__attribute__((format(printf, 2, 3))) static void
policy_append(char names[NAMES_MOST], const char *format, ...)
{
	size_t length = strlen(names);
	va_list args;

	va_start(args, format);
	vsnprintf(names + length, NAMES_MOST - length, format, args);
	va_end(args);
}

static const struct filter *
policy_filter(struct option_reader *reader, const struct node *at, const char *name)
{
	const struct filter *filter = registry_find(name);
	struct nearest nearest = nearest_to(name);
	char names[NAMES_MOST] = "";

	if (filter != NULL)
		return filter;
	for (size_t i = 0; registry[i] != NULL; i++) {
		nearest_offer(&nearest, registry[i]->name);
		policy_append(names, "%s%s", i > 0 ? " " : "", registry[i]->name);
	}
	if (nearest.name != NULL)
		fault_add(reader->faults, at, "unknown filter \"%.60s\"; did you mean %s", name,
		    nearest.name);
	else
		fault_add(
		    reader->faults, at, "unknown filter \"%.60s\"; there are: %s", name, names);
	return NULL;
}

static const struct fact_kind *
policy_fact(const struct filter *filter, const char *key)
{
	for (const struct fact_kind *fact = filter->facts; fact != NULL && fact->key != NULL;
	     fact++)
		if (strcmp(fact->key, key) == 0)
			return fact;
	return NULL;
}

static void
policy_no_fact(const struct draft *draft)
{
	const struct filter *filter = draft->filter;
	struct nearest nearest = nearest_to(draft->key);
	char names[NAMES_MOST] = "";

	for (const struct fact_kind *fact = filter->facts; fact != NULL && fact->key != NULL;
	     fact++) {
		nearest_offer(&nearest, fact->key);
		policy_append(names, " %s.%s", filter->name, fact->key);
	}
	if (filter->named_values != NULL)
		policy_append(names, " %s.ID for each of its lists", filter->name);
	if (nearest.name != NULL)
		fault_add(draft->reader->faults, draft->at,
		    "unknown fact \"%.80s\"; did you mean %s.%s", draft->at->text, filter->name,
		    nearest.name);
	else
		fault_add(draft->reader->faults, draft->at, "unknown fact \"%.80s\"; there are:%s",
		    draft->at->text, names);
}

/*
 * The words that a fact may have, and in *stage when it is in. NULL: there is no such fact,
 * and a fault says so. A filter that does not run does not know what its lists can say: "*".
 */
static const char *
policy_fact_values(const struct draft *draft, enum stage *stage)
{
	const struct filter *filter = draft->filter;
	const struct fact_kind *fact = policy_fact(filter, draft->key);
	const char *values = NULL;

	if (fact != NULL) {
		*stage = fact->stage;
		return fact->values;
	}
	*stage = filter->named_stage;
	if (filter->named_stage_of != NULL && draft->row != NULL)
		*stage = filter->named_stage_of(draft->row->options, draft->key);
	if (filter->named_values != NULL && draft->row == NULL)
		return "*";
	if (filter->named_values != NULL)
		values = filter->named_values(draft->row->options, draft->key);
	if (values == NULL)
		policy_no_fact(draft);
	return values;
}

static char **
policy_split(struct arena *arena, const char *values)
{
	char *text = arena_strdup(arena, values), *rest = NULL;
	char **words = arena_alloc(arena, (strlen(values) / 2 + 2) * sizeof(*words));
	size_t count = 0;

	for (char *word = strtok_r(text, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest))
		words[count++] = word;
	return words;
}

static bool
policy_has_word(char *const *words, const char *word)
{
	for (; *words != NULL; words++)
		if (strcmp(*words, word) == 0)
			return true;
	return false;
}

/* YAML's other words for yes and no. */
static const char *
policy_plain(const char *word)
{
	static const char *const pairs[][2] = {
		{ "true", "yes" },
		{ "on", "yes" },
		{ "false", "no" },
		{ "off", "no" },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		if (strcasecmp(word, pairs[i][0]) == 0)
			return pairs[i][1];
	return word;
}

static const char *
policy_value(const struct draft *draft, const struct node *value, const char *values)
{
	char **words = policy_split(draft->reader->arena, values);

	if (value->kind != NODE_TEXT || *value->text == '\0') {
		option_impossible(draft->reader, value, values);
		return NULL;
	}
	if (policy_has_word(words, value->text) || policy_has_word(words, "*"))
		return value->text;

	const char *plain = policy_plain(value->text);
	const char *meant = nearest_of(value->text, (const char *const *)words);

	if (policy_has_word(words, plain))
		return plain;
	if (meant != NULL)
		fault_add(draft->reader->faults, value, "%s is never \"%.60s\"; did you mean %s",
		    draft->at->text, value->text, meant);
	else
		fault_add(draft->reader->faults, value, "%s is never \"%.60s\"; it can be: %s",
		    draft->at->text, value->text, values);
	return NULL;
}

static const char *const *
policy_values(const struct draft *draft, const struct node *node, const char *values)
{
	const struct node *item = node->kind == NODE_LIST ? node->child : node;
	size_t count = node->kind == NODE_LIST ? node_count(node) : 1, used = 0;
	const char **words = arena_alloc(draft->reader->arena, (count + 1) * sizeof(*words));

	if (count == 0 || node->kind == NODE_MAP)
		option_impossible(draft->reader, node, values);
	for (size_t i = 0; node->kind != NODE_MAP && i < count; i++, item = item->next) {
		words[used] = policy_value(draft, item, values);
		used += words[used] != NULL;
	}
	return words;
}

/* "spf", "smtp.auth": which fact that is. The words that it may have; NULL: there is a fault. */
static const char *
policy_fact_read(struct draft *draft, const struct node *key, const struct policy_terms *terms,
    struct condition *condition)
{
	struct option_reader *reader = draft->reader;
	size_t length = strcspn(key->text, ".");
	const char *name =
	    arena_copy(reader->arena, (struct slice) { .data = key->text, .length = length });

	draft->at = key;
	draft->filter = policy_filter(reader, key, name);
	draft->row = policy_row(terms->pipeline, name);
	draft->key = key->text[length] == '.' ? key->text + length + 1 : "result";
	condition->filter = name;
	if (draft->filter == NULL)
		return NULL;
	condition->filter = draft->filter->name;
	condition->key = draft->key;
	condition->is_off = draft->row == NULL;
	return policy_fact_values(draft, &condition->stage);
}

static void
policy_condition_read(struct option_reader *reader, const struct node *key,
    const struct policy_terms *terms, struct condition *condition)
{
	struct draft draft = { .reader = reader };
	const char *values = policy_fact_read(&draft, key, terms, condition);
	const struct fact_kind *fact = values != NULL ? policy_fact(draft.filter, draft.key) : NULL;

	if (fact != NULL && fact->is_number)
		fault_add(reader->faults, key,
		    "%.80s is a number, which is added: score: %.80s; thresholds: compare the sum",
		    key->text, key->text);
	if (values != NULL)
		condition->values = policy_values(&draft, key->next, values);
}

struct condition
policy_number_read(
    struct option_reader *reader, const struct node *node, const struct policy_terms *terms)
{
	static const char *const nothing[] = { NULL };
	struct draft draft = { .reader = reader };
	struct condition condition = { .values = nothing };

	const char *values = policy_fact_read(&draft, node, terms, &condition);
	const struct fact_kind *fact = values != NULL ? policy_fact(draft.filter, draft.key) : NULL;

	if (values != NULL && (fact == NULL || !fact->is_number))
		fault_add(reader->faults, node, "the fact %.80s is no number", node->text);
	return condition;
}

struct condition *
policy_conditions_read(
    struct option_reader *reader, const struct node *node, const struct policy_terms *terms)
{
	bool is_map = node != NULL && node->kind == NODE_MAP;
	size_t most = is_map ? node_count(node) : 0, count = 0;
	struct condition *conditions = arena_alloc(reader->arena, (most + 1) * sizeof(*conditions));

	if (node != NULL && most == 0)
		option_impossible(reader, node, "facts, such as { ptr: none }");
	for (const struct node *key = most > 0 ? node->child : NULL; key != NULL;
	     key = key->next->next)
		policy_condition_read(reader, key, terms, &conditions[count++]);
	return conditions;
}
