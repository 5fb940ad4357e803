#include "lib/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "lib/tls_certificate.h"
#include "lib/tls_ticket.h"

#define TLS_BUNDLE "/etc/ssl/certs/ca-certificates.crt"

/* A context and the names of its certificates. */
struct tls_host {
	SSL_CTX *context;
	const char *names;
	bool has_rsa, has_other;
};

struct tls_server {
	struct arena *arena;
	struct tls_host *hosts; /* the first is for who names none of them */
	size_t host_count;
	struct tls_certificate *certificates;
	size_t count;
	int least;
	const char *ciphers;
	const unsigned char *ticket_keys; /* while loading */
	const char *why;
};

/* The contexts for SNI, hung on the first one: a connection that holds that one may outlive
 * the arena in which they were made. */
struct tls_directory {
	size_t count;
	SSL_CTX *contexts[];
};

static int tls_directory_index = -1;

static void
tls_context_undo(void *arg)
{
	SSL_CTX_free(arg);
}

/*
 * What both roles have in common. Buffers are released when empty: that takes two thirds of an
 * idle session's memory away. Reading ahead saves a system call per record; with OpenSSL's own
 * size of buffer it is as fast as with a larger one, which a peer could make us hold by half a
 * record. X25519 and P-256 only, for a peer that asks for P-384 would cost us ten times as much.
 * Security level 0 where the administrator wants old peers: without it their versions fail all
 * the same.
 */
static SSL_CTX *
tls_context_new(struct arena *arena, const SSL_METHOD *method, int least)
{
	SSL_CTX *context = SSL_CTX_new(method);

	if (context == NULL)
		abort();
	arena_defer(arena, tls_context_undo, context);
	SSL_CTX_set_mode(context,
	    SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_options(context,
	    SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_read_ahead(context, 1);
	SSL_CTX_set_min_proto_version(context, least);
	SSL_CTX_set_max_proto_version(context, 0);
	if (least < TLS1_2_VERSION)
		SSL_CTX_set_security_level(context, 0);
	SSL_CTX_set1_groups_list(context, "X25519:P-256");
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	return context;
}

static SSL_CTX *
tls_server_make_context(struct tls_server *server)
{
	SSL_CTX *context = tls_context_new(server->arena, TLS_server_method(), server->least);
	static const unsigned char id[] = "postern";

	SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_session_id_context(context, id, sizeof(id) - 1);
	if (server->ticket_keys == NULL) {
		SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
		SSL_CTX_set_num_tickets(context, 0);
	} else {
		SSL_CTX_set_num_tickets(context, 1);
		if (!tls_ticket_use(context, server->ticket_keys))
			abort();
	}
	if (server->ciphers != NULL && SSL_CTX_set_cipher_list(context, server->ciphers) != 1) {
		server->why = arena_format(server->arena, "no cipher in \"%s\"", server->ciphers);
		ERR_clear_error();
		return NULL;
	}
	return context;
}

static struct tls_host *
tls_server_find_host(struct tls_server *server, const char *names)
{
	for (size_t i = 0; i < server->host_count; i++)
		if (strcmp(server->hosts[i].names, names) == 0)
			return &server->hosts[i];

	SSL_CTX *context = tls_server_make_context(server);

	if (context == NULL)
		return NULL;

	struct tls_host *host = &server->hosts[server->host_count++];

	*host = (struct tls_host) { .context = context, .names = names };
	return host;
}

static bool
tls_is_readable(struct arena *arena, const char *file, const char **why)
{
	FILE *stream = fopen(file, "re");

	if (stream != NULL)
		fclose(stream);
	else
		*why = arena_format(arena, "%s: %s", file, strerror(errno));
	return stream != NULL;
}

static bool
tls_server_use(
    struct tls_server *server, SSL_CTX *context, const struct tls_pair *pair, EVP_PKEY *key)
{
	ERR_clear_error();
	if (SSL_CTX_use_certificate_chain_file(context, pair->cert) != 1) {
		server->why = tls_certificate_fault(server->arena, pair->cert);
		return false;
	}
	if (SSL_CTX_use_PrivateKey(context, key) != 1 || SSL_CTX_check_private_key(context) != 1) {
		server->why = tls_certificate_fault(server->arena, pair->key);
		return false;
	}
	return true;
}

static bool
tls_server_load(struct tls_server *server, const struct tls_pair *pair)
{
	struct arena *arena = server->arena;
	X509 *certificate = tls_certificate_read(arena, pair->cert, &server->why);

	if (certificate == NULL)
		return false;

	EVP_PKEY *key = tls_certificate_read_key(arena, certificate, pair, &server->why);

	if (key == NULL)
		return false;

	struct tls_certificate *described = &server->certificates[server->count++];

	*described = tls_certificate_describe(arena, pair->cert, certificate);

	struct tls_host *host = tls_server_find_host(server, described->names);

	if (host == NULL)
		return false;

	bool is_rsa = strncmp(described->key_type, "rsa", 3) == 0;
	bool *has = is_rsa ? &host->has_rsa : &host->has_other;

	if (*has) {
		server->why = arena_format(arena,
		    "%s: another certificate before it has the same names"
		    " (%s) and kind of key",
		    pair->cert, described->names);
		return false;
	}
	*has = true;
	return tls_server_use(server, host->context, pair, key);
}

static void
tls_directory_on_free(
    void *context, void *value, CRYPTO_EX_DATA *data, int index, long number, void *arg)
{
	struct tls_directory *directory = value;

	(void)context, (void)data, (void)index, (void)number, (void)arg;
	for (size_t i = 0; directory != NULL && i < directory->count; i++)
		SSL_CTX_free(directory->contexts[i]);
	OPENSSL_free(directory);
}

static bool
tls_context_is_for(SSL_CTX *context, const char *name, unsigned flags)
{
	X509 *certificate = SSL_CTX_get0_certificate(context);

	return certificate != NULL && X509_check_host(certificate, name, 0, flags, NULL) == 1;
}

/* A name in full goes before a wildcard. */
static SSL_CTX *
tls_directory_find(const struct tls_directory *directory, SSL_CTX *first, const char *name)
{
	static const unsigned passes[] = { X509_CHECK_FLAG_NO_WILDCARDS,
		X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS };

	for (size_t pass = 0; pass < 2; pass++) {
		if (tls_context_is_for(first, name, passes[pass]))
			return first;
		for (size_t i = 0; i < directory->count; i++)
			if (tls_context_is_for(directory->contexts[i], name, passes[pass]))
				return directory->contexts[i];
	}
	return NULL;
}

/* Never an alert: mail servers send odd names, and most do not look at the certificate. No error
 * may be left in OpenSSL's queue, for the handshake's outcome is read from it. */
static int
tls_on_server_name(SSL *ssl, int *alert, void *directory)
{
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	SSL_CTX *first = SSL_get_SSL_CTX(ssl), *found = NULL;

	(void)alert;
	ERR_set_mark();
	if (name != NULL && *name != '\0')
		found = tls_directory_find(directory, first, name);
	ERR_pop_to_mark();
	if (found == NULL)
		return SSL_TLSEXT_ERR_NOACK;
	if (found != first)
		SSL_set_SSL_CTX(ssl, found);
	return SSL_TLSEXT_ERR_OK;
}

static void
tls_server_set_directory(const struct tls_server *server)
{
	SSL_CTX *first = server->hosts[0].context;
	size_t count = server->host_count - 1;
	struct tls_directory *directory =
	    OPENSSL_zalloc(sizeof(*directory) + count * sizeof(SSL_CTX *));

	if (directory == NULL)
		abort();
	for (size_t i = 0; i < count; i++) {
		directory->contexts[i] = server->hosts[i + 1].context;
		SSL_CTX_up_ref(directory->contexts[i]);
	}
	directory->count = count;
	if (tls_directory_index < 0)
		tls_directory_index =
		    SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, tls_directory_on_free);
	if (SSL_CTX_set_ex_data(first, tls_directory_index, directory) != 1)
		abort();
	SSL_CTX_set_tlsext_servername_callback(first, tls_on_server_name);
	SSL_CTX_set_tlsext_servername_arg(first, directory);
}

struct tls_server *
tls_server_new(struct arena *arena, const struct tls_pair *pairs, size_t count, int least,
    const char *ciphers, const unsigned char *ticket_keys, const char **why, size_t *culprit)
{
	struct tls_server *server = arena_alloc(arena, sizeof(*server));

	*server = (struct tls_server) {
		.arena = arena,
		.hosts = arena_alloc(arena, (count + 1) * sizeof(*server->hosts)),
		.certificates = arena_alloc(arena, (count + 1) * sizeof(*server->certificates)),
		.least = least,
		.ciphers = ciphers,
		.ticket_keys = ticket_keys,
		.why = "no certificate",
	};
	for (*culprit = 0; *culprit < count; ++*culprit)
		if (!tls_server_load(server, &pairs[*culprit]))
			break;
	*why = *culprit < count || count == 0 ? server->why : NULL;
	if (*why != NULL)
		return NULL;
	server->ticket_keys = NULL;
	tls_server_set_directory(server);
	return server;
}

SSL_CTX *
tls_server_context(const struct tls_server *server)
{
	return server->hosts[0].context;
}

size_t
tls_server_certificates(const struct tls_server *server, const struct tls_certificate **all)
{
	*all = server->certificates;
	return server->count;
}

/* What is in the bundle is trusted, also where it is no root. */
SSL_CTX *
tls_client_new(struct arena *arena, const char *ca, bool need_ca, int least, const char **why)
{
	SSL_CTX *context = tls_context_new(arena, TLS_client_method(), least);
	const char *file = ca != NULL ? ca : TLS_BUNDLE;

	*why = NULL;
	SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
	X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
	ERR_clear_error();
	if (tls_is_readable(arena, file, why) && SSL_CTX_load_verify_file(context, file) != 1)
		*why = tls_certificate_fault(arena, file);
	ERR_clear_error();
	if (*why != NULL && (ca != NULL || need_ca))
		return NULL;
	*why = NULL;
	return context;
}

int
tls_version(const char *text)
{
	static const struct {
		const char *text;
		int version;
	} versions[] = {
		{ "1.0", TLS1_VERSION },
		{ "1.1", TLS1_1_VERSION },
		{ "1.2", TLS1_2_VERSION },
		{ "1.3", TLS1_3_VERSION },
	};

	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
		if (strcmp(versions[i].text, text) == 0)
			return versions[i].version;
	return 0;
}
