#include "proxy/resolver.h"

#include "lib/dns_unbound.h"
#include "lib/log.h"

static void
resolver_log(void *arg, const char *line)
{
	(void)arg;
	log_line(LEVEL_DEBUG, "dns", "%s", line);
}

struct dns_source *
resolver_new(struct arena *arena, struct ev_loop *loop, const struct config_dns *config)
{
	const char **servers = arena_alloc(arena, (config->servers.count + 1) * sizeof(*servers));
	const char *why;
	struct dns_source *dns;

	for (size_t i = 0; i < config->servers.count; i++)
		servers[i] = config->servers.item[i];
	dns = dns_unbound_new(arena, loop,
	    &(struct dns_options) { .forwarders = servers,
		.trust_anchor = config->trust_anchor,
		.time_limit = config->timeout.value,
		.question_limit = config->questions,
		.open_limit = config->open,
		.cache = config->cache.value,
		.negative_ttl = (unsigned)config->negative.value,
		.without_ip6 = !config->ipv6,
		.log = resolver_log },
	    &why);
	if (dns == NULL)
		log_line(LEVEL_ERROR, "dns", "the resolver cannot start: %s", why);
	return dns;
}
