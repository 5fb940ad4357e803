#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/smtp.h"

enum { LIMIT = 64 * 1024, ALL = 0xffff, SHORT = 16, RECORD = 4096 };

/* What a session would hear, as text: "[line]" for a line, "!" bare newline, "~" too long. */
struct record {
	struct smtp_line state;
	char input[RECORD], heard[RECORD];
	size_t length;
};

static void
record_hear(struct record *record, const char *format, ...)
{
	size_t length = strlen(record->heard);
	va_list args;

	va_start(args, format);
	vsnprintf(record->heard + length, RECORD - length, format, args);
	va_end(args);
}

/* More input comes; all that can be read is read. */
static void
record_feed(struct record *record, struct slice more, size_t limit)
{
	memcpy(record->input + record->length, more.data, more.length);
	record->length += more.length;
	for (;;) {
		/* A copy of the exact size, so that AddressSanitizer sees a read beyond. */
		char *copy = malloc(record->length > 0 ? record->length : 1);
		struct slice input = { memcpy(copy, record->input, record->length),
			record->length };
		struct slice line;
		size_t used;
		enum smtp_line_result result =
		    smtp_line_find(&record->state, input, limit, &line, &used);

		assert_true(used <= record->length);
		if (result == SMTP_LINE_HAS) {
			assert_true(line.length + 2 <= limit);
			record_hear(record, "[%.*s]", (int)line.length, line.data);
		}
		if (result == SMTP_LINE_BARE_NEWLINE)
			record_hear(record, "!");
		if (result == SMTP_LINE_TOO_LONG)
			record_hear(record, "~");
		free(copy);
		record->length -= used;
		memmove(record->input, record->input + used, record->length);
		if (result == SMTP_LINE_NONE)
			return;
		assert_true(used > 0);
	}
}

static void
check_lines(const char *text, size_t length, const char *want)
{
	struct record whole = { .length = 0 }, bytes = { .length = 0 };

	record_feed(&whole, (struct slice) { text, length }, SHORT);
	for (size_t i = 0; i < length; i++)
		record_feed(&bytes, (struct slice) { text + i, 1 }, SHORT);
	if (want != NULL)
		assert_string_equal(whole.heard, want);
	assert_string_equal(bytes.heard, whole.heard);
	assert_int_equal(bytes.state.is_dropping, whole.state.is_dropping);
	assert_int_equal(bytes.length, whole.length);
	for (size_t cut = 1; cut < length; cut++) {
		struct record record = { .length = 0 };

		record_feed(&record, (struct slice) { text, cut }, SHORT);
		record_feed(&record, (struct slice) { text + cut, length - cut }, SHORT);
		assert_string_equal(record.heard, whole.heard);
	}
}

static void
test_lines(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "", "" },
		{ "NOOP", "" },
		{ "NOOP\r", "" },
		{ "NOOP\r\n", "[NOOP]" },
		{ "\r\n", "[]" },
		{ "A\r\nB\r\nC", "[A][B]" },
		{ "NOOP\n", "!" },
		{ "NOOP\nNOOP\r\nQUIT\r\n", "![QUIT]" },
		{ "A\nB\nC\nD\r\nQUIT\r\n", "![QUIT]" },
		{ "NOOP\rNOOP\r\nQUIT\r\n", "![QUIT]" },
		{ "NOOP\r\r\nQUIT\r\n", "![QUIT]" },
		{ "\r\r\r\n\r\n", "![]" },
		{ "\n\r\nA\r\n", "![A]" },
		{ "\n\n\r\r\n", "!" },
		{ "A\r\n\nB\r\nC\r\n", "[A]![C]" },
		{ "12345678901234\r\n", "[12345678901234]" },
		{ "123456789012345\r\nA\r\n", "~[A]" },
		{ "1234567890123456\r\nA\r\n", "~[A]" },
		{ "12345678901234567890\r\nA\r\n", "~[A]" },
		{ "12345678901234567890\nA\r\nB\r\n", "~[B]" },
		{ "123456789012345\rA\r\nB\r\n", "~[B]" },
		{ "12345678901234\rA\r\nB\r\n", "![B]" },
		{ "12345678901234\n", "!" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_lines(rows[i].text, strlen(rows[i].text), rows[i].want);
	check_lines("A\r\0\nB\r\nC\r\n", 10, "![C]");
}

/* All texts of up to eight octets of an alphabet: the cut must make no difference. */
static void
test_lines_all(void **state)
{
	static const char alphabet[] = "a\r\n";

	(void)state;
	for (size_t length = 1; length <= 8; length++) {
		size_t count = 1;

		for (size_t i = 0; i < length; i++)
			count *= 3;
		for (size_t n = 0; n < count; n++) {
			char text[16];
			size_t rest = n;

			for (size_t i = 0; i < length; i++, rest /= 3)
				text[i] = alphabet[rest % 3];
			check_lines(text, length, NULL);
		}
	}
}

static void
test_lines_dropped(void **state)
{
	struct smtp_line line_state = { .is_dropping = false };
	struct slice line;
	size_t used;

	(void)state;
	assert_int_equal(smtp_line_find(&line_state, slice_of("a\nbc"), SHORT, &line, &used),
	    SMTP_LINE_BARE_NEWLINE);
	assert_int_equal(used, 2);
	assert_int_equal(
	    smtp_line_find(&line_state, slice_of("bc"), SHORT, &line, &used), SMTP_LINE_NONE);
	assert_int_equal(used, 2);
	assert_int_equal(line_state.dropped, 4);
	assert_int_equal(
	    smtp_line_find(&line_state, (struct slice) { NULL, 0 }, SHORT, &line, &used),
	    SMTP_LINE_NONE);
	assert_int_equal(used, 0);
}

static void
test_command(void **state)
{
	static const struct {
		const char *line, *verb, *argument; /* verb NULL: a fault */
	} rows[] = {
		{ "NOOP", "NOOP", "" },
		{ "noop", "NOOP", "" },
		{ "NOOP   ", "NOOP", "" },
		{ "NOOP whatever", "NOOP", "whatever" },
		{ "mail  FROM:<a@b>  ", "MAIL", "FROM:<a@b>" },
		{ "MAIL\tFROM:<a@b>\t", "MAIL", "FROM:<a@b>" },
		{ "EHLO a b", "EHLO", "a b" },
		{ "VRFY b\xc3\xbc", "VRFY", "b\xc3\xbc" },
		{ "12345", "12345", "" },
		{ "ABCDEFGHIJKL x", "ABCDEFGHIJKL", "x" },
		{ "ABCDEFGHIJKLM", NULL, "" },
		{ "", NULL, "" },
		{ " ", NULL, "" },
		{ "\t", NULL, "" },
		{ " NOOP", NULL, "" },
		{ "MAILFROM:<a@b>", NULL, "" },
		{ "Received: from x", NULL, "" },
		{ "N\xc3\x96P", NULL, "" },
		{ "\xef\xbb\xbf"
		  "EHLO a",
		    NULL, "" },
		{ "NO\x01OP", NULL, "" },
		{ "NOOP a\x7f", NULL, "" },
		{ "NOOP\x0b", NULL, "" },
		{ "NOOP a\rb", NULL, "" },
		{ "NOOP a\nb", NULL, "" },
	};
	struct smtp_command command;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct smtp_fault *fault =
		    smtp_command_read(&command, slice_of(rows[i].line));

		if ((fault == NULL) != (rows[i].verb != NULL))
			fail_msg("\"%s\"", rows[i].line);
		assert_string_equal(command.verb, rows[i].verb != NULL ? rows[i].verb : "");
		if (fault == NULL)
			assert_true(slice_equals(command.argument, slice_of(rows[i].argument)));
		else
			assert_int_equal(fault->code, 500);
	}
	assert_non_null(smtp_command_read(&command, (struct slice) { "NOOP\0", 5 }));
	assert_non_null(smtp_command_read(&command, (struct slice) { "NO\0OP", 5 }));
}

static void
test_helo(void **state)
{
	static const char *const good[] = { "a", "mail.example.org", "[192.0.2.1]",
		"[IPv6:2001:db8::1]", "192.0.2.1", "my_host", "localhost", "a.example.",
		"[192.0.2.1" };
	static const char *const bad[] = { "", "a b", "a(b)", "<a>", "\"a\"", "a;b", "a,b", "a\\b",
		"b\xc3\xbc", "a\tb" };
	struct slice name;
	char text[300];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_null(smtp_helo_read(&name, slice_of(good[i])));
		assert_true(slice_equals(name, slice_of(good[i])));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(smtp_helo_read(&name, slice_of(bad[i]))->code, 501);
	memset(text, 'a', sizeof(text));
	assert_null(smtp_helo_read(&name, (struct slice) { text, 255 }));
	assert_non_null(smtp_helo_read(&name, (struct slice) { text, 256 }));
}

static void
test_mail_and_rcpt(void **state)
{
	struct arena *arena = arena_new(LIMIT);
	struct smtp_path path;
	struct smtp_params params;

	(void)state;
	assert_null(
	    smtp_mail_read(&path, &params, slice_of("FROM:<a@b> SIZE=5 BODY=8BITMIME"), ALL, 9));
	assert_true(slice_equals(smtp_mail_format(arena, &path, &params, SMTP_EXT_SIZE),
	    slice_of("MAIL FROM:<a@b> SIZE=5\r\n")));
	assert_int_equal(
	    smtp_mail_read(&path, &params, slice_of("FROM:<a@b> SIZE=10"), ALL, 9)->code, 552);
	assert_null(smtp_mail_read(&path, &params, slice_of("FROM:<>"), 0, 0));
	assert_true(slice_equals(
	    smtp_mail_format(arena, &path, &params, ALL), slice_of("MAIL FROM:<>\r\n")));
	assert_null(
	    smtp_rcpt_read(&path, &params, slice_of("TO:<@r:a@b> NOTIFY=NEVER"), ALL, false));
	assert_true(slice_equals(smtp_rcpt_format(arena, &path, &params, ALL),
	    slice_of("RCPT TO:<a@b> NOTIFY=NEVER\r\n")));
	assert_int_equal(
	    smtp_rcpt_read(&path, &params, slice_of("TO:<a@b"), ALL, false)->code, 501);
	arena_free(arena);
}

static void
test_utf8_needs_smtputf8(void **state)
{
	struct smtp_path path;
	struct smtp_params params;
	struct slice sender = slice_of("FROM:<\xc3\xbc@b>");

	(void)state;
	assert_null(smtp_mail_read(&path, &params, slice_of("FROM:<\xc3\xbc@b> SMTPUTF8"), ALL, 0));
	assert_string_equal(smtp_mail_read(&path, &params, sender, ALL, 0)->enhanced, "5.6.7");
	assert_int_equal(smtp_mail_read(&path, &params, slice_of("FROM:<\xc3\xbc@b> SMTPUTF8"),
			     ALL & ~SMTP_EXT_SMTPUTF8, 0)
			     ->code,
	    555);
	assert_null(smtp_rcpt_read(&path, &params, slice_of("TO:<a@b\xc3\xbc>"), ALL, true));
	assert_int_equal(
	    smtp_rcpt_read(&path, &params, slice_of("TO:<a@b\xc3\xbc>"), ALL, false)->code, 553);
}

static void
test_bdat(void **state)
{
	static const struct {
		const char *argument;
		uint64_t size;
		bool is_good, is_last;
	} rows[] = {
		{ "0", 0, true, false },
		{ "0 LAST", 0, true, true },
		{ "138 last", 138, true, true },
		{ "000138", 138, true, false },
		{ "4294967301  LAST", 4294967301u, true, true },
		{ "9223372036854775807", INT64_MAX, true, false },
		{ "9223372036854775808", 0, false, false },
		{ "18446744073709551616", 0, false, false },
		{ "99999999999999999999 LAST", 0, false, false },
		{ "", 0, false, false },
		{ "LAST", 0, false, false },
		{ "-1 LAST", 0, false, false },
		{ "+1 LAST", 0, false, false },
		{ "0x0 LAST", 0, false, false },
		{ "0 FOO", 0, false, false },
		{ "138LAST", 0, false, false },
		{ "138 LAST x", 0, false, false },
		{ "138 LASTX", 0, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t size;
		bool is_last;
		const struct smtp_fault *fault =
		    smtp_bdat_read(&size, &is_last, slice_of(rows[i].argument));

		if ((fault == NULL) != rows[i].is_good)
			fail_msg("\"%s\"", rows[i].argument);
		if (fault != NULL)
			continue;
		assert_true(size == rows[i].size);
		assert_int_equal(is_last, rows[i].is_last);
	}
}

static void
test_auth(void **state)
{
	struct slice mechanism, initial;

	(void)state;
	assert_null(smtp_auth_read(&mechanism, &initial, slice_of("PLAIN")));
	assert_null(initial.data);
	assert_null(smtp_auth_read(&mechanism, &initial, slice_of("scram-sha-256 AGEAYg==")));
	assert_true(slice_equals(mechanism, slice_of("scram-sha-256")));
	assert_true(slice_equals(initial, slice_of("AGEAYg==")));
	assert_null(smtp_auth_read(&mechanism, &initial, slice_of("EXTERNAL =")));
	assert_true(slice_equals(initial, slice_of("=")));
	assert_int_equal(smtp_auth_read(&mechanism, &initial, slice_of(""))->code, 501);
	assert_non_null(smtp_auth_read(&mechanism, &initial, slice_of("PL\"IN")));
	assert_non_null(smtp_auth_read(&mechanism, &initial, slice_of("AAAAAAAAAABBBBBBBBBBC")));
	assert_non_null(smtp_auth_read(&mechanism, &initial, slice_of("PLAIN AGEA x")));
	assert_string_equal(
	    smtp_auth_read(&mechanism, &initial, slice_of("PLAIN !!!!"))->enhanced, "5.5.2");
	assert_true(smtp_auth_line_is_valid(slice_of("")));
	assert_true(smtp_auth_line_is_valid(slice_of("AGEA")));
	assert_true(smtp_auth_line_is_valid(slice_of("+/E=")));
	assert_false(smtp_auth_line_is_valid(slice_of("*")));
	assert_false(smtp_auth_line_is_valid(slice_of("AGE")));
	assert_false(smtp_auth_line_is_valid(slice_of("A===")));
	assert_false(smtp_auth_line_is_valid(slice_of("A=EA")));
	assert_false(smtp_auth_line_is_valid(slice_of("AG A")));
}

static void
test_fault_format(void **state)
{
	char text[SMTP_FAULT_MOST];

	(void)state;
	assert_string_equal(
	    smtp_fault_format(text, &smtp_fault_long_line), "500 5.5.6 Line too long");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_lines_all),
		cmocka_unit_test(test_lines_dropped),
		cmocka_unit_test(test_command),
		cmocka_unit_test(test_helo),
		cmocka_unit_test(test_mail_and_rcpt),
		cmocka_unit_test(test_utf8_needs_smtputf8),
		cmocka_unit_test(test_bdat),
		cmocka_unit_test(test_auth),
		cmocka_unit_test(test_fault_format),
	};

	return cmocka_run_group_tests_name("smtp", tests, NULL, NULL);
}
