#include "proxy/shared.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>

static void
shared_undo(void *arg)
{
	munmap(arg, sizeof(struct shared));
}

struct shared *
shared_new(struct arena *arena)
{
	struct shared *shared =
	    mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED)
		abort();
	arena_defer(arena, shared_undo, shared);
	if (getrandom(shared->tally.key, sizeof(shared->tally.key), 0) !=
		(ssize_t)sizeof(shared->tally.key) ||
	    getrandom(shared->hash_key, sizeof(shared->hash_key), 0) !=
		(ssize_t)sizeof(shared->hash_key) ||
	    getrandom(shared->ticket_keys, sizeof(shared->ticket_keys), 0) !=
		(ssize_t)sizeof(shared->ticket_keys))
		abort();
	return shared;
}

void
shared_clear(struct shared_worker *worker)
{
	atomic_store(&worker->sessions, 0);
	for (size_t i = 0; i < SHARED_CLIENTS; i++)
		atomic_store_explicit(&worker->clients[i], 0, memory_order_relaxed);
}

/* Multiply and fold (as wyhash): a stranger does not know the key. */
static uint64_t
shared_mix(uint64_t a, uint64_t b)
{
	__uint128_t product = (__uint128_t)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

size_t
shared_place(const struct shared *shared, struct ip ip)
{
	uint64_t word = 0;

	memcpy(&word, ip.bytes, ip.length == 4 ? 4 : 8);
	word = shared_mix(word ^ shared->hash_key[0] ^ ip.length, shared->hash_key[1] | 1);
	return shared_mix(word ^ shared->hash_key[1], shared->hash_key[0] | 1) % SHARED_CLIENTS;
}

unsigned
shared_sessions_of(const struct shared *shared, size_t place)
{
	unsigned sum = 0;

	assert(place < SHARED_CLIENTS);
	for (size_t i = 0; i < SHARED_WORKERS; i++)
		sum +=
		    atomic_load_explicit(&shared->workers[i].clients[place], memory_order_relaxed);
	return sum;
}

uint64_t
shared_sessions(const struct shared *shared)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < SHARED_WORKERS; i++)
		sum += atomic_load_explicit(&shared->workers[i].sessions, memory_order_relaxed);
	return sum;
}
