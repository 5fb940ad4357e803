#include "proxy/starttls.h"

#include "lib/log.h"
#include "proxy/backend.h"
#include "proxy/greeting.h"

static enum step
starttls_begin(struct session *session)
{
	if (conn_queued(session->front) > 0) {
		conn_flush(session->front);
		if (conn_queued(session->front) > 0)
			return session_is_deserted(session) ? END_SESSION : WAIT;
	}
	/* What was typed before the handshake is nobody's command (RFC 3207 4.2). */
	conn_discard(session->front);
	session->line = (struct smtp_line) { 0 };
	conn_tls_accept(session->front, tls_server_context(session->worker->config->tls_server));
	session->step = starttls_handshake;
	return NEXT;
}

void
starttls_start(struct session *session)
{
	session_reset(session);
	if (session->is_tied && session->backend != NULL) {
		backend_free(session->backend);
		session->backend = NULL;
		session->is_tied = false;
	}
	session->client.user = NULL;
	session->client.helo = NULL;
	session->step = starttls_begin;
}

enum step
starttls_handshake(struct session *session)
{
	bool is_implicit = session->listen->tls.value == LISTEN_TLS_IMPLICIT;

	session_await(session, session->worker->config->timeouts.tls);
	switch (conn_state(session->front)) {
	case CONN_HANDSHAKE:
	case CONN_CONNECTING:
		return session->is_late ? END_SESSION : WAIT;
	case CONN_CLOSED:
	case CONN_BROKEN:
		log_line(LEVEL_INFO, "tls", "%s: handshake failed: %s", session->client.text,
		    session->is_late ? "too slow" : conn_why(session->front));
		return END_SESSION;
	case CONN_OPEN:
		break;
	}
	session_arrived(session);
	session->client.tls = arena_strdup(session->arena, conn_tls_version(session->front));
	session->client.cipher = arena_strdup(session->arena, conn_tls_cipher(session->front));
	session->step = is_implicit ? greeting : session_command;
	return NEXT;
}
