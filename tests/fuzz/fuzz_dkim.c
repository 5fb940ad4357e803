/*
 * DKIM: a key record, a NUL, a message. The first octet says how the message is cut. Whatever
 * it is, each signature gets a word, the same one for the whole and for the pieces; a record is
 * read for both kinds of signatures; what an author's domain is can be one.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "filters/dkim_check.h"
#include "lib/dkim_sign.h"
#include "lib/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NOW = 1800000000 };

static struct dkim_lib *
library(void)
{
	static struct dkim_lib *made;
	static struct arena *volatile arena; /* kept where the leak checker sees it */

	if (made == NULL) {
		arena = arena_new(SIZE_MAX);
		made = dkim_check_library(arena);
	}
	return made;
}

static bool
is_word(const char *word)
{
	static const char *const words[] = { "pass", "fail", "permerror", "temperror", "policy" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (word != NULL && strcmp(word, words[i]) == 0)
			return true;
	return false;
}

static void
run(struct dkim_check *check, struct arena *arena, struct slice message, struct slice record,
    size_t step)
{
	const struct dns_answer answer = {
		.state = DNS_OK, .why = "", .count = 1, .records = &record
	};
	struct header_end end = { 0 };
	size_t length = header_end_feed(&end, message);

	*check = (struct dkim_check) { 0 };
	dkim_check_begin(check, library(), arena, (struct slice) { message.data, length }, NOW);
	for (size_t at = length; at < message.length; at += step)
		dkim_check_body(check,
		    (struct slice) { message.data + at,
			message.length - at < step ? message.length - at : step });
	for (size_t i = 0; i < check->count; i++)
		if (check->one[i].word == NULL)
			dkim_check_key(check, &check->one[i], &answer);
	dkim_check_end(check);
	for (size_t i = 0; i < check->count; i++)
		assert(is_word(check->one[i].word) && check->one[i].why != NULL);
	dkim_check_free(check);
}

static void
read_record(struct arena *arena, struct slice text)
{
	const struct dkim_signature rsa = {
		.domain = "a.test", .identity_domain = "a.test", .kind = DKIM_RSA_SHA256
	};
	const struct dkim_signature ed25519 = {
		.domain = "a.test", .identity_domain = "b.a.test", .kind = DKIM_ED25519_SHA256
	};
	struct dkim_record record;

	dkim_record_read(&record, arena, text, &rsa);
	assert(record.word != NULL || (record.bits >= DKIM_BITS_LEAST && record.key != NULL));
	dkim_record_read(&record, arena, text, &ed25519);
	assert(record.word != NULL || (record.bits == 256 && record.key != NULL));
}

static void
read_author(struct arena *arena, struct slice message)
{
	struct header_end end = { 0 };
	size_t length = header_end_feed(&end, message);
	const char *domain = dkim_sign_author(arena, (struct slice) { message.data, length });

	assert(domain == NULL || dkim_signature_is_domain(domain, 1));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dkim_check whole, pieces;

	if (size < 2)
		return 0;
	size_t step = data[0] > 0 ? data[0] : 1;
	const uint8_t *nul = memchr(data + 1, '\0', size - 1);
	size_t length = nul != NULL ? (size_t)(nul - data) - 1 : size - 1;
	struct slice record = { (const char *)data + 1, length };
	struct slice message = { (const char *)data + 1 + length + (nul != NULL),
		size - 1 - length - (nul != NULL) };
	struct arena *arena = arena_new(SIZE_MAX);

	read_record(arena, record);
	read_author(arena, message);
	run(&whole, arena, message, record, SIZE_MAX / 2);
	run(&pieces, arena, message, record, step);
	assert(whole.count == pieces.count && whole.surplus == pieces.surplus);
	for (size_t i = 0; i < whole.count; i++)
		assert(strcmp(whole.one[i].word, pieces.one[i].word) == 0);
	arena_free(arena);
	return 0;
}
