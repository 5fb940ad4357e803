/*
 * ptr: does the client's address have a name, and does the name lead back to the address?
 *
 * Forward-confirmed reverse DNS, RFC 8601 section 2.7.3 (iprev):
 *
 *	pass      one of the names has the client's address
 *	none      the address has no name
 *	mismatch  it has names, and none of them leads back
 *	generic   as pass, but each name that leads back is like a dial-up line's
 *	error     not found out (a question failed, and no name led back)
 *
 * At most NAMES names are looked at (RFC 7208 4.6.4 has the same bound for its ptr).
 */
#include "filters/filter.h"
#include "lib/patterns.h"

enum { NAMES = 10 };

struct ptr_options {
	struct patterns generic;
};

static const struct option ptr_options[] = {
	OPTION_PATTERNS(ptr_options, generic, .expected = "regular expressions",
	    .help = "Names that providers make from the addresses of their customers."),
	{ 0 },
};

struct ptr_search {
	const char *good, *generic; /* names that lead back */
	const char *pattern;        /* where the pattern stands that found it generic */
	const char *failed;         /* why something was not found out */
	bool is_waiting;
};

static bool
ptr_leads_back(const struct mail *mail, const struct dns_answer *addresses)
{
	for (size_t i = 0; i < addresses->count; i++)
		if (slice_equals(addresses->records[i], ip_slice(&mail->client->ip)))
			return true;
	return false;
}

static void
ptr_confirmed(struct ptr_search *search, const struct regex *generic, const char *name)
{
	size_t number = 0;
	enum regex_result result = regex_find(generic, slice_of(name), &number);

	if (result == REGEX_NO)
		search->good = name;
	else if (result == REGEX_YES)
		search->generic = name, search->pattern = regex_place(generic, number);
	else
		search->failed = "a pattern in `generic` takes too long";
}

static struct ptr_search
ptr_search(struct mail *mail, const struct regex *generic, const struct dns_answer *names)
{
	enum dns_type type = mail->client->ip.length == 4 ? DNS_A : DNS_AAAA;
	struct ptr_search search = { 0 };

	for (size_t i = 0; i < names->count && i < NAMES; i++) {
		const char *name = names->records[i].data;
		const struct dns_answer *addresses = dns_ask(mail->dns, type, name);

		if (addresses == NULL)
			search.is_waiting = true;
		else if (addresses->state == DNS_FAILED)
			search.failed = addresses->why;
		else if (search.good == NULL && ptr_leads_back(mail, addresses))
			ptr_confirmed(&search, generic, name);
	}
	return search;
}

static enum step
ptr_record(struct mail *mail, const char *value, const char *detail, const char *pattern)
{
	const struct about about[] = { { "pattern", pattern }, { 0 } };

	evidence_add_about(
	    mail->evidence, "ptr", "result", value, detail, pattern != NULL ? about : NULL);
	return NEXT;
}

static enum step
ptr_connect(struct mail *mail, const void *arg)
{
	const struct ptr_options *options = arg;
	char reverse[DNS_NAME_MOST];
	const struct dns_answer *names =
	    dns_ask(mail->dns, DNS_PTR, dns_reverse(reverse, ip_slice(&mail->client->ip), NULL));

	if (names == NULL)
		return WAIT;
	if (names->state == DNS_FAILED)
		return ptr_record(mail, "error", names->why, NULL);
	if (names->state != DNS_OK)
		return ptr_record(mail, "none", "no name", NULL);
	struct ptr_search search = ptr_search(mail, options->generic.set, names);

	if (search.is_waiting)
		return WAIT;
	if (search.good != NULL)
		return ptr_record(mail, "pass", search.good, NULL);
	if (search.generic != NULL)
		return ptr_record(mail, "generic", search.generic, search.pattern);
	if (search.failed != NULL)
		return ptr_record(mail, "error", search.failed, NULL);
	return ptr_record(mail, "mismatch", names->records[0].data, NULL);
}

const struct filter ptr_filter = {
	.name = "ptr",
	.summary = "the client's name, and whether it leads back (RFC 8601 iprev)",
	.facts =
	    (const struct fact_kind[]) {
		{ "result", CONNECT, "pass none mismatch generic error",
		    "forward-confirmed reverse DNS" },
		{ 0 },
	    },
	.options = ptr_options,
	.options_size = sizeof(struct ptr_options),
	.stages = { [CONNECT] = ptr_connect },
};
