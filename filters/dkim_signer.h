/*
 * dkim_signer: `sign:` of the filter dkim: which mail that leaves is signed with which keys.
 *
 *	dkim_signer_begin()   the header is whole: is this mail signed?
 *	dkim_signer_body()    a piece of the body
 *	dkim_signer_fields()  the DKIM-Signature fields, one for each key of the author's domain
 *
 * The domain of the author (From) must be that of the key, to the letter: so the signature is
 * aligned (RFC 9989). Of several authors, or none that can be read, nothing is signed.
 */
#pragma once

#include "lib/dkim_sign.h"
#include "lib/option.h"

struct dkim_signer {
	const char *domain, *selector;
	EVP_PKEY *key;
};

struct dkim_signers {
	size_t count;
	const struct dkim_signer *item;
};

extern const struct option dkim_signer_options[]; /* of one item */

struct dkim_signature_making {
	const struct dkim_signers *signers;
	const char *author; /* NULL: this mail is not signed */
	struct dkim_canon canon;
	const char *fields; /* NULL: not made yet */
};

/* making: all zero. signers: borrowed. */
void dkim_signer_begin(struct dkim_signature_making *making, struct arena *arena,
    const struct dkim_signers *signers, struct slice header);
void dkim_signer_body(struct dkim_signature_making *making, struct slice piece);

/* "": nothing is signed. Again: the same. now: Unix time. */
const char *dkim_signer_fields(
    struct dkim_signature_making *making, struct arena *arena, struct slice header, double now);
