/*
 * greylist: was this mail tried before, as a mail server does that is told to come later?
 *
 * For each recipient (Harris 2003, RFC 6647):
 *
 *	first_time  nobody has sent from there, from this sender, to this recipient
 *	too_early   somebody has, less than `delay` ago
 *	known       that was tried again in time, and mail of the kind passes for `lifetime`
 *	error       what is remembered cannot be looked into
 *
 * "From there" is the organisation where one can be seen: the registered domain of a name of the
 * client that leads back to it, so that a sender with many servers may come again from any of
 * them. A name that is made of the address says only who connects the client; then, and where
 * there is no name, it is the network: an IPv4 /24 or an IPv6 /64. If the name could not be
 * found out at one time, what is known of the network counts at another.
 *
 * Of senders' addresses the parts that change with each mail are left out: digits, and all
 * behind + or = (BATV, SRS, VERP). The null sender is `known`: its mail answers ours, and servers
 * that check a sender by such an attempt should not be sent away.
 *
 * What is kept is a hash, and no address. The questions are asked when the client connects.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "filters/filter.h"
#include "lib/clock.h"
#include "lib/hash.h"
#include "lib/public_suffix.h"

enum {
	NAMES = 5,
	KEY_MOST = 1200,
	DETAIL_MOST = 400,
	DAY = 86400,
	WAITING = 'w', /* values: tried once; */
	PASSED = 'p'   /* tried again in time */
};

struct greylist_options {
	struct seconds delay, retry, lifetime;
};

static const struct option greylist_options[] = {
	OPTION(greylist_options, delay, .fallback = "5m", .min = 1, .max = DAY,
	    .help = "How long after the first attempt the next one is too early."),
	OPTION(greylist_options, retry, .fallback = "2d", .min = 60, .max = 30 * DAY,
	    .help = "Until when it must come; later it is a first attempt."),
	OPTION(greylist_options, lifetime, .fallback = "36d", .min = 3600, .max = 400 * DAY,
	    .help = "How long what has passed is known, from the last mail on. 36 days are enough "
		    "for what comes once a month."),
	{ 0 },
};

static void
greylist_complete(struct option_reader *reader, const struct node *section, void *arg)
{
	const struct greylist_options *options = arg;
	const struct node *retry = node_find(section, "retry");
	const struct node *at = retry != NULL ? retry : node_find(section, "delay");

	if (at != NULL && options->retry.value <= options->delay.value)
		fault_add(reader->faults, at,
		    "nothing would ever be known: retry: must be longer than delay:");
}

static void *
greylist_open(const struct filter_host *host, const void *options)
{
	(void)host, (void)options;
	public_suffix_open();
	return NULL;
}

/* ---- from where ---- */

/* Has the name this number among its words, with its leading zeros or without? */
static bool
greylist_has_number(const char *name, unsigned number)
{
	for (const char *at = name; *at != '\0';) {
		size_t digits = strspn(at, "0123456789");

		if (digits > 0 && digits <= 3 && (unsigned)atoi(at) == number)
			return true;
		at += digits > 0 ? digits : 1;
	}
	return false;
}

/* Is it made of the address, as providers name the lines of their customers? */
static bool
greylist_is_generic(const char *name, const struct ip *ip)
{
	char hex[9];
	int numbers = 0;

	if (ip->length != 4)
		return false;
	snprintf(hex, sizeof(hex), "%02x%02x%02x%02x", ip->bytes[0], ip->bytes[1], ip->bytes[2],
	    ip->bytes[3]);
	for (int i = 0; i < 4; i++)
		numbers += greylist_has_number(name, ip->bytes[i]);
	return numbers >= 3 || strstr(name, hex) != NULL;
}

static bool
greylist_leads_back(const struct mail *mail, const struct dns_answer *addresses)
{
	for (size_t i = 0; i < addresses->count; i++)
		if (slice_equals(addresses->records[i], ip_slice(&mail->client->ip)))
			return true;
	return false;
}

/* Asks all at once. WAIT; or NEXT with the organisation's domain, NULL: none can be seen. */
static enum step
greylist_domain(struct mail *mail, const char **domain)
{
	enum dns_type type = mail->client->ip.length == 4 ? DNS_A : DNS_AAAA;
	char reverse[DNS_NAME_MOST];
	const struct dns_answer *names =
	    dns_ask(mail->dns, DNS_PTR, dns_reverse(reverse, ip_slice(&mail->client->ip), NULL));
	bool is_waiting = names == NULL;

	*domain = NULL;
	for (size_t i = 0; names != NULL && i < names->count && i < NAMES; i++) {
		const char *name = names->records[i].data;
		const struct dns_answer *addresses;

		if (greylist_is_generic(name, &mail->client->ip))
			continue;
		addresses = dns_ask(mail->dns, type, name);
		if (addresses == NULL)
			is_waiting = true;
		else if (*domain == NULL && greylist_leads_back(mail, addresses))
			*domain = public_suffix_registered(name);
	}
	return is_waiting ? WAIT : NEXT;
}

/* ---- keys ---- */

/* What stays the same from mail to mail, in lower case. */
static void
greylist_sender(char *out, size_t size, const struct address *from)
{
	size_t local = strcspn(from->local, "+="), length = 0;

	for (size_t i = 0; i < local && length + 1 < size; i++) {
		bool is_digit = isdigit((unsigned char)from->local[i]);

		if (!is_digit)
			out[length++] = (char)tolower((unsigned char)from->local[i]);
		else if (length == 0 || out[length - 1] != '#')
			out[length++] = '#';
	}
	snprintf(out + length, size - length, "@%s", from->domain);
}

/* place, sender and recipient, with blanks between, hashed. */
static void
greylist_key(unsigned char out[HASH_DIGEST], const struct mail *mail, const char *place)
{
	char sender[KEY_MOST / 3], text[KEY_MOST];

	greylist_sender(sender, sizeof(sender), mail->from);
	int length = snprintf(text, sizeof(text), "%s %s %s", place, sender, mail->recipient->text);
	size_t used = (size_t)length < sizeof(text) ? (size_t)length : sizeof(text) - 1;

	for (size_t i = 0; i < used; i++)
		text[i] = (char)tolower((unsigned char)text[i]);
	hash_digest(out, (struct slice) { text, used });
}

static enum store_result
greylist_find(struct mail *mail, const char *place, struct store_entry *entry)
{
	unsigned char key[HASH_DIGEST];

	greylist_key(key, mail, place);
	return state_get(mail->host->state, STORE_GREYLIST,
	    (struct slice) { (const char *)key, sizeof(key) }, entry);
}

static void
greylist_tell(
    struct mail *mail, const char *place, enum state_change change, char what, double time)
{
	unsigned char key[HASH_DIGEST];

	greylist_key(key, mail, place);
	state_tell(mail->host->state,
	    &(struct state_request) { .change = change,
		.table = STORE_GREYLIST,
		.key = { (const char *)key, sizeof(key) },
		.value = { &what, 1 },
		.end = clock_unix() + time });
}

/* ---- the facts ---- */

static enum step
greylist_record(struct mail *mail, const char *value, const char *detail)
{
	const struct about about[] = { { "recipient", mail->recipient->text }, { 0 } };

	evidence_add_about(mail->evidence, "greylist", "result", value, detail, about);
	return NEXT;
}

/* It has passed before: known for as long again, which need not be written each time. */
static enum step
greylist_known(struct mail *mail, const struct greylist_options *options, const char *place,
    const struct store_entry *entry)
{
	double left = entry->end - clock_unix();

	if (entry->value.data[0] != PASSED || left < options->lifetime.value * 0.9)
		greylist_tell(mail, place, STATE_PUT, PASSED, options->lifetime.value);
	return greylist_record(mail, "known", place);
}

static enum step
greylist_judge(struct mail *mail, const struct greylist_options *options, const char *domain,
    const char *network)
{
	const char *place = domain != NULL ? domain : network;
	char detail[DETAIL_MOST];
	struct store_entry entry;
	enum store_result result = greylist_find(mail, place, &entry);

	if (result == STORE_NONE && domain != NULL)
		result = greylist_find(mail, network, &entry);
	if (result == STORE_FAILED)
		return greylist_record(mail, "error", "what is remembered cannot be looked into");
	if (result == STORE_NONE) {
		greylist_tell(mail, place, STATE_ADD, WAITING, options->retry.value);
		return greylist_record(mail, "first_time", place);
	}
	double age = clock_unix() - entry.since;

	if (entry.value.length == 1 &&
	    (entry.value.data[0] == PASSED || age >= options->delay.value))
		return greylist_known(mail, options, place, &entry);
	snprintf(detail, sizeof(detail), "%s, for the first time %.0fs ago", place, age);
	return greylist_record(mail, "too_early", detail);
}

static enum step
greylist_connect(struct mail *mail, const void *options)
{
	const char *domain;

	(void)options;
	greylist_domain(mail, &domain); /* so that it is known when it is needed */
	return NEXT;
}

static enum step
greylist_rcpt(struct mail *mail, const void *options)
{
	struct network network =
	    network_of(&mail->client->ip, mail->client->ip.length == 4 ? 24 : 64);
	char place[NETWORK_TEXT_MOST];
	const char *domain;

	if (mail->from->text[0] == '\0')
		return greylist_record(mail, "known", "the null sender");
	if (mail->host == NULL || mail->host->state == NULL)
		return greylist_record(mail, "error", "nothing is remembered here");
	if (greylist_domain(mail, &domain) == WAIT)
		return WAIT;
	return greylist_judge(mail, options, domain, network_text(place, &network));
}

const struct filter greylist_filter = {
	.name = "greylist",
	.summary = "was this mail tried before? (RFC 6647)",
	.facts =
	    (const struct fact_kind[]) {
		{ "result", RCPT, "first_time too_early known error",
		    "whether mail from there, of this sender, for this recipient was tried "
		    "before" },
		{ 0 },
	    },
	.options = greylist_options,
	.options_size = sizeof(struct greylist_options),
	.complete = greylist_complete,
	.open = greylist_open,
	.stages = { [CONNECT] = greylist_connect, [RCPT] = greylist_rcpt },
};
