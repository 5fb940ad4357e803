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

const char *
tls_certificate_fault(struct arena *arena, const char *file)
{
	unsigned long code = ERR_peek_error();
	const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;

	if (ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE)
		reason = "nothing of this kind in PEM in it";
	if (ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_BAD_PASSWORD_READ)
		reason = "is encrypted; a key without a passphrase is needed";
	ERR_clear_error();
	return arena_format(arena, "%s: %s", file, reason != NULL ? reason : "cannot be used");
}

static void
tls_certificate_undo(void *arg)
{
	X509_free(arg);
}

X509 *
tls_certificate_read(struct arena *arena, const char *file, const char **why)
{
	FILE *stream = fopen(file, "re");
	X509 *certificate;

	if (stream == NULL) {
		*why = arena_format(arena, "%s: %s", file, strerror(errno));
		return NULL;
	}
	ERR_clear_error();
	certificate = PEM_read_X509_AUX(stream, NULL, NULL, (char[]) { "" });
	fclose(stream);
	if (certificate == NULL)
		*why = tls_certificate_fault(arena, file);
	else
		arena_defer(arena, tls_certificate_undo, certificate);
	return certificate;
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
