#include "rules/pipeline.h"

#include <assert.h>

#include "rules/parts.h"

/* The stages that belong to each kind of scope, a bit each. */
static const unsigned scope_stages[] = {
	[SCOPE_CONNECTION] = 1u << CONNECT,
	[SCOPE_HELO] = 1u << HELO,
	[SCOPE_TRANSACTION] = 1u << MAIL | 1u << HEADERS | 1u << END,
	[SCOPE_RECIPIENT] = 1u << RCPT,
};

void
pipeline_open(struct pipeline_host *host, const struct pipeline *pipeline)
{
	parts_open(pipeline);
	for (size_t i = 0; i < pipeline->count; i++)
		if (pipeline->rows[i].filter->open != NULL)
			host->shared[i] =
			    pipeline->rows[i].filter->open(&host->host, pipeline->rows[i].options);
}

bool
pipeline_adds_header(const struct pipeline *pipeline)
{
	for (size_t i = 0; i < pipeline->count; i++) {
		const struct pipeline_row *row = &pipeline->rows[i];

		if (row->filter->adds_header != NULL && row->filter->adds_header(row->options))
			return true;
	}
	return false;
}

/* What is the filter's own: its memory of this message, and of the worker. */
static struct mail *
scope_lend_state(struct scope *scope, size_t row, void *state)
{
	scope->mail.state = state;
	scope->mail.shared = scope->host != NULL ? scope->host->shared[row] : NULL;
	return &scope->mail;
}

/* However the message ends: close() of each filter that has a state. */
static void
scope_close(void *arg)
{
	struct scope *scope = arg;

	if (!scope->is_open)
		return;
	scope->is_open = false;
	for (size_t i = 0; i < scope->pipeline->count; i++) {
		const struct pipeline_row *row = &scope->pipeline->rows[i];

		if (scope->states[i] == NULL || row->filter->close == NULL)
			continue;
		row->filter->close(scope_lend_state(scope, i, scope->states[i]), row->options);
	}
}

struct scope *
scope_new(struct arena *arena, struct dns *dns, struct scope *parent, enum scope_kind kind,
    const struct pipeline *pipeline)
{
	struct scope *scope = arena_alloc(arena, sizeof(*scope));

	assert(pipeline->count <= PIPELINE_MOST);
	assert((parent == NULL) == (kind == SCOPE_CONNECTION));
	assert(kind != SCOPE_RECIPIENT || parent->kind == SCOPE_TRANSACTION);
	*scope = (struct scope) { .parent = parent, .kind = kind, .pipeline = pipeline };
	if (parent != NULL) {
		scope->mail = parent->mail;
		scope->host = parent->host;
	}
	scope->mail.arena = arena;
	scope->mail.dns = dns;
	scope->mail.evidence = evidence_new(arena, parent != NULL ? parent->mail.evidence : NULL);
	scope->mail.state = NULL;
	if (kind == SCOPE_TRANSACTION) {
		scope->states = arena_alloc(arena, pipeline->count * sizeof(*scope->states));
		arena_defer(arena, scope_close, scope);
	}
	return scope;
}

void
scope_set_host(struct scope *scope, const struct pipeline_host *host, struct task *task)
{
	scope->host = host;
	scope->mail.host = &host->host;
	scope->mail.task = task;
}

/*
 * A stage that is reached is PENDING from now on, even while its filter still waits in an
 * earlier one: whoever must know it has to wait.
 */
void
scope_reach(struct scope *scope, enum stage stage)
{
	assert(scope_stages[scope->kind] & 1u << stage);
	if (stage == END)
		parts_end(scope);
	for (size_t i = 0; i < scope->pipeline->count; i++) {
		const struct filter *filter = scope->pipeline->rows[i].filter;

		if (filter->stages[stage] == NULL || scope->reached[stage] & 1u << i)
			continue;
		scope->reached[stage] |= 1u << i;
		scope->has_work = true;
		evidence_begin(scope->mail.evidence, filter->name, stage);
	}
}

/* The filter's own memory for this message, made when it is first called. */
static void *
scope_state(const struct scope *scope, size_t row)
{
	const struct filter *filter = scope->pipeline->rows[row].filter;
	struct scope *owner =
	    scope->kind == SCOPE_RECIPIENT ? scope->parent : (struct scope *)scope;

	assert(owner != NULL);
	if (owner->states == NULL || (filter->state_size == 0 && filter->close == NULL))
		return NULL;
	if (owner->states[row] == NULL)
		owner->states[row] = arena_alloc(owner->mail.arena, filter->state_size);
	owner->is_open = true;
	return owner->states[row];
}

struct mail *
scope_lend(struct scope *scope, size_t row)
{
	return scope_lend_state(scope, row, scope_state(scope, row));
}

static bool
scope_call(struct scope *scope, size_t row, enum stage stage)
{
	const struct pipeline_row *which = &scope->pipeline->rows[row];

	enum step step = which->filter->stages[stage](scope_lend(scope, row), which->options);

	assert(step == NEXT || step == WAIT);
	if (step == WAIT)
		return false;
	scope->over[stage] |= 1u << row;
	evidence_over(scope->mail.evidence, which->filter->name, stage);
	return true;
}

/* The rows that wait in this scope or around it; what waits there holds its later stages up. */
static uint32_t
scope_run_rows(struct scope *scope)
{
	uint32_t waiting = scope->parent != NULL ? scope_run_rows(scope->parent) : 0;
	bool has_work = false;

	if (!scope->has_work)
		return waiting;
	for (enum stage stage = CONNECT; stage < STAGES; stage++) {
		uint32_t rows = scope->reached[stage] & ~scope->over[stage] & ~waiting;

		for (; rows != 0; rows &= rows - 1) {
			size_t row = (size_t)__builtin_ctz(rows);

			if (!scope_call(scope, row, stage))
				waiting |= 1u << row;
		}
		has_work |= (scope->reached[stage] & ~scope->over[stage]) != 0;
	}
	scope->has_work = has_work;
	return waiting;
}

void
scope_run(struct scope *scope)
{
	scope_run_rows(scope);
}

bool
scope_waits(const struct scope *scope)
{
	for (; scope != NULL; scope = scope->parent)
		for (enum stage stage = CONNECT; stage < STAGES; stage++)
			if (scope->reached[stage] & ~scope->over[stage])
				return true;
	return false;
}

void
scope_watch(struct scope *transaction, const struct mime_sink *watch, scope_watch_uri uri)
{
	assert(transaction->kind == SCOPE_TRANSACTION && transaction->mime == NULL);
	transaction->watch = watch;
	transaction->watch_uri = uri;
}

bool
scope_has_taps(const struct scope *scope)
{
	if (scope->watch != NULL || parts_are_wanted(scope->pipeline))
		return true;
	for (size_t i = 0; i < scope->pipeline->count; i++)
		if (scope->pipeline->rows[i].filter->raw != NULL)
			return true;
	return false;
}

void
scope_raw(struct scope *transaction, struct slice bytes)
{
	assert(transaction->kind == SCOPE_TRANSACTION);
	for (size_t i = 0; i < transaction->pipeline->count && bytes.length > 0; i++) {
		const struct pipeline_row *row = &transaction->pipeline->rows[i];

		if (row->filter->raw == NULL)
			continue;
		row->filter->raw(scope_lend(transaction, i), row->options, bytes);
	}
	parts_feed(transaction, bytes);
}

void
scope_headers(struct scope *transaction, struct buf *out)
{
	assert(transaction->kind == SCOPE_TRANSACTION);
	for (size_t i = 0; i < transaction->pipeline->count; i++) {
		const struct pipeline_row *row = &transaction->pipeline->rows[i];

		if (row->filter->header == NULL)
			continue;
		row->filter->header(scope_lend(transaction, i), row->options, out);
	}
}
