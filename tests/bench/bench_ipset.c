/* Lists of a million lines: how long they take to load, to search, and how large they are. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/ipset.h"

enum { LINES = 1000000, LOOKUPS = 2000000, PROBES = 1 << 20 };

static uint64_t bench_state = 88172645463325252u;

static uint32_t
bench_random(void)
{
	bench_state ^= bench_state << 13;
	bench_state ^= bench_state >> 7;
	bench_state ^= bench_state << 17;
	return (uint32_t)(bench_state >> 16);
}

static struct ip
bench_ip(bool is_six)
{
	struct ip ip = { .length = is_six ? 16 : 4 };

	for (int i = 0; i < ip.length; i += 4) {
		uint32_t value = bench_random();

		memcpy(ip.bytes + i, &value, 4);
	}
	if (is_six) { /* as the Internet gives them out: few beginnings */
		ip.bytes[0] = 0x2a;
		ip.bytes[1] &= 0x0f;
	}
	return ip;
}

/* "nested": 1 line of 4 is a network that may hold others. */
static struct network
bench_network(bool is_six, bool is_nested)
{
	struct ip ip = bench_ip(is_six);

	if (is_six)
		return network_of(&ip, 64);
	return network_of(
	    &ip, is_nested && bench_random() % 4 == 0 ? 12 + bench_random() % 13 : 32);
}

static void
bench_write(const char *path, bool is_six, bool is_nested, struct network *networks)
{
	FILE *file = fopen(path, "w");

	assert(file != NULL);
	for (int i = 0; i < LINES; i++) {
		char text[NETWORK_TEXT_MOST];

		networks[i] = bench_network(is_six, is_nested);
		fprintf(file, "%s\n", network_text(text, &networks[i]));
	}
	assert(fclose(file) == 0);
}

/* Each lookup waits for the one before (a line number is never that large). */
static double
bench_lookup(const struct ipset *set, const struct ip *probes, size_t *found)
{
	double begun = clock_seconds();
	size_t at = 0;

	*found = 0;
	for (size_t i = 0; i < LOOKUPS; i++) {
		struct ipset_match match = { 0 };

		*found += ipset_find(set, &probes[at], &match);
		at = (at + 1 + (match.line >> 24)) % PROBES;
	}
	return (clock_seconds() - begun) / LOOKUPS * 1e9;
}

/* The best of five, for other programs disturb. */
static double
bench_lookup_best(const struct ipset *set, const struct ip *probes, size_t *found)
{
	double best = bench_lookup(set, probes, found);

	for (int i = 1; i < 5; i++) {
		double next = bench_lookup(set, probes, found);

		best = next < best ? next : best;
	}
	return best;
}

static void
bench_run(const char *name, bool is_six, bool is_nested)
{
	char path[] = "/tmp/bench_ipset.XXXXXX";
	int fd = mkstemp(path);
	struct network *networks = malloc(LINES * sizeof(*networks));
	struct ip *probes = malloc(PROBES * sizeof(*probes));
	struct arena *arena = arena_new(SIZE_MAX);
	static struct ipset_report report;
	size_t hits, misses;

	assert(fd >= 0 && networks != NULL && probes != NULL);
	bench_write(path, is_six, is_nested, networks);
	double begun = clock_seconds();
	struct ipset_builder *builder = ipset_builder_new(arena);
	int source = ipset_builder_source(builder, "list.txt");
	bool is_read = ipset_builder_file(builder, source, path, &report);
	double parsed = clock_seconds();
	const struct ipset *set = ipset_finish(builder, arena);
	double done = clock_seconds();

	assert(is_read && report.bad == 0 && report.entries == LINES);
	printf("%-14s load %4.0f ms (read %.0f, build %.0f)  %5.1f bytes/entry", name,
	    (done - begun) * 1e3, (parsed - begun) * 1e3, (done - parsed) * 1e3,
	    (double)ipset_size(set) / LINES);
	for (size_t i = 0; i < PROBES; i++)
		probes[i] = networks[bench_random() % LINES].ip;
	double hit = bench_lookup_best(set, probes, &hits);

	for (size_t i = 0; i < PROBES; i++)
		probes[i] = bench_ip(is_six);
	double random = bench_lookup_best(set, probes, &misses);

	printf("  lookup %3.0f ns listed, %3.0f ns random (%.1f%% listed)\n", hit, random,
	    (double)misses * 100 / LOOKUPS);
	assert(hits == LOOKUPS);
	unlink(path);
	close(fd);
	arena_free(arena);
	free(probes);
	free(networks);
}

int
main(void)
{
	bench_run("ipv4 single", false, false);
	bench_run("ipv4 nested", false, true);
	bench_run("ipv6 /64", true, false);
	return 0;
}
