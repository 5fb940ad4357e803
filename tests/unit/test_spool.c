#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/spool.h"

enum { MEMORY = 32 * 1024, ALL = 64 * 1024, PIECE = 5000 };

static char
byte_at(uint64_t at)
{
	return (char)(at * 131 + at / 251);
}

static bool
add(struct spool *spool, size_t length)
{
	char piece[PIECE];

	assert_true(length <= PIECE);
	for (size_t i = 0; i < length; i++)
		piece[i] = byte_at(spool_length(spool) + i);
	return spool_append(spool, (struct slice) { piece, length });
}

static void
assert_holds(struct spool *spool, uint64_t length, size_t room_size)
{
	char room[4096];
	bool is_broken = false;
	uint64_t at = 0;
	struct slice piece;

	assert_int_equal(spool_length(spool), length);
	while ((piece = spool_piece(spool, at, room, room_size, &is_broken)).length > 0)
		for (size_t i = 0; i < piece.length; i++, at++)
			assert_int_equal(piece.data[i], byte_at(at));
	assert_false(is_broken);
	assert_int_equal(at, length);
}

static void
test_memory_and_file(void **state)
{
	struct spool_limits limits = { .folder = "/tmp", .memory = MEMORY, .memory_all = ALL };
	struct spool spool;
	uint64_t length = 0;

	(void)state;
	spool_init(&spool, &limits);
	assert_holds(&spool, 0, 100);
	while (length < 3 * MEMORY) {
		assert_true(add(&spool, PIECE));
		length += PIECE;
		assert_int_equal(spool.file >= 0, length > MEMORY);
		assert_holds(&spool, length, 1000);
		assert_int_equal(limits.memory_used, spool.size);
		assert_true(spool.size <= MEMORY);
	}
	spool_end(&spool);
	assert_int_equal(limits.memory_used, 0);
	/* It can be filled again. */
	assert_int_equal(spool_length(&spool), 0);
	assert_true(add(&spool, 10));
	assert_holds(&spool, 10, 100);
	spool_end(&spool);
	spool_end(&spool);
	assert_int_equal(limits.memory_used, 0);
}

/* Of several only so much lies in memory. */
static void
test_all_together(void **state)
{
	struct spool_limits limits = { .folder = "/tmp", .memory = MEMORY, .memory_all = ALL };
	struct spool spools[4];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		spool_init(&spools[i], &limits);
		for (int piece = 0; piece < 6; piece++)
			assert_true(add(&spools[i], PIECE));
		assert_true(limits.memory_used <= ALL);
		assert_int_equal(spools[i].file >= 0, i >= 2);
	}
	for (size_t i = 0; i < 4; i++) {
		assert_holds(&spools[i], 6 * PIECE, 4096);
		spool_end(&spools[i]);
	}
	assert_int_equal(limits.memory_used, 0);
}

static void
test_no_folder(void **state)
{
	struct spool_limits limits = { .folder = "/nonexistent", .memory = 100, .memory_all = ALL };
	struct spool spool;

	(void)state;
	spool_init(&spool, &limits);
	assert_true(add(&spool, 90));
	assert_false(add(&spool, 90));
	assert_non_null(spool.why);
	assert_false(add(&spool, 1));
	assert_int_equal(limits.memory_used, 0);
	spool_end(&spool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory_and_file),
		cmocka_unit_test(test_all_together),
		cmocka_unit_test(test_no_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
