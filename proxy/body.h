/*
 * body: the text of a message, on its way in.
 *
 * Each piece is unframed once (RFC 5321 4.5.2), counted, hashed, shown to the filters' raw
 * taps, and handed on in the form in which it goes to the backend: into the spool
 * (delivery: hold) or straight to the backend's connection (stream). The header fields are
 * also kept as they are, up to a limit, for the filters' HEADERS stage and the record.
 *
 * What is wrong with a message does not stop the reading: the text is swallowed to its true
 * end, so that the client and we stay in step, and then body->fault is the answer.
 */
#pragma once

#include <openssl/evp.h>

#include "lib/buf.h"
#include "lib/conn.h"
#include "lib/header.h"
#include "lib/spool.h"
#include "lib/unframe.h"
#include "rules/config.h"
#include "rules/pipeline.h"

enum { BODY_HASH_TEXT = 65 };

struct body {
	const struct config *config;
	struct scope *scope; /* the transaction's */
	struct unframe unframe;
	struct header_end header_end;
	struct buf header;
	bool has_header;   /* its end was seen */
	struct buf kept;   /* fields for the wire instead of those that came, where some are out */
	size_t skipped;    /* bytes at the spool's beginning for which they stand */
	bool is_streamed;  /* not held: the spool has the header only, until it is whole */
	bool is_released;  /* and then no more */
	struct conn *sink; /* where it is streamed to; NULL: nowhere yet, or any more */
	struct spool spool;
	uint64_t size, size_most; /* 0: no limit */
	EVP_MD_CTX *hash;
	char hash_text[BODY_HASH_TEXT];
	const char *fault; /* the reply that it gets for itself; NULL: none */
};

/* scope: whose arena ends it. size_most: bytes of the message, 0 without limit. */
void body_begin(struct body *body, struct scope *scope, const struct config *config,
    struct spool_limits *spool, uint64_t size_most, enum unframe_framing framing,
    enum unframe_mode mode);

/* Takes from the input; how much. DATA: stops behind the end of the message. */
size_t body_feed(struct body *body, struct slice input);

/* CHUNKS: the last one is in, and with it the end of the message. */
void body_finish(struct body *body);
bool body_is_done(const struct body *body);

/* The raw value of the first field of this name, or empty. */
struct slice body_field(const struct body *body, const char *name);
