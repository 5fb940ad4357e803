/*
 * list_guard: what a list must answer to be believed, in every order; what waits and what
 * counts; bursts; a list that begins to answer everything in the middle of traffic.
 *
 * Sessions are played as a filter would: each asks the list about its own address, judges the
 * answer and asks the guard, again whenever its task is woken.
 */
#include "tests/unit/by_hand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/list_guard.h"
#include "lib/log.h"

enum { MOST = 300 };

struct session {
	struct rig *rig;
	struct arena *arena;
	struct task task;
	struct dns *dns;
	unsigned number;
	bool is_over;
	char told; /* L listed, N none, E error, S suspended; 0: waits */
};

struct rig {
	struct arena *arena;
	struct ev_loop *loop;
	struct task_queue tasks;
	struct by_hand resolver;
	struct dns_list list;
	struct list_guard_options options;
	struct list_guard *guard;
	struct session sessions[MOST];
	size_t count;
};

static const struct dns_list_code code = { { 127, 0, 0, 2 }, { 127, 0, 0, 2 }, 0, "bad" };

static void
turn(struct rig *rig)
{
	for (int i = 0; i < 4; i++)
		ev_run(rig->loop, EVRUN_NOWAIT);
}

static struct dns_list_point
point(const char *text)
{
	struct dns_list_point made = { .text = text, .length = 4, .bits = 32 };

	assert_int_equal(inet_pton(AF_INET, text, made.bytes), 1);
	return made;
}

/* One point that must be listed, two that must not; the second of them is drawn. */
static void
rig_begin(struct rig *rig, unsigned burst)
{
	*rig = (struct rig) { .arena = arena_new(1 << 20), .loop = ev_loop_new(0) };
	task_queue_init(&rig->tasks, rig->loop);
	by_hand_init(&rig->resolver, rig->loop);
	rig->options = (struct list_guard_options) { { 3600 }, { 300 }, burst };
	rig->list = (struct dns_list) { .id = "l",
		.zone = "l.test",
		.shown = "l.test",
		.codes = { 1, &code },
		.listed = { 1, { point("127.0.0.2") } },
		.unlisted = { 2, { point("127.0.0.1"), point("240.0.0.0") } } };
	rig->list.unlisted.item[1].bits = 4;
	rig->guard = list_guard_new(
	    &(struct list_guard_host) { rig->arena, rig->loop, &rig->tasks, &rig->resolver.source },
	    &rig->list, &rig->options);
}

/* ---- the log, as syslog gets it ---- */

static struct sockaddr_un log_place = { .sun_family = AF_UNIX };
static int log_socket;

static int
log_begin(void **state)
{
	(void)state;
	snprintf(
	    log_place.sun_path, sizeof(log_place.sun_path), "/tmp/test_list_guard.%d", getpid());
	log_socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_true(log_socket >= 0);
	assert_int_equal(
	    bind(log_socket, (const struct sockaddr *)&log_place, sizeof(log_place)), 0);
	return log_open(&(struct log_options) { .target = LOG_TO_SYSLOG,
		   .level = LEVEL_INFO,
		   .syslog_path = log_place.sun_path })
	    ? 0
	    : -1;
}

static int
log_end(void **state)
{
	(void)state;
	log_close();
	close(log_socket);
	return unlink(log_place.sun_path);
}

/* How many lines since the last call; the last of them in text. */
static size_t
log_lines(char text[1000])
{
	size_t count = 0;
	ssize_t length;

	text[0] = '\0';
	for (; (length = recv(log_socket, text, 999, 0)) > 0; count++)
		text[length] = '\0';
	return count;
}

static void
rig_end(struct rig *rig)
{
	char text[1000];

	log_lines(text);
	for (size_t i = 0; i < rig->count; i++)
		if (!rig->sessions[i].is_over)
			arena_free(rig->sessions[i].arena);
	arena_free(rig->arena);
	assert_int_equal(rig->resolver.count, 0);
	ev_loop_destroy(rig->loop);
}

/* Answers what a check has asked; "": leave it. The drawn one is the open question that is
 * about neither a test point nor a session. */
static void
rig_check(struct rig *rig, const char *listed, const char *unlisted, const char *drawn)
{
	by_hand_answer(&rig->resolver, "2.0.0.127.l.test", listed);
	by_hand_answer(&rig->resolver, "1.0.0.127.l.test", unlisted);
	for (size_t i = rig->resolver.count; i-- > 0;) {
		unsigned octets[4];
		const char *name = rig->resolver.open[i]->name;

		assert_int_equal(
		    sscanf(name, "%u.%u.%u.%u.", &octets[0], &octets[1], &octets[2], &octets[3]),
		    4);
		if (octets[3] >= 240)
			by_hand_answer(&rig->resolver, name, drawn);
	}
	turn(rig);
}

static bool
rig_checks(const struct rig *rig)
{
	return by_hand_waiting(&rig->resolver, "2.0.0.127.l.test") > 0;
}

static void
session_run(void *arg)
{
	static const char letters[] = {
		[DNS_LIST_NONE] = 'N', [DNS_LIST_LISTED] = 'L', [DNS_LIST_ERROR] = 'E'
	};
	struct session *session = arg;
	struct list_guard *guard = session->rig->guard;
	struct dns_list_result result;
	char name[DNS_NAME_MOST];

	if (session->told != 0)
		return;
	if (list_guard_state(guard) == LIST_SUSPENDED) {
		session->told = 'S';
		return;
	}
	snprintf(
	    name, sizeof(name), "%u.%u.2.10.l.test", session->number % 256, session->number / 256);
	const struct dns_answer *answer = dns_ask(session->dns, DNS_A, name);

	if (answer == NULL)
		return;
	dns_list_judge(&result, &session->rig->list, answer);
	switch (list_guard_ask(guard, session->arena, &session->task, &result)) {
	case LIST_WAITS:
		break;
	case LIST_COUNTS_NOT:
		session->told = 'S';
		break;
	case LIST_COUNTS:
		session->told = letters[result.state];
		break;
	}
}

static void
session_new(struct rig *rig)
{
	struct session *session = &rig->sessions[rig->count++];

	assert_true(rig->count <= MOST);
	*session = (struct session) {
		.rig = rig, .arena = arena_new(1 << 20), .number = (unsigned)rig->count
	};
	task_init(&session->task, session->arena, &rig->tasks, session_run, session);
	session->dns = dns_new(session->arena, &rig->resolver.source, &session->task);
	session_run(session);
}

static void
session_leave(struct session *session)
{
	session->is_over = true;
	arena_free(session->arena);
}

/* So many clients, all answered so. */
static void
traffic(struct rig *rig, size_t count, const char *answer)
{
	for (size_t i = 0; i < count; i++)
		session_new(rig);
	by_hand_answer(&rig->resolver, ".2.10.l.test", answer);
	turn(rig);
}

static size_t
told(const struct rig *rig, char letter)
{
	size_t count = 0;

	for (size_t i = 0; i < rig->count; i++)
		count += rig->sessions[i].told == letter;
	return count;
}

static void
rig_good(struct rig *rig)
{
	turn(rig);
	rig_check(rig, "127.0.0.2", "none", "none");
	assert_int_equal(list_guard_state(rig->guard), LIST_GOOD);
}

/* ---- */

struct verdict {
	const char *answers[3]; /* listed, unlisted, drawn */
	const char *reason;     /* NULL: good; a part of it */
};

static const struct verdict verdicts[] = {
	{ { "127.0.0.2", "none", "none" }, NULL },
	{ { "127.0.0.254", "none", "none" }, NULL }, /* not in the table, but there */
	{ { "127.0.0.2 127.0.0.4", "none", "none" }, NULL },
	{ { "none", "none", "none" }, "does not list 127.0.0.2" },
	{ { "!time limit", "!time limit", "!time limit" }, "no answer: time limit" },
	{ { "!servfail", "none", "none" }, "no answer: servfail" },
	{ { "127.0.0.2", "none", "!servfail" }, "no answer: servfail" },
	{ { "none", "none", "!servfail" }, "no answer: servfail" },
	{ { "127.0.0.2", "127.0.0.2", "none" }, "it lists 127.0.0.1 (127.0.0.2), which must not" },
	{ { "127.0.0.2", "none", "127.0.0.2" }, "it answers everything" },
	{ { "127.0.0.2", "none", "127.0.0.9" }, "it answers everything" },
	{ { "127.0.0.2", "127.0.0.1", "none" }, "127.0.0.1 is never a listing" },
	{ { "203.0.113.1", "203.0.113.1", "203.0.113.1" }, "203.0.113.1: no list answers so" },
	{ { "127.0.0.2", "none", "203.0.113.1" }, "203.0.113.1: no list answers so" },
	{ { "127.255.255.254", "127.255.255.254", "127.255.255.254" }, "public resolver" },
	{ { "127.0.0.2", "none", "127.255.255.255" }, "too many questions" },
	{ { "127.255.255.252", "none", "none" }, "mistyped" },
	{ { "127.0.0.1", "none", "none" }, "127.0.0.1 is never a listing" },
	{ { "127.255.255.254", "127.0.0.2", "!time limit" }, "public resolver" },
};

static void
play_verdict(const struct verdict *one, const size_t order[3])
{
	struct rig *rig = calloc(1, sizeof(*rig));

	rig_begin(rig, 20);
	session_new(rig);
	by_hand_answer(&rig->resolver, ".2.10.l.test", "127.0.0.2");
	turn(rig);
	assert_int_equal(list_guard_state(rig->guard), LIST_UNCHECKED);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(told(rig, 0), 1);
		if (order[i] == 0)
			by_hand_answer(&rig->resolver, "2.0.0.127.l.test", one->answers[0]);
		else if (order[i] == 1)
			by_hand_answer(&rig->resolver, "1.0.0.127.l.test", one->answers[1]);
		else
			for (size_t j = rig->resolver.count; j-- > 0;)
				if (strstr(rig->resolver.open[j]->name, ".127.l.test") == NULL)
					by_hand_answer(&rig->resolver, rig->resolver.open[j]->name,
					    one->answers[2]);
		turn(rig);
	}
	assert_int_equal(
	    list_guard_state(rig->guard), one->reason == NULL ? LIST_GOOD : LIST_SUSPENDED);
	assert_int_equal(told(rig, one->reason == NULL ? 'L' : 'S'), 1);
	if (one->reason == NULL)
		assert_string_equal(list_guard_reason(rig->guard), "");
	else if (strstr(list_guard_reason(rig->guard), one->reason) == NULL)
		fail_msg("%s: %s", one->reason, list_guard_reason(rig->guard));
	rig_end(rig);
	free(rig);
}

static void
test_verdicts(void **state)
{
	static const size_t orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 },
		{ 2, 0, 1 }, { 2, 1, 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++)
		for (size_t j = 0; j < 6; j++)
			play_verdict(&verdicts[i], orders[j]);
}

/* Clients that come before the first check is over wait for it, whatever the list has said of
 * them, and not longer. */
static void
test_first_clients(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	(void)state;
	rig_begin(rig, 20);
	traffic(rig, 10, "127.0.0.2");
	traffic(rig, 10, "none");
	traffic(rig, 10, "!servfail");
	assert_int_equal(told(rig, 0), 30);
	session_leave(&rig->sessions[3]);
	session_leave(&rig->sessions[15]);
	rig_check(rig, "127.0.0.2", "none", "none");
	assert_int_equal(told(rig, 'L'), 9);
	assert_int_equal(told(rig, 'N'), 9);
	assert_int_equal(told(rig, 'E'), 10);
	rig_end(rig);

	rig_begin(rig, 20);
	traffic(rig, 30, "127.0.0.2");
	rig_check(rig, "127.0.0.2", "127.0.0.2", "127.0.0.2");
	assert_int_equal(told(rig, 'S'), 30);
	size_t asked = rig->resolver.asked;

	traffic(rig, 30, "127.0.0.2");
	assert_int_equal(told(rig, 'S'), 60);
	assert_int_equal(rig->resolver.asked, asked); /* nobody asks a suspended list */
	rig_end(rig);
	free(rig);
}

static void
test_burst(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	(void)state;
	rig_begin(rig, 20);
	rig_good(rig);
	traffic(rig, 100, "none");
	assert_false(rig_checks(rig));
	traffic(rig, 19, "127.0.0.2");
	assert_int_equal(told(rig, 'L'), 19);
	assert_false(rig_checks(rig));
	traffic(rig, 1, "127.0.0.2");
	assert_int_equal(told(rig, 'L'), 19);
	assert_true(rig_checks(rig));
	/* Meanwhile: what is not listed passes, what is waits. */
	traffic(rig, 10, "none");
	assert_int_equal(told(rig, 'N'), 110);
	traffic(rig, 10, "127.0.0.2");
	assert_int_equal(told(rig, 'L'), 19);
	rig_check(rig, "127.0.0.2", "none", "none");
	/* The 20th is vouched for; the ten that came after the questions had left count anew. */
	assert_int_equal(told(rig, 'L'), 30);
	assert_false(rig_checks(rig));
	traffic(rig, 9, "127.0.0.2");
	assert_false(rig_checks(rig));
	traffic(rig, 1, "127.0.0.2");
	assert_true(rig_checks(rig));
	rig_check(rig, "127.0.0.2", "none", "none");
	assert_int_equal(told(rig, 'L'), 40);
	assert_int_equal(told(rig, 0), 0);
	rig_end(rig);
	free(rig);
}

/* However many wait at once, two checks are enough for all of them. */
static void
test_large_burst(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	size_t checks = 0;

	(void)state;
	rig_begin(rig, 20);
	rig_good(rig);
	traffic(rig, 20, "127.0.0.2");
	traffic(rig, 200, "127.0.0.2");
	assert_int_equal(told(rig, 'L'), 19);
	for (; rig_checks(rig); checks++)
		rig_check(rig, "127.0.0.2", "none", "none");
	assert_int_equal(checks, 2);
	assert_int_equal(told(rig, 'L'), 220);
	rig_end(rig);
	free(rig);
}

/*
 * The list goes bad after `good` listings: wherever that is, and whenever the check's answers
 * come, no more than 19 false listings are told.
 */
static void
play_going_bad(size_t good, size_t before_check, bool is_known)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	size_t before;

	rig_begin(rig, 20);
	rig_good(rig);
	traffic(rig, good, "127.0.0.2");
	while (rig_checks(rig))
		rig_check(rig, "127.0.0.2", "none", "none");
	before = told(rig, 'L');
	assert_int_equal(before, good);
	/* From now on it lists everybody. 127.0.0.1 may still be known from a cache. */
	for (size_t i = 0; i < before_check; i++)
		traffic(rig, 1, "127.0.0.2");
	traffic(rig, 100 - before_check, "127.0.0.2");
	while (rig_checks(rig))
		rig_check(rig, "127.0.0.2", is_known ? "none" : "127.0.0.2", "127.0.0.2");
	assert_true(told(rig, 'L') - before <= 19);
	assert_int_equal(told(rig, 'L') + told(rig, 'S'), good + 100);
	assert_int_equal(list_guard_state(rig->guard), LIST_SUSPENDED);
	traffic(rig, 50, "127.0.0.2");
	assert_true(told(rig, 'L') - before <= 19);
	assert_int_equal(told(rig, 0), 0);
	rig_end(rig);
	free(rig);
}

static void
test_going_bad(void **state)
{
	(void)state;
	for (size_t good = 0; good < 45; good++)
		for (size_t before = 0; before <= 100; before += 10)
			play_going_bad(good, before, before % 20 == 0);
}

/* It goes bad while a check is under way whose questions it had answered rightly already. */
static void
test_bad_behind_the_check(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	(void)state;
	rig_begin(rig, 20);
	rig_good(rig);
	traffic(rig, 20, "127.0.0.2");
	assert_true(rig_checks(rig));
	size_t before = told(rig, 'L') + 1; /* the 20th is true, too, and waits */

	traffic(rig, 100, "127.0.0.2"); /* false ones */
	rig_check(rig, "127.0.0.2", "none", "none");
	assert_true(rig_checks(rig));
	assert_true(told(rig, 'L') - before <= 19);
	rig_check(rig, "127.0.0.2", "127.0.0.2", "127.0.0.2");
	assert_true(told(rig, 'L') - before <= 19);
	assert_int_equal(told(rig, 0), 0);
	rig_end(rig);
	free(rig);
}

static void
sleep_until(struct rig *rig, double seconds)
{
	ev_sleep(seconds);
	ev_now_update(rig->loop);
	turn(rig);
}

static void
test_comes_back(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	char text[1000];

	(void)state;
	rig_begin(rig, 20);
	rig->options.again.value = 0.02;
	rig->options.every.value = 0.05;
	turn(rig);
	rig_check(rig, "none", "none", "none");
	assert_int_equal(list_guard_state(rig->guard), LIST_SUSPENDED);
	assert_int_equal(log_lines(text), 1);
	assert_non_null(strstr(text, "list l (l.test) does not count any more: it does not list"));
	traffic(rig, 1, "127.0.0.2");
	assert_int_equal(told(rig, 'S'), 1);
	for (int i = 0; i < 3; i++) { /* as bad as before, then in another way */
		sleep_until(rig, 0.03);
		assert_true(rig_checks(rig));
		assert_int_equal(list_guard_state(rig->guard), LIST_SUSPENDED);
		rig_check(rig, "none", "none", i == 2 ? "127.0.0.2" : "none");
		assert_int_equal(log_lines(text), i == 2);
	}
	sleep_until(rig, 0.03);
	rig_check(rig, "127.0.0.2", "none", "none");
	assert_int_equal(log_lines(text), 1);
	assert_non_null(strstr(text, "list l counts again"));
	assert_int_equal(list_guard_state(rig->guard), LIST_GOOD);
	traffic(rig, 1, "127.0.0.2");
	assert_int_equal(told(rig, 'L'), 1);
	sleep_until(rig, 0.06); /* the hour is over */
	assert_true(rig_checks(rig));
	traffic(rig, 1, "127.0.0.2"); /* a check makes nobody wait but in a burst */
	assert_int_equal(told(rig, 'L'), 2);
	rig_end(rig); /* in the middle of it */
	free(rig);
}

/* What counts while the hourly check is under way is not vouched for by it. */
static void
test_counted_during_a_check(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	(void)state;
	rig_begin(rig, 20);
	rig->options.every.value = 0.02;
	rig_good(rig);
	rig->options.every.value = 3600;
	traffic(rig, 5, "127.0.0.2");
	sleep_until(rig, 0.03);
	assert_true(rig_checks(rig));
	traffic(rig, 10, "127.0.0.2");
	assert_int_equal(told(rig, 'L'), 15);
	rig_check(rig, "127.0.0.2", "none", "none");
	traffic(rig, 9, "127.0.0.2");
	assert_false(rig_checks(rig));
	traffic(rig, 1, "127.0.0.2"); /* the 20th since the questions left */
	assert_true(rig_checks(rig));
	assert_int_equal(told(rig, 'L'), 24);
	rig_end(rig);
	free(rig);
}

static void
test_errors(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	(void)state;
	rig_begin(rig, 20);
	rig->options.again.value = 0.05;
	rig_good(rig);
	for (int i = 0; i < 10; i++)
		traffic(rig, 1, i % 5 == 4 ? "none" : "!servfail");
	assert_false(rig_checks(rig)); /* never five in a row */
	traffic(rig, 5, "!servfail");
	assert_false(rig_checks(rig)); /* too soon after the last check */
	sleep_until(rig, 0.06);
	traffic(rig, 1, "127.255.255.254");
	assert_true(rig_checks(rig));
	assert_int_equal(told(rig, 'E'), 14);
	rig_check(rig, "127.0.0.2", "none", "127.255.255.254");
	assert_int_equal(list_guard_state(rig->guard), LIST_SUSPENDED);
	size_t asked = rig->resolver.asked;

	traffic(rig, 50, "!servfail");
	assert_int_equal(rig->resolver.asked, asked);
	rig_end(rig);
	free(rig);
}

/* A list without test points is believed, for nothing can be said against it. */
static void
test_no_points(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	(void)state;
	rig_begin(rig, 20);
	rig->list.listed.count = rig->list.unlisted.count = 0;
	turn(rig);
	assert_int_equal(list_guard_state(rig->guard), LIST_GOOD);
	traffic(rig, 50, "127.0.0.2");
	turn(rig);
	assert_int_equal(told(rig, 'L'), 50);
	rig_end(rig);
	free(rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_first_clients),
		cmocka_unit_test(test_burst),
		cmocka_unit_test(test_large_burst),
		cmocka_unit_test(test_going_bad),
		cmocka_unit_test(test_bad_behind_the_check),
		cmocka_unit_test(test_comes_back),
		cmocka_unit_test(test_counted_during_a_check),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_no_points),
	};

	return cmocka_run_group_tests_name("list_guard", tests, log_begin, log_end);
}
