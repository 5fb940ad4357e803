#include "lib/author.h"

#include <ctype.h>
#include <idn2.h>
#include <stdlib.h>

#include "lib/header.h"
#include "lib/utf8.h"

enum { NAME_MOST = 253, LABEL_MOST = 63 };

/* ---- domains ---- */

static bool
author_is_name(const char *name)
{
	size_t label = 0, length = strlen(name);

	if (length == 0 || length > NAME_MOST)
		return false;
	for (size_t i = 0; i <= length; i++) {
		if (name[i] == '.' || name[i] == '\0') {
			if (label == 0 || label > LABEL_MOST)
				return false;
			label = 0;
			continue;
		}
		if (!isalnum((unsigned char)name[i]) && name[i] != '-' && name[i] != '_')
			return false;
		label++;
	}
	return true;
}

static bool
author_is_ascii(struct slice text)
{
	for (size_t i = 0; i < text.length; i++)
		if ((unsigned char)text.data[i] >= 0x80 || text.data[i] == '\0')
			return false;
	return true;
}

const char *
author_domain(struct arena *arena, struct slice domain)
{
	char *name, *converted = NULL;

	if (domain.length > 1 && domain.data[domain.length - 1] == '.')
		domain.length--;
	if (domain.length > 4 * NAME_MOST || memchr(domain.data, '\0', domain.length) != NULL)
		return NULL;
	name = arena_copy(arena, domain);
	if (!author_is_ascii(domain)) {
		if (idn2_to_ascii_8z(name, &converted, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) !=
		    IDN2_OK)
			return NULL;
		name = arena_strdup(arena, converted);
		idn2_free(converted);
	}
	for (char *c = name; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	return author_is_name(name) ? name : NULL;
}

/* ---- the words of a field (RFC 5322 3.2) ---- */

enum word_kind { WORD_END, WORD_ATOM, WORD_QUOTED, WORD_LITERAL, WORD_SPECIAL, WORD_BROKEN };

struct word {
	enum word_kind kind;
	struct slice text; /* an atom's */
	char special;
};

/* Behind the comment that begins at `at`, however deep it is; NULL: it does not end. */
static const char *
author_skip_comment(const char *at, const char *end)
{
	size_t depth = 0;

	for (; at < end; at++) {
		if (*at == '\\' && ++at < end)
			continue;
		if (at == end)
			return NULL;
		if (*at == '(')
			depth++;
		else if (*at == ')' && --depth == 0)
			return at + 1;
	}
	return NULL;
}

static bool
author_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Behind what `close` ends, with quoted pairs; NULL: it does not end. */
static const char *
author_skip_to(const char *at, const char *end, char close)
{
	for (; at < end; at++) {
		if (*at == '\0')
			return NULL;
		if (*at == '\\')
			at++;
		else if (*at == close)
			return at + 1;
	}
	return NULL;
}

/* The next word of *rest, which moves behind it. Atoms may hold UTF-8 (RFC 6532). */
static struct word
author_word(struct slice *rest)
{
	const char *at = rest->data, *end = rest->data + rest->length, *begin;
	struct word word = { .kind = WORD_END };

	while (at != NULL && at < end && (author_is_blank(*at) || *at == '('))
		at = *at == '(' ? author_skip_comment(at, end) : at + 1;
	if (at == NULL)
		return (struct word) { .kind = WORD_BROKEN };
	begin = at;
	if (at < end && (*at == '"' || *at == '[')) {
		word.kind = *at == '"' ? WORD_QUOTED : WORD_LITERAL;
		at = author_skip_to(at + 1, end, *at == '"' ? '"' : ']');
	} else if (at < end && memchr("<>@,;:.\\)]", *at, 10) != NULL) {
		word = (struct word) { .kind = WORD_SPECIAL, .special = *at++ };
	} else {
		while (at < end && (unsigned char)*at > ' ' && *at != 0x7f &&
		    memchr("<>@,;:.\\)](\"[", *at, 13) == NULL)
			at++;
		word.kind = at > begin ? WORD_ATOM : at < end ? WORD_BROKEN : WORD_END;
		word.text = (struct slice) { begin, (size_t)(at - begin) };
	}
	if (at == NULL)
		return (struct word) { .kind = WORD_BROKEN };
	*rest = (struct slice) { at, (size_t)(end - at) };
	return word;
}

/* ---- the field ---- */

struct reading {
	struct arena *arena;
	struct author *author;
	struct slice rest;
	struct word word; /* the present one */
};

static bool
author_fails(struct reading *reading, const char *why)
{
	if (reading->author->kind != AUTHOR_MALFORMED)
		reading->author->why = why;
	reading->author->kind = AUTHOR_MALFORMED;
	return false;
}

static void
author_advance(struct reading *reading)
{
	reading->word = author_word(&reading->rest);
}

static bool
author_at(const struct reading *reading, char special)
{
	return reading->word.kind == WORD_SPECIAL && reading->word.special == special;
}

static bool
author_add(struct reading *reading, struct slice name)
{
	struct author *author = reading->author;
	const char *domain = author_domain(reading->arena, name);

	if (domain == NULL)
		return author_fails(reading, "a domain that is none");
	for (size_t i = 0; i < author->count; i++)
		if (strcmp(author->domain[i], domain) == 0)
			return true;
	if (author->count == AUTHOR_DOMAINS_MOST)
		return author_fails(reading, "too many author domains");
	author->domain[author->count++] = domain;
	return true;
}

/* Behind the @: a literal, which is no domain, or atoms with dots between. */
static bool
author_read_domain(struct reading *reading)
{
	char name[4 * NAME_MOST + 1];
	size_t length = 0;
	bool wants_atom = true;

	author_advance(reading);
	if (reading->word.kind == WORD_LITERAL) {
		author_advance(reading);
		return true;
	}
	for (;; author_advance(reading)) {
		bool is_dot = author_at(reading, '.');

		if (wants_atom ? reading->word.kind != WORD_ATOM : !is_dot)
			break;
		struct slice text = is_dot ? slice_of(".") : reading->word.text;

		if (text.length > sizeof(name) - length)
			return author_fails(reading, "a domain that is too long");
		memcpy(name + length, text.data, text.length);
		length += text.length;
		wants_atom = is_dot;
	}
	if (wants_atom)
		return author_fails(reading, "a domain that is none");
	return author_add(reading, (struct slice) { name, length });
}

/* What may stand in front of an @ or a name: words, dots between or (a phrase) not. */
struct words {
	size_t count; /* words */
	bool has_gap; /* two words without a dot between */
	bool last_is_dot;
	bool has_dot;
};

static struct words
author_read_words(struct reading *reading)
{
	struct words words = { 0 };
	bool after_word = false;

	for (;; author_advance(reading)) {
		bool is_word = reading->word.kind == WORD_ATOM || reading->word.kind == WORD_QUOTED;
		bool is_dot = author_at(reading, '.');

		if (!is_word && !is_dot)
			return words;
		words.has_gap |= is_word && after_word;
		words.count += is_word;
		words.has_dot |= is_dot;
		after_word = is_word;
	}
}

/* "<local@domain>" */
static bool
author_read_angle(struct reading *reading)
{
	author_advance(reading);
	struct words local = author_read_words(reading);

	if (local.count == 0 || local.has_gap || !author_at(reading, '@'))
		return author_fails(reading, "no address in the angle brackets");
	if (!author_read_domain(reading))
		return false;
	if (!author_at(reading, '>'))
		return author_fails(reading, "an angle bracket that does not close");
	author_advance(reading);
	return true;
}

/* A mailbox, a group's beginning or end, or nothing between two commas. */
static bool
author_read_element(struct reading *reading, bool *is_in_group)
{
	struct words words = author_read_words(reading);

	if (author_at(reading, '<'))
		return author_read_angle(reading);
	if (author_at(reading, '@')) {
		if (words.count == 0 || words.has_gap)
			return author_fails(reading, "words in front of an address");
		return author_read_domain(reading);
	}
	if (author_at(reading, ':') && words.count > 0 && !*is_in_group) {
		*is_in_group = true;
		author_advance(reading);
		return author_read_element(reading, is_in_group);
	}
	return words.count == 0 && !words.has_dot
	    ? true
	    : author_fails(reading, "words without an address");
}

static void
author_read_list(struct reading *reading)
{
	bool is_in_group = false, has_element = false;

	author_advance(reading);
	for (;;) {
		struct slice before = reading->rest;

		if (!author_read_element(reading, &is_in_group))
			return;
		has_element |=
		    reading->author->count > 0 || is_in_group || before.data != reading->rest.data;
		if (author_at(reading, ';') && is_in_group) {
			is_in_group = false;
			author_advance(reading);
		}
		if (reading->word.kind == WORD_END)
			break;
		if (!author_at(reading, ',')) {
			author_fails(reading, "something behind an address");
			return;
		}
		author_advance(reading);
	}
	if (is_in_group)
		author_fails(reading, "a group that does not end");
	if (!has_element)
		author_fails(reading, "an empty From field");
}

struct author
author_read(struct arena *arena, struct slice header)
{
	struct author author = { .kind = AUTHOR_NONE, .why = "" };
	struct reading reading = { .arena = arena, .author = &author };
	struct header_field field, second;
	size_t offset = 0;

	if (!header_find(header, &offset, "From", &field))
		author_fails(&reading, "no From field");
	else if (header_find(header, &offset, "From", &second))
		author_fails(&reading, "more than one From field");
	else {
		reading.rest = field.value;
		author_read_list(&reading);
	}
	if (author.kind != AUTHOR_MALFORMED && author.count > 0)
		author.kind = author.count == 1 ? AUTHOR_ONE : AUTHOR_MANY;
	return author;
}
