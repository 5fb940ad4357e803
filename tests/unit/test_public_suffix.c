/*
 * public_suffix: registered domains, by the list that is on the machine.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/public_suffix.h"

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
	public_suffix_open();
	public_suffix_open();
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		assert_string_equal(public_suffix_registered(pairs[i][0]), pairs[i][1]);
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		assert_null(public_suffix_registered(none[i]));
}

/* Those that are asked about again, and ones that are too long to be kept. */
static void
test_again(void **state)
{
	char name[1000];

	(void)state;
	memset(name, 'a', sizeof(name));
	for (size_t i = 60; i < sizeof(name); i += 61)
		name[i] = '.';
	strcpy(name + sizeof(name) - 13, ".example.com");
	for (int again = 0; again < 3; again++) {
		assert_string_equal(public_suffix_registered(name), "example.com");
		assert_string_equal(public_suffix_registered("mail.example.com"), "example.com");
		assert_true(public_suffix_is_top("com"));
		assert_false(public_suffix_is_top("com.example"));
		assert_null(public_suffix_registered("com"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_registered),
		cmocka_unit_test(test_again),
	};

	return cmocka_run_group_tests_name("public_suffix", tests, NULL, NULL);
}
