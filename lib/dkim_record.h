/*
 * dkim_record: a DKIM key as it is published in DNS, read and judged for one signature.
 *
 * RFC 6376 3.6.1 with 8301 and 8463. The words:
 *
 *	permerror  it is no key, is revoked, or is not for such a signature
 *	policy     an RSA key of fewer than 1024 or more than 4096 bits (RFC 8301 3.2)
 *
 * `key` is the same key in the one form that everybody reads: SubjectPublicKeyInfo of RSA
 * (some publish the bare RSAPublicKey), the 32 octets of Ed25519; in base64.
 */
#pragma once

#include <openssl/evp.h>

#include "lib/dkim_signature.h"

enum { DKIM_BITS_LEAST = 1024, DKIM_BITS_MOST = 4096 };

struct dkim_record {
	const char *word; /* NULL: the signature may be verified with it */
	const char *why;  /* in words; "" if word is NULL */
	unsigned bits;    /* 0: it could not be read */
	bool is_test;     /* t=y: the domain tries DKIM out */
	const char *key;
};

/* text: the strings of the record, joined. */
void dkim_record_read(struct dkim_record *record, struct arena *arena, struct slice text,
    const struct dkim_signature *signature);

/* The value of p= for a public key, in the arena; NULL: it is neither RSA nor Ed25519. */
const char *dkim_record_key(struct arena *arena, EVP_PKEY *key);

/* The whole record to publish, or NULL. */
const char *dkim_record_text(struct arena *arena, EVP_PKEY *key);
