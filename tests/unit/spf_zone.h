/*
 * spf_zone: for tests of SPF: zones as the conformance data has them, a resolver over them, and
 * a session that asks it.
 *
 * The form of the data is described in its own README: lines of fields between tabs, "rr NAME
 * TYPE VALUE..." and "case ID HOST HELO MAILFROM RESULT EXPLANATION SPEC MECHANISM" after a line
 * "scenario TEXT".
 */
#pragma once

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "filters/registry.h"
#include "lib/dns_source.h"
#include "rules/pipeline.h"

enum { ZONE_RECORDS_MOST = 400, ZONE_FIELDS_MOST = 12, ZONE_LINE_MOST = 70000 };

struct zone_record {
	char *name;
	enum dns_type type;
	bool fails; /* whatever is not listed at this name */
	struct slice value;
	uint16_t preference;
};

/* In which order a resolver that is asked several questions answers them. */
enum zone_order { ZONE_AT_ONCE, ZONE_OLDEST, ZONE_NEWEST, ZONE_ANY, ZONE_ORDERS };

struct zone {
	struct dns_source source;
	struct arena *arena;
	struct zone_record records[ZONE_RECORDS_MOST];
	size_t count;
	enum zone_order order;
	struct dns_question *waiting; /* newest first, by handle */
	unsigned asked, rounds;
	uint32_t random;
};

/* ---- the data ---- */

/* "\xHH" are bytes. In place; the length. */
static inline size_t
zone_unescape(char *text)
{
	char *to = text;

	for (char *at = text; *at != '\0';) {
		unsigned byte;

		if (at[0] == '\\' && at[1] == 'x' && sscanf(at + 2, "%2x", &byte) == 1) {
			*to++ = (char)byte;
			at += 4;
		} else {
			*to++ = *at++;
		}
	}
	*to = '\0';
	return (size_t)(to - text);
}

static inline void
zone_add_text(struct zone *zone, struct zone_record *record, size_t count, char **fields)
{
	struct buf *joined = buf_new(zone->arena, SIZE_MAX);

	for (size_t i = 0; i < count; i++)
		buf_append(joined, (struct slice) { fields[i], zone_unescape(fields[i]) });
	record->value =
	    (struct slice) { arena_copy(zone->arena, buf_slice(joined)), joined->length };
}

static inline void
zone_add_value(struct zone *zone, struct zone_record *record, const char *value)
{
	char *copy = arena_alloc(zone->arena, strlen(value) + 17);
	size_t length = record->type == DNS_A ? 4 : record->type == DNS_AAAA ? 16 : 0;

	if (length > 0) {
		assert(inet_pton(length == 4 ? AF_INET : AF_INET6, value, copy) == 1);
	} else {
		for (; value[length] != '\0'; length++)
			copy[length] = value[length] >= 'A' && value[length] <= 'Z'
			    ? (char)(value[length] | 0x20)
			    : value[length];
		if (length > 0 && copy[length - 1] == '.')
			copy[--length] = '\0';
	}
	record->value = (struct slice) { copy, length };
}

/* fields: "rr", NAME, TYPE, VALUE... */
static inline void
zone_add(struct zone *zone, size_t count, char **fields)
{
	static const struct {
		const char *word;
		enum dns_type type;
	} types[] = { { "A", DNS_A }, { "AAAA", DNS_AAAA }, { "PTR", DNS_PTR }, { "MX", DNS_MX },
		{ "TXT", DNS_TXT }, { "CNAME", DNS_CNAME }, { "SPF", 99 }, { "TIMEOUT", 0 } };
	struct zone_record *record = &zone->records[zone->count++];
	size_t kind = 0, length = zone_unescape(fields[1]);

	assert(zone->count <= ZONE_RECORDS_MOST && count >= 3);
	while (strcmp(types[kind].word, fields[2]) != 0)
		assert(++kind < sizeof(types) / sizeof(types[0]));
	if (length > 0 && fields[1][length - 1] == '.')
		fields[1][length - 1] = '\0';
	*record = (struct zone_record) { .name = arena_strdup(zone->arena, fields[1]),
		.type = types[kind].type,
		.fails = types[kind].type == 0 };
	if (record->type == DNS_TXT)
		zone_add_text(zone, record, count - 3, fields + 3);
	else if (record->type == DNS_MX)
		record->preference = (uint16_t)atoi(fields[3]);
	if (record->type != DNS_TXT && record->type != 99 && !record->fails) {
		zone_unescape(fields[count - 1]);
		zone_add_value(zone, record, fields[count - 1]);
	}
}

static inline size_t
zone_split(char *line, char **fields)
{
	size_t count = 0;

	line[strcspn(line, "\n")] = '\0';
	for (char *at = line; at != NULL && count < ZONE_FIELDS_MOST;)
		fields[count++] = strsep(&at, "\t");
	return count;
}

/* ---- the resolver ---- */

static inline bool
zone_has(const struct zone *zone, const char *name)
{
	for (size_t i = 0; i < zone->count; i++)
		if (strcasecmp(zone->records[i].name, name) == 0)
			return true;
	return false;
}

static inline bool
zone_fails(const struct zone *zone, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < zone->count; i++)
		if (zone->records[i].fails && strcasecmp(zone->records[i].name, name) == 0)
			return true;
	return !zone_has(zone, name) && length > 5 && strncasecmp(name, "error.", 6) == 0;
}

static inline void
zone_take(struct dns_question *question, const struct zone_record *record)
{
	struct dns_answer *answer = &question->answer;
	struct arena *arena = dns_arena(question);

	if (answer->records == NULL) {
		answer->records = arena_alloc(arena, DNS_RECORDS_MOST * sizeof(struct slice));
		answer->preferences = arena_alloc(arena, DNS_RECORDS_MOST * sizeof(uint16_t));
	}
	assert(answer->count < DNS_RECORDS_MOST);
	answer->preferences[answer->count] = record->preference;
	answer->records[answer->count++] =
	    (struct slice) { arena_copy(arena, record->value), record->value.length };
}

static inline void
zone_answer(const struct zone *zone, struct dns_question *question)
{
	const char *name = question->name;

	for (int links = 0; links < 8; links++) {
		const char *next = NULL;

		for (size_t i = 0; i < zone->count; i++) {
			const struct zone_record *record = &zone->records[i];

			if (strcasecmp(record->name, name) != 0)
				continue;
			if (record->type == question->type)
				zone_take(question, record);
			if (record->type == DNS_CNAME)
				next = record->value.data;
		}
		if (question->answer.count > 0 || next == NULL)
			break;
		name = next;
	}
	if (question->answer.count > 0)
		dns_end(question, DNS_OK, NULL);
	else if (zone_fails(zone, name))
		dns_end(question, DNS_FAILED, "time limit");
	else
		dns_end(question, zone_has(zone, name) ? DNS_NO_DATA : DNS_NO_NAME, NULL);
}

static inline void
zone_start(struct dns_source *source, struct dns_question *question)
{
	struct zone *zone = (struct zone *)source;

	zone->asked++;
	if (zone->order == ZONE_AT_ONCE) {
		zone_answer(zone, question);
		return;
	}
	question->handle = zone->waiting;
	zone->waiting = question;
}

static inline void
zone_stop(struct dns_source *source, struct dns_question *question)
{
	struct zone *zone = (struct zone *)source;
	struct dns_question **at = &zone->waiting;

	while (*at != question)
		at = (struct dns_question **)&(*at)->handle;
	*at = question->handle;
}

/* Answers one question; false: none waits. */
static inline bool
zone_answer_one(struct zone *zone)
{
	struct dns_question **at = &zone->waiting, *question;
	size_t count = 0, which;

	for (question = zone->waiting; question != NULL; question = question->handle)
		count++;
	if (count == 0)
		return false;
	zone->random = zone->random * 1664525u + 1013904223u;
	which = zone->order == ZONE_OLDEST ? count - 1
	    : zone->order == ZONE_NEWEST   ? 0
					   : (zone->random >> 8) % count;
	while (which-- > 0)
		at = (struct dns_question **)&(*at)->handle;
	question = *at;
	*at = question->handle;
	zone_answer(zone, question);
	return true;
}

static inline struct zone *
zone_new(struct arena *arena, struct ev_loop *loop)
{
	struct zone *zone = arena_alloc(arena, sizeof(*zone));

	zone->arena = arena;
	zone->source = (struct dns_source) {
		.start = zone_start,
		.stop = zone_stop,
		.loop = loop,
		.time_limit = 3600,
		.question_limit = DNS_QUESTIONS_MOST,
	};
	return zone;
}

/* ---- a session ---- */

struct zone_session {
	struct arena *arena;
	struct zone *zone;
	struct task_queue tasks;
	struct task task;
	struct client client;
	struct address from;
	struct pipeline pipeline;
	struct scope *scope;
};

static inline void
zone_session_run(void *arg)
{
	struct zone_session *session = arg;

	session->zone->rounds++;
	scope_run(session->scope);
}

/* Until nothing is waited for. */
static inline void
zone_session_reach(struct zone_session *session, enum stage stage)
{
	scope_reach(session->scope, stage);
	scope_run(session->scope);
	while (scope_waits(session->scope)) {
		bool is_answered = zone_answer_one(session->zone);

		assert(is_answered);
		for (int i = 0; i < 3; i++)
			ev_run(session->zone->source.loop, EVRUN_NOWAIT);
	}
}

static inline void
zone_session_open(struct zone_session *session, struct dns *dns, enum scope_kind kind)
{
	session->scope = scope_new(session->arena, dns, session->scope, kind, &session->pipeline);
	session->scope->mail.client = &session->client;
	session->scope->mail.from = &session->from;
}

/* The filter's session up to MAIL; session->scope then has its facts. */
static inline void
zone_session_play(struct zone_session *session, struct zone *zone, const void *options,
    const char *client, const char *helo, struct address from)
{
	*session = (struct zone_session) { .arena = arena_new(8 << 20), .zone = zone };
	session->pipeline.rows[session->pipeline.count++] =
	    (struct pipeline_row) { &spf_filter, options };
	bool is_address = ip_read(&session->client.ip, slice_of(client));

	assert(is_address);
	session->client.text = client;
	session->client.helo = helo;
	session->from = from;
	task_queue_init(&session->tasks, zone->source.loop);
	task_init(&session->task, session->arena, &session->tasks, zone_session_run, session);
	struct dns *dns = dns_new(session->arena, &zone->source, &session->task);

	zone_session_open(session, dns, SCOPE_CONNECTION);
	zone_session_open(session, dns, SCOPE_HELO);
	zone_session_reach(session, HELO);
	zone_session_open(session, dns, SCOPE_TRANSACTION);
	zone_session_reach(session, MAIL);
}

static inline void
zone_session_end(struct zone_session *session)
{
	arena_free(session->arena);
}
