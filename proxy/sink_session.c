#include "proxy/sink_session.h"

#include <stdarg.h>
#include <stdio.h>

#include "lib/log.h"
#include "lib/tls.h"
#include "proxy/sink_command.h"
#include "proxy/sink_mail.h"

/* A session needs a few KiB and nothing that grows; how long a client may read our last reply. */
enum { ARENA_MOST = 64 * 1024, LINGER = 5 };

static enum sink_step sink_session_linger(struct sink_session *session);

void
sink_session_reply(struct sink_session *session, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	conn_print(session->front, "%s\r\n", text);
}

enum sink_step
sink_session_say_end(struct sink_session *session, const char *reply)
{
	sink_session_reply(session, "%s", reply);
	sink_mail_end(session);
	sink_session_arrived(session);
	if (conn_state(session->front) != CONN_OPEN)
		return SINK_END;
	conn_finish(session->front);
	session->step = sink_session_linger;
	return SINK_NEXT;
}

enum sink_step
sink_session_error(struct sink_session *session, const char *reply)
{
	sink_session_reply(session, "%s", reply);
	if (++session->errors < SINK_ERRORS_MOST)
		return SINK_NEXT;
	return sink_session_say_end(session, "421 4.7.0 too many errors");
}

enum sink_step
sink_session_fault(struct sink_session *session, const struct smtp_fault *fault)
{
	char reply[SMTP_FAULT_MOST];

	return sink_session_error(session, smtp_fault_format(reply, fault));
}

/* ---- waiting ---- */

static void
sink_session_on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct sink_session *session = timer->data;

	(void)loop, (void)events;
	session->is_late = true;
	task_wake(&session->task);
}

static void
sink_session_set_timer(struct sink_session *session, double seconds)
{
	if (ev_is_active(&session->timer) || session->is_late)
		return;
	ev_timer_set(&session->timer, seconds, 0);
	ev_timer_start(session->sink->loop, &session->timer);
}

void
sink_session_arrived(struct sink_session *session)
{
	ev_timer_stop(session->sink->loop, &session->timer);
	session->is_late = false;
}

enum sink_step
sink_session_await(struct sink_session *session)
{
	if (conn_state(session->front) != CONN_OPEN)
		return SINK_END;
	sink_session_set_timer(session, session->sink->options.idle);
	if (!session->is_late)
		return SINK_WAIT;
	return sink_session_say_end(session, "421 4.4.2 nothing came in time, closing");
}

/* The client may still be sending: closing at once would reset what it has not read yet. */
static enum sink_step
sink_session_linger(struct sink_session *session)
{
	conn_discard(session->front);
	sink_session_set_timer(session, LINGER);
	return session->is_late || conn_state(session->front) != CONN_OPEN ? SINK_END : SINK_WAIT;
}

/* ---- the steps ---- */

enum sink_step
sink_session_command(struct sink_session *session)
{
	struct slice line;
	size_t used = 0;
	enum sink_step step = SINK_NEXT;

	switch (smtp_line_find(
	    &session->line, conn_input(session->front), SMTP_COMMAND_MOST, &line, &used)) {
	case SMTP_LINE_NONE:
		conn_take(session->front, used);
		return sink_session_await(session);
	case SMTP_LINE_HAS:
		step = sink_command_run(session, line);
		break;
	case SMTP_LINE_TOO_LONG:
		step = sink_session_fault(session, &smtp_fault_long_line);
		break;
	case SMTP_LINE_BARE_NEWLINE:
		step = sink_session_fault(session, &smtp_fault_bare_newline);
		break;
	}
	conn_take(session->front, used);
	sink_session_arrived(session);
	return step;
}

static enum sink_step
sink_session_greet(struct sink_session *session)
{
	if (session->sink->count > SINK_SESSIONS_MOST)
		return sink_session_say_end(session, "421 4.3.2 too many sessions");
	sink_session_reply(session, "220 %s ESMTP postern sink", session->sink->options.hostname);
	session->step = sink_session_command;
	return SINK_NEXT;
}

static enum sink_step
sink_session_handshake(struct sink_session *session)
{
	switch (conn_state(session->front)) {
	case CONN_HANDSHAKE:
	case CONN_CONNECTING:
		sink_session_set_timer(session, session->sink->options.idle);
		return session->is_late ? SINK_END : SINK_WAIT;
	case CONN_CLOSED:
	case CONN_BROKEN:
		log_line(LEVEL_INFO, "tls", "handshake failed: %s", conn_why(session->front));
		return SINK_END;
	case CONN_OPEN:
		break;
	}
	sink_session_arrived(session);
	session->tls = arena_strdup(session->arena, conn_tls_version(session->front));
	session->step = sink_session_command;
	return SINK_NEXT;
}

/* What was typed before the handshake is nobody's command (RFC 3207 4.2). */
static enum sink_step
sink_session_begin_tls(struct sink_session *session)
{
	conn_flush(session->front);
	if (conn_queued(session->front) > 0)
		return sink_session_await(session);
	sink_session_arrived(session);
	conn_discard(session->front);
	session->line = (struct smtp_line) { 0 };
	conn_tls_accept(session->front, tls_server_context(session->sink->tls));
	session->step = sink_session_handshake;
	return SINK_NEXT;
}

void
sink_session_start_tls(struct sink_session *session)
{
	session->has_hello = false;
	session->step = sink_session_begin_tls;
}

/* ---- begin and end ---- */

/* Over, but what was said has not yet left: the client still has some time. */
static bool
sink_session_may_end(struct sink_session *session)
{
	conn_flush(session->front);
	if (session->step == sink_session_linger || conn_state(session->front) != CONN_OPEN ||
	    conn_queued(session->front) == 0)
		return true;
	sink_session_arrived(session);
	conn_finish(session->front);
	session->step = sink_session_linger;
	return false;
}

static void
sink_session_run(void *arg)
{
	struct sink_session *session = arg;
	enum sink_step step = SINK_NEXT;

	conn_pull(session->front);
	while (step == SINK_NEXT) {
		step =
		    conn_state(session->front) == CONN_BROKEN ? SINK_END : session->step(session);
		if (step == SINK_END && !sink_session_may_end(session))
			step = SINK_NEXT;
	}
	if (step == SINK_END)
		arena_free(session->arena);
	else
		conn_flush(session->front);
}

void
sink_session_stop(struct sink_session *session)
{
	sink_session_reply(session, "421 4.3.2 closing");
	conn_flush(session->front);
	arena_free(session->arena);
}

static void
sink_session_undo(void *arg)
{
	struct sink_session *session = arg;

	sink_mail_end(session);
	ev_timer_stop(session->sink->loop, &session->timer);
	*session->link = session->next;
	if (session->next != NULL)
		session->next->link = session->link;
	session->sink->count--;
}

static void
sink_session_join(struct sink_session *session)
{
	struct sink *sink = session->sink;

	session->next = sink->sessions;
	session->link = &sink->sessions;
	if (session->next != NULL)
		session->next->link = &session->next;
	sink->sessions = session;
	sink->count++;
}

void
sink_session_new(struct sink *sink, int fd)
{
	struct arena *arena = arena_new(ARENA_MOST);
	struct sink_session *session = arena_alloc(arena, sizeof(*session));

	*session =
	    (struct sink_session) { .sink = sink, .arena = arena, .step = sink_session_greet };
	sink_session_join(session);
	ev_timer_init(&session->timer, sink_session_on_timer, 0, 0);
	session->timer.data = session;
	task_init(&session->task, arena, &sink->tasks, sink_session_run, session);
	session->front = conn_new(arena, sink->loop, fd, &session->task);
	arena_defer(arena, sink_session_undo, session);
	task_wake(&session->task);
}
