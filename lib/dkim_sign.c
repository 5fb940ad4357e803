#include "lib/dkim_sign.h"

#include <ctype.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "lib/file.h"
#include "lib/header.h"

enum {
	PEM_MOST = 64 * 1024,
	CANON_MOST = 1024 * 1024, /* of the signed fields together */
	TIMES_MOST = 10,          /* that one name is signed */
	AUTHOR_MOST = 2000,
	LINE = 72,
};

struct dkim_sign_name {
	const char *name;
	bool is_closed; /* signed once more than it is there */
};

static const struct dkim_sign_name dkim_sign_names[] = {
	{ "From", true },
	{ "To", true },
	{ "Cc", false },
	{ "Subject", true },
	{ "Date", false },
	{ "Message-ID", false },
	{ "Reply-To", false },
	{ "In-Reply-To", false },
	{ "References", false },
	{ "MIME-Version", false },
	{ "Content-Type", false },
};

enum { NAMES = sizeof(dkim_sign_names) / sizeof(dkim_sign_names[0]) };

/* ---- keys ---- */

/* Without this OpenSSL would ask for the passphrase at the terminal. */
static int
dkim_sign_on_passphrase(char *room, int size, int is_writing, void *is_encrypted)
{
	(void)room, (void)size, (void)is_writing;
	*(bool *)is_encrypted = true;
	return -1;
}

static void
dkim_sign_undo_key(void *key)
{
	EVP_PKEY_free(key);
}

static const char *
dkim_sign_unfit(EVP_PKEY *key, bool is_encrypted)
{
	if (is_encrypted)
		return "is encrypted with a passphrase";
	if (key == NULL)
		return "holds no private key, as PEM";
	if (EVP_PKEY_is_a(key, "RSA"))
		return EVP_PKEY_get_bits(key) < DKIM_BITS_LEAST
		    ? "RSA with fewer than 1024 bits is not accepted anywhere (RFC 8301)"
		    : NULL;
	return EVP_PKEY_is_a(key, "ED25519") ? NULL : "is neither an RSA nor an Ed25519 key";
}

EVP_PKEY *
dkim_sign_read_key(struct arena *arena, const char *path, const char **why)
{
	bool is_encrypted = false;
	struct file file;

	if (!file_read(arena, path, PEM_MOST, &file)) {
		*why = arena_format(arena, "%s: %s", path, file.fault);
		return NULL;
	}
	BIO *bio = BIO_new_mem_buf(file.bytes.data, (int)file.bytes.length);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, dkim_sign_on_passphrase, &is_encrypted);
	const char *unfit = dkim_sign_unfit(key, is_encrypted);

	BIO_free(bio);
	ERR_clear_error();
	OPENSSL_cleanse((char *)(uintptr_t)file.bytes.data, file.bytes.length);
	if (unfit != NULL) {
		*why = arena_format(arena, "%s: %s", path, unfit);
		EVP_PKEY_free(key);
		return NULL;
	}
	arena_defer(arena, dkim_sign_undo_key, key);
	return key;
}

/* ---- the author ---- */

/* Behind a quoted string, a comment (they nest) or one octet; NULL: it does not end. */
static const char *
dkim_sign_skip(const char *at)
{
	char close = *at == '"' ? '"' : ')';
	bool is_comment = *at == '(';
	int depth = *at == '"' || is_comment;

	for (at++; depth > 0; at++) {
		if (*at == '\\' && at[1] != '\0')
			at++;
		else if (*at == '\0')
			return NULL;
		else if (*at == close)
			depth--;
		else if (is_comment && *at == '(')
			depth++;
	}
	return at;
}

/* An address without its quoted strings, comments and blanks: what is left of "a b"@c is @c. */
static bool
dkim_sign_bare(char *out, const char *text)
{
	while (*text != '\0') {
		const char *behind = dkim_sign_skip(text);

		if (behind == NULL)
			return false;
		if (behind == text + 1 && *text != ' ' && *text != '\t')
			*out++ = *text;
		text = behind;
	}
	*out = '\0';
	return true;
}

const char *
dkim_sign_author(struct arena *arena, struct slice header)
{
	char value[AUTHOR_MOST + 1], bare[AUTHOR_MOST + 1];
	struct header_field field;
	size_t offset = 0;

	if (header_count(header, "From") != 1 || !header_find(header, &offset, "From", &field))
		return NULL;
	size_t length = header_unfold(field.value, value, sizeof(value));

	if (length > AUTHOR_MOST || field.faults != 0)
		return NULL;
	value[length] = '\0';
	if (!dkim_sign_bare(bare, value))
		return NULL;
	char *open = strchr(bare, '<'), *address = open != NULL ? open + 1 : bare;
	size_t end = strcspn(address, ">");

	/* Nothing may follow the address in angle brackets, and no second one may be there. */
	if ((address[end] == '>') != (open != NULL) || (open != NULL && address[end + 1] != '\0'))
		return NULL;
	address[end] = '\0';
	char *at = strchr(address, '@');

	if (strpbrk(bare, open != NULL ? ",;:<@" : ",;:<") != open || at == NULL ||
	    strchr(at + 1, '@') != NULL || !dkim_signature_is_domain(at + 1, 1))
		return NULL;
	for (char *c = at; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	return arena_strdup(arena, at + 1);
}

/* ---- the field ---- */

struct dkim_signing {
	EVP_PKEY *key;
	struct slice header;
	struct buf *canon; /* what is signed */
	struct buf *field; /* what comes out */
	size_t column;
};

/* A piece of the field that is not broken; before it, where the line is full, a fold. */
static void
dkim_sign_put(struct dkim_signing *signing, const char *text)
{
	size_t length = strlen(text);

	if (signing->column + length > LINE) {
		buf_append(signing->field, slice_of("\r\n\t"));
		signing->column = 8;
		text += text[0] == ' ';
	}
	buf_append(signing->field, slice_of(text));
	signing->column += length;
}

static void
dkim_sign_put_base64(struct dkim_signing *signing, const unsigned char *bytes, size_t length)
{
	enum { STEP = 48 }; /* octets: a line of 64 letters */
	unsigned char text[STEP / 3 * 4 + 1];

	for (size_t i = 0; i < length; i += STEP) {
		EVP_EncodeBlock(text, bytes + i, (int)(length - i < STEP ? length - i : STEP));
		dkim_sign_put(signing, (const char *)text);
	}
}

/* The count-th field of this name, from the bottom (from 1); how RFC 6376 5.4.2 takes them. */
static void
dkim_sign_take(struct dkim_signing *signing, const char *name, size_t present, size_t count)
{
	struct header_field field;
	size_t offset = 0;

	for (size_t i = 0; i + count <= present; i++)
		header_find(signing->header, &offset, name, &field);
	dkim_canon_field(signing->canon, field.name, field.value);
	buf_append(signing->canon, slice_of("\r\n"));
}

/* h=, and the fields themselves. */
static void
dkim_sign_put_names(struct dkim_signing *signing)
{
	const char *before = " h=";

	for (size_t i = 0; i < NAMES; i++) {
		const struct dkim_sign_name *one = &dkim_sign_names[i];
		size_t present = header_count(signing->header, one->name);
		size_t times = present < TIMES_MOST ? present : TIMES_MOST;
		char text[64];

		for (size_t count = 1; count <= times + one->is_closed; count++) {
			snprintf(text, sizeof(text), "%s%s", before, one->name);
			dkim_sign_put(signing, text);
			before = ":";
			if (count <= present)
				dkim_sign_take(signing, one->name, present, count);
		}
	}
	dkim_sign_put(signing, ";");
}

/* Over the canonical header; Ed25519 signs its hash (RFC 8463 3). */
static size_t
dkim_sign_make(const struct dkim_signing *signing, unsigned char *out, size_t room)
{
	const unsigned char *text = (const unsigned char *)signing->canon->data;
	size_t length = signing->canon->length;
	bool is_rsa = EVP_PKEY_is_a(signing->key, "RSA");
	unsigned char hash[DKIM_CANON_HASH];
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool is_good = context != NULL &&
	    EVP_DigestSignInit(context, NULL, is_rsa ? EVP_sha256() : NULL, NULL, signing->key) ==
		1;

	if (is_good && !is_rsa) {
		is_good = EVP_Digest(text, length, hash, NULL, EVP_sha256(), NULL) == 1;
		text = hash;
		length = sizeof(hash);
	}
	is_good = is_good && EVP_DigestSign(context, out, &room, text, length) == 1;
	EVP_MD_CTX_free(context);
	ERR_clear_error();
	return is_good ? room : 0;
}

static void
dkim_sign_put_tags(struct dkim_signing *signing, struct arena *arena, const char *domain,
    const char *selector, uint64_t now)
{
	const char *algorithm = EVP_PKEY_is_a(signing->key, "RSA") ? "rsa" : "ed25519";
	unsigned long long made = now;

	dkim_sign_put(signing, "DKIM-Signature: v=1;");
	dkim_sign_put(signing, arena_format(arena, " a=%s-sha256;", algorithm));
	dkim_sign_put(signing, " c=relaxed/relaxed;");
	dkim_sign_put(signing, arena_format(arena, " d=%s;", domain));
	dkim_sign_put(signing, arena_format(arena, " s=%s;", selector));
	dkim_sign_put(
	    signing, arena_format(arena, " t=%llu; x=%llu;", made, made + DKIM_SIGN_LIFE));
}

const char *
dkim_sign_field(struct arena *arena, EVP_PKEY *key, const char *domain, const char *selector,
    struct slice header, const unsigned char body[DKIM_CANON_HASH], uint64_t now)
{
	struct buf canon = { .limit = CANON_MOST }, field = { .limit = CANON_MOST };
	struct dkim_signing signing = {
		.key = key, .header = header, .canon = &canon, .field = &field
	};
	unsigned char made[1024 * 2]; /* an RSA key of 16384 bits */
	const char *text = NULL;
	size_t length = 0;

	dkim_sign_put_tags(&signing, arena, domain, selector, now);
	dkim_sign_put_names(&signing);
	dkim_sign_put(&signing, " bh=");
	dkim_sign_put_base64(&signing, body, DKIM_CANON_HASH);
	dkim_sign_put(&signing, ";");
	dkim_sign_put(&signing, " b=");
	struct slice so_far = buf_slice(&field);
	const size_t name = strlen("DKIM-Signature");

	dkim_canon_field(&canon, (struct slice) { so_far.data, name },
	    (struct slice) { so_far.data + name + 1, so_far.length - name - 1 });
	if (!canon.overflowed && (size_t)EVP_PKEY_get_size(key) <= sizeof(made))
		length = dkim_sign_make(&signing, made, sizeof(made));
	if (length > 0) {
		dkim_sign_put_base64(&signing, made, length);
		buf_append(&field, slice_of("\r\n"));
		text = arena_copy(arena, buf_slice(&field));
	}
	buf_free(&canon);
	buf_free(&field);
	return text;
}
