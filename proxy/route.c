#include "proxy/route.h"

#include "lib/clock.h"
#include "lib/ip.h"

void
route_init(struct route *route, struct arena *arena, struct worker *worker, struct task *task)
{
	*route = (struct route) { .worker = worker, .dns = dns_new(arena, worker->dns, task) };
	for (size_t i = 0; i < worker->config->backend.servers.count; i++)
		if (worker->down_until[i] > clock_seconds())
			route->failed |= UINT64_C(1) << i;
}

static const struct config_server *
route_server(const struct route *route)
{
	const struct config_server *servers = route->worker->config->backend.servers.item;
	size_t count = route->worker->config->backend.servers.count;

	return &servers[route->server < count ? route->server : count - 1];
}

/* The next server of this round, then of the second one; false: none is left. */
static bool
route_step(struct route *route)
{
	size_t count = route->worker->config->backend.servers.count;

	for (;;) {
		route->server = route->is_begun ? route->server + 1 : 0;
		route->is_begun = true;
		route->address = 0;
		if (route->server >= count) {
			if (route->takes_failed)
				return false;
			route->takes_failed = true;
			route->is_begun = false;
			continue;
		}
		if ((route->failed >> route->server & 1) == route->takes_failed)
			return true;
	}
}

static bool
route_pick(
    const struct dns_answer *answer, size_t index, uint16_t port, struct sockaddr_storage *address)
{
	struct ip ip;

	if (answer == NULL || index >= answer->count)
		return false;
	ip.length = (uint8_t)answer->records[index].length;
	memcpy(ip.bytes, answer->records[index].data, ip.length);
	ip_to_sockaddr(&ip, port, address);
	return true;
}

/* The present server's next address: WAIT, NEXT, or END_SESSION when it has no more. */
static enum step
route_address(struct route *route, struct sockaddr_storage *address)
{
	const struct config_server *server = route_server(route);

	if (server->ip.length > 0) {
		if (route->address++ > 0)
			return END_SESSION;
		ip_to_sockaddr(&server->ip, server->port, address);
		return NEXT;
	}
	const struct dns_answer *six = dns_ask(route->dns, DNS_AAAA, server->host);
	const struct dns_answer *four = dns_ask(route->dns, DNS_A, server->host);

	if (six == NULL || four == NULL)
		return WAIT;
	size_t index = route->address++;

	if (route_pick(six, index, server->port, address) ||
	    (index >= six->count && route_pick(four, index - six->count, server->port, address)))
		return NEXT;
	return END_SESSION;
}

enum step
route_next(struct route *route, struct sockaddr_storage *address)
{
	if (route->repeats) {
		route->repeats = false;
		*address = route->last;
		return NEXT;
	}
	if (!route->is_begun && !route_step(route))
		return END_SESSION;
	for (;;) {
		enum step step = route_address(route, address);

		if (step == NEXT)
			route->last = *address;
		if (step != END_SESSION)
			return step;
		if (!route_step(route))
			return END_SESSION;
	}
}

void
route_failed(struct route *route)
{
	route->worker->down_until[route->server] =
	    clock_seconds() + route->worker->config->backend.retry.value;
}

void
route_worked(struct route *route)
{
	route->worker->down_until[route->server] = 0;
}

void
route_again(struct route *route)
{
	route->repeats = true;
}

const char *
route_name(const struct route *route)
{
	return route_server(route)->text;
}

const char *
route_host(const struct route *route)
{
	return route_server(route)->host;
}
