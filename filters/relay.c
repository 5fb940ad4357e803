/*
 * relay: on what ground may mail for this recipient pass through us?
 *
 *	domain      the recipient is in a domain of ours
 *	network     the client is in a network of ours
 *	auth        the client has authenticated to the backend
 *	denied      on none of these: policy refuses it before any rule is read
 *
 * An address by which the backend might send the mail on (user%elsewhere@ours, "a@b"@ours;
 * see lib/smtp_path.h) is never in a domain of ours: only who may send anywhere may use it.
 * <postmaster> without a domain (RFC 5321 4.5.1) is ours, if any domain is.
 */
#include "filters/relay.h"

#include "filters/filter.h"
#include "lib/domain.h"

enum { PLACE_MOST = 256 };

static const struct option relay_options[] = {
	OPTION(relay_options, domains,
	    .help = "Domains whose mail the backend takes: `example.com` is that domain and no "
		    "other, `.example.com` all domains below it and not itself."),
	OPTION_NETWORKS(relay_options, networks, .expected = "networks such as 10.0.0.0/8",
	    .help = "Networks of clients that may send mail to anywhere."),
	{ 0 },
};

/* The domain in the configuration that the recipient is in; NULL: none. */
static const char *
relay_domain(const struct relay_options *options, const struct address *recipient)
{
	const struct texts *domains = &options->domains;

	if (recipient->is_routing || domains->count == 0)
		return NULL;
	if (recipient->domain[0] == '\0')
		return strcasecmp(recipient->local, "postmaster") == 0 ? "postmaster" : NULL;
	for (size_t i = 0; i < domains->count; i++)
		if (domain_matches(slice_of(recipient->domain), domains->item[i]))
			return domains->item[i];
	return NULL;
}

static enum step
relay_record(struct mail *mail, const char *value, const char *detail)
{
	const struct about about[] = { { "recipient", mail->recipient->text }, { 0 } };

	evidence_add_about(mail->evidence, "relay", "result", value, detail, about);
	return NEXT;
}

static enum step
relay_rcpt(struct mail *mail, const void *arg)
{
	const struct relay_options *options = arg;
	const struct client *client = mail->client;
	const char *domain = relay_domain(options, mail->recipient);
	char place[PLACE_MOST] = "";

	if (domain != NULL)
		return relay_record(mail, "domain", domain);
	if (networks_have(&options->networks, client->ip, place, sizeof(place)))
		return relay_record(mail, "network", place);
	if (client->user != NULL)
		return relay_record(mail, "auth", client->user);
	return relay_record(mail, "denied",
	    mail->recipient->is_routing ? "an address that could be sent on"
					: "not a domain of ours");
}

const struct filter relay_filter = {
	.name = "relay",
	.summary = "who may send mail through us to whom",
	.facts =
	    (const struct fact_kind[]) {
		{ "result", RCPT, "domain network auth denied",
		    "the ground on which mail for the recipient may pass, or that it may not" },
		{ 0 },
	    },
	.options = relay_options,
	.options_size = sizeof(struct relay_options),
	.is_always_on = true,
	.stages = { [RCPT] = relay_rcpt },
};
