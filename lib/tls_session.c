#include "lib/tls_session.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>

static struct tls_gate tls_session_servers, tls_session_clients;

void
tls_session_limit(unsigned servers, unsigned clients)
{
	tls_gate_init(&tls_session_servers, servers);
	tls_gate_init(&tls_session_clients, clients);
}

static struct tls_gate *
tls_session_gate(const struct tls_session *session)
{
	if (tls_session_servers.most == 0)
		tls_session_limit(TLS_SERVER_HANDSHAKES, TLS_CLIENT_HANDSHAKES);
	return session->peer != NULL ? &tls_session_clients : &tls_session_servers;
}

static void
tls_session_undo(void *arg)
{
	tls_session_end(arg);
}

struct tls_session *
tls_session_new(struct arena *arena, SSL_CTX *context, int fd)
{
	struct tls_session *session = arena_alloc(arena, sizeof(*session));

	SSL_CTX_up_ref(context);
	session->context = context;
	arena_defer(arena, tls_session_undo, session);
	session->arena = arena;
	session->fd = fd;
	session->verified = -1;
	session->waits_shake = EV_READ;
	session->waits_read = EV_READ;
	session->waits_write = EV_WRITE;
	return session;
}

/* With a record half written, close_notify would wait behind it. A second SSL_shutdown() would
 * begin to wait for the peer's. */
void
tls_session_say_end(struct tls_session *session)
{
	ERR_clear_error();
	if (session->is_open && !session->is_dead && !session->is_writing &&
	    (SSL_get_shutdown(session->ssl) & SSL_SENT_SHUTDOWN) == 0)
		SSL_shutdown(session->ssl);
	ERR_clear_error();
}

void
tls_session_end(struct tls_session *session)
{
	tls_session_say_end(session);
	SSL_free(session->ssl);
	SSL_CTX_free(session->context);
	ERR_clear_error();
	session->ssl = NULL;
	session->context = NULL;
	session->is_dead = true;
	tls_gate_leave(&session->place);
}

static long
tls_session_on_bio(BIO *bio, int operation, const char *bytes, size_t length, int argi, long argl,
    int result, size_t *processed)
{
	struct tls_session *session = (struct tls_session *)BIO_get_callback_arg(bio);

	(void)bytes, (void)length, (void)argi, (void)argl, (void)processed;
	if (operation != BIO_CB_READ)
		return result;
	if (session->reads == TLS_SESSION_READS) {
		BIO_set_retry_read(bio);
		return -1;
	}
	session->reads++;
	return result;
}

void
tls_session_turn(struct tls_session *session)
{
	session->reads = 0;
}

static bool
tls_session_is_address(const char *name)
{
	struct in6_addr address;

	return inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1;
}

/* The name is always compared, so that the outcome is known also where it does not matter. A
 * dot at its end would make the comparison fail; an address must not be sent as SNI. */
static bool
tls_session_set_peer(struct tls_session *session)
{
	size_t length = strlen(session->peer);

	if (length > 0 && session->peer[length - 1] == '.')
		length--;

	const char *name = arena_copy(session->arena, (struct slice) { session->peer, length });

	if (session->must_verify)
		SSL_set_verify(session->ssl, SSL_VERIFY_PEER, NULL);
	SSL_set_hostflags(session->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (length == 0)
		return !session->must_verify;
	if (!tls_session_is_address(name) && !SSL_set_tlsext_host_name(session->ssl, name))
		return false;
	return SSL_set1_host(session->ssl, name) == 1;
}

static bool
tls_session_begin(struct tls_session *session)
{
	session->ssl = SSL_new(session->context);
	if (session->ssl == NULL || SSL_set_fd(session->ssl, session->fd) != 1)
		return false;

	BIO *bio = SSL_get_rbio(session->ssl);

	BIO_set_callback_arg(bio, (char *)session);
	BIO_set_callback_ex(bio, tls_session_on_bio);
	if (session->peer == NULL) {
		SSL_set_accept_state(session->ssl);
		return true;
	}
	SSL_set_connect_state(session->ssl);
	return tls_session_set_peer(session);
}

/* The oldest entry of OpenSSL's queue is the cause, what follows are its consequences. */
static enum io_outcome
tls_session_break(struct tls_session *session, int error)
{
	unsigned long code = ERR_peek_error();
	const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;

	if (reason == NULL)
		reason = error != 0 ? strerror(error) : "the peer has gone";
	if (ERR_GET_LIB(code) == ERR_LIB_SSL &&
	    ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED)
		reason = X509_verify_cert_error_string(SSL_get_verify_result(session->ssl));
	snprintf(session->why, sizeof(session->why), "TLS: %s", reason);
	ERR_clear_error();
	session->is_dead = true;
	return IO_BROKEN;
}

/* The one place that knows OpenSSL's answers. */
static enum io_outcome
tls_session_outcome(struct tls_session *session, int result, unsigned char *waits)
{
	int saved = errno;

	switch (SSL_get_error(session->ssl, result)) {
	case SSL_ERROR_NONE:
		return IO_DONE;
	case SSL_ERROR_WANT_READ:
		*waits = EV_READ;
		return IO_WAIT;
	case SSL_ERROR_WANT_WRITE:
		*waits = EV_WRITE;
		return IO_WAIT;
	case SSL_ERROR_ZERO_RETURN:
		return IO_CLOSED;
	}
	return tls_session_break(session, saved);
}

/* A server that does not ask for certificates has checked nothing. */
static void
tls_session_learn(struct tls_session *session)
{
	const char *name = SSL_get_servername(session->ssl, TLSEXT_NAMETYPE_host_name);

	session->version = SSL_get_version(session->ssl);
	session->cipher = SSL_CIPHER_get_name(SSL_get_current_cipher(session->ssl));
	if (session->peer == NULL && name != NULL)
		session->server_name = arena_strdup(session->arena, name);
	if (session->peer != NULL)
		session->verified = SSL_get_verify_result(session->ssl);
}

enum io_outcome
tls_session_shake(struct tls_session *session, struct ev_loop *loop, struct task *task)
{
	assert(!session->is_dead && !session->is_open);
	if (!tls_gate_enter(tls_session_gate(session), &session->place, loop, task)) {
		session->waits_shake = 0;
		return IO_WAIT;
	}
	ERR_clear_error();
	errno = 0;
	if (session->ssl == NULL && !tls_session_begin(session))
		return tls_session_break(session, ENOMEM);

	int result = SSL_do_handshake(session->ssl);
	enum io_outcome outcome = tls_session_outcome(session, result, &session->waits_shake);

	if (outcome == IO_WAIT)
		return IO_WAIT;
	if (outcome == IO_DONE) {
		tls_session_learn(session);
		session->is_open = true;
	} else if (SSL_get_verify_result(session->ssl) != X509_V_OK) {
		session->verified = SSL_get_verify_result(session->ssl);
	}
	if (outcome == IO_CLOSED)
		outcome = tls_session_break(session, 0);
	tls_gate_leave(&session->place);
	return outcome;
}

enum io_outcome
tls_session_read(struct tls_session *session, char *room, size_t size, size_t *count)
{
	assert(session->is_open && !session->is_dead && size > 0);
	ERR_clear_error();
	errno = 0;
	session->waits_read = EV_READ;
	return tls_session_outcome(
	    session, SSL_read_ex(session->ssl, room, size, count), &session->waits_read);
}

enum io_outcome
tls_session_write(struct tls_session *session, struct slice bytes, size_t *count)
{
	assert(session->is_open && !session->is_dead && bytes.length > 0);
	ERR_clear_error();
	errno = 0;
	session->waits_write = EV_WRITE;

	int result = SSL_write_ex(session->ssl, bytes.data, bytes.length, count);
	enum io_outcome outcome = tls_session_outcome(session, result, &session->waits_write);

	session->is_writing = outcome == IO_WAIT;
	return outcome == IO_CLOSED ? tls_session_break(session, 0) : outcome;
}

bool
tls_session_has_pending(const struct tls_session *session)
{
	return session->ssl != NULL && !session->is_dead && SSL_has_pending(session->ssl) == 1;
}
