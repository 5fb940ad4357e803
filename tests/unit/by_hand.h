/*
 * by_hand: a resolver that a test answers by hand, question by question.
 *
 *	by_hand_answer(&resolver, ".bl.test", "127.0.0.2")
 *
 * ends all open questions whose name ends so. Text: addresses with blanks between, "none" for
 * no such name, or "!why" for a failure. by_hand_rule() answers every question at once.
 */
#pragma once

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/dns_source.h"

enum { BY_HAND_MOST = 4096 };

typedef const char *(*by_hand_rule)(const char *name, void *arg);

struct by_hand {
	struct dns_source source;
	struct dns_question *open[BY_HAND_MOST];
	size_t count, asked;
	by_hand_rule rule; /* NULL, or it gives NULL: by hand */
	void *arg;
};

static inline void
by_hand_end(struct dns_question *question, const char *text)
{
	struct arena *arena = dns_arena(question);
	struct dns_answer *answer = &question->answer;
	char *copy = arena_strdup(arena, text), *rest = NULL;

	if (text[0] == '!') {
		dns_end(question, DNS_FAILED, copy + 1);
		return;
	}
	if (strcmp(text, "none") == 0) {
		dns_end(question, DNS_NO_NAME, NULL);
		return;
	}
	answer->records = arena_alloc(arena, DNS_RECORDS_MOST * sizeof(*answer->records));
	for (char *word = strtok_r(copy, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest)) {
		char *address = arena_alloc(arena, 4);

		if (inet_pton(AF_INET, word, address) != 1)
			abort();
		answer->records[answer->count++] = (struct slice) { address, 4 };
	}
	dns_end(question, DNS_OK, NULL);
}

static inline void
by_hand_start(struct dns_source *source, struct dns_question *question)
{
	struct by_hand *resolver = (struct by_hand *)source;
	const char *text =
	    resolver->rule != NULL ? resolver->rule(question->name, resolver->arg) : NULL;

	resolver->asked++;
	if (text != NULL) {
		by_hand_end(question, text);
		return;
	}
	if (resolver->count == BY_HAND_MOST)
		abort();
	resolver->open[resolver->count++] = question;
}

static inline void
by_hand_stop(struct dns_source *source, struct dns_question *question)
{
	struct by_hand *resolver = (struct by_hand *)source;

	for (size_t i = 0; i < resolver->count; i++)
		if (resolver->open[i] == question) {
			resolver->open[i] = resolver->open[--resolver->count];
			return;
		}
	abort();
}

static inline void
by_hand_init(struct by_hand *resolver, struct ev_loop *loop)
{
	*resolver = (struct by_hand) { .source = { .start = by_hand_start,
					   .stop = by_hand_stop,
					   .loop = loop,
					   .time_limit = 3600,
					   .question_limit = DNS_QUESTIONS_MOST } };
}

/* How many were answered. */
static inline size_t
by_hand_answer(struct by_hand *resolver, const char *end, const char *text)
{
	size_t length = strlen(end), answered = 0;

	for (size_t i = resolver->count; i-- > 0;) {
		struct dns_question *question = resolver->open[i];
		size_t name = strlen(question->name);

		if (name < length || strcmp(question->name + name - length, end) != 0)
			continue;
		resolver->open[i] = resolver->open[--resolver->count];
		by_hand_end(question, text);
		answered++;
	}
	return answered;
}

static inline size_t
by_hand_waiting(const struct by_hand *resolver, const char *end)
{
	size_t length = strlen(end), count = 0;

	for (size_t i = 0; i < resolver->count; i++) {
		size_t name = strlen(resolver->open[i]->name);

		count +=
		    name >= length && strcmp(resolver->open[i]->name + name - length, end) == 0;
	}
	return count;
}
