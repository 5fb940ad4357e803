/*
 * dkim_play: for tests of the filter dkim: messages that are signed with keys made here.
 *
 * dkim_keys_make() makes an RSA key of 1024 bits (as long as they are short they are quickly
 * made) and one of Ed25519. dkim_play_sign() puts a signature in front of a message. The filter
 * is given to a play (play.h) by dkim_play_begin(); dkim_play_feed() is the message as it
 * comes, in pieces.
 */
#pragma once

#include "tests/unit/play.h"

#include "filters/registry.h"
#include "lib/dkim_sign.h"
#include "lib/header.h"
#include <openssl/rsa.h>

struct dkim_keys {
	struct arena *arena;
	EVP_PKEY *rsa, *ed25519;
	const char *rsa_record, *ed25519_record;
};

static inline struct dkim_keys
dkim_keys_make(void)
{
	struct dkim_keys keys = { .arena = arena_new(SIZE_MAX),
		.rsa = EVP_RSA_gen(1024),
		.ed25519 = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519") };

	keys.rsa_record = dkim_record_text(keys.arena, keys.rsa);
	keys.ed25519_record = dkim_record_text(keys.arena, keys.ed25519);
	return keys;
}

static inline void
dkim_keys_end(struct dkim_keys *keys)
{
	EVP_PKEY_free(keys->rsa);
	EVP_PKEY_free(keys->ed25519);
	arena_free(keys->arena);
}

/* How long the header fields are, without the empty line. */
static inline size_t
dkim_play_header(struct slice message)
{
	const char *empty = memmem(message.data, message.length, "\r\n\r\n", 4);

	return empty != NULL ? (size_t)(empty - message.data) + 2 : message.length;
}

/* A field that signs the message. */
static inline const char *
dkim_play_sign(
    struct arena *arena, EVP_PKEY *key, const char *selector, struct slice message, uint64_t now)
{
	size_t header = dkim_play_header(message);
	size_t skip = header + 2 <= message.length ? header + 2 : message.length;
	unsigned char hash[DKIM_CANON_HASH];
	struct dkim_canon canon;

	dkim_canon_begin(&canon, arena);
	dkim_canon_feed(&canon, (struct slice) { message.data + skip, message.length - skip });
	dkim_canon_end(&canon, hash);
	return dkim_sign_field(arena, key, "example.org", selector,
	    (struct slice) { message.data, header }, hash, now);
}

/* rows: of DNS; may be NULL. options: as YAML. The transaction is the innermost scope. */
static inline void
dkim_play_begin(struct play *play, const char *options, const struct dns_row *rows)
{
	struct arena *arena = arena_new(SIZE_MAX);
	struct pipeline_host *host = arena_alloc(arena, sizeof(*host));
	const struct pipeline_row pipeline[] = {
		{ &dkim_filter, play_options_good(arena, &dkim_filter, options) }, { 0 }
	};

	play_begin(play, "198.51.100.5", pipeline, rows);
	arena_defer(play->arena, (arena_undo)arena_free, arena);
	host->host.arena = arena;
	pipeline_open(host, &play->pipeline);
	scope_set_host(play->scope, host, &play->task);
	play_mail(play, (struct address) { "a@example.org", "a", "example.org", false });
}

/* Of the message as it comes; HEADERS is reached with the end of its header. */
static inline void
dkim_play_feed(struct play *play, struct slice message, size_t piece)
{
	size_t header = dkim_play_header(message);

	for (size_t i = 0; i < message.length; i += piece) {
		size_t length = message.length - i < piece ? message.length - i : piece;

		if (i + length >= header + 2 && play->scope->mail.header.data == NULL) {
			play->scope->mail.header = (struct slice) { message.data, header };
			scope_reach(play->scope, HEADERS);
		}
		scope_raw(play->scope, (struct slice) { message.data + i, length });
		scope_run(play->scope);
	}
	if (play->scope->mail.header.data == NULL) {
		play->scope->mail.header = (struct slice) { message.data, header };
		scope_reach(play->scope, HEADERS);
	}
	scope_reach(play->scope, END);
	scope_run(play->scope);
}
