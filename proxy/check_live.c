#include "proxy/check_live.h"

#include <assert.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/list_guard.h"
#include "proxy/backend.h"
#include "proxy/resolver.h"
#include "proxy/shared.h"
#include "proxy/worker.h"

enum { ITEMS_MOST = 256, WORDS_MOST = 400 };

struct live;

/* One thing that is looked at; its task runs look() until that is done. */
struct live_item {
	struct live *live;
	struct task task;
	void (*look)(struct live_item *item);
	const char *label, *name, *terms;
	struct dns *dns;          /* of a name server */
	struct backend *backend;  /* of a backend */
	struct list_guard *guard; /* of a list */
	struct scanner *scanner;  /* of a scanner */
	bool is_over, is_good;
	char words[WORDS_MOST];
};

struct live {
	struct arena *arena;
	const struct config *config;
	struct ev_loop *loop;
	struct task_queue tasks;
	struct dns_source *dns;
	struct shared *shared;
	struct live_item items[ITEMS_MOST];
	size_t count, open;
};

__attribute__((format(printf, 3, 4))) static void
live_over(struct live_item *item, bool is_good, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(item->words, sizeof(item->words), format, args);
	va_end(args);
	item->is_over = true;
	item->is_good = is_good;
	if (--item->live->open == 0)
		ev_break(item->live->loop, EVBREAK_ALL);
}

static void
live_run(void *arg)
{
	struct live_item *item = arg;

	if (!item->is_over)
		item->look(item);
}

/* NULL: there are more than anybody has. */
static struct live_item *
live_add(
    struct live *live, const char *label, const char *name, void (*look)(struct live_item *item))
{
	struct live_item *item = &live->items[live->count];

	if (live->count == ITEMS_MOST)
		return NULL;
	live->count++;
	live->open++;
	*item = (struct live_item) { .live = live, .label = label, .name = name, .look = look };
	task_init(&item->task, live->arena, &live->tasks, live_run, item);
	task_wake(&item->task);
	return item;
}

/* ---- name servers ---- */

static void
live_look_dns(struct live_item *item)
{
	const struct dns_answer *answer = dns_ask(item->dns, DNS_A, item->live->config->hostname);

	if (answer == NULL)
		return;
	if (answer->state == DNS_FAILED)
		live_over(item, false, "%s", answer->why);
	else
		live_over(item, true, "answers, %.0f ms", answer->ms);
}

static void
live_add_dns(struct live *live, const char *name, const struct config_dns *config)
{
	struct dns_source *source =
	    config != NULL ? resolver_new(live->arena, live->loop, config) : live->dns;
	struct live_item *item = live_add(live, "name server", name, live_look_dns);

	if (item == NULL)
		return;
	if (source == NULL)
		live_over(item, false, "it cannot be asked");
	else
		item->dns = dns_new(live->arena, source, &item->task);
}

static void
live_add_all_dns(struct live *live)
{
	const struct config_dns *config = &live->config->dns;

	for (size_t i = 0; i < config->servers.count; i++) {
		struct config_dns one = *config;

		one.servers = (struct texts) { 1, &config->servers.item[i] };
		live_add_dns(live, config->servers.item[i], &one);
	}
	if (config->servers.count == 0)
		live_add_dns(live, "none, asking from the root downwards", NULL);
}

/* ---- backends ---- */

static void
live_backend_words(struct live_item *item)
{
	const struct smtp_ehlo *ehlo = backend_ehlo(item->backend);
	const char *tls = backend_tls(item->backend);
	char names[WORDS_MOST / 2] = "";
	size_t length = 0;

	for (unsigned bit = 0; bit < 32 && length < sizeof(names) - 32; bit++)
		if (ehlo->extensions & 1u << bit)
			length += (size_t)snprintf(names + length, sizeof(names) - length, " %s",
			    smtp_extension_name((enum smtp_extension)(1u << bit)));
	live_over(item, true, "good, %s;%s", tls != NULL ? tls : "no TLS",
	    length > 0 ? names : " no extensions");
}

static void
live_look_backend(struct live_item *item)
{
	backend_pull(item->backend);
	switch (backend_open(item->backend)) {
	case WAIT:
		backend_flush(item->backend);
		break;
	case NEXT:
		live_backend_words(item);
		break;
	case END_SESSION:
		live_over(item, false, "cannot be used; why is said above");
		break;
	}
}

static void
live_end_backend(void *arg)
{
	backend_free(arg);
}

/* A worker of its own for each: it would try another server after the first. */
static void
live_add_backend(struct live *live, const struct config_server *server)
{
	struct config *config = arena_alloc(live->arena, sizeof(*config));
	struct live_item *item = live_add(live, "backend", server->text, live_look_backend);

	if (item == NULL)
		return;
	*config = *live->config;
	config->pipeline.count = 0;
	config->backend.servers = (struct config_servers) { 1, server };

	struct worker *worker =
	    worker_new(live->arena, live->loop, config, live->dns, live->shared, 0);

	item->backend = backend_new(worker, &item->task);
	arena_defer(live->arena, live_end_backend, item->backend);
}

/* ---- lists ---- */

static void
live_look_list(struct live_item *item)
{
	const struct dns_list_result nothing = { .state = DNS_LIST_NONE };

	if (list_guard_ask(item->guard, item->live->arena, &item->task, &nothing) == LIST_WAITS)
		return;
	if (list_guard_state(item->guard) == LIST_GOOD)
		live_over(item, true, "good");
	else
		live_over(item, false, "%s", list_guard_reason(item->guard));
}

static void
live_add_lists(struct live *live, const struct dns_lists *lists)
{
	static const struct list_guard_options options = { { 3600 }, { 3600 }, 20 };
	const struct list_guard_host host = { live->arena, live->loop, &live->tasks, live->dns,
		true };

	for (size_t i = 0; i < lists->count; i++) {
		const struct dns_list *list = &lists->item[i];
		struct live_item *item = live_add(live, "list",
		    arena_format(live->arena, "%s (%s)", list->id, list->shown), live_look_list);

		if (item == NULL)
			return;
		item->terms = list->terms;
		item->guard = list_guard_new(&host, list, &options);
	}
}

/* ---- scanners ---- */

static void
live_look_scanner(struct live_item *item)
{
	switch (scanner_state(item->scanner)) {
	case SCANNER_RUNS:
		break;
	case SCANNER_ANSWERED:
		live_over(item, true, "answers");
		break;
	case SCANNER_SKIPPED:
	case SCANNER_FAILED:
		live_over(item, false, "%s", scanner_why(item->scanner));
		break;
	}
}

static void
live_add_scanner(struct live *live, const struct pipeline_row *row)
{
	const struct scanner_host host = {
		.arena = live->arena, .loop = live->loop, .tasks = &live->tasks, .is_silent = true
	};
	struct scanner_terms terms;

	row->filter->scanner(row->options, &terms);
	struct live_item *item = live_add(live, "scanner",
	    arena_format(live->arena, "%s (%s)", terms.name, terms.address->text),
	    live_look_scanner);

	if (item != NULL)
		item->scanner =
		    scanner_ping(scanner_service_new(&host, &terms), live->arena, &item->task);
}

/* ---- all of it ---- */

static void
live_add_all(struct live *live)
{
	const struct config *config = live->config;

	live_add_all_dns(live);
	for (size_t i = 0; i < config->backend.servers.count; i++)
		live_add_backend(live, &config->backend.servers.item[i]);
	for (size_t i = 0; i < config->pipeline.count; i++) {
		const struct pipeline_row *row = &config->pipeline.rows[i];

		if (row->filter->lists != NULL)
			live_add_lists(live, row->filter->lists(row->options));
		if (row->filter->scanner != NULL)
			live_add_scanner(live, row);
	}
}

static bool
live_print(const struct live *live)
{
	bool is_good = true;

	for (size_t i = 0; i < live->count; i++) {
		const struct live_item *item = &live->items[i];

		printf("%-12s %s: %s%s\n", item->label, item->name,
		    item->is_good ? "" : "FAILED: ", item->words);
		if (item->terms != NULL && item->terms[0] != '\0')
			printf("%-12s     terms: %s\n", "", item->terms);
		is_good &= item->is_good;
	}
	return is_good;
}

bool
check_live(struct arena *arena, const struct config *config)
{
	struct arena *inner = arena_new(SIZE_MAX);
	struct live *live = arena_alloc(inner, sizeof(*live));
	bool is_good = false;

	signal(SIGPIPE, SIG_IGN);
	*live = (struct live) { .arena = inner,
		.config = config,
		.loop = ev_loop_new(EVFLAG_AUTO),
		.shared = shared_new(arena) };
	task_queue_init(&live->tasks, live->loop);
	live->dns = resolver_new(inner, live->loop, &config->dns);
	if (live->dns != NULL) {
		live_add_all(live);
		while (live->open > 0)
			ev_run(live->loop, 0);
		is_good = live_print(live);
	}
	struct ev_loop *loop = live->loop;

	arena_free(inner);
	ev_loop_destroy(loop);
	return is_good;
}
