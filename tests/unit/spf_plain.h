/*
 * spf_plain: a second opinion about SPF, for tests: another reading of the grammar, by regular
 * expressions, and another evaluation, which simply goes through the terms. It wants all
 * answers at hand. Macros are expanded by lib/spf_macro.h.
 */
#pragma once

#include <assert.h>
#include <stdio.h>

#include "lib/regex.h"
#include "lib/spf.h"
#include "lib/spf_macro.h"
#include "lib/spf_record.h"

/* ---- reading ---- */

#define PLAIN_TOP "(?:[a-z0-9]*[a-z][a-z0-9]*|[a-z0-9]+-[a-z0-9-]*[a-z0-9])"
#define PLAIN_MACRO(letters) "%(?:\\{[" letters "](?:0*[1-9][0-9]*)?r?[-.+,/_=]*\\}|[%_-])"
#define PLAIN_DMACRO PLAIN_MACRO("slodiphv")
#define PLAIN_DOMAIN "(?:" PLAIN_DMACRO "|[!-$&-~])*?(?:\\." PLAIN_TOP "\\.?|" PLAIN_DMACRO ")"
#define PLAIN_BITS4 "(?:/(?:3[0-2]|[12][0-9]|[0-9]))?"
#define PLAIN_BITS6 "(?:12[0-8]|1[01][0-9]|[1-9][0-9]|[0-9])"
#define PLAIN_BYTE "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
#define PLAIN_DIRECTIVE                                                                            \
	"[-+?~]?(?:all|(?:include|exists):" PLAIN_DOMAIN "|(?:a|mx)(?::" PLAIN_DOMAIN              \
	")?" PLAIN_BITS4 "(?://" PLAIN_BITS6 ")?|ptr(?::" PLAIN_DOMAIN ")?|ip4:" PLAIN_BYTE        \
	"(?:\\." PLAIN_BYTE "){3}" PLAIN_BITS4 "|ip6:[0-9a-f:.]+(?:/" PLAIN_BITS6 ")?)"
#define PLAIN_MODIFIER                                                                             \
	"(?:redirect|exp)=" PLAIN_DOMAIN                                                           \
	"|(?!(?:redirect|exp)=)[a-z][a-z0-9_.-]*=(?:" PLAIN_MACRO("slodiphcrtv") "|[!-$&-~])*"

static inline const struct regex *
plain_grammar(struct arena *arena)
{
	static const char *const patterns[] = { "^(?:" PLAIN_DIRECTIVE "|" PLAIN_MODIFIER ")\\z",
		"^redirect=", "^exp=" };
	struct regex *regex = regex_new(arena);
	struct regex_fault fault;

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		bool is_good =
		    regex_add(regex, slice_of(patterns[i]), "here", REGEX_CASELESS, &fault);

		assert(is_good);
	}
	return regex;
}

/* Is the text, which begins as a record does, right? REGEX_LIMIT: not found out. */
static inline enum regex_result
plain_is_record(const struct regex *grammar, struct slice text)
{
	unsigned redirects = 0, explanations = 0, terms = 0;

	for (size_t at = 6, end; at < text.length; at = end + 1) {
		for (end = at; end < text.length && text.data[end] != ' ';)
			end++;
		struct slice term = { text.data + at, end - at };

		if (term.length == 0)
			continue;
		enum regex_result is = regex_match(grammar, 0, term);

		if (is != REGEX_YES)
			return is;
		terms++;
		redirects += regex_match(grammar, 1, term) == REGEX_YES;
		explanations += regex_match(grammar, 2, term) == REGEX_YES;
	}
	if (terms > SPF_TERMS_MOST)
		return REGEX_LIMIT;
	return redirects <= 1 && explanations <= 1 ? REGEX_YES : REGEX_NO;
}

/* ---- evaluating ---- */

struct plain {
	struct arena *arena;
	struct dns *dns;
	const struct spf_query *query;
	unsigned terms, voids;
	const char *domain; /* whose record decided */
	struct slice term;  /* which one; empty: none */
	struct slice exp;   /* its exp= */
};

static inline const struct dns_answer *
plain_ask(struct plain *plain, enum dns_type type, const char *name)
{
	const struct dns_answer *answer = dns_ask(plain->dns, type, name);

	assert(answer != NULL);
	return answer;
}

/* One that counts. false: too many without a record. */
static inline bool
plain_count(struct plain *plain, const struct dns_answer *answer)
{
	if (answer->state == DNS_NO_DATA ||
	    (answer->state == DNS_NO_NAME && answer->why[0] == '\0'))
		plain->voids++;
	return plain->voids <= plain->query->voids;
}

static inline bool
plain_matches(const struct plain *plain, const struct dns_answer *answer, unsigned bits)
{
	const struct ip *client = &plain->query->client;

	for (size_t i = 0; i < answer->count; i++) {
		struct ip ip = { .length = client->length };

		memcpy(ip.bytes, answer->records[i].data, client->length);
		struct network network = network_of(&ip, bits);

		if (network_has(&network, client))
			return true;
	}
	return false;
}

static inline bool
plain_is_below(const char *name, const char *domain)
{
	size_t length = strlen(name), most = strlen(domain);

	return length > most && name[length - most - 1] == '.' &&
	    strcasecmp(name + length - most, domain) == 0;
}

/* The names of the client that lead back, at most ten looked at. */
static inline size_t
plain_names(struct plain *plain, const char *names[10])
{
	char reverse[DNS_NAME_MOST];
	const struct dns_answer *answer =
	    plain_ask(plain, DNS_PTR, dns_reverse(reverse, ip_slice(&plain->query->client), NULL));
	unsigned bits = plain->query->client.length * 8u;
	size_t count = 0;

	for (size_t i = 0; i < answer->count && i < 10; i++) {
		const char *name = answer->records[i].data;

		if (plain_matches(
			plain, plain_ask(plain, bits == 32 ? DNS_A : DNS_AAAA, name), bits))
			names[count++] = name;
	}
	return count;
}

static inline const char *
plain_name(struct plain *plain, const char *domain)
{
	const char *names[10];
	size_t count = plain_names(plain, names);

	for (size_t i = 0; i < count; i++)
		if (strcasecmp(names[i], domain) == 0)
			return names[i];
	for (size_t i = 0; i < count; i++)
		if (plain_is_below(names[i], domain))
			return names[i];
	return count > 0 ? names[0] : "unknown";
}

static inline enum spf_expansion
plain_expand(struct plain *plain, struct slice text, const char *domain, struct buf *out)
{
	const struct spf_query *query = plain->query;
	const struct spf_values values = {
		.local = query->local[0] != '\0' ? query->local : "postmaster",
		.sender_domain = query->domain,
		.domain = domain,
		.helo = query->helo,
		.receiver = query->receiver != NULL ? query->receiver : "unknown",
		.name = spf_macro_has_name(text) ? plain_name(plain, domain) : "",
		.client = &query->client,
		.now = query->now,
	};

	return spf_macro_expand(out, text, &values);
}

enum plain_match { PLAIN_NO, PLAIN_YES, PLAIN_TEMPERROR, PLAIN_PERMERROR };

static inline enum plain_match
plain_addresses(struct plain *plain, const char *name, unsigned bits)
{
	enum dns_type type = plain->query->client.length == 4 ? DNS_A : DNS_AAAA;
	const struct dns_answer *answer = plain_ask(plain, type, name);

	if (answer->state == DNS_FAILED)
		return PLAIN_TEMPERROR;
	if (!plain_count(plain, answer))
		return PLAIN_PERMERROR;
	return plain_matches(plain, answer, bits) ? PLAIN_YES : PLAIN_NO;
}

static inline enum plain_match
plain_mx(struct plain *plain, const char *name, unsigned bits)
{
	const struct dns_answer *answer = plain_ask(plain, DNS_MX, name);
	bool is_done[DNS_RECORDS_MOST] = { false };

	if (answer->state == DNS_FAILED)
		return PLAIN_TEMPERROR;
	if (!plain_count(plain, answer))
		return PLAIN_PERMERROR;
	for (size_t looked = 0; looked < answer->count; looked++) {
		size_t best = answer->count;

		for (size_t i = 0; i < answer->count; i++)
			if (!is_done[i] &&
			    (best == answer->count ||
				answer->preferences[i] < answer->preferences[best] ||
				(answer->preferences[i] == answer->preferences[best] &&
				    strcmp(answer->records[i].data, answer->records[best].data) <
					0)))
				best = i;
		if (looked == 10)
			return PLAIN_PERMERROR;
		is_done[best] = true;
		enum plain_match match = plain_addresses(plain, answer->records[best].data, bits);

		if (match != PLAIN_NO)
			return match;
	}
	return PLAIN_NO;
}

static inline enum plain_match
plain_ptr(struct plain *plain, const char *domain)
{
	char reverse[DNS_NAME_MOST];
	const char *names[10];
	size_t count;

	dns_reverse(reverse, ip_slice(&plain->query->client), NULL);
	if (!plain_count(plain, plain_ask(plain, DNS_PTR, reverse)))
		return PLAIN_PERMERROR;
	count = plain_names(plain, names);
	for (size_t i = 0; i < count; i++)
		if (strcasecmp(names[i], domain) == 0 || plain_is_below(names[i], domain))
			return PLAIN_YES;
	return PLAIN_NO;
}

static inline enum plain_match
plain_exists(struct plain *plain, const char *name)
{
	const struct dns_answer *answer = plain_ask(plain, DNS_A, name);

	if (answer->state == DNS_FAILED)
		return PLAIN_TEMPERROR;
	if (!plain_count(plain, answer))
		return PLAIN_PERMERROR;
	return answer->count > 0 ? PLAIN_YES : PLAIN_NO;
}

static inline enum spf_result plain_check(struct plain *plain, const char *domain, bool is_outer);

static inline enum plain_match
plain_include(struct plain *plain, const char *name)
{
	switch (plain_check(plain, name, false)) {
	case SPF_PASS:
		return PLAIN_YES;
	case SPF_FAIL:
	case SPF_SOFTFAIL:
	case SPF_NEUTRAL:
		return PLAIN_NO;
	case SPF_TEMPERROR:
		return PLAIN_TEMPERROR;
	case SPF_NONE:
	case SPF_PERMERROR:
		break;
	}
	return PLAIN_PERMERROR;
}

static inline enum plain_match
plain_term(struct plain *plain, const struct spf_term *term, const char *domain)
{
	bool is_ip4 = plain->query->client.length == 4;
	unsigned bits = is_ip4 ? term->bits4 : term->bits6;
	const char *name = domain;

	if (bits == SPF_NO_BITS)
		bits = is_ip4 ? 32 : 128;
	if (term->kind == SPF_TERM_ALL)
		return PLAIN_YES;
	if (term->kind == SPF_TERM_IP4 || term->kind == SPF_TERM_IP6)
		return network_has(&term->network, &plain->query->client) ? PLAIN_YES : PLAIN_NO;
	if (term->domain.length > 0) {
		struct buf *out = buf_new(plain->arena, SPF_EXPANDED_MOST);
		enum spf_expansion expansion = plain_expand(plain, term->domain, domain, out);

		if (expansion != SPF_EXPANDED)
			return expansion == SPF_EXPANDS_NEVER ? PLAIN_NO : PLAIN_PERMERROR;
		name = spf_macro_name(plain->arena, buf_slice(out));
	}
	if (++plain->terms > plain->query->terms)
		return PLAIN_PERMERROR;
	switch (term->kind) {
	case SPF_TERM_A:
		return plain_addresses(plain, name, bits);
	case SPF_TERM_MX:
		return plain_mx(plain, name, bits);
	case SPF_TERM_PTR:
		return plain_ptr(plain, name);
	case SPF_TERM_EXISTS:
		return plain_exists(plain, name);
	default:
		return plain_include(plain, name);
	}
}

static inline enum spf_result
plain_redirect(
    struct plain *plain, const struct spf_record *record, const char *domain, bool is_outer)
{
	struct buf *out = buf_new(plain->arena, SPF_EXPANDED_MOST);
	enum spf_expansion expansion = plain_expand(plain, record->redirect->domain, domain, out);

	if (expansion != SPF_EXPANDED)
		return expansion == SPF_EXPANDS_NEVER ? SPF_NEUTRAL : SPF_PERMERROR;
	if (++plain->terms > plain->query->terms)
		return SPF_PERMERROR;
	enum spf_result result =
	    plain_check(plain, spf_macro_name(plain->arena, buf_slice(out)), is_outer);

	return result == SPF_NONE ? SPF_PERMERROR : result;
}

static inline enum spf_result
plain_evaluate(
    struct plain *plain, const struct spf_record *record, const char *domain, bool is_outer)
{
	for (size_t i = 0; i < record->count; i++) {
		const struct spf_term *term = &record->terms[i];

		switch (plain_term(plain, term, domain)) {
		case PLAIN_NO:
			continue;
		case PLAIN_TEMPERROR:
			return SPF_TEMPERROR;
		case PLAIN_PERMERROR:
			return SPF_PERMERROR;
		case PLAIN_YES:
			break;
		}
		if (is_outer) {
			plain->domain = arena_strdup(plain->arena, domain);
			plain->term = term->text;
			plain->exp = record->explanation;
		}
		return term->qualifier == '+' ? SPF_PASS
		    : term->qualifier == '-'  ? SPF_FAIL
		    : term->qualifier == '~'  ? SPF_SOFTFAIL
					      : SPF_NEUTRAL;
	}
	if (record->redirect != NULL)
		return plain_redirect(plain, record, domain, is_outer);
	return SPF_NEUTRAL;
}

static inline enum spf_result
plain_check(struct plain *plain, const char *domain, bool is_outer)
{
	const struct dns_answer *answer = plain_ask(plain, DNS_TXT, domain);
	struct slice text = { 0 };
	struct spf_record record;
	const char *why;

	if (answer->state == DNS_FAILED)
		return SPF_TEMPERROR;
	for (size_t i = 0; i < answer->count; i++) {
		if (!spf_record_is(answer->records[i]))
			continue;
		if (text.data != NULL)
			return SPF_PERMERROR;
		text = answer->records[i];
	}
	if (text.data == NULL)
		return SPF_NONE;
	if (!spf_record_read(&record, plain->arena, text, &why))
		return SPF_PERMERROR;
	return plain_evaluate(plain, &record, domain, is_outer);
}

/* What the domain says about a fail; "": nothing. After plain_check(), whose term decided. */
static inline const char *
plain_explanation(struct plain *plain)
{
	struct buf *name = buf_new(plain->arena, SPF_EXPANDED_MOST);
	struct buf *out = buf_new(plain->arena, SPF_EXPANDED_MOST);

	if (plain->exp.length == 0 ||
	    plain_expand(plain, plain->exp, plain->domain, name) != SPF_EXPANDED)
		return "";
	const struct dns_answer *answer =
	    plain_ask(plain, DNS_TXT, spf_macro_name(plain->arena, buf_slice(name)));

	if (answer->count != 1 || !spf_macro_is(answer->records[0], SPF_MACRO_EXPLANATION) ||
	    plain_expand(plain, answer->records[0], plain->domain, out) != SPF_EXPANDED)
		return "";
	return arena_copy(plain->arena, buf_slice(out));
}
