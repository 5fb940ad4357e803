/*
 * What it costs to find out whose mail it is: messages of 20 KB per second, each in a session of
 * its own, through the filters spf, dkim and dmarc as a worker has them, with all answers of DNS
 * at hand. The sender's domain has its providers by three includes, the signature a key of 2048
 * bits, the author's domain inherits its policy.
 */
#include <openssl/rsa.h>
#include <stdio.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/dkim_sign.h"
#include "tests/unit/spf_zone.h"

enum { BODY = 20 * 1024, CHUNK = 4096, ROUNDS = 15, MESSAGES = 400 };

static const char header[] =
    "From: A Sender <a@news.example.org>\r\nTo: C <c@example.com>\r\nSubject: words of a "
    "subject\r\n"
    "Date: Tue, 24 Nov 2026 05:00:00 +0000\r\nMessage-ID: <7F3K2Q@example.org>\r\n"
    "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    "X-Mailer: something\r\nX-Priority: 3\r\nReply-To: a@news.example.org\r\n";

struct bench {
	struct arena *arena;
	struct zone *zone;
	struct task_queue tasks;
	struct pipeline pipeline;
	struct pipeline_host host;
	struct slice header, message;
	struct client client;
	struct address from;
};

static double
bench_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* As they are where none is configured. */
static const void *
bench_options(struct arena *arena, const struct filter *filter)
{
	void *options = arena_alloc(arena, filter->options_size);
	struct faults faults;
	struct option_reader reader = { .arena = arena, .faults = &faults };

	faults_init(&faults, arena);
	if (!option_read(&reader, filter->options, NULL, options))
		abort();
	return options;
}

static void
bench_text(struct zone *zone, const char *name, const char *text)
{
	zone->records[zone->count++] = (struct zone_record) {
		.name = arena_strdup(zone->arena, name),
		.type = DNS_TXT,
		.value = slice_of(arena_strdup(zone->arena, text)),
	};
}

static struct zone *
bench_zone(struct arena *arena, struct ev_loop *loop, EVP_PKEY *key)
{
	struct zone *zone = zone_new(arena, loop);

	bench_text(zone, "bounce.example.org",
	    "v=spf1 ip4:203.0.113.0/24 include:_spf.a.example include:_spf.b.example "
	    "include:_spf.c.example ~all");
	bench_text(zone, "_spf.a.example",
	    "v=spf1 ip4:198.51.100.0/25 ip4:198.51.100.128/26 ip6:2001:db8:1::/48 ~all");
	bench_text(zone, "_spf.b.example",
	    "v=spf1 ip4:198.18.0.0/16 ip4:198.19.0.0/17 ip6:2001:db8:2::/48 ~all");
	bench_text(zone, "_spf.c.example", "v=spf1 ip4:192.0.2.0/24 -all");
	bench_text(zone, "mail.example.org", "v=spf1 ip4:192.0.2.1 -all");
	bench_text(zone, "s1._domainkey.example.org", dkim_record_text(arena, key));
	bench_text(zone, "_dmarc.example.org",
	    "v=DMARC1; p=reject; sp=quarantine; rua=mailto:dmarc@example.org");
	return zone;
}

/* The message, signed by the author's organization. */
static void
bench_message(struct bench *bench, EVP_PKEY *key)
{
	static const char line[] = "The quick brown fox jumps over the lazy dog, and again.\r\n";
	struct buf *message = buf_new(bench->arena, 2 * BODY),
		   *body = buf_new(bench->arena, 2 * BODY);
	unsigned char hash[DKIM_CANON_HASH];
	struct dkim_canon canon;

	while (body->length < BODY)
		buf_append(body, slice_of(line));
	dkim_canon_begin(&canon, bench->arena);
	dkim_canon_feed(&canon, buf_slice(body));
	dkim_canon_end(&canon, hash);
	buf_print(message, "%s%s",
	    dkim_sign_field(bench->arena, key, "example.org", "s1", slice_of(header), hash,
		(uint64_t)clock_unix()),
	    header);
	bench->header = buf_slice(message);
	bench->header.data = arena_copy(bench->arena, bench->header);
	buf_append(message, slice_of("\r\n"));
	buf_append(message, buf_slice(body));
	bench->message = buf_slice(message);
}

static void
bench_run(void *arg)
{
	scope_run(arg);
}

/* A scope inside the last one, and what can be found out in it. */
static struct scope *
bench_scope(const struct bench *bench, struct arena *arena, struct dns *dns, struct scope *parent,
    enum scope_kind kind, enum stage stage)
{
	struct scope *scope = scope_new(arena, dns, parent, kind, &bench->pipeline);

	scope->mail.client = &bench->client;
	scope->mail.from = &bench->from;
	scope_reach(scope, stage);
	return scope;
}

/* A session with one message. */
static void
bench_once(struct bench *bench, const char *filter)
{
	struct arena *arena = arena_new(SIZE_MAX);
	struct task *task = arena_alloc(arena, sizeof(*task));

	task_init(task, arena, &bench->tasks, bench_run, NULL);
	struct dns *dns = dns_new(arena, &bench->zone->source, task);
	struct scope *scope = bench_scope(bench, arena, dns, NULL, SCOPE_CONNECTION, CONNECT);

	scope_set_host(scope, &bench->host, task);
	scope_run(scope);
	scope = bench_scope(bench, arena, dns, scope, SCOPE_HELO, HELO);
	scope_run(scope);
	scope = bench_scope(bench, arena, dns, scope, SCOPE_TRANSACTION, MAIL);
	scope_run(scope);
	for (size_t at = 0; at < bench->message.length; at += CHUNK) {
		size_t left = bench->message.length - at;

		if (at == 0) {
			scope->mail.header = bench->header;
			scope_reach(scope, HEADERS);
		}
		scope_raw(scope,
		    (struct slice) { bench->message.data + at, left < CHUNK ? left : CHUNK });
		scope_run(scope);
	}
	scope_reach(scope, END);
	scope_run(scope);
	const struct fact *fact = evidence_find(scope->mail.evidence, filter, "result");

	if (fact == NULL || strcmp(fact->value, "pass") != 0 || scope_waits(scope))
		abort();
	arena_free(arena);
}

static int
bench_compare(const void *a, const void *b)
{
	double one = *(const double *)a, other = *(const double *)b;

	return (one > other) - (one < other);
}

/* The median of the rounds, and the best: other work of the machine only makes it slower. */
static void
bench_filters(struct bench *bench, const char *title, const struct filter *const *filters)
{
	const struct filter *last = NULL;
	double each[ROUNDS];

	bench->pipeline.count = 0;
	for (; *filters != NULL; filters++) {
		last = *filters;
		bench->pipeline.rows[bench->pipeline.count++] =
		    (struct pipeline_row) { last, bench_options(bench->arena, last) };
	}
	pipeline_open(&bench->host, &bench->pipeline);
	for (int round = 0; round < ROUNDS; round++) {
		double start = bench_now();

		for (int i = 0; i < MESSAGES; i++)
			bench_once(bench, last->name);
		each[round] = (bench_now() - start) / MESSAGES;
	}
	qsort(each, ROUNDS, sizeof(each[0]), bench_compare);
	printf("%-20s %8.1f us each, %6.0f messages/s; the best round %8.1f us, %6.0f\n", title,
	    each[ROUNDS / 2] * 1e6, 1 / each[ROUNDS / 2], each[0] * 1e6, 1 / each[0]);
}

int
main(void)
{
	struct bench bench = { .arena = arena_new(SIZE_MAX),
		.client = { .ip = { 4, { 192, 0, 2, 1 } },
		    .text = "192.0.2.1",
		    .listener = "*:25",
		    .helo = "mail.example.org" },
		.from = { "a@bounce.example.org", "a", "bounce.example.org", false } };
	struct ev_loop *loop = ev_loop_new(0);
	EVP_PKEY *key = EVP_RSA_gen(2048);

	task_queue_init(&bench.tasks, loop);
	bench.zone = bench_zone(bench.arena, loop, key);
	bench.host.host.arena = bench.arena;
	bench_message(&bench, key);
	bench_filters(&bench, "spf", (const struct filter *const[]) { &spf_filter, NULL });
	bench_filters(&bench, "dkim", (const struct filter *const[]) { &dkim_filter, NULL });
	bench_filters(&bench, "spf, dmarc",
	    (const struct filter *const[]) { &spf_filter, &dmarc_filter, NULL });
	bench_filters(&bench, "spf, dkim, dmarc",
	    (const struct filter *const[]) { &spf_filter, &dkim_filter, &dmarc_filter, NULL });
	arena_free(bench.arena);
	EVP_PKEY_free(key);
	ev_loop_destroy(loop);
	return EXIT_SUCCESS;
}
