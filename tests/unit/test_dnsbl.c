/*
 * dnsbl: the facts of each kind of answer, with the answers in every order, and what is known
 * in between; the guard's word; values for the policy.
 */
#include "tests/unit/list_options.h"

#define CLIENT "198.51.100.5"
#define REVERSED "5.100.51.198"

static const char *const three =
    "lists:\n"
    "  - { id: a, zone: a.test, codes: { 127.0.0.2: bad, 127.0.0.4: worse } }\n"
    "  - { id: b, zone: b.test, kind: both }\n"
    "  - { id: c, zone: c.test, kind: ip6 }\n";

struct dnsbl_case {
	const char *title, *client;
	struct dns_row rows[4];
	const char *facts[3]; /* of a, b, c */
};

#define A DNS_A, REVERSED ".a.test"
#define B DNS_A, REVERSED ".b.test"
#define SIX "5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2"
#define C_NONE "dnsbl.c=none(not about such addresses)"

static const struct dnsbl_case cases[] = {
	{ "on none", CLIENT, { { A, DNS_NO_NAME }, { B, DNS_NO_NAME } },
	    { "dnsbl.a=none()", "dnsbl.b=none()", C_NONE } },
	{ "no data is none", CLIENT, { { A, DNS_NO_DATA }, { B, DNS_NO_NAME } },
	    { "dnsbl.a=none()", "dnsbl.b=none()", C_NONE } },
	{ "on both", CLIENT,
	    { { A, DNS_OK, { "127.0.0.4", "127.0.0.2" } }, { B, DNS_OK, { "127.0.0.2" } } },
	    { "dnsbl.a=bad(127.0.0.2) dnsbl.a=worse(127.0.0.4)", "dnsbl.b=listed(127.0.0.2)",
		C_NONE } },
	{ "one fails", CLIENT,
	    { { A, DNS_FAILED, .why = "time limit" }, { B, DNS_OK, { "127.0.0.2" } } },
	    { "dnsbl.a=error(no answer: time limit)", "dnsbl.b=listed(127.0.0.2)", C_NONE } },
	{ "codes that nobody knows", CLIENT,
	    { { A, DNS_OK, { "127.0.0.2", "127.0.0.3" } }, { B, DNS_OK, { "127.0.0.3" } } },
	    { "dnsbl.a=bad(127.0.0.2) dnsbl.a=error(127.0.0.3: not in the table of its codes)",
		"dnsbl.b=error(127.0.0.3: not in the table of its codes)", C_NONE } },
	{ "refused, and rewritten", CLIENT,
	    { { A, DNS_OK, { "127.0.0.2", "127.255.255.254" } },
		{ B, DNS_OK, { "127.0.0.2", "192.0.2.80" } } },
	    { "dnsbl.a=error(127.255.255.254: asked through a public resolver, which the list "
	      "does not serve)",
		"dnsbl.b=error(192.0.2.80: no list answers so; the zone was sold, or a resolver "
		"rewrites NXDOMAIN)",
		C_NONE } },
	{ "IPv6", "2001:db8::5",
	    { { DNS_A, SIX ".b.test", DNS_NO_NAME },
		{ DNS_A, SIX ".c.test", DNS_OK, { "127.0.0.2" } } },
	    { "dnsbl.a=none(not about such addresses)", "dnsbl.b=none()",
		"dnsbl.c=listed(127.0.0.2)" } },
	{ "IPv4 in IPv6 is IPv4", "::ffff:" CLIENT, { { A, DNS_NO_NAME }, { B, DNS_NO_NAME } },
	    { "dnsbl.a=none()", "dnsbl.b=none()", C_NONE } },
};

static void
dnsbl_begin(struct play *play, const struct dnsbl_case *one)
{
	struct arena *arena = arena_new(4 << 20);
	const struct pipeline_row rows[] = {
		{ &dnsbl_filter, options_good(&dnsbl_filter, arena, three) }, { 0 }
	};

	play_begin(play, one->client, rows, one->rows);
	arena_defer(play->arena, (arena_undo)arena_free, arena);
}

/* What is told of one list. */
static const char *
facts_of(struct play *play, const char *id)
{
	struct evidence_place place = { 0 };
	const struct fact *fact;
	const char *all = "";

	while ((fact = evidence_next(play->scope->mail.evidence, &place)) != NULL)
		if (strcmp(fact->key, id) == 0)
			all = arena_format(play->arena, "%s%s%s.%s=%s(%s)", all,
			    all[0] != '\0' ? " " : "", fact->filter, fact->key, fact->value,
			    fact->detail);
	return all;
}

static enum knowledge
known(struct play *play, const char *id)
{
	const char *any[] = { "nothing", NULL };

	return evidence_ask(play->scope->mail.evidence, "dnsbl", id, CONNECT, any);
}

/* Each list's facts are there and its key is over as soon as its own answer is in, and not
 * before. */
static void
play_case(const size_t *order, const void *arg)
{
	static const char *const ids[] = { "a", "b", "c" };
	const struct dnsbl_case *one = arg;
	bool answered[3] = { false };
	struct play play;

	dnsbl_begin(&play, one);
	assert_int_equal(dns_fake_waiting(play.fake), 2);
	for (size_t step = 0; step <= 2; step++) {
		for (size_t i = 0; i < 3; i++) {
			bool is_asked =
			    strcmp(one->facts[i] + 7, "=none(not about such addresses)") != 0;
			bool is_over = !is_asked || answered[i];

			assert_string_equal(facts_of(&play, ids[i]), is_over ? one->facts[i] : "");
			assert_int_equal(known(&play, ids[i]), is_over ? NO : PENDING);
		}
		if (step == 2)
			break;
		play_answer(&play, order[step]);
		const char *zone = strstr(one->rows[order[step]].name, ".test") - 1;

		answered[*zone - 'a'] = true;
	}
	assert_false(scope_waits(play.scope));
	play_end(&play);
}

static void
play_leaving(const size_t *order, const void *arg)
{
	for (size_t leaves = 0; leaves <= 2; leaves++) {
		struct play play;

		dnsbl_begin(&play, arg);
		for (size_t i = 0; i < leaves; i++)
			play_answer(&play, order[i]);
		play_end(&play);
	}
}

static void
test_every_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		play_orders(2, play_case, &cases[i]);
		play_orders(2, play_leaving, &cases[i]);
	}
}

/* ---- with a worker, whose guard looks after the list ---- */

enum { CLIENTS = 60 };

struct house {
	struct arena *arena;
	struct play play; /* its fake, loop and tasks */
	struct pipeline pipeline;
	struct pipeline_host host;
};

struct guest {
	struct arena *arena;
	struct task task;
	struct client client;
	struct scope *scope;
};

static void
guest_run(void *arg)
{
	struct guest *guest = arg;

	scope_run(guest->scope);
}

static void
guest_begin(struct guest *guest, struct house *house, unsigned number)
{
	struct play *play = &house->play;

	*guest = (struct guest) { .arena = arena_new(1 << 20), .client = play->client };
	guest->client.ip.bytes[3] = (uint8_t)number;
	task_init(&guest->task, guest->arena, &play->tasks, guest_run, guest);
	guest->scope = scope_new(guest->arena,
	    dns_new(guest->arena, dns_fake_source(play->fake), &guest->task), NULL,
	    SCOPE_CONNECTION, &house->pipeline);
	guest->scope->mail.client = &guest->client;
	scope_set_host(guest->scope, &house->host, &guest->task);
	scope_reach(guest->scope, CONNECT);
	scope_run(guest->scope);
	play_turn(play);
}

static const char *
guest_fact(const struct guest *guest)
{
	const struct fact *fact = evidence_find(guest->scope->mail.evidence, "dnsbl", "a");

	return fact != NULL ? fact->value : "";
}

static void
house_begin(struct house *house, const struct dns_row *rows, const char *yaml)
{
	static const struct pipeline_row nobody[] = { { 0 } };

	house->arena = arena_new(4 << 20);
	play_begin(&house->play, CLIENT, nobody, rows);
	dns_fake_allow_unknown(house->play.fake);
	const void *options = options_good(&dnsbl_filter, house->arena, yaml);

	house->pipeline =
	    (struct pipeline) { .rows = { { &dnsbl_filter, options, false } }, .count = 1 };
	house->host.host = (struct filter_host) { .arena = house->play.arena,
		.loop = house->play.loop,
		.tasks = &house->play.tasks,
		.dns = dns_fake_source(house->play.fake) };
	pipeline_open(&house->host, &house->pipeline);
	play_turn(&house->play);
}

static void
house_end(struct house *house)
{
	play_end(&house->play);
	arena_free(house->arena);
}

/* The test point is answered late: the first client waits for it, though its own answer (no
 * such name) is in. */
static void
test_first_client(void **state)
{
	static const struct dns_row rows[] = {
		{ DNS_A, "2.0.0.127.a.test", DNS_OK, { "127.0.0.2" } }, { 0 }
	};
	struct house house = { 0 };
	struct guest guest;

	(void)state;
	house_begin(&house, rows, "lists: [ { id: a, zone: a.test } ]");
	guest_begin(&guest, &house, 1);
	assert_string_equal(guest_fact(&guest), "");
	assert_true(scope_waits(guest.scope));
	play_answer(&house.play, 0);
	assert_string_equal(guest_fact(&guest), "none");
	assert_false(scope_waits(guest.scope));
	arena_free(guest.arena);
	house_end(&house);
}

static void
test_suspended(void **state)
{
	static const struct dns_row rows[] = { { DNS_A, "2.0.0.127.a.test", DNS_NO_NAME },
		{ DNS_A, "1.100.51.198.a.test", DNS_OK, { "127.0.0.2" } }, { 0 } };
	struct house house = { 0 };
	struct guest guests[2];

	(void)state;
	house_begin(&house, rows, "lists: [ { id: a, zone: a.test } ]");
	guest_begin(&guests[0], &house, 1);
	play_answer(&house.play, 1);
	assert_string_equal(guest_fact(&guests[0]), "");
	play_answer(&house.play, 0);
	guest_begin(&guests[1], &house, 1);
	for (size_t i = 0; i < 2; i++) {
		const struct fact *fact =
		    evidence_find(guests[i].scope->mail.evidence, "dnsbl", "a");

		assert_string_equal(fact->value, "error");
		assert_string_equal(fact->detail,
		    "it does not list 127.0.0.2, which must be listed: the list is dead, or its "
		    "zone wrong");
		arena_free(guests[i].arena);
	}
	house_end(&house);
}

/* From the 20th listing on nobody is listed before the check is over; here it fails. */
static void
test_answers_everything(void **state)
{
	static struct dns_row rows[CLIENTS + 3];
	static char names[CLIENTS][40];
	static struct guest guests[CLIENTS];
	struct house house = { 0 };
	size_t count[3] = { 0 };

	(void)state;
	rows[0] = (struct dns_row) { DNS_A, "2.0.0.127.a.test", DNS_OK, { "127.0.0.2" } };
	for (unsigned i = 0; i < CLIENTS; i++) {
		snprintf(names[i], sizeof(names[i]), "%u.100.51.198.a.test", i);
		rows[1 + i] = (struct dns_row) { DNS_A, names[i], DNS_OK, { "127.0.0.2" } };
	}
	rows[1 + CLIENTS] = (struct dns_row) { DNS_A, "9.2.0.192.a.test", DNS_NO_NAME };
	house_begin(&house, rows,
	    "lists: [ { id: a, zone: a.test, unlisted: [ 192.0.2.9 ] } ]\nguard: { burst: 20 }\n");
	dns_fake_release_all(house.play.fake);
	play_turn(&house.play);
	/* Until now it was not listed. */
	rows[1 + CLIENTS] = (struct dns_row) { DNS_A, "9.2.0.192.a.test", DNS_OK, { "127.0.0.2" } };
	for (unsigned i = 0; i < CLIENTS; i++)
		guest_begin(&guests[i], &house, i);
	for (unsigned i = 0; i < CLIENTS; i++) {
		const char *fact = guest_fact(&guests[i]);

		count[0] += strcmp(fact, "listed") == 0;
		count[1] += strcmp(fact, "error") == 0;
		count[2] += fact[0] == '\0';
		arena_free(guests[i].arena);
	}
	assert_int_equal(count[0], 19);
	assert_int_equal(count[1] + count[2], CLIENTS - 19);
	house_end(&house);
}

/* ---- configuration ---- */

static void
test_values(void **state)
{
	struct arena *arena = arena_new(4 << 20);
	const void *options = options_good(&dnsbl_filter, arena, three);

	(void)state;
	assert_string_equal(dnsbl_filter.named_values(options, "a"), "bad worse none error");
	assert_string_equal(dnsbl_filter.named_values(options, "b"), "listed none error");
	assert_string_equal(
	    dnsbl_filter.named_values(options, "zen"), "sbl css xbl drop pbl bcl none error");
	assert_null(dnsbl_filter.named_values(options, "zem"));
	assert_int_equal(dnsbl_filter.lists(options)->count, 3);
	arena_free(arena);
}

static void
test_bad_options(void **state)
{
	static const char *const bad[][2] = {
		{ "{}", "key missing: lists" },
		{ "lists: []", "impossible value" },
		{ "lists: [ dbl ]",
		    "the list dbl is about domains, which dnsbl does not ask about" },
		{ "lists: [ zne ]", "did you mean zen" },
		{ "lists: [ zen ]\nguard: { burst: 0 }", "impossible value" },
		{ "lists: [ zen ]\nguard: { again: 0 }", "impossible value" },
	};
	struct arena *arena = arena_new(16 << 20);
	struct faults faults;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_null(options_read(&dnsbl_filter, arena, bad[i][0], &faults));
		assert_non_null(strstr(faults.kept[0].words, bad[i][1]));
	}
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_order),
		cmocka_unit_test(test_first_client),
		cmocka_unit_test(test_suspended),
		cmocka_unit_test(test_answers_everything),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_bad_options),
	};

	return cmocka_run_group_tests_name("dnsbl", tests, NULL, NULL);
}
