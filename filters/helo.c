/*
 * helo: is what the client calls itself the name of a mail server, and can it be its own?
 *
 *	ok                a name that leads somewhere (A, AAAA or MX), or the client's own address
 *	                  as a literal
 *	own_name          a name or address of ours: whoever says so lies
 *	bare_ip           an address without brackets
 *	invalid           neither a domain nor an address literal (RFC 5321 4.1.2, 4.1.3)
 *	literal_mismatch  an address literal, of another address than the client's
 *	unknown_name      a name without A, AAAA and MX, or without a dot
 *	error             not found out
 *
 * A name need not lead back to the client: RFC 5321 4.1.4 forbids to refuse on that ground.
 * Underscores are no fault: many honest servers have them.
 */
#include "filters/filter.h"
#include "lib/domain.h"

struct helo_options {
	struct texts own;
};

static const struct option helo_options[] = {
	OPTION(helo_options, own, .max = 1000,
	    .help = "Names and addresses of ours, besides `hostname`, which no client may claim "
		    "for itself; `.example.com` stands for all names below."),
	{ 0 },
};

/* A label of letters, digits, '-' and '_', no '-' at either end (RFC 1123 2.1). */
static bool
helo_is_label(const char *label, size_t length)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_";

	return length > 0 && length <= 63 && strspn(label, letters) >= length && label[0] != '-' &&
	    label[length - 1] != '-';
}

/* The last label is never a number: then it would be a mistyped address. */
static bool
helo_is_domain(const char *name)
{
	const char *label = name;
	size_t length = strcspn(label, ".");

	if (strlen(name) > 253)
		return false;
	for (; helo_is_label(label, length); length = strcspn(label, ".")) {
		if (label[length] == '\0')
			return strspn(label, "0123456789") < length;
		label += length + 1;
	}
	return false;
}

/* "[192.0.2.1]", "[IPv6:2001:db8::1]" */
static bool
helo_literal_read(struct ip *ip, const char *name)
{
	static const char tag[] = "IPv6:";
	size_t length = strlen(name);
	struct slice text = { name + 1, length - 2 };
	bool is_tagged;

	if (length < 3 || name[0] != '[' || name[length - 1] != ']')
		return false;
	is_tagged = strncasecmp(text.data, tag, sizeof(tag) - 1) == 0;
	if (is_tagged) {
		text.data += sizeof(tag) - 1;
		text.length -= sizeof(tag) - 1;
	}
	bool has_colon = memchr(text.data, ':', text.length) != NULL;

	return is_tagged == has_colon && ip_read(ip, text);
}

static bool
helo_is_own(const struct mail *mail, const struct helo_options *options, const char *name,
    const struct ip *address)
{
	const char *hostname = mail->host != NULL ? mail->host->hostname : NULL;

	if (hostname != NULL && domain_matches(slice_of(name), hostname))
		return true;
	for (size_t i = 0; i < options->own.count; i++) {
		const char *own = options->own.item[i];
		struct ip ip;

		if (address->length == 0 && domain_matches(slice_of(name), own))
			return true;
		if (address->length > 0 && ip_read(&ip, slice_of(own)) && ip_equals(&ip, address))
			return true;
	}
	return false;
}

static enum step
helo_record(struct mail *mail, const char *value, const char *detail)
{
	evidence_add(mail->evidence, "helo", "result", value, detail);
	return NEXT;
}

static bool
helo_leads(enum dns_type type, const struct dns_answer *answer)
{
	for (size_t i = 0; i < answer->count; i++)
		if (type != DNS_MX || answer->records[i].length > 0)
			return true;
	return false;
}

/* One good answer is enough, and no other can change it. */
static enum step
helo_look_up(struct mail *mail, const char *name)
{
	static const enum dns_type types[] = { DNS_A, DNS_AAAA, DNS_MX };
	bool is_waiting = false, leads = false;
	const char *failed = NULL;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		const struct dns_answer *answer = dns_ask(mail->dns, types[i], name);

		if (answer == NULL)
			is_waiting = true;
		else if (helo_leads(types[i], answer))
			leads = true;
		else if (answer->state == DNS_FAILED && failed == NULL)
			failed = answer->why;
	}
	if (leads)
		return helo_record(mail, "ok", name);
	if (is_waiting)
		return WAIT;
	if (failed != NULL)
		return helo_record(mail, "error", failed);
	return helo_record(mail, "unknown_name", "no A, AAAA or MX");
}

static enum step
helo_helo(struct mail *mail, const void *arg)
{
	const struct helo_options *options = arg;
	const char *name = mail->client->helo;
	struct ip bare = { 0 }, literal = { 0 };
	bool is_bare = ip_read(&bare, slice_of(name));
	bool is_literal = helo_literal_read(&literal, name);

	if (helo_is_own(mail, options, name, is_bare ? &bare : &literal))
		return helo_record(mail, "own_name", name);
	if (is_bare)
		return helo_record(mail, "bare_ip", name);
	if (is_literal && ip_equals(&literal, &mail->client->ip))
		return helo_record(mail, "ok", name);
	if (is_literal)
		return helo_record(mail, "literal_mismatch", name);
	if (!helo_is_domain(name))
		return helo_record(mail, "invalid", name);
	if (strchr(name, '.') == NULL)
		return helo_record(mail, "unknown_name", "no dot in it");
	return helo_look_up(mail, name);
}

const struct filter helo_filter = {
	.name = "helo",
	.summary = "what the client calls itself in HELO or EHLO",
	.facts =
	    (const struct fact_kind[]) {
		{ "result", HELO, "ok invalid own_name bare_ip unknown_name literal_mismatch error",
		    "the name that the client gave" },
		{ 0 },
	    },
	.options = helo_options,
	.options_size = sizeof(struct helo_options),
	.stages = { [HELO] = helo_helo },
};
