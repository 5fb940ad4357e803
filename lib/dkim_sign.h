/*
 * dkim_sign: makes DKIM-Signature fields.
 *
 * RFC 6376 with 8301 and 8463: rsa-sha256 or ed25519-sha256 by the kind of the key,
 * c=relaxed/relaxed, the whole body. Signed are the fields by which people know a message, as
 * often as they are there; From, To and Subject once more, so that nobody can add another.
 * A signature is good for a week.
 */
#pragma once

#include "lib/dkim_canon.h"
#include "lib/dkim_record.h"

enum { DKIM_SIGN_LIFE = 7 * 86400 };

/* A key of RSA (1024 bits at least) or Ed25519 in a PEM file, without a passphrase; lives in
 * the arena. NULL: *why says why not, beginning with the path. */
EVP_PKEY *dkim_sign_read_key(struct arena *arena, const char *path, const char **why);

/* The field, with its CRLF, in the arena; NULL: OpenSSL cannot. header: the fields of the
 * message, without the empty line. body: the hash of its relaxed form. now: Unix time. */
const char *
dkim_sign_field(struct arena *arena, EVP_PKEY *key, const char *domain, const char *selector,
    struct slice header, const unsigned char body[DKIM_CANON_HASH], uint64_t now);

/* The domain of the author of a message: of the only mailbox in its only From, in lower case,
 * in the arena. NULL: there is no such. */
const char *dkim_sign_author(struct arena *arena, struct slice header);
