#include "proxy/generation.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "proxy/listener.h"

static int *
generation_row(const struct generation *generation, size_t worker)
{
	return generation->sockets + worker * generation->config->listen.count;
}

/* The older generation's socket for this address and worker: a second descriptor of it. */
static int
generation_inherit(const struct generation *older, size_t worker, const char *address)
{
	if (older == NULL || worker >= older->count)
		return -1;
	for (size_t i = 0; i < older->config->listen.count; i++)
		if (strcmp(older->config->listen.item[i].address, address) == 0)
			return dup(generation_row(older, worker)[i]);
	return -1;
}

static bool
generation_has(const struct generation *older, const char *address)
{
	for (size_t i = 0; older != NULL && i < older->config->listen.count; i++)
		if (strcmp(older->config->listen.item[i].address, address) == 0)
			return true;
	return false;
}

/*
 * Does nobody else listen there? Sockets that share their address would let a second postern
 * take half of the clients unnoticed, so each address is tried alone before. Workers of a
 * master that was killed may need a moment to leave.
 */
static bool
generation_is_alone(const struct config_listen *listen, char why[LISTENER_WHY])
{
	enum { TRIES = 30, PAUSE = 100 * 1000 * 1000 };

	for (int i = 0; i < TRIES; i++) {
		int fd = listener_bind(listen, false, why);

		if (fd >= 0) {
			close(fd);
			return true;
		}
		nanosleep(&(struct timespec) { .tv_nsec = PAUSE }, NULL);
	}
	return false;
}

/*
 * All sockets share their address by SO_REUSEPORT, also where there is one worker: a later
 * reload may want more.
 */
static bool
generation_bind(
    struct generation *generation, const struct generation *older, struct faults *faults)
{
	const struct config *config = generation->config;
	char why[LISTENER_WHY];

	generation->sockets =
	    arena_alloc(generation->arena, generation->count * config->listen.count * sizeof(int));
	for (size_t i = 0; i < generation->count * config->listen.count; i++)
		generation->sockets[i] = -1;
	for (size_t i = 0; i < config->listen.count; i++) {
		const struct config_listen *listen = &config->listen.item[i];

		if (!generation_has(older, listen->address) && !generation_is_alone(listen, why)) {
			fault_add(faults, NULL, "%s", why);
			return false;
		}
	}
	for (size_t worker = 0; worker < generation->count; worker++) {
		for (size_t i = 0; i < config->listen.count; i++) {
			const struct config_listen *listen = &config->listen.item[i];
			int fd = generation_inherit(older, worker, listen->address);

			if (fd < 0)
				fd = listener_bind(listen, true, why);
			if (fd < 0) {
				fault_add(faults, NULL, "%s", why);
				return false;
			}
			generation_row(generation, worker)[i] = fd;
		}
	}
	return true;
}

struct generation *
generation_new(const char *file, struct generation *older, struct faults *faults)
{
	struct arena *arena = arena_new(SIZE_MAX);
	struct generation *generation = arena_alloc(arena, sizeof(*generation));

	generation->arena = arena;
	generation->config = config_read(arena, file, faults);
	if (generation->config == NULL) {
		arena_free(arena);
		return NULL;
	}
	generation->count = generation->config->workers < GENERATION_WORKERS
	    ? generation->config->workers
	    : GENERATION_WORKERS;
	if (!generation_bind(generation, older, faults)) {
		generation_free(generation);
		return NULL;
	}
	return generation;
}

void
generation_close(struct generation *generation)
{
	for (size_t i = 0; i < generation->count * generation->config->listen.count; i++) {
		if (generation->sockets[i] >= 0)
			close(generation->sockets[i]);
		generation->sockets[i] = -1;
	}
}

void
generation_free(struct generation *generation)
{
	generation_close(generation);
	arena_free(generation->arena);
}
