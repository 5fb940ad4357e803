/*
 * ip_list: is the client's address on a list of the administrator's own?
 *
 *	allow  on the allow list, whatever the block list says
 *	block  on the block list, or banned (`postern ban`, a rule with do: ban)
 *	none   on neither
 *	error  not on the lists; whether it is banned was not found out
 *
 * The detail says where it stands: "block.txt:17". What a ban's detail is about is the list
 * `ban`; it has the reason, and how long the ban still lasts.
 */
#include "filters/filter.h"
#include "lib/ban.h"
#include "lib/clock.h"
#include "lib/networks.h"

enum { PLACE_MOST = 256 };

struct ip_list_options {
	struct networks allow, block;
};

static const struct option ip_list_options[] = {
	OPTION_NETWORKS(ip_list_options, allow, .expected = "networks such as 192.0.2.0/24",
	    .help = "Addresses and networks that are known to be good; they win over `block`."),
	OPTION_NETWORKS(ip_list_options, block, .expected = "networks such as 192.0.2.0/24",
	    .help = "Addresses and networks that are known to be bad."),
	{ 0 },
};

/* "2d", "59m", "30s" */
static void
ip_list_rest(char out[16], double seconds)
{
	if (seconds >= 2 * 86400)
		snprintf(out, 16, "%.0fd", seconds / 86400);
	else if (seconds >= 2 * 3600)
		snprintf(out, 16, "%.0fh", seconds / 3600);
	else if (seconds >= 120)
		snprintf(out, 16, "%.0fm", seconds / 60);
	else
		snprintf(out, 16, "%.0fs", seconds);
}

static enum step
ip_list_ban(struct mail *mail)
{
	static const struct about about[] = { { "list", "ban" }, { 0 } };
	struct state *state = mail->host != NULL ? mail->host->state : NULL;
	char detail[PLACE_MOST], network[NETWORK_TEXT_MOST], rest[16];
	struct ban ban;

	switch (ban_find(state, mail->client->ip, &ban)) {
	case STORE_HAS:
		ip_list_rest(rest, ban.end - clock_unix());
		snprintf(detail, sizeof(detail), "%s banned by %s, %s left%s%s",
		    network_text(network, &ban.network), ban.who, rest,
		    ban.reason[0] != '\0' ? ": " : "", ban.reason);
		evidence_add_about(mail->evidence, "ip_list", "result", "block", detail, about);
		break;
	case STORE_NONE:
		evidence_add(mail->evidence, "ip_list", "result", "none", "");
		break;
	case STORE_FAILED:
		evidence_add(
		    mail->evidence, "ip_list", "result", "error", "the bans cannot be looked into");
		break;
	}
	return NEXT;
}

static enum step
ip_list_connect(struct mail *mail, const void *arg)
{
	const struct ip_list_options *options = arg;
	struct ip ip = mail->client->ip;
	char place[PLACE_MOST] = "";
	const char *result;

	if (networks_have(&options->allow, ip, place, sizeof(place)))
		result = "allow";
	else if (networks_have(&options->block, ip, place, sizeof(place)))
		result = "block";
	else
		return ip_list_ban(mail);
	evidence_add(mail->evidence, "ip_list", "result", result, place);
	return NEXT;
}

const struct filter ip_list_filter = {
	.name = "ip_list",
	.summary = "local lists of addresses and networks",
	.facts =
	    (const struct fact_kind[]) {
		{ "result", CONNECT, "allow block none error",
		    "on the allow list, on the block list or banned, on neither; where it stands" },
		{ 0 },
	    },
	.options = ip_list_options,
	.options_size = sizeof(struct ip_list_options),
	.is_always_on = true,
	.stages = { [CONNECT] = ip_list_connect },
};
