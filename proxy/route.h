/*
 * route: which server of the backend is tried next, and at which address.
 *
 * Servers come in the order of the configuration. One that failed of late (backend.retry)
 * is passed over as long as another one is left; when all have failed, they are tried all
 * the same, so an only server is always tried. A name's addresses (AAAA where the machine has
 * IPv6, A) are tried in the order in which the resolver gave them.
 */
#pragma once

#include <sys/socket.h>

#include "lib/dns.h"
#include "proxy/worker.h"

struct route {
	struct worker *worker;
	struct dns *dns;
	uint64_t failed; /* servers that had failed of late when we began */
	size_t server;   /* the present one */
	size_t address;  /* the next one of it */
	bool is_begun;
	bool takes_failed; /* in the second round: those that failed of late */
	bool repeats;
	struct sockaddr_storage last;
};

void route_init(struct route *route, struct arena *arena, struct worker *worker, struct task *task);

/* NEXT: *address is set; WAIT: a name is being looked up; END_SESSION: none is left. */
enum step route_next(struct route *route, struct sockaddr_storage *address);

void route_failed(struct route *route); /* the address that route_next() gave last */
void route_worked(struct route *route);
void route_again(struct route *route); /* give the same address once more */

const char *route_name(const struct route *route); /* "exchange:25" */
const char *route_host(const struct route *route); /* "exchange" */
