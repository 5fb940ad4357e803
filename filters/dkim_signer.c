#include "filters/dkim_signer.h"

#include <ctype.h>

static bool
dkim_signer_read_name(struct option_reader *reader, const struct node *value, void *field)
{
	if (value->kind != NODE_TEXT || !dkim_signature_is_domain(value->text, 1))
		return false;
	char *text = arena_strdup(reader->arena, value->text);

	for (char *c = text; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	*(const char **)field = text;
	return true;
}

static bool
dkim_signer_read_key(struct option_reader *reader, const struct node *value, void *field)
{
	const char *why;

	if (value->kind != NODE_TEXT || node_is_empty(value))
		return false;
	EVP_PKEY *key = dkim_sign_read_key(reader->arena, option_path(reader, value), &why);

	if (key == NULL)
		fault_add(reader->faults, value, "%s", why);
	*(EVP_PKEY **)field = key;
	return key != NULL;
}

const struct option dkim_signer_options[] = {
	OPTION_CUSTOM(dkim_signer, domain, dkim_signer_read_name, .required = true,
	    .expected = "a domain such as example.com",
	    .help = "Mail whose author (From) is in this domain, and not one below it, is signed."),
	OPTION_CUSTOM(dkim_signer, selector, dkim_signer_read_name, .required = true,
	    .expected = "a selector such as s1",
	    .help = "Under which name, SELECTOR._domainkey.DOMAIN, the key is published."),
	OPTION_CUSTOM(dkim_signer, key, dkim_signer_read_key, .required = true,
	    .expected = "the path of a PEM file",
	    .help =
		"A PEM file with the private key, RSA or Ed25519, as postern dkim-key makes it."),
	{ 0 },
};

static bool
dkim_signer_has(const struct dkim_signers *signers, const char *domain)
{
	for (size_t i = 0; i < signers->count; i++)
		if (strcmp(signers->item[i].domain, domain) == 0)
			return true;
	return false;
}

void
dkim_signer_begin(struct dkim_signature_making *making, struct arena *arena,
    const struct dkim_signers *signers, struct slice header)
{
	const char *author = signers->count > 0 ? dkim_sign_author(arena, header) : NULL;

	if (author == NULL || !dkim_signer_has(signers, author))
		return;
	making->signers = signers;
	making->author = author;
	dkim_canon_begin(&making->canon, arena);
}

void
dkim_signer_body(struct dkim_signature_making *making, struct slice piece)
{
	if (making->author != NULL)
		dkim_canon_feed(&making->canon, piece);
}

const char *
dkim_signer_fields(
    struct dkim_signature_making *making, struct arena *arena, struct slice header, double now)
{
	unsigned char body[DKIM_CANON_HASH];

	if (making->author == NULL)
		return "";
	if (making->fields != NULL)
		return making->fields;
	making->fields = "";
	dkim_canon_end(&making->canon, body);
	for (size_t i = 0; i < making->signers->count; i++) {
		const struct dkim_signer *one = &making->signers->item[i];

		if (strcmp(one->domain, making->author) != 0)
			continue;
		const char *field = dkim_sign_field(
		    arena, one->key, one->domain, one->selector, header, body, (uint64_t)now);

		if (field != NULL)
			making->fields = arena_format(arena, "%s%s", making->fields, field);
	}
	return making->fields;
}
