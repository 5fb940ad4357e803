/*
 * tls_certificate: what a PEM file holds, for people and for tls.
 */
#pragma once

#include <openssl/x509.h>

#include "lib/tls.h"

/* The first certificate of the file, freed with the arena. NULL: *why names the file. */
X509 *tls_certificate_read(struct arena *arena, const char *file, const char **why);

/* The pair's key, likewise. NULL also if it is not the key of the certificate: OpenSSL alone
 * would take it for that of another certificate in the same context. */
EVP_PKEY *tls_certificate_read_key(
    struct arena *arena, X509 *certificate, const struct tls_pair *pair, const char **why);

/* Names sorted, in lower case, each once; so equal sets of names are equal texts. */
struct tls_certificate
tls_certificate_describe(struct arena *arena, const char *file, X509 *certificate);

/* "FILE: REASON", the reason the oldest in OpenSSL's error queue, which is emptied. */
const char *tls_certificate_fault(struct arena *arena, const char *file);
