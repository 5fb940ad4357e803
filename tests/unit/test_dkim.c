/*
 * dkim: one signature and several, with the keys' answers in every order and failing each in
 * turn; bounds; the client that leaves at any moment.
 */
#include "tests/unit/dkim_messages.h"

static void
assert_facts(struct play *play, const char *want)
{
	const char *all = play_facts(play);

	if (strcmp(all, want) != 0)
		fail_msg("%s\nexpected: %s", all, want);
}

/* ---- answers ---- */

#define RSA " {domain=example.org} {selector=r} {algorithm=rsa-sha256}"
#define ED " {domain=example.org} {selector=e} {algorithm=ed25519-sha256}"
#define OTHER " {domain=example.org} {selector=x} {algorithm=rsa-sha256}"

struct answers_case {
	const char *title;
	enum { GOOD, GONE, DOWN, REVOKED, WRONG } states[3]; /* of r, e, x */
	const char *want;
};

static const struct answers_case answers[] = {
	{ "all good", { GOOD, GOOD, GOOD },
	    "dkim.signature=pass()" OTHER " {bits=1024} dkim.signature=pass()" ED
	    " {bits=256} dkim.signature=pass()" RSA " {bits=1024} dkim.partial=no() "
	    "dkim.result=pass(example.org)" },
	{ "the first does not answer", { GOOD, GOOD, DOWN },
	    "dkim.signature=temperror(time limit)" OTHER " dkim.signature=pass()" ED
	    " {bits=256} dkim.signature=pass()" RSA " {bits=1024} dkim.partial=no() "
	    "dkim.result=pass(example.org)" },
	{ "the second does not answer", { GOOD, DOWN, GOOD },
	    "dkim.signature=pass()" OTHER " {bits=1024} dkim.signature=temperror(time limit)" ED
	    " dkim.signature=pass()" RSA " {bits=1024} dkim.partial=no() "
	    "dkim.result=pass(example.org)" },
	{ "the third does not answer", { DOWN, GOOD, GOOD },
	    "dkim.signature=pass()" OTHER " {bits=1024} dkim.signature=pass()" ED
	    " {bits=256} dkim.signature=temperror(time limit)" RSA " dkim.partial=no() "
	    "dkim.result=pass(example.org)" },
	{ "none answers", { DOWN, DOWN, DOWN },
	    "dkim.signature=temperror(time limit)" OTHER " dkim.signature=temperror(time limit)" ED
	    " dkim.signature=temperror(time limit)" RSA " dkim.partial=no() "
	    "dkim.result=temperror(time limit)" },
	{ "one does not answer, the others are not there", { DOWN, GONE, GONE },
	    "dkim.signature=permerror(no key is published)" OTHER
	    " dkim.signature=permerror(no key is published)" ED
	    " dkim.signature=temperror(time limit)" RSA " dkim.partial=no() "
	    "dkim.result=temperror(time limit)" },
	{ "revoked, wrong, gone", { REVOKED, WRONG, GONE },
	    "dkim.signature=permerror(no key is published)" OTHER
	    " dkim.signature=permerror(the key is of another kind than a=)" ED
	    " dkim.signature=permerror(the key is revoked)" RSA " dkim.partial=no() "
	    "dkim.result=permerror(no key is published)" },
};

static void
fill_row(struct dns_row *row, const char *name, int state, const char *good, const char *wrong)
{
	*row = (struct dns_row) { DNS_TXT, name, .records = { good } };
	if (state == GONE)
		*row = (struct dns_row) { DNS_TXT, name, DNS_NO_NAME };
	if (state == DOWN)
		*row = (struct dns_row) { DNS_TXT, name, DNS_FAILED, .why = "time limit" };
	if (state == REVOKED)
		row->records[0] = "v=DKIM1; p=";
	if (state == WRONG)
		row->records[0] = wrong;
}

static void
fill_rows(struct dns_row rows[4], const struct answers_case *one)
{
	fill_row(&rows[0], NAME("r"), (int)one->states[0], keys.rsa_record, keys.ed25519_record);
	fill_row(&rows[1], NAME("e"), (int)one->states[1], keys.ed25519_record, keys.rsa_record);
	fill_row(&rows[2], NAME("x"), (int)one->states[2], keys.rsa_record, keys.ed25519_record);
	rows[3] = (struct dns_row) { 0 };
}

/* All keys are asked for with the header, and answered after the body. */
static void
play_late(const size_t *order, const void *arg)
{
	const struct answers_case *one = arg;
	struct dns_row rows[4];
	struct play play;

	fill_rows(rows, one);
	dkim_play_begin(&play, "", rows);
	dkim_play_feed(
	    &play, message_of(play.arena, (const char *const[]) { "r", "e", "x", NULL }), 100);
	assert_int_equal(dns_fake_waiting(play.fake), 3);
	for (size_t i = 0; i < 3; i++) {
		assert_true(scope_waits(play.scope));
		assert_string_equal(play_facts(&play), "");
		play_answer(&play, order[i]);
	}
	assert_false(scope_waits(play.scope));
	assert_facts(&play, one->want);
	play_end(&play);
}

static void
play_early(const size_t *order, const void *arg)
{
	const struct answers_case *one = arg;
	struct dns_row rows[4];
	struct play play;

	(void)order;
	fill_rows(rows, one);
	dkim_play_begin(&play, "", rows);
	dns_fake_release_all(play.fake);
	dkim_play_feed(
	    &play, message_of(play.arena, (const char *const[]) { "r", "e", "x", NULL }), 1);
	assert_false(scope_waits(play.scope));
	assert_facts(&play, one->want);
	play_end(&play);
}

/* In the middle of header, body and waiting; what the library holds is given back. */
static void
play_leaving(const size_t *order, const void *arg)
{
	const struct answers_case *one = arg;
	struct dns_row rows[4];

	fill_rows(rows, one);
	for (size_t leaves = 0; leaves < 3; leaves++) {
		struct play play;
		struct slice message;

		dkim_play_begin(&play, "", rows);
		message = message_of(play.arena, (const char *const[]) { "r", "e", "x", NULL });
		dkim_play_feed(&play, message, 1000);
		for (size_t i = 0; i < leaves; i++)
			play_answer(&play, order[i]);
		assert_true(scope_waits(play.scope));
		play_end(&play);
	}
}

static void
test_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		play_orders(3, play_late, &answers[i]);
		play_orders(1, play_early, &answers[i]);
		play_orders(3, play_leaving, &answers[i]);
	}
}

static void
test_leaves_anywhere(void **state)
{
	static const char *const selectors[] = { "r", "e", NULL };
	struct dns_row rows[4];

	(void)state;
	fill_rows(rows, &answers[0]);
	for (size_t length = 0; length < 1200; length += 7) {
		struct play play;
		struct slice message;

		dkim_play_begin(&play, "", rows);
		dns_fake_release_all(play.fake);
		message = message_of(play.arena, selectors);
		if (message.length > length) {
			size_t header = dkim_play_header(message);

			play.scope->mail.header = (struct slice) { message.data, header };
			scope_raw(play.scope, (struct slice) { message.data, length });
		}
		play_end(&play);
	}
}

/* ---- bounds ---- */

static void
test_many_signatures(void **state)
{
	struct arena *arena = arena_new(SIZE_MAX);
	struct slice signed_once = message_of(arena, (const char *const[]) { "r", NULL });
	char *junk = arena_alloc(arena, 64 * 1000), *end = junk;

	(void)state;
	for (int i = 0; i < 1000; i++)
		end += sprintf(end, "DKIM-Signature: v=1; s=s%d; d=junk.test\r\n", i);
	const char *facts =
	    facts_of(arena, slice_of(arena_format(arena, "%s%s", junk, signed_once.data)));

	assert_int_equal(count_of(facts, "dkim.signature=permerror"), 8);
	assert_non_null(strstr(facts, "dkim.signature=policy(993 more were not judged)"));
	assert_non_null(strstr(facts, "dkim.result=permerror"));

	/* Of nine the ninth is left. */
	end = junk + strlen("DKIM-Signature: v=1; s=s0; d=junk.test\r\n") * 8;
	*end = '\0';
	facts = facts_of(arena, slice_of(arena_format(arena, "%s%s", signed_once.data, "")));
	assert_non_null(strstr(facts, "dkim.result=pass(example.org)"));
	facts = facts_of(arena, slice_of(arena_format(arena, "%s%s", junk, signed_once.data)));
	assert_non_null(strstr(facts, "dkim.signature=policy(1 more were not judged)"));
	arena_free(arena);
}

static void
test_many_fields(void **state)
{
	struct arena *arena = arena_new(SIZE_MAX);
	struct slice message = message_of(arena, (const char *const[]) { "r", NULL });
	size_t header = header_count(message, "X") + 5;
	char *more = arena_alloc(arena, 10 * 1000), *end = more;

	(void)state;
	for (size_t i = header; i < 1000; i++)
		end += sprintf(end, "X: %zu\r\n", i);
	assert_non_null(
	    strstr(facts_of(arena, slice_of(arena_format(arena, "%s%s", more, message.data))),
		"dkim.result=pass"));
	sprintf(end, "X: y\r\n");
	assert_non_null(
	    strstr(facts_of(arena, slice_of(arena_format(arena, "%s%s", more, message.data))),
		"dkim.result=policy(the header has too many fields)"));
	arena_free(arena);
}

/* A signature that names each field, itself, and more. */
static void
test_names_every_field(void **state)
{
	struct arena *arena = arena_new(SIZE_MAX);

	(void)state;
	for (int more = 0; more < 40; more++) {
		char *text = arena_strdup(arena,
		    "DKIM-Signature: v=1; a=rsa-sha256; d=example.org;"
		    " s=r; bh=QUJD; b=QUJD; h=from:dkim-signature");

		for (int i = 0; i < more; i++)
			text = arena_format(arena, "%s:%s", text, i % 2 ? "from" : "x pad");
		text = arena_format(arena, "%s\r\nFrom: a@example.org\r\n\r\nx\r\n", text);
		assert_non_null(strstr(facts_of(arena, slice_of(text)), "dkim.result="));
	}
	arena_free(arena);
}

static void
test_long_line(void **state)
{
	enum { MEGABYTE = 1024 * 1024 };
	struct arena *arena = arena_new(SIZE_MAX);
	char *line = arena_alloc(arena, 3 * MEGABYTE + 1);

	(void)state;
	for (int too_long = 0; too_long < 2; too_long++) {
		memset(line, 'x', 3 * MEGABYTE);
		line[MEGABYTE - 10] = ' ';
		line[2 * MEGABYTE - 10 + too_long * 2] = ' ';
		const char *text = arena_format(arena, "%s\r\n%s\r\n", fields, line);
		const char *field =
		    dkim_play_sign(arena, keys.rsa, "r", slice_of(text), (uint64_t)clock_unix());
		const char *facts =
		    facts_of(arena, slice_of(arena_format(arena, "%s%s", field, text)));

		/* The third line is of 1 MiB and 10 octets, or 8. */
		assert_non_null(strstr(facts, "dkim.result=policy(the body has too long a line)"));
		line[3 * MEGABYTE - 100] = '\0';
		text = arena_format(arena, "%s\r\n%s\r\n", fields, line);
		field =
		    dkim_play_sign(arena, keys.rsa, "r", slice_of(text), (uint64_t)clock_unix());
		facts = facts_of(arena, slice_of(arena_format(arena, "%s%s", field, text)));
		assert_non_null(strstr(facts,
		    too_long ? "policy(the body has too long" : "dkim.result=pass(example.org)"));
	}
	arena_free(arena);
}

/* ---- what belongs to a message ---- */

struct message_case {
	const char *title;
	const char *text; /* %s: the signature */
	const char *want; /* of dkim.result */
};

static const struct message_case messages[] = {
	{ "no signature", "From: a@b.test\r\n\r\nx\r\n", "dkim.result=none(no signature)" },
	{ "nothing at all", "", "dkim.result=none(no signature)" },
	{ "no header", "\r\nx\r\n", "dkim.result=none(no signature)" },
	{ "an empty signature", "DKIM-Signature:\r\nFrom: a@b.test\r\n\r\nx\r\n",
	    "dkim.result=permerror(no v=)" },
	{ "header without end, a signature in it", "From: a@b.test\r\nDKIM-Signature: x=1",
	    "dkim.result=permerror(no v=)" },
};

static void
test_messages(void **state)
{
	struct arena *arena = arena_new(SIZE_MAX);

	(void)state;
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		const char *facts = facts_of(arena, slice_of(messages[i].text));

		if (strstr(facts, messages[i].want) == NULL)
			fail_msg("%s: %s", messages[i].title, facts);
	}
	arena_free(arena);
}

/* By BDAT a message may end without a line end; signed it is with one. */
static void
test_no_last_line_end(void **state)
{
	struct arena *arena = arena_new(SIZE_MAX);
	struct slice whole = message_of(arena, (const char *const[]) { "r", NULL });

	(void)state;
	for (size_t cut = 1; cut <= 3; cut++) { /* line ends at the end of the body */
		whole.length -= 2;
		assert_non_null(strstr(facts_of(arena, whole), "dkim.result=pass(example.org)"));
	}
	whole.length--;
	assert_non_null(strstr(facts_of(arena, whole), "dkim.result=fail(the body is another)"));
	arena_free(arena);
}

/* Any octet of what is signed, changed. */
static void
test_changed(void **state)
{
	struct arena *arena = arena_new(SIZE_MAX);
	struct slice whole = message_of(arena, (const char *const[]) { "e", NULL });
	char *copy = arena_copy(arena, whole);
	char *subject = strstr(copy, "words"), *hello = strstr(copy, "Hello");

	(void)state;
	assert_non_null(strstr(facts_of(arena, slice_of(copy)), "dkim.result=pass"));
	subject[1] = 'O';
	assert_non_null(strstr(
	    facts_of(arena, slice_of(copy)), "dkim.result=fail(the signature does not match)"));
	subject[1] = 'o';
	hello[1] = 'E';
	assert_non_null(
	    strstr(facts_of(arena, slice_of(copy)), "dkim.result=fail(the body is another)"));
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_leaves_anywhere),
		cmocka_unit_test(test_many_signatures),
		cmocka_unit_test(test_many_fields),
		cmocka_unit_test(test_names_every_field),
		cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_no_last_line_end),
		cmocka_unit_test(test_changed),
	};

	return cmocka_run_group_tests_name("dkim", tests, keys_begin, keys_end);
}
