/*
 * spf: the filter's facts, with the answers in every order and a failure of each; the limits;
 * what is asked at once; evaluations made at random against a plain one.
 */
#include "tests/unit/play.h"

#include <stdlib.h>

#include "filters/registry.h"
#include "tests/unit/spf_compare.h"

enum { ROWS = 7, EVALUATIONS = 1500, RUNS = 1000 };

struct spf_case {
	const char *title;
	const char *client, *helo, *local, *domain;
	struct dns_row rows[ROWS + 1];
	const char *want;
	const char *options; /* NULL: the fallbacks */
};

#define CLIENT "192.0.2.1"
#define HELO_FACT "spf.helo=none(h.test has no SPF record) {identity=helo} {domain=h.test} "
#define HELO_ROW                                                                                   \
	{                                                                                          \
		DNS_TXT, "h.test", DNS_NO_NAME                                                     \
	}
#define RESULT(value, detail, term)                                                                \
	HELO_FACT "spf.result=" value "(" detail ") {identity=mailfrom} {domain=o.test}" term

static const struct spf_case cases[] = {
	{ "pass", CLIENT, "h.test", "a", "o.test",
	    { HELO_ROW, { DNS_TXT, "o.test", DNS_OK, { "v=spf1 a -all" } },
		{ DNS_A, "o.test", DNS_OK, { "192.0.2.9", CLIENT } } },
	    RESULT("pass", "a of o.test", " {term=a}") },
	{ "fail", CLIENT, "h.test", "a", "o.test",
	    { HELO_ROW, { DNS_TXT, "o.test", DNS_OK, { "text", "v=spf1 a -all" } },
		{ DNS_A, "o.test", DNS_NO_DATA } },
	    RESULT("fail", "-all of o.test", " {term=-all}") },
	{ "softfail of a network", CLIENT, "h.test", "a", "o.test",
	    { HELO_ROW, { DNS_TXT, "o.test", DNS_OK, { "v=spf1 ~ip4:192.0.2.0/24 +all" } } },
	    RESULT("softfail", "~ip4:192.0.2.0/24 of o.test", " {term=~ip4:192.0.2.0/24}") },
	{ "neutral by a term", CLIENT, "h.test", "a", "o.test",
	    { HELO_ROW, { DNS_TXT, "o.test", DNS_OK, { "v=spf1 ?all" } } },
	    RESULT("neutral", "?all of o.test", " {term=?all}") },
	{ "neutral by none", CLIENT, "h.test", "a", "o.test",
	    { HELO_ROW, { DNS_TXT, "o.test", DNS_OK, { "v=spf1 ip4:192.0.2.2" } } },
	    RESULT("neutral", "no term of o.test matches", "") },
	{ "none", CLIENT, "h.test", "a", "o.test",
	    { HELO_ROW, { DNS_TXT, "o.test", DNS_OK, { "v=spf10 -all", "spf2.0/pra" } } },
	    RESULT("none", "o.test has no SPF record", "") },
	{ "a fault in the record", CLIENT, "h.test", "a", "o.test",
	    { HELO_ROW, { DNS_TXT, "o.test", DNS_OK, { "v=spf1 +all -al" } } },
	    RESULT("permerror", "record of o.test: no term of SPF: -al", "") },
	{ "two records", CLIENT, "h.test", "a", "o.test",
	    { HELO_ROW, { DNS_TXT, "o.test", DNS_OK, { "v=spf1 +all", "V=SPF1 +all" } } },
	    RESULT("permerror", "o.test has two SPF records", "") },
	{ "an include", CLIENT, "h.test", "a", "o.test",
	    { HELO_ROW, { DNS_TXT, "o.test", DNS_OK, { "v=spf1 include:i.test mx -all" } },
		{ DNS_TXT, "i.test", DNS_OK, { "v=spf1 a:a.test -all" } },
		{ DNS_A, "a.test", DNS_OK, { CLIENT } }, { DNS_MX, "o.test", DNS_NO_DATA } },
	    RESULT("pass", "include:i.test of o.test", " {term=include:i.test}") },
	{ "an include that says no", CLIENT, "h.test", "a", "o.test",
	    { HELO_ROW, { DNS_TXT, "o.test", DNS_OK, { "v=spf1 include:i.test mx ~all" } },
		{ DNS_TXT, "i.test", DNS_OK, { "v=spf1 a:a.test -all" } },
		{ DNS_A, "a.test", DNS_OK, { "192.0.2.2" } },
		{ DNS_MX, "o.test", DNS_OK, { "20 a.test", "10 m.test" } },
		{ DNS_A, "m.test", DNS_OK, { CLIENT } } },
	    RESULT("pass", "mx of o.test", " {term=mx}") },
	{ "an include without a record", CLIENT, "h.test", "a", "o.test",
	    { HELO_ROW, { DNS_TXT, "o.test", DNS_OK, { "v=spf1 include:i.test +all" } },
		{ DNS_TXT, "i.test", DNS_NO_NAME } },
	    RESULT("permerror", "include:i.test of o.test: i.test has no SPF record", "") },
	{ "a redirect", CLIENT, "h.test", "a", "o.test",
	    { HELO_ROW, { DNS_TXT, "o.test", DNS_OK, { "v=spf1 redirect=r.test exp=no.test" } },
		{ DNS_TXT, "r.test", DNS_OK, { "v=spf1 -exists:%{l}.%{d} exp=e.%{d}" } },
		{ DNS_A, "a.r.test", DNS_OK, { "127.0.0.1" } },
		{ DNS_TXT, "e.r.test", DNS_OK, { "go to %{d}" } } },
	    RESULT("fail", "-exists:%{l}.%{d} of r.test",
		" {term=-exists:%{l}.%{d}}") " spf.exp=given(r.test explains: go to r.test) "
					     "{identity=mailfrom}" },
	{ "ptr, one of two names", CLIENT, "h.test", "a", "o.test",
	    { HELO_ROW, { DNS_TXT, "o.test", DNS_OK, { "v=spf1 ptr -all" } },
		{ DNS_PTR, "1.2.0.192.in-addr.arpa", DNS_OK, { "m.o.test", "x.test" } },
		{ DNS_A, "m.o.test", DNS_OK, { CLIENT } }, { DNS_A, "x.test", DNS_FAILED } },
	    RESULT("pass", "ptr of o.test", " {term=ptr}") },
	{ "ptr that is not found out", CLIENT, "h.test", "a", "o.test",
	    { HELO_ROW, { DNS_TXT, "o.test", DNS_OK, { "v=spf1 ptr -all" } },
		{ DNS_PTR, "1.2.0.192.in-addr.arpa", DNS_FAILED } },
	    RESULT("fail", "-all of o.test", " {term=-all}") },
	{ "the client's name in a macro", CLIENT, "h.test", "a", "o.test",
	    { HELO_ROW, { DNS_TXT, "o.test", DNS_OK, { "v=spf1 exists:%{p}.l.test -all" } },
		{ DNS_PTR, "1.2.0.192.in-addr.arpa", DNS_OK, { "x.test", "m.o.test" } },
		{ DNS_A, "m.o.test", DNS_OK, { CLIENT } }, { DNS_A, "x.test", DNS_OK, { CLIENT } },
		{ DNS_A, "m.o.test.l.test", DNS_OK, { "127.0.0.2" } } },
	    RESULT("pass", "exists:%{p}.l.test of o.test", " {term=exists:%{p}.l.test}") },
	{ "IPv6", "2001:db8::5", "h.test", "a", "o.test",
	    { HELO_ROW,
		{ DNS_TXT, "o.test", DNS_OK, { "v=spf1 ip4:0.0.0.0/0 a:a.test/0//64 -all" } },
		{ DNS_AAAA, "a.test", DNS_OK, { "2001:db8::6" } } },
	    RESULT("pass", "a:a.test/0//64 of o.test", " {term=a:a.test/0//64}") },
	{ "IPv4 in IPv6 is IPv4", "::ffff:192.0.2.1", "h.test", "a", "o.test",
	    { HELO_ROW, { DNS_TXT, "o.test", DNS_OK, { "v=spf1 ip6:::/0 ip4:192.0.2.1 -all" } } },
	    RESULT("pass", "ip4:192.0.2.1 of o.test", " {term=ip4:192.0.2.1}") },
	{ "a prefix of no bits", CLIENT, "h.test", "a", "o.test",
	    { HELO_ROW, { DNS_TXT, "o.test", DNS_OK, { "v=spf1 mx/0 -all" } },
		{ DNS_MX, "o.test", DNS_OK, { "1 m.test" } },
		{ DNS_A, "m.test", DNS_OK, { "203.0.113.1" } } },
	    RESULT("pass", "mx/0 of o.test", " {term=mx/0}") },
	{ "a name that is none is no void", CLIENT, "h.test", "a", "o.test",
	    { HELO_ROW,
		{ DNS_TXT, "o.test", DNS_OK,
		    { "v=spf1 a:a..test a:.test a:%{l}..b.test mx:c..d -all" } } },
	    RESULT("fail", "-all of o.test", " {term=-all}") },
	{ "null sender", CLIENT, "h.test", "", "",
	    { { DNS_TXT, "h.test", DNS_OK, { "v=spf1 a -all exp=e.test" } },
		{ DNS_A, "h.test", DNS_NO_DATA }, { DNS_TXT, "e.test", DNS_OK, { "%{s}" } } },
	    "spf.helo=fail(-all of h.test) {identity=helo} {domain=h.test} {term=-all} "
	    "spf.exp=given(h.test explains: postmaster@h.test) {identity=helo} "
	    "spf.result=fail(-all of h.test) {identity=helo} {domain=h.test} {term=-all}" },
	{ "a literal and a lone label", CLIENT, "[192.0.2.1]", "a", "localhost", { { 0 } },
	    "spf.helo=none(not a domain name) {identity=helo} {domain=[192.0.2.1]} "
	    "spf.result=none(not a domain name) {identity=mailfrom} {domain=localhost}" },
	{ "a domain of other letters", CLIENT, "h.test.", "a",
	    "b\xc3\xbc"
	    "cher.test",
	    { HELO_ROW, { DNS_TXT, "xn--bcher-kva.test", DNS_OK, { "v=spf1 a -a:%{o}.a.test" } },
		{ DNS_A, "xn--bcher-kva.test", DNS_NO_DATA },
		{ DNS_A, "xn--bcher-kva.test.a.test", DNS_OK, { CLIENT } } },
	    "spf.helo=none(h.test has no SPF record) {identity=helo} {domain=h.test.} "
	    "spf.result=fail(-a:%{o}.a.test of xn--bcher-kva.test) {identity=mailfrom} "
	    "{domain=b\xc3\xbc"
	    "cher.test} {term=-a:%{o}.a.test}" },
	{ "a domain of letters that no domain has", CLIENT, "h.test", "a", "b\xff.test",
	    { HELO_ROW },
	    HELO_FACT
	    "spf.result=none(not a domain name) {identity=mailfrom} {domain=b\\xff.test}" },
	{ "no explanation wanted", CLIENT, "h.test", "a", "o.test",
	    { HELO_ROW, { DNS_TXT, "o.test", DNS_OK, { "v=spf1 -all exp=e.test" } } },
	    RESULT("fail", "-all of o.test", " {term=-all}"), "exp: no" },
	{ "an explanation that is not found out", CLIENT, "h.test", "a", "o.test",
	    { HELO_ROW, { DNS_TXT, "o.test", DNS_OK, { "v=spf1 -all exp=e.test" } },
		{ DNS_TXT, "e.test", DNS_FAILED } },
	    RESULT("fail", "-all of o.test", " {term=-all}") },
	{ "more names without a record than one may have", CLIENT, "h.test", "a", "o.test",
	    { HELO_ROW, { DNS_TXT, "o.test", DNS_OK, { "v=spf1 a:b.test exists:c.test +all" } },
		{ DNS_A, "b.test", DNS_NO_NAME }, { DNS_A, "c.test", DNS_NO_DATA } },
	    RESULT("permerror",
		"exists:c.test of o.test: c.test is one more than the 1 names that may have no "
		"record",
		""),
	    "void_lookups: 1" },
	{ "more terms than one may have", CLIENT, "h.test", "a", "o.test",
	    { HELO_ROW, { DNS_TXT, "o.test", DNS_OK, { "v=spf1 a:b.test include:i.test +all" } },
		{ DNS_A, "b.test", DNS_OK, { "192.0.2.2" } },
		{ DNS_TXT, "i.test", DNS_OK, { "v=spf1 a:b.test -all" } } },
	    RESULT("permerror", "a:b.test of i.test is one more than the 2 terms that may ask DNS",
		""),
	    "terms: 2" },
	{ "odd bytes", CLIENT, "h.test", "\"a\xc3\xa4\\\x01\"", "o.test",
	    { HELO_ROW, { DNS_TXT, "o.test", DNS_OK, { "v=spf1 exists:%{l}.b.test -a:%{h} ?all" } },
		{ DNS_A, "h.test", DNS_OK, { CLIENT } } },
	    RESULT("fail", "-a:%{h} of o.test", " {term=-a:%{h}}") },
};

static size_t
row_count(const struct dns_row *rows)
{
	size_t count = 0;

	while (rows[count].name != NULL)
		count++;
	return count;
}

static void
spf_begin(struct play *play, const struct spf_case *one, const struct dns_row *rows)
{
	struct arena *arena = arena_new(1 << 20);
	const struct pipeline_row pipeline[] = {
		{ &spf_filter,
		    play_options_good(
			arena, &spf_filter, one->options != NULL ? one->options : "") },
		{ 0 }
	};

	play_begin(play, one->client, pipeline, rows);
	arena_defer(play->arena, (arena_undo)arena_free, arena);
	play_helo(play, one->helo);
	play_mail(play, (struct address) { .local = one->local, .domain = one->domain });
}

static void
play_case(const size_t *order, const void *arg)
{
	const struct spf_case *one = arg;
	const char *any[] = { NULL };
	struct play play;

	spf_begin(&play, one, one->rows);
	for (size_t i = 0; i < row_count(one->rows); i++)
		play_answer(&play, order[i]);
	assert_string_equal(play_facts(&play), one->want);
	assert_false(scope_waits(play.scope));
	assert_int_equal(evidence_ask(play.scope->mail.evidence, "spf", "result", MAIL, any), NO);
	assert_int_equal(evidence_ask(play.scope->mail.evidence, "spf", "helo", HELO, any), NO);
	play_end(&play);
}

static void
test_every_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		play_orders(row_count(cases[i].rows), play_case, &cases[i]);
}

/* Nothing is told of an identity before all is known. */
static void
play_leaving(const size_t *order, const void *arg)
{
	const struct spf_case *one = arg;
	size_t count = row_count(one->rows);

	for (size_t leaves = 0; leaves < count; leaves++) {
		struct play play;

		spf_begin(&play, one, one->rows);
		for (size_t i = 0; i < leaves; i++)
			play_answer(&play, order[i]);
		if (scope_waits(play.scope))
			assert_null(evidence_find(play.scope->mail.evidence, "spf", "result"));
		play_end(&play);
	}
}

static void
test_client_leaves(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (row_count(cases[i].rows) < 5)
			play_orders(row_count(cases[i].rows), play_leaving, &cases[i]);
}

/*
 * Each question in turn fails: then the result is temperror, if it hung on that answer, or what
 * it was; never another one. ptr and the client's name are as if they had no record.
 */
static void
test_each_fails(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t failing = 1; failing < row_count(cases[i].rows); failing++) {
			struct dns_row rows[ROWS + 1];
			struct play play;

			memcpy(rows, cases[i].rows, sizeof(rows));
			rows[failing].state = DNS_FAILED;
			rows[failing].why = "time limit";
			memset(rows[failing].records, 0, sizeof(rows[failing].records));
			spf_begin(&play, &cases[i], rows);
			dns_fake_allow_unknown(play.fake);
			dns_fake_release_all(play.fake);
			play_turn(&play);
			const struct fact *fact =
			    evidence_find(play.scope->mail.evidence, "spf", "result");

			assert_non_null(fact);
			if (strcmp(fact->value, "temperror") == 0)
				assert_non_null(strstr(fact->detail, "time limit"));
			else if (strstr(cases[i].title, "name") == NULL &&
			    strstr(cases[i].title, "ptr") == NULL)
				assert_non_null(strstr(cases[i].want,
				    arena_format(play.arena, "spf.result=%s(%s)", fact->value,
					fact->detail)));
			play_end(&play);
		}
}

static void
test_temperror_details(void **state)
{
	static const struct spf_case cases_failing[] = {
		{ "TXT", CLIENT, "h.test", "a", "o.test",
		    { HELO_ROW, { DNS_TXT, "o.test", DNS_FAILED, .why = "time limit" } },
		    RESULT("temperror", "TXT of o.test: time limit", "") },
		{ "include", CLIENT, "h.test", "a", "o.test",
		    { HELO_ROW, { DNS_TXT, "o.test", DNS_OK, { "v=spf1 include:i.test +all" } },
			{ DNS_TXT, "i.test", DNS_FAILED, .why = "servfail" } },
		    RESULT("temperror", "TXT of i.test: servfail", "") },
		{ "A", CLIENT, "h.test", "a", "o.test",
		    { HELO_ROW, { DNS_TXT, "o.test", DNS_OK, { "v=spf1 a:i.test +all" } },
			{ DNS_A, "i.test", DNS_FAILED, .why = "servfail" } },
		    RESULT("temperror", "a:i.test of o.test: A of i.test: servfail", "") },
		{ "MX", CLIENT, "h.test", "a", "o.test",
		    { HELO_ROW, { DNS_TXT, "o.test", DNS_OK, { "v=spf1 mx +all" } },
			{ DNS_MX, "o.test", DNS_FAILED, .why = "servfail" } },
		    RESULT("temperror", "mx of o.test: MX of o.test: servfail", "") },
		{ "host", CLIENT, "h.test", "a", "o.test",
		    { HELO_ROW, { DNS_TXT, "o.test", DNS_OK, { "v=spf1 mx +all" } },
			{ DNS_MX, "o.test", DNS_OK, { "1 i.test" } },
			{ DNS_A, "i.test", DNS_FAILED, .why = "servfail" } },
		    RESULT("temperror", "mx of o.test: A of i.test: servfail", "") },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases_failing) / sizeof(cases_failing[0]); i++)
		play_orders(row_count(cases_failing[i].rows), play_case, &cases_failing[i]);
}

/* All that is known to be needed is asked side by side, through includes; three rounds. */
static void
test_asks_side_by_side(void **state)
{
	static const struct spf_case one = { "", CLIENT, "h.test", "a", "o.test", { { 0 } }, "" };
	static const struct dns_row rows[] = { { DNS_TXT, "o.test", DNS_OK,
						   { "v=spf1 include:a.test include:b.test mx "
						     "ip4:203.0.113.1 exists:%{i}.test "
						     "redirect=c.test" } },
		{ DNS_TXT, "a.test", DNS_OK, { "v=spf1 a:1.test a:2.test -all a:no.test" } },
		{ DNS_TXT, "b.test", DNS_OK, { "v=spf1 mx:3.test ptr -all" } },
		{ DNS_MX, "o.test", DNS_OK, { "1 m1.test", "2 m2.test" } },
		{ DNS_A, "192.0.2.1.test", DNS_OK, { "127.0.0.1" } },
		{ DNS_TXT, "c.test", DNS_OK, { "v=spf1 -all" } },
		{ DNS_A, "1.test", DNS_OK, { "192.0.2.2" } },
		{ DNS_A, "2.test", DNS_OK, { "192.0.2.2" } },
		{ DNS_MX, "3.test", DNS_OK, { "1 m1.test" } },
		{ DNS_PTR, "1.2.0.192.in-addr.arpa", DNS_NO_NAME },
		{ DNS_A, "m1.test", DNS_OK, { "192.0.2.2" } },
		{ DNS_A, "m2.test", DNS_OK, { "192.0.2.2" } }, HELO_ROW, { 0 } };
	struct play play;

	(void)state;
	spf_begin(&play, &one, rows);
	assert_int_equal(dns_fake_waiting(play.fake), 1); /* MAIL comes behind HELO */
	play_answer(&play, 12);
	assert_int_equal(dns_fake_waiting(play.fake), 1);
	play_answer(&play, 0);
	assert_int_equal(dns_fake_waiting(play.fake), 5);
	for (size_t row = 1; row <= 5; row++)
		play_answer(&play, row);
	assert_int_equal(dns_fake_waiting(play.fake), 6);
	size_t before = arena_size(play.arena);

	for (int i = 0; i < RUNS; i++)
		scope_run(play.scope);
	assert_int_equal(arena_size(play.arena), before);
	for (size_t row = 6; row <= 11; row++)
		play_answer(&play, row);
	assert_string_equal(play_facts(&play),
	    RESULT("pass", "exists:%{i}.test of o.test", " {term=exists:%{i}.test}"));
	play_end(&play);
}

/* What is behind the limit is not asked: the first term beyond it ends everything. */
static void
test_asks_no_more_than_it_may(void **state)
{
	static const struct spf_case one = { "", CLIENT, "h.test", "a", "o.test", { { 0 } }, "",
		"terms: 3" };
	static const struct dns_row rows[] = { HELO_ROW,
		{ DNS_TXT, "o.test", DNS_OK,
		    { "v=spf1 a:1.test include:2.test a:3.test a:4.test +all" } },
		{ DNS_A, "1.test", DNS_OK, { "192.0.2.2" } },
		{ DNS_TXT, "2.test", DNS_OK, { "v=spf1 ?include:3.test a:5.test" } },
		{ DNS_A, "3.test", DNS_OK, { "192.0.2.2" } },
		{ DNS_TXT, "3.test", DNS_OK, { "v=spf1 ?all" } }, { 0 } };
	struct play play;

	(void)state;
	spf_begin(&play, &one, rows);
	dns_fake_release_all(play.fake);
	play_turn(&play);
	assert_string_equal(play_facts(&play),
	    RESULT("permerror", "a:5.test of 2.test is one more than the 3 terms that may ask DNS",
		""));
	play_end(&play);
}

/* 11 hosts: the 11th is not looked at, unless an earlier one is the client. */
static void
test_hosts(void **state)
{
	struct dns_row rows[] = { HELO_ROW, { DNS_TXT, "o.test", DNS_OK, { "v=spf1 mx +all" } },
		{ DNS_MX, "o.test", DNS_OK,
		    { "3 x.test", "1 b.test", "1 a.test", "1 c.test", "1 d.test", "1 e.test",
			"1 f.test", "1 g.test", "1 h.test", "1 i.test", "2 j.test" } },
		{ DNS_A, "a.test", DNS_OK, { "192.0.2.2" } },
		{ DNS_CNAME, "b.test", DNS_OK, { "a.test" } },
		{ DNS_CNAME, "c.test", DNS_OK, { "a.test" } },
		{ DNS_CNAME, "d.test", DNS_OK, { "a.test" } },
		{ DNS_CNAME, "e.test", DNS_OK, { "a.test" } },
		{ DNS_CNAME, "f.test", DNS_OK, { "a.test" } },
		{ DNS_CNAME, "g.test", DNS_OK, { "a.test" } },
		{ DNS_CNAME, "h.test", DNS_OK, { "a.test" } },
		{ DNS_CNAME, "i.test", DNS_OK, { "a.test" } },
		{ DNS_A, "j.test", DNS_OK, { CLIENT } }, { 0 } };
	static const struct spf_case one = { "", CLIENT, "h.test", "a", "o.test", { { 0 } }, "" };
	struct play play;

	(void)state;
	for (int is_found = 0; is_found <= 1; is_found++) {
		rows[12].records[0] = is_found ? CLIENT : "192.0.2.3";
		spf_begin(&play, &one, rows);
		dns_fake_release_all(play.fake);
		play_turn(&play);
		assert_string_equal(play_facts(&play),
		    is_found ? RESULT("pass", "mx of o.test", " {term=mx}")
			     : RESULT("permerror", "mx of o.test has more than 10 hosts", ""));
		play_end(&play);
	}
}

/* A stranger's words: one line, printable, cut. */
static void
test_explanation_is_made_safe(void **state)
{
	static char words[400], domain[] = "o\x1b.test";
	struct dns_row rows[] = { HELO_ROW,
		{ DNS_TXT, domain, DNS_OK, { "v=spf1 -all exp=e.test" } },
		{ DNS_TXT, "e.test", DNS_OK, { words } }, { 0 } };
	struct spf_case one = { "", CLIENT, "h.test", "a", domain, { { 0 } }, "" };
	struct play play;

	(void)state;
	strcpy(words, "%{d} says \\x1b");
	memset(words + strlen(words), 'y', 300);
	spf_begin(&play, &one, rows);
	dns_fake_release_all(play.fake);
	play_turn(&play);
	const struct fact *exp = evidence_find(play.scope->mail.evidence, "spf", "exp");

	assert_non_null(exp);
	assert_true(strlen(exp->detail) < 240);
	assert_memory_equal(exp->detail, "o\\x1b.test explains: o\\x1b.test says ", 37);
	assert_string_equal(exp->detail + strlen(exp->detail) - 4, "y...");
	play_end(&play);
}

/* A term of 60 KiB does not become a fact of 60 KiB. */
static void
test_long_term(void **state)
{
	static char text[60000] = "v=spf1 -a:";
	struct dns_row rows[] = { HELO_ROW, { DNS_TXT, "o.test", DNS_OK, { text } }, { 0 } };
	static const struct spf_case one = { "", CLIENT, "h.test", "a", "o.test", { { 0 } }, "" };
	struct play play;

	(void)state;
	for (int is_wrong = 0; is_wrong <= 1; is_wrong++) {
		memset(text + 10, 'a', sizeof(text) - 20);
		strcpy(text + sizeof(text) - 10, is_wrong ? "1.1" : ".b");
		spf_begin(&play, &one, rows);
		size_t before = arena_size(play.arena);

		dns_fake_release_all(play.fake);
		play_turn(&play);
		const struct fact *fact = evidence_find(play.scope->mail.evidence, "spf", "result");

		assert_string_equal(fact->value, "permerror");
		assert_true(strlen(fact->detail) < 400);
		assert_true(arena_size(play.arena) - before < sizeof(text) + 40000);
		play_end(&play);
	}
}

static void
test_bad_options(void **state)
{
	static const char *const wrong[][2] = { { "exp: maybe", "yes" }, { "terms: 0", "1" },
		{ "terms: 21", "20" }, { "void_lookups: 21", "20" }, { "voids: 2", "voids" } };

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct arena *arena = arena_new(1 << 20);
		struct faults faults;

		assert_null(play_options(arena, &spf_filter, wrong[i][0], &faults));
		assert_int_equal(faults.count, 1);
		assert_non_null(strstr(faults.kept[0].words, wrong[i][1]));
		arena_free(arena);
	}
}

/* ---- at random ---- */

static uint32_t
draw(uint32_t below)
{
	static uint32_t random = 7;

	random = random * 1664525u + 1013904223u;
	return (random >> 8) % below;
}

#define DRAW(list) (list)[draw(sizeof(list) / sizeof(*(list)))]

static const char *
random_domain(struct arena *arena)
{
	static const char *const parts[] = { "%{d}", "%{d1r}.test", "%{l}.test", "%{ir}.%{v}.test",
		"%{p}", "%{o}", "%{h}.c.test", "a.test", "b.test", "c.test", "d.test", "e.test",
		"%{L}.test", "%{s1}.test", "none.test", "fails.test", "x..test" };

	return arena_strdup(arena, DRAW(parts));
}

static const char *
random_term(struct arena *arena)
{
	static const char *const bits[] = { "", "", "", "/24", "/0", "//64", "//0", "/8//32" };
	const char *qualifier = (const char *[]) { "", "-", "~", "?", "+" }[draw(5)];
	const char *domain = random_domain(arena);

	switch (draw(12)) {
	case 0:
		return arena_format(arena, " %sa%s", qualifier, DRAW(bits));
	case 1:
		return arena_format(arena, " %sa:%s%s", qualifier, domain, DRAW(bits));
	case 2:
		return arena_format(arena, " %smx:%s%s", qualifier, domain, DRAW(bits));
	case 3:
		return arena_format(arena, " %sptr:%s", qualifier, domain);
	case 4:
		return arena_format(arena, " %sexists:%s", qualifier, domain);
	case 5:
	case 6:
	case 7:
		return arena_format(arena, " %sinclude:%s", qualifier, domain);
	case 8:
		return arena_format(arena, " redirect=%s", domain);
	case 9:
		return arena_format(arena, " exp=%s", domain);
	case 10:
		return arena_format(
		    arena, " %sip%s", qualifier, draw(2) ? "4:192.0.2.9/29" : "6:2001:db8::/64");
	default:
		return draw(4) == 0 ? " -all" : draw(20) == 0 ? " wrong" : "";
	}
}

static void
random_add(struct zone *zone, const char *name, enum dns_type type, struct slice value)
{
	zone->records[zone->count++] = (struct zone_record) {
		.name = arena_strdup(zone->arena, name),
		.type = type,
		.value = value,
		.preference = (uint16_t)draw(3),
		.fails = type == 0,
	};
}

static void
random_zone(struct zone *zone)
{
	static const char *const names[] = { "a.test", "b.test", "c.test", "d.test", "e.test",
		"u.a.test", "test.test", "1.2.0.192.in-addr.test" };
	static const char *const hosts[] = { "a.test", "c.test", "none.test", "t0.x", "fails.test",
		"", "u.a.test" };
	static struct ip ips[4];

	ip_read(&ips[0], slice_of("192.0.2.1"));
	ip_read(&ips[1], slice_of("192.0.3.1"));
	ip_read(&ips[2], slice_of("2001:db8::1"));
	ip_read(&ips[3], slice_of("2001:db8:0:0:1::"));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *text = "v=spf1";

		for (uint32_t terms = draw(9); terms > 0; terms--)
			text = arena_format(zone->arena, "%s%s", text, random_term(zone->arena));
		if (draw(10) > 0)
			random_add(zone, names[i], DNS_TXT, slice_of(text));
		for (uint32_t count = draw(3); count > 0; count--) {
			const struct ip *ip = &ips[draw(4)];

			random_add(
			    zone, names[i], ip->length == 4 ? DNS_A : DNS_AAAA, ip_slice(ip));
		}
		for (uint32_t count = draw(20) == 0 ? 12 : draw(4); count > 0; count--)
			random_add(zone, names[i], DNS_MX, slice_of(DRAW(hosts)));
	}
	for (uint32_t count = draw(5); count > 0; count--)
		random_add(zone, "1.2.0.192.in-addr.arpa", DNS_PTR, slice_of(DRAW(hosts)));
	random_add(zone, "fails.test", 0, (struct slice) { 0 });
}

static void
test_random(void **state)
{
	struct ev_loop *loop = ev_loop_new(0);
	unsigned results[SPF_PERMERROR + 1] = { 0 };
	struct task_queue queue;

	(void)state;
	task_queue_init(&queue, loop);
	for (int i = 0; i < EVALUATIONS; i++) {
		struct arena *arena = arena_new(SIZE_MAX);
		struct zone *zone = zone_new(arena, loop);
		struct spf_query query = { .helo = "b.test",
			.local = "u",
			.domain = "a.test",
			.now = 1e9,
			.terms = 10,
			.voids = draw(2) ? 2 : 20,
			.wants_explanation = true };

		ip_read(&query.client, slice_of(draw(3) > 0 ? CLIENT : "2001:db8::1"));
		random_zone(zone);
		compare_all(arena, zone, &queue, &query);
		zone->order = ZONE_AT_ONCE;
		results[compare_check(arena, zone, &queue, &query).result]++;
		arena_free(arena);
	}
	for (size_t i = 0; i <= SPF_PERMERROR; i++) {
		print_message("%s %u\n", spf_word((enum spf_result)i), results[i]);
		assert_true(results[i] > 0);
	}
	ev_loop_destroy(loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_order),
		cmocka_unit_test(test_client_leaves),
		cmocka_unit_test(test_each_fails),
		cmocka_unit_test(test_temperror_details),
		cmocka_unit_test(test_asks_side_by_side),
		cmocka_unit_test(test_asks_no_more_than_it_may),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_explanation_is_made_safe),
		cmocka_unit_test(test_long_term),
		cmocka_unit_test(test_bad_options),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests_name("spf", tests, NULL, NULL);
}
