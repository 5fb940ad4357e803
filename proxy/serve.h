/*
 * serve: a worker's whole life, from the fork to its exit status.
 */
#pragma once

#include "proxy/keeper.h"
#include "proxy/shared.h"
#include "rules/config.h"

enum {
	SERVE_ENDED = 0,  /* in peace, after SIGTERM */
	SERVE_CANNOT = 78 /* EX_CONFIG: it will not work the next time either */
};

/*
 * Runs until SIGTERM or SIGINT: no new sessions, those without a message end, the others finish
 * it. fds: its sockets, one per config->listen. keeper: where the store is,
 * and who is told what to remember. When the master dies, the kernel says SIGTERM. Returns the
 * process's exit status.
 */
int serve(const struct config *config, struct shared *shared, size_t slot, const int *fds,
    struct keeper *keeper);
