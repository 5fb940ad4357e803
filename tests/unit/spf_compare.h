/*
 * spf_compare: for tests of SPF: is what we find the same, with all answers at hand and one by
 * one in several orders, and the same that a plain reading and evaluation find? If not, it
 * ends the program.
 */
#pragma once

#include "tests/unit/spf_plain.h"
#include "tests/unit/spf_zone.h"

enum { QUESTIONS_MOST = 1 + 10 * 11 + 11 + 1 };

struct outcome {
	enum spf_result result;
	const char *term, *domain, *explanation;
	bool has_domain; /* there was one that could be asked */
};

/* Our reading against the other. */
static inline void
compare_grammar(struct arena *arena, const struct regex *grammar, struct slice text)
{
	struct spf_record record;
	const char *why;

	if (!spf_record_is(text))
		return;
	bool is_right = spf_record_read(&record, arena, text, &why);
	enum regex_result is = plain_is_record(grammar, text);
	bool has_network = false;

	for (size_t i = 0; i + 4 <= text.length; i++)
		has_network = has_network || strncasecmp(text.data + i, "ip6:", 4) == 0;
	assert(is == REGEX_LIMIT || !is_right || is == REGEX_YES);
	assert(is != REGEX_YES || is_right || has_network);
}

static inline void
compare_no_run(void *arg)
{
	(void)arg;
}

static inline struct outcome
compare_check(
    struct arena *arena, struct zone *zone, struct task_queue *queue, const struct spf_query *query)
{
	struct arena *session = arena_new(SIZE_MAX);
	struct task *task = arena_alloc(session, sizeof(*task));
	struct spf_verdict verdict;

	task_init(task, session, queue, compare_no_run, NULL);
	struct dns *dns = dns_new(session, &zone->source, task);

	zone->asked = 0;
	while (!spf_check(&verdict, session, dns, query)) {
		bool is_answered = zone_answer_one(zone);

		assert(is_answered);
	}
	assert(zone->asked <= QUESTIONS_MOST);
	assert((verdict.term[0] == '\0') == (verdict.why[0] != '\0'));
	struct outcome outcome = { verdict.result, arena_strdup(arena, verdict.term),
		arena_strdup(arena, verdict.domain), arena_strdup(arena, verdict.explanation),
		strcmp(verdict.why, "not a domain name") != 0 };

	arena_free(session);
	return outcome;
}

static inline const char *
compare_cut(struct arena *arena, struct slice text)
{
	if (text.length > SPF_WORDS_MOST)
		text.length = SPF_WORDS_MOST;
	return arena_copy(arena, text);
}

static inline struct outcome
compare_plain(
    struct arena *arena, struct zone *zone, struct task_queue *queue, const struct spf_query *query)
{
	struct task *task = arena_alloc(arena, sizeof(*task));

	task_init(task, arena, queue, compare_no_run, NULL);
	struct plain plain = { .arena = arena,
		.dns = dns_new(arena, &zone->source, task),
		.query = query,
		.domain = query->domain };
	struct outcome outcome = { .explanation = "" };

	outcome.result = plain_check(&plain, query->domain, true);
	outcome.term = compare_cut(arena, plain.term);
	outcome.domain = plain.domain;
	if (outcome.result == SPF_FAIL)
		outcome.explanation = compare_cut(arena, slice_of(plain_explanation(&plain)));
	return outcome;
}

static inline void
compare_same(struct outcome a, struct outcome b)
{
	bool is_same = a.result == b.result && strcmp(a.term, b.term) == 0 &&
	    strcmp(a.domain, b.domain) == 0 && strcmp(a.explanation, b.explanation) == 0;

	if (!is_same)
		fprintf(stderr, "%s (%s of %s, %s)\n%s (%s of %s, %s)\n", spf_word(a.result),
		    a.term, a.domain, a.explanation, spf_word(b.result), b.term, b.domain,
		    b.explanation);
	assert(is_same);
}

static inline void
compare_all(
    struct arena *arena, struct zone *zone, struct task_queue *queue, const struct spf_query *query)
{
	struct outcome outcome;

	zone->order = ZONE_AT_ONCE;
	outcome = compare_check(arena, zone, queue, query);
	if (outcome.has_domain)
		compare_same(outcome, compare_plain(arena, zone, queue, query));
	for (zone->order = ZONE_OLDEST; zone->order < ZONE_ORDERS; zone->order++)
		compare_same(outcome, compare_check(arena, zone, queue, query));
}
