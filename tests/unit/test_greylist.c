/*
 * greylist: a mail's way from first_time to known, at a clock of our own; from where it comes, by
 * answers in every order; what is the same sender.
 */
#include "tests/unit/play.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "filters/registry.h"
#include "lib/clock.h"

enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };

/* In front of libc's: time passes when a test says so. */
static double passed;

int
clock_gettime(clockid_t clock, struct timespec *time)
{
	(void)clock;
	*time = (struct timespec) { .tv_sec = (time_t)(1.8e9 + passed) };
	return 0;
}

#define CLIENT "198.51.100.5"
#define REVERSE DNS_PTR, "5.100.51.198.in-addr.arpa"
#define SECOND "198.51.100.77"
#define FAR "203.0.113.9"

#define SIX DNS_PTR, "5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"

static const struct dns_row no_name[] = { { SIX, DNS_NO_NAME }, { REVERSE, DNS_NO_NAME },
	{ DNS_PTR, "77.100.51.198.in-addr.arpa", DNS_NO_NAME },
	{ DNS_PTR, "9.113.0.203.in-addr.arpa", DNS_NO_NAME }, { 0 } };

static const struct dns_row pool[] = { { REVERSE, DNS_OK, { "out1.mail.example.org" } },
	{ DNS_A, "out1.mail.example.org", DNS_OK, { CLIENT } },
	{ DNS_PTR, "9.113.0.203.in-addr.arpa", DNS_OK, { "out2.example.org" } },
	{ DNS_A, "out2.example.org", DNS_OK, { FAR } }, { 0 } };

struct house {
	struct arena *arena;
	struct ev_loop *loop;
	char folder[40];
	int fds[2];
	struct state_board board;
	struct pipeline_host host;
	const void *options;
	const struct dns_row *dns;
};

static void
house_begin(struct house *house, const char *yaml, const struct dns_row *dns)
{
	passed = 0;
	*house = (struct house) { .arena = arena_new(SIZE_MAX),
		.loop = ev_loop_new(0),
		.folder = "/tmp/test_greylist_XXXXXX",
		.dns = dns };
	assert_non_null(mkdtemp(house->folder));
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, house->fds), 0);
	house->host.host.state =
	    state_new(house->arena, house->loop, house->folder, house->fds[1], &house->board);
	house->options = play_options_good(house->arena, &greylist_filter, yaml);
}

static void
house_end(struct house *house)
{
	char command[80];

	arena_free(house->arena);
	ev_loop_destroy(house->loop);
	close(house->fds[0]);
	close(house->fds[1]);
	snprintf(command, sizeof(command), "rm -r %s", house->folder);
	assert_int_equal(system(command), 0);
}

/* What the keeper does with what it was told, in a process of its own. */
static void
house_keep(struct house *house)
{
	pid_t pid = fork();
	int how;

	if (pid == 0) {
		struct arena *arena = arena_new(SIZE_MAX);
		char bytes[STATE_REQUEST_MOST];
		struct state_request request;
		struct store_entry entry;
		const char *why;
		struct store *store = store_new_writer(arena, house->folder, NULL, &why);
		ssize_t got;

		while ((got = recv(house->fds[0], bytes, sizeof(bytes), 0)) > 0)
			if (!state_request_read(&request, (struct slice) { bytes, (size_t)got }))
				_exit(1);
			else if (request.change == STATE_PUT ||
			    store_get(store, request.table, request.key, clock_unix(), &entry) ==
				STORE_NONE)
				store_put(store, request.table, request.key, request.value,
				    clock_unix(), request.end);
		_exit(store_commit(store) ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &how, 0), pid);
	assert_int_equal(how, 0);
	atomic_store(&house->board.is_open, true);
}

static struct address
address(struct arena *arena, const char *text)
{
	const char *at = strrchr(text, '@');

	return (struct address) { .text = text,
		.local = at == NULL
		    ? ""
		    : arena_copy(arena, (struct slice) { text, (size_t)(at - text) }),
		.domain = at == NULL ? "" : at + 1 };
}

/* The fact for a mail, with the answers in the order of the table or backwards. */
static const char *
visit_order(
    struct house *house, const char *client, const char *from, const char *to, bool is_backwards)
{
	const struct pipeline_row rows[] = { { &greylist_filter, house->options }, { 0 } };
	struct play play;
	size_t count = 0;

	while (house->dns[count].name != NULL)
		count++;
	play_begin_with(&play, client, rows, house->dns, &house->host);
	play_helo(&play, "there");
	play_mail(&play, address(house->arena, from));
	play_rcpt(&play, address(house->arena, to));
	for (size_t round = 0; round < 2; round++)
		for (size_t i = 0; i < count; i++)
			play_answer(&play, is_backwards ? count - 1 - i : i);
	assert_false(scope_waits(play.scope));
	const struct fact *fact = evidence_find(play.scope->mail.evidence, "greylist", "result");
	const char *said = arena_format(house->arena, "%s(%s)", fact->value, fact->detail);

	play_end(&play);
	house_keep(house);
	return said;
}

static const char *
visit(struct house *house, const char *client, const char *from, const char *to)
{
	return visit_order(house, client, from, to, false);
}

#define A "a@example.org"
#define C "c@example.com"

static void
test_way(void **state)
{
	struct house house;

	(void)state;
	house_begin(&house, "", no_name);
	house_keep(&house);
	assert_string_equal(visit(&house, CLIENT, A, C), "first_time(198.51.100.0/24)");
	passed = 10;
	assert_string_equal(
	    visit(&house, CLIENT, A, C), "too_early(198.51.100.0/24, for the first time 10s ago)");
	assert_string_equal(
	    visit(&house, CLIENT, A, "d@example.com"), "first_time(198.51.100.0/24)");
	assert_string_equal(
	    visit(&house, CLIENT, "b@example.org", C), "first_time(198.51.100.0/24)");
	assert_string_equal(visit(&house, FAR, A, C), "first_time(203.0.113.0/24)");
	passed = 299;
	assert_string_equal(
	    visit(&house, CLIENT, A, C), "too_early(198.51.100.0/24, for the first time 299s ago)");
	passed = 300;
	assert_string_equal(visit(&house, SECOND, A, C), "known(198.51.100.0/24)");
	passed = 30 * DAY;
	assert_string_equal(visit(&house, CLIENT, A, C), "known(198.51.100.0/24)");
	passed = 60 * DAY; /* 30 since the last mail */
	assert_string_equal(visit(&house, CLIENT, A, C), "known(198.51.100.0/24)");
	passed = 97 * DAY;
	assert_string_equal(visit(&house, CLIENT, A, C), "first_time(198.51.100.0/24)");
	house_end(&house);
}

static void
test_too_late(void **state)
{
	struct house house;

	(void)state;
	house_begin(&house, "{ delay: 1m, retry: 1h, lifetime: 1d }", no_name);
	house_keep(&house);
	assert_string_equal(visit(&house, CLIENT, A, C), "first_time(198.51.100.0/24)");
	passed = HOUR + 1;
	assert_string_equal(visit(&house, CLIENT, A, C), "first_time(198.51.100.0/24)");
	passed += MINUTE;
	assert_string_equal(visit(&house, CLIENT, A, C), "known(198.51.100.0/24)");
	house_end(&house);
}

/* Many attempts do not put the first one off. */
static void
test_impatient(void **state)
{
	struct house house;

	(void)state;
	house_begin(&house, "", no_name);
	house_keep(&house);
	assert_string_equal(visit(&house, CLIENT, A, C), "first_time(198.51.100.0/24)");
	for (passed = 30; passed < 300; passed += 30)
		assert_non_null(strstr(visit(&house, CLIENT, A, C), "too_early"));
	assert_string_equal(visit(&house, CLIENT, A, C), "known(198.51.100.0/24)");
	house_end(&house);
}

/* A sender with many servers comes again from another network. */
static void
test_organisation(void **state)
{
	struct house house;

	(void)state;
	for (int backwards = 0; backwards < 2; backwards++) {
		house_begin(&house, "", pool);
		house_keep(&house);
		assert_string_equal(
		    visit_order(&house, CLIENT, A, C, backwards), "first_time(example.org)");
		passed = 400;
		assert_string_equal(
		    visit_order(&house, FAR, A, C, backwards), "known(example.org)");
		house_end(&house);
	}
}

/* What was not found out at first, and then was. */
static void
test_name_found_later(void **state)
{
	static const struct dns_row failed[] = { { REVERSE, DNS_FAILED, .why = "servfail" },
		{ 0 } };
	struct house house;

	(void)state;
	house_begin(&house, "", failed);
	house_keep(&house);
	assert_string_equal(visit(&house, CLIENT, A, C), "first_time(198.51.100.0/24)");
	passed = 400;
	house.dns = pool;
	assert_string_equal(visit(&house, CLIENT, A, C), "known(example.org)");
	assert_string_equal(visit(&house, FAR, A, C), "known(example.org)");
	house_end(&house);
}

static void
test_names(void **state)
{
	static const struct {
		const char *name;
		const char *address; /* that it leads to */
		const char *want;
	} cases[] = {
		{ "mx.example.org", CLIENT, "first_time(example.org)" },
		{ "mx.example.org", FAR, "first_time(198.51.100.0/24)" },
		{ "198-51-100-5.dyn.example.org", CLIENT, "first_time(198.51.100.0/24)" },
		{ "5.100.51.dyn.example.org", CLIENT, "first_time(198.51.100.0/24)" },
		{ "host005-100.a198.example.org", CLIENT, "first_time(198.51.100.0/24)" },
		{ "c6336405.example.org", CLIENT, "first_time(198.51.100.0/24)" },
		{ "a100-5.smtp-out.example.org", CLIENT, "first_time(example.org)" },
		{ "com", CLIENT, "first_time(198.51.100.0/24)" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct dns_row rows[] = { { REVERSE, DNS_OK, { cases[i].name } },
			{ DNS_A, cases[i].name, DNS_OK, { cases[i].address } }, { 0 } };
		struct house house;

		house_begin(&house, "", rows);
		house_keep(&house);
		assert_string_equal(visit(&house, CLIENT, A, C), cases[i].want);
		house_end(&house);
	}
}

static void
test_senders(void **state)
{
	static const struct {
		const char *first, *second;
		bool is_same;
	} cases[] = {
		{ "a@example.org", "A@example.org", true },
		{ "a@example.org", "a@example.net", false },
		{ "bounce-1234-x@example.org", "bounce-99-x@example.org", true },
		{ "bounce-1234-x@example.org", "bounce-99-y@example.org", false },
		{ "prvs=1234abc=a@example.org", "prvs=99zzz=b@example.org", true },
		{ "list+c=example.com@example.org", "list+d=example.com@example.org", true },
		{ "srs0=ab=cd=x.test=a@example.org", "srs0=ef=gh=y.test=b@example.org", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct house house;

		house_begin(&house, "", no_name);
		house_keep(&house);
		visit(&house, CLIENT, cases[i].first, C);
		passed = 400;
		const char *second = visit(&house, CLIENT, cases[i].second, "C@EXAMPLE.com");

		assert_string_equal(second,
		    cases[i].is_same ? "known(198.51.100.0/24)" : "first_time(198.51.100.0/24)");
		house_end(&house);
	}
}

static void
test_exceptions(void **state)
{
	struct house house;

	(void)state;
	house_begin(&house, "", no_name);
	assert_string_equal(visit(&house, CLIENT, "", C), "known(the null sender)");
	atomic_store(&house.board.is_open, false);
	assert_string_equal(
	    visit(&house, CLIENT, A, C), "error(what is remembered cannot be looked into)");
	assert_string_equal(
	    visit(&house, "2001:db8:1:2::5", A, C), "first_time(2001:db8:1:2::/64)");
	struct state *it = house.host.host.state;

	house.host.host.state = NULL;
	assert_string_equal(visit(&house, CLIENT, A, C), "error(nothing is remembered here)");
	house.host.host.state = it;
	house_end(&house);
}

static void
test_bad_options(void **state)
{
	static const char *const bad[] = { "delay: 0s", "delay: 2h\nretry: 1h", "retry: 3m",
		"lifetime: 1m", "network: 24", "delay: soon" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct arena *arena = arena_new(1 << 20);
		struct faults faults;
		struct option_reader reader = { .arena = arena, .faults = &faults };
		void *options = play_options(arena, &greylist_filter, bad[i], &faults);

		if (options != NULL)
			greylist_filter.complete(&reader,
			    yaml_read(arena, "test.yaml", slice_of(bad[i]), NULL, &faults),
			    options);
		if (faults.count == 0)
			fail_msg("no fault: %s", bad[i]);
		arena_free(arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_way),
		cmocka_unit_test(test_too_late),
		cmocka_unit_test(test_impatient),
		cmocka_unit_test(test_organisation),
		cmocka_unit_test(test_name_found_later),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_senders),
		cmocka_unit_test(test_exceptions),
		cmocka_unit_test(test_bad_options),
	};

	return cmocka_run_group_tests_name("greylist", tests, NULL, NULL);
}
