/*
 * How fast mail is looked into, as it passes: taken apart (lib/mime), and by each filter that looks
 * at parts, alone and all together. Mails of 1 KB to 100 MB, in pieces as they come from a socket,
 * each in a session of its own, with all answers of DNS at hand. And what one takes of memory at
 * its worst, with all that libraries take for it; without the message itself, which is held by
 * others (lib/buf, proxy/spool).
 *
 * Arguments: a size in KB and a kind, for those who look for where the time goes.
 */
#include <malloc.h>
#include <time.h>

#include "lib/dns_fake.h"
#include "rules/config.h"
#include "tests/bench/content_mail.h"

enum { CHUNK = 16 * 1024, ROUND = 2 * 1000 * 1000, ROUNDS = 7, LARGEST = 100 * 1000 * 1000 };

#define LIST(id) "{ id: " id ", zone: " id ".example, kind: domain, codes: { 127.0.0.2: listed } }"
#define SURBL "surbl: { lists: [ " LIST("a") ", " LIST("b") ", " LIST("c") " ] }"

/* What is measured. The first looks into nothing: the message is taken apart, and that is all. */
static const struct {
	const char *title, *filters; /* as the configuration names them */
} runs[] = {
	{ "taken apart", "" },
	{ "mime", "mime: {}" },
	{ "surbl", SURBL },
	{ "rules", "rules: {}" },
	{ "all", "mime: {}, " SURBL ", rules: {}" },
};

enum { RUNS = sizeof(runs) / sizeof(runs[0]) };

struct bench {
	struct arena *arena;
	struct task_queue tasks;
	struct dns_fake *fake;
	struct client client;
	struct address from;
	const struct pipeline *pipelines[RUNS];
	struct pipeline_host hosts[RUNS];
	uint64_t bytes; /* of text and data, told to nobody else */
};

/* ---- memory, counted as it is taken ---- */

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void __libc_free(void *memory);

static size_t heap, heap_most;

static void *
heap_took(void *memory)
{
	heap += malloc_usable_size(memory);
	if (heap > heap_most)
		heap_most = heap;
	return memory;
}

void *
malloc(size_t size)
{
	return heap_took(__libc_malloc(size));
}

void *
calloc(size_t count, size_t size)
{
	return heap_took(__libc_calloc(count, size));
}

void *
realloc(void *memory, size_t size)
{
	heap -= malloc_usable_size(memory);
	return heap_took(__libc_realloc(memory, size));
}

void
free(void *memory)
{
	heap -= malloc_usable_size(memory);
	__libc_free(memory);
}

/* ---- a session with one message ---- */

static void
bench_run_task(void *arg)
{
	(void)arg;
}

static struct scope *
bench_scope(struct bench *bench, struct scope *parent, enum scope_kind kind, enum stage stage)
{
	struct scope *scope =
	    scope_new(parent->mail.arena, parent->mail.dns, parent, kind, parent->pipeline);

	scope->mail.from = &bench->from;
	scope_reach(scope, stage);
	scope_run(scope);
	return scope;
}

static struct scope *
bench_session(struct bench *bench, struct arena *arena, size_t run)
{
	struct task *task = arena_alloc(arena, sizeof(*task));

	task_init(task, arena, &bench->tasks, bench_run_task, NULL);
	struct dns *dns = dns_new(arena, dns_fake_source(bench->fake), task);
	struct scope *scope = scope_new(arena, dns, NULL, SCOPE_CONNECTION, bench->pipelines[run]);

	scope_set_host(scope, &bench->hosts[run], task);
	scope->mail.client = &bench->client;
	scope_reach(scope, CONNECT);
	scope_run(scope);
	scope = bench_scope(bench, scope, SCOPE_HELO, HELO);
	return bench_scope(bench, scope, SCOPE_TRANSACTION, MAIL);
}

static void
bench_take(void *arg, const struct part *part, struct slice bytes)
{
	struct bench *bench = arg;

	(void)part;
	bench->bytes += bytes.length;
}

static void
bench_part(void *arg, const struct part *part)
{
	(void)arg;
	(void)part;
}

static void
bench_message(struct bench *bench, size_t run, struct slice message)
{
	const struct mime_sink watch = { bench_part, bench_take, bench_take, bench_part, bench };
	struct arena *arena = arena_new(SIZE_MAX);
	struct scope *scope = bench_session(bench, arena, run);

	if (run == 0)
		scope_watch(scope, &watch, NULL);
	for (size_t at = 0; at < message.length; at += CHUNK) {
		size_t left = message.length - at;

		if (at == 0) {
			scope->mail.header =
			    (struct slice) { message.data, sizeof(content_header) - 3 };
			scope_reach(scope, HEADERS);
		}
		scope_raw(scope, (struct slice) { message.data + at, left < CHUNK ? left : CHUNK });
		scope_run(scope);
	}
	scope_reach(scope, END);
	scope_run(scope);
	if (scope_waits(scope) || mime_count(scope->mail.mime) < 3)
		abort();
	arena_free(arena);
}

/* ---- what is measured ---- */

static double
bench_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The best of some rounds, in MB/s: other work of the machine only makes it slower. */
static double
bench_speed(struct bench *bench, size_t run, struct slice message)
{
	size_t count = 1 + ROUND / message.length;
	int rounds = message.length > ROUND ? 2 : ROUNDS;
	double best = 1e9;

	for (int round = 0; round < rounds; round++) {
		double start = bench_now();

		for (size_t i = 0; i < count; i++)
			bench_message(bench, run, message);
		double seconds = (bench_now() - start) / (double)count;

		best = seconds < best ? seconds : best;
	}
	return (double)message.length / best / 1e6;
}

static void
bench_kind(struct bench *bench, enum content_kind kind, size_t least, size_t most)
{
	for (size_t size = least; size <= most; size *= 10) {
		struct arena *arena = arena_new(SIZE_MAX);
		struct slice message = content_mail(arena, kind, size);

		printf("%-24s %8zu KB", content_kinds[kind].title, size / 1000);
		for (size_t run = 0; run < RUNS; run++)
			printf(" %12.1f", bench_speed(bench, run, message));
		size_t before = heap_most = heap;

		bench_message(bench, RUNS - 1, message);
		printf(" %8zu KiB\n", (heap_most - before) / 1024);
		arena_free(arena);
	}
}

static const struct pipeline *
bench_pipeline(struct bench *bench, const char *filters)
{
	const char *yaml = arena_format(bench->arena,
	    "hostname: mx.example.com\nlisten: [ { address: \"*:2525\", tls: off } ]\n"
	    "backend: { servers: [ \"127.0.0.1:2526\" ] }\nrelay: { domains: [ example.com ] }\n"
	    "filters: { %s }\n",
	    filters);
	struct faults faults;
	const struct config *config;

	faults_init(&faults, bench->arena);
	config = config_read_bytes(bench->arena, "bench.yaml", slice_of(yaml), &faults);
	if (config == NULL) {
		faults_print(&faults, stderr);
		exit(EXIT_FAILURE);
	}
	return &config->pipeline;
}

int
main(int count, char **words)
{
	static const struct dns_row rows[] = {
		{ DNS_A, "test.a.example", DNS_OK, { "127.0.0.2" } },
		{ DNS_A, "test.b.example", DNS_OK, { "127.0.0.2" } },
		{ DNS_A, "test.c.example", DNS_OK, { "127.0.0.2" } },
		{ 0 },
	};
	struct bench bench = { .arena = arena_new(SIZE_MAX),
		.client = { .ip = { 4, { 192, 0, 2, 1 } },
		    .text = "192.0.2.1",
		    .listener = "*:25",
		    .helo = "mail.example.org" },
		.from = { "a@example.org", "a", "example.org", false } };
	struct ev_loop *loop = ev_loop_new(0);
	size_t least = count > 1 ? strtoul(words[1], NULL, 10) * 1000 : 1000;
	size_t most = count > 1 ? least : LARGEST;

	task_queue_init(&bench.tasks, loop);
	bench.fake = dns_fake_new(bench.arena, loop, rows);
	dns_fake_allow_unknown(bench.fake);
	dns_fake_release_all(bench.fake);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("%-24s %11s", "MB/s on one core", "");
	for (size_t run = 0; run < RUNS; run++) {
		bench.pipelines[run] = bench_pipeline(&bench, runs[run].filters);
		bench.hosts[run].host = (struct filter_host) { .hostname = "mx.example.com",
			.arena = bench.arena,
			.loop = loop,
			.tasks = &bench.tasks,
			.dns = dns_fake_source(bench.fake) };
		pipeline_open(&bench.hosts[run], bench.pipelines[run]);
		printf(" %12s", runs[run].title);
	}
	printf(" %12s\n", "memory, all");
	for (int turn = 0; turn < 3; turn++) /* the lists are looked at when they are opened */
		ev_run(loop, EVRUN_NOWAIT);
	for (enum content_kind kind = 0; kind < CONTENT_KINDS; kind++)
		if (count < 3 || strcmp(words[2], content_kinds[kind].title) == 0)
			bench_kind(&bench, kind, least, most);
	arena_free(bench.arena);
	ev_loop_destroy(loop);
	return EXIT_SUCCESS;
}
