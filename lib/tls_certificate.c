#include "lib/tls_certificate.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* OpenSSL's own words for a file of something else are of no help. */
static bool
tls_certificate_is_none(unsigned long code)
{
	return (ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE) ||
	    (ERR_GET_LIB(code) == ERR_LIB_OSSL_DECODER &&
		ERR_GET_REASON(code) == ERR_R_UNSUPPORTED);
}

const char *
tls_certificate_fault(struct arena *arena, const char *file)
{
	unsigned long code = ERR_peek_error();
	const char *reason = code != 0 ? ERR_reason_error_string(code) : "cannot be used";

	if (tls_certificate_is_none(code))
		reason = "nothing of this kind in it, as PEM";
	ERR_clear_error();
	return arena_format(arena, "%s: %s", file, reason != NULL ? reason : "cannot be used");
}

static FILE *
tls_certificate_open(struct arena *arena, const char *file, const char **why)
{
	FILE *stream = fopen(file, "re");

	if (stream == NULL)
		*why = arena_format(arena, "%s: %s", file, strerror(errno));
	ERR_clear_error();
	return stream;
}

static void
tls_certificate_undo(void *arg)
{
	X509_free(arg);
}

/* The empty passphrase: else OpenSSL would ask for one at the terminal. */
X509 *
tls_certificate_read(struct arena *arena, const char *file, const char **why)
{
	FILE *stream = tls_certificate_open(arena, file, why);
	X509 *certificate;

	if (stream == NULL)
		return NULL;
	certificate = PEM_read_X509_AUX(stream, NULL, NULL, (char[]) { "" });
	fclose(stream);
	if (certificate == NULL)
		*why = tls_certificate_fault(arena, file);
	else
		arena_defer(arena, tls_certificate_undo, certificate);
	return certificate;
}

static void
tls_certificate_undo_key(void *arg)
{
	EVP_PKEY_free(arg);
}

/* Without this OpenSSL would ask for the passphrase at the terminal. */
static int
tls_certificate_on_passphrase(char *room, int size, int is_writing, void *is_encrypted)
{
	(void)room, (void)size, (void)is_writing;
	*(bool *)is_encrypted = true;
	return -1;
}

EVP_PKEY *
tls_certificate_read_key(
    struct arena *arena, X509 *certificate, const struct tls_pair *pair, const char **why)
{
	FILE *stream = tls_certificate_open(arena, pair->key, why);
	bool is_encrypted = false;
	EVP_PKEY *key;

	if (stream == NULL)
		return NULL;
	key = PEM_read_PrivateKey(stream, NULL, tls_certificate_on_passphrase, &is_encrypted);
	fclose(stream);
	if (key == NULL) {
		*why = tls_certificate_fault(arena, pair->key);
		if (is_encrypted)
			*why = arena_format(arena, "%s: is encrypted with a passphrase", pair->key);
		return NULL;
	}
	arena_defer(arena, tls_certificate_undo_key, key);
	if (X509_check_private_key(certificate, key) == 1)
		return key;
	*why = arena_format(arena, "%s: the key does not belong to %s", pair->key, pair->cert);
	ERR_clear_error();
	return NULL;
}

static char *
tls_certificate_address(struct arena *arena, const ASN1_OCTET_STRING *address)
{
	char text[INET6_ADDRSTRLEN] = "";

	inet_ntop(ASN1_STRING_length(address) == 4 ? AF_INET : AF_INET6,
	    ASN1_STRING_get0_data(address), text, sizeof(text));
	return arena_strdup(arena, text);
}

/* The certificate's author is the administrator's; yet a NUL or a comma must not deceive. */
static char *
tls_certificate_text(struct arena *arena, const ASN1_STRING *string)
{
	struct slice text = { (const char *)ASN1_STRING_get0_data(string),
		(size_t)ASN1_STRING_length(string) };
	char *copy = arena_copy(arena, text);

	for (size_t i = 0; i < text.length; i++)
		copy[i] = isgraph((unsigned char)copy[i]) && copy[i] != ',' ? (char)tolower(copy[i])
									    : '?';
	return copy;
}

static char *
tls_certificate_name(struct arena *arena, const GENERAL_NAME *name)
{
	if (name->type == GEN_DNS)
		return tls_certificate_text(arena, name->d.dNSName);
	if (name->type == GEN_IPADD &&
	    (ASN1_STRING_length(name->d.iPAddress) == 4 ||
		ASN1_STRING_length(name->d.iPAddress) == 16))
		return tls_certificate_address(arena, name->d.iPAddress);
	return NULL;
}

static int
tls_certificate_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static const char *
tls_certificate_join(struct arena *arena, char **names, size_t count)
{
	size_t size = 1;

	for (size_t i = 0; i < count; i++)
		size += strlen(names[i]) + 2;

	char *text = arena_alloc(arena, size), *end = text;

	qsort(names, count, sizeof(*names), tls_certificate_compare);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || strcmp(names[i], names[i - 1]) != 0)
			end = stpcpy(stpcpy(end, i > 0 ? ", " : ""), names[i]);
	return text;
}

static const char *
tls_certificate_common_name(struct arena *arena, X509 *certificate)
{
	X509_NAME *subject = X509_get_subject_name(certificate);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

	if (at < 0)
		return "";
	return tls_certificate_text(
	    arena, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

static const char *
tls_certificate_names(struct arena *arena, X509 *certificate)
{
	GENERAL_NAMES *all = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	int most = all != NULL ? sk_GENERAL_NAME_num(all) : 0;
	char **names = arena_alloc(arena, ((size_t)most + 1) * sizeof(*names));
	size_t count = 0;

	for (int i = 0; i < most; i++) {
		names[count] = tls_certificate_name(arena, sk_GENERAL_NAME_value(all, i));
		count += names[count] != NULL;
	}
	GENERAL_NAMES_free(all);
	if (count == 0)
		return tls_certificate_common_name(arena, certificate);
	return tls_certificate_join(arena, names, count);
}

static const char *
tls_certificate_key_type(struct arena *arena, X509 *certificate)
{
	EVP_PKEY *key = X509_get0_pubkey(certificate);
	char group[80] = "";

	if (key == NULL)
		return "unknown";
	if (EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "RSA-PSS"))
		return arena_format(arena, "rsa %d", EVP_PKEY_get_bits(key));
	if (EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1) {
		const char *name = EC_curve_nid2nist(OBJ_sn2nid(group));

		return arena_format(arena, "ec %s", name != NULL ? name : group);
	}
	return arena_strdup(arena, EVP_PKEY_get0_type_name(key));
}

static long long
tls_certificate_not_after(X509 *certificate)
{
	struct tm end;

	if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1)
		return 0;
	return timegm(&end);
}

struct tls_certificate
tls_certificate_describe(struct arena *arena, const char *file, X509 *certificate)
{
	struct tls_certificate described = {
		.file = arena_strdup(arena, file),
		.names = tls_certificate_names(arena, certificate),
		.not_after = tls_certificate_not_after(certificate),
		.key_type = tls_certificate_key_type(arena, certificate),
	};

	ERR_clear_error();
	return described;
}
