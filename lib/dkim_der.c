#include "lib/dkim_der.h"

#include <openssl/err.h>
#include <openssl/x509.h>

/* Into an element of DER of this kind; *at moves to its contents, *end to behind them. */
static bool
dkim_der_enter(const unsigned char **at, const unsigned char **end, int kind)
{
	int tag = 0, class = 0;
	long length = 0;
	int how = ASN1_get_object(at, &length, &tag, &class, (long)(*end - *at));

	if ((how & 0x81) != 0 || tag != kind || class != V_ASN1_UNIVERSAL)
		return false;
	*end = *at + length;
	return true;
}

/* SubjectPublicKeyInfo of RSA (RFC 3279 2.3.1): where the key itself is. */
static bool
dkim_der_inside(const unsigned char **at, const unsigned char **end)
{
	static const unsigned char rsa[] = { V_ASN1_OBJECT, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d,
		1, 1, 1 };
	const unsigned char *kind_end;

	if (!dkim_der_enter(at, end, V_ASN1_SEQUENCE))
		return false;
	kind_end = *end;
	if (!dkim_der_enter(at, &kind_end, V_ASN1_SEQUENCE) || kind_end - *at < (long)sizeof(rsa) ||
	    memcmp(*at, rsa, sizeof(rsa)) != 0)
		return false;
	*at = kind_end;
	return dkim_der_enter(at, end, V_ASN1_BIT_STRING) && *at < *end && *(*at)++ == 0;
}

EVP_PKEY *
dkim_der_rsa(const unsigned char *der, size_t length)
{
	const unsigned char *at = der, *end = der + length;

	if (!dkim_der_inside(&at, &end)) {
		at = der;
		end = der + length;
	}
	EVP_PKEY *key = d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, (long)(end - at));

	ERR_clear_error();
	return key;
}

/* ---- for libopendkim ---- */

/* As d2i_PUBKEY(), which see. */
static EVP_PKEY *
dkim_der_read(EVP_PKEY **key, const unsigned char **at, long length)
{
	const unsigned char *inside = *at, *end = *at + length;
	EVP_PKEY *found = NULL;

	if (dkim_der_inside(&inside, &end))
		found = d2i_PublicKey(EVP_PKEY_RSA, NULL, &inside, (long)(end - inside));
	if (found == NULL)
		return d2i_PUBKEY(key, at, length);
	*at = end;
	if (key != NULL) {
		EVP_PKEY_free(*key);
		*key = found;
	}
	return found;
}

EVP_PKEY *
d2i_PUBKEY_bio(BIO *bio, EVP_PKEY **key)
{
	return ASN1_d2i_bio_of(EVP_PKEY, EVP_PKEY_new, dkim_der_read, bio, key);
}
