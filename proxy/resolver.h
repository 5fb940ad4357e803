/*
 * resolver: the resolver as the configuration wants it, for a worker or for one command.
 *
 * It lives in the arena and in the loop, which both end after all who ask. NULL: it cannot
 * start, and why has been logged.
 */
#pragma once

#include <ev.h>

#include "lib/dns_source.h"
#include "rules/config.h"

struct dns_source *
resolver_new(struct arena *arena, struct ev_loop *loop, const struct config_dns *config);
