/*
 * A million bans: how long they take to write, to be read at a start and to be looked into; how
 * large they are. Half of them addresses, a quarter IPv4 networks, a quarter IPv6 /64. And how
 * many events a second the tally counts.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/ban.h"
#include "lib/clock.h"
#include "lib/tally.h"

enum { BANS = 1000000, LOOKUPS = 1000000, BATCH = 2000 };

static uint64_t bench_state;

static uint32_t
bench_random(void)
{
	bench_state ^= bench_state << 13;
	bench_state ^= bench_state >> 7;
	bench_state ^= bench_state << 17;
	return (uint32_t)(bench_state >> 16);
}

static struct network
bench_network(void)
{
	unsigned kind = bench_random() % 4;
	struct ip ip = { .length = kind == 0 ? 16 : 4 };

	for (int i = 0; i < ip.length; i += 4) {
		uint32_t value = bench_random();

		memcpy(ip.bytes + i, &value, 4);
	}
	return network_of(&ip, kind == 0 ? 64 : kind == 1 ? 22 + bench_random() % 8 : 32);
}

static void
bench_write(const char *folder)
{
	struct arena *arena = arena_new(SIZE_MAX);
	const char *why;
	struct store *store = store_new_writer(arena, folder, NULL, &why);
	double begun = clock_seconds(), now = clock_unix();
	struct store_statistics statistics;
	struct ban ban = { .who = "rule harvest", .reason = "case 7F3K2QXA" };

	assert(store != NULL);
	for (int i = 0; i < BANS; i++) {
		char key[BAN_KEY_MOST], value[BAN_VALUE_MOST];

		ban.network = bench_network();
		bool done = store_put(store, STORE_BANS,
		    (struct slice) { key, ban_key(key, &ban.network) },
		    (struct slice) { value, ban_value(value, &ban) }, now, now + 86400 + i % 3600);

		assert(done);
		if (i % BATCH == 0)
			store_commit(store);
	}
	store_commit(store);
	store_statistics(store, &statistics);
	printf("  written     %7.1f s  %zu bans, %zu MiB on disk\n", clock_seconds() - begun,
	    statistics.entries[STORE_BANS], statistics.bytes >> 20);
	arena_free(arena);
}

/* What the keeper does at a start: it reads all of it. */
static void
bench_start(const char *folder)
{
	struct arena *arena = arena_new(SIZE_MAX);
	double begun = clock_seconds();
	const char *why;
	struct store *store = store_new_writer(arena, folder, NULL, &why);

	assert(store != NULL);
	printf("  at a start  %7.0f ms\n", (clock_seconds() - begun) * 1e3);
	begun = clock_seconds();
	size_t purged = store_purge(store, clock_unix() + 2 * 86400, 1000);

	store_commit(store);
	printf("  purge       %7.1f ms  %zu bans\n", (clock_seconds() - begun) * 1e3, purged);
	arena_free(arena);
}

static size_t
bench_memory(const char *what)
{
	char line[200];
	size_t kib = 0;
	FILE *file = fopen("/proc/self/smaps_rollup", "r");

	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, what, strlen(what)) == 0)
			kib = strtoul(line + strlen(what), NULL, 10);
	if (file != NULL)
		fclose(file);
	return kib;
}

/* A worker. Half of what it looks for is banned. */
static void
bench_read(const char *folder)
{
	struct arena *arena = arena_new(SIZE_MAX);
	struct state *state = state_new_looker(arena, folder);
	size_t before = bench_memory("Private_Dirty:"), found = 0;
	struct ban ban;

	assert(state != NULL);
	for (int round = 0; round < 2; round++) {
		double begun = clock_seconds(), longest = 0;

		found = 0;
		bench_state = 88172645463325252u;
		for (int i = 0; i < LOOKUPS; i++) {
			struct ip ip = bench_network().ip;
			double since = clock_seconds();

			if (i % 2 == 1)
				ip.bytes[1] ^= 0x55;
			found += ban_find(state, ip, &ban) == STORE_HAS;
			if (clock_seconds() - since > longest)
				longest = clock_seconds() - since;
		}
		printf("  a lookup    %7.2f us  longest %.2f ms, %zu of %d found%s\n",
		    (clock_seconds() - begun) * 1e6 / LOOKUPS, longest * 1e3, found, LOOKUPS,
		    round == 0 ? " (first round)" : "");
	}
	printf("  a worker    %7zu KiB of its own; %zu MiB of the page cache, which all share\n",
	    bench_memory("Private_Dirty:") - before, bench_memory("Private_Clean:") >> 10);
	arena_free(arena);
}

static void
bench_tally(void)
{
	static struct tally tally;
	double begun = clock_seconds(), now = begun;
	char text[32];

	tally.key[0] = 88172645463325252u;
	for (unsigned i = 0; i < LOOKUPS; i++) {
		int length = snprintf(text, sizeof(text), "192.0.%u.%u/32", i % 251, i % 241);

		tally_add(&tally,
		    tally_name(
			&tally, slice_of("per-client"), (struct slice) { text, (size_t)length }),
		    600, now);
	}
	printf("  a count     %7.2f us  (rate), table of %zu KiB\n",
	    (clock_seconds() - begun) * 1e6 / LOOKUPS, sizeof(tally) >> 10);
}

/* In a process of its own: a store is opened once per process. */
static void
bench_apart(void (*run)(const char *folder), const char *folder)
{
	fflush(stdout);
	if (fork() == 0) {
		run(folder);
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
}

int
main(void)
{
	char folder[] = "/tmp/bench_bans_XXXXXX", command[80];

	bench_state = 88172645463325252u;
	if (mkdtemp(folder) == NULL)
		return 1;
	printf("a million bans:\n");
	bench_apart(bench_write, folder);
	bench_apart(bench_read, folder);
	bench_apart(bench_start, folder);
	bench_tally();
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command) == 0 ? 0 : 1;
}
