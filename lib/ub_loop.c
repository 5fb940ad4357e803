#include "lib/ub_loop.h"

#include <stddef.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unbound-event.h>

#include "lib/clock.h"

/*
 * Thousands of time-outs may be due at once, where a name server is dead; each sends a packet
 * from a new socket. They may take so many seconds of one turn; what is left is due in the next.
 */
static const double TURN_MOST = 0.001;

struct ub_loop {
	struct ub_event_base base;
	struct ev_loop *loop;
	unsigned turn; /* libev's, in which the first time-out was called at: */
	double began;
};

/*
 * What libunbound calls an event: a descriptor, a time-out, or both. It fires once unless
 * UB_EV_PERSIST is set; what ends first of the two stops the other (libevent's rules).
 */
struct ub_loop_event {
	struct ub_event super;
	struct ub_loop *ub;
	struct ev_loop *loop;
	ev_io io;
	ev_timer timer;
	short bits;
	void (*call)(int fd, short bits, void *arg);
	void *arg;
};

static int
ub_loop_del(struct ub_event *super)
{
	struct ub_loop_event *event = (struct ub_loop_event *)super;

	ev_io_stop(event->loop, &event->io);
	ev_timer_stop(event->loop, &event->timer);
	return 0;
}

static void
ub_loop_free(struct ub_event *super)
{
	ub_loop_del(super);
	free(super);
}

/* The call may free the event: nothing of it is touched afterwards. */
static void
ub_loop_on_io(struct ev_loop *loop, ev_io *io, int revents)
{
	struct ub_loop_event *event = io->data;
	int bits = (revents & EV_READ ? UB_EV_READ : 0) | (revents & EV_WRITE ? UB_EV_WRITE : 0);

	if ((event->bits & UB_EV_PERSIST) == 0)
		ub_loop_del(&event->super);
	else if (event->bits & UB_EV_TIMEOUT)
		ev_timer_again(loop, &event->timer);
	event->call(io->fd, (short)bits, event->arg);
}

bool
ub_loop_is_late(struct ub_event_base *base)
{
	struct ub_loop *ub = (struct ub_loop *)((char *)base - offsetof(struct ub_loop, base));
	unsigned turn = ev_iteration(ub->loop);

	if (ub->turn != turn) {
		ub->turn = turn;
		ub->began = clock_seconds();
		return false;
	}
	return clock_seconds() - ub->began > TURN_MOST;
}

static void
ub_loop_on_timer(struct ev_loop *loop, ev_timer *timer, int revents)
{
	struct ub_loop_event *event = timer->data;
	double repeat = timer->repeat;

	(void)revents;
	if (ub_loop_is_late(&event->ub->base)) {
		timer->repeat = 1e-6;
		ev_timer_again(loop, timer);
		timer->repeat = repeat;
		return;
	}
	if ((event->bits & UB_EV_PERSIST) == 0)
		ub_loop_del(&event->super);
	event->call(event->io.fd, UB_EV_TIMEOUT, event->arg);
}

static void
ub_loop_change(struct ub_loop_event *event, int fd, int bits)
{
	ub_loop_del(&event->super);
	event->bits = (short)bits;
	ev_io_set(&event->io, fd,
	    (bits & UB_EV_READ ? EV_READ : 0) | (bits & UB_EV_WRITE ? EV_WRITE : 0));
}

static void
ub_loop_add_bits(struct ub_event *super, short bits)
{
	struct ub_loop_event *event = (struct ub_loop_event *)super;

	ub_loop_change(event, event->io.fd, event->bits | bits);
}

static void
ub_loop_del_bits(struct ub_event *super, short bits)
{
	struct ub_loop_event *event = (struct ub_loop_event *)super;

	ub_loop_change(event, event->io.fd, event->bits & ~bits);
}

static void
ub_loop_set_fd(struct ub_event *super, int fd)
{
	struct ub_loop_event *event = (struct ub_loop_event *)super;

	ub_loop_change(event, fd, event->bits);
}

/* libunbound does ask for 0 s, but with repeat 0 ev_timer_again() would stop the timer. */
static int
ub_loop_add(struct ub_event *super, struct timeval *after)
{
	struct ub_loop_event *event = (struct ub_loop_event *)super;

	ub_loop_del(super);
	if (event->io.fd >= 0 && (event->bits & (UB_EV_READ | UB_EV_WRITE)))
		ev_io_start(event->loop, &event->io);
	if (after != NULL) {
		event->timer.repeat = (double)after->tv_sec + (double)after->tv_usec * 1e-6 + 1e-6;
		ev_timer_again(event->loop, &event->timer);
	}
	return 0;
}

static int
ub_loop_add_timer(struct ub_event *super, struct ub_event_base *base,
    void (*call)(int, short, void *), void *arg, struct timeval *after)
{
	struct ub_loop_event *event = (struct ub_loop_event *)super;

	(void)base;
	event->call = call;
	event->arg = arg;
	ub_loop_change(event, -1, UB_EV_TIMEOUT);
	return ub_loop_add(super, after);
}

static struct ub_event *
ub_loop_new_event(
    struct ub_event_base *base, int fd, short bits, void (*call)(int, short, void *), void *arg)
{
	static struct ub_event_vmt functions = {
		.add_bits = ub_loop_add_bits,
		.del_bits = ub_loop_del_bits,
		.set_fd = ub_loop_set_fd,
		.free = ub_loop_free,
		.add = ub_loop_add,
		.del = ub_loop_del,
		.add_timer = ub_loop_add_timer,
		.del_timer = ub_loop_del,
	};
	struct ub_loop *ub = (struct ub_loop *)((char *)base - offsetof(struct ub_loop, base));
	struct ub_loop_event *event = calloc(1, sizeof(*event));

	if (event == NULL)
		return NULL;
	*event = (struct ub_loop_event) {
		.super = { UB_EVENT_MAGIC, &functions },
		.ub = ub,
		.loop = ub->loop,
		.call = call,
		.arg = arg,
	};
	ev_init(&event->io, ub_loop_on_io);
	ev_init(&event->timer, ub_loop_on_timer);
	event->io.data = event->timer.data = event;
	ub_loop_change(event, fd, bits);
	return &event->super;
}

struct ub_event_base *
ub_loop_new(struct arena *arena, struct ev_loop *loop)
{
	static struct ub_event_base_vmt functions = { .new_event = ub_loop_new_event };
	struct ub_loop *ub = arena_alloc(arena, sizeof(*ub));

	*ub = (struct ub_loop) { .base = { UB_EVENT_MAGIC, &functions }, .loop = loop };
	return &ub->base;
}
