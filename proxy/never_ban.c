#include "proxy/never_ban.h"

#include "lib/ban.h"

static bool
never_ban_has(const struct network *network, const char *address)
{
	struct ip ip;

	return ip_read(&ip, slice_of(address)) && network_has(network, &ip);
}

/* This machine talks to itself from these. */
static bool
never_ban_is_loopback(const struct network *network)
{
	return never_ban_has(network, "127.0.0.1") || never_ban_has(network, "::1");
}

static bool
never_ban_is_backend(const struct config *config, const struct network *network)
{
	for (size_t i = 0; i < config->backend.servers.count; i++)
		if (network_has(network, &config->backend.servers.item[i].ip))
			return true;
	return false;
}

const char *
never_ban_network(const struct config *config, const struct network *network)
{
	const struct networks *relay = config_option(config, "relay", "networks");

	if (never_ban_is_loopback(network))
		return "this would ban this machine itself";
	if (never_ban_is_backend(config, network))
		return "this would ban a mail server behind postern (backend: servers:)";
	if (relay != NULL && relay->set != NULL && ipset_touches(relay->set, network))
		return "this would ban one of relay: networks:";
	return NULL;
}

const char *
never_ban_client(const struct config *config, struct ip client)
{
	struct network network = ban_network(client);
	const struct networks *allowed = config_option(config, "ip_list", "allow");

	if (allowed != NULL && networks_have(allowed, client, NULL, 0))
		return "it is on the list of the allowed";
	return never_ban_network(config, &network);
}
