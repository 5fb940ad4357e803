/*
 * relay: on what ground each recipient may pass, and that nothing else opens.
 */
#include "tests/unit/play.h"

#include "filters/registry.h"
#include "filters/relay.h"
#include "rules/policy.h"

static const char ours[] = "{ domains: [ example.com, .sub.example.net, '[192.0.2.25]' ],"
			   " networks: [ 10.0.0.0/8, 2001:db8::/32 ] }";

struct relay_case {
	const char *yaml, *ip, *user;
	bool has_tls;
	struct address recipient;
	const char *want;
};

#define STRANGER "198.51.100.9", NULL, false
#define NEIGHBOUR "10.1.2.3", NULL, false
#define USER "198.51.100.9", "alice", false
#define TO(local, domain)                                                                          \
	{                                                                                          \
		local "@" domain, local, domain, false                                             \
	}
#define ROUTING(local, domain)                                                                     \
	{                                                                                          \
		local "@" domain, local, domain, true                                              \
	}

static const struct relay_case cases[] = {
	{ ours, STRANGER, TO("c", "example.com"), "domain(example.com)" },
	{ ours, STRANGER, TO("c", "a.example.com"), "denied(not a domain of ours)" },
	{ ours, STRANGER, TO("c", "notexample.com"), "denied(not a domain of ours)" },
	{ ours, STRANGER, TO("c", "a.sub.example.net"), "domain(.sub.example.net)" },
	{ ours, STRANGER, TO("c", "a.b.sub.example.net"), "domain(.sub.example.net)" },
	{ ours, STRANGER, TO("c", "sub.example.net"), "denied(not a domain of ours)" },
	{ ours, STRANGER, TO("c", "xsub.example.net"), "denied(not a domain of ours)" },
	{ ours, STRANGER, TO("c", "com"), "denied(not a domain of ours)" },
	{ ours, STRANGER, TO("c", "[192.0.2.25]"), "domain([192.0.2.25])" },
	{ ours, STRANGER, TO("c", "[192.0.2.2]"), "denied(not a domain of ours)" },
	/* what the backend might send on */
	{ ours, STRANGER, ROUTING("c%elsewhere.test", "example.com"),
	    "denied(an address that could be sent on)" },
	{ ours, STRANGER, ROUTING("\"c@elsewhere.test\"", "example.com"),
	    "denied(an address that could be sent on)" },
	{ ours, NEIGHBOUR, ROUTING("c%elsewhere.test", "example.com"), "network(test.yaml:1)" },
	{ ours, USER, ROUTING("elsewhere.test!c", "example.com"), "auth(alice)" },
	/* domain first, then network, auth; TLS alone is no ground */
	{ ours, NEIGHBOUR, TO("c", "example.com"), "domain(example.com)" },
	{ ours, NEIGHBOUR, TO("c", "elsewhere.test"), "network(test.yaml:1)" },
	{ ours, "10.1.2.3", "alice", true, TO("c", "elsewhere.test"), "network(test.yaml:1)" },
	{ ours, "11.1.2.3", NULL, false, TO("c", "elsewhere.test"),
	    "denied(not a domain of ours)" },
	{ ours, "2001:db8::1", NULL, false, TO("c", "elsewhere.test"), "network(test.yaml:1)" },
	{ ours, "::ffff:10.0.0.1", NULL, false, TO("c", "elsewhere.test"), "network(test.yaml:1)" },
	{ ours, USER, TO("c", "elsewhere.test"), "auth(alice)" },
	{ ours, "198.51.100.9", "alice", true, TO("c", "elsewhere.test"), "auth(alice)" },
	/* without a domain */
	{ ours, STRANGER, { "Postmaster", "Postmaster", "", false }, "domain(postmaster)" },
	{ ours, STRANGER, { "root", "root", "", false }, "denied(not a domain of ours)" },
	{ "", STRANGER, { "postmaster", "postmaster", "", false }, "denied(not a domain of ours)" },
	{ "{ networks: 10.0.0.0/8 }", STRANGER, { "postmaster", "postmaster", "", false },
	    "denied(not a domain of ours)" },
	/* nothing is configured */
	{ "", STRANGER, TO("c", "example.com"), "denied(not a domain of ours)" },
	{ "", NEIGHBOUR, TO("c", "example.com"), "denied(not a domain of ours)" },
	{ "", "127.0.0.1", NULL, false, TO("c", "example.com"), "denied(not a domain of ours)" },
	{ "", USER, TO("c", "example.com"), "auth(alice)" },
};

static void
relay_begin(struct play *play, struct arena *arena, const struct relay_case *one)
{
	static const struct address from = { "a@example.com", "a", "example.com", false };
	const struct pipeline_row rows[] = {
		{ &relay_filter, play_options_good(arena, &relay_filter, one->yaml) }, { 0 }
	};

	play_begin(play, one->ip, rows, NULL);
	play->client.user = one->user;
	play->client.tls = one->has_tls ? "TLSv1.3" : NULL;
	play_helo(play, "example.com"); /* neither HELO nor sender open anything */
	play_mail(play, from);
	play_rcpt(play, one->recipient);
}

static void
test_grounds(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena *arena = arena_new(1 << 20);
		struct play play;
		char want[200];

		relay_begin(&play, arena, &cases[i]);
		snprintf(want, sizeof(want), "relay.result=%s {recipient=%s}", cases[i].want,
		    cases[i].recipient.text);
		assert_string_equal(play_facts(&play), want);
		play_end(&play);
		arena_free(arena);
	}
}

/* With a policy that accepts everything, the fact alone decides at RCPT. */
static void
test_with_policy(void **state)
{
	const struct rule rules[] = { { "everybody", .action = ACCEPT }, { 0 } };
	const struct policy policy = { .rules = rules };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena *arena = arena_new(1 << 20);
		bool is_denied = strncmp(cases[i].want, "denied", 6) == 0;
		struct verdict verdict;
		struct play play;

		relay_begin(&play, arena, &cases[i]);
		assert_int_equal(policy_judge(&policy, play.scope->mail.evidence, POINT_RCPT,
				     &play.recipient, "*:25", &verdict),
		    JUDGED);
		assert_int_equal(verdict.action, is_denied ? REJECT : ACCEPT);
		play_end(&play);
		arena_free(arena);
	}
}

/* What one recipient is granted says nothing of the next. */
static void
test_two_recipients(void **state)
{
	const struct relay_case one = { ours, STRANGER, TO("c", "example.com"), "" };
	const struct address other = TO("c", "elsewhere.test");
	const struct rule rules[] = { { 0 } };
	const struct policy policy = { .rules = rules };
	struct arena *arena = arena_new(1 << 20);
	struct verdict verdict;
	struct play play;

	(void)state;
	relay_begin(&play, arena, &one);
	play.scope = play.scope->parent;
	play_rcpt(&play, other);
	assert_int_equal(policy_judge(&policy, play.scope->mail.evidence, POINT_RCPT,
			     &play.recipient, "*:25", &verdict),
	    JUDGED);
	assert_ptr_equal(verdict.rule, &policy_relay_rule);
	play_end(&play);
	arena_free(arena);
}

static void
test_bad_options(void **state)
{
	static const char *const bad[] = { "domains: [ [ a ] ]", "domains: { a: b }",
		"networks: [ 10.0.0.1/8 ]", "domain: example.com" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct arena *arena = arena_new(1 << 20);
		struct faults faults;

		assert_null(play_options(arena, &relay_filter, bad[i], &faults));
		assert_int_equal(faults.count, 1);
		assert_int_equal(faults.kept[0].line, 1);
		arena_free(arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grounds),
		cmocka_unit_test(test_with_policy),
		cmocka_unit_test(test_two_recipients),
		cmocka_unit_test(test_bad_options),
	};

	return cmocka_run_group_tests_name("relay", tests, NULL, NULL);
}
