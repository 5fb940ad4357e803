/*
 * rate: what is counted, when it is known, and whose counts are one.
 */
#include "tests/unit/play.h"

#include <stdlib.h>

#include "filters/registry.h"

static struct tally tally;
static struct pipeline_host host = { .host = { .tally = &tally } };

static const struct address sender = {
	.text = "A@Example.org", .local = "A", .domain = "example.org"
};
static const struct address other = {
	.text = "b@example.org", .local = "b", .domain = "example.org"
};
static const struct address nobody = { .text = "", .local = "", .domain = "" };
static const struct address recipient = {
	.text = "c@example.com", .local = "c", .domain = "example.com"
};

/* A session: what is known after each stage. */
struct visit {
	const char *ip;
	const struct address *from;
	const char *user;
	unsigned recipients;
};

static const char *
visit(const char *yaml, const struct visit *visit, struct arena *arena)
{
	const struct pipeline_row rows[] = {
		{ &rate_filter, play_options_good(arena, &rate_filter, yaml) }, { 0 }
	};
	struct play play;

	play_begin_with(&play, visit->ip, rows, NULL, &host);
	play_helo(&play, "there");
	play.client.user = visit->user;
	play_mail(&play, *visit->from);
	struct scope *transaction = play.scope;

	for (unsigned i = 0; i < visit->recipients; i++) {
		play.scope = transaction;
		play_rcpt(&play, recipient);
	}
	const char *facts = arena_strdup(arena, play_facts(&play));

	play_end(&play);
	return facts;
}

static void
assert_visits(const char *yaml, const struct visit *visits, size_t count, const char *want)
{
	struct arena *arena = arena_new(1 << 20);
	const char *facts = "";

	memset(&tally, 0, sizeof(tally));
	for (size_t i = 0; i < count; i++)
		facts = visit(yaml, &visits[i], arena);
	if (strcmp(facts, want) != 0)
		fail_msg("%s\nis:       %s\nexpected: %s", yaml, facts, want);
	arena_free(arena);
}

static void
test_keys(void **state)
{
	static const struct visit near[] = { { "192.0.2.1", &sender, "U", 1 },
		{ "192.0.2.1", &other, "u", 1 }, { "192.0.2.2", &nobody, NULL, 2 },
		{ "192.0.2.1", &sender, "u", 1 } };
	static const struct visit six[] = { { "2001:db8:1:2::1", &sender, NULL, 1 },
		{ "2001:db8:1:3::1", &sender, NULL, 1 }, { "2001:db8:1:2::9", &sender, NULL, 1 } };

	(void)state;
	assert_visits(
	    "limits: [ { name: x, key: client, count: connections, most: 3, within: 10m } ]", near,
	    4, "rate.x=under(3 of 3 connections within 600s by 192.0.2.1/32)");
	assert_visits(
	    "limits: [ { name: x, key: network, count: connections, most: 3, within: 10m } ]", near,
	    4, "rate.x=over(4 of 3 connections within 600s by 192.0.2.0/24)");
	assert_visits("limits: [ { name: x, key: sender, count: messages, most: 1, within: 1h } ]",
	    near, 4, "rate.x=over(2 of 1 messages within 3600s by a@example.org)");
	assert_visits(
	    "limits: [ { name: x, key: sender_domain, count: messages, most: 3, within: 1h } ]",
	    near, 4, "rate.x=under(3 of 3 messages within 3600s by example.org)");
	assert_visits("limits: [ { name: x, key: sender, count: messages, most: 1, within: 1h } ]",
	    near, 3, "rate.x=under(nobody to count)");
	assert_visits("limits: [ { name: x, key: user, count: recipients, most: 9, within: 1d } ]",
	    near, 4, "rate.x=under(3 of 9 recipients within 86400s by u)");
	assert_visits(
	    "limits: [ { name: x, key: client, count: recipients, most: 1, within: 1d } ]", near, 3,
	    "rate.x=over(2 of 1 recipients within 86400s by 192.0.2.2/32)");
	assert_visits("limits: [ { name: x, key: client, count: messages, most: 9, within: 1d } ]",
	    six, 3, "rate.x=under(2 of 9 messages within 86400s by 2001:db8:1:2::/64)");
	assert_visits("limits: [ { name: x, key: network, count: messages, most: 9, within: 1d } ]",
	    six, 3, "rate.x=under(3 of 9 messages within 86400s by 2001:db8:1::/48)");
	/* Limits are counted apart. */
	assert_visits("limits: [ { name: x, key: client, count: messages, most: 9, within: 1d },\n"
		      "          { name: y, key: client, count: messages, most: 1, within: 1d } ]",
	    six, 3,
	    "rate.x=under(2 of 9 messages within 86400s by 2001:db8:1:2::/64) "
	    "rate.y=over(2 of 1 messages within 86400s by 2001:db8:1:2::/64)");
}

/* A connection's count is known before the greeting, and so may speak at once. */
static void
test_stages(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	const void *options = play_options_good(arena, &rate_filter,
	    "limits: [ { name: a, key: client, count: connections, most: 1, within: 10m },\n"
	    "          { name: b, key: client, count: messages, most: 1, within: 10m },\n"
	    "          { name: c, key: client, count: recipients, most: 1, within: 10m } ]");
	const struct pipeline_row rows[] = { { &rate_filter, options }, { 0 } };
	static const char *const over[] = { "over", NULL };
	struct play play;

	(void)state;
	assert_int_equal(rate_filter.named_stage_of(options, "a"), CONNECT);
	assert_int_equal(rate_filter.named_stage_of(options, "b"), MAIL);
	assert_int_equal(rate_filter.named_stage_of(options, "c"), RCPT);
	assert_string_equal(rate_filter.named_values(options, "a"), "under over error");
	assert_null(rate_filter.named_values(options, "d"));
	play_begin_with(&play, "192.0.2.1", rows, NULL, &host);
	struct evidence *evidence = play.scope->mail.evidence;

	assert_int_equal(evidence_ask(evidence, "rate", "a", CONNECT, over), NO);
	assert_int_equal(evidence_ask(evidence, "rate", "b", MAIL, over), LATER);
	play_end(&play);
	/* Nobody counts where no worker is. */
	play_begin(&play, "192.0.2.1", rows, NULL);
	assert_string_equal(play_facts(&play), "rate.a=error(no counters)");
	play_end(&play);
	arena_free(arena);
}

static void
test_bad_options(void **state)
{
	static const char *const bad[] = { "", "limits: []",
		"limits: [ { name: a, key: client, count: connections, most: 1 } ]",
		"limits: [ { name: a, key: client, count: connections, most: 0, within: 1m } ]",
		"limits: [ { name: a, key: client, count: connections, most: 1, within: 0s } ]",
		"limits: [ { name: a, key: client, count: connections, most: 1, within: 8d } ]",
		"limits: [ { name: 'a b', key: client, count: messages, most: 1, within: 1m } ]",
		"limits: [ { name: a, key: clients, count: messages, most: 1, within: 1m } ]",
		"limits: [ { name: a, key: sender, count: connections, most: 1, within: 1m } ]",
		"limits: [ { name: a, key: user, count: connections, most: 1, within: 1m } ]",
		"limits: [ { name: a, key: client, count: messages, most: 1, within: 1m },\n"
		"          { name: a, key: user, count: messages, most: 1, within: 1m } ]" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct arena *arena = arena_new(1 << 20);
		struct faults faults;
		const struct node *section;
		struct option_reader reader = { .arena = arena, .faults = &faults };
		void *options = play_options(arena, &rate_filter, bad[i], &faults);

		if (options != NULL) {
			section = yaml_read(arena, "test.yaml", slice_of(bad[i]), NULL, &faults);
			rate_filter.complete(&reader, section, options);
		}
		if (faults.count == 0)
			fail_msg("no fault: %s", bad[i]);
		arena_free(arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_stages),
		cmocka_unit_test(test_bad_options),
	};

	return cmocka_run_group_tests_name("rate", tests, NULL, NULL);
}
