/*
 * dkim_record: keys of each kind and size; each tag of a record damaged; a record cut at every
 * place; records that we make ourselves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "lib/dkim_record.h"

static const char ed25519[] = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

static const struct dkim_signature for_rsa = {
	.domain = "example.org", .identity_domain = "example.org", .kind = DKIM_RSA_SHA256
};
static const struct dkim_signature for_ed25519 = {
	.domain = "example.org", .identity_domain = "example.org", .kind = DKIM_ED25519_SHA256
};
static const struct dkim_signature below = {
	.domain = "example.org", .identity_domain = "a.example.org", .kind = DKIM_ED25519_SHA256
};

static struct dkim_record
read_record(struct arena *arena, const char *text, const struct dkim_signature *signature)
{
	struct dkim_record record;

	dkim_record_read(&record, arena, slice_of(text), signature);
	return record;
}

static void
expect(const char *text, const struct dkim_signature *signature, const char *word, const char *why)
{
	struct arena *arena = arena_new(SIZE_MAX);
	struct dkim_record record = read_record(arena, text, signature);

	if (strcmp(record.why, why) != 0)
		fail_msg("%s: %s", text, record.why);
	assert_string_equal(record.word != NULL ? record.word : "", word);
	arena_free(arena);
}

struct record_case {
	const char *before, *behind; /* of the key */
	const char *why;
};

static const struct record_case tags[] = {
	{ "v=DKIM1; k=ed25519; p=", "", "" },
	{ "k=ed25519;p=", ";", "" },
	{ "k=ed25519;p=", ";x=unknown", "" },
	{ "k=ed25519;h=sha1:sha256;s=tlsrpt:email;n=note; p=", "", "" },
	{ "k=ed25519;s=*;p=", "", "" },
	{ "k=ed25519;g=nobody;p=", "", "" },
	{ "k=ed25519;t=s;p=", "", "" },
	{ "v=DKIM2; k=ed25519; p=", "", "the key's v= is not DKIM1, or not first" },
	{ "v=; k=ed25519; p=", "", "the key's v= is not DKIM1, or not first" },
	{ "k=ed25519; v=DKIM1; p=", "", "the key's v= is not DKIM1, or not first" },
	{ "k=ed25519;h=sha1;p=", "", "the key is not for sha256" },
	{ "k=ed25519;h=;p=", "", "the key is not for sha256" },
	{ "p=", "", "the key is of another kind than a=" },
	{ "k=;p=", "", "the key is of another kind than a=" },
	{ "k=rsa;p=", "", "the key is of another kind than a=" },
	{ "k=ED25519;p=", "", "the key is of another kind than a=" },
	{ "k=ed25519;s=web;p=", "", "the key is not for mail" },
	{ "k=ed25519;s=;p=", "", "the key is not for mail" },
	{ "k=ed25519;P=", "", "the record has no key" },
	{ "k=ed25519;p=;n=", "", "the key is revoked" },
	{ "k=ed25519;p=*", "", "the key is not base64" },
	{ "k=ed25519;p=", "QUJD", "the key is not base64" },
	{ "k=ed25519;p=QUJDRA==;n=", "", "the key is not 32 octets long" },
	{ "k=ed25519;p=QUJD;p=", "", "the key record is no list of tags" },
	{ "k=ed25519;;p=", "", "the key record is no list of tags" },
	{ "v=spf1 -all ", "", "the key's v= is not DKIM1, or not first" },
	{ "k=ed25519;n=\xc3\xa4;p=", "", "the key record is no list of tags" },
};

static void
test_tags(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		char text[300];

		snprintf(text, sizeof(text), "%s%s%s", tags[i].before, ed25519, tags[i].behind);
		expect(text, &for_ed25519, tags[i].why[0] == '\0' ? "" : "permerror", tags[i].why);
	}
	expect("", &for_rsa, "permerror", "the record has no key");
	expect("p=QUJD", &for_rsa, "permerror", "the key cannot be read");
}

static void
test_flags(void **state)
{
	struct arena *arena = arena_new(SIZE_MAX);
	const char *plain = arena_format(arena, "k=ed25519;p=%s", ed25519);
	const char *strict = arena_format(arena, "t=y:s;%s", plain);

	(void)state;
	assert_false(read_record(arena, plain, &for_ed25519).is_test);
	assert_true(read_record(arena, strict, &for_ed25519).is_test);
	expect(plain, &below, "", "");
	expect(strict, &below, "permerror", "the key is not for sub-domains");
	arena_free(arena);
}

/* As they are published, and as the bare key of PKCS #1. */
static const char *
published(struct arena *arena, EVP_PKEY *key, bool is_bare)
{
	unsigned char *der = NULL;
	int length = is_bare ? i2d_PublicKey(key, &der) : i2d_PUBKEY(key, &der);
	char *text = arena_alloc(arena, (size_t)length * 2);

	EVP_EncodeBlock((unsigned char *)text, der, length);
	OPENSSL_free(der);
	return arena_format(arena, "v=DKIM1; p=%s", text);
}

static void
test_rsa(void **state)
{
	static const struct {
		unsigned bits;
		const char *word, *why;
	} sizes[] = {
		{ 1023, "policy", "the key has fewer than 1024 bits (RFC 8301)" },
		{ 1024, "", "" },
		{ 2048, "", "" },
		{ 4096, "", "" },
		{ 4104, "policy", "the key has more than 4096 bits" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct arena *arena = arena_new(SIZE_MAX);
		EVP_PKEY *key = EVP_RSA_gen(sizes[i].bits);
		const char *text = published(arena, key, false);
		struct dkim_record record = read_record(arena, text, &for_rsa);

		expect(text, &for_rsa, sizes[i].word, sizes[i].why);
		expect(published(arena, key, true), &for_rsa, sizes[i].word, sizes[i].why);
		expect(arena_format(arena, "k=ed25519;%s", text + strlen("v=DKIM1; ")),
		    &for_ed25519, "permerror", "the key is not 32 octets long");
		assert_int_equal(record.bits, sizes[i].bits);
		assert_string_equal(record.key, text + strlen("v=DKIM1; p="));
		assert_string_equal(
		    record.key, read_record(arena, published(arena, key, true), &for_rsa).key);
		assert_string_equal(dkim_record_text(arena, key),
		    arena_format(arena, "v=DKIM1; k=rsa; p=%s", record.key));
		EVP_PKEY_free(key);
		arena_free(arena);
	}
}

static void
test_other_keys(void **state)
{
	struct arena *arena = arena_new(SIZE_MAX);
	EVP_PKEY *curve = EVP_EC_gen("P-256"), *edwards = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

	(void)state;
	expect(published(arena, curve, false), &for_rsa, "permerror", "the key cannot be read");
	expect(published(arena, edwards, false), &for_rsa, "permerror", "the key cannot be read");
	assert_null(dkim_record_text(arena, curve));
	expect(dkim_record_text(arena, edwards), &for_ed25519, "", "");
	assert_int_equal(
	    read_record(arena, dkim_record_text(arena, edwards), &for_ed25519).bits, 256);
	EVP_PKEY_free(curve);
	EVP_PKEY_free(edwards);
	arena_free(arena);
}

static void
test_too_long(void **state)
{
	struct arena *arena = arena_new(SIZE_MAX);
	char *letters = arena_alloc(arena, 8197);

	(void)state;
	memset(letters, 'A', 8196);
	expect(arena_format(arena, "p=%s", letters), &for_rsa, "permerror", "the key is too long");
	letters[8192] = '\0';
	expect(
	    arena_format(arena, "p=%s", letters), &for_rsa, "permerror", "the key cannot be read");
	arena_free(arena);
}

static void
test_cut_everywhere(void **state)
{
	struct arena *arena = arena_new(SIZE_MAX);
	EVP_PKEY *key = EVP_RSA_gen(1024);
	const char *text = published(arena, key, false);
	size_t length = strlen(text);

	(void)state;
	for (size_t cut = 0; cut < length; cut++) {
		char *copy = malloc(cut > 0 ? cut : 1);
		struct dkim_record record;

		memcpy(copy, text, cut);
		dkim_record_read(&record, arena, (struct slice) { copy, cut }, &for_rsa);
		free(copy);
		assert_non_null(record.word);
	}
	EVP_PKEY_free(key);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tags),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_rsa),
		cmocka_unit_test(test_other_keys),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_cut_everywhere),
	};

	return cmocka_run_group_tests_name("dkim_record", tests, NULL, NULL);
}
