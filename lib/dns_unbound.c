#include "lib/dns_unbound.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unbound-event.h>
#include <unbound.h>

#include "lib/ub_loop.h"

enum { OPEN_MOST = 2000, SOCKETS_LEAST = 64, ASKED_LEAST = 4 };
enum { SECURE_BOGUS = 1, SECURE_YES = 2, RCODE_OK = 0, CLASS_IN = 1, SERVER_MOST = 64 };

struct dns_unbound {
	struct dns_source source;
	struct ub_event_base *base;
	struct ub_ctx *context;
	struct query *first, **last; /* not asked yet: this turn has had enough */
	ev_timer later;
	unsigned open_limit;
	FILE *log_file; /* NULL: libunbound has closed it */
	void (*log)(void *arg, const char *line);
	void *log_arg;
	char first_line[256]; /* of the log: what went wrong first */
};

/*
 * A question as libunbound has it. It outlives the session that asked: libunbound goes
 * on, fills its cache, and calls back; until then its memory is in use and stats.open
 * counts it. (That is why ub_cancel() is not used: it would take the callback away, but
 * not the work or the memory.)
 */
struct query {
	struct query *next; /* in the queue for a later turn */
	struct dns_unbound *unbound;
	struct dns_question *question; /* NULL: nobody waits any more */
	enum dns_type type;
	char name[];
};

/*
 * Comes from inside ub_resolve_event() where the cache or local data answer, and from
 * ub_ctx_delete(). Security comes first: a bogus answer has rcode 0 and records. NXDOMAIN
 * too has rcode 0 here; the packet says it. The packet is libunbound's send buffer: it is
 * read before anything else is asked.
 */
static void
dns_unbound_on_answer(void *arg, int rcode, void *packet, int size, int security, char *why_bogus,
    int was_ratelimited)
{
	struct query *query = arg;
	struct dns_question *question = query->question;

	(void)was_ratelimited;
	query->unbound->source.stats.open--;
	free(query);
	if (question == NULL)
		return;
	if (security == SECURE_BOGUS)
		dns_end(question, DNS_FAILED,
		    why_bogus != NULL ? arena_strdup(dns_arena(question), why_bogus) : "bogus");
	else if (packet == NULL || rcode != RCODE_OK)
		dns_end(question, DNS_FAILED, "no server has an answer (SERVFAIL)");
	else
		dns_end_packet(
		    question, (struct slice) { packet, (size_t)size }, security == SECURE_YES);
}

static void
dns_unbound_ask(struct query *query)
{
	struct dns_unbound *unbound = query->unbound;
	struct dns_question *question = query->question;
	char name[DNS_ESCAPED_MOST];

	if (ub_resolve_event(unbound->context, dns_escape(name, query->name), (int)query->type,
		CLASS_IN, query, dns_unbound_on_answer, NULL) == 0)
		return;
	unbound->source.stats.open--;
	free(query);
	if (question != NULL)
		dns_end(question, DNS_FAILED, "the resolver is out of order");
}

static struct query *
dns_unbound_unqueue(struct dns_unbound *unbound)
{
	struct query *query = unbound->first;

	unbound->first = query->next;
	if (unbound->first == NULL)
		unbound->last = &unbound->first;
	return query;
}

/* A few at the least, or the time-outs of a dead server could keep the others for ever. */
static void
dns_unbound_on_later(struct ev_loop *loop, ev_timer *later, int events)
{
	struct dns_unbound *unbound = later->data;

	(void)events;
	for (unsigned i = 0;
	     unbound->first != NULL && (i < ASKED_LEAST || !ub_loop_is_late(unbound->base)); i++)
		dns_unbound_ask(dns_unbound_unqueue(unbound));
	if (unbound->first != NULL)
		ev_timer_start(loop, later);
}

static void
dns_unbound_start(struct dns_source *source, struct dns_question *question)
{
	struct dns_unbound *unbound = (struct dns_unbound *)source;

	if (source->stats.open >= unbound->open_limit) {
		dns_end_over_limit(question, "too many questions under way");
		return;
	}
	struct query *query = calloc(1, sizeof(*query) + strlen(question->name) + 1);

	if (query == NULL)
		abort();
	query->unbound = unbound;
	query->question = question;
	query->type = question->type;
	strcpy(query->name, question->name);
	question->handle = query;
	source->stats.open++;
	if (unbound->first == NULL && !ub_loop_is_late(unbound->base)) {
		dns_unbound_ask(query);
		return;
	}
	*unbound->last = query;
	unbound->last = &query->next;
	ev_timer_start(source->loop, &unbound->later); /* again: nothing */
}

static void
dns_unbound_stop(struct dns_source *source, struct dns_question *question)
{
	struct query *query = question->handle;

	(void)source;
	query->question = NULL;
}

/* ---- servers ---- */

/* "127.0.0.1@53", as libunbound writes it; NULL and *why if text is no server. */
static const char *
dns_unbound_server(char server[SERVER_MOST], const char *text, const char **why)
{
	unsigned char address[sizeof(struct in6_addr)];
	bool is_bracketed = text[0] == '[';
	const char *first = strchr(text, ':'), *port = NULL;
	const char *end = is_bracketed ? strchr(text, ']') : text + strlen(text);
	char host[INET6_ADDRSTRLEN];
	unsigned number = 0;

	if (is_bracketed && end != NULL && end[1] != '\0')
		port = end + 1;
	else if (!is_bracketed && first != NULL && strchr(first + 1, ':') == NULL)
		port = end = first;
	const char *start = text + is_bracketed;

	*why = "not an IP address, alone or with a port (\"192.0.2.1:53\", \"[2001:db8::1]:53\")";
	if (end == NULL || (port != NULL && *port != ':') || (size_t)(end - start) >= sizeof(host))
		return NULL;
	snprintf(host, sizeof(host), "%.*s", (int)(end - start), start);
	if (inet_pton(strchr(host, ':') != NULL ? AF_INET6 : AF_INET, host, address) != 1 ||
	    (is_bracketed && strchr(host, ':') == NULL))
		return NULL;
	*why = "the port is not a number from 1 to 65535";
	for (const char *digit = port != NULL ? port + 1 : ""; *digit != '\0'; digit++) {
		if (*digit < '0' || *digit > '9' || number > 65535)
			return NULL;
		number = number * 10 + (unsigned)(*digit - '0');
	}
	if (port != NULL && (number == 0 || number > 65535))
		return NULL;
	*why = NULL;
	snprintf(server, SERVER_MOST, "%s@%u", host, port != NULL ? number : 53);
	return server;
}

bool
dns_unbound_is_server(const char *text, const char **why)
{
	char server[SERVER_MOST];

	return dns_unbound_server(server, text, why) != NULL;
}

/* ---- log ---- */

/* A line comes as "[1700000000] libunbound[1234:0] error: ..."; the log has its own time. */
static void
dns_unbound_log_line(struct dns_unbound *unbound, const char *line)
{
	const char *program = strstr(line, "libunbound[");
	const char *text = program != NULL ? strchr(program, ' ') : NULL;

	text = text != NULL ? text + 1 : line;
	if (unbound->first_line[0] == '\0')
		snprintf(unbound->first_line, sizeof(unbound->first_line), "%.250s",
		    strncmp(text, "error: ", 7) == 0 ? text + 7 : text);
	if (unbound->log != NULL)
		unbound->log(unbound->log_arg, text);
}

static ssize_t
dns_unbound_log(void *cookie, const char *text, size_t size)
{
	struct dns_unbound *unbound = cookie;
	char line[1024];
	size_t length = 0;

	for (size_t i = 0; i <= size; i++) {
		if (i < size && text[i] != '\n') {
			if (length + 1 < sizeof(line))
				line[length++] = text[i];
			continue;
		}
		line[length] = '\0';
		if (length > 0)
			dns_unbound_log_line(unbound, line);
		length = 0;
	}
	return (ssize_t)size;
}

static int
dns_unbound_log_closed(void *cookie)
{
	((struct dns_unbound *)cookie)->log_file = NULL;
	return 0;
}

static void
dns_unbound_log_open(struct dns_unbound *unbound)
{
	static const cookie_io_functions_t functions = {
		.write = dns_unbound_log,
		.close = dns_unbound_log_closed,
	};

	unbound->log_file = fopencookie(unbound, "w", functions);
	if (unbound->log_file == NULL)
		abort();
	setvbuf(unbound->log_file, NULL, _IOLBF, BUFSIZ);
	ub_ctx_debugout(unbound->context, unbound->log_file);
}

/* ---- options ---- */

struct option_row {
	const char *name, *value;
};

/* NULL, or what is wrong with an option, in the arena. */
static const char *
dns_unbound_set(struct arena *arena, struct ub_ctx *context, const char *name, const char *value)
{
	int code = ub_ctx_set_option(context, name, value);

	return code == 0
	    ? NULL
	    : arena_format(arena, "resolver option %s %s: %s", name, value, ub_strerror(code));
}

/*
 * A packet on its way has a socket of its own. Packets that wait for one are in a list that
 * libunbound searches at each time-out, so there are to be as many as questions may be under
 * way; but half of the descriptors are for sessions.
 */
static unsigned
dns_unbound_sockets(const struct dns_options *options)
{
	unsigned wanted = options->open_limit != 0 ? options->open_limit : OPEN_MOST;
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur / 2 < wanted)
		wanted = (unsigned)(files.rlim_cur / 2);
	return wanted > SOCKETS_LEAST ? wanted : SOCKETS_LEAST;
}

static const char *
dns_unbound_set_table(
    struct arena *arena, struct ub_ctx *context, const struct dns_options *options)
{
	uint64_t cache = options->cache != 0 ? options->cache : 48ull << 20;
	unsigned negative = options->negative_ttl != 0 ? options->negative_ttl : 300;
	bool has_forwarders = options->forwarders != NULL && options->forwarders[0] != NULL;
	const struct option_row table[] = {
		{ "outgoing-range:", arena_format(arena, "%u", dns_unbound_sockets(options)) },
		{ "outgoing-num-tcp:", "32" },
		{ "msg-cache-size:", arena_format(arena, "%" PRIu64, cache / 3) },
		{ "rrset-cache-size:", arena_format(arena, "%" PRIu64, cache / 3 * 2) },
		{ "cache-max-negative-ttl:", arena_format(arena, "%u", negative) },
		{ "infra-keep-probing:", "yes" },
		{ "unblock-lan-zones:", has_forwarders || options->stubs != NULL ? "yes" : "no" },
		{ "insecure-lan-zones:", "yes" },
		{ "qname-minimisation:", "no" },
		{ "rrset-roundrobin:", "no" },
		{ "minimal-responses:", "yes" },
		{ "do-ip6:", options->without_ip6 ? "no" : "yes" },
		{ "module-config:",
		    options->trust_anchor != NULL ? "validator iterator" : "iterator" },
	};
	const char *why = NULL;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]) && why == NULL; i++)
		why = dns_unbound_set(arena, context, table[i].name, table[i].value);
	return why;
}

static const char *
dns_unbound_set_servers(
    struct arena *arena, struct ub_ctx *context, const struct dns_options *options)
{
	const char *const *forwarder = options->forwarders;
	const struct dns_stub *stub = options->stubs;
	char server[SERVER_MOST];
	const char *why;
	int code = 0;

	for (; forwarder != NULL && *forwarder != NULL; forwarder++) {
		if (dns_unbound_server(server, *forwarder, &why) == NULL)
			return arena_format(arena, "DNS server %s: %s", *forwarder, why);
		if ((code = ub_ctx_set_fwd(context, server)) != 0)
			return arena_format(
			    arena, "DNS server %s: %s", *forwarder, ub_strerror(code));
	}
	for (; stub != NULL && stub->zone != NULL; stub++) {
		if (dns_unbound_server(server, stub->server, &why) == NULL)
			return arena_format(arena, "DNS server %s: %s", stub->server, why);
		if ((code = ub_ctx_set_stub(context, stub->zone, server, 0)) != 0)
			return arena_format(
			    arena, "DNS zone %s: %s", stub->zone, ub_strerror(code));
	}
	return NULL;
}

/*
 * Names that libunbound would answer by itself with "no such name". 127/8 may have names
 * at the server behind us; so may the others where the administrator has named a server,
 * which then knows best (RFC 6761 leaves it to the resolver that really resolves).
 */
static const char *
dns_unbound_open_zones(struct arena *arena, struct ub_ctx *context, bool has_forwarders)
{
	static const char *const zones[] = {
		"127.in-addr.arpa.",
		"test.",
		"invalid.",
		"home.arpa.",
		NULL,
	};

	for (const char *const *zone = zones; *zone != NULL; zone++) {
		int code = ub_ctx_zone_add(context, *zone, "transparent");

		if (code != 0)
			return arena_format(arena, "DNS zone %s: %s", *zone, ub_strerror(code));
		if (!has_forwarders)
			break;
	}
	return NULL;
}

static void
dns_unbound_on_first(void *arg, int rcode, void *packet, int size, int security, char *why_bogus,
    int was_ratelimited)
{
	(void)arg, (void)rcode, (void)packet, (void)size, (void)security, (void)why_bogus;
	(void)was_ratelimited;
}

/* The first question makes the options final; only then is a bad trust anchor noticed. */
static const char *
dns_unbound_begin(
    struct arena *arena, struct dns_unbound *unbound, const struct dns_options *options)
{
	struct ub_ctx *context = unbound->context;
	bool has_forwarders = options->forwarders != NULL && options->forwarders[0] != NULL;
	const char *why = dns_unbound_set_table(arena, context, options);

	if (why == NULL)
		why = dns_unbound_set_servers(arena, context, options);
	if (why != NULL)
		return why;
	if (options->trust_anchor != NULL &&
	    ub_ctx_add_ta_file(context, options->trust_anchor) != 0)
		return arena_format(arena, "trust anchor %s cannot be used", options->trust_anchor);
	int code = ub_resolve_event(
	    context, "localhost", DNS_A, CLASS_IN, NULL, dns_unbound_on_first, NULL);

	if (code != 0)
		return arena_format(arena, "the resolver cannot start: %s",
		    unbound->first_line[0] != '\0' ? unbound->first_line : ub_strerror(code));
	return dns_unbound_open_zones(arena, context, has_forwarders);
}

/* Also where libunbound has closed the log: that is noticed by dns_unbound_log_closed(). */
static void
dns_unbound_undo(void *arg)
{
	struct dns_unbound *unbound = arg;

	ev_timer_stop(unbound->source.loop, &unbound->later);
	while (unbound->first != NULL)
		free(dns_unbound_unqueue(unbound));
	if (unbound->log_file != NULL)
		ub_ctx_debugout(unbound->context, NULL);
	ub_ctx_delete(unbound->context);
	if (unbound->log_file != NULL)
		fclose(unbound->log_file);
}

struct dns_source *
dns_unbound_new(
    struct arena *worker, struct ev_loop *loop, const struct dns_options *options, const char **why)
{
	struct dns_unbound *unbound = arena_alloc(worker, sizeof(*unbound));

	*unbound = (struct dns_unbound) {
		.source = { .start = dns_unbound_start,
		    .stop = dns_unbound_stop,
		    .loop = loop,
		    .time_limit = options->time_limit > 0 ? options->time_limit : 5,
		    .question_limit = options->question_limit != 0 ? options->question_limit
								   : DNS_QUESTIONS_MOST },
		.open_limit = options->open_limit != 0 ? options->open_limit : OPEN_MOST,
		.log = options->log,
		.log_arg = options->log_arg,
	};
	unbound->last = &unbound->first;
	ev_timer_init(&unbound->later, dns_unbound_on_later, 0, 0);
	unbound->later.data = unbound;
	unbound->base = ub_loop_new(worker, loop);
	unbound->context = ub_ctx_create_ub_event(unbound->base);
	if (unbound->context == NULL)
		abort();
	arena_defer(worker, dns_unbound_undo, unbound);
	dns_unbound_log_open(unbound);
	*why = dns_unbound_begin(worker, unbound, options);
	return *why == NULL ? &unbound->source : NULL;
}
