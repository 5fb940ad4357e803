#include "lib/tls_ticket.h"

#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

struct tls_ticket {
	unsigned char name[16], aes[32], mac[32];
};

static_assert(sizeof(struct tls_ticket) == TLS_TICKET_KEYS, "the keys have no gaps");

static int tls_ticket_index = -1;

static void
tls_ticket_on_free(
    void *context, void *keys, CRYPTO_EX_DATA *data, int index, long number, void *arg)
{
	(void)context, (void)data, (void)index, (void)number, (void)arg;
	OPENSSL_clear_free(keys, TLS_TICKET_KEYS);
}

static bool
tls_ticket_set_keys(const struct tls_ticket *keys, unsigned char *iv, EVP_CIPHER_CTX *cipher,
    EVP_MAC_CTX *mac, int seal)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(
		    OSSL_MAC_PARAM_KEY, (void *)keys->mac, sizeof(keys->mac)),
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]) { "SHA256" }, 0),
		OSSL_PARAM_construct_end(),
	};

	return EVP_MAC_CTX_set_params(mac, params) == 1 &&
	    EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, keys->aes, iv, seal) == 1;
}

/*
 * 0: unknown key, full handshake. 1: good. 2: good, and a new ticket is issued, for a client of
 * TLS 1.3 uses each once (with 1 it would get no other).
 */
static int
tls_ticket_on_use(SSL *ssl, unsigned char name[16], unsigned char *iv, EVP_CIPHER_CTX *cipher,
    EVP_MAC_CTX *mac, int seal)
{
	const struct tls_ticket *keys = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), tls_ticket_index);

	if (seal) {
		memcpy(name, keys->name, sizeof(keys->name));
		if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1)
			return -1;
	} else if (CRYPTO_memcmp(name, keys->name, sizeof(keys->name)) != 0) {
		return 0;
	}
	if (!tls_ticket_set_keys(keys, iv, cipher, mac, seal))
		return -1;
	return !seal && SSL_version(ssl) == TLS1_3_VERSION ? 2 : 1;
}

bool
tls_ticket_use(SSL_CTX *context, const unsigned char keys[TLS_TICKET_KEYS])
{
	void *copy = OPENSSL_memdup(keys, TLS_TICKET_KEYS);

	if (tls_ticket_index < 0)
		tls_ticket_index =
		    SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, tls_ticket_on_free);
	if (copy == NULL || SSL_CTX_set_ex_data(context, tls_ticket_index, copy) != 1)
		return false;
	SSL_CTX_set_tlsext_ticket_key_evp_cb(context, tls_ticket_on_use);
	return true;
}
