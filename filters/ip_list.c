/*
 * ip_list: is the client's address on a list of the administrator's own?
 *
 *	allow  on the allow list, whatever the block list says
 *	block  on the block list
 *	none   on neither
 *
 * The detail says where it stands: "block.txt:17".
 */
#include "filters/filter.h"
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

static enum step
ip_list_connect(struct mail *mail, const void *arg)
{
	const struct ip_list_options *options = arg;
	struct ip ip = mail->client->ip;
	char place[PLACE_MOST] = "";
	const char *result = "none";

	if (networks_have(&options->allow, ip, place, sizeof(place)))
		result = "allow";
	else if (networks_have(&options->block, ip, place, sizeof(place)))
		result = "block";
	evidence_add(mail->evidence, "ip_list", "result", result, place);
	return NEXT;
}

const struct filter ip_list_filter = {
	.name = "ip_list",
	.summary = "local lists of addresses and networks",
	.facts =
	    (const struct fact_kind[]) {
		{ "result", CONNECT, "allow block none",
		    "on the allow list, on the block list, on neither; where it stands" },
		{ 0 },
	    },
	.options = ip_list_options,
	.options_size = sizeof(struct ip_list_options),
	.stages = { [CONNECT] = ip_list_connect },
};
