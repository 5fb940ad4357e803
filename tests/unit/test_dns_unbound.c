/*
 * libunbound against a name server in the same loop: were anything to wait in it, the server
 * could not answer. The server knows what it does by the first label of the name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/dns_unbound.h"

enum { NXDOMAIN = 3, SERVFAIL = 2, SESSIONS_MOST = 10 };

struct server {
	ev_io io;
	char address[32];
	unsigned asked;
	unsigned char name[256]; /* of the last question, as it came */
};

struct session {
	struct arena *arena;
	struct task *task;
	struct dns *dns;
	unsigned runs;
};

static struct ev_loop *loop;
static struct task_queue queue;
static struct arena *worker;
static struct server server;
static ev_timer tick;
static double last_tick, longest_gap;
static char log_text[4096];

/* ---- the server ---- */

static size_t
server_record(unsigned char *packet, size_t length, unsigned type, const void *data, size_t size)
{
	const unsigned char head[12] = { 0xc0, 0x0c, 0, (unsigned char)type, 0, 1, 0, 0, 1, 44,
		(unsigned char)(size >> 8), (unsigned char)size };

	packet[7]++;
	memcpy(packet + length, head, sizeof(head));
	memcpy(packet + length + sizeof(head), data, size);
	return length + sizeof(head) + size;
}

/* packet holds the question; what it makes of it: the answer's length, 0 for silence. */
static size_t
server_answer(unsigned char *packet, size_t length, unsigned type)
{
	const char *label = (const char *)packet + 13;
	static char text[256] = "\377";

	packet[2] = 0x85;
	packet[3] = 0x80;
	packet[7] = packet[9] = packet[11] = 0;
	if (strncasecmp(label, "silent", 6) == 0)
		return 0;
	if (strncasecmp(label, "none", 4) == 0)
		packet[3] |= NXDOMAIN;
	else if (strncasecmp(label, "fail", 4) == 0)
		packet[3] |= SERVFAIL;
	else if (strncasecmp(label, "alias", 5) == 0)
		return server_record(packet, length, DNS_CNAME, "\2mx\300\022", 5);
	else if (type == DNS_A)
		return server_record(packet, length, type, "\306\063\144\005", 4);
	else if (type == DNS_PTR)
		return server_record(packet, length, type, "\2MX\7Example", 12);
	else if (type == DNS_MX)
		return server_record(packet, length, type, "\0\012\2mx\300\014", 7);
	else if (type == DNS_TXT)
		return server_record(packet, length, type, text, sizeof(text));
	return length;
}

static void
server_on_packet(struct ev_loop *where, ev_io *io, int events)
{
	unsigned char packet[2048];
	struct sockaddr_in peer;
	socklen_t peer_size = sizeof(peer);
	ssize_t size;

	(void)where, (void)events;
	while ((size = recvfrom(io->fd, packet, sizeof(packet), MSG_DONTWAIT,
		    (struct sockaddr *)&peer, &peer_size)) > 17) {
		size_t length = 12 + strlen((char *)packet + 12) + 5;

		assert_true(length <= (size_t)size);
		server.asked++;
		memcpy(server.name, packet + 12, length - 16);
		length = server_answer(packet, length, packet[length - 3]);
		if (length > 0)
			sendto(io->fd, packet, length, 0, (struct sockaddr *)&peer, peer_size);
	}
}

static void
server_begin(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), room = 4 << 20;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	snprintf(server.address, sizeof(server.address), "127.0.0.1:%u", ntohs(address.sin_port));
	server.asked = 0;
	ev_io_init(&server.io, server_on_packet, fd, EV_READ);
	ev_io_start(loop, &server.io);
}

/* ---- worker and sessions ---- */

static void
on_tick(struct ev_loop *where, ev_timer *timer, int events)
{
	double now = clock_seconds();

	(void)where, (void)timer, (void)events;
	if (now - last_tick > longest_gap)
		longest_gap = now - last_tick;
	last_tick = now;
}

static void
on_log(void *arg, const char *line)
{
	size_t length = strlen(log_text);

	assert_ptr_equal(arg, &server);
	snprintf(log_text + length, sizeof(log_text) - length, "%s\n", line);
}

static struct dns_source *
source_new(struct dns_options options)
{
	const char *why, *const forwarders[] = { server.address, NULL };
	struct dns_source *source;

	options.forwarders = forwarders;
	options.log = on_log;
	options.log_arg = &server;
	source = dns_unbound_new(worker, loop, &options, &why);
	assert_null(why);
	assert_non_null(source);
	return source;
}

static void
session_run(void *arg)
{
	((struct session *)arg)->runs++;
}

static void
session_begin(struct session *session, struct dns_source *source)
{
	*session = (struct session) { .arena = arena_new(1 << 20) };
	session->task = arena_alloc(session->arena, sizeof(struct task));
	task_init(session->task, session->arena, &queue, session_run, session);
	session->dns = dns_new(session->arena, source, session->task);
}

/* Turns the loop until the session has its answer; the tick keeps each turn short. */
static const struct dns_answer *
session_ask(struct session *session, enum dns_type type, const char *name)
{
	double end = clock_seconds() + 30;

	while (dns_ask(session->dns, type, name) == NULL) {
		assert_true(clock_seconds() < end);
		ev_run(loop, EVRUN_ONCE);
	}
	return dns_ask(session->dns, type, name);
}

static int
setup(void **state)
{
	(void)state;
	loop = ev_loop_new(EVFLAG_AUTO);
	task_queue_init(&queue, loop);
	worker = arena_new(1 << 20);
	server_begin();
	ev_timer_init(&tick, on_tick, 0.005, 0.005);
	ev_timer_start(loop, &tick);
	last_tick = clock_seconds();
	longest_gap = 0;
	log_text[0] = '\0';
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(worker);
	ev_io_stop(loop, &server.io);
	close(server.io.fd);
	ev_timer_stop(loop, &tick);
	ev_loop_destroy(loop);
	return 0;
}

/* ---- tests ---- */

static void
test_answers(void **state)
{
	struct session session;
	struct dns_source *source = source_new((struct dns_options) { 0 });
	const struct dns_answer *answer;

	(void)state;
	session_begin(&session, source);
	answer = session_ask(&session, DNS_A, "mx.example");
	assert_int_equal(answer->state, DNS_OK);
	assert_int_equal(answer->count, 1);
	assert_int_equal(answer->ttl, 300);
	assert_false(answer->is_secure);
	assert_memory_equal(answer->records[0].data, "\306\063\144\005", 4);
	assert_true(answer->ms > 0 && answer->ms < 5000);
	answer = session_ask(&session, DNS_PTR, "5.100.51.198.in-addr.arpa");
	assert_string_equal(answer->records[0].data, "mx.example");
	answer = session_ask(&session, DNS_MX, "example");
	assert_int_equal(answer->preferences[0], 10);
	assert_string_equal(answer->records[0].data, "mx.example");
	answer = session_ask(&session, DNS_TXT, "example");
	assert_int_equal(answer->records[0].length, 255);
	answer = session_ask(&session, DNS_A, "alias.example");
	assert_int_equal(answer->state, DNS_OK);
	assert_int_equal(answer->count, 1);
	assert_int_equal(session_ask(&session, DNS_A, "none.example")->state, DNS_NO_NAME);
	assert_int_equal(session_ask(&session, DNS_AAAA, "mx.example")->state, DNS_NO_DATA);
	answer = session_ask(&session, DNS_A, "fail.example");
	assert_int_equal(answer->state, DNS_FAILED);
	assert_true(strlen(answer->why) > 0);
	assert_true(session.runs >= 6);
	assert_int_equal(source->stats.failed, 1);
	assert_int_equal(source->stats.open, 0);
	assert_int_equal(source->stats.waiting, 0);
	/* These are the forwarder's, not libunbound's own. */
	assert_int_equal(session_ask(&session, DNS_A, "mx.test")->state, DNS_OK);
	assert_int_equal(session_ask(&session, DNS_PTR, "9.1.168.192.in-addr.arpa")->state, DNS_OK);
	assert_int_equal(session_ask(&session, DNS_PTR, "2.0.0.127.in-addr.arpa")->state, DNS_OK);
	arena_free(session.arena);
}

/* A second session gets it from the cache, from inside dns_ask(); also while others are asked. */
static void
test_cache(void **state)
{
	struct session first, second;
	struct dns_source *source = source_new((struct dns_options) { 0 });
	const struct dns_answer *answer, *name;

	(void)state;
	session_begin(&first, source);
	answer = session_ask(&first, DNS_A, "mx.example");
	session_ask(&first, DNS_PTR, "5.100.51.198.in-addr.arpa");
	session_ask(&first, DNS_A, "none.example");
	session_begin(&second, source);
	unsigned asked = server.asked;

	assert_null(dns_ask(second.dns, DNS_A, "new.example"));
	name = dns_ask(second.dns, DNS_PTR, "5.100.51.198.in-addr.arpa");
	assert_non_null(name);
	assert_non_null(dns_ask(second.dns, DNS_A, name->records[0].data));
	assert_int_equal(dns_ask(second.dns, DNS_A, "NONE.example")->state, DNS_NO_NAME);
	assert_string_equal(name->records[0].data, "mx.example");
	assert_int_equal(source->stats.at_once, 3);
	task_queue_run(&queue);
	assert_int_equal(second.runs, 0);
	session_ask(&second, DNS_A, "new.example");
	assert_int_equal(server.asked, asked + 1);
	/* The answers are the session's own, whatever came later. */
	arena_free(second.arena);
	assert_memory_equal(answer->records[0].data, "\306\063\144\005", 4);
	arena_free(first.arena);
}

/* Whatever a name holds, it arrives as these bytes. */
static void
test_odd_names(void **state)
{
	static const struct {
		const char *name, *wire;
	} names[] = {
		{ "a\\032b.example", "\006a\\032b\7example" },
		{ "a b.example", "\3a b\7example" },
		{ "caf\303\251.example", "\5caf\303\251\7example" },
		{ "\\.example", "\1\\\7example" },
		{ "a\\", "\2a\\" },
		{ "x\\999", "\5x\\999" },
		{ "[198].\"(;@$", "\5[198]\5\"(;@$" },
		{ "*.example", "\1*\7example" },
	};
	struct session session;

	(void)state;
	session_begin(&session, source_new((struct dns_options) { 0 }));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(session_ask(&session, DNS_A, names[i].name)->state, DNS_OK);
		assert_string_equal((const char *)server.name, names[i].wire);
	}
	assert_int_equal(session_ask(&session, DNS_A, "")->state, DNS_NO_NAME);
	arena_free(session.arena);
}

/* Silence: the deadline answers, the loop never stops, the question is counted till its end. */
static void
test_silent(void **state)
{
	struct session session;
	struct dns_source *source = source_new((struct dns_options) { .time_limit = 1 });
	const struct dns_answer *answer;

	(void)state;
	session_begin(&session, source);
	assert_null(dns_ask(session.dns, DNS_A, "silent.example"));
	assert_null(dns_ask(session.dns, DNS_TXT, "silent.example"));
	answer = session_ask(&session, DNS_A, "silent.example");
	assert_int_equal(answer->state, DNS_FAILED);
	assert_string_equal(answer->why, "time limit");
	assert_true(answer->ms > 900 && answer->ms < 5000);
	session_ask(&session, DNS_TXT, "silent.example");
	assert_int_equal(source->stats.timeouts, 2);
	assert_int_equal(source->stats.waiting, 0);
	assert_int_equal(source->stats.open, 2);
	assert_true(server.asked >= 2);
	assert_true(longest_gap < 0.7);
	arena_free(session.arena);
}

/* Sessions end with their questions under way: not heard, not lost, and the cache is filled. */
static void
test_session_ends(void **state)
{
	struct dns_source *source = source_new((struct dns_options) { 0 });
	char name[32];

	(void)state;
	for (int i = 0; i < 100; i++) {
		struct session session;

		session_begin(&session, source);
		for (int j = 0; j < 5; j++) {
			snprintf(
			    name, sizeof(name), "%s%d-%d.example", j == 0 ? "silent" : "a", i, j);
			assert_null(dns_ask(session.dns, DNS_A, name));
		}
		if (i % 2 == 0)
			ev_run(loop, EVRUN_NOWAIT);
		arena_free(session.arena);
		assert_int_equal(source->stats.waiting, 0);
	}
	double end = clock_seconds() + 20;

	while (source->stats.open > 100 && clock_seconds() < end)
		ev_run(loop, EVRUN_ONCE);
	assert_int_equal(source->stats.open, 100);
	struct session session;

	session_begin(&session, source);
	assert_non_null(dns_ask(session.dns, DNS_A, "a99-4.example"));
	arena_free(session.arena);
	/* The worker ends with 100 under way. */
}

static unsigned
ask_many(struct dns_source *source, struct session *sessions, unsigned count)
{
	char name[32];
	unsigned ok = 0;

	for (unsigned i = 0; i < SESSIONS_MOST; i++)
		session_begin(&sessions[i], source);
	for (unsigned i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "n%u.example", i);
		dns_ask(sessions[i % SESSIONS_MOST].dns, DNS_A, name);
	}
	for (unsigned i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "n%u.example", i);
		ok += session_ask(&sessions[i % SESSIONS_MOST], DNS_A, name)->state == DNS_OK;
	}
	return ok;
}

static void
test_many(void **state)
{
	struct session sessions[SESSIONS_MOST];
	struct dns_source *source =
	    source_new((struct dns_options) { .open_limit = 3000, .time_limit = 30 });

	(void)state;
	assert_int_equal(ask_many(source, sessions, 3000), 3000);
	assert_int_equal(source->stats.open, 0);
	for (int i = 0; i < SESSIONS_MOST; i++)
		arena_free(sessions[i].arena);
}

static void
test_open_limit(void **state)
{
	struct session sessions[SESSIONS_MOST];
	struct dns_source *source =
	    source_new((struct dns_options) { .open_limit = 100, .question_limit = 30 });
	const struct dns_answer *answer;

	(void)state;
	assert_int_equal(ask_many(source, sessions, 250), 100);
	assert_int_equal(source->stats.over_limit, 150);
	assert_int_equal(source->stats.failed, 150);
	answer = dns_ask(sessions[0].dns, DNS_A, "n240.example");
	assert_int_equal(answer->state, DNS_FAILED);
	assert_string_equal(answer->why, "too many questions under way");
	/* There is room again. */
	assert_int_equal(session_ask(&sessions[0], DNS_A, "new.example")->state, DNS_OK);
	for (int i = 0; i < 10; i++) {
		char name[32];

		snprintf(name, sizeof(name), "x%d.example", i);
		answer = session_ask(&sessions[0], DNS_A, name);
	}
	assert_string_equal(answer->why, "too many questions in one session");
	for (int i = 0; i < SESSIONS_MOST; i++)
		arena_free(sessions[i].arena);
}

static void
test_servers(void **state)
{
	static const char *const good[] = { "127.0.0.1", "127.0.0.1:5353", "192.0.2.1:1",
		"192.0.2.1:65535", "::1", "2001:db8::1", "[::1]", "[2001:db8::1]:53", NULL };
	static const char *const bad[] = { "", ":", ":53", "resolver.example", "127.0.0.1@53",
		"127.0.0.1 ", " 127.0.0.1", "127.0.0.256", "127.0.0.1:53:53", "[::1", "[::1]53",
		"[]", "[]:53", "[127.0.0.1]:53", "::1]:53", "fe80::1%eth0",
		"1234567890123456789012345678901234"
		"567890123456789012345678901234567890",
		NULL };
	static const char *const bad_ports[] = { "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536",
		"127.0.0.1:99999999999999999999", "127.0.0.1:4294967349", "127.0.0.1:x",
		"127.0.0.1:+53", "[::1]:", "[::1]:-1", "127.0.0.1:53 ", NULL };
	const char *why;

	(void)state;
	for (const char *const *text = good; *text != NULL; text++) {
		assert_true(dns_unbound_is_server(*text, &why));
		assert_null(why);
		const char *const forwarders[] = { *text, NULL };
		struct arena *arena = arena_new(1 << 20);

		assert_non_null(dns_unbound_new(
		    arena, loop, &(struct dns_options) { .forwarders = forwarders }, &why));
		arena_free(arena);
	}
	for (const char *const *text = bad; *text != NULL; text++) {
		assert_false(dns_unbound_is_server(*text, &why));
		assert_non_null(strstr(why, "not an IP address"));
	}
	for (const char *const *text = bad_ports; *text != NULL; text++) {
		const char *const forwarders[] = { server.address, *text, NULL };

		assert_false(dns_unbound_is_server(*text, &why));
		assert_non_null(strstr(why, "the port is not"));
		assert_null(dns_unbound_new(
		    worker, loop, &(struct dns_options) { .forwarders = forwarders }, &why));
		assert_non_null(strstr(why, *text));
	}
}

/* A trust anchor that is none: said at the start, and libunbound's own words are in the log. */
static void
test_trust_anchor(void **state)
{
	const char *why, *const forwarders[] = { server.address, NULL };
	struct dns_options options = {
		.forwarders = forwarders, .log = on_log, .log_arg = &server
	};

	(void)state;
	options.trust_anchor = "/nonexistent/root.key";
	assert_null(dns_unbound_new(worker, loop, &options, &why));
	assert_non_null(strstr(why, "the resolver cannot start: error opening"));
	assert_non_null(strstr(why, options.trust_anchor));
	assert_non_null(strstr(log_text, "/nonexistent/root.key"));
	assert_null(strstr(log_text, "libunbound["));
	/* The same process goes on with a good one. */
	struct session session;

	session_begin(&session, source_new((struct dns_options) { 0 }));
	assert_int_equal(session_ask(&session, DNS_A, "mx.example")->state, DNS_OK);
	arena_free(session.arena);
}

/* One zone is asked at its own server; nothing else goes there. */
static void
test_stub(void **state)
{
	const struct dns_stub stubs[] = { { "bl.example", server.address }, { 0 } };
	const char *const forwarders[] = { "127.0.0.1:1", NULL }; /* nobody there */
	const char *why;
	struct session session;
	struct dns_source *source = dns_unbound_new(worker, loop,
	    &(struct dns_options) { .forwarders = forwarders, .stubs = stubs, .time_limit = 0.5 },
	    &why);

	(void)state;
	assert_non_null(source);
	session_begin(&session, source);
	assert_null(dns_ask(session.dns, DNS_A, "elsewhere.example"));
	assert_int_equal(session_ask(&session, DNS_A, "2.0.0.127.bl.example")->state, DNS_OK);
	assert_int_equal(session_ask(&session, DNS_A, "elsewhere.example")->state, DNS_FAILED);
	arena_free(session.arena);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_answers),
		TEST(test_cache),
		TEST(test_odd_names),
		TEST(test_silent),
		TEST(test_session_ends),
		TEST(test_many),
		TEST(test_open_limit),
		TEST(test_servers),
		TEST(test_trust_anchor),
		TEST(test_stub),
	};

	return cmocka_run_group_tests_name("dns_unbound", tests, NULL, NULL);
}
