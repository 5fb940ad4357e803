/*
 * pipeline: a pedantic filter that tests what filters are promised.
 *
 * It asks a question in each stage that it is told to, and looks at what it is given: members
 * of mail that are there and such that are not yet, its state zeroed and its own, stages in
 * their order and never again after NEXT, close() once and only if anything was called.
 */
#include "tests/unit/play.h"

#include "filters/registry.h"

/* What happened, a letter each: C L M R H E stages over; c l m r h e they waited; t tap; x close. */
struct diary {
	char text[256];
	size_t length;
	unsigned closed, states;
};

struct pedant_options {
	struct diary *diary;
	const char *questions[STAGES]; /* NULL: that stage does not wait */
	bool tells_early;              /* in HELO, before its question is answered */
};

struct pedant_state {
	uint64_t seen[8]; /* zero at first */
	struct diary *diary;
	bool is_open;
};

static void
diary_write(struct diary *diary, char letter)
{
	assert_true(diary->length < sizeof(diary->text) - 1);
	diary->text[diary->length++] = letter;
}

static void
pedant_state(struct mail *mail, struct diary *diary)
{
	struct pedant_state *state = mail->state;

	assert_non_null(state);
	if (!state->is_open) {
		for (size_t i = 0; i < 8; i++)
			assert_int_equal(state->seen[i], 0);
		assert_null(state->diary);
		*state = (struct pedant_state) { .diary = diary, .is_open = true };
		diary->states++;
	}
	assert_ptr_equal(state->diary, diary);
	for (size_t i = 0; i < 8; i++)
		state->seen[i]++;
}

static enum step
pedant_stage(struct mail *mail, const struct pedant_options *options, enum stage stage)
{
	static const char waits[] = "clmrhe", over[] = "CLMRHE";
	const char *question = options->questions[stage];

	assert_non_null(mail->client);
	assert_non_null(mail->evidence);
	assert_int_equal(mail->from != NULL, stage >= MAIL);
	assert_int_equal(mail->recipient != NULL, stage == RCPT);
	if (stage >= MAIL)
		pedant_state(mail, options->diary);
	else
		assert_null(mail->state);
	if (question != NULL && dns_ask(mail->dns, DNS_TXT, question) == NULL) {
		if (stage == HELO && options->tells_early) {
			evidence_add(mail->evidence, "pedant", "early", "yes", "");
			evidence_finish(mail->evidence, "pedant", "early");
		}
		diary_write(options->diary, waits[stage]);
		return WAIT;
	}
	diary_write(options->diary, over[stage]);
	evidence_add(mail->evidence, "pedant", "stage", (const char[]) { over[stage], '\0' }, "");
	return NEXT;
}

#define STAGE(name, stage)                                                                         \
	static enum step name(struct mail *mail, const void *options)                              \
	{                                                                                          \
		return pedant_stage(mail, options, stage);                                         \
	}

STAGE(pedant_connect, CONNECT)
STAGE(pedant_helo, HELO)
STAGE(pedant_mail, MAIL)
STAGE(pedant_rcpt, RCPT)
STAGE(pedant_headers, HEADERS)
STAGE(pedant_end, END)

static void
pedant_raw(struct mail *mail, const void *arg, struct slice bytes)
{
	const struct pedant_options *options = arg;

	assert_true(bytes.length > 0);
	pedant_state(mail, options->diary);
	diary_write(options->diary, 't');
}

static void
pedant_close(struct mail *mail, const void *arg)
{
	const struct pedant_options *options = arg;
	struct pedant_state *state = mail->state;

	assert_non_null(state);
	assert_true(state->is_open);
	state->is_open = false;
	options->diary->closed++;
	diary_write(options->diary, 'x');
}

static const struct filter pedant_filter = {
	.name = "pedant",
	.stages = { pedant_connect, pedant_helo, pedant_mail, pedant_rcpt, pedant_headers,
	    pedant_end },
	.raw = pedant_raw,
	.state_size = sizeof(struct pedant_state),
	.close = pedant_close,
};

static const struct address from = { "a@b.test", "a", "b.test", false };
static const struct address to = { "c@d.test", "c", "d.test", false };

static const struct dns_row questions[] = { { DNS_TXT, "one.test", DNS_NO_NAME },
	{ DNS_TXT, "two.test", DNS_NO_NAME }, { DNS_TXT, "three.test", DNS_NO_NAME }, { 0 } };

static void
pedant_begin(struct play *play, const struct pedant_options *options)
{
	const struct pipeline_row rows[] = { { &pedant_filter, options }, { 0 } };

	play_begin(play, "192.0.2.1", rows, questions);
}

static enum knowledge
pedant_ask(const struct scope *scope, enum stage stage, const char *value)
{
	const char *const values[] = { value, NULL };

	return evidence_ask(scope->mail.evidence, "pedant", "stage", stage, values);
}

/* Nothing waits: each stage once, in its order; RCPT once per recipient. */
static void
test_stages(void **state)
{
	struct diary diary = { 0 };
	const struct pedant_options options = { .diary = &diary };
	struct play play;

	(void)state;
	pedant_begin(&play, &options);
	play_helo(&play, "h.test");
	play_mail(&play, from);
	struct scope *transaction = play.scope;

	play_rcpt(&play, to);
	play.scope = transaction;
	play_rcpt(&play, to);
	for (int i = 0; i < 3; i++) {
		scope_reach(transaction, HEADERS);
		scope_run(transaction);
	}
	assert_true(scope_has_taps(transaction));
	scope_raw(transaction, slice_of("abc"));
	scope_raw(transaction, slice_of(""));
	scope_raw(transaction, slice_of("d"));
	scope_reach(transaction, END);
	scope_run(transaction);
	scope_run(play.scope);
	assert_string_equal(diary.text, "CLMRRHttE");
	assert_false(scope_waits(transaction));
	play_end(&play);
	assert_string_equal(diary.text, "CLMRRHttEx");
	assert_int_equal(diary.states, 1);
}

/* The HELO stage is reached while CONNECT waits: it is PENDING, and begins when that is over. */
static void
test_stages_keep_their_order(void **state)
{
	struct diary diary = { 0 };
	const struct pedant_options options = { .diary = &diary,
		.questions = { [CONNECT] = "one.test", [MAIL] = "two.test" } };
	struct play play;

	(void)state;
	pedant_begin(&play, &options);
	play_helo(&play, "h.test");
	play_mail(&play, from);
	play_rcpt(&play, to);
	assert_string_equal(diary.text, "cccc");
	assert_true(scope_waits(play.scope));
	assert_int_equal(pedant_ask(play.scope, CONNECT, "C"), PENDING);
	assert_int_equal(pedant_ask(play.scope, RCPT, "R"), PENDING);
	assert_int_equal(pedant_ask(play.scope, END, "E"), LATER);
	play_answer(&play, 0);
	assert_string_equal(diary.text, "ccccCLm");
	assert_int_equal(pedant_ask(play.scope, CONNECT, "C"), YES);
	assert_int_equal(pedant_ask(play.scope, HELO, "?"), NO);
	assert_int_equal(pedant_ask(play.scope, RCPT, "R"), PENDING);
	play_answer(&play, 1);
	assert_string_equal(diary.text, "ccccCLmMR");
	assert_false(scope_waits(play.scope));
	play_end(&play);
	assert_string_equal(diary.text, "ccccCLmMRx");
}

/* The answer is there when it is asked for. */
static void
test_answered_at_once(void **state)
{
	struct diary diary = { 0 };
	const struct pedant_options options = { .diary = &diary,
		.questions = { [HELO] = "one.test", [MAIL] = "two.test" } };
	struct play play;

	(void)state;
	pedant_begin(&play, &options);
	dns_fake_release_all(play.fake);
	play_helo(&play, "h.test");
	play_mail(&play, from);
	assert_string_equal(diary.text, "CLM");
	play_end(&play);
}

static void
test_finished_early(void **state)
{
	struct diary diary = { 0 };
	const struct pedant_options options = {
		.diary = &diary, .questions = { [HELO] = "one.test" }, .tells_early = true
	};
	const char *const yes[] = { "yes", NULL }, *const no[] = { "no", NULL };
	struct play play;

	(void)state;
	pedant_begin(&play, &options);
	play_helo(&play, "h.test");
	const struct evidence *evidence = play.scope->mail.evidence;

	assert_int_equal(evidence_ask(evidence, "pedant", "early", HELO, yes), YES);
	assert_int_equal(evidence_ask(evidence, "pedant", "early", HELO, no), NO);
	assert_int_equal(evidence_ask(evidence, "pedant", "stage", HELO, no), PENDING);
	scope_run(play.scope);
	scope_run(play.scope);
	play_answer(&play, 0);
	assert_string_equal(
	    play_facts(&play), "pedant.stage=C() pedant.early=yes() pedant.stage=L()");
	play_end(&play);
}

/* A new HELO makes the facts of the last one void. */
static void
test_second_helo(void **state)
{
	struct diary diary = { 0 };
	const struct pedant_options options = { .diary = &diary,
		.questions = { [HELO] = "one.test" } };
	struct play play;

	(void)state;
	pedant_begin(&play, &options);
	struct scope *connection = play.scope;

	play_helo(&play, "h.test");
	play_answer(&play, 0);
	assert_int_equal(pedant_ask(play.scope, HELO, "L"), YES);
	play.scope = connection;
	assert_int_equal(pedant_ask(play.scope, HELO, "L"), LATER);
	assert_int_equal(pedant_ask(play.scope, CONNECT, "C"), YES);
	play_helo(&play, "other.test");
	assert_int_equal(pedant_ask(play.scope, HELO, "L"), YES);
	assert_string_equal(diary.text, "ClLL");
	play_end(&play);
}

/* Each transaction has a state of its own, released with its arena. */
static void
test_transactions(void **state)
{
	struct diary diary = { 0 };
	const struct pedant_options options = { .diary = &diary,
		.questions = { [MAIL] = "one.test" } };
	struct play play;

	(void)state;
	pedant_begin(&play, &options);
	play_helo(&play, "h.test");
	struct scope *helo = play.scope;

	for (int i = 0; i < 3; i++) {
		struct arena *arena = arena_new(1 << 16);
		struct dns *dns = dns_new(arena, dns_fake_source(play.fake), &play.task);
		struct scope *scope =
		    scope_new(arena, dns, helo, SCOPE_TRANSACTION, &play.pipeline);

		scope->mail.from = &from;
		scope_reach(scope, MAIL);
		scope_run(scope);
		assert_ptr_equal(scope->mail.arena, arena);
		assert_ptr_equal(scope->mail.dns, dns);
		arena_free(arena);
		assert_int_equal(diary.closed, i + 1);
	}
	assert_int_equal(diary.states, 3);
	play_end(&play);
	assert_int_equal(diary.closed, 3);
}

/* No stage from MAIL on and no tap was called: nothing to close. */
static void
test_not_called(void **state)
{
	struct diary diary = { 0 };
	const struct pedant_options options = { .diary = &diary,
		.questions = { [CONNECT] = "one.test" } };
	struct play play;

	(void)state;
	pedant_begin(&play, &options);
	play_helo(&play, "h.test");
	play_mail(&play, from);
	play_end(&play);
	assert_string_equal(diary.text, "ccc");

	diary = (struct diary) { 0 };
	pedant_begin(&play, &options);
	play_helo(&play, "h.test");
	play_mail(&play, from);
	scope_raw(play.scope, slice_of("x")); /* a tap is called though MAIL has not begun */
	play_end(&play);
	assert_string_equal(diary.text, "ccctx");
}

/* RCPT sees the transaction's state, also where no other stage has made it. */
static enum step
rcpt_only(struct mail *mail, const void *options)
{
	pedant_state(mail, ((const struct pedant_options *)options)->diary);
	return NEXT;
}

static void
test_state_made_by_recipient(void **state)
{
	const struct filter filter = { .name = "rcpt_only",
		.stages = { [RCPT] = rcpt_only },
		.state_size = sizeof(struct pedant_state),
		.close = pedant_close };
	struct diary diary = { 0 };
	const struct pedant_options options = { .diary = &diary };
	const struct pipeline_row rows[] = { { &filter, &options }, { 0 } };
	struct play play;

	(void)state;
	play_begin(&play, "192.0.2.1", rows, NULL);
	play_helo(&play, "h.test");
	play_mail(&play, from);
	assert_false(scope_has_taps(play.scope));
	struct scope *transaction = play.scope;

	play_rcpt(&play, to);
	play.scope = transaction;
	play_rcpt(&play, to);
	assert_int_equal(diary.states, 1);
	play_end(&play);
	assert_int_equal(diary.closed, 1);
}

/* A filter that waits holds up nobody else. */
static void
test_filters_side_by_side(void **state)
{
	struct diary slow = { 0 }, quick = { 0 };
	const struct pedant_options options[] = {
		{ .diary = &slow, .questions = { [CONNECT] = "one.test", [HELO] = "two.test" } },
		{ .diary = &quick },
	};
	const struct pipeline_row rows[] = { { &pedant_filter, &options[0] },
		{ &pedant_filter, &options[1] }, { 0 } };
	struct play play;

	(void)state;
	play_begin(&play, "192.0.2.1", rows, questions);
	play_helo(&play, "h.test");
	assert_string_equal(slow.text, "cc");
	assert_string_equal(quick.text, "CL");
	play_answer(&play, 1); /* not asked yet */
	assert_string_equal(slow.text, "cc");
	play_answer(&play, 0);
	assert_string_equal(slow.text, "ccCL");
	assert_string_equal(quick.text, "CL");
	play_end(&play);
}

/* Three questions in three scopes: whatever is answered first, the same facts at the end; and
 * the client that leaves after 0, 1, 2, 3 answers. */
static void
play_questions(const size_t *order, const void *arg)
{
	(void)arg;
	for (size_t answers = 0; answers <= 3; answers++) {
		struct diary diary = { 0 };
		const struct pedant_options options = { .diary = &diary,
			.questions = {
			    [CONNECT] = "one.test", [MAIL] = "two.test", [RCPT] = "three.test" } };
		struct play play;

		pedant_begin(&play, &options);
		play_helo(&play, "h.test");
		play_mail(&play, from);
		play_rcpt(&play, to);
		for (size_t i = 0; i < answers; i++)
			play_answer(&play, order[i]);
		assert_int_equal(scope_waits(play.scope), answers < 3);
		if (answers == 3)
			assert_string_equal(play_facts(&play),
			    "pedant.stage=C() pedant.stage=L() pedant.stage=M() pedant.stage=R()");
		play_end(&play);
		assert_int_equal(diary.closed, diary.states);
	}
}

static void
test_every_order(void **state)
{
	(void)state;
	play_orders(3, play_questions, NULL);
}

/* What the filters say of themselves fits together: without this, a rule would wait forever. */
static void
check_filter(const struct filter *filter)
{
	assert_true(strlen(filter->name) > 0 && strlen(filter->summary) > 0);
	assert_ptr_equal(registry_find(filter->name), filter);
	assert_true(filter->facts != NULL || filter->named_values != NULL);
	for (const struct fact_kind *kind = filter->facts; kind != NULL && kind->key != NULL;
	     kind++) {
		assert_true(kind->stage < STAGES);
		assert_non_null(filter->stages[kind->stage]);
		assert_true(strlen(kind->values) > 0 && strlen(kind->meaning) > 0);
		assert_null(strpbrk(kind->values, ",|"));
	}
	if (filter->named_values != NULL)
		assert_non_null(filter->stages[filter->named_stage]);
	assert_int_equal(filter->options != NULL, filter->options_size > 0);
}

static void
test_registry(void **state)
{
	size_t count = 0;

	(void)state;
	for (; registry[count] != NULL; count++)
		check_filter(registry[count]);
	assert_true(count >= 4 && count <= PIPELINE_MOST);
	assert_null(registry_find("nothing"));
	assert_true(registry_find("ip_list")->is_always_on);
	assert_true(registry_find("relay")->is_always_on);
	assert_true(registry_find("smtp")->is_always_on);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stages),
		cmocka_unit_test(test_stages_keep_their_order),
		cmocka_unit_test(test_answered_at_once),
		cmocka_unit_test(test_finished_early),
		cmocka_unit_test(test_second_helo),
		cmocka_unit_test(test_transactions),
		cmocka_unit_test(test_not_called),
		cmocka_unit_test(test_state_made_by_recipient),
		cmocka_unit_test(test_filters_side_by_side),
		cmocka_unit_test(test_every_order),
		cmocka_unit_test(test_registry),
	};

	return cmocka_run_group_tests_name("pipeline", tests, NULL, NULL);
}
