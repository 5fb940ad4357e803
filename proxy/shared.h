/*
 * shared: counters in memory that the master and all workers see.
 *
 * Each worker writes only its own slot, so nobody waits; who reads adds the slots up. A
 * slot whose worker died is cleared by the master (shared_clear), so that the sessions it
 * had are not counted for ever.
 *
 * Sessions per client are counted in a table of SHARED_CLIENTS places, to which addresses
 * are spread by a keyed hash (IPv6 by its /64): two clients may share a place, which can
 * only make the limit a little stricter for both.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/ip.h"
#include "lib/state.h"
#include "lib/tally.h"

enum { SHARED_WORKERS = 64, SHARED_CLIENTS = 16384 };

struct shared_worker {
	atomic_uint_least64_t sessions; /* now */
	atomic_uint_least64_t sessions_total;
	atomic_uint_least64_t messages_accepted, messages_refused, messages_deferred;
	atomic_uint_least64_t recipients_refused;
	atomic_uint_least64_t backend_failures;
	atomic_uint_least64_t bytes; /* of messages handed to the backend */
	atomic_uint_least16_t clients[SHARED_CLIENTS];
};

struct shared {
	uint64_t hash_key[2];
	unsigned char ticket_keys[80]; /* of TLS; random */
	atomic_uint_least64_t reloads, crashes;
	struct state_board state;
	struct tally tally;
	struct shared_worker workers[SHARED_WORKERS];
};

/* A mapping that is inherited by fork; freed with the arena. */
struct shared *shared_new(struct arena *arena);
void shared_clear(struct shared_worker *worker);

/* The place of a client in the tables. */
size_t shared_place(const struct shared *shared, struct ip ip);
unsigned shared_sessions_of(const struct shared *shared, size_t place);
uint64_t shared_sessions(const struct shared *shared);
