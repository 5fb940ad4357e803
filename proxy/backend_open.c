#include "proxy/backend_private.h"

#include "lib/log.h"

static enum step backend_greeting(struct backend *backend);
static enum step backend_hello(struct backend *backend);
static enum step backend_helo(struct backend *backend);
static enum step backend_starttls(struct backend *backend);
static enum step backend_handshake(struct backend *backend);

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

enum step
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

/*
 * The next reply in the opening: a server that does not give one is passed over, and NEXT
 * comes without a reply. What stands behind it was said before it was asked for, and is
 * nobody's answer (with STARTTLS an attack: RFC 3207 4.2).
 */
static enum step
backend_opening_reply(struct backend *backend, const struct reply **reply)
{
	const char *why = NULL;

	*reply = NULL;
	switch (backend_read(backend, backend->arena, reply, &why)) {
	case WAIT:
		return WAIT;
	case NEXT:
		if ((*reply)->code != 421 && backend_is_quiet(backend))
			return NEXT;
		why =
		    (*reply)->code == 421 ? "421: it is closing" : "it said more than it was asked";
		*reply = NULL;
		break;
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
