#include "lib/tls_gate.h"

enum { RECHECKS = 8 }; /* per TLS_GATE_PATIENCE */

static void
tls_gate_admit(struct tls_gate *gate, struct tls_place *place, ev_tstamp now)
{
	place->state = PLACE_INSIDE;
	place->since = now;
	TAILQ_INSERT_TAIL(&gate->inside, place, link);
	gate->count++;
}

static void
tls_gate_drop(struct tls_gate *gate, struct tls_place *place, enum tls_place_state state)
{
	TAILQ_REMOVE(&gate->inside, place, link);
	gate->count--;
	place->state = state;
}

/* Who has been inside too long counts no more. */
static void
tls_gate_expire(struct tls_gate *gate, ev_tstamp now)
{
	struct tls_place *place;

	while (
	    (place = TAILQ_FIRST(&gate->inside)) != NULL && place->since + TLS_GATE_PATIENCE <= now)
		tls_gate_drop(gate, place, PLACE_OVERDUE);
}

static void
tls_gate_advance(struct tls_gate *gate)
{
	ev_tstamp now = ev_now(gate->loop);
	struct tls_place *place;

	tls_gate_expire(gate, now);
	while (gate->count < gate->most && (place = TAILQ_FIRST(&gate->waiting)) != NULL) {
		TAILQ_REMOVE(&gate->waiting, place, link);
		tls_gate_admit(gate, place, now);
		task_wake(place->task);
	}
	if (TAILQ_EMPTY(&gate->waiting))
		ev_timer_stop(gate->loop, &gate->timer);
}

static void
tls_gate_on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop, (void)events;
	tls_gate_advance(timer->data);
}

void
tls_gate_init(struct tls_gate *gate, unsigned most)
{
	*gate = (struct tls_gate) { .most = most };
	TAILQ_INIT(&gate->waiting);
	TAILQ_INIT(&gate->inside);
	ev_timer_init(&gate->timer, tls_gate_on_timer, TLS_GATE_PATIENCE / RECHECKS,
	    TLS_GATE_PATIENCE / RECHECKS);
	gate->timer.data = gate;
}

bool
tls_gate_enter(
    struct tls_gate *gate, struct tls_place *place, struct ev_loop *loop, struct task *task)
{
	if (place->state != PLACE_OUTSIDE)
		return place->state != PLACE_WAITING;
	place->gate = gate;
	place->task = task;
	tls_gate_expire(gate, ev_now(loop));
	if (TAILQ_EMPTY(&gate->waiting) && gate->count < gate->most) {
		tls_gate_admit(gate, place, ev_now(loop));
		return true;
	}
	place->state = PLACE_WAITING;
	TAILQ_INSERT_TAIL(&gate->waiting, place, link);
	gate->loop = loop;
	ev_timer_start(loop, &gate->timer);
	return false;
}

void
tls_gate_leave(struct tls_place *place)
{
	struct tls_gate *gate = place->gate;

	if (place->state == PLACE_INSIDE)
		tls_gate_drop(gate, place, PLACE_OUTSIDE);
	else if (place->state == PLACE_WAITING)
		TAILQ_REMOVE(&gate->waiting, place, link);
	place->state = PLACE_OUTSIDE;
	if (gate != NULL && gate->loop != NULL && ev_is_active(&gate->timer))
		tls_gate_advance(gate);
}
