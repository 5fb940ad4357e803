#include "filters/rule_match.h"

#include <assert.h>

#include "lib/encoded_word.h"

enum { VALUE_MOST = 4096 };

void
rule_match_init(struct rule_match *match, struct arena *arena, const struct rule_set *set)
{
	match->arena = arena;
	match->set = set;
	match->results = arena_alloc(arena, set->patterns + 1);
}

/* ---- pieces of text ---- */

/* Those that are new have been found in this part. */
static void
rule_match_note(struct rule_match *match, const struct rule_stream *stream, const char *part)
{
	const char *copy = arena_strdup(match->arena, part);

	if (match->parts == NULL)
		match->parts =
		    arena_alloc(match->arena, match->set->patterns * sizeof(*match->parts));
	for (size_t i = stream->first; i < stream->first + stream->count; i++)
		if (match->results[i] == REGEX_YES && match->parts[i] == NULL)
			match->parts[i] = copy;
}

static void
rule_match_piece(void *arg, struct slice piece, unsigned edges)
{
	struct rule_reading *reading = arg;
	struct rule_match *match = reading->match;
	const struct rule_stream *stream = reading->stream;
	uint8_t *results = match->results + stream->first;

	if (regex_scan_piece(stream->scan, piece, edges, results) > 0 && reading->part != NULL)
		rule_match_note(match, stream, reading->part);
}

static struct rule_reading *
rule_match_reading(struct rule_match *match)
{
	struct rule_reading *reading = arena_alloc(match->arena, sizeof(*reading));

	reading->match = match;
	reading->fold.sink = rule_match_piece;
	reading->fold.arg = reading;
	return reading;
}

/* The patterns of a place that has one stream; NULL: nobody looks there. */
static const struct rule_stream *
rule_match_stream(const struct rule_match *match, enum rule_place place)
{
	size_t number = match->set->stream_of[place];

	return number > 0 ? &match->set->streams[number - 1] : NULL;
}

/* ---- values ---- */

static struct rule_reading *
rule_match_begin_value(struct rule_match *match, const struct rule_stream *stream, const char *part)
{
	if (match->value == NULL)
		match->value = rule_match_reading(match);
	match->value->stream = stream;
	match->value->part = part;
	return match->value;
}

void
rule_match_value(
    struct rule_match *match, enum rule_place place, struct slice text, const char *part)
{
	const struct rule_stream *stream = rule_match_stream(match, place);

	if (stream == NULL)
		return;
	struct rule_reading *reading = rule_match_begin_value(match, stream, part);

	text_fold_feed(&reading->fold, text);
	text_fold_end(&reading->fold);
}

/* Nothing more can be found there. */
static bool
rule_match_is_decided(const struct rule_match *match, const struct rule_stream *stream)
{
	return memchr(match->results + stream->first, REGEX_NO, stream->count) == NULL;
}

/* The streams that look at it: that of all fields, and that of its own name. */
static bool
rule_match_looks(const struct rule_stream *stream, struct slice name)
{
	return stream->place == RULE_IN_HEADER ||
	    (stream->place == RULE_IN_FIELD && slice_matches(name, stream->field));
}

void
rule_match_field(struct rule_match *match, const struct header_field *field)
{
	char raw[VALUE_MOST], value[VALUE_MOST];
	size_t length = 0;

	for (size_t i = 0; i < match->set->stream_count; i++) {
		const struct rule_stream *stream = &match->set->streams[i];

		if (!rule_match_looks(stream, field->name) || rule_match_is_decided(match, stream))
			continue;
		if (length == 0) {
			struct slice line = { raw, header_unfold(field->value, raw, sizeof(raw)) };

			length = encoded_word_decode(line, value, sizeof(value), NULL);
		}
		struct rule_reading *reading = rule_match_begin_value(match, stream, NULL);

		if (stream->place == RULE_IN_HEADER) {
			text_fold_feed(&reading->fold, field->name);
			text_fold_feed(&reading->fold, slice_of(": "));
		}
		text_fold_feed(&reading->fold, (struct slice) { value, length });
		text_fold_end(&reading->fold);
	}
}

/* ---- text ---- */

void
rule_match_text(struct rule_match *match, enum rule_place place, bool is_raw, const char *part,
    struct slice text)
{
	const struct rule_stream *stream = rule_match_stream(match, place);
	struct rule_reading **reading = &match->texts[place == RULE_IN_HTML][is_raw];

	if (stream == NULL)
		return;
	if (*reading == NULL) {
		*reading = rule_match_reading(match);
		(*reading)->stream = stream;
		(*reading)->fold.keeps_lines = place == RULE_IN_HTML;
	}
	(*reading)->part = part;
	text_fold_feed(&(*reading)->fold, text);
}

void
rule_match_part_end(struct rule_match *match, bool is_raw)
{
	for (size_t i = 0; i < 2; i++)
		if (match->texts[i][is_raw] != NULL)
			text_fold_end(&match->texts[i][is_raw]->fold);
}

/* ---- rules ---- */

static enum regex_result
rule_match_term(
    const struct rule_match *match, const uint8_t *standing, const struct rule_term *term)
{
	return (enum regex_result)(
	    term->is_rule ? standing[term->number] : match->results[term->number]);
}

/* How many of the terms hold, and how many might. */
struct rule_sum {
	size_t yes, limit;
};

static struct rule_sum
rule_match_sum(
    const struct rule_match *match, const uint8_t *standing, const struct rule_terms *terms)
{
	struct rule_sum sum = { 0 };

	for (size_t i = 0; i < terms->count; i++) {
		enum regex_result is = rule_match_term(match, standing, &terms->item[i]);

		sum.yes += is == REGEX_YES;
		sum.limit += is == REGEX_LIMIT;
	}
	return sum;
}

/* At least so many of the terms. */
static enum regex_result
rule_match_least(struct rule_sum sum, size_t least)
{
	if (sum.yes >= least)
		return REGEX_YES;
	return sum.yes + sum.limit >= least ? REGEX_LIMIT : REGEX_NO;
}

static enum regex_result
rule_match_rule(
    const struct rule_match *match, const uint8_t *standing, const struct rule_entry *rule)
{
	struct rule_sum none = rule_match_sum(match, standing, &rule->none);
	const enum regex_result parts[] = {
		rule_match_least(rule_match_sum(match, standing, &rule->all), rule->all.count),
		rule_match_least(
		    rule_match_sum(match, standing, &rule->any), rule->any.count > 0 ? 1 : 0),
		rule_match_least(rule_match_sum(match, standing, &rule->of), rule->least),
		none.yes > 0         ? REGEX_NO
		    : none.limit > 0 ? REGEX_LIMIT
				     : REGEX_YES,
	};
	enum regex_result result = REGEX_YES;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (parts[i] == REGEX_NO)
			return REGEX_NO;
		if (parts[i] == REGEX_LIMIT)
			result = REGEX_LIMIT;
	}
	return result;
}

void
rule_match_judge(const struct rule_match *match, uint8_t *standing)
{
	for (size_t i = 0; i < match->set->count; i++)
		standing[i] = (uint8_t)rule_match_rule(match, standing, &match->set->rules[i]);
}

/* ---- where ---- */

/* The first of the terms that holds; NULL: none. */
static const struct rule_term *
rule_match_first(
    const struct rule_match *match, const uint8_t *standing, const struct rule_terms *terms)
{
	for (size_t i = 0; i < terms->count; i++)
		if (rule_match_term(match, standing, &terms->item[i]) == REGEX_YES)
			return &terms->item[i];
	return NULL;
}

const char *
rule_match_where(const struct rule_match *match, const uint8_t *standing,
    const struct rule_entry *rule, const char **part)
{
	const struct rule_term *term = NULL;

	while (term == NULL || term->is_rule) {
		if (term != NULL)
			rule = &match->set->rules[term->number];
		term = rule_match_first(match, standing, &rule->all);
		if (term == NULL)
			term = rule_match_first(match, standing, &rule->any);
		if (term == NULL)
			term = rule_match_first(match, standing, &rule->of);
		assert(term != NULL);
	}
	const struct rule_stream *stream = rule_set_stream(match->set, term->number);

	*part = match->parts != NULL ? match->parts[term->number] : NULL;
	return stream->field != NULL ? stream->field : rule_places[stream->place];
}
