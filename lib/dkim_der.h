/*
 * dkim_der: public keys of RSA, read from DER by hand.
 *
 * OpenSSL 3.0 looks through all decoders that it has for each SubjectPublicKeyInfo (RFC 3279 2.3.1),
 * which takes as long as to verify ten signatures. libopendkim reads the key anew for each signature,
 * by d2i_PUBKEY_bio(); so this function is here as well: as OpenSSL's own, but that keys of RSA are
 * read by hand. The dynamic linker gives it to all libraries but OpenSSL itself.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <openssl/evp.h>

/* SubjectPublicKeyInfo or a bare RSAPublicKey. NULL: it is neither; OpenSSL's errors are cleared. */
EVP_PKEY *dkim_der_rsa(const unsigned char *der, size_t length);
