/* What clamd, rspamd and spamd answer, or somebody who only says that he is one of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/clamd.h"
#include "lib/rspamd.h"
#include "lib/spamd.h"
#include "lib/status_answer.h"

union answer {
	struct clamd_answer clamd;
	struct rspamd_answer rspamd;
	struct spamd_answer spamd;
};

struct row {
	const char *text;
	size_t length; /* 0: to its NUL */
	enum scanner_reading want;
	const char *want_text; /* of what was read, or a part of why not */
	bool is_over;          /* nothing more comes */
};

static const char *
symbols_text(const struct symbols *symbols)
{
	static char text[2048];
	size_t length = 0;

	text[0] = '\0';
	for (size_t i = 0; i < symbols->count && length < sizeof(text) - 100; i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length, " %s=%.2f",
		    symbols->item[i].name, symbols->item[i].score);
	return text;
}

static const char *
clamd_text(const union answer *answer)
{
	return answer->clamd.is_infected ? answer->clamd.name : "clean";
}

static const char *
rspamd_text(const union answer *answer)
{
	static char text[4096];

	snprintf(text, sizeof(text), "%d %s %.2f/%.2f%s", answer->rspamd.action,
	    answer->rspamd.name, answer->rspamd.score,
	    answer->rspamd.has_required ? answer->rspamd.required : 0,
	    symbols_text(&answer->rspamd.symbols));
	return text;
}

static const char *
spamd_text(const union answer *answer)
{
	static char text[4096];

	snprintf(text, sizeof(text), "%s %.1f/%.1f%s", answer->spamd.is_spam ? "spam" : "ham",
	    answer->spamd.score, answer->spamd.required, symbols_text(&answer->spamd.symbols));
	return text;
}

/* The bytes in a block of their own, so that a look behind them is seen. */
static enum scanner_reading
read_copy(scanner_reader read, union answer *answer, struct slice text, bool is_over,
    char why[SCANNER_WHY_MOST])
{
	char *copy = malloc(text.length > 0 ? text.length : 1);

	memcpy(copy, text.data, text.length);
	memset(answer, 0, sizeof(*answer));
	why[0] = '\0';
	enum scanner_reading reading =
	    read(answer, (struct slice) { copy, text.length }, is_over, why);

	free(copy);
	return reading;
}

static void
check(const struct row *row, scanner_reader read, const char *(*text)(const union answer *))
{
	struct slice whole = { row->text, row->length > 0 ? row->length : strlen(row->text) };
	union answer answer;
	char why[SCANNER_WHY_MOST];
	enum scanner_reading reading = read_copy(read, &answer, whole, row->is_over, why);

	if (reading != row->want)
		fail_msg("%s: %d (%s)", row->text, reading, why);
	if (reading == SCANNER_GOOD)
		assert_string_equal(text(&answer), row->want_text);
	else if (row->want_text != NULL && strstr(why, row->want_text) == NULL)
		fail_msg("%s: \"%s\" is not in \"%s\"", row->text, row->want_text, why);
	assert_true((reading == SCANNER_BAD) == (why[0] != '\0') || reading == SCANNER_TOO_LARGE);
	for (size_t length = 0; length < whole.length && row->want == SCANNER_GOOD; length++) {
		struct slice begun = { row->text, length };

		assert_int_equal(read_copy(read, &answer, begun, false, why), SCANNER_MORE);
	}
}

#define BYTES(text) text, sizeof(text) - 1

static void
test_clamd(void **state)
{
	static const struct row rows[] = {
		{ BYTES("stream: OK\0"), SCANNER_GOOD, "clean" },
		{ BYTES("stream: Win.Test.EICAR_HDB-1 FOUND\0"), SCANNER_GOOD,
		    "Win.Test.EICAR_HDB-1" },
		{ BYTES("stream: Eicar(44d8:68) FOUND\0"), SCANNER_GOOD, "Eicar(44d8:68)" },
		{ BYTES("stream: a \x1b[2J\xff FOUND\0"), SCANNER_GOOD, "a \\x1b[2J\\xff" },
		{ BYTES("stream: OK FOUND\0"), SCANNER_GOOD, "OK" },
		{ BYTES("INSTREAM size limit exceeded. ERROR\0"), SCANNER_TOO_LARGE,
		    "StreamMaxLength" },
		{ BYTES("stream: OK"), SCANNER_MORE, NULL },
		{ BYTES("stream: OK"), SCANNER_BAD, "stream: OK", true },
		{ BYTES("stream: OK\n\0"), SCANNER_BAD, "stream: OK" },
		{ BYTES("stream: OK\0x"), SCANNER_BAD, "stream: OK" },
		{ BYTES("stream: OK\0stream: OK\0"), SCANNER_BAD, "stream: OK" },
		{ BYTES("stream:  FOUND\0"), SCANNER_BAD, "FOUND" },
		{ BYTES("stream: FOUND\0"), SCANNER_BAD, "FOUND" },
		{ BYTES("stream: \0"), SCANNER_BAD, "stream" },
		{ BYTES("OK\0"), SCANNER_BAD, "\"OK\"" },
		{ BYTES("\0"), SCANNER_BAD, "\"\"" },
		{ BYTES("stream: Can't allocate memory ERROR\0"), SCANNER_BAD, "allocate memory" },
		{ BYTES("COMMAND READ TIMED OUT\0"), SCANNER_BAD, "TIMED OUT" },
		{ BYTES("UNKNOWN COMMAND\0"), SCANNER_BAD, "UNKNOWN" },
		{ BYTES("HTTP/1.1 200 OK\r\n\r\n"), SCANNER_BAD, "HTTP", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(&rows[i], clamd_read, clamd_text);
}

static void
test_clamd_long_name(void **state)
{
	char text[4000] = "stream: ";
	union answer answer;
	char why[SCANNER_WHY_MOST];

	(void)state;
	memset(text + 8, 'x', 3000);
	strcpy(text + 3008, " FOUND");
	assert_int_equal(
	    read_copy(clamd_read, &answer, (struct slice) { text, strlen(text) + 1 }, false, why),
	    SCANNER_GOOD);
	assert_true(answer.clamd.is_infected);
	assert_int_equal(strlen(answer.clamd.name), CLAMD_NAME_MOST - 1);
	assert_int_equal(
	    read_copy(clamd_read, &answer, (struct slice) { text, strlen(text) }, true, why),
	    SCANNER_BAD);
}

#define HEAD "HTTP/1.1 200 OK\r\nServer: rspamd/3.4\r\nContent-Type: application/json\r\n"
#define RSPAMD(length, json) HEAD "Content-Length: " #length "\r\n\r\n" json

static void
test_rspamd(void **state)
{
	static const struct row rows[] = {
		{ RSPAMD(33, "{\"score\":1,\"action\":\"add header\"}"), 0, SCANNER_GOOD,
		    "2 add header 1.00/0.00" },
		{ HEAD "\r\n{\"score\":0.1,\"action\":\"no action\"}", 0, SCANNER_GOOD,
		    "0 no action 0.10/0.00", true },
		{ RSPAMD(28, "{\"score\":1,\"action\":\"reject\"}"), 0, SCANNER_BAD, "behind" },
		{ RSPAMD(30, "{\"score\":1,\"action\":\"reject\"}"), 0, SCANNER_MORE, NULL },
		{ RSPAMD(30, "{\"score\":1,\"action\":\"reject\"}"), 0, SCANNER_BAD, "cut off",
		    true },
		{ RSPAMD(0, ""), 0, SCANNER_BAD, "no verdict" },
		{ RSPAMD(99999999999, "{}"), 0, SCANNER_BAD, "how long" },
		{ RSPAMD(9999999999, "{}"), 0, SCANNER_BAD, "too long" },
		{ RSPAMD(-1, "{}"), 0, SCANNER_BAD, "how long" },
		{ RSPAMD(2 2, "{}"), 0, SCANNER_BAD, "how long" },
		{ HEAD "Content-Length: 2\r\ncontent-length: 2\r\n\r\n{}", 0, SCANNER_BAD,
		    "how long" },
		{ HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 0, SCANNER_BAD,
		    "how long" },
		{ "HTTP/1.1 500 invalid command\r\nContent-Length: 2\r\n\r\n{}", 0, SCANNER_BAD,
		    "it says \"500 invalid command\"" },
		{ "HTTP/1.1 403\r\nContent-Length: 0\r\n\r\n", 0, SCANNER_BAD, "it says \"403 \"" },
		{ "HTTP/1.1 2000 OK\r\n\r\n{}", 0, SCANNER_BAD, "no answer" },
		{ "HTTP/1.1 -2 OK\r\n\r\n{}", 0, SCANNER_BAD, "no answer" },
		{ "HTTP/ 200 OK\r\n\r\n{}", 0, SCANNER_BAD, "no answer" },
		{ "http/1.1 200 OK\r\n\r\n{}", 0, SCANNER_BAD, "no answer" },
		{ "SPAMD/1.1 0 EX_OK\r\n", 0, SCANNER_BAD, "no answer" },
		{ "\n", 0, SCANNER_BAD, "no answer" },
		{ "HTTP/1.1 200 OK\r\nServer: x", 0, SCANNER_BAD, "cut off", true },
		{ "HTTP/1.1 200 OK", 0, SCANNER_BAD, "no answer", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(&rows[i], rspamd_read, rspamd_text);
}

/* An answer of this JSON, as it would come. */
static enum scanner_reading
read_json(const char *json, size_t length, union answer *answer)
{
	char *text = malloc(length + 200);
	char why[SCANNER_WHY_MOST];
	size_t head = (size_t)snprintf(text, 200, HEAD "Content-Length: %zu\r\n\r\n", length);

	memcpy(text + head, json, length);
	enum scanner_reading reading =
	    read_copy(rspamd_read, answer, (struct slice) { text, head + length }, false, why);

	free(text);
	return reading;
}

static void
test_rspamd_json(void **state)
{
	static const struct {
		const char *json, *want; /* NULL: no verdict */
	} rows[] = {
		{ "{\"is_skipped\":false,\"score\":4.5,\"required_score\":15.0,\"action\":"
		  "\"greylist\",\"symbols\":{}}   ",
		    "1 greylist 4.50/15.00" },
		{ "{\"score\":-1,\"action\":\"my\\u0007own\"}", "8 my\\x07own -1.00/0.00" },
		{ "{\"score\":1,\"action\":\"soft reject\",\"required_score\":null}",
		    "4 soft reject 1.00/0.00" },
		{ "{\"score\":1,\"action\":\"reject\",\"symbols\":{\"A\":{\"score\":0},"
		  "\"B\":{\"score\":-2},\"C\":{\"score\":1}}}",
		    "5 reject 1.00/0.00 B=-2.00 C=1.00 A=0.00" },
		{ "{\"score\":1,\"action\":\"reject\",\"a\":\"\xff\"}", "5 reject 1.00/0.00" },
		{ "{\"score\":1,\"action\":\"reject\",\"a\":\"\\u0000\"}", "5 reject 1.00/0.00" },
		{ "{\"score\":1,\"action\":\"reject\",\"a\":99999999999999999999}",
		    "5 reject 1.00/0.00" },
		{ "{\"score\":1,\"action\":\"reject\",\"symbols\":[1]}", "5 reject 1.00/0.00" },
		{ "{\"score\":1,\"action\":\"reject\",\"symbols\":{\"A\":[7]}}",
		    "5 reject 1.00/0.00 A=0.00" },
		{ "{\"score\":\"1\",\"action\":\"reject\"}", NULL },
		{ "{\"score\":1e99,\"action\":\"reject\"}", NULL },
		{ "{\"score\":1,\"action\":null}", NULL },
		{ "{\"score\":1}", NULL },
		{ "[]", NULL },
		{ "{]", NULL },
		{ "1", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		union answer answer;
		enum scanner_reading reading =
		    read_json(rows[i].json, strlen(rows[i].json), &answer);

		assert_int_equal(reading, rows[i].want != NULL ? SCANNER_GOOD : SCANNER_BAD);
		if (rows[i].want != NULL)
			assert_string_equal(rspamd_text(&answer), rows[i].want);
	}
}

/* Deep, wide and long: refused before it costs much, and a real list of addresses is not. */
static void
test_rspamd_large(void **state)
{
	const size_t most = RSPAMD_ANSWER_MOST;
	char *json = malloc(most);
	union answer answer;
	size_t length;

	(void)state;
	memset(json, '[', most);
	assert_int_equal(read_json(json, 50000, &answer), SCANNER_BAD);
	assert_int_equal(read_json(json, most, &answer), SCANNER_BAD);
	memset(json, ',', most);
	assert_int_equal(read_json(json, most, &answer), SCANNER_BAD);
	memset(json, '"', most);
	assert_int_equal(read_json(json, most, &answer), SCANNER_BAD);
	length = (size_t)sprintf(json, "{\"score\":7,\"action\":\"reject\",\"urls\":[");
	for (size_t i = 0; i < 10240; i++)
		length += (size_t)sprintf(json + length, "\"%0300zu,[{,\",", i);
	length += (size_t)sprintf(json + length, "0]}");
	assert_int_equal(read_json(json, length, &answer), SCANNER_GOOD);
	assert_int_equal(answer.rspamd.action, RSPAMD_REJECT);
	length = (size_t)sprintf(json, "{\"score\":7,\"action\":\"reject\",\"urls\":[");
	for (size_t i = 0; i < 100000; i++)
		length += (size_t)sprintf(json + length, "0,");
	length += (size_t)sprintf(json + length, "0]}");
	assert_int_equal(read_json(json, length, &answer), SCANNER_BAD);
	free(json);
}

static void
test_spamd(void **state)
{
	static const struct row rows[] = {
		{ "SPAMD/1.1 0 EX_OK\r\nContent-length: 11\r\nSpam: True ; 15.0 / 5.0\r\n\r\n"
		  "GTUBE,BULKY",
		    0, SCANNER_GOOD, "spam 15.0/5.0 GTUBE=0.00 BULKY=0.00" },
		{ "SPAMD/1.1 0 EX_OK\r\nSpam: False ; -0.5 / 5.0\r\n\r\n A, B ,,\tC\r\n", 0,
		    SCANNER_GOOD, "ham -0.5/5.0 A=0.00 B=0.00 C=0.00", true },
		{ "SPAMD/1.1 0 EX_OK\r\nSpam: Yes ; 5 / 5\r\nContent-length: 0\r\n\r\n", 0,
		    SCANNER_GOOD, "spam 5.0/5.0" },
		{ "SPAMD/1.1 0 EX_OK\r\nSpam: No ; 1.0 / 5.0\r\n", 0, SCANNER_GOOD, "ham 1.0/5.0",
		    true },
		{ "SPAMD/1.1 0 EX_OK\r\nSpam: Maybe ; 1.0 / 5.0\r\n\r\n", 0, SCANNER_BAD,
		    "no verdict", true },
		{ "SPAMD/1.1 0 EX_OK\r\nSpam: True ; nan / 5.0\r\n\r\n", 0, SCANNER_BAD,
		    "no verdict", true },
		{ "SPAMD/1.1 0 EX_OK\r\nSpam: True ; 1 / 1e300\r\n\r\n", 0, SCANNER_BAD,
		    "no verdict", true },
		{ "SPAMD/1.1 0 EX_OK\r\nSpam: True ; 1 / 5 x\r\n\r\n", 0, SCANNER_BAD, "no verdict",
		    true },
		{ "SPAMD/1.1 0 EX_OK\r\nSpam: True\r\n\r\n", 0, SCANNER_BAD, "no verdict", true },
		{ "SPAMD/1.1 0 EX_OK\r\n\r\n", 0, SCANNER_BAD, "no verdict", true },
		{ "SPAMD/1.0 76 Bad header line: x\r\n", 0, SCANNER_BAD,
		    "it says \"76 Bad header line: x\"", true },
		{ "SPAMD/1.0 76 Bad\r\n", 0, SCANNER_MORE, NULL },
		{ "HTTP/1.1 200 OK\r\n\r\n", 0, SCANNER_BAD, "no answer" },
		{ "SPAMD/1.1 0 EX_OK\r\nSpam: True ; 1 / 5\r\nContent-length: 1\r\n\r\nAB", 0,
		    SCANNER_BAD, "behind" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(&rows[i], spamd_read, spamd_text);
}

/* Fields without an end are given up. */
static void
test_long_head(void **state)
{
	size_t length = 2 * STATUS_ANSWER_HEAD_MOST;
	char *text = malloc(length);
	union answer answer;
	char why[SCANNER_WHY_MOST];

	(void)state;
	memset(text, 'x', length);
	memcpy(text, HEAD, sizeof(HEAD) - 1);
	for (size_t come = 1; come <= length; come = come * 2)
		assert_int_equal(
		    read_copy(rspamd_read, &answer, (struct slice) { text, come }, false, why),
		    come <= STATUS_ANSWER_HEAD_MOST ? SCANNER_MORE : SCANNER_BAD);
	memset(text, 'x', length);
	assert_int_equal(
	    read_copy(spamd_read, &answer, (struct slice) { text, length }, false, why),
	    SCANNER_BAD);
	free(text);
}

static void
test_symbols(void **state)
{
	struct symbols symbols = { 0 };

	(void)state;
	for (int i = 0; i < 100; i++) {
		char name[16];

		snprintf(name, sizeof(name), "S%d", i);
		symbols_add(&symbols, slice_of(name), i % 2 ? -i : i);
	}
	assert_int_equal(symbols.count, SYMBOLS_MOST);
	assert_string_equal(symbols.item[0].name, "S99");
	assert_true(symbols.item[0].score == -99.0);
	assert_string_equal(symbols.item[SYMBOLS_MOST - 1].name, "S70");
	symbols_add(&symbols, slice_of("low"), 1);
	assert_string_equal(symbols.item[SYMBOLS_MOST - 1].name, "S70");
	symbols_add(&symbols, slice_of("mad"), 1e300);
	assert_string_equal(symbols.item[0].name, "S99");
	symbols_add(&symbols, (struct slice) { "a\0b\n", 4 }, 100);
	assert_string_equal(symbols.item[0].name, "a\\x00b\\x0a");
	assert_string_equal(symbols.item[SYMBOLS_MOST - 1].name, "S71");
	char longest[200];

	memset(longest, 'x', sizeof(longest));
	symbols_add(&symbols, (struct slice) { longest, sizeof(longest) }, 1000);
	assert_int_equal(strlen(symbols.item[0].name), SYMBOL_NAME_MOST - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clamd),
		cmocka_unit_test(test_clamd_long_name),
		cmocka_unit_test(test_rspamd),
		cmocka_unit_test(test_rspamd_json),
		cmocka_unit_test(test_rspamd_large),
		cmocka_unit_test(test_spamd),
		cmocka_unit_test(test_long_head),
		cmocka_unit_test(test_symbols),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
