/*
 * tls_session: TLS on one descriptor, for conn.
 *
 * The SSL object is made by the first tls_session_shake(), for one that waits for its
 * peer's first byte holds 55 KB. The SSL uses the descriptor itself. All calls leave
 * OpenSSL's error queue empty, and none waits.
 *
 * What a call gives IO_WAIT for stands in waits_shake, waits_read, waits_write: the events
 * of the loop after which it should be made again; 0: the task will be woken (a handshake
 * that waits for its place, see tls_gate). After IO_BROKEN only the end may follow.
 *
 * Fairness: between two tls_session_turn() OpenSSL gets TLS_SESSION_READS read(2) of about 16 KiB
 * of the descriptor, then it is told that there is no more. So no peer holds the loop with
 * bytes that are no data, such as key updates without end.
 *
 * It ends with its arena, before that with tls_session_end(): close_notify is sent if that
 * can be done without waiting. The descriptor stays open. What the handshake brought
 * (version ... verified) stays readable.
 */
#pragma once

#include <openssl/ssl.h>

#include "lib/socket.h"
#include "lib/tls_gate.h"

enum {
	TLS_SERVER_HANDSHAKES = 256, /* at once, in a worker */
	TLS_CLIENT_HANDSHAKES = 256,
	TLS_SESSION_READS = 4
};

struct tls_session {
	SSL *ssl;
	SSL_CTX *context;
	struct arena *arena;
	const char *peer; /* client: whom we want; NULL: we are the server */
	int fd;
	unsigned char waits_shake, waits_read, waits_write;
	bool must_verify, is_open, is_writing, is_dead;
	unsigned char reads; /* in this turn */
	struct tls_place place;

	/* Known when the handshake is done. */
	const char *version, *cipher, *server_name;
	long verified; /* -1: nothing was to be checked */
	char why[128];
};

/* The context is counted. As a client, set peer and must_verify before the first shake. */
struct tls_session *tls_session_new(struct arena *arena, SSL_CTX *context, int fd);
void tls_session_end(struct tls_session *session);

/* close_notify, if it can leave without waiting; reading goes on. */
void tls_session_say_end(struct tls_session *session);

void tls_session_turn(struct tls_session *session);
enum io_outcome
tls_session_shake(struct tls_session *session, struct ev_loop *loop, struct task *task);

/* IO_DONE: *count > 0 bytes were moved. */
enum io_outcome
tls_session_read(struct tls_session *session, char *room, size_t size, size_t *count);
enum io_outcome tls_session_write(struct tls_session *session, struct slice bytes, size_t *count);

/* Bytes that OpenSSL has taken from the descriptor and not yet given to us. */
bool tls_session_has_pending(const struct tls_session *session);

/* How many handshakes may be under way at once, in either role; for tests. */
void tls_session_limit(unsigned servers, unsigned clients);
