/*
 * record: the JSON's keys and their order, the line, the reply; peers' text in all of them.
 */
#include "tests/unit/play.h"

#include <stdlib.h>

#include "rules/record.h"

#define TEXTS(...) ((const char *const[]) { __VA_ARGS__, NULL })
#define WHEN(filter, stage, value)                                                                 \
	.when = (const struct condition[])                                                         \
	{                                                                                          \
		{ filter, "result", stage, false, TEXTS(value) },                                  \
		{                                                                                  \
			0                                                                          \
		}                                                                                  \
	}

static const struct rule rules[] = {
	{ "blocked", WHEN("ip_list", CONNECT, "block"), .action = REJECT,
	    .text = "5.7.1 {client} is blocked here" },
	{ "spf-fail", WHEN("spf", MAIL, "fail"), .action = REJECT, .is_shadow = true },
	{ "no-name", WHEN("ptr", CONNECT, "none"), .action = DEFER, .is_shadow = true },
	{ 0 },
};
static const struct policy policy = { .rules = rules, .hash = "0123abcd" };

static const char *const recipients_of_one[] = { "c@example.com", NULL };
static const struct pipeline_row no_filters[] = { { 0 } };
static const struct address sender = { "a@example.org", "a", "example.org", false };
static const struct address recipient = { "c@example.com", "c", "example.com", false };

static void
tell(struct play *play, const char *filter, const char *key, const char *value, const char *detail,
    const struct about *about)
{
	evidence_add_about(play->scope->mail.evidence, filter, key, value, detail, about);
}

static void
begin(struct play *play)
{
	play_begin(play, "198.51.100.9", no_filters, NULL);
	tell(play, "ip_list", "result", "block", "block.txt:2", NULL);
	tell(play, "ptr", "result", "pass", "mail.example.org", NULL);
	play->client.tls = "TLSv1.3";
	play_helo(play, "mail.example.org");
	play_mail(play, sender);
	tell(play, "spf", "result", "fail", "-all of example.org", NULL);
	play_rcpt(play, recipient);
}

static struct record
record_of(struct play *play)
{
	return (struct record) {
		.id = "7F3K2Q",
		.time = 1795496400.123,
		.point = POINT_MESSAGE,
		.scope = play->scope,
		.recipients = recipients_of_one,
		.size = 1234,
		.subject = slice_of(" =?utf-8?Q?Caf=C3=A9?=\r\n there"),
		.verdict = { REJECT, &rules[0], 4, false },
		.reply = "550 5.7.1 198.51.100.9 is blocked here (case 7F3K2Q)",
		.backend = "exchange:25",
		.body_in = "e3b0",
	};
}

static const char *
text_of(struct play *play, const struct record *record,
    void (*write)(struct buf *, const struct record *, const struct policy *))
{
	struct buf *out = buf_new(play->arena, 1 << 16);
	char *text;

	write(out, record, &policy);
	assert_false(out->overflowed);
	text = arena_copy(play->arena, buf_slice(out));
	assert_null(strpbrk(text, "\r\n"));
	/* times differ from run to run */
	for (char *ms = text; (ms = strstr(ms, "\"ms\":")) != NULL;) {
		ms += 5;
		size_t digits = strspn(ms, "0123456789.");

		assert_in_range(digits, 1, 7);
		memmove(ms + 1, ms + digits, strlen(ms + digits) + 1);
		*ms = '0';
	}
	return text;
}

static void
test_json(void **state)
{
	const struct about about[] = { { "domain", "example.org" }, { "selector", "2012" },
		{ "bits", "2048" }, { "size", "0" }, { "instance", "007" },
		{ "size", "12345678901234567890" }, { "bits", "" }, { 0 } };
	struct play play;

	(void)state;
	begin(&play);
	tell(&play, "dkim", "signature", "pass", "", about);
	struct record record = record_of(&play);

	assert_string_equal(text_of(&play, &record, record_json),
	    "{\"case\":\"7F3K2Q\",\"time\":\"2026-11-24T05:00:00.123Z\",\"point\":\"message\","
	    "\"listener\":\"*:25\",\"client\":{\"ip\":\"198.51.100.9\",\"name\":\"mail.example."
	    "org\","
	    "\"helo\":\"mail.example.org\",\"tls\":\"TLSv1.3\",\"user\":null},"
	    "\"from\":\"a@example.org\",\"recipients\":[\"c@example.com\"],\"size\":1234,"
	    "\"subject\":\"Caf\u00e9 there\",\"facts\":["
	    "{\"filter\":\"ip_list\",\"key\":\"result\",\"value\":\"block\","
	    "\"detail\":\"block.txt:2\",\"ms\":0},"
	    "{\"filter\":\"ptr\",\"key\":\"result\",\"value\":\"pass\","
	    "\"detail\":\"mail.example.org\",\"ms\":0},"
	    "{\"filter\":\"spf\",\"key\":\"result\",\"value\":\"fail\","
	    "\"detail\":\"-all of example.org\",\"ms\":0},"
	    "{\"filter\":\"dkim\",\"key\":\"signature\",\"value\":\"pass\","
	    "\"about\":{\"domain\":\"example.org\",\"selector\":\"2012\",\"bits\":2048,\"size\":0,"
	    "\"instance\":\"007\",\"size\":\"12345678901234567890\",\"bits\":\"\"},"
	    "\"detail\":\"\",\"ms\":0}],"
	    "\"verdict\":{\"action\":\"reject\",\"rule\":\"blocked\",\"score\":4.0,"
	    "\"shadow\":[{\"rule\":\"spf-fail\",\"action\":\"reject\"}]},"
	    "\"reply\":\"550 5.7.1 198.51.100.9 is blocked here (case 7F3K2Q)\","
	    "\"backend\":{\"server\":\"exchange:25\",\"reply\":null},"
	    "\"body\":{\"in\":\"e3b0\",\"out\":null},\"policy\":\"0123abcd\"}");
	play_end(&play);
}

/* A session that was refused before it said anything. */
static void
test_json_of_a_connection(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play, "2001:db8::9", no_filters, NULL);
	struct record record = { .id = "A",
		.time = 0,
		.point = POINT_CONNECT,
		.scope = play.scope,
		.verdict = { DEFER, NULL, 2.25, false } };

	assert_string_equal(text_of(&play, &record, record_json),
	    "{\"case\":\"A\",\"time\":\"1970-01-01T00:00:00.000Z\",\"point\":\"connect\","
	    "\"listener\":\"*:25\",\"client\":{\"ip\":\"2001:db8::9\",\"name\":null,\"helo\":null,"
	    "\"tls\":null,\"user\":null},\"from\":null,\"recipients\":[],\"size\":0,"
	    "\"subject\":null,\"facts\":[],\"verdict\":{\"action\":\"defer\",\"rule\":null,"
	    "\"score\":2.25,\"shadow\":[]},\"reply\":null,"
	    "\"backend\":{\"server\":null,\"reply\":null},\"body\":{\"in\":null,\"out\":null},"
	    "\"policy\":\"0123abcd\"}");
	assert_string_equal(
	    text_of(&play, &record, record_text), "A defer score=2.25 client=2001:db8::9");
	play_end(&play);
}

/* mode: shadow: it was accepted, and what would have been done is under shadow. */
static void
test_mode_shadow(void **state)
{
	struct play play;

	(void)state;
	begin(&play);
	struct record record = record_of(&play);

	record.verdict.is_shadow = true;
	assert_non_null(strstr(text_of(&play, &record, record_json),
	    "\"verdict\":{\"action\":\"accept\",\"rule\":null,\"score\":4.0,\"shadow\":["
	    "{\"rule\":\"blocked\",\"action\":\"reject\"},"
	    "{\"rule\":\"spf-fail\",\"action\":\"reject\"}]}"));
	assert_non_null(strstr(text_of(&play, &record, record_text),
	    "7F3K2Q accept score=4 shadow=blocked:reject,spf-fail:reject client="));
	record.verdict = (struct verdict) { TAG, NULL, 6, true };
	assert_non_null(strstr(text_of(&play, &record, record_json),
	    "\"shadow\":[{\"rule\":null,\"action\":\"tag\"},"));
	assert_non_null(
	    strstr(text_of(&play, &record, record_text), "shadow=thresholds:tag,spf-fail:reject"));
	record.verdict = (struct verdict) { ACCEPT, NULL, 0, true };
	assert_non_null(strstr(text_of(&play, &record, record_json),
	    "\"shadow\":[{\"rule\":\"spf-fail\",\"action\":\"reject\"}]"));
	play_end(&play);
}

static void
test_text(void **state)
{
	struct play play;

	(void)state;
	begin(&play);
	struct record record = record_of(&play);

	record.backend_reply = "250 2.6.0 queued";
	record.backend_tls = "TLSv1.2";
	record.recipients = TEXTS("c@example.com", "d@example.com");
	assert_string_equal(text_of(&play, &record, record_text),
	    "7F3K2Q reject rule=blocked score=4 shadow=spf-fail:reject client=198.51.100.9 "
	    "name=mail.example.org helo=mail.example.org from=<a@example.org> "
	    "to=<c@example.com>,<d@example.com> size=1234 tls=TLSv1.3 "
	    "facts=ip_list.result=block(block.txt:2),ptr.result=pass(mail.example.org),"
	    "spf.result=fail(-all of example.org) "
	    "reply=\"550 5.7.1 198.51.100.9 is blocked here (case 7F3K2Q)\" server=exchange:25 "
	    "server_tls=TLSv1.2 backend=\"250 2.6.0 queued\"");
	play_end(&play);
}

static void
test_many_recipients(void **state)
{
	const char *recipients[1001] = { NULL };
	struct play play;

	(void)state;
	begin(&play);
	struct record record = record_of(&play);

	for (int i = 0; i < 1000; i++)
		recipients[i] = "x@example.com";
	record.recipients = recipients;
	const char *text = text_of(&play, &record, record_text);

	assert_non_null(strstr(text, "<x@example.com>,+980 size="));
	text = text_of(&play, &record, record_json);
	assert_true(strlen(text) > 15000);
	play_end(&play);
}

/* Line ends, quotes, escapes and broken UTF-8 of a peer. */
static void
test_hostile(void **state)
{
	static const char hostile[] = "a\"b\\c\r\nd\x1b[31m\xff\xe2\x80\xa8z";
	const struct address evil = { hostile, hostile, "x", false };
	struct play play;

	(void)state;
	play_begin(&play, "198.51.100.9", no_filters, NULL);
	play_helo(&play, hostile);
	play_mail(&play, evil);
	play_rcpt(&play, evil);
	tell(&play, "spf", "result", "fail", hostile, NULL);
	struct record record = record_of(&play);

	record.recipients = TEXTS(hostile);
	record.subject = slice_of(hostile);
	record.reply = record.backend_reply = hostile;
	const char *json = text_of(&play, &record, record_json);
	const char *text = text_of(&play, &record, record_text);

	assert_null(strstr(json, "\xff"));
	assert_null(strstr(json, "\x1b"));
	assert_null(strstr(text, "\xff"));
	assert_null(strstr(text, "\x1b"));
	assert_null(strstr(text, "\xe2\x80\xa8"));
	assert_non_null(strstr(text, "from=<a\"b\\x5cc\\x0d\\x0ad\\x1b[31m\\xff"));
	play_end(&play);
}

static void
test_small_buffer(void **state)
{
	struct play play;

	(void)state;
	begin(&play);
	struct record record = record_of(&play);

	for (size_t limit = 0; limit < 900; limit += 7) {
		struct buf *out = buf_new(play.arena, limit);

		record_json(out, &record, &policy);
		assert_true(out->length <= limit);
		assert_true(out->overflowed || out->length > 700);
		buf_clear(out);
		record_text(out, &record, &policy);
		assert_true(out->length <= limit);
	}
	play_end(&play);
}

/* ---- replies ---- */

/* {detail}: of the fact that made the rule's first condition hold, whatever else is known. */
static void
test_reply_detail(void **state)
{
	const struct rule rule = { "r1", WHEN("list", END, "bad"), .action = REJECT,
		.text = "holds {detail}" };
	struct play play;

	(void)state;
	begin(&play);
	struct record record = record_of(&play);

	record.verdict.rule = &rule;
	assert_string_equal(
	    record_reply_text(play.arena, &record, 550), "5.7.1 holds unknown (case 7F3K2Q)");
	tell(&play, "list", "other", "bad", "another key", NULL);
	tell(&play, "list", "result", "good", "another value", NULL);
	tell(&play, "list", "result", "bad", "X.1 \r\n250 OK", NULL);
	assert_string_equal(
	    record_reply_text(play.arena, &record, 550), "5.7.1 holds X.1 ??250 OK (case 7F3K2Q)");
	play_end(&play);
}

static const char *
reply(struct play *play, const char *text, int code)
{
	const struct rule rule = { "r1", .action = REJECT, .text = text };
	struct record record = record_of(play);

	record.verdict.rule = &rule;
	return record_reply_text(play->arena, &record, code);
}

static void
test_reply_status(void **state)
{
	struct play play;
	struct record record;

	(void)state;
	begin(&play);
	assert_string_equal(reply(&play, "5.7.1 no", 550), "5.7.1 no (case 7F3K2Q)");
	assert_string_equal(reply(&play, "5.7.23 no", 550), "5.7.23 no (case 7F3K2Q)");
	assert_string_equal(reply(&play, "5.7.1 no", 451), "4.7.1 no (case 7F3K2Q)");
	assert_string_equal(reply(&play, "4.3.2   later", 550), "5.3.2   later (case 7F3K2Q)");
	assert_string_equal(reply(&play, "no", 550), "5.7.1 no (case 7F3K2Q)");
	assert_string_equal(reply(&play, "no", 451), "4.7.1 no (case 7F3K2Q)");
	assert_string_equal(reply(&play, "5.7.1", 550), "5.7.1 (case 7F3K2Q)");
	assert_string_equal(reply(&play, "5.7.1 ", 550), "5.7.1 (case 7F3K2Q)");
	assert_string_equal(reply(&play, "", 550), "5.7.1 (case 7F3K2Q)");
	assert_string_equal(reply(&play, "5.7.1x no", 550), "5.7.1 5.7.1x no (case 7F3K2Q)");
	assert_string_equal(reply(&play, "5.7.1234 no", 550), "5.7.1 5.7.1234 no (case 7F3K2Q)");
	assert_string_equal(reply(&play, "3.7.1 no", 550), "5.7.1 3.7.1 no (case 7F3K2Q)");
	assert_string_equal(reply(&play, NULL, 550), "5.7.1 Refused by local policy (case 7F3K2Q)");
	assert_string_equal(reply(&play, NULL, 451), "4.7.1 Please try again later (case 7F3K2Q)");
	record = record_of(&play);
	record.verdict.rule = NULL;
	assert_string_equal(record_reply_text(play.arena, &record, 550),
	    "5.7.1 Refused by local policy (case 7F3K2Q)");
	record.verdict.rule = &policy_relay_rule;
	assert_string_equal(
	    record_reply_text(play.arena, &record, 550), "5.7.1 Relaying denied (case 7F3K2Q)");
	play_end(&play);
}

static void
test_reply_words(void **state)
{
	struct play play;

	(void)state;
	begin(&play);
	assert_string_equal(
	    reply(&play, "{client} {name} {helo} {from} {recipient} {rule} {case}", 550),
	    "5.7.1 198.51.100.9 mail.example.org mail.example.org a@example.org c@example.com r1 "
	    "7F3K2Q (case 7F3K2Q)");
	assert_string_equal(reply(&play, "{detail}", 550), "5.7.1 unknown (case 7F3K2Q)");
	assert_string_equal(
	    reply(&play, "{client}{client}", 550), "5.7.1 198.51.100.9198.51.100.9 (case 7F3K2Q)");
	assert_string_equal(reply(&play, "{ {} {what} {client {client}", 550),
	    "5.7.1 { {} {what} {client 198.51.100.9 (case 7F3K2Q)");
	assert_string_equal(reply(&play, "{", 550), "5.7.1 { (case 7F3K2Q)");
	assert_string_equal(reply(&play, "x}{case}", 550), "5.7.1 x}7F3K2Q (case 7F3K2Q)");
	play_end(&play);
	play_begin(&play, "192.0.2.1", no_filters, NULL);
	struct record record = { .id = "A", .scope = play.scope };
	const struct rule rule = { "r", .text = "{name} {helo} {from} {recipient}" };

	record.verdict.rule = &rule;
	assert_string_equal(record_reply_text(play.arena, &record, 550),
	    "5.7.1 unknown unknown unknown unknown (case A)");
	play_end(&play);
}

static void
test_reply_is_clean(void **state)
{
	char text[2000], helo[300];
	struct play play;
	const char *got;

	(void)state;
	begin(&play);
	assert_string_equal(
	    reply(&play, "a\r\n250 b\x80\x7f\t", 550), "5.7.1 a??250 b??? (case 7F3K2Q)");
	memset(helo, 'h', sizeof(helo) - 1);
	helo[sizeof(helo) - 1] = '\0';
	play.client.helo = helo;
	got = reply(&play, "{helo} end", 550);
	assert_non_null(strstr(got, "h end (case 7F3K2Q)"));
	assert_true(strlen(got) < 140);
	play.client.helo = "{case}\r\n{client}";
	assert_string_equal(reply(&play, "{helo}", 550), "5.7.1 {case}??{client} (case 7F3K2Q)");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	got = reply(&play, text, 550);
	assert_int_equal(strlen(got), 400);
	assert_string_equal(strchr(got, '(') - 3, "xx (case 7F3K2Q)");
	play_end(&play);
}

/* Every byte and every place to cut: still one clean line. */
static void
test_reply_of_any_text(void **state)
{
	static const char sample[] = "5.7.1 {client} {na{name}me} {rule}}{{case} \xc3\xa4 {from";
	struct play play;

	(void)state;
	begin(&play);
	for (size_t from = 0; from < sizeof(sample); from++) {
		const char *got = reply(&play, sample + from, 550);

		assert_true(strncmp(got, "5.", 2) == 0);
		assert_non_null(strstr(got, " (case 7F3K2Q)"));
		for (; *got != '\0'; got++)
			assert_in_range((unsigned char)*got, ' ', '~');
	}
	play_end(&play);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_of_a_connection),
		cmocka_unit_test(test_mode_shadow),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_many_recipients),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_small_buffer),
		cmocka_unit_test(test_reply_status),
		cmocka_unit_test(test_reply_detail),
		cmocka_unit_test(test_reply_words),
		cmocka_unit_test(test_reply_is_clean),
		cmocka_unit_test(test_reply_of_any_text),
	};

	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
