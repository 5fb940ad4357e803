#include "proxy/session.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "proxy/backend.h"
#include "proxy/command.h"
#include "proxy/greeting.h"
#include "proxy/message.h"
#include "proxy/recipients.h"
#include "proxy/starttls.h"
#include "proxy/tarpit.h"
#include "proxy/transaction.h"
#include "rules/record.h"

enum { ARENA_MOST = 256 * 1024, LINGER = 5 };

/* ---- what the steps use ---- */

void
session_reply(struct session *session, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	conn_write(session->front, slice_of(text));
	conn_write(session->front, slice_of("\r\n"));
}

enum step
session_error(struct session *session, const char *reply)
{
	if (tarpit(session) == WAIT)
		return WAIT;
	session_reply(session, "%s", reply);
	session->client.errors = ++session->errors;
	if (session->errors < session->worker->config->limits.errors)
		return NEXT;
	session_reply(session, "421 4.7.0 too many errors");
	session->lingers = true;
	return END_SESSION;
}

static void
session_on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct session *session = timer->data;

	(void)loop, (void)events;
	session->is_late = true;
	task_wake(&session->task);
}

void
session_await(struct session *session, struct seconds limit)
{
	if (ev_is_active(&session->timer) || session->is_late)
		return;
	ev_timer_set(&session->timer, limit.value, 0);
	ev_timer_start(session->worker->loop, &session->timer);
}

void
session_arrived(struct session *session)
{
	ev_timer_stop(session->worker->loop, &session->timer);
	session->is_late = false;
}

enum step
session_is_late(struct session *session)
{
	session_reply(session, "421 4.4.2 nothing came in time, closing");
	session->lingers = true;
	return END_SESSION;
}

bool
session_is_deserted(const struct session *session)
{
	enum conn_state state = conn_state(session->front);

	return state == CONN_BROKEN ||
	    (state == CONN_CLOSED && conn_input(session->front).length == 0);
}

struct scope *
session_scope(struct session *session)
{
	if (session->mail != NULL)
		return session->mail->asked != NULL ? session->mail->asked->scope
						    : session->mail->scope;
	return session->hello != NULL ? session->hello : session->connection;
}

void
session_end_mail(struct session *session)
{
	struct transaction *t = session->mail;

	if (t == NULL)
		return;
	if (session->backend != NULL && t->told.is_said) {
		if (t->stage == DELIVERY_TEXT)
			backend_drop(session->backend, "the message was given up before its end");
		else if (t->stage == DELIVERY_ENVELOPE)
			session->is_backend_dirty = true;
	}
	session->mail = NULL;
	transaction_end(t);
}

void
session_reset(struct session *session)
{
	session_end_mail(session);
	session->hello = NULL;
}

/* ---- lines ---- */

enum step
session_line(struct session *session, size_t limit, struct slice *line)
{
	struct slice input = conn_input(session->front);
	size_t used = 0;

	*line = (struct slice) { NULL, 0 };
	session->line_fault = NULL;
	switch (smtp_line_find(&session->line, input, limit, line, &used)) {
	case SMTP_LINE_NONE:
		conn_take(session->front, used);
		if (conn_state(session->front) != CONN_OPEN)
			return END_SESSION;
		session_await(session, session->worker->config->timeouts.command);
		return session->is_late ? session_is_late(session) : WAIT;
	case SMTP_LINE_HAS:
		if (session->line_used == 0) /* else its command has begun to wait already */
			session_arrived(session);
		session->line_used = used;
		return NEXT;
	case SMTP_LINE_TOO_LONG:
		session->line_used = used;
		session->line_fault = &smtp_fault_long_line;
		break;
	case SMTP_LINE_BARE_NEWLINE:
		session->line_used = used;
		session->line_fault = &smtp_fault_bare_newline;
		break;
	}
	*line = (struct slice) { NULL, 0 };
	return NEXT;
}

void
session_line_done(struct session *session)
{
	conn_take(session->front, session->line_used);
	session->line_used = 0;
	session_arrived(session);
}

static size_t
session_line_limit(const struct session *session)
{
	struct slice input = conn_input(session->front);

	return input.length >= 5 && strncasecmp(input.data, "AUTH ", 5) == 0 ? SMTP_AUTH_LINE_MOST
									     : SMTP_COMMAND_MOST;
}

/* The line is dropped only when its command is done; a command that waits finds it again. */
enum step
session_command(struct session *session)
{
	struct slice line = { NULL, 0 };
	bool is_slowed = session->is_slowed && session->line_fault != NULL; /* it was found */
	enum step step = NEXT;

	if (session->worker->is_ending && session->mail == NULL) {
		session_reply(session, "421 4.3.2 closing for now, please come again");
		session->lingers = true;
		return END_SESSION;
	}
	if (!is_slowed)
		step = session_line(session, session_line_limit(session), &line);
	if (step != NEXT)
		return step;
	if (line.data == NULL) {
		char reply[SMTP_FAULT_MOST];

		step = session_error(session, smtp_fault_format(reply, session->line_fault));
	} else {
		step = command_run(session, line);
	}
	if (step != WAIT)
		session_line_done(session);
	return step;
}

void
session_hello(struct session *session, struct slice name, bool is_esmtp)
{
	session_reset(session);
	session->client.helo = arena_copy(session->arena, name);
	session->client.is_esmtp = is_esmtp;
	session->hello = scope_new(session->arena, session->dns, session->connection, SCOPE_HELO,
	    &session->worker->config->pipeline);
	scope_reach(session->hello, HELO);
}

/* ---- begin and end ---- */

/* The client may still be sending: closing at once would reset what it has not read yet. */
static enum step
session_linger(struct session *session)
{
	conn_discard(session->front);
	session_await(session, (struct seconds) { LINGER });
	return session->is_late || conn_state(session->front) == CONN_BROKEN ||
		conn_state(session->front) == CONN_CLOSED
	    ? END_SESSION
	    : WAIT;
}

static bool
session_may_end(struct session *session)
{
	bool is_lingering = session->step == session_linger;

	conn_flush(session->front);
	if (is_lingering || conn_state(session->front) != CONN_OPEN)
		return true;
	if (!session->lingers && conn_queued(session->front) == 0)
		return true;
	session_end_mail(session);
	session_arrived(session);
	if (session->lingers)
		conn_finish(session->front);
	session->step = session_linger;
	return false;
}

/* A handshake looks for itself, to say why it failed; after the final dot the answer is owed. */
static bool
session_is_broken(const struct session *session)
{
	return conn_state(session->front) == CONN_BROKEN && session->step != starttls_handshake &&
	    !message_is_committed(session);
}

static void
session_run(void *arg)
{
	struct session *session = arg;
	enum step step = NEXT;

	conn_pull(session->front);
	if (session->backend != NULL)
		backend_pull(session->backend);
	scope_run(session_scope(session));
	while (step == NEXT) {
		if (session_is_broken(session)) {
			step = END_SESSION;
		} else if (arena_is_full(session->arena)) {
			session_reply(session, "421 4.3.1 too much for one session");
			step = END_SESSION;
		} else {
			step = session->step(session);
		}
		if (step == END_SESSION && !session_may_end(session))
			step = session->step(session);
	}
	if (step == END_SESSION) {
		arena_free(session->arena);
		return;
	}
	conn_flush(session->front);
	if (session->backend != NULL)
		backend_flush(session->backend);
}

/* One line for a session that brought no message and no refusal; those have their record. */
static void
session_log_end(const struct session *session)
{
	const struct transaction *t = session->mail;
	char helo[128];

	if (session->front == NULL || (session->has_record && t == NULL))
		return;
	log_line(LEVEL_INFO, "session", "%s left %s (helo %s, %u errors)", session->client.text,
	    t == NULL          ? "without a message"
		: t->taken > 0 ? "before the end of a message"
			       : "without a recipient",
	    session->client.helo == NULL
		? "none"
		: log_printable(helo, sizeof(helo), slice_of(session->client.helo)),
	    session->errors);
}

static void
session_undo(void *arg)
{
	struct session *session = arg;
	struct worker *worker = session->worker;

	session_log_end(session);
	session_end_mail(session);
	if (session->backend != NULL)
		backend_free(session->backend);
	ev_timer_stop(worker->loop, &session->timer);
	*session->link = session->next;
	if (session->next != NULL)
		session->next->link = session->link;
	atomic_fetch_sub(&worker->shared->sessions, 1);
	atomic_fetch_sub(&worker->shared->clients[session->place], 1);
	if (worker->is_ending && worker->sessions == NULL)
		ev_break(worker->loop, EVBREAK_ALL);
}

static void
session_join(struct session *session)
{
	struct worker *worker = session->worker;

	session->next = worker->sessions;
	session->link = &worker->sessions;
	if (session->next != NULL)
		session->next->link = &session->next;
	worker->sessions = session;
	atomic_fetch_add(&worker->shared->sessions, 1);
	atomic_fetch_add(&worker->shared->sessions_total, 1);
	atomic_fetch_add(&worker->shared->clients[session->place], 1);
}

struct session *
session_make(struct worker *worker, const struct config_listen *listen, const struct sockaddr *peer,
    task_function run, void *arg)
{
	struct arena *arena = arena_new(ARENA_MOST);
	struct session *session = arena_alloc(arena, sizeof(*session));
	char text[IP_TEXT_MOST];

	*session = (struct session) {
		.worker = worker, .arena = arena, .listen = listen, .step = greeting
	};
	ip_from_sockaddr(&session->client.ip, peer);
	session->client.port = ip_port(peer);
	session->client.text = arena_strdup(arena, ip_text(text, &session->client.ip));
	session->client.listener = listen->address;
	session->place = shared_place(worker->all, session->client.ip);
	session->client.unknown = recipients_harvest(worker, session->client.ip);
	session->client.is_harvester = worker->config->limits.harvest > 0 &&
	    session->client.unknown >= worker->config->limits.harvest;
	ev_timer_init(&session->timer, session_on_timer, 0, 0);
	session->timer.data = session;

	session_join(session);
	task_init(&session->task, arena, &worker->tasks, run, arg != NULL ? arg : session);
	session->dns = dns_new(arena, worker->dns, &session->task);
	session->connection =
	    scope_new(arena, session->dns, NULL, SCOPE_CONNECTION, &worker->config->pipeline);
	scope_set_host(session->connection, &worker->filters, &session->task);
	session->connection->mail.client = &session->client;
	arena_defer(arena, session_undo, session);
	return session;
}

void
session_new(
    struct worker *worker, int fd, const struct config_listen *listen, const struct sockaddr *peer)
{
	struct session *session = session_make(worker, listen, peer, session_run, NULL);

	session->front = conn_new(session->arena, worker->loop, fd, &session->task);
	conn_limit_input(session->front, SESSION_INPUT);
	/* At once: what has come already is the handshake's, and must not be read as plain text. */
	if (listen->tls.value == LISTEN_TLS_IMPLICIT) {
		conn_tls_accept(session->front, tls_server_context(worker->config->tls_server));
		session->step = starttls_handshake;
	}
	task_wake(&session->task);
}

void
session_wake_all(struct worker *worker)
{
	for (struct session *session = worker->sessions; session != NULL; session = session->next)
		task_wake(&session->task);
	if (worker->is_ending && worker->sessions == NULL)
		ev_break(worker->loop, EVBREAK_ALL);
}
