#include "lib/dkim_signature.h"

#include <ctype.h>
#include <stdlib.h>

#include "lib/dkim_tags.h"

enum {
	DOMAIN_MOST = 253,
	LABEL_MOST = 63,
	DIGITS_MOST = 76,
	IDENTITY_MOST = 1000,
	TEXT_MOST = 255
};

/* While a field is read. */
struct dkim_reading {
	struct dkim_signature *signature;
	struct arena *arena;
	struct dkim_tags tags;
	double now;
	enum dkim_form form;
};

bool
dkim_signature_is_domain(const char *text, unsigned labels)
{
	unsigned count = 0;

	if (strlen(text) > DOMAIN_MOST)
		return false;
	for (;; count++) {
		size_t label = 0;

		while (
		    isalnum((unsigned char)text[label]) || text[label] == '-' || text[label] == '_')
			label++;
		if (label == 0 || label > LABEL_MOST)
			return false;
		if (text[label] == '\0')
			return count + 1 >= labels;
		if (text[label] != '.')
			return false;
		text += label + 1;
	}
}

/* ---- parts; each returns what is wrong, or NULL ---- */

/* Of the forms, in their order: which have it. */
static const struct dkim_signature_must {
	const char *name, *lacks;
	bool forms[3];
} dkim_signature_musts[] = {
	{ "v", "no v=", { true, false, false } },
	{ "a", "no a=", { true, true, true } },
	{ "b", "no b=", { true, true, true } },
	{ "bh", "no bh=", { true, true, false } },
	{ "d", "no d=", { true, true, true } },
	{ "h", "no h=", { true, true, false } },
	{ "s", "no s=", { true, true, true } },
};

static const char *
dkim_signature_complete(struct dkim_reading *reading)
{
	const struct slice *version = dkim_tags_find(&reading->tags, "v");

	for (size_t i = 0; i < sizeof(dkim_signature_musts) / sizeof(dkim_signature_musts[0]);
	     i++) {
		const struct dkim_signature_must *must = &dkim_signature_musts[i];
		const struct slice *value = dkim_tags_find(&reading->tags, must->name);

		if (must->forms[reading->form] && (value == NULL || value->length == 0))
			return must->lacks;
	}
	return reading->form != DKIM_FORM || slice_equals(*version, slice_of("1")) ? NULL
										   : "v= is not 1";
}

static const char *
dkim_signature_names(struct dkim_reading *reading)
{
	const struct dkim_signature *signature = reading->signature;

	if (!dkim_signature_is_domain(signature->domain, 2))
		return "d= is not a domain";
	if (!dkim_signature_is_domain(signature->selector, 1))
		return "s= is not a selector";
	return NULL;
}

static const char *
dkim_signature_algorithms(struct dkim_reading *reading)
{
	static const char *const known[] = { "rsa-sha256", "ed25519-sha256", "rsa-sha1" };
	static const char *const canons[] = { "simple", "relaxed", "simple/simple",
		"simple/relaxed", "relaxed/simple", "relaxed/relaxed" };
	const struct slice *canon = dkim_tags_find(&reading->tags, "c");
	bool is_known = false;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(reading->signature->algorithm, known[i]) != 0)
			continue;
		reading->signature->kind = (enum dkim_algorithm)i;
		is_known = true;
	}
	if (!is_known)
		return "a= is not known";
	is_known = canon == NULL;
	for (size_t i = 0; i < sizeof(canons) / sizeof(canons[0]) && !is_known; i++)
		is_known = slice_equals(*canon, slice_of(canons[i]));
	if (!is_known)
		return "c= is not known";
	const struct slice *query = dkim_tags_find(&reading->tags, "q");

	return query == NULL || dkim_tags_lists(*query, "dns/txt") ? NULL : "q= is not known";
}

/* A tag whose value is a number, if it is there; *number is as large as can be, if it is more. */
static bool
dkim_signature_number(
    struct dkim_reading *reading, const char *name, bool *is_there, double *number)
{
	const struct slice *value = dkim_tags_find(&reading->tags, name);
	char digits[DIGITS_MOST + 1];

	*is_there = value != NULL;
	if (value == NULL)
		return true;
	if (value->length == 0 || value->length > DIGITS_MOST)
		return false;
	memcpy(digits, value->data, value->length);
	digits[value->length] = '\0';
	*number = strtod(digits, NULL);
	return strspn(digits, "0123456789") == value->length;
}

static const char *
dkim_signature_numbers(struct dkim_reading *reading)
{
	struct dkim_signature *signature = reading->signature;
	double length = 0, made = 0, ends = 0;
	bool has_made, has_end;

	if (!dkim_signature_number(reading, "l", &signature->has_length, &length))
		return "l= is not a number";
	signature->length = length < 1e18 ? (uint64_t)length : UINT64_MAX;
	if (!dkim_signature_number(reading, "t", &has_made, &made))
		return "t= is not a number";
	if (!dkim_signature_number(reading, "x", &has_end, &ends))
		return "x= is not a number";
	return has_made && has_end && ends <= made ? "x= is not after t=" : NULL;
}

static const char *
dkim_signature_fields(struct dkim_reading *reading)
{
	const struct slice *names = dkim_tags_find(&reading->tags, "h");
	bool has_from = false;
	struct slice rest, name;

	if (reading->form == DKIM_FORM_ARC_SEAL)
		return names != NULL ? "h= in a seal" : NULL;
	rest = *names;
	while (dkim_tags_item(&rest, &name)) {
		if (name.length == 0)
			return "h= has an empty name";
		for (size_t i = 0; i < name.length; i++)
			if (!isgraph((unsigned char)name.data[i]))
				return "h= has a name that is none";
		has_from |= slice_matches(name, "from");
	}
	return has_from ? NULL : "From is not signed";
}

static int
dkim_signature_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return isxdigit((unsigned char)c) ? tolower(c) - 'a' + 10 : -1;
}

/* dkim-quoted-printable (RFC 6376 2.11), in place; what decodes to no printable ASCII is '?'. */
static bool
dkim_signature_decode(char *text)
{
	char *end = text;

	for (; *text != '\0'; text++) {
		int high = *text == '=' ? dkim_signature_hex(text[1]) : 0;
		int low = *text == '=' && high >= 0 ? dkim_signature_hex(text[2]) : 0;

		if (high < 0 || low < 0)
			return false;
		if (*text != '=') {
			*end++ = *text;
			continue;
		}
		*end++ = (char)(high * 16 + low);
		if (!isgraph((unsigned char)end[-1]) && end[-1] != ' ')
			end[-1] = '?';
		text += 2;
	}
	*end = '\0';
	return true;
}

static const char *
dkim_signature_identity(struct dkim_reading *reading)
{
	struct dkim_signature *signature = reading->signature;
	const struct slice *value = dkim_tags_find(&reading->tags, "i");
	size_t domain = strlen(signature->domain);

	if (value == NULL || reading->form != DKIM_FORM)
		return NULL;
	if (value->length > IDENTITY_MOST)
		return "i= is too long";
	char *identity = dkim_tags_squeeze(reading->arena, *value);

	if (!dkim_signature_decode(identity))
		return "i= is not well quoted";
	const char *at = strrchr(identity, '@');

	if (at == NULL || !dkim_signature_is_domain(at + 1, 1))
		return "i= has no domain";
	size_t length = strlen(at + 1);

	if (length < domain || strcasecmp(at + 1 + length - domain, signature->domain) != 0 ||
	    (length > domain && at[length - domain] != '.'))
		return "i= is not within d=";
	signature->identity = identity;
	signature->identity_domain = at + 1;
	return NULL;
}

static const char *
dkim_signature_hashes(struct dkim_reading *reading)
{
	if (!dkim_tags_is_base64(*dkim_tags_find(&reading->tags, "b")))
		return "b= is not base64";
	if (reading->form != DKIM_FORM_ARC_SEAL &&
	    !dkim_tags_is_base64(*dkim_tags_find(&reading->tags, "bh")))
		return "bh= is not base64";
	return NULL;
}

/* ---- what is right, and not taken ---- */

static const char *
dkim_signature_policy(struct dkim_reading *reading)
{
	const struct slice *names_value = dkim_tags_find(&reading->tags, "h");
	struct slice rest = names_value != NULL ? *names_value : (struct slice) { NULL, 0 }, name;
	double made = 0, ends = 0;
	bool has_made, has_end;
	unsigned names = 0;

	dkim_signature_number(reading, "t", &has_made, &made);
	dkim_signature_number(reading, "x", &has_end, &ends);
	if (reading->signature->kind == DKIM_RSA_SHA1)
		return "rsa-sha1 is not secure (RFC 8301)";
	if (has_end && ends < reading->now)
		return "expired";
	if (has_made && made > reading->now + DKIM_DRIFT)
		return "from the future";
	while (dkim_tags_item(&rest, &name))
		names++;
	return names > DKIM_NAMES_MOST ? "too many names in h=" : NULL;
}

/* What is longer than any good value is cut; it is none then, either. */
static const char *
dkim_signature_text(struct dkim_reading *reading, const char *name)
{
	const struct slice *value = dkim_tags_find(&reading->tags, name);
	struct slice start = value != NULL ? *value : (struct slice) { "", 0 };

	if (start.length > TEXT_MOST)
		start.length = TEXT_MOST;
	char *text = arena_copy(reading->arena, start);

	for (size_t i = 0; text[i] != '\0'; i++)
		if (text[i] < ' ' || text[i] > '~')
			text[i] = '?';
	return text;
}

void
dkim_signature_read_as(struct dkim_signature *signature, enum dkim_form form, struct arena *arena,
    struct slice value, double now)
{
	static const char *(*const parts[])(struct dkim_reading *) = { dkim_signature_complete,
		dkim_signature_names, dkim_signature_algorithms, dkim_signature_numbers,
		dkim_signature_fields, dkim_signature_identity, dkim_signature_hashes };
	struct dkim_reading reading = {
		.signature = signature, .arena = arena, .now = now, .form = form
	};
	const char *why = dkim_tags_read(&reading.tags, value);

	*signature = (struct dkim_signature) { .domain = dkim_signature_text(&reading, "d"),
		.selector = dkim_signature_text(&reading, "s"),
		.algorithm = dkim_signature_text(&reading, "a"),
		.identity = "" };
	signature->identity_domain = signature->domain;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && why == NULL; i++)
		why = parts[i](&reading);
	if (why != NULL)
		signature->word = "permerror";
	else if ((why = dkim_signature_policy(&reading)) != NULL)
		signature->word = "policy";
	signature->why = why != NULL ? why : "";
}

void
dkim_signature_read(
    struct dkim_signature *signature, struct arena *arena, struct slice value, double now)
{
	dkim_signature_read_as(signature, DKIM_FORM, arena, value, now);
}
