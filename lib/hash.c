#include "lib/hash.h"

#include <assert.h>
#include <openssl/evp.h>

static uint64_t
hash_rotate(uint64_t word, int bits)
{
	return word << bits | word >> (64 - bits);
}

static void
hash_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = hash_rotate(v[1], 13) ^ v[0];
	v[3] = hash_rotate(v[3], 16) ^ v[2];
	v[0] = hash_rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = hash_rotate(v[1], 17) ^ v[2];
	v[3] = hash_rotate(v[3], 21) ^ v[0];
	v[2] = hash_rotate(v[2], 32);
}

static void
hash_word(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	hash_round(v);
	hash_round(v);
	v[0] ^= word;
}

/* Up to eight bytes, the lowest first. */
static uint64_t
hash_load(const char *data, size_t length)
{
	uint64_t word = 0;

	for (size_t i = 0; i < length; i++)
		word |= (uint64_t)(unsigned char)data[i] << (8 * i);
	return word;
}

uint64_t
hash_keyed(const uint64_t key[2], struct slice bytes)
{
	uint64_t v[4] = { key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
		key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573 };
	size_t at = 0;

	for (; bytes.length - at >= 8; at += 8)
		hash_word(v, hash_load(bytes.data + at, 8));
	hash_word(v, hash_load(bytes.data + at, bytes.length - at) | (uint64_t)bytes.length << 56);
	v[2] ^= 0xff;
	for (int i = 0; i < 4; i++)
		hash_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void
hash_digest(unsigned char out[HASH_DIGEST], struct slice bytes)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned length = 0;
	int done = EVP_Digest(bytes.data, bytes.length, digest, &length, EVP_sha256(), NULL);

	assert(done == 1 && length >= HASH_DIGEST);
	memcpy(out, digest, HASH_DIGEST);
}
