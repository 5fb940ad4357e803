/*
 * What SPF costs: a whole evaluation, with all answers there at the first question (a cache's)
 * and with answers that come one by one, where it is run again for each.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/clock.h"
#include "lib/spf.h"
#include "tests/unit/spf_zone.h"

enum { EVALUATIONS = 20000, HEAVY = 200 };

static struct ev_loop *loop;
static struct task_queue queue;

static void
bench_no_run(void *arg)
{
	(void)arg;
}

static void
bench_add(struct zone *zone, const char *name, enum dns_type type, struct slice value)
{
	zone->records[zone->count++] = (struct zone_record) {
		.name = arena_strdup(zone->arena, name),
		.type = type,
		.value = { arena_copy(zone->arena, value), value.length },
	};
}

static void
bench_text(struct zone *zone, const char *name, const char *text)
{
	bench_add(zone, name, DNS_TXT, slice_of(text));
}

/* How an ordinary domain does it: its providers by include. */
static struct zone *
bench_includes(struct arena *arena)
{
	struct zone *zone = zone_new(arena, loop);

	bench_text(zone, "example.org",
	    "v=spf1 ip4:203.0.113.0/24 include:_spf.a.example include:_spf.b.example "
	    "include:_spf.c.example ~all");
	bench_text(zone, "_spf.a.example",
	    "v=spf1 ip4:198.51.100.0/25 ip4:198.51.100.128/26 ip6:2001:db8:1::/48 ~all");
	bench_text(zone, "_spf.b.example",
	    "v=spf1 ip4:198.18.0.0/16 ip4:198.19.0.0/17 ip6:2001:db8:2::/48 ~all");
	bench_text(zone, "_spf.c.example", "v=spf1 ip4:192.0.2.0/24 -all");
	return zone;
}

/* The worst that a domain can do to us within the limits: long records, ten includes. */
static struct zone *
bench_heavy(struct arena *arena)
{
	struct zone *zone = zone_new(arena, loop);
	const char *name = "example.org";

	for (int i = 0; i <= 10; i++) {
		const char *next = arena_format(arena, "n%d.example.org", i);
		struct buf *text = buf_new(arena, 1 << 16);

		buf_append(text, slice_of("v=spf1"));
		for (int k = 0; k < 500; k++)
			buf_print(text, " ip6:2001:db8:%x::/48", k);
		if (i < 10)
			buf_print(text, " include:%s", next);
		bench_add(zone, name, DNS_TXT, buf_slice(text));
		name = next;
	}
	return zone;
}

/* Ten hosts of each of ten domains, and none is it. */
static struct zone *
bench_hosts(struct arena *arena)
{
	static const char address[4] = { (char)203, 0, 113, 1 };
	struct zone *zone = zone_new(arena, loop);
	struct buf *text = buf_new(arena, 4096);

	buf_append(text, slice_of("v=spf1"));
	for (int i = 0; i < 10; i++) {
		const char *name = arena_format(arena, "m%d.example.org", i);

		buf_print(text, " mx:%s", name);
		for (int k = 0; k < 10; k++) {
			const char *host = arena_format(arena, "h%d.%s", k, name);

			bench_add(zone, name, DNS_MX, slice_of(host));
			bench_add(zone, host, DNS_A, (struct slice) { address, sizeof(address) });
		}
	}
	buf_append(text, slice_of(" -all"));
	bench_add(zone, "example.org", DNS_TXT, buf_slice(text));
	return zone;
}

static unsigned
bench_once(struct zone *zone, struct spf_verdict *verdict, double *seconds)
{
	const struct spf_query query = {
		.client = { 4, { 192, 0, 2, 1 } },
		.helo = "mail.example.org",
		.local = "a",
		.domain = "example.org",
		.terms = 10,
		.voids = 2,
		.wants_explanation = true,
	};
	struct arena *arena = arena_new(SIZE_MAX);
	struct task *task = arena_alloc(arena, sizeof(*task));
	unsigned runs = 1;

	task_init(task, arena, &queue, bench_no_run, NULL);
	struct dns *dns = dns_new(arena, &zone->source, task);
	double start = clock_seconds();

	while (!spf_check(verdict, arena, dns, &query)) {
		*seconds += clock_seconds() - start;
		if (!zone_answer_one(zone))
			abort();
		runs++;
		start = clock_seconds();
	}
	*seconds += clock_seconds() - start;
	arena_free(arena);
	return runs;
}

/* Without the time of the resolver where the answers come one by one. */
static void
bench_zone(const char *title, struct zone *zone, int count)
{
	for (int is_late = 0; is_late <= 1; is_late++) {
		struct spf_verdict verdict;
		double seconds = 0;
		unsigned runs = 0;

		zone->order = is_late ? ZONE_OLDEST : ZONE_AT_ONCE;
		for (int i = 0; i < count; i++)
			runs = bench_once(zone, &verdict, &seconds);
		printf("%-34s %-11s %8.1f us  %3u runs  %s\n", title,
		    is_late ? "one by one" : "at hand", seconds / count * 1e6, runs,
		    spf_word(verdict.result));
	}
}

int
main(void)
{
	struct arena *arena = arena_new(SIZE_MAX);

	loop = ev_loop_new(0);
	task_queue_init(&queue, loop);
	struct zone *simple = zone_new(arena, loop), *includes = bench_includes(arena);
	struct zone *hosts = bench_hosts(arena), *heavy = bench_heavy(arena);

	bench_text(simple, "example.org", "v=spf1 ip4:192.0.2.0/24 -all");
	bench_zone("an address, -all", simple, EVALUATIONS);
	bench_zone("three includes", includes, EVALUATIONS);
	bench_zone("ten mx of ten hosts", hosts, HEAVY);
	bench_zone("ten includes of 500 networks each", heavy, HEAVY);
	arena_free(arena);
	ev_loop_destroy(loop);
	return EXIT_SUCCESS;
}
