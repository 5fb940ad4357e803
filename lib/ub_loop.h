/*
 * ub_loop: libunbound's event interface over a libev loop.
 *
 * libunbound asks for its sockets and timers through a table of functions
 * (unbound-event.h) that was made for libevent; this is that table for libev. Only what
 * ub_resolve_event() needs is there: no signals, no dispatch, no threads.
 *
 * The base lives in the arena and must outlive ub_ctx_delete(): make it first, so that
 * the context's undo comes before its memory goes. Events belong to libunbound; it frees
 * each of them, also from inside the event's own call.
 */
#pragma once

#include <ev.h>

#include "lib/arena.h"

struct ub_event_base;

struct ub_event_base *ub_loop_new(struct arena *arena, struct ev_loop *loop);

/*
 * Whether libunbound has had its share of this turn of the loop (1 ms); its time-outs then wait
 * for the next. For those who would ask it a lot: the first call in a turn says no.
 */
bool ub_loop_is_late(struct ub_event_base *base);
