/*
 * suffix: registered domains, by the list that is on the machine.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/suffix.h"

static void
test_registered(void **state)
{
	static const char *const pairs[][2] = {
		{ "mail.example.com", "example.com" },
		{ "a.b.c.example.co.uk", "example.co.uk" },
		{ "example.org", "example.org" },
		{ "mx.city.kawasaki.jp", "city.kawasaki.jp" },
		{ "a.b.unknown-tld-of-ours", "b.unknown-tld-of-ours" },
		{ "mail.xn--mgberp4a5d4ar", "mail.xn--mgberp4a5d4ar" },
	};
	static const char *const none[] = { "com", "co.uk", "localhost", "", "." };

	(void)state;
	suffix_load();
	suffix_load();
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		assert_string_equal(suffix_registered(pairs[i][0]), pairs[i][1]);
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		assert_null(suffix_registered(none[i]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_registered),
	};

	return cmocka_run_group_tests_name("suffix", tests, NULL, NULL);
}
