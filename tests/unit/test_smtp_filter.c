/*
 * smtp (the filter): its facts, each at its stage.
 */
#include "tests/unit/play.h"

#include "filters/registry.h"

static const struct pipeline_row rows[] = { { &smtp_filter, NULL }, { 0 } };
static const struct address from = { "", "", "", false };
static const struct address to = { "c@example.com", "c", "example.com", false };

static enum knowledge
ask(const struct play *play, const char *key, enum stage stage, const char *value)
{
	const char *const values[] = { value, NULL };

	return evidence_ask(play->scope->mail.evidence, "smtp", key, stage, values);
}

static void
test_plain(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play, "192.0.2.1", rows, NULL);
	assert_string_equal(play_facts(&play), "smtp.early_talker=no() smtp.harvest=no()");
	assert_int_equal(ask(&play, "tls", MAIL, "no"), LATER);
	play_helo(&play, "h.test");
	play_mail(&play, from);
	assert_string_equal(play_facts(&play),
	    "smtp.early_talker=no() smtp.harvest=no() smtp.tls=no() smtp.auth=no()");
	assert_int_equal(ask(&play, "tls", MAIL, "no"), YES);
	assert_int_equal(ask(&play, "auth", MAIL, "yes"), NO);
	assert_int_equal(ask(&play, "errors", END, "many"), LATER);
	scope_reach(play.scope, HEADERS);
	scope_reach(play.scope, END);
	scope_run(play.scope);
	assert_string_equal(play_facts(&play),
	    "smtp.early_talker=no() smtp.harvest=no() smtp.tls=no() smtp.auth=no() "
	    "smtp.bare_newline=no() "
	    "smtp.errors=none(0) smtp.pipelining_abuse=no()");
	assert_false(scope_waits(play.scope));
	play_end(&play);
}

static void
test_all_else(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play, "192.0.2.1", rows, NULL);
	play.client.is_early = true; /* too late: it was told at CONNECT */
	play_helo(&play, "h.test");
	play.client.tls = "TLSv1.3";
	play.client.cipher = "TLS_AES_256_GCM_SHA384";
	play.client.user = "alice";
	play_mail(&play, from);
	play.client.errors = 4;
	play.client.pipelines_too_early = true;
	play.scope->mail.had_bare_newline = true;
	scope_reach(play.scope, END);
	scope_run(play.scope);
	assert_string_equal(play_facts(&play),
	    "smtp.early_talker=no() smtp.harvest=no() smtp.tls=yes(TLSv1.3 TLS_AES_256_GCM_SHA384) "
	    "smtp.auth=yes(alice) smtp.bare_newline=yes() smtp.errors=some(4) "
	    "smtp.pipelining_abuse=yes()");
	play_end(&play);
}

static void
test_errors(void **state)
{
	static const char *const want[] = { "none", "some", "some", "some", "some", "many",
		"many" };

	(void)state;
	for (unsigned errors = 0; errors < 7; errors++) {
		struct play play;

		play_begin(&play, "192.0.2.1", rows, NULL);
		play.client.errors = errors;
		play_helo(&play, "h.test");
		play_mail(&play, from);
		scope_reach(play.scope, END);
		scope_run(play.scope);
		assert_int_equal(ask(&play, "errors", END, want[errors]), YES);
		play_end(&play);
	}
}

/* Early talkers are known before the greeting; a recipient sees the facts of its session. */
static void
test_early_talker(void **state)
{
	const struct client early = { .text = "192.0.2.1", .is_early = true };
	struct play play;

	(void)state;
	play_begin(&play, "192.0.2.1", rows, NULL);
	struct scope *scope =
	    scope_new(play.arena, play.dns, NULL, SCOPE_CONNECTION, &play.pipeline);

	scope->mail.client = &early;
	scope_reach(scope, CONNECT);
	scope_run(scope);
	play.scope = scope;
	assert_int_equal(ask(&play, "early_talker", CONNECT, "yes"), YES);
	play_helo(&play, "h.test");
	play_mail(&play, from);
	play_rcpt(&play, to);
	assert_int_equal(ask(&play, "early_talker", CONNECT, "yes"), YES);
	assert_int_equal(ask(&play, "tls", MAIL, "no"), YES);
	play_end(&play);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_all_else),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_early_talker),
	};

	return cmocka_run_group_tests_name("smtp_filter", tests, NULL, NULL);
}
