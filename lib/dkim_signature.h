/*
 * dkim_signature: a DKIM-Signature field, read and judged by itself.
 *
 * RFC 6376 3.5 with 8301 and 8463. Before a signature is verified it must be one in every
 * letter: all tags that must be there and none twice, a domain that is one, From among the
 * signed fields, an identity within the domain, times that make sense. What is not so has its
 * word here, and no key is asked for:
 *
 *	permerror  the field is wrong
 *	policy     it may be right, and is not taken: rsa-sha1, expired, from the future, h=
 *	           with more names than DKIM_NAMES_MOST
 *
 * The signatures of ARC (RFC 8617 4.1) are of the same kind: a message signature has i= as a
 * number and no v=; a seal has cv= and signs no fields or body by name.
 *
 * Text is in the arena; it is the peer's, but holds printable ASCII only. What could not be
 * read is "".
 */
#pragma once

#include <stdint.h>

#include "lib/arena.h"

enum { DKIM_NAMES_MOST = 200, DKIM_DRIFT = 300 /* seconds that clocks may differ */ };

enum dkim_form { DKIM_FORM, DKIM_FORM_ARC_MESSAGE, DKIM_FORM_ARC_SEAL };
enum dkim_algorithm { DKIM_RSA_SHA256, DKIM_ED25519_SHA256, DKIM_RSA_SHA1 };

struct dkim_signature {
	const char *word; /* NULL: it may be verified */
	const char *why;  /* in words; "" if word is NULL */
	const char *domain, *selector;
	const char *algorithm;       /* "rsa-sha256" */
	const char *identity;        /* i=, decoded; "" without */
	const char *identity_domain; /* of i=; without it `domain` */
	enum dkim_algorithm kind;
	bool has_length; /* l=: only the beginning of the body is signed */
	uint64_t length;
};

/* value: of the field, behind the colon, with its folding. now: Unix time. */
void dkim_signature_read(
    struct dkim_signature *signature, struct arena *arena, struct slice value, double now);

/* As one of another form; identity is "". */
void dkim_signature_read_as(struct dkim_signature *signature, enum dkim_form form,
    struct arena *arena, struct slice value, double now);

/* A name of DNS with at least so many labels, of letters, digits, '-' and '_'. */
bool dkim_signature_is_domain(const char *text, unsigned labels);
