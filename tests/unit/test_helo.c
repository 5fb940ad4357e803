/*
 * helo: each result, for names with the answers in every order, and with those missing that a
 * good answer makes needless.
 */
#include "tests/unit/play.h"

#include "filters/registry.h"

enum { ROWS = 3 };

#define CLIENT "198.51.100.5"

struct helo_case {
	const char *client, *helo, *want;
	struct dns_row rows[ROWS + 1];
	const char *options;
};

static const struct helo_case plain[] = {
	{ CLIENT, "[198.51.100.5]", "helo.result=ok([198.51.100.5])" },
	{ CLIENT, "[198.51.100.6]", "helo.result=literal_mismatch([198.51.100.6])" },
	{ CLIENT, "[IPv6:2001:db8::5]", "helo.result=literal_mismatch([IPv6:2001:db8::5])" },
	{ "2001:db8::5", "[ipv6:2001:DB8:0::5]", "helo.result=ok([ipv6:2001:DB8:0::5])" },
	{ "2001:db8::5", "[IPv6:2001:db8::6]", "helo.result=literal_mismatch([IPv6:2001:db8::6])" },
	{ CLIENT, "[IPv6:::ffff:198.51.100.5]", "helo.result=ok([IPv6:::ffff:198.51.100.5])" },
	{ "2001:db8::5", "[2001:db8::5]", "helo.result=invalid([2001:db8::5])" },
	{ CLIENT, "[IPv6:198.51.100.5]", "helo.result=invalid([IPv6:198.51.100.5])" },
	{ CLIENT, "[198.51.100]", "helo.result=invalid([198.51.100])" },
	{ CLIENT, "[198.51.100.5", "helo.result=invalid([198.51.100.5)" },
	{ CLIENT, "[]", "helo.result=invalid([])" },
	{ CLIENT, "[", "helo.result=invalid([)" },
	{ CLIENT, "[mail.a.test]", "helo.result=invalid([mail.a.test])" },
	{ CLIENT, "[IPv6:]", "helo.result=invalid([IPv6:])" },
	{ CLIENT, "198.51.100.5", "helo.result=bare_ip(198.51.100.5)" },
	{ CLIENT, "10.0.0.1", "helo.result=bare_ip(10.0.0.1)" },
	{ CLIENT, "2001:db8::5", "helo.result=bare_ip(2001:db8::5)" },
	{ CLIENT, "localhost", "helo.result=unknown_name(no dot in it)" },
	{ CLIENT, "WIN-7F3K", "helo.result=unknown_name(no dot in it)" },
	{ CLIENT, "-a.test", "helo.result=invalid(-a.test)" },
	{ CLIENT, "a-.test", "helo.result=invalid(a-.test)" },
	{ CLIENT, "a..test", "helo.result=invalid(a..test)" },
	{ CLIENT, ".a.test", "helo.result=invalid(.a.test)" },
	{ CLIENT, "a.test.", "helo.result=invalid(a.test.)" },
	{ CLIENT, "a!b.test", "helo.result=invalid(a!b.test)" },
	{ CLIENT, "198.51.100.300", "helo.result=invalid(198.51.100.300)" },
	{ CLIENT, "1234", "helo.result=invalid(1234)" },
	{ CLIENT, "caf\xc3\xa9.test", "helo.result=invalid(caf\xc3\xa9.test)" },
	{ CLIENT, "mx.ours.test", "helo.result=own_name(mx.ours.test)",
	    .options = "own: [ mx.ours.test ]" },
	{ CLIENT, "MX.Ours.Test", "helo.result=own_name(MX.Ours.Test)",
	    .options = "own: [ a.test, .ours.test ]" },
	{ CLIENT, "mx.ours.test.", "helo.result=own_name(mx.ours.test.)",
	    .options = "own: [ mx.ours.test ]" },
	{ CLIENT, "192.0.2.25", "helo.result=own_name(192.0.2.25)",
	    .options = "own: [ mx.ours.test, 192.0.2.25 ]" },
	{ CLIENT, "[192.0.2.25]", "helo.result=own_name([192.0.2.25])",
	    .options = "own: [ 192.0.2.25 ]" },
	{ CLIENT, "[IPv6:2001:db8::25]", "helo.result=own_name([IPv6:2001:db8::25])",
	    .options = "own: [ '2001:DB8::25' ]" },
};

#define ASKED CLIENT, "mail.A.test"
#define FAILS DNS_FAILED, .why = "time limit"
#define OK "helo.result=ok(mail.A.test)"

static const struct helo_case named[] = {
	{ ASKED, OK,
	    { { DNS_A, "mail.a.test", DNS_OK, { "192.0.2.1" } },
		{ DNS_AAAA, "mail.a.test", DNS_NO_DATA }, { DNS_MX, "mail.a.test", FAILS } } },
	{ ASKED, OK,
	    { { DNS_A, "mail.a.test", DNS_NO_DATA },
		{ DNS_AAAA, "mail.a.test", DNS_OK, { "2001:db8::1" } },
		{ DNS_MX, "mail.a.test", DNS_NO_DATA } } },
	{ ASKED, OK,
	    { { DNS_A, "mail.a.test", FAILS }, { DNS_AAAA, "mail.a.test", DNS_NO_DATA },
		{ DNS_MX, "mail.a.test", DNS_OK, { "10 mx.a.test" } } } },
	{ ASKED, "helo.result=unknown_name(no A, AAAA or MX)",
	    { { DNS_A, "mail.a.test", DNS_NO_DATA }, { DNS_AAAA, "mail.a.test", DNS_NO_DATA },
		{ DNS_MX, "mail.a.test", DNS_OK, { "0 ." } } } },
	{ ASKED, "helo.result=unknown_name(no A, AAAA or MX)",
	    { { DNS_A, "mail.a.test", DNS_NO_NAME }, { DNS_AAAA, "mail.a.test", DNS_NO_NAME },
		{ DNS_MX, "mail.a.test", DNS_NO_NAME } } },
	{ ASKED, "helo.result=error(time limit)",
	    { { DNS_A, "mail.a.test", DNS_NO_DATA }, { DNS_AAAA, "mail.a.test", FAILS },
		{ DNS_MX, "mail.a.test", DNS_FAILED, .why = "servfail" } } },
};

static void
helo_begin(struct play *play, const struct helo_case *one)
{
	struct arena *arena = arena_new(1 << 20);
	const struct pipeline_row rows[] = { { &helo_filter,
						 play_options_good(arena, &helo_filter,
						     one->options != NULL ? one->options : "") },
		{ 0 } };

	play_begin(play, one->client, rows, one->rows);
	arena_defer(play->arena, (arena_undo)arena_free, arena);
	assert_string_equal(play_facts(play), "");
	play_helo(play, one->helo);
}

static void
test_without_questions(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		struct play play;

		helo_begin(&play, &plain[i]);
		assert_string_equal(play_facts(&play), plain[i].want);
		assert_false(scope_waits(play.scope));
		play_end(&play);
	}
}

static void
play_case(const size_t *order, const void *arg)
{
	const struct helo_case *one = arg;
	bool is_good = strncmp(one->want, "helo.result=ok", 14) == 0;
	struct play play;

	helo_begin(&play, one);
	assert_int_equal(dns_fake_waiting(play.fake), ROWS);
	for (size_t i = 0; i < ROWS; i++) {
		assert_true(is_good || play_facts(&play)[0] == '\0');
		if (play_facts(&play)[0] != '\0')
			assert_string_equal(play_facts(&play), one->want);
		play_answer(&play, order[i]);
		if (one->rows[order[i]].state == DNS_OK && is_good)
			assert_false(scope_waits(play.scope));
	}
	assert_string_equal(play_facts(&play), one->want);
	assert_false(scope_waits(play.scope));
	play_end(&play);
}

static void
test_every_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
		play_orders(ROWS, play_case, &named[i]);
}

/* A second EHLO (after STARTTLS, say) has a result of its own; the name of the host counts. */
static void
test_again(void **state)
{
	static const struct filter_host host = { .hostname = "mx.ours.test" };
	struct helo_case one = named[0];
	struct play play;

	(void)state;
	helo_begin(&play, &one);
	for (size_t i = 0; i < ROWS; i++)
		play_answer(&play, i);
	play.scope = play.scope->parent;
	play.scope->mail.host = &host;
	play_helo(&play, "mx.ours.test");
	assert_string_equal(play_facts(&play), "helo.result=own_name(mx.ours.test)");
	play.scope = play.scope->parent;
	play_helo(&play, "mail.a.test");
	assert_string_equal(play_facts(&play), "helo.result=ok(mail.a.test)");
	play_end(&play);
}

/* Names that no one can have are not asked for: the fake would end the test. */
static void
test_long_names(void **state)
{
	char label[70], name[300] = "";
	struct play play;

	(void)state;
	memset(label, 'a', 64);
	strcpy(label + 64, ".test");
	helo_begin(&play, &(struct helo_case) { CLIENT, label, "" });
	assert_non_null(strstr(play_facts(&play), "invalid"));
	play_end(&play);
	for (size_t i = 0; i < 64; i++)
		strcat(name, "abc.");
	strcat(name, "test");
	helo_begin(&play, &(struct helo_case) { CLIENT, name, "" });
	assert_non_null(strstr(play_facts(&play), "invalid"));
	play_end(&play);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_questions),
		cmocka_unit_test(test_every_order),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_long_names),
	};

	return cmocka_run_group_tests_name("helo", tests, NULL, NULL);
}
