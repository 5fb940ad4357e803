#include "lib/dkim_record.h"

#include <openssl/x509.h>

#include "lib/dkim_der.h"
#include "lib/dkim_tags.h"

enum { ED25519_SIZE = 32, KEY_MOST = 8192 /* of p=: RSA with 32768 bits has less */ };

/* While a record is read. */
struct dkim_record_reading {
	struct dkim_record *record;
	struct arena *arena;
	const struct dkim_signature *signature;
	struct dkim_tags tags;
};

static char *
dkim_record_base64(struct arena *arena, const unsigned char *bytes, size_t length)
{
	char *text = arena_alloc(arena, (length + 2) / 3 * 4 + 1);

	EVP_EncodeBlock((unsigned char *)text, bytes, (int)length);
	return text;
}

const char *
dkim_record_key(struct arena *arena, EVP_PKEY *key)
{
	unsigned char raw[ED25519_SIZE], *der = NULL;
	size_t size = sizeof(raw);

	if (EVP_PKEY_is_a(key, "ED25519") && EVP_PKEY_get_raw_public_key(key, raw, &size) == 1)
		return dkim_record_base64(arena, raw, size);
	int length = EVP_PKEY_is_a(key, "RSA") ? i2d_PUBKEY(key, &der) : 0;

	if (length <= 0)
		return NULL;
	const char *text = dkim_record_base64(arena, der, (size_t)length);

	OPENSSL_free(der);
	return text;
}

const char *
dkim_record_text(struct arena *arena, EVP_PKEY *key)
{
	const char *text = dkim_record_key(arena, key);

	if (text == NULL)
		return NULL;
	return arena_format(
	    arena, "v=DKIM1; k=%s; p=%s", EVP_PKEY_is_a(key, "RSA") ? "rsa" : "ed25519", text);
}

/* ---- the tags; each returns what is wrong, or NULL ---- */

static const char *
dkim_record_kind(struct dkim_record_reading *reading)
{
	const struct dkim_tags *tags = &reading->tags;
	const struct slice *version = dkim_tags_find(tags, "v");
	const struct slice *hashes = dkim_tags_find(tags, "h");
	const struct slice *kind = dkim_tags_find(tags, "k");
	const char *want = reading->signature->kind == DKIM_ED25519_SHA256 ? "ed25519" : "rsa";

	if (version != NULL &&
	    (version != &tags->tag[0].value || !slice_equals(*version, slice_of("DKIM1"))))
		return "the key's v= is not DKIM1, or not first";
	if (hashes != NULL && !dkim_tags_lists(*hashes, "sha256"))
		return "the key is not for sha256";
	if (!slice_equals(kind != NULL ? *kind : slice_of("rsa"), slice_of(want)))
		return "the key is of another kind than a=";
	return NULL;
}

static const char *
dkim_record_use(struct dkim_record_reading *reading)
{
	const struct slice *services = dkim_tags_find(&reading->tags, "s");
	const struct slice *flags = dkim_tags_find(&reading->tags, "t");
	const struct slice *key = dkim_tags_find(&reading->tags, "p");
	const struct dkim_signature *signature = reading->signature;

	if (services != NULL && !dkim_tags_lists(*services, "*") &&
	    !dkim_tags_lists(*services, "email"))
		return "the key is not for mail";
	reading->record->is_test = flags != NULL && dkim_tags_lists(*flags, "y");
	if (key == NULL)
		return "the record has no key";
	if (key->length == 0)
		return "the key is revoked";
	if (flags != NULL && dkim_tags_lists(*flags, "s") &&
	    strcasecmp(signature->identity_domain, signature->domain) != 0)
		return "the key is not for sub-domains";
	return NULL;
}

static const char *
dkim_record_decoded(struct dkim_record_reading *reading, const unsigned char *der, size_t length)
{
	bool is_rsa = reading->signature->kind != DKIM_ED25519_SHA256;

	if (!is_rsa && length != ED25519_SIZE)
		return "the key is not 32 octets long";
	EVP_PKEY *key = is_rsa ? dkim_der_rsa(der, length)
			       : EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, der, length);

	if (key == NULL)
		return "the key cannot be read";
	reading->record->bits = is_rsa ? (unsigned)EVP_PKEY_get_bits(key) : 8 * ED25519_SIZE;
	reading->record->key = dkim_record_key(reading->arena, key);
	EVP_PKEY_free(key);
	return reading->record->key != NULL ? NULL : "the key cannot be read";
}

static const char *
dkim_record_decode(struct dkim_record_reading *reading)
{
	const struct slice *value = dkim_tags_find(&reading->tags, "p");
	unsigned char der[KEY_MOST / 4 * 3];

	if (!dkim_tags_is_base64(*value))
		return "the key is not base64";
	const char *text = dkim_tags_squeeze(reading->arena, *value);
	size_t length = strlen(text), padding = 0;

	if (length > KEY_MOST)
		return "the key is too long";
	while (text[length - 1 - padding] == '=')
		padding++;
	int size = EVP_DecodeBlock(der, (const unsigned char *)text, (int)length);

	if (size <= (int)padding)
		return "the key is not base64";
	return dkim_record_decoded(reading, der, (size_t)size - padding);
}

static const char *
dkim_record_policy(const struct dkim_record *record, const struct dkim_signature *signature)
{
	if (signature->kind == DKIM_ED25519_SHA256)
		return NULL;
	if (record->bits < DKIM_BITS_LEAST)
		return "the key has fewer than 1024 bits (RFC 8301)";
	return record->bits > DKIM_BITS_MOST ? "the key has more than 4096 bits" : NULL;
}

void
dkim_record_read(struct dkim_record *record, struct arena *arena, struct slice text,
    const struct dkim_signature *signature)
{
	struct dkim_record_reading reading = {
		.record = record, .arena = arena, .signature = signature
	};
	const char *why = dkim_tags_read(&reading.tags, text);

	*record = (struct dkim_record) { .why = "" };
	if (why != NULL)
		why = "the key record is no list of tags";
	else if ((why = dkim_record_kind(&reading)) == NULL &&
	    (why = dkim_record_use(&reading)) == NULL)
		why = dkim_record_decode(&reading);
	if (why != NULL)
		record->word = "permerror";
	else if ((why = dkim_record_policy(record, signature)) != NULL)
		record->word = "policy";
	record->why = why != NULL ? why : "";
}
