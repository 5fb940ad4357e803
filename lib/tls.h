/*
 * tls: OpenSSL contexts for listeners and for the backend.
 *
 * A server's set of contexts is made once when the configuration is read (in the master, so
 * that an unreadable key is the administrator's error before any socket is bound) and never
 * changed; a reload makes a new one. One context per certificate name; SNI picks, and what
 * is unknown or absent gets the first certificate. A name may have an RSA and an ECDSA
 * pair: two certificates whose names are equal share a context, and the client's signature
 * algorithms choose.
 *
 * Contexts are freed with the arena they were made in; connections hold references.
 */
#pragma once

#include <openssl/ssl.h>

#include "lib/arena.h"

struct tls_pair {
	const char *cert; /* PEM file: certificate, then its chain */
	const char *key;  /* PEM file */
};

struct tls_server;

/*
 * NULL: *why says what is wrong with which file, and *culprit is the index of the pair (the
 * first for a bad list of ciphers). Two pairs of the same names and kind of key are an error;
 * a certificate that has ended is none: see not_after.
 * least: TLS1_VERSION ... TLS1_3_VERSION. ciphers: NULL or OpenSSL's list for TLS 1.2.
 * ticket_keys: 80 bytes of secret that all workers share (tickets are good in each of
 * them), or NULL for none.
 */
struct tls_server *
tls_server_new(struct arena *arena, const struct tls_pair *pairs, size_t count, int least,
    const char *ciphers, const unsigned char *ticket_keys, const char **why, size_t *culprit);

SSL_CTX *tls_server_context(const struct tls_server *server);

/* For postern check and the web page. Valid as long as the server is. */
struct tls_certificate {
	const char *file;
	const char *names;    /* subject alternative names (or the CN), comma between */
	long long not_after;  /* Unix time */
	const char *key_type; /* "rsa 2048", "ec P-256" */
};
size_t tls_server_certificates(const struct tls_server *server, const struct tls_certificate **all);

/*
 * One context for all backends. ca: a bundle in PEM, or NULL for Debian's
 * /etc/ssl/certs/ca-certificates.crt (a missing default bundle is no error unless
 * need_ca). NULL: *why says what is wrong.
 */
SSL_CTX *
tls_client_new(struct arena *arena, const char *ca, bool need_ca, int least, const char **why);

/* TLS1_2_VERSION for "1.2" ...; 0 for what is no version. */
int tls_version(const char *text);
