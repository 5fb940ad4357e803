/*
 * backend: the session with the mail server behind us.
 *
 * backend_open() leads it, asked again and again, through connection, greeting, EHLO and (by
 * the configuration) STARTTLS to where commands may be said; servers are tried in their
 * order, those that failed of late last. Then backend_say() says a command, and
 * backend_hear() gives the replies in their order.
 *
 * Whatever is not as it must be (an answer nobody asked for, a line that is no reply, a
 * limit of time passed, the connection gone) ends the session: it is lost, and stays so.
 * Its owner then makes a new one or tells the client backend_fault(), always a 4yz. Octets
 * of a reply that come before its command was said can thus never be taken for its answer.
 *
 * It has its own arena and events; they only wake the owner's task. The owner calls
 * backend_pull() first in each run and backend_flush() before it waits.
 */
#pragma once

#include "lib/conn.h"
#include "lib/smtp_extension.h"
#include "proxy/worker.h"

struct backend;

struct backend *backend_new(struct worker *worker, struct task *task);

/* Says QUIT where the session is at rest, does not wait for the answer, and is gone. */
void backend_free(struct backend *backend);

void backend_pull(struct backend *backend);
void backend_flush(struct backend *backend);

/* NEXT: commands may be said. END_SESSION: lost. */
enum step backend_open(struct backend *backend);

bool backend_is_open(const struct backend *backend); /* and not lost */
bool backend_is_lost(const struct backend *backend);
bool backend_was_open(const struct backend *backend);     /* at any time */
double backend_lost_at(const struct backend *backend);    /* clock_seconds() */
const char *backend_fault(const struct backend *backend); /* a reply: "451 4.4.1 ..." */

/* One command, CRLF and all; a reply is owed then, within the limit from the last say. */
void backend_say(struct backend *backend, struct slice command, struct seconds limit);

/* The next reply that is owed, its lines in the arena (the same one when asked again).
 * END_SESSION: lost. After a 421 the session is lost as well, but the reply is given. */
enum step backend_hear(struct backend *backend, struct arena *arena, const struct reply **reply);

/*
 * For the text of a message, between 354 and the final dot: the connection to write to. What
 * comes from the backend now was not asked for: backend_is_quiet() says false, and the
 * session is to be dropped. The limit of time starts anew with each backend_progress().
 */
struct conn *backend_conn(struct backend *backend);
bool backend_is_quiet(const struct backend *backend);
void backend_progress(struct backend *backend, struct seconds limit);
void backend_owes(struct backend *backend, struct seconds limit); /* the answer to the dot */
bool backend_is_late(const struct backend *backend);

/* It is of no use any more. why: for the log and the client, static or in its arena. */
void backend_drop(struct backend *backend, const char *why);

const struct smtp_ehlo *backend_ehlo(const struct backend *backend);
const char *backend_name(const struct backend *backend); /* "exchange:25" */
const char *backend_tls(const struct backend *backend);  /* "TLSv1.3"; NULL: plain */
