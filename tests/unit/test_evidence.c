/*
 * evidence: what is told is found, once, in its scope; knowledge only grows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "filters/evidence.h"

static const char *const pass[] = { "pass", NULL };
static const char *const pass_or_fail[] = { "pass", "fail", NULL };
static const char *const nothing[] = { NULL };

struct scopes {
	struct arena *arena;
	struct evidence *connection, *helo, *transaction, *one, *two;
};

static int
setup(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	struct scopes *scopes = arena_alloc(arena, sizeof(*scopes));

	scopes->arena = arena;
	scopes->connection = evidence_new(arena, NULL);
	scopes->helo = evidence_new(arena, scopes->connection);
	scopes->transaction = evidence_new(arena, scopes->helo);
	scopes->one = evidence_new(arena, scopes->transaction);
	scopes->two = evidence_new(arena, scopes->transaction);
	*state = scopes;
	return 0;
}

static int
teardown(void **state)
{
	struct scopes *scopes = *state;

	arena_free(scopes->arena);
	return 0;
}

static size_t
count_facts(const struct evidence *innermost)
{
	struct evidence_place place = { 0 };
	size_t count = 0;

	while (evidence_next(innermost, &place) != NULL)
		count++;
	assert_null(evidence_next(innermost, &place));
	return count;
}

static void
test_knowledge_grows(void **state)
{
	struct scopes *s = *state;

	assert_int_equal(evidence_ask(s->one, "spf", "result", MAIL, pass), LATER);
	evidence_begin(s->transaction, "spf", MAIL);
	assert_int_equal(evidence_ask(s->one, "spf", "result", MAIL, pass), PENDING);
	assert_int_equal(evidence_ask(s->one, "spf", "result", END, pass), LATER);
	assert_int_equal(evidence_ask(s->one, "dkim", "result", MAIL, pass), LATER);
	assert_int_equal(evidence_ask(s->helo, "spf", "result", MAIL, pass), LATER);
	evidence_add(s->transaction, "spf", "result", "fail", "-all");
	assert_int_equal(evidence_ask(s->one, "spf", "result", MAIL, pass), PENDING);
	assert_int_equal(evidence_ask(s->one, "spf", "result", MAIL, pass_or_fail), YES);
	evidence_over(s->transaction, "spf", MAIL);
	assert_int_equal(evidence_ask(s->one, "spf", "result", MAIL, pass), NO);
	assert_int_equal(evidence_ask(s->one, "spf", "result", MAIL, pass_or_fail), YES);
	assert_int_equal(evidence_ask(s->one, "spf", "helo", MAIL, pass), NO);
	assert_int_equal(evidence_ask(s->one, "spf", "result", MAIL, nothing), NO);
}

static void
test_stages_of_one_filter(void **state)
{
	struct scopes *s = *state;

	evidence_begin(s->transaction, "dkim", HEADERS);
	evidence_begin(s->transaction, "dkim", END);
	evidence_over(s->transaction, "dkim", HEADERS);
	assert_int_equal(evidence_ask(s->one, "dkim", "key", HEADERS, pass), NO);
	assert_int_equal(evidence_ask(s->one, "dkim", "result", END, pass), PENDING);
	assert_int_equal(evidence_ask(s->one, "dkim", "x", MAIL, pass), LATER);
	evidence_over(s->transaction, "dkim", END);
	assert_int_equal(evidence_ask(s->one, "dkim", "result", END, pass), NO);
}

static void
test_single_key(void **state)
{
	struct scopes *s = *state;

	evidence_begin(s->connection, "dnsbl", CONNECT);
	evidence_add(s->connection, "dnsbl", "zen", "none", "");
	evidence_finish(s->connection, "dnsbl", "zen");
	evidence_finish(s->connection, "dnsbl", "zen");
	assert_int_equal(evidence_ask(s->one, "dnsbl", "zen", CONNECT, pass), NO);
	assert_int_equal(evidence_ask(s->one, "dnsbl", "bl", CONNECT, pass), PENDING);
	evidence_finish(s->connection, "dnsbl", "bl");
	assert_int_equal(evidence_ask(s->one, "dnsbl", "bl", CONNECT, pass), NO);
	assert_int_equal(evidence_ask(s->one, "dnsbl", "xx", CONNECT, pass), PENDING);
}

/* What was finished stays so when a later stage of the filter begins. */
static void
test_single_key_in_outer_scope(void **state)
{
	struct scopes *s = *state;

	evidence_begin(s->connection, "spf", CONNECT);
	evidence_finish(s->connection, "spf", "helo");
	assert_int_equal(evidence_ask(s->connection, "spf", "helo", MAIL, pass), NO);
	evidence_begin(s->transaction, "spf", MAIL);
	assert_int_equal(evidence_ask(s->one, "spf", "helo", MAIL, pass), NO);
	assert_int_equal(evidence_ask(s->one, "spf", "result", MAIL, pass), PENDING);
}

static void
test_scopes(void **state)
{
	struct scopes *s = *state;

	evidence_begin(s->one, "relay", RCPT);
	evidence_add(s->one, "relay", "result", "pass", "");
	assert_int_equal(evidence_ask(s->one, "relay", "result", RCPT, pass), YES);
	assert_int_equal(evidence_ask(s->two, "relay", "result", RCPT, pass), LATER);
	assert_int_equal(evidence_ask(s->transaction, "relay", "result", RCPT, pass), LATER);
	evidence_over(s->one, "relay", RCPT);
	assert_int_equal(evidence_ask(s->two, "relay", "result", RCPT, pass), LATER);
	evidence_begin(s->two, "relay", RCPT);
	assert_int_equal(evidence_ask(s->two, "relay", "result", RCPT, pass), PENDING);
}

/* The same filter has stages in several scopes; a later scope's end says nothing of an earlier. */
static void
test_filter_in_two_scopes(void **state)
{
	struct scopes *s = *state;

	evidence_begin(s->connection, "x", CONNECT);
	evidence_begin(s->transaction, "x", MAIL);
	evidence_over(s->transaction, "x", MAIL);
	assert_int_equal(evidence_ask(s->one, "x", "a", CONNECT, pass), PENDING);
	assert_int_equal(evidence_ask(s->one, "x", "a", MAIL, pass), NO);
	evidence_over(s->connection, "x", CONNECT);
	assert_int_equal(evidence_ask(s->one, "x", "a", CONNECT, pass), NO);
}

static void
test_told_once(void **state)
{
	struct scopes *s = *state;
	const struct about a[] = { { "list", "zen" }, { "bits", "2048" }, { 0 } };
	const struct about b[] = { { "list", "zen" }, { 0 } };

	for (int i = 0; i < 3; i++) {
		evidence_add(s->connection, "f", "key", "pass", "first");
		evidence_add(s->connection, "f", "key", "fail", NULL);
		evidence_add_about(s->connection, "f", "key", "pass", "about a", a);
		evidence_add_about(s->connection, "f", "key", "pass", "about b", b);
		evidence_add(s->connection, "g", "key", "pass", "");
	}
	assert_int_equal(count_facts(s->connection), 5);
	evidence_add(s->one, "f", "key", "pass", "inner");
	assert_int_equal(count_facts(s->one), 6);
	assert_string_equal(evidence_find(s->one, "f", "key")->detail, "inner");
	assert_string_equal(evidence_find(s->two, "f", "key")->detail, "first");
	assert_null(evidence_find(s->one, "f", "other"));
	assert_null(evidence_find(s->one, "h", "key"));
}

static void
test_asking_again_costs_no_memory(void **state)
{
	struct scopes *s = *state;
	const struct about about[] = { { "list", "zen" }, { 0 } };
	size_t before = 0;

	for (int i = 0; i < 2000; i++) {
		evidence_begin(s->connection, "f", CONNECT);
		evidence_add(s->connection, "f", "key", "pass", "first");
		evidence_add_about(s->connection, "f", "key", "pass", "", about);
		evidence_finish(s->connection, "f", "key");
		if (i == 0)
			before = arena_size(s->arena);
	}
	assert_int_equal(arena_size(s->arena), before);
}

static void
test_copies(void **state)
{
	struct scopes *s = *state;
	char value[] = "pass", detail[] = "detail", list[] = "zen", name[] = "list";
	const struct about about[] = { { name, list }, { 0 } };

	evidence_add_about(s->connection, "f", "key", value, detail, about);
	value[0] = detail[0] = list[0] = name[0] = 'X';
	const struct fact *fact = evidence_find(s->connection, "f", "key");

	assert_string_equal(fact->value, "pass");
	assert_string_equal(fact->detail, "detail");
	assert_string_equal(fact->about[0].name, "list");
	assert_string_equal(fact->about[0].value, "zen");
	assert_null(fact->about[1].name);
}

/* Names that are equal but at another address are the same. */
static void
test_names(void **state)
{
	struct scopes *s = *state;
	char filter[] = "spf", key[] = "result";

	evidence_begin(s->transaction, filter, MAIL);
	evidence_add(s->transaction, filter, key, "pass", "");
	assert_int_equal(evidence_ask(s->one, "spf", "result", MAIL, pass), YES);
	evidence_over(s->transaction, "spf", MAIL);
	assert_int_equal(evidence_ask(s->one, "spf", "other", MAIL, pass), NO);
	assert_int_equal(evidence_ask(s->one, "spf", "resul", MAIL, pass), NO);
}

/* The connection's first, then inwards; empty scopes between do not end the walk. */
static void
test_order(void **state)
{
	struct scopes *s = *state;
	struct evidence_place place = { 0 };
	char got[64] = "";

	assert_int_equal(count_facts(s->one), 0);
	evidence_add(s->one, "f", "d", "v", "");
	evidence_add(s->transaction, "f", "b", "v", "");
	evidence_add(s->transaction, "f", "c", "v", "");
	evidence_add(s->two, "f", "never", "v", "");
	evidence_add(s->connection, "f", "a", "v", "");
	for (const struct fact *fact; (fact = evidence_next(s->one, &place)) != NULL;)
		strcat(got, fact->key);
	assert_string_equal(got, "abcd");
}

static void
test_timing(void **state)
{
	struct scopes *s = *state;

	evidence_begin(s->connection, "f", CONNECT);
	evidence_add(s->connection, "f", "a", "v", "");
	assert_true(evidence_find(s->connection, "f", "a")->ms >= 0);
	assert_true(evidence_find(s->connection, "f", "a")->ms < 1000);
	evidence_add(s->connection, "nobody", "a", "v", "");
	assert_true(evidence_find(s->connection, "nobody", "a")->ms <= 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_knowledge_grows),
		TEST(test_stages_of_one_filter),
		TEST(test_single_key),
		TEST(test_single_key_in_outer_scope),
		TEST(test_scopes),
		TEST(test_filter_in_two_scopes),
		TEST(test_told_once),
		TEST(test_asking_again_costs_no_memory),
		TEST(test_copies),
		TEST(test_names),
		TEST(test_order),
		TEST(test_timing),
	};

	return cmocka_run_group_tests_name("evidence", tests, NULL, NULL);
}
