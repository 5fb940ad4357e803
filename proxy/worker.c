#include "proxy/worker.h"

enum { SPOOL_MEMORY_ALL = 256 * 1024 * 1024 };

struct worker *
worker_new(struct arena *arena, struct ev_loop *loop, const struct config *config,
    struct dns_source *dns, struct shared *shared, size_t slot)
{
	struct worker *worker = arena_alloc(arena, sizeof(*worker));

	*worker = (struct worker) {
		.arena = arena,
		.loop = loop,
		.config = config,
		.dns = dns,
		.all = shared,
		.shared = &shared->workers[slot],
		.spool = { .folder = config->spool_dir,
		    .memory = (size_t)config->limits.memory.value,
		    .memory_all = SPOOL_MEMORY_ALL },
	};
	worker->down_until =
	    arena_alloc(arena, config->backend.servers.count * sizeof(*worker->down_until));
	task_queue_init(&worker->tasks, loop);
	worker->filters.host = (struct filter_host) { .hostname = config->hostname,
		.arena = arena,
		.loop = loop,
		.tasks = &worker->tasks,
		.dns = dns,
		.tally = &shared->tally,
		.spool = &worker->spool };
	pipeline_open(&worker->filters, &config->pipeline);
	return worker;
}
