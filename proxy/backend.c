#include "proxy/backend.h"

#include <assert.h>
#include <stdio.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "proxy/route.h"

enum { ARENA_MOST = 512 * 1024 };

typedef enum step (*backend_step)(struct backend *backend);

struct backend {
	struct worker *worker;
	struct arena *arena;
	struct task *task;
	struct route route; /* which server and address is tried now */
	struct conn *conn;
	backend_step step; /* of the opening; NULL: it is open */
	ev_timer limit;
	bool is_late; /* the limit has passed */
	bool is_lost, was_open;
	bool is_without_tls; /* opportunistic TLS has failed with this address */
	bool is_in_text;     /* between 354 and the final dot */
	unsigned owed;       /* replies */
	bool is_reading;     /* reader is within a reply */
	struct reply_reader reader;
	struct smtp_ehlo ehlo;
	double lost_at;
	char fault[200];
};

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

static enum step backend_connect(struct backend *backend);
static enum step backend_read(
    struct backend *backend, struct arena *arena, const struct reply **reply, const char **why);

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

static void
backend_time(struct backend *backend, struct seconds limit)
{
	backend->limit.repeat = limit.value;
	ev_timer_again(backend->worker->loop, &backend->limit);
}

static void
backend_no_time(struct backend *backend)
{
	ev_timer_stop(backend->worker->loop, &backend->limit);
	backend->is_late = false;
}

static enum step
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

/* This address will not do: the next one, or the end. */
static enum step
backend_next(struct backend *backend, const char *why)
{
	log_line(LEVEL_INFO, "backend", "%s: %s", backend_name(backend), why);
	if (backend->conn != NULL)
		conn_close(backend->conn);
	backend->conn = NULL;
	backend->is_reading = backend->is_without_tls = false;
	backend->owed = 0;
	backend_no_time(backend);
	route_failed(&backend->route);
	backend->step = backend_connect;
	return NEXT;
}

/* ---- the opening: steps that are entered again until they are done ---- */

static enum step backend_greeting(struct backend *backend);
static enum step backend_hello(struct backend *backend);
static enum step backend_helo(struct backend *backend);
static enum step backend_starttls(struct backend *backend);
static enum step backend_handshake(struct backend *backend);

static enum step
backend_connect(struct backend *backend)
{
	struct worker *worker = backend->worker;
	struct sockaddr_storage address;

	if (backend->conn == NULL) {
		switch (route_next(&backend->route, &address)) {
		case WAIT:
			return WAIT;
		case END_SESSION:
			return backend_lose(backend,
			    "451 4.4.1 the mail server cannot be reached now, please try again",
			    "no server can be reached");
		case NEXT:
			break;
		}
		backend->conn = conn_connect(backend->arena, worker->loop,
		    (const struct sockaddr *)&address, NULL, backend->task);
		backend_time(backend, worker->config->timeouts.connect);
	}
	switch (conn_state(backend->conn)) {
	case CONN_BROKEN:
		return backend_next(backend, conn_why(backend->conn));
	case CONN_CONNECTING:
		return backend->is_late ? backend_next(backend, "no connection in time") : WAIT;
	case CONN_OPEN:
	case CONN_HANDSHAKE:
	case CONN_CLOSED:
		break;
	}
	backend->owed = 1;
	backend_time(backend, worker->config->timeouts.greeting);
	backend->step = backend_greeting;
	return NEXT;
}

/* The next reply in the opening: a server that does not give a good one is passed over. */
static enum step
backend_opening_reply(struct backend *backend, const struct reply **reply)
{
	const char *why = NULL;

	*reply = NULL;
	switch (backend_read(backend, backend->arena, reply, &why)) {
	case WAIT:
		return WAIT;
	case NEXT:
		if ((*reply)->code == 421)
			return backend_next(backend, "421: it is closing");
		return NEXT;
	case END_SESSION:
		break;
	}
	return backend_next(backend, why);
}

static void
backend_say_hello(struct backend *backend, const char *verb)
{
	const struct config *config = backend->worker->config;
	const char *name = config->backend.hello != NULL ? config->backend.hello : config->hostname;
	struct slice line = { arena_format(backend->arena, "%s %s\r\n", verb, name),
		strlen(verb) + strlen(name) + 3 };

	backend_say(backend, line, config->timeouts.greeting);
}

static enum step
backend_greeting(struct backend *backend)
{
	const struct reply *reply;
	enum step step = backend_opening_reply(backend, &reply);

	if (step != NEXT || reply == NULL)
		return step;
	if (reply->code != 220)
		return backend_next(backend, "the greeting is not 220");
	backend_say_hello(backend, "EHLO");
	backend->step = backend_hello;
	return NEXT;
}

static enum step
backend_ready(struct backend *backend)
{
	backend_no_time(backend);
	backend->step = NULL;
	backend->was_open = true;
	route_worked(&backend->route);
	ehlo_learn(&backend->worker->ehlo, &backend->ehlo);
	return NEXT;
}

/* After EHLO's answer: is TLS still to be started, and may it be done without? */
static enum step
backend_secure(struct backend *backend)
{
	enum backend_tls mode = (enum backend_tls)backend->worker->config->backend.tls.value;
	bool has_tls = backend->ehlo.extensions & SMTP_EXT_STARTTLS;

	if (conn_tls_version(backend->conn) != NULL || mode == BACKEND_TLS_OFF)
		return backend_ready(backend);
	if (has_tls && !backend->is_without_tls) {
		backend_say(
		    backend, slice_of("STARTTLS\r\n"), backend->worker->config->timeouts.greeting);
		backend->step = backend_starttls;
		return NEXT;
	}
	if (mode == BACKEND_TLS_OPPORTUNISTIC)
		return backend_ready(backend);
	return backend_next(backend, "it offers no TLS, which the configuration requires");
}

static enum step
backend_hello(struct backend *backend)
{
	const struct reply *reply;
	enum step step = backend_opening_reply(backend, &reply);

	if (step != NEXT || reply == NULL)
		return step;
	if (!backend_is_quiet(backend))
		return backend_next(backend, "it said more than the answer to EHLO");
	if (reply->code != 250 && reply->code >= 500) {
		backend_say_hello(backend, "HELO");
		backend->step = backend_helo;
		return NEXT;
	}
	if (reply->code != 250)
		return backend_next(backend, "the answer to EHLO is not 250");
	smtp_ehlo_read(&backend->ehlo, reply);
	return backend_secure(backend);
}

static enum step
backend_helo(struct backend *backend)
{
	const struct reply *reply;
	enum step step = backend_opening_reply(backend, &reply);

	if (step != NEXT || reply == NULL)
		return step;
	if (reply->code != 250)
		return backend_next(backend, "the answer to HELO is not 250");
	backend->ehlo = (struct smtp_ehlo) { 0 };
	return backend_secure(backend);
}

static enum step
backend_starttls(struct backend *backend)
{
	const struct config_backend *config = &backend->worker->config->backend;
	const struct reply *reply;
	enum step step = backend_opening_reply(backend, &reply);

	if (step != NEXT || reply == NULL)
		return step;
	if (reply->code != 220) {
		backend->is_without_tls = true;
		return backend_secure(backend);
	}
	/* What stands behind 220 in plain text is nobody's answer (RFC 3207 4.2). */
	if (!backend_is_quiet(backend))
		return backend_next(backend, "plain text behind the answer to STARTTLS");
	conn_tls_connect(backend->conn, backend->worker->config->tls_client,
	    config->tls_name != NULL ? config->tls_name : route_host(&backend->route),
	    config->tls.value == BACKEND_TLS_VERIFY);
	backend_time(backend, backend->worker->config->timeouts.tls);
	backend->step = backend_handshake;
	return NEXT;
}

/* An opportunistic handshake that fails is tried once more, on a new connection, without. */
static enum step
backend_without_tls(struct backend *backend, const char *why)
{
	if (backend->worker->config->backend.tls.value != BACKEND_TLS_OPPORTUNISTIC)
		return backend_next(backend, why);
	log_line(LEVEL_WARNING, "backend", "%s: TLS failed (%s), going on without",
	    backend_name(backend), why);
	conn_close(backend->conn);
	backend->conn = NULL;
	backend->is_without_tls = true;
	backend->is_late = false;
	route_again(&backend->route);
	backend->step = backend_connect;
	return NEXT;
}

static enum step
backend_handshake(struct backend *backend)
{
	switch (conn_state(backend->conn)) {
	case CONN_HANDSHAKE:
	case CONN_CONNECTING:
		return backend->is_late ? backend_without_tls(backend, "no handshake in time")
					: WAIT;
	case CONN_BROKEN:
	case CONN_CLOSED:
		return backend_without_tls(backend, conn_why(backend->conn));
	case CONN_OPEN:
		break;
	}
	backend->ehlo = (struct smtp_ehlo) { 0 };
	backend_say_hello(backend, "EHLO");
	backend->step = backend_hello;
	return NEXT;
}

enum step
backend_open(struct backend *backend)
{
	enum step step = NEXT;

	while (step == NEXT && !backend->is_lost && backend->step != NULL)
		step = backend->step(backend);
	return backend->is_lost ? END_SESSION : step;
}

/* ---- the dialogue ---- */

/* A reply from the input. END_SESSION: *why it cannot be had. */
static enum step
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
