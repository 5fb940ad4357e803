/*
 * play: for tests of filters: a session's scopes over a table of DNS answers, which come in
 * every order.
 *
 *	play_orders(count, play_one, arg)    calls play_one(order, arg) for each permutation
 *
 * play_begin() opens a connection's scope and reaches CONNECT; play_helo(), play_mail() and
 * play_rcpt() go on from there. play_answer() releases a row and lets the task run, as the
 * loop would. play_end() is the client that leaves.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/dns_fake.h"
#include "lib/fault.h"
#include "lib/yaml.h"
#include "rules/pipeline.h"

struct play {
	struct arena *arena;
	struct ev_loop *loop;
	struct task_queue tasks;
	struct task task;
	struct dns_fake *fake;
	struct dns *dns;
	struct client client;
	struct address from, recipient;
	struct pipeline pipeline;
	const struct pipeline_host *host;
	struct scope *scope; /* the innermost */
	unsigned runs;
};

typedef void (*play_function)(const size_t *order, const void *arg);

static inline void
play_permute(size_t *order, size_t count, size_t fixed, play_function play, const void *arg)
{
	if (fixed == count)
		play(order, arg);
	for (size_t i = fixed; i < count; i++) {
		size_t swap = order[fixed];

		order[fixed] = order[i];
		order[i] = swap;
		play_permute(order, count, fixed + 1, play, arg);
		order[i] = order[fixed];
		order[fixed] = swap;
	}
}

static inline void
play_orders(size_t count, play_function play, const void *arg)
{
	size_t order[8] = { 0, 1, 2, 3, 4, 5, 6, 7 };

	assert_true(count <= 8);
	play_permute(order, count, 0, play, arg);
}

static inline void
play_run(void *arg)
{
	struct play *play = arg;

	play->runs++;
	scope_run(play->scope);
}

static inline void
play_turn(struct play *play)
{
	for (int i = 0; i < 3; i++)
		ev_run(play->loop, EVRUN_NOWAIT);
}

static inline void
play_open(struct play *play, enum scope_kind kind, enum stage stage)
{
	play->scope = scope_new(play->arena, play->dns, play->scope, kind, &play->pipeline);
	if (kind == SCOPE_CONNECTION && play->host != NULL)
		scope_set_host(play->scope, play->host, &play->task);
	play->scope->mail.client = &play->client;
	if (kind == SCOPE_TRANSACTION)
		play->scope->mail.from = &play->from;
	if (kind == SCOPE_RECIPIENT)
		play->scope->mail.recipient = &play->recipient;
	scope_reach(play->scope, stage);
	scope_run(play->scope);
}

/* rows: of the pipeline, ends with a filter NULL. dns: ends with a name NULL; may be NULL. host:
 * what filters have of their worker; its open() is not called. */
static inline void
play_begin_with(struct play *play, const char *address, const struct pipeline_row *rows,
    const struct dns_row *dns, const struct pipeline_host *host)
{
	static const struct dns_row nothing[] = { { 0 } };

	*play = (struct play) { .arena = arena_new(1 << 20), .loop = ev_loop_new(0), .host = host };
	assert_true(ip_read(&play->client.ip, slice_of(address)));
	play->client.text = address;
	play->client.listener = "*:25";
	for (; rows[play->pipeline.count].filter != NULL; play->pipeline.count++)
		play->pipeline.rows[play->pipeline.count] = rows[play->pipeline.count];
	task_queue_init(&play->tasks, play->loop);
	task_init(&play->task, play->arena, &play->tasks, play_run, play);
	play->fake = dns_fake_new(play->arena, play->loop, dns != NULL ? dns : nothing);
	play->dns = dns_new(play->arena, dns_fake_source(play->fake), &play->task);
	play_open(play, SCOPE_CONNECTION, CONNECT);
}

static inline void
play_begin(struct play *play, const char *address, const struct pipeline_row *rows,
    const struct dns_row *dns)
{
	play_begin_with(play, address, rows, dns, NULL);
}

static inline void
play_helo(struct play *play, const char *helo)
{
	play->client.helo = helo;
	play_open(play, SCOPE_HELO, HELO);
}

static inline void
play_mail(struct play *play, struct address from)
{
	play->from = from;
	play_open(play, SCOPE_TRANSACTION, MAIL);
}

static inline void
play_rcpt(struct play *play, struct address recipient)
{
	play->recipient = recipient;
	play_open(play, SCOPE_RECIPIENT, RCPT);
}

static inline void
play_answer(struct play *play, size_t row)
{
	dns_fake_release(play->fake, row);
	play_turn(play);
}

static inline void
play_end(struct play *play)
{
	struct ev_loop *loop = play->loop;

	arena_free(play->arena);
	ev_loop_destroy(loop);
}

/* "ptr.result=pass(mx.a.test) {name=value} ..." of all scopes, in the order they came. */
static inline const char *
play_facts(struct play *play)
{
	struct evidence_place place = { 0 };
	const struct fact *fact;
	const char *all = "";

	while ((fact = evidence_next(play->scope->mail.evidence, &place)) != NULL) {
		all = arena_format(play->arena, "%s%s%s.%s=%s(%s)", all, all[0] != '\0' ? " " : "",
		    fact->filter, fact->key, fact->value, fact->detail);
		for (const struct about *one = fact->about; one != NULL && one->name != NULL; one++)
			all = arena_format(play->arena, "%s {%s=%s}", all, one->name, one->value);
	}
	return all;
}

/* The filter's options from YAML, as the configuration would have them; "" for the fallbacks.
 * NULL: faults, printed into *faults. */
static inline void *
play_options(
    struct arena *arena, const struct filter *filter, const char *yaml, struct faults *faults)
{
	void *options = arena_alloc(arena, filter->options_size);
	struct option_reader reader = { .arena = arena, .faults = faults };

	faults_init(faults, arena);
	const struct node *map =
	    yaml[0] == '\0' ? NULL : yaml_read(arena, "test.yaml", slice_of(yaml), NULL, faults);
	return option_read(&reader, filter->options, map, options) && faults->count == 0 ? options
											 : NULL;
}

static inline void *
play_options_good(struct arena *arena, const struct filter *filter, const char *yaml)
{
	struct faults faults;
	void *options = play_options(arena, filter, yaml, &faults);

	if (options == NULL)
		faults_print(&faults, stderr);
	assert_non_null(options);
	return options;
}
