#include "lib/spf_run.h"

#include <stdlib.h>

/* A record that is there, whose fault or absence is known for good. */
static void
spf_ask_read(struct spf_run *run, struct spf_found *found)
{
	const struct slice *text = NULL;
	const char *why;

	for (size_t i = 0; i < found->answer->count; i++) {
		if (!spf_record_is(found->answer->records[i]))
			continue;
		if (text != NULL) {
			found->state = SPF_IS_WRONG;
			found->why =
			    arena_format(run->arena, "%s has two SPF records", found->domain);
			return;
		}
		text = &found->answer->records[i];
	}
	if (text == NULL)
		return;
	found->state = SPF_HAS_RECORD;
	if (spf_record_read(&found->record, run->arena, *text, &why))
		return;
	found->state = SPF_IS_WRONG;
	found->why = arena_format(run->arena, "record of %s: %s", found->domain, why);
}

const struct spf_found *
spf_ask_record(struct spf_run *run, const char *domain)
{
	const struct dns_answer *answer = dns_ask(run->dns, DNS_TXT, domain);
	struct spf_found *found = run->found;

	while (found != NULL && (answer == NULL || found->answer != answer))
		found = found->next;
	if (found != NULL && strcasecmp(found->domain, domain) == 0)
		return found;
	found = arena_alloc(run->arena, sizeof(*found));
	*found = (struct spf_found) {
		.next = run->found,
		.answer = answer,
		.domain = arena_strdup(run->arena, domain),
		.state = SPF_WAITS,
	};
	if (answer == NULL)
		return found;
	run->found = found;
	if (answer->state == DNS_FAILED) {
		found->state = SPF_NOT_KNOWN;
		found->why = arena_format(run->arena, "TXT of %s: %s", domain, answer->why);
		return found;
	}
	found->state = SPF_HAS_NONE;
	found->why = arena_format(run->arena, "%s has no SPF record", domain);
	spf_ask_read(run, found);
	return found;
}

enum dns_type
spf_ask_type(const struct spf_run *run)
{
	return run->query->client.length == 4 ? DNS_A : DNS_AAAA;
}

const struct dns_answer *
spf_ask_names(struct spf_run *run)
{
	char name[DNS_NAME_MOST];

	return dns_ask(run->dns, DNS_PTR, dns_reverse(name, ip_slice(&run->query->client), NULL));
}

static bool
spf_ask_is_client(const struct spf_run *run, const struct dns_answer *addresses)
{
	for (size_t i = 0; i < addresses->count; i++)
		if (slice_equals(addresses->records[i], ip_slice(&run->query->client)))
			return true;
	return false;
}

/* For %{p} (7.3): the domain itself is best, then a name below it, then any. */
static int
spf_ask_rank(const char *name, const char *domain)
{
	size_t length = strlen(name), most = strlen(domain);

	if (strcasecmp(name, domain) == 0)
		return 3;
	return length > most && name[length - most - 1] == '.' &&
		strcasecmp(name + length - most, domain) == 0
	    ? 2
	    : 1;
}

/* The client's name that leads back to it (5.5), "unknown", or NULL: wait. */
static const char *
spf_ask_validated(struct spf_run *run, const char *domain)
{
	const struct dns_answer *names = spf_ask_names(run);
	const char *best = "unknown";
	bool waits = false;
	int rank = 0;

	if (names == NULL)
		return NULL;
	for (size_t i = 0; i < names->count && i < SPF_HOSTS_MOST; i++) {
		const char *name = names->records[i].data;
		const struct dns_answer *addresses = dns_ask(run->dns, spf_ask_type(run), name);

		waits = waits || addresses == NULL;
		if (addresses == NULL || !spf_ask_is_client(run, addresses) ||
		    spf_ask_rank(name, domain) <= rank)
			continue;
		rank = spf_ask_rank(name, domain);
		best = name;
	}
	return waits ? NULL : best;
}

enum spf_target
spf_ask_expanded(struct spf_run *run, const char *domain, struct slice text, struct buf *expanded)
{
	const struct spf_query *query = run->query;
	struct spf_values values = {
		.local = query->local[0] != '\0' ? query->local : "postmaster",
		.sender_domain = query->domain,
		.domain = domain,
		.helo = query->helo,
		.receiver = query->receiver != NULL ? query->receiver : "unknown",
		.client = &query->client,
		.now = query->now,
	};

	if (spf_macro_has_name(text)) {
		values.name = spf_ask_validated(run, domain);
		if (values.name == NULL)
			return SPF_TARGET_LATER;
	}
	switch (spf_macro_expand(expanded, text, &values)) {
	case SPF_EXPANDED:
		return SPF_TARGET;
	case SPF_EXPANDS_NEVER:
		return SPF_TARGET_NEVER;
	case SPF_EXPANDS_TOO_FAR:
		break;
	}
	return SPF_TARGET_TOO_LONG;
}

enum spf_target
spf_ask_target(struct spf_run *run, const struct spf_found *owner, const struct spf_term *term,
    const char **name)
{
	struct buf expanded;

	*name = owner->domain;
	if (term->domain.length == 0)
		return SPF_TARGET;
	buf_init(&expanded, SPF_EXPANDED_MOST);
	enum spf_target target = spf_ask_expanded(run, owner->domain, term->domain, &expanded);

	if (target == SPF_TARGET)
		*name = spf_macro_name(run->arena, buf_slice(&expanded));
	buf_free(&expanded);
	return target;
}

/* An MX record with its preference, to be sorted. */
struct spf_host {
	uint16_t preference;
	struct slice name;
};

static int
spf_ask_compare(const void *a, const void *b)
{
	const struct spf_host *one = a, *other = b;

	return one->preference != other->preference ? one->preference - other->preference
						    : strcmp(one->name.data, other->name.data);
}

struct slice *
spf_ask_hosts(struct spf_run *run, const struct dns_answer *mx)
{
	struct spf_host *hosts = arena_alloc(run->arena, (mx->count + 1) * sizeof(*hosts));
	struct slice *names = arena_alloc(run->arena, (mx->count + 1) * sizeof(*names));

	for (size_t i = 0; i < mx->count; i++)
		hosts[i] = (struct spf_host) { mx->preferences[i], mx->records[i] };
	qsort(hosts, mx->count, sizeof(*hosts), spf_ask_compare);
	for (size_t i = 0; i < mx->count; i++)
		names[i] = hosts[i].name;
	return names;
}

/* ---- all at once ---- */

static void
spf_ask_addresses(struct spf_run *run, const struct slice *names, size_t count)
{
	for (size_t i = 0; i < count && i < SPF_HOSTS_MOST; i++)
		dns_ask(run->dns, spf_ask_type(run), names[i].data);
}

static void
spf_ask_about(struct spf_run *run, const struct spf_term *term, const char *name)
{
	const struct dns_answer *answer;

	switch (term->kind) {
	case SPF_TERM_A:
		dns_ask(run->dns, spf_ask_type(run), name);
		break;
	case SPF_TERM_EXISTS:
		dns_ask(run->dns, DNS_A, name);
		break;
	case SPF_TERM_MX:
		answer = dns_ask(run->dns, DNS_MX, name);
		if (answer != NULL)
			spf_ask_addresses(run, spf_ask_hosts(run, answer), answer->count);
		break;
	case SPF_TERM_PTR:
		answer = spf_ask_names(run);
		if (answer != NULL)
			spf_ask_addresses(run, answer->records, answer->count);
		break;
	case SPF_TERM_INCLUDE:
	case SPF_TERM_REDIRECT:
	case SPF_TERM_ALL:
	case SPF_TERM_IP4:
	case SPF_TERM_IP6:
		break;
	}
}

static void spf_ask_domain(struct spf_run *run, const char *domain, unsigned *terms);

/* One more term of the evaluation; false: no more can be reached. */
static bool
spf_ask_term(struct spf_run *run, const struct spf_found *owner, const struct spf_term *term,
    unsigned *terms)
{
	const char *name;

	if (term->kind == SPF_TERM_ALL)
		return false;
	if (term->kind == SPF_TERM_IP4 || term->kind == SPF_TERM_IP6)
		return !network_has(&term->network, &run->query->client);
	if ((*terms)++ == run->query->terms)
		return false;
	if (spf_ask_target(run, owner, term, &name) != SPF_TARGET)
		return true;
	if (term->kind == SPF_TERM_INCLUDE || term->kind == SPF_TERM_REDIRECT)
		spf_ask_domain(run, name, terms);
	else
		spf_ask_about(run, term, name);
	return *terms <= run->query->terms;
}

/* The terms in the order in which they would be reached if none of them matched. */
static void
spf_ask_domain(struct spf_run *run, const char *domain, unsigned *terms)
{
	const struct spf_found *found = spf_ask_record(run, domain);
	size_t i = 0;

	if (found->state != SPF_HAS_RECORD)
		return;
	while (i < found->record.count && spf_ask_term(run, found, &found->record.terms[i], terms))
		i++;
	if (i == found->record.count && found->record.redirect != NULL)
		spf_ask_term(run, found, found->record.redirect, terms);
}

void
spf_ask_early(struct spf_run *run)
{
	unsigned terms = 0;

	spf_ask_domain(run, run->query->domain, &terms);
}
