/*
 * conn: one peer's connection, plain or TLS, with bounded buffers in both directions.
 *
 * Its events only wake the task. The task calls conn_pull() first in each run: it sends
 * what waits, takes in what has come (up to the input limit) and carries a handshake on.
 * So a peer that leaves is noticed also while the session waits for something else.
 *
 * Input is borrowed: conn_input() shows what is there, conn_take() drops what was used.
 * While the input is full nothing more is read (back-pressure by TCP); the watcher is
 * stopped, so the loop does not spin. conn_take() starts reading again; where TLS still
 * holds bytes of its own it wakes the task.
 *
 * Output is queued by conn_write() and leaves in one write with conn_flush(), which the
 * task calls once before it waits (RFC 2920: replies to a group leave together). What the
 * socket does not take is kept and sent when it is writable. conn_room() says how much may
 * be queued before the owner should wait; small replies may go beyond it, and a peer that
 * lets CONN_OUTPUT_MOST pile up is broken off (it sends commands and does not read).
 *
 * Buffers exist only while they hold something, so an idle connection costs only its
 * struct. TLS uses the descriptor itself (no memory BIOs): what plain reading took can
 * never reach TLS (RFC 3207 4.2). The SSL object is made when the first byte of the peer's
 * handshake can be read, for one that waits in a handshake is dear.
 *
 * Everything is undone with the arena: watchers stopped, close_notify sent where possible
 * without waiting, the socket closed.
 */
#pragma once

#include <ev.h>
#include <openssl/ssl.h>

#include "lib/slice.h"
#include "lib/task.h"

enum {
	CONN_INPUT_LEAST = 4096,      /* default input limit: command lines */
	CONN_INPUT_MOST = 64 * 1024,  /* for message text */
	CONN_ROOM = 128 * 1024,       /* output that may be queued before the owner waits */
	CONN_OUTPUT_MOST = 256 * 1024 /* a peer that lets this pile up is broken off */
};

enum conn_state {
	CONN_CONNECTING, /* conn_connect() is under way */
	CONN_OPEN,       /* plain, or TLS after its handshake */
	CONN_HANDSHAKE,  /* TLS handshake under way */
	CONN_CLOSED,     /* the peer has ended its side; input may be left to read */
	CONN_BROKEN      /* reset, failed handshake, cannot connect: see conn_why() */
};

struct conn;

/* Takes over the connected, nonblocking fd; it is closed with the arena. */
struct conn *conn_new(struct arena *arena, struct ev_loop *loop, int fd, struct task *task);

/* Begins to connect to address; source: bind to it first, or NULL. Never returns NULL: what
 * fails at once is CONN_BROKEN with a reason. TCP_NODELAY is set by both. */
struct sockaddr;
struct conn *conn_connect(struct arena *arena, struct ev_loop *loop, const struct sockaddr *address,
    const struct sockaddr *source, struct task *task);

/* Is it CONN_BROKEN because the queue of the peer's (Unix) socket was full? Another try may
 * succeed in a moment. */
bool conn_was_busy(const struct conn *conn);

/* Ends the connection before its arena does: flushes nothing, closes the descriptor. May be
 * called twice; afterwards the state is CONN_BROKEN. */
void conn_close(struct conn *conn);

void conn_pull(struct conn *conn);

/* Takes in what has come since, of which the loop has not told yet, and sends nothing. */
void conn_look(struct conn *conn);
enum conn_state conn_state(const struct conn *conn);
const char *conn_why(const struct conn *conn); /* "" or the reason, one line of plain text */

/* 1 ... CONN_INPUT_MOST; lowering it keeps what has been read. Set before the first
 * conn_pull() it leaves what is beyond (a handshake behind a PROXY line) in the socket. */
void conn_limit_input(struct conn *conn, size_t limit);

/* Valid until the next pull, take, discard or close of conn. */
struct slice conn_input(const struct conn *conn);
bool conn_input_is_full(const struct conn *conn);
void conn_take(struct conn *conn, size_t count);
size_t conn_discard(struct conn *conn); /* drops all input; how much it was */

size_t conn_room(const struct conn *conn);   /* CONN_ROOM less what is queued, or 0 */
size_t conn_queued(const struct conn *conn); /* 0: all has been handed to the kernel */
void conn_write(struct conn *conn, struct slice bytes);
void conn_print(struct conn *conn, const char *format, ...) __attribute__((format(printf, 2, 3)));
void conn_flush(struct conn *conn);

/* No more output after this: when all that is queued has left, says close_notify and shuts
 * our direction down. What the peer still sends can be read, until it closes (CONN_CLOSED); then the owner ends it all. */
void conn_finish(struct conn *conn);

/* Bytes taken in and handed out so far (plain text side); for progress and records. */
uint64_t conn_bytes_in(const struct conn *conn);
uint64_t conn_bytes_out(const struct conn *conn);

/*
 * Start TLS on an open plain connection whose output is empty (conn_queued() == 0). Input
 * still there must have been discarded by the caller; it is asserted. Then the state is
 * CONN_HANDSHAKE until the task's conn_pull() ends it in CONN_OPEN or CONN_BROKEN.
 * The context is borrowed and counted (SSL_CTX_up_ref), so a reload cannot take it away.
 *
 * accept: as a server. connect: as a client to `name`, a host name or address text, used for
 * SNI (never for an address) and for the check of the certificate; verify: the handshake
 * fails unless the chain and the name hold; otherwise the outcome of the check is only kept.
 */
void conn_tls_accept(struct conn *conn, SSL_CTX *context);
void conn_tls_connect(struct conn *conn, SSL_CTX *context, const char *name, bool verify);

/* After a handshake: "TLSv1.3", "TLS_AES_256_GCM_SHA384", the SNI (server side) or NULL,
 * X509_V_OK or what the check found. NULL / -1 for a plain connection. */
const char *conn_tls_version(const struct conn *conn);
const char *conn_tls_cipher(const struct conn *conn);
const char *conn_tls_server_name(const struct conn *conn);
long conn_tls_verified(const struct conn *conn);
