/*
 * spf_received: the field, and strangers' text that would like to be more than that.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/header.h"
#include "lib/spf_received.h"

static const struct received_case {
	const char *title;
	struct spf_received received;
	const char *want;
} cases[] = {
	{ "pass",
	    { "pass", "ip4:192.0.2.1 of example.org", "192.0.2.1", "a@example.org",
		"mail.example.org", "mailfrom", "mx.example.com" },
	    "Received-SPF: pass (mx.example.com: ip4:192.0.2.1 of example.org)\r\n"
	    "\tclient-ip=192.0.2.1; envelope-from=\"a@example.org\";\r\n"
	    "\thelo=mail.example.org;\r\n\tidentity=mailfrom; receiver=mx.example.com\r\n" },
	{ "the null sender, IPv6, no name of ours",
	    { "none", "", "2001:db8::1", "", "[IPv6:2001:db8::1]", "helo", NULL },
	    "Received-SPF: none ()\r\n\tclient-ip=\"2001:db8::1\"; envelope-from=\"\";\r\n"
	    "\thelo=\"[IPv6:2001:db8::1]\";\r\n\tidentity=helo\r\n" },
	{ "text that wants out",
	    { "fail", "x) y=\"z\" \\ (\r\nX-New: 1", "192.0.2.1", "\"a\\\"; b\"@c\r\n\tx", ".a..b.",
		"mailfrom", "mx" },
	    "Received-SPF: fail (mx: x\\) y=\"z\" \\\\ \\(\?\?X-New: 1)\r\n"
	    "\tclient-ip=192.0.2.1; envelope-from=\"\\\"a\\\\\\\"; b\\\"@c?\?\?x\";\r\n"
	    "\thelo=\".a..b.\";\r\n\tidentity=mailfrom; receiver=mx\r\n" },
	{ "no HELO, other octets",
	    { "neutral", "\x80\x7f\x01", "192.0.2.1", "\xc3\xa4@b", NULL, "mailfrom", "mx" },
	    "Received-SPF: neutral (mx: ?\?\?)\r\n\tclient-ip=192.0.2.1; "
	    "envelope-from=\"??@b\";\r\n"
	    "\tidentity=mailfrom; receiver=mx\r\n" },
};

static void
test_fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf out = { .limit = 8192 };

		spf_received_field(&cases[i].received, &out);
		if (!slice_equals(buf_slice(&out), slice_of(cases[i].want)))
			fail_msg("%s: %.*s", cases[i].title, (int)out.length, out.data);
		buf_free(&out);
	}
}

/* Whatever octets: it is one field, no line is too long. */
static void
test_any(void **state)
{
	unsigned seed = 7;

	(void)state;
	for (unsigned run = 0; run < 2000; run++) {
		struct buf out = { .limit = 65536 };
		char text[600];
		size_t length = 1 + (size_t)rand_r(&seed) % (sizeof(text) - 1);

		for (size_t i = 0; i + 1 < length; i++)
			text[i] = (char)(1 + rand_r(&seed) % 255);
		text[length - 1] = '\0';
		const struct spf_received received = { "fail", text, text, text, text, "mailfrom",
			text };
		struct header_field field;
		size_t offset = 0;

		spf_received_field(&received, &out);
		assert_true(header_next(buf_slice(&out), &offset, &field));
		assert_int_equal(field.faults, 0);
		assert_int_equal(offset, out.length);
		for (const char *line = out.data, *end; line < out.data + out.length; line = end) {
			end = (const char *)memchr(
				  line, '\n', out.length - (size_t)(line - out.data)) +
			    1;
			assert_in_range(end - line, 3, 1000 + 2 * SPF_RECEIVED_MOST);
		}
		buf_free(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_any),
	};

	return cmocka_run_group_tests_name("spf_received", tests, NULL, NULL);
}
