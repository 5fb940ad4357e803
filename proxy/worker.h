/*
 * worker: one process, one loop, many sessions; what its sessions share.
 *
 * The master forks it with a configuration that never changes; a reload makes new workers,
 * and the old ones stop listening, finish their sessions and leave. Everything of a worker
 * is undone with worker->arena, after its last session.
 */
#pragma once

#include <ev.h>

#include "lib/dns_source.h"
#include "lib/spool.h"
#include "lib/task.h"
#include "proxy/ehlo.h"
#include "proxy/shared.h"
#include "rules/config.h"

struct session;

struct worker {
	struct arena *arena;
	struct ev_loop *loop;
	struct task_queue tasks;
	const struct config *config;
	struct dns_source *dns;
	struct pipeline_host filters;
	struct ehlo_memory ehlo; /* what the backend can do, as far as known */
	double *down_until;      /* per backend server: clock_seconds() */
	struct spool_limits spool;
	struct shared *all;           /* the counters of all workers */
	struct shared_worker *shared; /* its own slot of them */
	struct session *sessions;     /* the living ones */
	char piece[64 * 1024];        /* room to read held messages into */
	bool is_ending;               /* no new sessions or transactions */
};

/* Everything but the listeners and the knowledge of the backend (ehlo_start). slot: its
 * place in the counters. */
struct worker *worker_new(struct arena *arena, struct ev_loop *loop, const struct config *config,
    struct dns_source *dns, struct shared *shared, size_t slot);
