/*
 * sink_session: one client of the sink, from its connection to its end.
 *
 * As in the proxy, a session is a task that goes from step to step; a step that must wait has
 * changed nothing and is entered again; the end is arena_free(), called by the session's own
 * run only (and by the sink when it ends). What a message needs lives in an arena of its own,
 * so a session may carry any number of them.
 */
#pragma once

#include "lib/conn.h"
#include "lib/smtp.h"
#include "lib/unframe.h"
#include "proxy/maildir.h"
#include "proxy/sink_options.h"

enum { SINK_SESSIONS_MOST = 4000, SINK_RECIPIENTS_MOST = 1000, SINK_ERRORS_MOST = 20 };

/* END: what is queued is still sent. */
enum sink_step { SINK_NEXT, SINK_WAIT, SINK_END };

struct sink {
	struct arena *arena;
	struct ev_loop *loop;
	struct task_queue tasks;
	struct sink_options options;
	struct tls_server *tls; /* NULL: none */
	struct maildir maildir;
	struct sink_session *sessions; /* the living ones */
	unsigned count;
	int fd;
	ev_io io;
	ev_timer pause;
	ev_signal signals[2];
};

struct sink_session {
	struct sink_session *next, **link; /* in the sink's list */
	struct sink *sink;
	struct arena *arena;
	struct task task;
	struct conn *front;
	enum sink_step (*step)(struct sink_session *session);
	ev_timer timer;
	bool is_late; /* the client said nothing for --idle */
	struct smtp_line line;
	struct sink_mail *mail; /* NULL: no transaction */
	const char *tls;        /* "TLSv1.3"; NULL: plain */
	bool has_hello;
	unsigned errors;
};

/* Takes over fd (nonblocking, connected). */
void sink_session_new(struct sink *sink, int fd);

/* Says 421 and ends it at once. */
void sink_session_stop(struct sink_session *session);

/* The step that reads the next command. */
enum sink_step sink_session_command(struct sink_session *session);

/* Queue a reply: "250 2.0.0 text", without CRLF. */
void sink_session_reply(struct sink_session *session, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same, and the session is over; the client has some time to read it. */
enum sink_step sink_session_say_end(struct sink_session *session, const char *reply);

/* A bad command: reply; too many of them end the session. */
enum sink_step sink_session_error(struct sink_session *session, const char *reply);
enum sink_step sink_session_fault(struct sink_session *session, const struct smtp_fault *fault);

/* We wait for the client: WAIT, or, when it has been silent for too long, its 421; END if it
 * has left. It has come: the waiting is over. */
enum sink_step sink_session_await(struct sink_session *session);
void sink_session_arrived(struct sink_session *session);

/* TLS begins as soon as what is queued has left; knowledge from before is forgotten. */
void sink_session_start_tls(struct sink_session *session);
