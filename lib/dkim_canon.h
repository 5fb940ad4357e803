/*
 * dkim_canon: the `relaxed` form of a message, over which it is signed.
 *
 * RFC 6376 3.4.2 and 3.4.4; of the body the `simple` form, too (3.4.3). The body may come in pieces of any size; nothing of it is kept.
 * Lines end with CRLF; a CR or LF alone is an octet like any other.
 */
#pragma once

#include <openssl/evp.h>

#include "lib/buf.h"

enum { DKIM_CANON_HASH = 32 };

struct dkim_canon {
	EVP_MD_CTX *hash;   /* SHA-256 */
	uint64_t line_ends; /* that are hashed only if something comes behind them */
	bool has_blank;     /* likewise */
	bool has_cr;        /* it may be half of a line end */
	bool has_text;      /* of the whole body */
	bool is_simple;     /* for the caller to set, behind dkim_canon_begin() */
	size_t length;
	char room[512]; /* on its way into the hash */
};

/* Of the body. canon: any contents; its hash ends with the arena. */
void dkim_canon_begin(struct dkim_canon *canon, struct arena *arena);
void dkim_canon_feed(struct dkim_canon *canon, struct slice piece);
void dkim_canon_end(struct dkim_canon *canon, unsigned char hash[DKIM_CANON_HASH]);

/* A header field without its last line end; out gets it without one, too. */
void dkim_canon_field(struct buf *out, struct slice name, struct slice value);
