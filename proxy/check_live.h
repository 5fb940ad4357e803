/*
 * check_live: `postern check --live`: asks what the configuration names.
 *
 *	name servers    each is asked for the host's own name; any answer will do
 *	backends        each is connected, greeted and, by backend.tls, brought to TLS
 *	DNS lists       their test points (lib/list_guard.h), with their terms of use
 *	scanners        each is asked whether it is there (lib/scanner.h)
 *
 * All at once, within the configuration's limits of time. One line each on stdout; what a
 * backend did wrong comes before, as in the log. Nothing else is connected to, no mail is
 * sent.
 */
#pragma once

#include "rules/config.h"

/* Whether all is good. */
bool check_live(struct arena *arena, const struct config *config);
