#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/smtp_param.h"

#define X10 "xxxxxxxxxx"
#define X100 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10

enum { LIMIT = 64 * 1024, ALL = 0xffff };

/* code 0: no fault. */
struct param_case {
	const char *text;
	int code;
	uint32_t extensions;
};

static const struct param_case mail_rows[] = {
	{ "", 0, 0 },
	{ "SIZE=1000", 0, SMTP_EXT_SIZE },
	{ "SIZE=0", 0, SMTP_EXT_SIZE },
	{ "size=1000", 0, SMTP_EXT_SIZE },
	{ "SIZE=00000000000000001000", 0, SMTP_EXT_SIZE },
	{ "SIZE=1000", 555, ALL & ~SMTP_EXT_SIZE },
	{ "SIZE=", 501, ALL },
	{ "SIZE", 501, ALL },
	{ "SIZE=-1", 501, ALL },
	{ "SIZE=+1", 501, ALL },
	{ "SIZE=0x10", 501, ALL },
	{ "SIZE=abc", 501, ALL },
	{ "SIZE=1=2", 501, ALL },
	{ "SIZE=1000001", 552, ALL },
	{ "SIZE=4294967396", 552, ALL },
	{ "SIZE=18446744073709551616", 552, ALL },
	{ "SIZE=99999999999999999999", 552, ALL },
	{ "SIZE=100000000000000000000", 501, ALL },
	{ "SIZE=1 SIZE=2", 501, ALL },
	{ "SIZE=1 size=1", 501, ALL },
	{ "BODY=7BIT", 0, SMTP_EXT_8BITMIME },
	{ "body=8bitmime", 0, SMTP_EXT_8BITMIME },
	{ "BODY=BINARYMIME", 0, SMTP_EXT_BINARYMIME },
	{ "BODY=BINARYMIME", 555, ALL & ~SMTP_EXT_BINARYMIME },
	{ "BODY=8BITMIME", 555, ALL & ~SMTP_EXT_8BITMIME & ~SMTP_EXT_BINARYMIME },
	{ "BODY=", 501, ALL },
	{ "BODY", 501, ALL },
	{ "BODY=9BIT", 501, ALL },
	{ "SMTPUTF8", 0, SMTP_EXT_SMTPUTF8 },
	{ "smtputf8", 0, ALL },
	{ "SMTPUTF8", 555, ALL & ~SMTP_EXT_SMTPUTF8 },
	{ "SMTPUTF8=yes", 501, ALL },
	{ "SMTPUTF8=", 501, ALL },
	{ "RET=FULL", 0, SMTP_EXT_DSN },
	{ "ret=hdrs", 0, ALL },
	{ "RET=", 501, ALL },
	{ "RET=HALF", 501, ALL },
	{ "RET=FULL RET=HDRS", 501, ALL },
	{ "RET=FULL", 555, ALL & ~SMTP_EXT_DSN },
	{ "ENVID=" X100, 0, ALL },
	{ "ENVID=a+2Bb", 0, ALL },
	{ "ENVID=" X100 "x", 501, ALL },
	{ "ENVID=a+zzb", 501, ALL },
	{ "ENVID=a+2", 501, ALL },
	{ "ENVID=+", 501, ALL },
	{ "ENVID=", 501, ALL },
	{ "ENVID=\xc3\xbc", 501, ALL },
	{ "AUTH=<>", 0, SMTP_EXT_AUTH },
	{ "AUTH=<>", 0, 0 },
	{ "AUTH=b+40example.com", 0, ALL },
	{ "AUTH=a+ZZ", 501, ALL },
	{ "AUTH=", 501, ALL },
	{ "AUTH", 501, ALL },
	{ "NOTIFY=NEVER", 555, ALL },
	{ "ORCPT=rfc822;a", 555, ALL },
	{ "FROB=1", 555, ALL },
	{ "FROB", 555, ALL },
	{ "MT-PRIORITY=3", 555, ALL },
	{ "REQUIRETLS", 555, ALL },
	{ "XSIZE=1", 555, ALL },
	{ "SIZ=1", 555, ALL },
	{ "=1", 501, ALL },
	{ "-A=1", 501, ALL },
	{ "SI\xc3\xbcZE=1", 501, ALL },
	{ "<a@b>", 501, ALL },
	{ "SIZE=1  \t BODY=7BIT", 0, ALL },
	{ " SIZE=1 ", 0, ALL },
	{ "SIZE=1 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=q AUTH=<>", 0, ALL },
};

static const struct param_case rcpt_rows[] = {
	{ "", 0, 0 },
	{ "NOTIFY=SUCCESS,FAILURE,DELAY", 0, SMTP_EXT_DSN },
	{ "notify=success", 0, ALL },
	{ "NOTIFY=NEVER", 0, ALL },
	{ "NOTIFY=NEVER", 555, ALL & ~SMTP_EXT_DSN },
	{ "NOTIFY=NEVER,SUCCESS", 501, ALL },
	{ "NOTIFY=SOMETIMES", 501, ALL },
	{ "NOTIFY=", 501, ALL },
	{ "NOTIFY=SUCCESS,,DELAY", 501, ALL },
	{ "NOTIFY=,DELAY", 501, ALL },
	{ "NOTIFY=DELAY,", 501, ALL },
	{ "NOTIFY=,", 501, ALL },
	{ "NOTIFY=NEVER NOTIFY=SUCCESS", 501, ALL },
	{ "ORCPT=rfc822;b+2Bc@example.com", 0, ALL },
	{ "ORCPT=rfc822;a", 555, 0 },
	{ "ORCPT=rfc822;a+GG", 501, ALL },
	{ "ORCPT=rfc822", 501, ALL },
	{ "ORCPT=;a", 501, ALL },
	{ "ORCPT=r@c;a", 501, ALL },
	{ "ORCPT=utf-8;b\\x{fc}@example.com", 0, ALL },
	{ "ORCPT=utf-8;b\xc3\xbc@example.com", 0, ALL },
	{ "ORCPT=utf-8;b\xc3@example.com", 501, ALL },
	{ "ORCPT=rfc822;b\xc3\xbc@example.com", 501, ALL },
	{ "ORCPT=rfc822;" X100 X100 X100 X100 X10 X10, 0, ALL },
	{ "ORCPT=rfc822;" X100 X100 X100 X100 X100, 501, ALL },
	{ "ORCPT=rfc822;a ORCPT=rfc822;b", 501, ALL },
	{ "SIZE=1", 555, ALL },
	{ "SMTPUTF8", 555, ALL },
	{ "FROB=1", 555, ALL },
};

static void
check(const struct param_case *row, const struct smtp_fault *fault)
{
	int code = fault != NULL ? fault->code : 0;

	if (code != row->code)
		fail_msg("%s (%#x): %d", row->text, row->extensions, code);
	if (fault != NULL)
		assert_int_equal(fault->enhanced[0], '5');
}

static void
test_mail(void **state)
{
	struct smtp_params params;

	(void)state;
	for (size_t i = 0; i < sizeof(mail_rows) / sizeof(mail_rows[0]); i++)
		check(&mail_rows[i],
		    smtp_params_read_mail(
			&params, slice_of(mail_rows[i].text), mail_rows[i].extensions, 1000000));
}

static void
test_rcpt(void **state)
{
	struct smtp_params params;

	(void)state;
	for (size_t i = 0; i < sizeof(rcpt_rows) / sizeof(rcpt_rows[0]); i++)
		check(&rcpt_rows[i],
		    smtp_params_read_rcpt(
			&params, slice_of(rcpt_rows[i].text), rcpt_rows[i].extensions, true));
	assert_non_null(
	    smtp_params_read_rcpt(&params, slice_of("ORCPT=utf-8;b\xc3\xbc@c"), ALL, false));
}

static void
test_values(void **state)
{
	struct smtp_params params;

	(void)state;
	assert_null(smtp_params_read_mail(
	    &params, slice_of("SIZE=12345678901 body=8BitMime SMTPUTF8"), ALL, 0));
	assert_true(params.size == 12345678901u);
	assert_int_equal(params.body, SMTP_BODY_8BITMIME);
	assert_true(smtp_params_has(&params, SMTP_PARAM_SMTPUTF8));
	assert_false(smtp_params_has(&params, SMTP_PARAM_RET));
	assert_true(slice_equals(params.value[SMTP_PARAM_BODY], slice_of("8BitMime")));
	assert_true(slice_equals(params.text[SMTP_PARAM_BODY], slice_of("body=8BitMime")));
	assert_null(smtp_params_read_mail(&params, slice_of("SIZE=99999999999999999999"), ALL, 0));
	assert_true(params.size == UINT64_MAX);
}

static void
test_format(void **state)
{
	struct arena *arena = arena_new(LIMIT);
	char line[] = "ret=HDRS BODY=8BITMIME SIZE=5 AUTH=<>";
	struct smtp_params params;

	(void)state;
	assert_null(smtp_params_read_mail(&params, slice_of(line), ALL, 0));
	struct smtp_params copy = smtp_params_copy(arena, &params);

	memset(line, 'x', strlen(line));
	assert_string_equal(
	    smtp_params_format(arena, &copy, ALL), " SIZE=5 BODY=8BITMIME ret=HDRS AUTH=<>");
	assert_string_equal(smtp_params_format(arena, &copy, SMTP_EXT_SIZE), " SIZE=5");
	assert_string_equal(smtp_params_format(arena, &copy, 0), "");
	assert_string_equal(smtp_params_format(arena, &copy, SMTP_EXT_BINARYMIME), "");
	copy.text[SMTP_PARAM_SIZE].length = 0;
	assert_string_equal(
	    smtp_params_format(arena, &copy, SMTP_EXT_SIZE | SMTP_EXT_DSN), " ret=HDRS");
	assert_true(slice_equals(copy.value[SMTP_PARAM_RET], slice_of("HDRS")));
	assert_null(smtp_params_read_mail(&params, slice_of("BODY=BINARYMIME"), ALL, 0));
	assert_string_equal(smtp_params_format(arena, &params, SMTP_EXT_8BITMIME), "");
	assert_string_equal(
	    smtp_params_format(arena, &params, SMTP_EXT_BINARYMIME), " BODY=BINARYMIME");
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mail),
		cmocka_unit_test(test_rcpt),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_format),
	};

	return cmocka_run_group_tests_name("smtp_param", tests, NULL, NULL);
}
