/*
 * rate: does somebody send more within a time than he should?
 *
 *	rate:
 *	  limits:
 *	    - { name: per-client, key: client, count: connections, most: 60, within: 10m }
 *	    - { name: per-user, key: user, count: recipients, most: 500, within: 1h }
 *
 * For each limit the fact rate.NAME, when what it counts has happened once more:
 *
 *	under  that are no more than `most`, or there is nobody to count (no user, the null sender)
 *	over   there are more
 *	error  there are no counters here
 *
 * The detail has the count. All workers count together (lib/tally.h); connections when they
 * begin, messages at MAIL and recipients at RCPT, whatever then becomes of them. What counts
 * together: `client` an IPv4 address or an IPv6 /64; `network` an IPv4 /24 or an IPv6 /48; and
 * senders, their domains and users by their names, in whatever letter case.
 */
#include "filters/rate.h"

#include <ctype.h>
#include <stdio.h>

#include "filters/filter.h"
#include "lib/clock.h"
#include "lib/tally.h"

enum { NAME_MOST = 40, WHOSE_MOST = 400, DETAIL_MOST = 500, WINDOW_MOST = 7 * 86400 };

static const char *const rate_keys[] = { "client", "network", "sender", "sender_domain", "user",
	NULL };
static const char *const rate_counts[] = { "connections", "messages", "recipients", NULL };

/* ---- options ---- */

static bool
rate_is_name(const char *text)
{
	size_t length = strlen(text);

	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)text[i]) && strchr("-_", text[i]) == NULL)
			return false;
	return length > 0 && length <= NAME_MOST;
}

static bool
rate_name_read(struct option_reader *reader, const struct node *value, void *field)
{
	if (value->kind != NODE_TEXT || !rate_is_name(value->text))
		return false;
	*(const char **)field = arena_strdup(reader->arena, value->text);
	return true;
}

static const struct option rate_limit_rows[] = {
	OPTION_CUSTOM(rate_limit, name, rate_name_read, .required = true,
	    .expected = "a name of letters, digits, - and _, such as per-client",
	    .help = "Of the fact: rate.NAME."),
	OPTION(rate_limit, key, .required = true, .words = rate_keys,
	    .help = "Whose are counted together: a client's (an IPv4 address or an IPv6 /64), a "
		    "network's (/24, /48), a sender's, a sender's domain's, an authenticated "
		    "user's."),
	OPTION(rate_limit, count, .required = true, .words = rate_counts,
	    .help = "What is counted. Connections can be counted by client or network only."),
	OPTION(rate_limit, most, .required = true, .min = 1, .max = 1000000,
	    .help = "So many are still under the limit."),
	OPTION(rate_limit, within, .required = true, .min = 1, .max = WINDOW_MOST,
	    .help = "The time in which they are counted, up to now."),
	{ 0 },
};

static const struct option rate_options[] = {
	OPTION_LIST(rate_options, limits, rate_limit, rate_limit_rows, .required = true, .min = 1,
	    .max = 20, .help = "Each makes a fact of its own."),
	{ 0 },
};

static const struct rate_limit *
rate_find(const struct rate_options *options, const char *name)
{
	for (size_t i = 0; i < options->limits.count; i++)
		if (options->limits.item[i].name != NULL &&
		    strcmp(options->limits.item[i].name, name) == 0)
			return &options->limits.item[i];
	return NULL;
}

/* What the limits must be together: of different names; and before MAIL nobody knows who sends. */
static void
rate_complete(struct option_reader *reader, const struct node *section, void *arg)
{
	const struct rate_options *options = arg;
	const struct node *list = node_find(section, "limits");
	const struct node *item = list != NULL && list->kind == NODE_LIST ? list->child : list;

	for (size_t i = 0; i < options->limits.count && item != NULL; i++, item = item->next) {
		const struct rate_limit *limit = &options->limits.item[i];

		if (limit->name != NULL && rate_find(options, limit->name) != limit)
			fault_add(reader->faults, node_find(item, "name"),
			    "there is a limit \"%s\" already", limit->name);
		if (limit->count.value == RATE_CONNECTIONS && limit->key.value > RATE_NETWORK)
			fault_add(reader->faults, node_find(item, "count"),
			    "connections can be counted by client or network only");
	}
}

static const char *
rate_values(const void *options, const char *key)
{
	return rate_find(options, key) != NULL ? "under over error" : NULL;
}

static const enum stage rate_stages[] = {
	[RATE_CONNECTIONS] = CONNECT,
	[RATE_MESSAGES] = MAIL,
	[RATE_RECIPIENTS] = RCPT,
};

static enum stage
rate_stage(const void *options, const char *key)
{
	const struct rate_limit *limit = rate_find(options, key);

	return limit != NULL ? rate_stages[limit->count.value] : RCPT;
}

/* ---- counting ---- */

static void
rate_network(char out[WHOSE_MOST], struct ip ip, unsigned bits_4, unsigned bits_6)
{
	struct network network = network_of(&ip, ip.length == 4 ? bits_4 : bits_6);

	network_text(out, &network);
}

static void
rate_lower(char out[WHOSE_MOST], const char *text)
{
	snprintf(out, WHOSE_MOST, "%s", text != NULL ? text : "");
	for (char *c = out; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
}

/* "": there is nobody. */
static void
rate_whose(char out[WHOSE_MOST], const struct mail *mail, enum rate_key key)
{
	switch (key) {
	case RATE_CLIENT:
		rate_network(out, mail->client->ip, 32, 64);
		break;
	case RATE_NETWORK:
		rate_network(out, mail->client->ip, 24, 48);
		break;
	case RATE_SENDER:
		rate_lower(out, mail->from->text);
		break;
	case RATE_SENDER_DOMAIN:
		rate_lower(out, mail->from->domain);
		break;
	case RATE_USER:
		rate_lower(out, mail->client->user);
		break;
	}
}

static void
rate_judge(struct mail *mail, const struct rate_limit *limit)
{
	struct tally *tally = mail->host != NULL ? mail->host->tally : NULL;
	char whose[WHOSE_MOST], detail[DETAIL_MOST] = "nobody to count";
	const char *value = "under";

	rate_whose(whose, mail, (enum rate_key)limit->key.value);
	if (tally == NULL) {
		value = "error";
		snprintf(detail, sizeof(detail), "no counters");
	} else if (whose[0] != '\0') {
		unsigned count =
		    tally_add(tally, tally_name(tally, slice_of(limit->name), slice_of(whose)),
			limit->within.value, clock_seconds());

		value = count > limit->most ? "over" : "under";
		snprintf(detail, sizeof(detail), "%u of %u %s within %gs by %s", count, limit->most,
		    rate_counts[limit->count.value], limit->within.value, whose);
	}
	evidence_add(mail->evidence, "rate", limit->name, value, detail);
}

static enum step
rate_run(struct mail *mail, const struct rate_options *options, enum rate_count count)
{
	for (size_t i = 0; i < options->limits.count; i++)
		if (options->limits.item[i].count.value == count)
			rate_judge(mail, &options->limits.item[i]);
	return NEXT;
}

static enum step
rate_connect(struct mail *mail, const void *options)
{
	return rate_run(mail, options, RATE_CONNECTIONS);
}

static enum step
rate_mail(struct mail *mail, const void *options)
{
	return rate_run(mail, options, RATE_MESSAGES);
}

static enum step
rate_rcpt(struct mail *mail, const void *options)
{
	return rate_run(mail, options, RATE_RECIPIENTS);
}

const struct filter rate_filter = {
	.name = "rate",
	.summary = "who sends more than he should",
	.facts = (const struct fact_kind[]) { { 0 } },
	.options = rate_options,
	.options_size = sizeof(struct rate_options),
	.complete = rate_complete,
	.named_values = rate_values,
	.named_stage = RCPT,
	.named_stage_of = rate_stage,
	.stages = { [CONNECT] = rate_connect, [MAIL] = rate_mail, [RCPT] = rate_rcpt },
};
