#include "lib/conn_private.h"

#include <assert.h>

void
conn_tls_shake(struct conn *conn)
{
	if (!conn->is_readable)
		return;
	switch (tls_session_shake(conn->tls, conn->loop, conn->task)) {
	case IO_DONE:
		conn->state = CONN_OPEN;
		break;
	case IO_WAIT:
		conn->is_readable = conn->tls->waits_shake == 0;
		break;
	case IO_CLOSED:
	case IO_BROKEN:
		conn_end(conn, conn->tls->why);
		break;
	}
}

/* A peer that has left meanwhile is no bug of the caller's. */
static void
conn_tls_start(struct conn *conn, SSL_CTX *context, const char *peer, bool verify)
{
	assert(conn->tls == NULL && conn->state != CONN_CONNECTING);
	if (conn->state == CONN_CLOSED)
		conn_end(conn, "TLS: the peer has gone");
	if (conn->state != CONN_OPEN)
		return;
	assert(conn->output.length == 0 && intake_slice(&conn->input).length == 0);
	conn->tls = tls_session_new(conn->arena, context, conn->io.fd);
	conn->tls->peer = peer;
	conn->tls->must_verify = verify;
	conn->state = CONN_HANDSHAKE;
	conn->is_readable = peer != NULL; /* the client speaks first */
	if (peer != NULL)
		task_wake(conn->task);
	conn_watch(conn);
}

void
conn_tls_accept(struct conn *conn, SSL_CTX *context)
{
	conn_tls_start(conn, context, NULL, false);
}

void
conn_tls_connect(struct conn *conn, SSL_CTX *context, const char *name, bool verify)
{
	conn_tls_start(conn, context, arena_strdup(conn->arena, name), verify);
}

const char *
conn_tls_version(const struct conn *conn)
{
	return conn->tls != NULL ? conn->tls->version : NULL;
}

const char *
conn_tls_cipher(const struct conn *conn)
{
	return conn->tls != NULL ? conn->tls->cipher : NULL;
}

const char *
conn_tls_server_name(const struct conn *conn)
{
	return conn->tls != NULL ? conn->tls->server_name : NULL;
}

long
conn_tls_verified(const struct conn *conn)
{
	return conn->tls != NULL ? conn->tls->verified : -1;
}
