/*
 * session: one client, from its connection to its end.
 *
 * A session is a task that goes from step to step. A step is a function that returns
 *
 *	NEXT         done; go on with session->step, which it may have changed
 *	WAIT         an answer or input is missing, and nothing was changed: enter me again
 *	END_SESSION  the session is over; what is queued is still sent
 *
 * Events (input, an answer of DNS or of the backend, a timer) wake the task and do nothing
 * else. The session lives in its arena; its end is arena_free(), called from session_run()
 * and nowhere else: it closes the sockets, stops timers, forgets questions.
 */
#pragma once

#include "lib/conn.h"
#include "lib/smtp.h"
#include "proxy/worker.h"
#include "rules/record.h"

struct session;
struct transaction;
struct backend;

typedef enum step (*session_step)(struct session *session);

enum { SESSION_INPUT = 16 * 1024 }; /* of commands: AUTH has lines of 12288 (RFC 4954 4) */

enum auth_mechanism { AUTH_OTHER, AUTH_PLAIN, AUTH_LOGIN };

struct auth { /* of an AUTH exchange under way */
	enum auth_mechanism mechanism;
	const char *user;
	struct slice refusal; /* the mail server's answer, on its way to the client */
};

struct session {
	struct session *next, **link; /* in the worker's list */
	struct worker *worker;
	struct arena *arena;
	struct task task;
	struct conn *front;      /* to the client */
	struct backend *backend; /* to the mail server; NULL: not yet, or not any more */
	const struct config_listen *listen;
	struct client client;
	size_t place; /* in the table of sessions per client */
	struct dns *dns;
	struct scope *connection; /* facts about the client */
	struct scope *hello;      /* and its HELO; NULL: not said yet */
	struct transaction *mail; /* NULL: none under way */
	session_step step;
	ev_timer timer; /* how long what is awaited may take */
	bool is_late;   /* it took longer */
	bool is_slowed; /* by the tarpit */
	struct smtp_line line;
	size_t line_used; /* of the input: the present line */
	const struct smtp_fault *line_fault;
	struct auth auth;
	unsigned errors, refusals, messages;
	unsigned unknown;      /* recipients that the mail server does not know */
	const char *ban;       /* what became of a ban by a rule; NULL: there was none */
	bool has_record;       /* a message or refusal was recorded */
	bool is_tied;          /* to its backend session, by AUTH */
	bool is_backend_dirty; /* it was told of a transaction that is no more: RSET */
	bool lingers;          /* the client may still be sending: end softly */
};

/* Takes over fd (nonblocking, connected). */
void session_new(
    struct worker *worker, int fd, const struct config_listen *listen, const struct sockaddr *peer);

/* All of a session but its connection (front is NULL) and its first turn, and its task runs
 * run(arg), or (NULL) run(session): for who plays a session without a client (explain.h). */
struct session *session_make(struct worker *worker, const struct config_listen *listen,
    const struct sockaddr *peer, task_function run, void *arg);

/* HELO or EHLO was said: what was known of an older one is forgotten. */
void session_hello(struct session *session, struct slice name, bool is_esmtp);

/* The step that reads the next command. */
enum step session_command(struct session *session);

/* Queue a reply: "250 2.0.0 text", without CRLF; many: whole lines with CRLF. */
void session_reply(struct session *session, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A bad command: reply, and 421 after too many (END_SESSION then, else NEXT). */
enum step session_error(struct session *session, const char *reply);

/* Wakes all sessions of a worker; those without a message under way say 421 and end, if the
 * worker is_ending, and the loop is broken when the last one has gone. */
void session_wake_all(struct worker *worker);

/* We wait for the client, or for facts, no longer than this from now (if the wait has not
 * begun already): then the task is woken and is_late. It has come: the wait is over. */
void session_await(struct session *session, struct seconds limit);
void session_arrived(struct session *session);

enum step session_is_late(struct session *session); /* says 421 and ends it */

/* Has the client left, with nothing more of it to read? */
bool session_is_deserted(const struct session *session);

/*
 * The next line of the client's: NEXT with it, and it stays until session_line_done(); its
 * data is NULL where it was no good (session->line_fault). WAIT; END_SESSION: it has left.
 */
enum step session_line(struct session *session, size_t limit, struct slice *line);
void session_line_done(struct session *session);

/* The innermost scope: of the recipient, the transaction, the HELO or the connection. */
struct scope *session_scope(struct session *session);

/* The transaction is no more; the backend will be told before the next one. */
void session_end_mail(struct session *session);

/* Forget transaction and HELO (EHLO, STARTTLS). */
void session_reset(struct session *session);
