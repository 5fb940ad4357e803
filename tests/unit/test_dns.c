#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "lib/dns_fake.h"

/* A session as far as DNS is concerned: an arena, a task that counts its runs. */
struct session {
	struct arena *arena;
	struct task *task;
	struct dns *dns;
	unsigned runs;
};

static struct ev_loop *loop;
static struct task_queue queue;
static struct arena *worker;

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

static int
setup(void **state)
{
	(void)state;
	loop = ev_loop_new(EVFLAG_AUTO);
	task_queue_init(&queue, loop);
	worker = arena_new(1 << 20);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(worker);
	ev_loop_destroy(loop);
	return 0;
}

static const struct dns_row rows[] = {
	{ DNS_A, "mx.example", DNS_OK, { "198.51.100.5", "198.51.100.6" }, .ttl = 60 },
	{ DNS_AAAA, "mx.example", DNS_OK, { "2001:db8::5" }, .is_secure = true },
	{ DNS_PTR, "5.100.51.198.in-addr.arpa", DNS_OK, { "mx.example" } },
	{ DNS_MX, "example", DNS_OK, { "10 mx.example", "0 ." } },
	{ DNS_TXT, "example", DNS_OK, { "v=spf1 -all", "" } },
	{ DNS_A, "down.example", DNS_FAILED, { "192.0.2.1" }, .why = "SERVFAIL" },
	{ DNS_A, "none.example", DNS_NO_NAME },
	{ DNS_A, "empty.example", DNS_NO_DATA },
	{ DNS_CNAME, "www.example", DNS_OK, { "web.example" } },
	{ DNS_CNAME, "web.example", DNS_OK, { "mx.example" } },
	{ DNS_CNAME, "loop.example", DNS_OK, { "loop.example" } },
	{ 0 },
};

static void
test_waits_and_is_woken(void **state)
{
	struct dns_fake *fake = dns_fake_new(worker, loop, rows);
	struct session session;

	(void)state;
	session_begin(&session, dns_fake_source(fake));
	assert_null(dns_ask(session.dns, DNS_A, "mx.example"));
	assert_null(dns_ask(session.dns, DNS_A, "MX.example."));
	assert_null(dns_find(session.dns, DNS_A, "mx.example"));
	assert_int_equal(dns_fake_asked(fake, 0), 1);
	assert_int_equal(dns_fake_waiting(fake), 1);
	task_queue_run(&queue);
	assert_int_equal(session.runs, 0);

	dns_fake_release(fake, 0);
	task_queue_run(&queue);
	task_queue_run(&queue);
	assert_int_equal(session.runs, 1);
	const struct dns_answer *answer = dns_ask(session.dns, DNS_A, "mx.example");

	assert_non_null(answer);
	assert_ptr_equal(answer, dns_ask(session.dns, DNS_A, "Mx.EXAMPLE"));
	assert_ptr_equal(answer, dns_ask(session.dns, DNS_A, "mx.example."));
	assert_ptr_equal(answer, dns_find(session.dns, DNS_A, "mX.example"));
	assert_null(dns_find(session.dns, DNS_AAAA, "mx.example"));
	assert_int_equal(answer->state, DNS_OK);
	assert_int_equal(answer->count, 2);
	assert_int_equal(answer->ttl, 60);
	assert_string_equal(answer->why, "");
	assert_int_equal(answer->records[1].length, 4);
	assert_memory_equal(answer->records[1].data, "\xc6\x33\x64\x06", 4);
	assert_true(answer->ms >= 0 && answer->ms < 10000);
	task_queue_run(&queue);
	assert_int_equal(session.runs, 1);
	arena_free(session.arena);
}

/* What is answered inside dns_ask() wakes nobody. */
static void
test_at_once(void **state)
{
	struct dns_fake *fake = dns_fake_new(worker, loop, rows);
	struct session session;
	const struct dns_stats *stats = dns_source_stats(dns_fake_source(fake));

	(void)state;
	dns_fake_release_all(fake);
	session_begin(&session, dns_fake_source(fake));
	const struct dns_answer *answer = dns_ask(session.dns, DNS_AAAA, "mx.example");

	assert_non_null(answer);
	assert_int_equal(answer->records[0].length, 16);
	assert_true(answer->is_secure);
	answer = dns_ask(session.dns, DNS_MX, "example");
	assert_int_equal(answer->count, 2);
	assert_int_equal(answer->preferences[0], 10);
	assert_string_equal(answer->records[0].data, "mx.example");
	assert_int_equal(answer->preferences[1], 0);
	assert_int_equal(answer->records[1].length, 0);
	answer = dns_ask(session.dns, DNS_TXT, "example");
	assert_int_equal(answer->count, 2);
	assert_true(slice_equals(answer->records[0], slice_of("v=spf1 -all")));
	assert_null(answer->preferences);
	answer = dns_ask(session.dns, DNS_A, "down.example");
	assert_int_equal(answer->state, DNS_FAILED);
	assert_string_equal(answer->why, "SERVFAIL");
	assert_int_equal(answer->count, 0);
	assert_null(answer->records);
	assert_int_equal(dns_ask(session.dns, DNS_A, "none.example")->state, DNS_NO_NAME);
	assert_int_equal(dns_ask(session.dns, DNS_A, "empty.example")->state, DNS_NO_DATA);
	task_queue_run(&queue);
	assert_int_equal(session.runs, 0);
	assert_int_equal(stats->asked, 6);
	assert_int_equal(stats->at_once, 6);
	assert_int_equal(stats->failed, 1);
	assert_int_equal(stats->waiting, 0);
	arena_free(session.arena);
}

static void
test_unknown_and_cname(void **state)
{
	struct dns_fake *fake = dns_fake_new(worker, loop, rows);
	struct session session;

	(void)state;
	dns_fake_allow_unknown(fake);
	session_begin(&session, dns_fake_source(fake));
	assert_int_equal(dns_ask(session.dns, DNS_A, "other.example")->state, DNS_NO_NAME);
	assert_int_equal(dns_ask(session.dns, DNS_TXT, "mx.example")->state, DNS_NO_DATA);
	assert_int_equal(dns_ask(session.dns, DNS_A, "loop.example")->state, DNS_NO_DATA);
	assert_null(dns_ask(session.dns, DNS_A, "www.example"));
	dns_fake_release(fake, 0);
	assert_int_equal(dns_ask(session.dns, DNS_A, "www.example")->count, 2);
	arena_free(session.arena);
}

/* Two sessions ask the same; one leaves; the rest is answered in the order of asking. */
static void
test_two_sessions(void **state)
{
	struct dns_fake *fake = dns_fake_new(worker, loop, rows);
	struct session sessions[4];

	(void)state;
	for (int i = 0; i < 4; i++) {
		session_begin(&sessions[i], dns_fake_source(fake));
		assert_null(dns_ask(sessions[i].dns, DNS_A, "mx.example"));
		assert_null(dns_ask(sessions[i].dns, DNS_TXT, "example"));
	}
	assert_int_equal(dns_fake_waiting(fake), 8);
	assert_int_equal(dns_source_stats(dns_fake_source(fake))->waiting, 8);
	arena_free(sessions[1].arena);
	arena_free(sessions[3].arena);
	assert_int_equal(dns_fake_waiting(fake), 4);
	dns_fake_release(fake, 0);
	dns_fake_release(fake, 0);
	dns_fake_release(fake, 4);
	task_queue_run(&queue);
	for (int i = 0; i < 4; i += 2) {
		assert_int_equal(sessions[i].runs, 1);
		assert_non_null(dns_ask(sessions[i].dns, DNS_A, "mx.example"));
		assert_non_null(dns_ask(sessions[i].dns, DNS_TXT, "example"));
		arena_free(sessions[i].arena);
	}
	assert_int_equal(dns_source_stats(dns_fake_source(fake))->waiting, 0);
}

#define LABEL_63 "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0"
#define LABEL_61 "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxy"
#define NAME_253 LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_61

static void
test_names(void **state)
{
	static const char *const bad[] = { "", ".", "..", ".a", "a..b", "a..", ".a.", LABEL_63 "x",
		"x." LABEL_63 "x.y", NAME_253 "x", "x" NAME_253, NAME_253 ".x", "a." NAME_253 ".",
		NULL };
	static const char *const good[] = { "a", "a.", "a.b", "a b", "a\\032b", "\\", "\xff.\x01",
		"caf\xc3\xa9.example", "_x", "-", "[198.51.100.5]", LABEL_63, NAME_253,
		NAME_253 ".", NULL };
	struct dns_fake *fake = dns_fake_new(worker, loop, (const struct dns_row[]) { { 0 } });
	struct session session;

	(void)state;
	assert_int_equal(strlen(NAME_253), 253);
	dns_fake_allow_unknown(fake);
	session_begin(&session, dns_fake_source(fake));
	for (const char *const *name = bad; *name != NULL; name++) {
		const struct dns_answer *answer = dns_ask(session.dns, DNS_A, *name);

		assert_int_equal(answer->state, DNS_NO_NAME);
		assert_string_equal(answer->why, "not a DNS name");
		assert_ptr_equal(answer, dns_find(session.dns, DNS_A, *name));
	}
	assert_int_equal(dns_source_stats(dns_fake_source(fake))->asked, 0);
	for (const char *const *name = good; *name != NULL; name++)
		assert_string_equal(dns_ask(session.dns, DNS_A, *name)->why, "");
	/* "a." is "a", and the longest with a dot is the longest. */
	assert_int_equal(dns_source_stats(dns_fake_source(fake))->asked, 12);
	arena_free(session.arena);
}

/* As many as a session may ask: found again at once, nothing moves, no memory is used again. */
static void
test_many(void **state)
{
	static const struct dns_answer *answers[DNS_QUESTIONS_MOST];
	struct dns_fake *fake = dns_fake_new(worker, loop, (const struct dns_row[]) { { 0 } });
	const struct dns_stats *stats = dns_source_stats(dns_fake_source(fake));
	struct session session;
	char name[32];

	(void)state;
	dns_fake_allow_unknown(fake);
	session_begin(&session, dns_fake_source(fake));
	for (int i = 0; i < DNS_QUESTIONS_MOST; i++) {
		snprintf(name, sizeof(name), "%d.example", i / 2);
		answers[i] = dns_ask(session.dns, i % 2 == 0 ? DNS_A : DNS_AAAA, name);
		assert_int_equal(answers[i]->state, DNS_NO_NAME);
		assert_true(i == 0 || answers[i] != answers[i - 1]);
	}
	size_t size = arena_size(session.arena);

	for (int round = 0; round < 50; round++)
		for (int i = 0; i < DNS_QUESTIONS_MOST; i++) {
			snprintf(name, sizeof(name), "%d.EXAMPLE", i / 2);
			assert_ptr_equal(
			    dns_ask(session.dns, i % 2 == 0 ? DNS_A : DNS_AAAA, name), answers[i]);
		}
	const struct dns_answer *over = dns_ask(session.dns, DNS_A, "one.more.example");

	assert_int_equal(over->state, DNS_FAILED);
	assert_string_equal(over->why, "too many questions in one session");
	assert_ptr_equal(over, dns_ask(session.dns, DNS_A, "one.more.example"));
	assert_int_equal(arena_size(session.arena), size);
	assert_int_equal(stats->asked, DNS_QUESTIONS_MOST);
	assert_int_equal(stats->over_limit, 2);
	assert_int_equal(stats->failed, 2);
	arena_free(session.arena);
}

/* Nobody answers: the deadline does; what the source says later is not heard. */
static void
test_time_limit(void **state)
{
	struct dns_fake *fake = dns_fake_new(worker, loop, rows);
	struct dns_source *source = dns_fake_source(fake);
	struct session session;

	(void)state;
	source->time_limit = 0.03;
	session_begin(&session, source);
	assert_null(dns_ask(session.dns, DNS_A, "mx.example"));
	assert_null(dns_ask(session.dns, DNS_AAAA, "mx.example"));
	dns_fake_release(fake, 1);
	for (int turns = 0; turns < 1000 && dns_fake_waiting(fake) > 0; turns++)
		ev_run(loop, EVRUN_ONCE);
	task_queue_run(&queue);
	assert_true(session.runs >= 1);
	const struct dns_answer *answer = dns_ask(session.dns, DNS_A, "mx.example");

	assert_int_equal(answer->state, DNS_FAILED);
	assert_string_equal(answer->why, "time limit");
	assert_true(answer->ms >= 25);
	dns_fake_release(fake, 0);
	assert_int_equal(answer->state, DNS_FAILED);
	assert_int_equal(dns_ask(session.dns, DNS_AAAA, "mx.example")->state, DNS_OK);
	assert_int_equal(source->stats.timeouts, 1);
	assert_int_equal(source->stats.failed, 1);
	arena_free(session.arena);
}

/* The end of a session with its questions in every state: under way, answered, its task woken. */
static void
test_session_ends(void **state)
{
	struct dns_fake *fake = dns_fake_new(worker, loop, rows);
	struct session session;

	(void)state;
	session_begin(&session, dns_fake_source(fake));
	assert_null(dns_ask(session.dns, DNS_A, "mx.example"));
	assert_null(dns_ask(session.dns, DNS_TXT, "example"));
	assert_null(dns_ask(session.dns, DNS_MX, "example"));
	dns_fake_release(fake, 0);
	arena_free(session.arena);
	assert_int_equal(dns_fake_waiting(fake), 0);
	dns_fake_release_all(fake);
	task_queue_run(&queue);
	ev_run(loop, EVRUN_NOWAIT);
}

/* Every order of four answers, each asked at every point between: the same answers. */
static void
test_orders(void **state)
{
	static const struct {
		enum dns_type type;
		const char *name;
		size_t row;
	} asked[4] = {
		{ DNS_A, "mx.example", 0 },
		{ DNS_PTR, "5.100.51.198.in-addr.arpa", 2 },
		{ DNS_A, "down.example", 5 },
		{ DNS_A, "none.example", 6 },
	};
	unsigned plays = 0;

	(void)state;
	for (unsigned order = 0; order < 256; order++) {
		unsigned seen = 0;

		for (unsigned i = 0; i < 4; i++)
			seen |= 1u << (order >> i * 2 & 3);
		if (seen != 15)
			continue;
		struct dns_fake *fake = dns_fake_new(worker, loop, rows);
		struct session session;

		plays++;
		session_begin(&session, dns_fake_source(fake));
		for (unsigned i = 0; i < 4; i++)
			assert_null(dns_ask(session.dns, asked[i].type, asked[i].name));
		for (unsigned done = 1, i = 0; i < 4; done++, i++) {
			dns_fake_release(fake, asked[order >> i * 2 & 3].row);
			task_queue_run(&queue);
			assert_int_equal(session.runs, done);
			for (unsigned j = 0, in = 0; j < 4; j++) {
				in += dns_ask(session.dns, asked[j].type, asked[j].name) != NULL;
				assert_true(j < 3 || in == done);
			}
		}
		for (unsigned i = 0; i < 4; i++)
			assert_int_equal(dns_ask(session.dns, asked[i].type, asked[i].name)->state,
			    rows[asked[i].row].state);
		arena_free(session.arena);
	}
	assert_int_equal(plays, 24);
}

static void
test_reverse(void **state)
{
	static const unsigned char six[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 0x5f };
	struct slice four = { "\xc6\x33\x64\x05", 4 }, ip6 = { (const char *)six, 16 };
	char name[DNS_NAME_MOST], zone[DNS_NAME_MOST];

	(void)state;
	assert_string_equal(dns_reverse(name, four, "bl.example"), "5.100.51.198.bl.example");
	assert_string_equal(dns_reverse(name, four, ""), "5.100.51.198.in-addr.arpa");
	assert_string_equal(dns_reverse(name, ip6, NULL),
	    "f.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
	memset(zone, 'a', sizeof(zone));
	zone[DNS_NAME_MOST - 1 - 64] = '\0';
	assert_int_equal(strlen(dns_reverse(name, ip6, zone)), DNS_NAME_MOST - 1);
	zone[DNS_NAME_MOST - 1 - 64] = 'a';
	zone[DNS_NAME_MOST - 64] = '\0';
	assert_string_equal(dns_reverse(name, ip6, zone), "");
}

static void
test_escape(void **state)
{
	char text[DNS_ESCAPED_MOST], long_name[DNS_NAME_MOST];

	(void)state;
	assert_string_equal(dns_escape(text, "Mx-1._a.example"), "Mx-1._a.example");
	assert_string_equal(dns_escape(text, "a\\032b"), "a\\092032b");
	assert_string_equal(
	    dns_escape(text, "a b\xff\x01@;\"$"), "a\\032b\\255\\001\\064\\059\\034\\036");
	memset(long_name, '\\', DNS_NAME_MOST - 1);
	long_name[DNS_NAME_MOST - 1] = '\0';
	assert_int_equal(strlen(dns_escape(text, long_name)), 4 * (DNS_NAME_MOST - 1));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_waits_and_is_woken),
		TEST(test_at_once),
		TEST(test_unknown_and_cname),
		TEST(test_two_sessions),
		TEST(test_names),
		TEST(test_many),
		TEST(test_time_limit),
		TEST(test_session_ends),
		TEST(test_orders),
		TEST(test_reverse),
		TEST(test_escape),
	};

	return cmocka_run_group_tests_name("dns", tests, NULL, NULL);
}
