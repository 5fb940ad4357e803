/*
 * tls_gate: how many TLS handshakes may be under way at once in a worker.
 *
 * A session in mid-handshake holds three times the memory of one whose handshake is done, and
 * a burst of them leaves the heap full of holes. So each handshake passes a gate: there are
 * `most` places, who finds none waits in order of arrival, and its task is woken when it has
 * one. A place counts for TLS_GATE_PATIENCE seconds at most: a peer that stalls may keep its
 * handshake until its session's timer ends it, but not the place, so a handful of stalled
 * peers cannot keep all others out.
 *
 * A zeroed place is good. tls_gate_leave() must be called before its memory goes.
 */
#pragma once

#include <ev.h>
#include <sys/queue.h>

#include "lib/task.h"

#define TLS_GATE_PATIENCE 2.0 /* seconds */

enum tls_place_state { PLACE_OUTSIDE, PLACE_WAITING, PLACE_INSIDE, PLACE_OVERDUE };

struct tls_place {
	TAILQ_ENTRY(tls_place) link;
	struct tls_gate *gate;
	struct task *task;
	ev_tstamp since;
	enum tls_place_state state;
};

TAILQ_HEAD(tls_places, tls_place);

struct tls_gate {
	struct tls_places waiting, inside;
	unsigned count, most;
	struct ev_loop *loop;
	ev_timer timer; /* runs while somebody waits */
};

void tls_gate_init(struct tls_gate *gate, unsigned most);

/* True: the place is held (or was, and is overdue). False: it waits; task will be woken. */
bool tls_gate_enter(
    struct tls_gate *gate, struct tls_place *place, struct ev_loop *loop, struct task *task);
void tls_gate_leave(struct tls_place *place); /* from wherever it is; twice is harmless */
