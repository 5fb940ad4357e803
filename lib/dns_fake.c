#include "lib/dns_fake.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { CHAIN_MOST = 8 };

/* Who waits for one row; a question under way is in exactly one such list, by `handle`. */
struct fake_row {
	struct dns_question *waiting;
	bool is_released;
	size_t asked;
};

struct dns_fake {
	struct dns_source source;
	const struct dns_row *rows;
	struct fake_row *states;
	size_t count;
	bool allows_unknown;
};

static void
dns_fake_check(bool is_good, const char *fault, const char *text)
{
	if (is_good)
		return;
	fprintf(stderr, "dns_fake: %s: %s\n", fault, text);
	abort();
}

static struct slice
dns_fake_address(struct arena *arena, int family, const char *text)
{
	char *address = arena_alloc(arena, sizeof(struct in6_addr) + 1);

	dns_fake_check(inet_pton(family, text, address) == 1, "not an address", text);
	return (struct slice) { address, family == AF_INET ? 4 : 16 };
}

static struct slice
dns_fake_record(struct dns_question *question, const char *text, uint16_t *preference)
{
	struct arena *arena = dns_arena(question);
	char *end;

	switch (question->type) {
	case DNS_A:
		return dns_fake_address(arena, AF_INET, text);
	case DNS_AAAA:
		return dns_fake_address(arena, AF_INET6, text);
	case DNS_MX:
		*preference = (uint16_t)strtoul(text, &end, 10);
		dns_fake_check(end != text && *end == ' ', "not an MX record", text);
		text = strcmp(end, " .") == 0 ? "" : end + 1;
		break;
	case DNS_CNAME:
	case DNS_PTR:
	case DNS_TXT:
		break;
	}
	return (struct slice) { arena_strdup(arena, text), strlen(text) };
}

static void
dns_fake_answer(const struct dns_row *row, struct dns_question *question)
{
	struct arena *arena = dns_arena(question);
	struct dns_answer *answer = &question->answer;

	answer->is_secure = row->is_secure;
	answer->ttl = row->ttl;
	answer->records = arena_alloc(
	    arena, sizeof(row->records) / sizeof(row->records[0]) * sizeof(struct slice));
	if (question->type == DNS_MX)
		answer->preferences = arena_alloc(arena, DNS_FAKE_RECORDS_MOST * sizeof(uint16_t));
	while (answer->count < DNS_FAKE_RECORDS_MOST && row->records[answer->count] != NULL) {
		uint16_t preference = 0;

		answer->records[answer->count] =
		    dns_fake_record(question, row->records[answer->count], &preference);
		if (question->type == DNS_MX)
			answer->preferences[answer->count] = preference;
		answer->count++;
	}
	dns_end(question, row->state, row->why);
}

/* The row's number, or count. */
static size_t
dns_fake_find(const struct dns_fake *fake, enum dns_type type, const char *name)
{
	size_t row = 0;

	while (row < fake->count &&
	    (fake->rows[row].type != type || strcasecmp(fake->rows[row].name, name) != 0))
		row++;
	return row;
}

/* As a resolver does it: the row itself, or the one at the end of the chain of CNAMEs. */
static size_t
dns_fake_follow(const struct dns_fake *fake, const struct dns_question *question)
{
	const char *name = question->name;

	for (int links = 0; links < CHAIN_MOST; links++) {
		size_t row = dns_fake_find(fake, question->type, name);

		if (row < fake->count)
			return row;
		row = dns_fake_find(fake, DNS_CNAME, name);
		if (row == fake->count || fake->rows[row].records[0] == NULL)
			return row;
		name = fake->rows[row].records[0];
	}
	return fake->count;
}

static enum dns_state
dns_fake_unknown(const struct dns_fake *fake, const char *name)
{
	for (size_t row = 0; row < fake->count; row++)
		if (strcasecmp(fake->rows[row].name, name) == 0)
			return DNS_NO_DATA;
	return DNS_NO_NAME;
}

static void
dns_fake_start(struct dns_source *source, struct dns_question *question)
{
	struct dns_fake *fake = (struct dns_fake *)source;
	size_t row = dns_fake_follow(fake, question);

	source->stats.open++;
	if (row == fake->count) {
		dns_fake_check(fake->allows_unknown, "a question without a row", question->name);
		source->stats.open--;
		dns_end(question, dns_fake_unknown(fake, question->name), NULL);
		return;
	}
	struct fake_row *state = &fake->states[row];

	state->asked++;
	if (state->is_released) {
		source->stats.open--;
		dns_fake_answer(&fake->rows[row], question);
		return;
	}
	question->handle = state->waiting;
	state->waiting = question;
}

static void
dns_fake_stop(struct dns_source *source, struct dns_question *question)
{
	struct dns_fake *fake = (struct dns_fake *)source;

	for (size_t row = 0; row < fake->count; row++)
		for (struct dns_question **at = &fake->states[row].waiting; *at != NULL;
		     at = (struct dns_question **)&(*at)->handle)
			if (*at == question) {
				*at = question->handle;
				source->stats.open--;
				return;
			}
	assert(!"a question that does not wait");
}

struct dns_fake *
dns_fake_new(struct arena *arena, struct ev_loop *loop, const struct dns_row *rows)
{
	struct dns_fake *fake = arena_alloc(arena, sizeof(*fake));

	*fake = (struct dns_fake) {
		.source = { .start = dns_fake_start,
		    .stop = dns_fake_stop,
		    .loop = loop,
		    .time_limit = 3600,
		    .question_limit = DNS_QUESTIONS_MOST },
		.rows = rows,
	};
	while (rows[fake->count].name != NULL)
		fake->count++;
	fake->states = arena_alloc(arena, (fake->count + 1) * sizeof(*fake->states));
	return fake;
}

struct dns_source *
dns_fake_source(struct dns_fake *fake)
{
	return &fake->source;
}

void
dns_fake_allow_unknown(struct dns_fake *fake)
{
	fake->allows_unknown = true;
}

/* The last that asked is the first in the list; the first that asked is answered first. */
void
dns_fake_release(struct dns_fake *fake, size_t row)
{
	assert(row < fake->count);
	struct dns_question *question = fake->states[row].waiting, *first = NULL;

	fake->states[row].is_released = true;
	fake->states[row].waiting = NULL;
	for (struct dns_question *next; question != NULL; question = next) {
		next = question->handle;
		question->handle = first;
		first = question;
	}
	for (struct dns_question *next; first != NULL; first = next) {
		next = first->handle;
		fake->source.stats.open--;
		dns_fake_answer(&fake->rows[row], first);
	}
}

void
dns_fake_release_all(struct dns_fake *fake)
{
	for (size_t row = 0; row < fake->count; row++)
		dns_fake_release(fake, row);
}

size_t
dns_fake_waiting(const struct dns_fake *fake)
{
	return fake->source.stats.open;
}

size_t
dns_fake_asked(const struct dns_fake *fake, size_t row)
{
	assert(row < fake->count);
	return fake->states[row].asked;
}
