/*
 * generation: a configuration and the workers that serve it.
 *
 * A reload makes a new generation beside the old one: its configuration is read and checked
 * completely and its sockets are bound before anything changes. Sockets for addresses that
 * the old one has are taken over, so no connection in a queue is lost. Then the old
 * generation's workers are told to finish; when the last one has left it is freed.
 */
#pragma once

#include <sys/types.h>

#include "proxy/shared.h"
#include "rules/config.h"

enum { GENERATION_WORKERS = 32 };

struct process {
	pid_t pid;                  /* 0: not running */
	size_t slot;                /* of the shared counters */
	double started, not_before; /* clock_seconds() */
	unsigned crashes;           /* in a row */
};

struct generation {
	struct generation *older;
	struct arena *arena;
	const struct config *config;
	size_t count; /* of workers */
	int *sockets; /* count rows of config->listen.count */
	struct process processes[GENERATION_WORKERS];
	bool is_ending;
};

/* Reads the file. NULL: faults hold what is wrong; nothing has changed. older: whose sockets
 * may be taken over; NULL: none. */
struct generation *
generation_new(const char *file, struct generation *older, struct faults *faults);

/* Nobody listens there any more, once its workers do not. */
void generation_close(struct generation *generation);

/* Its descriptors are closed (an heir has its own of the same sockets), its memory is freed. */
void generation_free(struct generation *generation);
