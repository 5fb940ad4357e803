/*
 * state: what is remembered (lib/store.h), as a worker sees it.
 *
 * A worker reads the store by itself, within its loop: that is a look into memory. It never
 * writes there, for writing means a lock and a disk. What it wants changed it tells the keeper
 * (proxy/keeper.h), which alone writes, as a datagram; the change can be seen a moment later,
 * also by the worker itself. A datagram that does not go at once waits in the worker, up to a
 * bound; what is over it is lost and counted on the board, and the log says so once.
 *
 * The store is opened at once, or at the first look after the keeper could open it (the board says
 * so). Until then it is STORE_FAILED, of which a filter makes the fact `error`.
 */
#pragma once

#include <ev.h>
#include <stdatomic.h>

#include "lib/buf.h"
#include "lib/store.h"

/* In memory that all processes share: written by the keeper, `lost` by the workers. */
struct state_board {
	atomic_bool is_open; /* the keeper has the store */
	atomic_uint_least64_t lost;
	atomic_uint_least64_t entries[STORE_TABLES], bytes, refused, evicted, dropped;
};

enum state_change {
	STATE_PUT,   /* in place of what is there */
	STATE_ADD,   /* only where nothing is there, or has ended */
	STATE_FORGET /* what is there */
};

struct state_request {
	enum state_change change;
	enum store_table table;
	struct slice key, value; /* value: empty for STATE_FORGET */
	double end;
};

enum { STATE_REQUEST_MOST = 16 + STORE_KEY_MOST + STORE_VALUE_MOST };

/* How long it is in `out`. */
size_t state_request_write(char out[STATE_REQUEST_MOST], const struct state_request *request);

/* key and value point into bytes. false: it is none. */
bool state_request_read(struct state_request *request, struct slice bytes);

struct state;

/* folder: the store's. link: a datagram socket to the keeper, borrowed. */
struct state *state_new(struct arena *arena, struct ev_loop *loop, const char *folder, int link,
    struct state_board *board);

/* For who only looks, outside of a worker (explain): changes go nowhere. NULL: there is no store,
 * or none that this user may open. */
struct state *state_new_looker(struct arena *arena, const char *folder);

/* As store_get() and store_below(). state NULL, where nothing is remembered: STORE_NONE. */
enum store_result
state_get(struct state *state, enum store_table table, struct slice key, struct store_entry *entry);
enum store_result state_below(
    struct state *state, enum store_table table, struct slice key, struct store_entry *entry);

/* state may be NULL. */
void state_tell(struct state *state, const struct state_request *request);
