#include "lib/spf_record.h"

#include <arpa/inet.h>

#include "lib/spf_macro.h"

enum { VERSION_LENGTH = 6 }; /* bytes of "v=spf1" */

struct spf_reader {
	struct arena *arena;
	struct spf_record *record;
	struct slice text; /* the term */
	const char *why;
};

/* What may follow a mechanism's name. */
static const struct spf_word {
	const char *name;
	bool has_domain, wants_domain, has_bits, has_network;
} spf_words[] = {
	[SPF_TERM_ALL] = { "all" },
	[SPF_TERM_INCLUDE] = { "include", .has_domain = true, .wants_domain = true },
	[SPF_TERM_A] = { "a", .has_domain = true, .has_bits = true },
	[SPF_TERM_MX] = { "mx", .has_domain = true, .has_bits = true },
	[SPF_TERM_PTR] = { "ptr", .has_domain = true },
	[SPF_TERM_IP4] = { "ip4", .has_network = true },
	[SPF_TERM_IP6] = { "ip6", .has_network = true },
	[SPF_TERM_EXISTS] = { "exists", .has_domain = true, .wants_domain = true },
};

bool
spf_record_is(struct slice text)
{
	return text.length >= VERSION_LENGTH &&
	    strncasecmp(text.data, "v=spf1", VERSION_LENGTH) == 0 &&
	    (text.length == VERSION_LENGTH || text.data[VERSION_LENGTH] == ' ');
}

static bool
spf_record_fault(struct spf_reader *reader, const char *what)
{
	reader->why = arena_format(
	    reader->arena, "%s: %.*s", what, (int)reader->text.length, reader->text.data);
	return false;
}

static struct slice
spf_record_skip(struct slice text, size_t count)
{
	return (struct slice) { text.data + count, text.length - count };
}

/*
 * Takes "/NUMBER" from the end of text, if something like that is there. false: it is wrong
 * (no number, a leading zero, more than `most`); *bits stays if there is none.
 */
static bool
spf_record_take_bits(struct slice *text, unsigned most, uint8_t *bits)
{
	size_t at = text->length;
	unsigned value = 0;

	while (at > 0 && text->data[at - 1] >= '0' && text->data[at - 1] <= '9')
		at--;
	size_t digits = text->length - at;

	if (at == 0 || text->data[at - 1] != '/')
		return true;
	if (digits == 0 || digits > 3 || (digits > 1 && text->data[at] == '0'))
		return false;
	for (size_t i = at; i < text->length; i++)
		value = value * 10 + (unsigned)(text->data[i] - '0');
	if (value > most)
		return false;
	*bits = (uint8_t)value;
	text->length = at - 1;
	return true;
}

/* [ "/" bits of IPv4 ] [ "//" bits of IPv6 ] at the end of text. */
static bool
spf_record_take_both(struct slice *text, struct spf_term *term)
{
	struct slice rest = *text;

	term->bits4 = term->bits6 = SPF_NO_BITS;
	if (!spf_record_take_bits(&rest, 128, &term->bits6))
		return false;
	if (term->bits6 != SPF_NO_BITS && rest.length > 0 && rest.data[rest.length - 1] == '/') {
		rest.length--;
		*text = rest;
	} else {
		term->bits6 = SPF_NO_BITS;
	}
	return spf_record_take_bits(text, 32, &term->bits4);
}

/* What follows the name of a, mx, ptr, include, exists. */
static bool
spf_record_domain(struct spf_reader *reader, struct spf_term *term, struct slice rest)
{
	const struct spf_word *word = &spf_words[term->kind];

	if (word->has_bits && !spf_record_take_both(&rest, term))
		return spf_record_fault(reader, "a wrong prefix length");
	if (rest.length == 0)
		return !word->wants_domain || spf_record_fault(reader, "a domain is missing");
	if (rest.data[0] != ':')
		return spf_record_fault(reader, "no term of SPF");
	term->domain = spf_record_skip(rest, 1);
	if (!spf_macro_is(term->domain, SPF_MACRO_DOMAIN))
		return spf_record_fault(reader, "no domain");
	return true;
}

/* By the bytes: what is an IPv4 address within IPv6 to us stays one of IPv6 here (5). */
static bool
spf_record_address(struct ip *ip, struct slice text, enum spf_kind kind)
{
	char copy[IP_TEXT_MOST];

	if (kind == SPF_TERM_IP4)
		return memchr(text.data, ':', text.length) == NULL && ip_read(ip, text);
	if (text.length >= sizeof(copy) || memchr(text.data, '\0', text.length) != NULL)
		return false;
	memcpy(copy, text.data, text.length);
	copy[text.length] = '\0';
	ip->length = 16;
	return inet_pton(AF_INET6, copy, ip->bytes) == 1;
}

/* What follows the name of ip4, ip6. */
static bool
spf_record_network(struct spf_reader *reader, struct spf_term *term, struct slice rest)
{
	uint8_t most = term->kind == SPF_TERM_IP4 ? 32 : 128, bits = most;
	struct ip ip = { 0 };

	if (!spf_record_take_bits(&rest, most, &bits))
		return spf_record_fault(reader, "a wrong prefix length");
	if (rest.length == 0 || rest.data[0] != ':' ||
	    !spf_record_address(&ip, spf_record_skip(rest, 1), term->kind))
		return spf_record_fault(reader, "no network");
	term->network = network_of(&ip, bits);
	return true;
}

static bool
spf_record_mechanism(struct spf_reader *reader, struct slice name, struct slice rest)
{
	struct spf_term *term = &reader->record->terms[reader->record->count];
	size_t kind = 0, count = sizeof(spf_words) / sizeof(spf_words[0]);

	while (kind < count && !slice_matches(name, spf_words[kind].name))
		kind++;
	if (kind == count)
		return spf_record_fault(reader, "no term of SPF");
	if (reader->record->count == SPF_TERMS_MOST)
		return spf_record_fault(reader, "more terms than are read, from here on");
	reader->record->count++;
	term->kind = (enum spf_kind)kind;
	term->text = reader->text;
	term->qualifier = strchr("+-~?", reader->text.data[0]) != NULL ? reader->text.data[0] : '+';
	if (spf_words[kind].has_network)
		return spf_record_network(reader, term, rest);
	if (spf_words[kind].has_domain)
		return spf_record_domain(reader, term, rest);
	return rest.length == 0 || spf_record_fault(reader, "nothing may follow `all`");
}

static bool
spf_record_redirect(struct spf_reader *reader, struct slice value)
{
	if (reader->record->redirect != NULL)
		return spf_record_fault(reader, "a second redirect");
	if (!spf_macro_is(value, SPF_MACRO_DOMAIN))
		return spf_record_fault(reader, "no domain");
	reader->record->redirect = arena_alloc(reader->arena, sizeof(*reader->record->redirect));
	*reader->record->redirect = (struct spf_term) {
		.kind = SPF_TERM_REDIRECT,
		.qualifier = '+',
		.text = reader->text,
		.domain = value,
	};
	return true;
}

static bool
spf_record_modifier(struct spf_reader *reader, struct slice name, struct slice value)
{
	if (slice_matches(name, "redirect"))
		return spf_record_redirect(reader, value);
	if (!slice_matches(name, "exp"))
		return spf_macro_is(value, SPF_MACRO_STRING) ||
		    spf_record_fault(reader, "a wrong macro");
	if (reader->record->explanation.length > 0)
		return spf_record_fault(reader, "a second exp");
	if (!spf_macro_is(value, SPF_MACRO_DOMAIN))
		return spf_record_fault(reader, "no domain");
	reader->record->explanation = value;
	return true;
}

static bool
spf_record_is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static size_t
spf_record_name_length(struct slice text)
{
	size_t length = 0;

	while (length < text.length &&
	    (spf_record_is_alpha(text.data[length]) ||
		(length > 0 && text.data[length] != '\0' &&
		    strchr("0123456789-_.", text.data[length]) != NULL)))
		length++;
	return length;
}

static bool
spf_record_term(struct spf_reader *reader)
{
	struct slice text = reader->text;
	bool has_qualifier = text.data[0] != '\0' && strchr("+-~?", text.data[0]) != NULL;

	if (has_qualifier)
		text = spf_record_skip(text, 1);
	size_t length = spf_record_name_length(text);
	struct slice name = { text.data, length }, rest = spf_record_skip(text, length);

	if (rest.length == 0 || rest.data[0] != '=')
		return spf_record_mechanism(reader, name, rest);
	if (has_qualifier || length == 0)
		return spf_record_fault(reader, "no term of SPF");
	return spf_record_modifier(reader, name, spf_record_skip(rest, 1));
}

/* An upper bound, from the blanks. */
static size_t
spf_record_count(struct slice text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.length && count < SPF_TERMS_MOST; i++)
		count += text.data[i] == ' ';
	return count;
}

bool
spf_record_read(struct spf_record *record, struct arena *arena, struct slice text, const char **why)
{
	struct spf_reader reader = { .arena = arena, .record = record };
	size_t at = VERSION_LENGTH;

	*record = (struct spf_record) { 0 };
	record->terms = arena_alloc(arena, (spf_record_count(text) + 1) * sizeof(*record->terms));
	while (at < text.length) {
		while (at < text.length && text.data[at] == ' ')
			at++;
		size_t end = at;

		while (end < text.length && text.data[end] != ' ')
			end++;
		reader.text = (struct slice) { text.data + at, end - at };
		if (end > at && !spf_record_term(&reader)) {
			*why = reader.why;
			return false;
		}
		at = end;
	}
	return true;
}
