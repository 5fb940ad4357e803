/*
 * certificates: keys and certificates made for a test, written as PEM into its own folder.
 *
 * certificates_open() makes the folder and a certificate authority (ca.pem in it);
 * certificates_close() takes all away again.
 */
#pragma once

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/arena.h"

struct certificates {
	struct arena *arena;
	const char *folder;
	EVP_PKEY *ca_key;
	X509 *ca;
};

static inline const char *
certificates_path(struct certificates *certificates, const char *file)
{
	return arena_format(certificates->arena, "%s/%s", certificates->folder, file);
}

static inline EVP_PKEY *
certificates_key(const char *kind)
{
	EVP_PKEY *key = strcmp(kind, "rsa") == 0 ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");

	assert(key != NULL);
	return key;
}

static inline void
certificates_extend(X509 *certificate, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;

	X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	assert(extension != NULL && X509_add_ext(certificate, extension, -1) == 1);
	X509_EXTENSION_free(extension);
}

/* names: "DNS:a.example,IP:127.0.0.1" or NULL; signed by the authority, by itself if there is
 * none yet; ends `days` from now. */
static inline X509 *
certificates_make(
    struct certificates *by, EVP_PKEY *key, const char *cn, const char *names, int days)
{
	static long serial;
	X509 *certificate = X509_new();
	X509_NAME *subject = X509_get_subject_name(certificate);

	X509_set_version(certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -60L * 86400);
	X509_gmtime_adj(X509_getm_notAfter(certificate), days * 86400L);
	X509_set_pubkey(certificate, key);
	X509_NAME_add_entry_by_txt(
	    subject, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0);
	X509_set_issuer_name(certificate, by->ca != NULL ? X509_get_subject_name(by->ca) : subject);
	if (names != NULL)
		certificates_extend(certificate, NID_subject_alt_name, names);
	if (by->ca == NULL)
		certificates_extend(certificate, NID_basic_constraints, "critical,CA:TRUE");
	assert(X509_sign(certificate, by->ca_key, EVP_sha256()) > 0);
	return certificate;
}

static inline void
certificates_write(
    struct certificates *certificates, const char *name, X509 *certificate, EVP_PKEY *key)
{
	struct arena *arena = certificates->arena;
	FILE *file = fopen(arena_format(arena, "%s/%s.pem", certificates->folder, name), "w");

	assert(file != NULL && PEM_write_X509(file, certificate) == 1 && fclose(file) == 0);
	file = fopen(arena_format(arena, "%s/%s.key", certificates->folder, name), "w");
	assert(file != NULL && PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1);
	assert(fclose(file) == 0);
}

/* Makes NAME.pem and NAME.key. */
static inline void
certificates_add(struct certificates *certificates, const char *name, const char *kind,
    const char *cn, const char *names, int days)
{
	EVP_PKEY *key = certificates_key(kind);
	X509 *certificate = certificates_make(certificates, key, cn, names, days);

	certificates_write(certificates, name, certificate, key);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

static inline void
certificates_open(struct certificates *certificates)
{
	char folder[] = "/tmp/postern-certificates-XXXXXX";

	*certificates = (struct certificates) { .arena = arena_new(1 << 20) };
	assert(mkdtemp(folder) != NULL);
	certificates->folder = arena_strdup(certificates->arena, folder);
	certificates->ca_key = certificates_key("ec");
	certificates->ca =
	    certificates_make(certificates, certificates->ca_key, "Test CA", NULL, 30);
	certificates_write(certificates, "ca", certificates->ca, certificates->ca_key);
}

static inline void
certificates_close(struct certificates *certificates)
{
	char command[200];

	snprintf(command, sizeof(command), "rm -r '%s'", certificates->folder);
	assert(system(command) == 0);
	X509_free(certificates->ca);
	EVP_PKEY_free(certificates->ca_key);
	arena_free(certificates->arena);
}
