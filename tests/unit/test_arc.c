/*
 * arc: chains that another program has made; whatever is changed in them; answers that do not
 * come; the message in pieces of every size.
 */
#include "tests/unit/arc_messages.h"
#include "tests/unit/dkim_play.h"

enum { TEXT_MOST = 16 * 1024 };

#define SET(number, domain, cv) " {instance=" number "} {domain=" domain "} {cv=" cv "}"
#define FIRST SET("1", "example.net", "none")
#define SECOND SET("2", "lists.example.com", "pass")

static const struct dns_row good_rows[] = {
	{ DNS_TXT, "s._domainkey.example.net", .records = { arc_record } },
	{ DNS_TXT, "s._domainkey.lists.example.com", .records = { arc_record } },
	{ 0 },
};

static void
play_message(struct play *play, const char *text, size_t piece, const struct dns_row *rows)
{
	const struct pipeline_row pipeline[] = { { &arc_filter, NULL }, { 0 } };

	play_begin(play, "198.51.100.5", pipeline, rows);
	play_mail(play, (struct address) { "a@example.org", "a", "example.org", false });
	dns_fake_allow_unknown(play->fake);
	dns_fake_release_all(play->fake);
	dkim_play_feed(play, slice_of(text), piece);
	assert_false(scope_waits(play->scope));
}

/* What the filter says of it. */
static void
assert_said(const char *title, const char *text, const struct dns_row *rows, const char *want)
{
	struct play play;

	play_message(&play, text, 1 << 20, rows);
	const char *all = play_facts(&play);

	if (strcmp(all, want) != 0)
		fail_msg("%s: %s\nexpected: %s", title, all, want);
	play_end(&play);
}

/* The number-th `from` (from 0) is `to` instead. */
static void
change(char out[TEXT_MOST], const char *text, unsigned number, const char *from, const char *to)
{
	const char *at = strstr(text, from);

	while (number-- > 0 && at != NULL)
		at = strstr(at + 1, from);
	assert_non_null(at);
	snprintf(out, TEXT_MOST, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

#define PASS_TWO "arc.set=pass()" FIRST " arc.set=pass()" SECOND
#define LOST "the signature does not match"
#define FORM(why)                                                                                  \
	"arc.set=unknown()" FIRST " arc.set=unknown()" SECOND " arc.result=fail(2 sets: " why ")"

/* Changes of the message with two sets; the newest set stands above. */
static const struct change_case {
	const char *title, *from, *to;
	unsigned number;
	const char *want;
} changes[] = {
	{ "nothing", "x", "x", 0, PASS_TWO " arc.result=pass(2 sets)" },
	{ "blanks in the body", "Hello  there, ", "Hello there,", 0,
	    PASS_TWO " arc.result=pass(2 sets)" },
	{ "a word of the body", "bye", "buy", 0,
	    PASS_TWO " arc.result=fail(2 sets: the body is another)" },
	{ "a signed field", "Subject: words", "Subject: other", 0,
	    PASS_TWO " arc.result=fail(2 sets: the message signature: " LOST ")" },
	{ "a field that is not signed", "From: A", "X-New: 1\r\nFrom: A", 0,
	    PASS_TWO " arc.result=pass(2 sets)" },
	{ "a second Subject", "\r\n\r\nHello", "\r\nSubject: other\r\n\r\nHello", 0,
	    PASS_TWO " arc.result=fail(2 sets: the message signature: " LOST ")" },
	{ "the newest results", "spf=pass", "spf=fail", 0,
	    "arc.set=pass()" FIRST " arc.set=fail(" LOST ")" SECOND
	    " arc.result=fail(2 sets: the seal of 2: " LOST ")" },
	{ "the oldest results", "spf=pass", "spf=fail", 1,
	    "arc.set=fail(" LOST ")" FIRST " arc.set=fail(" LOST ")" SECOND
	    " arc.result=fail(2 sets: the seal of 2: " LOST ")" },
	{ "the time of the newest seal", "t=1700000002", "t=1700000003", 1,
	    "arc.set=pass()" FIRST " arc.set=fail(" LOST ")" SECOND
	    " arc.result=fail(2 sets: the seal of 2: " LOST ")" },
	{ "the newest seal says none", "cv=pass", "cv=none", 0,
	    "arc.set=unknown()" FIRST " arc.set=unknown()" SET("2", "lists.example.com",
		"none") " arc.result=fail(2 sets: a seal with the wrong cv=)" },
	{ "the newest seal says fail", "cv=pass", "cv=fail", 0,
	    "arc.set=unknown()" FIRST " arc.set=unknown()" SET("2", "lists.example.com",
		"fail") " arc.result=fail(2 sets: it was broken before (cv=fail))" },
	{ "the newest seal says anything", "cv=pass", "cv=pa ss", 0,
	    "arc.set=unknown()" FIRST " arc.set=unknown()" SET("2", "lists.example.com",
		"") " arc.result=fail(2 sets: a seal with the wrong cv=)" },
	{ "the oldest seal says pass", "cv=none", "cv=pass", 0,
	    "arc.set=unknown()" SET(
		"1", "example.net", "pass") " arc.set=unknown()" SECOND
					    " arc.result=fail(2 sets: a seal with the wrong cv=)" },
	{ "no oldest seal", "ARC-Seal: i=1", "X-Seal: i=1", 0,
	    "arc.set=unknown()" SECOND " arc.result=fail(2 sets: a set is not whole)" },
	{ "no newest message signature", "ARC-Message-Signature", "X-Message-Signature", 0,
	    FORM("a set is not whole") },
	{ "no oldest results", "ARC-Authentication-Results", "X-Results", 1,
	    FORM("a set is not whole") },
	{ "a gap", "ARC-Authentication-Results: i=2", "ARC-Authentication-Results: i=3", 0,
	    "arc.set=unknown()" FIRST " arc.set=unknown()" SECOND
	    " arc.result=fail(3 sets: a set is not whole)" },
	{ "results twice", "ARC-Authentication-Results: i=2", "ARC-Authentication-Results: i=1", 0,
	    FORM("a field that is there twice") },
	{ "results without a number", "ARC-Authentication-Results: i=2;",
	    "ARC-Authentication-Results:", 0, FORM("a field without a number") },
	{ "instance 0", "ARC-Authentication-Results: i=2", "ARC-Authentication-Results: i=0", 0,
	    FORM("a field without a number") },
	{ "instance 51", "ARC-Authentication-Results: i=2", "ARC-Authentication-Results: i=51", 0,
	    FORM("a field without a number") },
	{ "an instance that is no number", "ARC-Authentication-Results: i=2",
	    "ARC-Authentication-Results: i=+2", 0, FORM("a field without a number") },
	{ "a blank behind the name", "ARC-Authentication-Results:", "ARC-Authentication-Results :",
	    0, FORM("a field without a number") },
	{ "no list of tags", "ARC-Seal: i=2;", "ARC-Seal: i=2; x;", 0,
	    "arc.set=unknown()" FIRST " arc.result=fail(2 sets: a field without a number)" },
	{ "h= in a seal", "ARC-Seal: i=2;", "ARC-Seal: i=2; h=from;", 0, FORM("h= in a seal") },
	{ "rsa-sha1", "a=rsa-sha256", "a=rsa-sha1", 0, FORM("rsa-sha1 is not secure (RFC 8301)") },
	{ "an algorithm that is none", "a=rsa-sha256", "a=x", 1, FORM("a= is not known") },
	{ "a message signature of a part", "bh=", "l=1; bh=", 0,
	    FORM("the body is signed in part (l=)") },
	{ "no b=", " b=", " y=", 0, FORM("no b=") },
	{ "From is not signed", "h=from", "h=x", 0, FORM("From is not signed") },
	{ "a selector that is none", "s=s;", "s=s..s;", 0, FORM("s= is not a selector") },
};

static void
test_changes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		const struct change_case *one = &changes[i];
		char text[TEXT_MOST];

		change(text, arc_two, one->number, one->from, one->to);
		assert_said(one->title, text, good_rows, one->want);
	}
}

static void
test_one_set(void **state)
{
	(void)state;
	assert_said("one", arc_one, good_rows, "arc.set=pass()" FIRST " arc.result=pass(1 set)");
	assert_said(
	    "none", "From: a@b.test\r\n\r\nx\r\n", good_rows, "arc.result=none(no ARC set)");
	assert_said("nothing", "", good_rows, "arc.result=none(no ARC set)");
	assert_said("no number", "ARC-Seal: x\r\n\r\n", good_rows,
	    "arc.result=fail(0 sets: a field without a number)");
}

/* ---- keys ---- */

static void
test_keys(void **state)
{
	static const struct {
		struct dns_row row;
		const char *why;
	} cases[] = {
		{ { DNS_TXT, "s._domainkey.lists.example.com", DNS_FAILED, .why = "time limit" },
		    "time limit" },
		{ { DNS_TXT, "s._domainkey.lists.example.com", DNS_NO_NAME },
		    "no key is published" },
		{ { DNS_TXT, "s._domainkey.lists.example.com",
		      .records = { arc_record, arc_record } },
		    "several keys at one name" },
		{ { DNS_TXT, "s._domainkey.lists.example.com", .records = { "v=DKIM1; p=" } },
		    "the key is revoked" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct dns_row rows[] = { good_rows[0], cases[i].row, { 0 } };
		char want[512];

		snprintf(want, sizeof(want),
		    "arc.set=pass()" FIRST " arc.set=fail(%s)" SECOND
		    " arc.result=fail(2 sets: the message signature: %s)",
		    cases[i].why, cases[i].why);
		assert_said(cases[i].why, arc_two, rows, want);
	}
}

/* Nothing is said before all answers are in. */
static void
play_late(const size_t *order, const void *arg)
{
	const struct pipeline_row pipeline[] = { { &arc_filter, NULL }, { 0 } };
	struct play play;

	(void)arg;
	play_begin(&play, "198.51.100.5", pipeline, good_rows);
	play_mail(&play, (struct address) { "a@example.org", "a", "example.org", false });
	dkim_play_feed(&play, slice_of(arc_two), 100);
	for (size_t i = 0; i < 2; i++) {
		assert_true(scope_waits(play.scope));
		assert_string_equal(play_facts(&play), "");
		play_answer(&play, order[i]);
	}
	assert_false(scope_waits(play.scope));
	assert_string_equal(play_facts(&play), PASS_TWO " arc.result=pass(2 sets)");
	play_end(&play);
}

static void
test_answers(void **state)
{
	(void)state;
	play_orders(2, play_late, NULL);
}

/* ---- pieces ---- */

static void
test_pieces(void **state)
{
	(void)state;
	for (size_t piece = 1; piece < 40; piece++) {
		struct play play;

		play_message(&play, arc_two, piece, good_rows);
		assert_string_equal(play_facts(&play), PASS_TWO " arc.result=pass(2 sets)");
		play_end(&play);
	}
}

/* Cut anywhere in the header or body it is no longer right, or there is no chain yet. */
static void
test_cuts(void **state)
{
	const char *end = strstr(arc_two, "bye") + 3;

	(void)state;
	for (size_t length = 0; length < (size_t)(end - arc_two); length++) {
		char text[TEXT_MOST];
		struct play play;

		snprintf(text, sizeof(text), "%.*s", (int)length, arc_two);
		play_message(&play, text, 1 << 20, good_rows);
		assert_null(strstr(play_facts(&play), "result=pass"));
		play_end(&play);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_one_set),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_cuts),
	};

	return cmocka_run_group_tests_name("arc", tests, NULL, NULL);
}
