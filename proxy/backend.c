#include "proxy/backend_private.h"

#include <assert.h>
#include <stdio.h>

#include "lib/clock.h"
#include "lib/log.h"

enum { ARENA_MOST = 512 * 1024 };

static void
backend_on_limit(struct ev_loop *loop, ev_timer *limit, int events)
{
	struct backend *backend = limit->data;

	(void)loop, (void)events;
	backend->is_late = true;
	task_wake(backend->task);
}

static void
backend_undo(void *arg)
{
	struct backend *backend = arg;

	ev_timer_stop(backend->worker->loop, &backend->limit);
}

struct backend *
backend_new(struct worker *worker, struct task *task)
{
	struct arena *arena = arena_new(ARENA_MOST);
	struct backend *backend = arena_alloc(arena, sizeof(*backend));

	*backend = (struct backend) {
		.worker = worker, .arena = arena, .task = task, .step = backend_connect
	};
	route_init(&backend->route, arena, worker, task);
	ev_timer_init(&backend->limit, backend_on_limit, 0, 0);
	backend->limit.data = backend;
	arena_defer(arena, backend_undo, backend);
	return backend;
}

void
backend_free(struct backend *backend)
{
	if (backend_is_open(backend) && backend->owed == 0 && !backend->is_in_text) {
		conn_write(backend->conn, slice_of("QUIT\r\n"));
		conn_flush(backend->conn);
	}
	arena_free(backend->arena);
}

void
backend_time(struct backend *backend, struct seconds limit)
{
	backend->limit.repeat = limit.value;
	ev_timer_again(backend->worker->loop, &backend->limit);
}

void
backend_no_time(struct backend *backend)
{
	ev_timer_stop(backend->worker->loop, &backend->limit);
	backend->is_late = false;
}

enum step
backend_lose(struct backend *backend, const char *fault, const char *why)
{
	if (backend->is_lost)
		return END_SESSION;
	backend->is_lost = true;
	backend->lost_at = clock_seconds();
	snprintf(backend->fault, sizeof(backend->fault), "%s", fault);
	backend_no_time(backend);
	if (backend->conn != NULL)
		conn_close(backend->conn);
	atomic_fetch_add(&backend->worker->shared->backend_failures, 1);
	log_line(LEVEL_WARNING, "backend", "%s: %s", backend_name(backend), why);
	return END_SESSION;
}

void
backend_drop(struct backend *backend, const char *why)
{
	backend_lose(
	    backend, "451 4.4.2 the mail server's session broke off, please try again", why);
}

enum step
backend_read(
    struct backend *backend, struct arena *arena, const struct reply **reply, const char **why)
{
	struct slice input = conn_input(backend->conn);
	size_t used = 0;

	assert(backend->owed > 0);
	if (!backend->is_reading)
		reply_reader_init(&backend->reader, arena);
	backend->is_reading = true;
	enum reply_result result = reply_read(&backend->reader, input, &used);

	conn_take(backend->conn, used);
	switch (result) {
	case REPLY_DONE:
		backend->is_reading = false;
		if (--backend->owed == 0)
			backend_no_time(backend);
		*reply = &backend->reader.reply;
		return NEXT;
	case REPLY_BAD:
		*why = backend->reader.why_bad;
		return END_SESSION;
	case REPLY_NEED_MORE:
		break;
	}
	*why = backend->is_late                  ? "no answer in time"
	    : conn_why(backend->conn)[0] != '\0' ? conn_why(backend->conn)
						 : "it closed the connection";
	return backend->is_late || conn_state(backend->conn) != CONN_OPEN ? END_SESSION : WAIT;
}

void
backend_say(struct backend *backend, struct slice command, struct seconds limit)
{
	if (backend->owed == 0 && !backend_is_quiet(backend))
		backend_drop(backend, "it answered before it was asked");
	if (backend->is_lost)
		return;
	conn_write(backend->conn, command);
	backend->owed++;
	backend_time(backend, limit);
}

enum step
backend_hear(struct backend *backend, struct arena *arena, const struct reply **reply)
{
	const char *why = NULL;

	if (backend->is_lost)
		return END_SESSION;
	switch (backend_read(backend, arena, reply, &why)) {
	case WAIT:
		return WAIT;
	case NEXT:
		if ((*reply)->code == 421)
			backend_drop(backend, "421: it is closing");
		return NEXT;
	case END_SESSION:
		break;
	}
	backend_drop(backend, why);
	return END_SESSION;
}

void
backend_pull(struct backend *backend)
{
	if (backend->conn == NULL || backend->is_lost)
		return;
	conn_pull(backend->conn);
	if (backend->step != NULL || backend->owed > 0 || backend->is_in_text)
		return;
	/* At rest: it closed (too long idle), or speaks unasked. */
	if (conn_state(backend->conn) != CONN_OPEN || !backend_is_quiet(backend))
		backend_drop(backend, "it ended the session");
}

void
backend_flush(struct backend *backend)
{
	if (backend->conn != NULL && !backend->is_lost)
		conn_flush(backend->conn);
}

struct conn *
backend_conn(struct backend *backend)
{
	return backend->conn;
}

bool
backend_is_quiet(const struct backend *backend)
{
	return conn_input(backend->conn).length == 0;
}

void
backend_progress(struct backend *backend, struct seconds limit)
{
	backend->is_in_text = true;
	backend_time(backend, limit);
}

void
backend_owes(struct backend *backend, struct seconds limit)
{
	backend->is_in_text = false;
	backend->owed++;
	backend_time(backend, limit);
}

bool
backend_is_late(const struct backend *backend)
{
	return backend->is_late;
}

bool
backend_is_open(const struct backend *backend)
{
	return backend->step == NULL && !backend->is_lost;
}

bool
backend_is_lost(const struct backend *backend)
{
	return backend->is_lost;
}

bool
backend_was_open(const struct backend *backend)
{
	return backend->was_open;
}

double
backend_lost_at(const struct backend *backend)
{
	return backend->lost_at;
}

const char *
backend_fault(const struct backend *backend)
{
	return backend->fault;
}

const struct smtp_ehlo *
backend_ehlo(const struct backend *backend)
{
	return &backend->ehlo;
}

const char *
backend_name(const struct backend *backend)
{
	return route_name(&backend->route);
}

const char *
backend_tls(const struct backend *backend)
{
	return backend->conn != NULL ? conn_tls_version(backend->conn) : NULL;
}
