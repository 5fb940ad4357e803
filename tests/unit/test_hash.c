/*
 * hash: SipHash-2-4's own test vectors; the front of SHA-256.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/hash.h"

/* Key 00 01 ... 0f, text 00 01 ... (Aumasson, Bernstein: SipHash, appendix A, and vectors.h). */
static void
test_keyed(void **state)
{
	static const uint64_t key[2] = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)i;
	assert_true(hash_keyed(key, (struct slice) { text, 0 }) == 0x726fdb47dd0e0e31);
	assert_true(hash_keyed(key, (struct slice) { text, 1 }) == 0x74f839c593dc67fd);
	assert_true(hash_keyed(key, (struct slice) { text, 8 }) == 0x93f5f5799a932462);
	assert_true(hash_keyed(key, (struct slice) { text, 15 }) == 0xa129ca6149be45e5);
	assert_true(hash_keyed(key, (struct slice) { text, 63 }) == 0x958a324ceb064572);
}

static void
test_digest(void **state)
{
	static const unsigned char want[HASH_DIGEST] = { 0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf,
		0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23 };
	unsigned char got[HASH_DIGEST];

	(void)state;
	hash_digest(got, slice_of("abc"));
	assert_memory_equal(got, want, sizeof(want));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keyed),
		cmocka_unit_test(test_digest),
	};

	return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
