#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/domain.h"

static void
test_matches(void **state)
{
	static const struct {
		const char *domain, *pattern;
		bool want;
	} rows[] = {
		{ "example.com", "example.com", true },
		{ "EXAMPLE.com", "example.COM", true },
		{ "example.com.", "example.com", true },
		{ "example.com..", "example.com", false },
		{ "sub.example.com", "example.com", false },
		{ "notexample.com", "example.com", false },
		{ "example.com.other.test", "example.com", false },
		{ ".example.com", "example.com", false },
		{ "com", "example.com", false },
		{ "", "example.com", false },
		{ ".", "example.com", false },
		{ "", "", false },
		{ "sub.example.com", ".example.com", true },
		{ "a.b.EXAMPLE.com.", ".example.com", true },
		{ "example.com", ".example.com", false },
		{ ".example.com", ".example.com", false },
		{ "..example.com", ".example.com", false },
		{ "notexample.com", ".example.com", false },
		{ "[192.0.2.1]", "[192.0.2.1]", true },
		{ "[192.0.2.1]", "192.0.2.1", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (domain_matches(slice_of(rows[i].domain), rows[i].pattern) != rows[i].want)
			fail_msg("\"%s\" and \"%s\"", rows[i].domain, rows[i].pattern);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matches),
	};

	return cmocka_run_group_tests_name("domain", tests, NULL, NULL);
}
