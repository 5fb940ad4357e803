/* Conversations with scanners that are sockets of the test. */
#include "tests/unit/sides.h"

#include <sys/un.h>

#include "lib/clamd.h"
#include "lib/fault.h"
#include "lib/node.h"
#include "lib/spamd.h"

enum { SPOOL_MEMORY = 64 * 1024 };

struct talk {
	struct world *world;
	struct arena *worker, *mail;
	struct spool_limits spool;
	struct scanner_address address;
	struct scanner_service *service;
	struct scanner *scanner;
	struct clamd_answer answer;
	struct spamd_answer spamd;
	struct task owner;
	unsigned woken;
	int listening, peer;
};

static void
talk_run(void *arg)
{
	struct talk *talk = arg;

	talk->woken++;
}

static struct scanner_terms
talk_terms(struct talk *talk)
{
	return (struct scanner_terms) { .name = "clamav",
		.address = &talk->address,
		.timeout = 0.3,
		.size_most = 1000000,
		.talk = &clamd_talk,
		.ping = &clamd_ping,
		.ping_text = clamd_ping_text() };
}

/* Nothing is logged: is_silent. */
static void
talk_open(struct talk *talk, struct world *world, const struct scanner_talk *other)
{
	struct sockaddr_in address;

	*talk = (struct talk) { .world = world,
		.worker = arena_new(SIZE_MAX),
		.mail = arena_new(1 << 20),
		.spool = { .folder = "/tmp", .memory = SPOOL_MEMORY, .memory_all = 1 << 20 },
		.peer = -1 };
	talk->listening = listener(&address, 5);
	memcpy(&talk->address.where, &address, sizeof(address));
	talk->address.text = "127.0.0.1:0";
	const struct scanner_host host = { .arena = talk->worker,
		.loop = world->loop,
		.tasks = &world->queue,
		.spool = &talk->spool,
		.is_silent = true };
	struct scanner_terms terms = talk_terms(talk);

	if (other != NULL)
		terms.talk = other;
	talk->service = scanner_service_new(&host, &terms);
	task_init(&talk->owner, talk->worker, &world->queue, talk_run, talk);
}

static void
talk_begin(struct talk *talk)
{
	talk->scanner =
	    scanner_new(talk->service, talk->mail, &talk->owner, clamd_head(), &talk->answer);
}

static bool
talk_has_peer(struct talk *talk)
{
	if (talk->peer < 0)
		talk->peer = accept4(talk->listening, NULL, NULL, SOCK_CLOEXEC);
	return talk->peer >= 0;
}

static void
talk_accept(struct talk *talk)
{
	set_nonblocking(talk->listening);
	talk->peer = -1;
	WAIT_UNTIL(talk->world, talk_has_peer(talk));
	set_nonblocking(talk->peer);
}

static void
talk_end(struct talk *talk)
{
	if (talk->mail != NULL)
		arena_free(talk->mail);
	arena_free(talk->worker);
	assert_int_equal(talk->spool.memory_used, 0);
	close(talk->listening);
	if (talk->peer >= 0)
		close(talk->peer);
}

/* Reads so many bytes, turning the loop; how many came before the end. */
static size_t
talk_read(struct talk *talk, char *into, size_t length)
{
	size_t got = 0;

	for (double end = ev_time() + PATIENCE; got < length && ev_time() < end;) {
		ssize_t count = recv(talk->peer, into + got, length - got, MSG_DONTWAIT);

		if (count == 0)
			break;
		if (count > 0)
			got += (size_t)count;
		else
			ev_run(talk->world->loop, EVRUN_ONCE);
	}
	return got;
}

static void
talk_feed(struct talk *talk, size_t length, size_t piece)
{
	char bytes[4096];
	size_t fed = 0;

	while (fed < length) {
		size_t count = length - fed < piece ? length - fed : piece;

		for (size_t i = 0; i < count; i++)
			bytes[i] = pattern_at(fed + i);
		scanner_feed(talk->scanner, (struct slice) { bytes, count });
		fed += count;
	}
}

/* The pieces of INSTREAM are put together again. */
static void
talk_expect(struct talk *talk, size_t length)
{
	static char piece[64 * 1024];
	size_t got = 0;

	assert_int_equal(talk_read(talk, piece, 10), 10);
	assert_memory_equal(piece, "zINSTREAM\0", 10);
	for (;;) {
		uint32_t count;

		assert_int_equal(talk_read(talk, (char *)&count, 4), 4);
		count = ntohl(count);
		if (count == 0)
			break;
		assert_true(count <= sizeof(piece));
		assert_int_equal(talk_read(talk, piece, count), count);
		for (size_t i = 0; i < count; i++)
			assert_int_equal(piece[i], pattern_at(got + i));
		got += count;
	}
	assert_int_equal(got, length);
}

#define SETTLED(talk) (scanner_state((talk)->scanner) != SCANNER_RUNS)

static void
test_good(void **state)
{
	static const size_t lengths[] = { 0, 1, 4096, 300000 };

	for (size_t i = 0; i < 4; i++)
		for (size_t piece = 1; piece <= 4096; piece *= 64) {
			struct talk talk;

			talk_open(&talk, *state, NULL);
			talk_begin(&talk);
			talk_feed(&talk, lengths[i], piece);
			assert_int_equal(scanner_end(talk.scanner), SCANNER_RUNS);
			assert_int_equal(scanner_end(talk.scanner), SCANNER_RUNS);
			talk_accept(&talk);
			talk_expect(&talk, lengths[i]);
			assert_int_equal(talk.woken, 0);
			assert_int_equal(write(talk.peer, "stream: X FOUND\0", 16), 16);
			WAIT_UNTIL(talk.world, SETTLED(&talk));
			assert_int_equal(scanner_state(talk.scanner), SCANNER_ANSWERED);
			assert_string_equal(talk.answer.name, "X");
			WAIT_UNTIL(talk.world, talk.woken == 1);
			talk_end(&talk);
		}
}

/* Byte by byte: the answer is one all the same. */
static void
test_slow_answer(void **state)
{
	struct talk talk;

	talk_open(&talk, *state, NULL);
	talk_begin(&talk);
	scanner_end(talk.scanner);
	talk_accept(&talk);
	talk_expect(&talk, 0);
	for (size_t i = 0; i < 11; i++) {
		assert_false(SETTLED(&talk));
		assert_int_equal(write(talk.peer, "stream: OK\0" + i, 1), 1);
		world_run(talk.world, 0.01);
	}
	WAIT_UNTIL(talk.world, SETTLED(&talk));
	assert_int_equal(scanner_state(talk.scanner), SCANNER_ANSWERED);
	assert_false(talk.answer.is_infected);
	talk_end(&talk);
}

static void
assert_fails(struct talk *talk, const char *why)
{
	WAIT_UNTIL(talk->world, SETTLED(talk));
	assert_int_equal(scanner_state(talk->scanner), SCANNER_FAILED);
	if (strstr(scanner_why(talk->scanner), why) == NULL)
		fail_msg("%s", scanner_why(talk->scanner));
	WAIT_UNTIL(talk->world, talk->woken > 0);
	scanner_feed(talk->scanner, slice_of("more"));
	assert_int_equal(scanner_end(talk->scanner), SCANNER_FAILED);
	talk_end(talk);
}

static void
test_refused(void **state)
{
	struct talk talk;

	talk_open(&talk, *state, NULL);
	close(talk.listening);
	talk.listening = -1;
	talk_begin(&talk);
	talk_feed(&talk, SCANNER_EAGER, 4096);
	world_run(talk.world, 0.05);
	assert_false(SETTLED(&talk)); /* not before it has been tried with the whole message */
	talk_feed(&talk, SCANNER_EAGER, 4096);
	scanner_end(talk.scanner);
	assert_fails(&talk, "Connection refused");
}

static void
test_no_answer(void **state)
{
	struct talk talk;

	talk_open(&talk, *state, NULL);
	talk_begin(&talk);
	talk_feed(&talk, SCANNER_EAGER, 4096);
	talk_accept(&talk);
	world_run(talk.world, 0.5); /* while the message is not whole nothing is awaited */
	assert_false(SETTLED(&talk));
	scanner_end(talk.scanner);
	assert_fails(&talk, "no answer within 0.3 s");
}

static void
test_hangs_up(void **state)
{
	struct talk talk;

	talk_open(&talk, *state, NULL);
	talk_begin(&talk);
	scanner_end(talk.scanner);
	talk_accept(&talk);
	talk_expect(&talk, 0);
	close(talk.peer);
	talk.peer = -1;
	assert_fails(&talk, "without an answer");
	talk_open(&talk, *state, NULL);
	talk_begin(&talk);
	scanner_end(talk.scanner);
	talk_accept(&talk);
	reset_peer(talk.peer);
	talk.peer = -1;
	assert_fails(&talk, "reset");
}

static void
test_nonsense(void **state)
{
	static char much[8192];
	struct talk talk;

	talk_open(&talk, *state, NULL);
	talk_begin(&talk);
	talk_feed(&talk, SCANNER_EAGER, 4096);
	talk_accept(&talk);
	assert_int_equal(write(talk.peer, "stream: OK\0", 11), 11);
	assert_fails(&talk, "before it has the whole message");
	memset(much, 'x', sizeof(much));
	talk_open(&talk, *state, NULL);
	talk_begin(&talk);
	scanner_end(talk.scanner);
	talk_accept(&talk);
	assert_int_equal(write(talk.peer, much, sizeof(much)), sizeof(much));
	assert_fails(&talk, "too long");
}

/* It says so in the middle of the message, and closes. */
static void
test_too_large(void **state)
{
	struct talk talk;

	talk_open(&talk, *state, NULL);
	talk_begin(&talk);
	talk_feed(&talk, 100000, 4096);
	talk_accept(&talk);
	assert_int_equal(write(talk.peer, "INSTREAM size limit exceeded. ERROR", 36), 36);
	close(talk.peer);
	talk.peer = -1;
	WAIT_UNTIL(talk.world, SETTLED(&talk));
	assert_int_equal(scanner_state(talk.scanner), SCANNER_SKIPPED);
	talk_end(&talk);
	talk_open(&talk, *state, NULL);
	talk_begin(&talk);
	talk_feed(&talk, 1000000, 4096);
	assert_false(SETTLED(&talk));
	scanner_feed(talk.scanner, slice_of("x"));
	assert_int_equal(scanner_end(talk.scanner), SCANNER_SKIPPED);
	assert_non_null(strstr(scanner_why(talk.scanner), "max_size"));
	talk_end(&talk);
}

/* Who does not read: what waits lies in a file, and nothing is lost when it does read. */
static void
test_does_not_read(void **state)
{
	struct talk talk;
	int buffer = 4096;

	talk_open(&talk, *state, NULL);
	setsockopt(talk.listening, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
	talk_begin(&talk);
	for (int i = 0; i < 9; i++) {
		talk_feed(&talk, 4096 * 25, 4096);
		if (i == 0)
			talk_accept(&talk);
		world_run(talk.world, 0.01);
		assert_true(talk.spool.memory_used <= SPOOL_MEMORY);
	}
	assert_false(SETTLED(&talk));
	talk_end(&talk);
	talk_open(&talk, *state, NULL);
	setsockopt(talk.listening, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
	talk_begin(&talk);
	talk_feed(&talk, 900000, 4096);
	talk_accept(&talk);
	world_run(talk.world, 0.05);
	scanner_end(talk.scanner);
	talk_expect(&talk, 900000);
	talk_end(&talk);
}

/* The file cannot be made: that is said, and the client's mail is not touched by it. */
static void
test_no_space(void **state)
{
	struct talk talk;

	talk_open(&talk, *state, NULL);
	talk.spool.folder = "/nonexistent";
	talk_begin(&talk);
	talk_feed(&talk, 4096 * 20, 4096);
	assert_fails(&talk, "cannot make a file");
}

/* The mail ends at any time: the loop finds nothing of it any more. */
static void
test_abandoned(void **state)
{
	for (int when = 0; when < 5; when++) {
		struct talk talk;
		char byte;

		talk_open(&talk, *state, NULL);
		talk_begin(&talk);
		talk_feed(&talk, when == 0 ? 1000 : SCANNER_EAGER, 4096);
		if (when > 0)
			talk_accept(&talk);
		if (when > 1)
			talk_feed(&talk, 500000, 4096);
		if (when > 2)
			world_run(talk.world, 0.02);
		if (when > 3)
			scanner_end(talk.scanner);
		arena_free(talk.mail);
		talk.mail = NULL;
		world_run(talk.world, 0.4);
		assert_int_equal(talk.woken, 0);
		while (talk.peer >= 0 && talk_read(&talk, &byte, 1) > 0)
			continue;
		talk_end(&talk);
	}
}

/* What is small does not occupy the scanner before it is whole. */
static void
test_lazy(void **state)
{
	struct talk talk;

	talk_open(&talk, *state, NULL);
	talk_begin(&talk);
	set_nonblocking(talk.listening);
	talk_feed(&talk, SCANNER_EAGER - 1, 4096);
	world_run(talk.world, 0.05);
	assert_false(talk_has_peer(&talk));
	scanner_feed(talk.scanner, slice_of("x"));
	talk_accept(&talk);
	talk_end(&talk);
}

/* A conversation that breaks before the message is whole is held once more, with all of it. */
static void
test_second_chance(void **state)
{
	static const char *const last_words[] = { "", "COMMAND READ TIMED OUT", "stream: x ERROR" };

	for (size_t i = 0; i < 3; i++) {
		struct talk talk;
		char some[5000];

		talk_open(&talk, *state, NULL);
		talk_begin(&talk);
		talk_feed(&talk, 300000, 4096);
		talk_accept(&talk);
		assert_int_equal(talk_read(&talk, some, sizeof(some)), sizeof(some));
		assert_int_equal(
		    write(talk.peer, last_words[i], strlen(last_words[i])), strlen(last_words[i]));
		close(talk.peer);
		talk.peer = -1;
		world_run(talk.world, 0.05);
		assert_false(SETTLED(&talk));
		assert_int_equal(talk.woken, 0);
		scanner_end(talk.scanner);
		talk_accept(&talk);
		talk_expect(&talk, 300000);
		assert_int_equal(write(talk.peer, "stream: OK\0", 11), 11);
		WAIT_UNTIL(talk.world, SETTLED(&talk));
		assert_int_equal(scanner_state(talk.scanner), SCANNER_ANSWERED);
		talk_end(&talk);
	}
}

/* spamd hears of the end by our closing our direction. */
static void
test_shuts(void **state)
{
	static const char said[] =
	    "SPAMD/1.1 0 EX_OK\r\nContent-length: 1\r\nSpam: True ; 9.0 / 5.0\r\n\r\nA";
	struct talk talk;
	char text[64] = "";

	talk_open(&talk, *state, &spamd_talk);
	talk.scanner = scanner_new(talk.service, talk.mail, &talk.owner,
	    slice_of("SYMBOLS SPAMC/1.5\r\n\r\n"), &talk.spamd);
	scanner_feed(talk.scanner, slice_of("text\r\n"));
	scanner_end(talk.scanner);
	talk_accept(&talk);
	assert_int_equal(talk_read(&talk, text, sizeof(text) - 1), 27);
	assert_string_equal(text, "SYMBOLS SPAMC/1.5\r\n\r\ntext\r\n");
	put(talk.peer, said);
	WAIT_UNTIL(talk.world, SETTLED(&talk));
	assert_int_equal(scanner_state(talk.scanner), SCANNER_ANSWERED);
	assert_true(talk.spamd.is_spam);
	assert_string_equal(talk.spamd.symbols.item[0].name, "A");
	talk_end(&talk);
}

static void
test_ping(void **state)
{
	struct talk talk;
	char text[6];

	talk_open(&talk, *state, NULL);
	talk.scanner = scanner_ping(talk.service, talk.mail, &talk.owner);
	talk_accept(&talk);
	assert_int_equal(talk_read(&talk, text, 6), 6);
	assert_memory_equal(text, "zPING\0", 6);
	assert_int_equal(write(talk.peer, "PONG\0", 5), 5);
	WAIT_UNTIL(talk.world, SETTLED(&talk));
	assert_int_equal(scanner_state(talk.scanner), SCANNER_ANSWERED);
	talk_end(&talk);
}

/* A Unix socket whose queue is full is tried again, until the time for connecting is over. */
static void
test_full_queue(void **state)
{
	struct talk talk;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int waiting[2];

	talk_open(&talk, *state, NULL);
	snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "postern-test-%d", getpid());
	close(talk.listening);
	talk.listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(talk.listening, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(talk.listening, 0), 0);
	memcpy(&talk.address.where, &address, sizeof(address));
	waiting[0] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	waiting[1] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(waiting[0], (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(connect(waiting[1], (struct sockaddr *)&address, sizeof(address)), -1);
	talk_begin(&talk);
	scanner_end(talk.scanner);
	world_run(talk.world, 0.2);
	assert_false(SETTLED(&talk));
	talk_accept(&talk); /* the one that was in the queue */
	close(talk.peer);
	talk_accept(&talk);
	talk_expect(&talk, 0);
	assert_int_equal(write(talk.peer, "stream: OK\0", 11), 11);
	WAIT_UNTIL(talk.world, SETTLED(&talk));
	assert_int_equal(scanner_state(talk.scanner), SCANNER_ANSWERED);
	close(waiting[0]);
	close(waiting[1]);
	talk_end(&talk);
}

static void
test_address(void **state)
{
	static const struct {
		const char *text;
		int family; /* 0: none */
	} rows[] = {
		{ "127.0.0.1:3310", AF_INET },
		{ "[::1]:3310", AF_INET6 },
		{ "/run/clamav/clamd.ctl", AF_UNIX },
		{ "127.0.0.1", 0 },
		{ "*:3310", 0 },
		{ "localhost:3310", 0 },
		{ "run/clamd.ctl", 0 },
		{ "127.0.0.1:0", 0 },
		{ "127.0.0.1:65536", 0 },
		{ "", 0 },
		{ "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		  "aaa"
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		    0 },
	};
	struct arena *arena = arena_new(SIZE_MAX);
	struct option_reader reader = { .arena = arena };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scanner_address address = { 0 };
		const struct node value = { .kind = NODE_TEXT, .text = rows[i].text };
		bool is_read = scanner_address_read(&reader, &value, &address);

		if (is_read != (rows[i].family != 0))
			fail_msg("%s", rows[i].text);
		if (is_read)
			assert_int_equal(address.where.ss_family, rows[i].family);
	}
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_slow_answer),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_no_answer),
		cmocka_unit_test(test_hangs_up),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_does_not_read),
		cmocka_unit_test(test_no_space),
		cmocka_unit_test(test_abandoned),
		cmocka_unit_test(test_lazy),
		cmocka_unit_test(test_second_chance),
		cmocka_unit_test(test_shuts),
		cmocka_unit_test(test_ping),
		cmocka_unit_test(test_full_queue),
		cmocka_unit_test(test_address),
	};

	return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
