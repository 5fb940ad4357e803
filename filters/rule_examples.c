/* The examples that rules bring along, tried as if they were messages. */
#include "filters/rule_draft.h"
#include "filters/rule_match.h"
#include "lib/fault.h"
#include "lib/uri_page.h"

/* ---- an example, told as a message ---- */

static void
rule_examples_uri(void *arg, const struct uri *uri)
{
	rule_match_value(arg, RULE_IN_URI, uri->text, NULL);
	rule_match_value(arg, RULE_IN_HOST, slice_of(uri->host.text), NULL);
}

static void
rule_examples_shown(void *arg, struct slice text)
{
	rule_match_text(arg, RULE_IN_BODY, false, NULL, text);
}

static void
rule_examples_text(struct rule_match *match, enum rule_place place, struct slice text)
{
	const struct uri_sink sink = { rule_examples_uri, match, rule_examples_shown };
	struct uri_page *page = arena_alloc(match->arena, sizeof(*page));
	struct uri_scan *scan = arena_alloc(match->arena, sizeof(*scan));

	rule_match_text(match, place, false, NULL, text);
	if (place == RULE_IN_HTML) {
		uri_page_init(page, &sink);
		uri_page_feed(page, text);
		uri_page_end(page);
	} else {
		uri_scan_init(scan, URI_IN_TEXT, &sink);
		uri_scan_feed(scan, text);
		uri_scan_end(scan);
	}
	rule_match_part_end(match, false);
}

static void
rule_examples_value(struct rule_match *match, enum rule_place place, const char *text)
{
	if (place == RULE_IN_BODY || place == RULE_IN_HTML)
		rule_examples_text(match, place, slice_of(text));
	else
		rule_match_value(match, place, slice_of(text), NULL);
}

static void
rule_examples_field(struct rule_match *match, const char *name, const char *value)
{
	const struct header_field field = { .name = slice_of(name), .value = slice_of(value) };

	rule_match_field(match, &field);
}

/* RULE_PLACES: it is a field's name. */
static enum rule_place
rule_examples_place(const char *key)
{
	enum rule_place place = RULE_IN_BODY;

	while (place < RULE_PLACES && strcmp(rule_places[place], key) != 0)
		place++;
	return place;
}

static bool
rule_examples_map(struct rule_match *match, const struct node *map)
{
	for (const struct node *key = map->child; key != NULL; key = key->next->next) {
		enum rule_place place = rule_examples_place(key->text);

		if (key->next->kind != NODE_TEXT)
			return false;
		if (place < RULE_PLACES)
			rule_examples_value(match, place, key->next->text);
		else
			rule_examples_field(match, key->text, key->next->text);
	}
	return true;
}

/* A text alone: for the place that the rule looks at; NULL: there are several. */
static const struct rule_stream *
rule_examples_stream(const struct rule_set *set, const struct rule_entry *rule)
{
	const struct rule_terms *const lists[] = { &rule->all, &rule->any, &rule->none, &rule->of };
	const struct rule_stream *stream = NULL;

	for (size_t i = 0; i < 4; i++)
		for (size_t j = 0; j < lists[i]->count; j++) {
			const struct rule_term *term = &lists[i]->item[j];

			if (term->is_rule)
				return NULL;
			const struct rule_stream *one = rule_set_stream(set, term->number);

			if (stream != NULL && stream != one)
				return NULL;
			stream = one;
		}
	return stream;
}

static bool
rule_examples_tell(
    struct rule_match *match, const struct rule_entry *rule, const struct node *example)
{
	const struct rule_stream *stream = rule_examples_stream(match->set, rule);

	if (example->kind == NODE_MAP)
		return rule_examples_map(match, example);
	if (example->kind != NODE_TEXT || stream == NULL)
		return false;
	if (stream->place == RULE_IN_FIELD)
		rule_examples_field(match, stream->field, example->text);
	else if (stream->place == RULE_IN_HEADER)
		rule_examples_field(match, "X", example->text);
	else
		rule_examples_value(match, stream->place, example->text);
	return true;
}

/* ---- what is wrong ---- */

/* The line of the first pattern of `all` that is not found; 0: it is not as simple as that. */
static unsigned
rule_examples_line(
    const struct rule_draft *draft, const struct rule_match *match, const struct rule_entry *rule)
{
	for (size_t i = 0; i < rule->all.count && !rule->all.item[i].is_rule; i++) {
		uint32_t number = rule->all.item[i].number;

		for (size_t j = 0; j < draft->pattern_count; j++)
			if (draft->patterns[j].number == number &&
			    match->results[number] != REGEX_YES)
				return draft->patterns[j].text->line;
	}
	return 0;
}

static void
rule_examples_fault(const struct rule_draft *draft, const struct rule_match *match,
    const uint8_t *standing, const struct rule_entry *rule, const struct node *example)
{
	enum regex_result is = standing[rule - match->set->rules];
	unsigned line = rule->all.count > 1 ? rule_examples_line(draft, match, rule) : 0;
	struct faults *faults = draft->reader->faults;

	if (is == REGEX_LIMIT)
		fault_add(faults, example, "a pattern of \"%s\" takes too long here", rule->name);
	else if (is == REGEX_YES)
		fault_add(faults, example, "\"%s\" matches this example of what it should not",
		    rule->name);
	else if (line > 0)
		fault_add(faults, example,
		    "\"%s\" does not match this example of its own: the pattern in line %u is "
		    "not there",
		    rule->name, line);
	else
		fault_add(
		    faults, example, "\"%s\" does not match this example of its own", rule->name);
}

/* ---- all of them ---- */

static void
rule_examples_one(const struct rule_draft *draft, const struct rule_set *set, size_t number,
    const struct node *example, enum regex_result expected)
{
	struct arena *arena = arena_new(SIZE_MAX);
	struct rule_match match = { 0 };
	uint8_t *standing = arena_alloc(arena, set->count);

	rule_match_init(&match, arena, set);
	if (!rule_examples_tell(&match, &set->rules[number], example)) {
		fault_add(draft->reader->faults, example,
		    "an example of \"%s\" must be a map of places and fields, such as "
		    "{ Subject: Hello, body: You have won }",
		    set->rules[number].name);
	} else {
		rule_match_judge(&match, standing);
		if (standing[number] != expected)
			rule_examples_fault(draft, &match, standing, &set->rules[number], example);
	}
	arena_free(arena);
}

static void
rule_examples_list(const struct rule_draft *draft, const struct rule_set *set, size_t number,
    const struct node *examples, enum regex_result expected)
{
	bool is_list = examples != NULL && examples->kind == NODE_LIST;
	const struct node *one = is_list ? examples->child : examples;

	for (; one != NULL; one = is_list ? one->next : NULL)
		rule_examples_one(draft, set, number, one, expected);
}

void
rule_examples_try(const struct rule_draft *draft, const struct rule_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		rule_examples_list(draft, set, i, draft->examples[i].match, REGEX_YES);
		rule_examples_list(draft, set, i, draft->examples[i].no_match, REGEX_NO);
	}
}
