#include "lib/arc.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "lib/dkim_tags.h"

enum { CANON_MOST = 1024 * 1024 /* of the signed fields together */ };

/* ---- what is signed ---- */

/* The value of a signature without its b=, in the arena. */
static struct slice
arc_without_b(struct arena *arena, struct slice value)
{
	struct dkim_tags tags;
	const struct slice *b =
	    dkim_tags_read(&tags, value) == NULL ? dkim_tags_find(&tags, "b") : NULL;

	if (b == NULL)
		return value;
	size_t from = (size_t)(b->data - value.data), to = from + b->length;

	while (value.data[from - 1] != '=')
		from--;
	while (to < value.length && value.data[to] != ';')
		to++;
	char *text = arena_copy(arena, value);

	memmove(text + from, text + to, value.length - to);
	return (struct slice) { text, from + value.length - to };
}

static void
arc_put(struct buf *canon, bool is_simple, const struct header_field *field, struct slice value)
{
	if (!is_simple) {
		dkim_canon_field(canon, field->name, value);
		return;
	}
	buf_append(canon, field->name);
	buf_append_byte(canon, ':');
	buf_append(canon, value);
}

/* Is c= one of these? Without it the form is simple. */
static bool
arc_is_simple(struct slice value, const char *const *forms)
{
	struct dkim_tags tags;
	const struct slice *canon =
	    dkim_tags_read(&tags, value) == NULL ? dkim_tags_find(&tags, "c") : NULL;
	bool is_simple = canon == NULL;

	for (; !is_simple && *forms != NULL; forms++)
		is_simple = slice_equals(*canon, slice_of(*forms));
	return is_simple;
}

/* The fields of h=, each from the bottom (RFC 6376 5.4.2). */
static void
arc_put_signed(
    struct buf *canon, bool is_simple, struct arena *arena, struct slice names, struct slice header)
{
	struct header_field *field = arena_alloc(arena, ARC_FIELDS_MOST * sizeof(*field));
	size_t count = 0, offset = 0;
	struct slice name;

	while (count < ARC_FIELDS_MOST && header_next(header, &offset, &field[count]))
		count++;
	while (dkim_tags_item(&names, &name)) {
		size_t i = count;

		while (i > 0 &&
		    (field[i - 1].name.length != name.length ||
			strncasecmp(field[i - 1].name.data, name.data, name.length) != 0))
			i--;
		if (i == 0)
			continue;
		arc_put(canon, is_simple, &field[i - 1], field[i - 1].value);
		buf_append(canon, slice_of("\r\n"));
		field[i - 1].name.length = 0; /* it is taken */
	}
}

static bool
arc_digest(struct buf *canon, unsigned char digest[DKIM_CANON_HASH])
{
	return !canon->overflowed &&
	    EVP_Digest(canon->data, canon->length, digest, NULL, EVP_sha256(), NULL) == 1;
}

/* Of the newest message signature. */
static bool
arc_digest_message(struct arc *arc, struct slice header, unsigned char digest[DKIM_CANON_HASH])
{
	static const char *const forms[] = { "simple", "simple/simple", "simple/relaxed", NULL };
	const struct header_field *own = &arc->sets->set[arc->sets->count - 1].field[ARC_MESSAGE];
	bool is_simple = arc_is_simple(own->value, forms);
	struct buf canon = { .limit = CANON_MOST };
	struct dkim_tags tags;

	dkim_tags_read(&tags, own->value);
	arc_put_signed(&canon, is_simple, arc->arena, *dkim_tags_find(&tags, "h"), header);
	arc_put(&canon, is_simple, own, arc_without_b(arc->arena, own->value));
	bool is_good = arc_digest(&canon, digest);

	buf_free(&canon);
	return is_good;
}

/* Of each seal: all sets up to its own (RFC 8617 5.1.1). */
static bool
arc_digest_seals(struct arc *arc)
{
	struct buf canon = { .limit = CANON_MOST };
	bool is_good = true;

	for (size_t i = 0; i < arc->sets->count; i++) {
		const struct header_field *field = arc->sets->set[i].field;

		for (enum arc_kind kind = ARC_RESULTS; kind < ARC_SEAL; kind++) {
			arc_put(&canon, false, &field[kind], field[kind].value);
			buf_append(&canon, slice_of("\r\n"));
		}
		size_t length = canon.length;

		arc_put(&canon, false, &field[ARC_SEAL],
		    arc_without_b(arc->arena, field[ARC_SEAL].value));
		is_good = is_good && arc_digest(&canon, arc->key[i + 1].digest);
		buf_cut(&canon, length);
		arc_put(&canon, false, &field[ARC_SEAL], field[ARC_SEAL].value);
		buf_append(&canon, slice_of("\r\n"));
	}
	buf_free(&canon);
	return is_good;
}

/* ---- the header ---- */

static bool
arc_read_key(struct arc *arc, struct arc_key *key, const struct dkim_signature *signature,
    struct slice value)
{
	struct dkim_tags tags;

	dkim_tags_read(&tags, value);
	const char *text = dkim_tags_squeeze(arc->arena, *dkim_tags_find(&tags, "b"));
	size_t length = strlen(text), padding = 0;
	unsigned char *made = arena_alloc(arc->arena, length + 1);

	while (padding < length && text[length - 1 - padding] == '=')
		padding++;
	int size = EVP_DecodeBlock(made, (const unsigned char *)text, (int)length);

	key->signature = signature;
	key->name =
	    arena_format(arc->arena, "%s._domainkey.%s", signature->selector, signature->domain);
	key->made = (struct slice) { (const char *)made, (size_t)size - padding };
	return size > (int)padding;
}

static const char *
arc_prepare(struct arc *arc, struct slice header)
{
	/* `relaxed` alone says nothing of the body: it is simple (RFC 6376 3.5, c=) */
	static const char *const forms[] = { "simple", "relaxed", "simple/simple", "relaxed/simple",
		NULL };
	struct arc_sets *sets = arc->sets;
	struct slice message = sets->set[sets->count - 1].field[ARC_MESSAGE].value;
	struct dkim_tags tags;
	bool is_good;

	arc->key = arena_alloc(arc->arena, (sets->count + 1) * sizeof(*arc->key));
	is_good = arc_read_key(arc, &arc->key[0], &sets->message, message);
	for (size_t i = 0; i < sets->count; i++)
		is_good = arc_read_key(arc, &arc->key[i + 1], &sets->set[i].seal,
			      sets->set[i].field[ARC_SEAL].value) &&
		    is_good;
	if (!is_good || !arc_digest_message(arc, header, arc->key[0].digest) ||
	    !arc_digest_seals(arc))
		return "the header is too long";
	dkim_tags_read(&tags, message);
	arc->body_hash = dkim_tags_squeeze(arc->arena, *dkim_tags_find(&tags, "bh"));
	dkim_canon_begin(&arc->body, arc->arena);
	arc->body.is_simple = arc_is_simple(message, forms);
	arc->count = sets->count + 1;
	return NULL;
}

void
arc_begin(struct arc *arc, struct arena *arena, struct slice header, double now)
{
	struct header_field field;
	size_t offset = 0, fields = 0;

	arc->arena = arena;
	while (fields <= ARC_FIELDS_MOST && header_next(header, &offset, &field))
		fields++;
	arc->sets = arc_sets_read(arena, header, now);
	if (arc->sets == NULL || arc->sets->why != NULL)
		return;
	arc->sets->why =
	    fields > ARC_FIELDS_MOST ? "the header has too many fields" : arc_prepare(arc, header);
}

void
arc_body(struct arc *arc, struct slice piece)
{
	if (arc->count == 0 || piece.length == 0)
		return;
	arc->last[0] = piece.length > 1 ? piece.data[piece.length - 2] : arc->last[1];
	arc->last[1] = piece.data[piece.length - 1];
	arc->size += piece.length;
	dkim_canon_feed(&arc->body, piece);
}

/* ---- the keys ---- */

/* The key is one that dkim_record made: SubjectPublicKeyInfo of RSA, or 32 octets. */
static EVP_PKEY *
arc_public(struct arena *arena, const struct dkim_record *record, bool is_rsa)
{
	size_t length = strlen(record->key), padding = 0;
	unsigned char *der = arena_alloc(arena, length + 1);
	const unsigned char *at = der;

	while (padding < length && record->key[length - 1 - padding] == '=')
		padding++;
	int size = EVP_DecodeBlock(der, (const unsigned char *)record->key, (int)length);

	if (size <= (int)padding)
		return NULL;
	return is_rsa
	    ? d2i_PUBKEY(NULL, &at, (long)size - (long)padding)
	    : EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, der, (size_t)size - padding);
}

static bool
arc_verify_rsa(EVP_PKEY *public, const struct arc_key *key)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(public, NULL);
	bool is_good = context != NULL && EVP_PKEY_verify_init(context) == 1 &&
	    EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 &&
	    EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1 &&
	    EVP_PKEY_verify(context, (const unsigned char *)key->made.data, key->made.length,
		key->digest, sizeof(key->digest)) == 1;

	EVP_PKEY_CTX_free(context);
	return is_good;
}

/* RFC 8463 3: what Ed25519 signs is the hash. */
static bool
arc_verify_ed25519(EVP_PKEY *public, const struct arc_key *key)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool is_good = context != NULL &&
	    EVP_DigestVerifyInit(context, NULL, NULL, NULL, public) == 1 &&
	    EVP_DigestVerify(context, (const unsigned char *)key->made.data, key->made.length,
		key->digest, sizeof(key->digest)) == 1;

	EVP_MD_CTX_free(context);
	return is_good;
}

static bool
arc_verify(struct arc *arc, const struct arc_key *key, const struct dkim_record *record)
{
	bool is_rsa = key->signature->kind != DKIM_ED25519_SHA256;
	EVP_PKEY *public = arc_public(arc->arena, record, is_rsa);
	bool is_good = public != NULL &&
	    (is_rsa ? arc_verify_rsa(public, key) : arc_verify_ed25519(public, key));

	EVP_PKEY_free(public);
	ERR_clear_error();
	return is_good;
}

void
arc_key(struct arc *arc, struct arc_key *key, const struct dns_answer *answer)
{
	struct dkim_record record;

	key->is_known = true;
	if (answer->state == DNS_FAILED) {
		key->why = arena_strdup(arc->arena, answer->why);
		return;
	}
	if (answer->count != 1) {
		key->why = answer->count == 0 ? "no key is published" : "several keys at one name";
		return;
	}
	dkim_record_read(&record, arc->arena, answer->records[0], key->signature);
	if (record.word != NULL)
		key->why = record.why;
	else if (!arc_verify(arc, key, &record))
		key->why = "the signature does not match";
}

/* ---- the end ---- */

static bool
arc_body_matches(struct arc *arc)
{
	unsigned char hash[DKIM_CANON_HASH], text[DKIM_CANON_HASH * 2];

	/* a message may come without the last line end (BDAT); signers always have it */
	if (arc->size > 0 && memcmp(arc->last, "\r\n", 2) != 0)
		dkim_canon_feed(&arc->body, slice_of("\r\n"));
	dkim_canon_end(&arc->body, hash);
	EVP_EncodeBlock(text, hash, sizeof(hash));
	return strcmp((const char *)text, arc->body_hash) == 0;
}

static const char *
arc_judge(struct arc *arc)
{
	if (arc->sets->why != NULL)
		return arc->sets->why;
	if (!arc_body_matches(arc))
		return "the body is another";
	if (arc->key[0].why != NULL)
		return arena_format(arc->arena, "the message signature: %s", arc->key[0].why);
	for (size_t i = arc->sets->count; i > 0; i--)
		if (arc->key[i].why != NULL)
			return arena_format(arc->arena, "the seal of %zu: %s", i, arc->key[i].why);
	return NULL;
}

void
arc_end(struct arc *arc)
{
	if (arc->sets == NULL) {
		arc->word = "none";
		arc->why = "no ARC set";
		return;
	}
	const char *why = arc_judge(arc), *plural = arc->sets->count == 1 ? "" : "s";

	arc->word = why == NULL ? "pass" : "fail";
	arc->why = why == NULL
	    ? arena_format(arc->arena, "%zu set%s", arc->sets->count, plural)
	    : arena_format(arc->arena, "%zu set%s: %s", arc->sets->count, plural, why);
}
