/*
 * dkim_messages: for tests, a message of example.org, signed with the keys of dkim_play.h, and
 * what the filter dkim says of any message for which these keys are published.
 */
#pragma once

#include "tests/unit/dkim_play.h"

#include "lib/clock.h"

static struct dkim_keys keys;

static const char fields[] = "From: A <a@example.org>\r\nTo: c@example.com\r\nSubject: words\r\n"
			     "Date: Tue, 24 Nov 2026 05:00:00 +0000\r\n";
static const char body[] = "Hello  there, \r\n\r\n.\r\n \t \r\nbye\r\n\r\n\r\n";

#define NAME(selector) selector "._domainkey.example.org"

/* A message with one signature per selector; "ed..." has the Ed25519 key. */
static inline struct slice
message_of(struct arena *arena, const char *const *selectors)
{
	const char *text = arena_format(arena, "%s\r\n%s", fields, body);

	for (; *selectors != NULL; selectors++) {
		EVP_PKEY *key = (*selectors)[0] == 'e' ? keys.ed25519 : keys.rsa;
		const char *field =
		    dkim_play_sign(arena, key, *selectors, slice_of(text), (uint64_t)clock_unix());

		assert_non_null(field);
		text = arena_format(arena, "%s%s", field, text);
	}
	return slice_of(text);
}

/* What the filter makes of a message for which every key is good. */
static inline const char *
facts_of(struct arena *arena, struct slice message)
{
	const struct dns_row rows[] = { { DNS_TXT, NAME("r"), .records = { keys.rsa_record } },
		{ DNS_TXT, NAME("e"), .records = { keys.ed25519_record } }, { 0 } };
	struct play play;

	dkim_play_begin(&play, "", rows);
	dns_fake_allow_unknown(play.fake);
	dns_fake_release_all(play.fake);
	dkim_play_feed(&play, message, 1 << 20);
	assert_false(scope_waits(play.scope));
	const char *facts = arena_strdup(arena, play_facts(&play));

	play_end(&play);
	return facts;
}

static inline size_t
count_of(const char *text, const char *word)
{
	size_t count = 0;

	for (; (text = strstr(text, word)) != NULL; text += strlen(word))
		count++;
	return count;
}

static inline int
keys_begin(void **state)
{
	(void)state;
	keys = dkim_keys_make();
	return 0;
}

static inline int
keys_end(void **state)
{
	(void)state;
	dkim_keys_end(&keys);
	return 0;
}
