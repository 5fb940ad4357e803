#include "proxy/probe.h"

#include "lib/clock.h"
#include "proxy/backend.h"

/* Seconds: what is known is asked for again after; what could not be found out sooner. */
static const double probe_fresh = 60, probe_again = 5;

struct probe {
	struct worker *worker;
	struct task task;
	struct backend *backend; /* NULL: no probe under way */
	bool is_due;             /* the next run begins one */
	ev_timer timer;
};

static void
probe_next(struct probe *probe, double after)
{
	probe->timer.repeat = after;
	ev_timer_again(probe->worker->loop, &probe->timer);
}

static void
probe_end(struct probe *probe)
{
	bool is_good = backend_is_open(probe->backend);

	backend_free(probe->backend);
	probe->backend = NULL;
	probe_next(probe, is_good ? probe_fresh : probe_again);
}

static void
probe_run(void *arg)
{
	struct probe *probe = arg;

	if (probe->backend == NULL && !probe->is_due)
		return; /* woken by the last one's end */
	if (probe->backend == NULL)
		probe->backend = backend_new(probe->worker, &probe->task);
	probe->is_due = false;
	backend_pull(probe->backend);
	if (backend_open(probe->backend) == WAIT)
		backend_flush(probe->backend);
	else
		probe_end(probe);
}

static void
probe_begin(struct probe *probe)
{
	probe->is_due = true;
	task_wake(&probe->task);
}

static void
probe_on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct probe *probe = timer->data;
	double age = clock_seconds() - probe->worker->ehlo.learnt;

	(void)events;
	if (probe->worker->ehlo.is_known && age < probe_fresh)
		return probe_next(probe, probe_fresh - age);
	ev_timer_stop(loop, timer);
	probe_begin(probe);
}

static void
probe_undo(void *arg)
{
	struct probe *probe = arg;

	ev_timer_stop(probe->worker->loop, &probe->timer);
	if (probe->backend != NULL)
		backend_free(probe->backend);
}

void
probe_start(struct worker *worker)
{
	struct probe *probe = arena_alloc(worker->arena, sizeof(*probe));

	probe->worker = worker;
	task_init(&probe->task, worker->arena, &worker->tasks, probe_run, probe);
	ev_timer_init(&probe->timer, probe_on_timer, 0, 0);
	probe->timer.data = probe;
	arena_defer(worker->arena, probe_undo, probe);
	probe_begin(probe);
}
