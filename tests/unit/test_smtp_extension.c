#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/smtp_extension.h"

static struct smtp_ehlo
read_lines(int code, size_t count, const char *const *texts)
{
	struct slice lines[20];
	struct reply reply = { .code = code, .count = count, .lines = lines };
	struct smtp_ehlo ehlo;

	for (size_t i = 0; i < count; i++)
		lines[i] = slice_of(texts[i]);
	smtp_ehlo_read(&ehlo, &reply);
	return ehlo;
}

#define READ(...)                                                                                  \
	read_lines(250, sizeof((const char *[]) { __VA_ARGS__ }) / sizeof(char *),                 \
	    (const char *[]) { __VA_ARGS__ })

static void
test_list(void **state)
{
	struct smtp_ehlo ehlo = READ("mx.example.com Hello", "SIZE 37748736", "PIPELINING", "DSN",
	    "ENHANCEDSTATUSCODES", "STARTTLS", "X-ANONYMOUSTLS", "AUTH NTLM LOGIN",
	    "X-EXPS GSSAPI NTLM", "8BITMIME", "BINARYMIME", "CHUNKING", "SMTPUTF8",
	    "LIMITS RCPTMAX=200 MAILMAX=10 X=1", "XCLIENT NAME ADDR PROTO", "REQUIRETLS");

	(void)state;
	assert_int_equal(ehlo.extensions, (SMTP_EXT_XCLIENT << 1) - 1);
	assert_int_equal(ehlo.size, 37748736);
	assert_true(slice_equals(ehlo.auth, slice_of("NTLM LOGIN")));
	assert_true(smtp_ehlo_has_auth(&ehlo, slice_of("login")));
	assert_true(smtp_ehlo_has_auth(&ehlo, slice_of("NTLM")));
	assert_false(smtp_ehlo_has_auth(&ehlo, slice_of("LOG")));
	assert_false(smtp_ehlo_has_auth(&ehlo, slice_of("GSSAPI")));
	assert_true(slice_equals(ehlo.xclient, slice_of("NAME ADDR PROTO")));
	assert_int_equal(ehlo.rcpt_max, 200);
	assert_int_equal(ehlo.mail_max, 10);
}

static void
test_odd(void **state)
{
	struct smtp_ehlo ehlo = READ("mx");

	(void)state;
	assert_int_equal(ehlo.extensions, 0);
	ehlo = READ("SIZE 5", "8bitmime", "size 1000000", " pipelining  ", "", "   ", "AUTH");
	assert_int_equal(ehlo.extensions, SMTP_EXT_8BITMIME | SMTP_EXT_SIZE | SMTP_EXT_PIPELINING);
	assert_int_equal(ehlo.size, 1000000);
	assert_false(smtp_ehlo_has_auth(&ehlo, slice_of("")));
	ehlo = READ("mx", "AUTH=LOGIN PLAIN");
	assert_int_equal(ehlo.extensions, SMTP_EXT_AUTH);
	assert_true(slice_equals(ehlo.auth, slice_of("LOGIN PLAIN")));
	ehlo = READ("mx", "AUTH=LOGIN", "AUTH PLAIN", "AUTH=LOGIN");
	assert_true(slice_equals(ehlo.auth, slice_of("PLAIN")));
	ehlo = READ("mx", "AUTH", "AUTH=LOGIN");
	assert_true(slice_equals(ehlo.auth, slice_of("LOGIN")));
	ehlo = READ("mx", "SIZE");
	assert_int_equal(ehlo.extensions, SMTP_EXT_SIZE);
	assert_int_equal(ehlo.size, 0);
	assert_int_equal(READ("mx", "SIZE=7").size, 7);
	assert_int_equal(READ("mx", "SIZE many").size, 0);
	assert_int_equal(READ("mx", "SIZE 99999999999999999999999").size, 0);
	assert_int_equal(READ("mx", "SIZE -1").size, 0);
	assert_int_equal(READ("mx", "8BITMIMEX", "DSNS", "=").extensions, 0);
	assert_int_equal(READ("mx", "LIMITS RCPTMAX= RCPTMAX").rcpt_max, 0);
	assert_int_equal(read_lines(550, 2, (const char *[]) { "mx", "PIPELINING" }).extensions, 0);
}

static void
test_names(void **state)
{
	(void)state;
	assert_string_equal(smtp_extension_name(SMTP_EXT_PIPELINING), "PIPELINING");
	assert_string_equal(smtp_extension_name(SMTP_EXT_8BITMIME), "8BITMIME");
	assert_string_equal(smtp_extension_name(SMTP_EXT_XCLIENT), "XCLIENT");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_odd),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("smtp_extension", tests, NULL, NULL);
}
