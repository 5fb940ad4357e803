/*
 * dkim_der: keys in both forms, cut at every place and with something behind; and that
 * libopendkim gets this d2i_PUBKEY_bio(), which reads what OpenSSL's reads.
 */
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "lib/dkim_der.h"

static void
expect_key(EVP_PKEY *found, const EVP_PKEY *key)
{
	assert_non_null(found);
	assert_int_equal(EVP_PKEY_eq(found, key), 1);
	EVP_PKEY_free(found);
}

/* From a piece of memory of just that length. */
static EVP_PKEY *
read_cut(const unsigned char *der, size_t length)
{
	unsigned char *copy = malloc(length > 0 ? length : 1);

	memcpy(copy, der, length);
	EVP_PKEY *key = dkim_der_rsa(copy, length);

	free(copy);
	return key;
}

static void
test_forms(void **state)
{
	EVP_PKEY *key = EVP_RSA_gen(1024);
	unsigned char *whole = NULL, *bare = NULL;
	size_t length = (size_t)i2d_PUBKEY(key, &whole), size = (size_t)i2d_PublicKey(key, &bare);

	(void)state;
	expect_key(read_cut(whole, length), key);
	expect_key(read_cut(bare, size), key);
	for (size_t cut = 0; cut < length; cut++)
		assert_null(read_cut(whole, cut));
	for (size_t cut = 0; cut < size; cut++)
		assert_null(read_cut(bare, cut));
	assert_int_equal(ERR_peek_error(), 0);
	OPENSSL_free(whole);
	OPENSSL_free(bare);
	EVP_PKEY_free(key);
}

static EVP_PKEY *
read_bio(const unsigned char *der, size_t length, EVP_PKEY **into, int *left)
{
	BIO *bio = BIO_new_mem_buf(der, (int)length);
	EVP_PKEY *key = d2i_PUBKEY_bio(bio, into);

	*left = (int)BIO_pending(bio);
	BIO_free(bio);
	return key;
}

/* Of the kinds that there are, with a byte behind. */
static void
test_bio(void **state)
{
	EVP_PKEY *keys[] = { EVP_RSA_gen(2048), EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"),
		EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256") };

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		unsigned char room[1024], *end = room;
		size_t length = (size_t)i2d_PUBKEY(keys[i], &end);
		EVP_PKEY *into = EVP_PKEY_new(), *found;
		int left;

		assert_true(length < sizeof(room));
		expect_key(read_bio(room, length + 1, NULL, &left), keys[i]);
		assert_int_equal(left, 1);
		found = read_bio(room, length, &into, &left);
		assert_ptr_equal(found, into);
		expect_key(found, keys[i]);
		assert_null(read_bio(room, length - 1, NULL, &left));
		room[1] ^= 1;
		assert_null(read_bio(room, length - 1, NULL, &left));
		EVP_PKEY_free(keys[i]);
	}
	ERR_clear_error();
}

static void
test_linked(void **state)
{
	(void)state;
	assert_ptr_equal(dlsym(RTLD_DEFAULT, "d2i_PUBKEY_bio"), (void *)(uintptr_t)d2i_PUBKEY_bio);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_bio),
		cmocka_unit_test(test_linked),
	};

	return cmocka_run_group_tests_name("dkim_der", tests, NULL, NULL);
}
