#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/intake.h"

/* As a conn does it: up to `most` bytes that go on from `*next`. */
static size_t
fill(struct intake *intake, size_t limit, size_t most, unsigned *next)
{
	size_t size;

	intake_widen(intake);
	char *room = intake_room(intake, limit, &size);

	if (size > most)
		size = most;
	for (size_t i = 0; i < size; i++)
		room[i] = (char)((*next)++ * 7);
	intake_commit(intake, size);
	intake_rest(intake);
	return size;
}

static void
take(struct intake *intake, size_t count, unsigned *next)
{
	struct slice held = intake_slice(intake);

	for (size_t i = 0; i < count; i++)
		assert_int_equal(held.data[i], (char)((*next)++ * 7));
	intake_take(intake, count);
}

static void
test_empty(void **state)
{
	struct intake intake = { 0 };
	size_t size = 1;

	(void)state;
	assert_int_equal(intake_slice(&intake).length, 0);
	assert_non_null(intake_slice(&intake).data);
	intake_rest(&intake);
	intake_take(&intake, 0);
	intake_free(&intake);
	intake_widen(&intake);
	assert_non_null(intake_room(&intake, 100, &size));
	assert_int_equal(size, 100);
	intake_rest(&intake);
	assert_null(intake.block);
}

/* At rest few bytes hold few bytes, none hold nothing. */
static void
test_rest(void **state)
{
	struct intake intake = { 0 };
	unsigned in = 0, out = 0;

	(void)state;
	assert_int_equal(fill(&intake, 4096, 30, &in), 30);
	assert_int_equal(intake.size, 30);
	assert_int_equal(fill(&intake, 4096, 9999, &in), 4066);
	assert_int_equal(intake.size, INTAKE_REST);
	assert_int_equal(fill(&intake, 4096, 9999, &in), 0);
	assert_int_equal(fill(&intake, INTAKE_WIDE, 1, &in), 1);
	assert_int_equal(intake.size, INTAKE_WIDE);
	take(&intake, 1, &out);
	intake_rest(&intake);
	assert_int_equal(intake.size, INTAKE_REST);
	take(&intake, 4095, &out);
	assert_non_null(intake.block);
	take(&intake, 1, &out);
	assert_null(intake.block);
	assert_int_equal(in, out);
}

static void
test_limit_below_what_is_held(void **state)
{
	struct intake intake = { 0 };
	unsigned in = 0, out = 0;

	(void)state;
	assert_int_equal(fill(&intake, INTAKE_WIDE, INTAKE_WIDE + 1, &in), INTAKE_WIDE);
	assert_int_equal(fill(&intake, 4096, 1, &in), 0);
	assert_int_equal(fill(&intake, INTAKE_WIDE, 1, &in), 0);
	take(&intake, 60000, &out);
	assert_int_equal(fill(&intake, 4096, 1, &in), 0);
	assert_int_equal(fill(&intake, 10000, INTAKE_WIDE, &in), 10000 - (INTAKE_WIDE - 60000));
	take(&intake, 10000, &out);
	assert_null(intake.block);
}

/* Any order of fills and takes; two of them, for they share what is spare. */
static void
test_at_random(void **state)
{
	struct intake intakes[2] = { 0 };
	unsigned in[2] = { 0 }, out[2] = { 0 };

	(void)state;
	srand(1);
	for (int i = 0; i < 20000; i++) {
		int which = rand() % 2;
		size_t limit = rand() % 2 ? 4096 : INTAKE_WIDE;
		size_t held = intake_slice(&intakes[which]).length;

		if (rand() % 2)
			fill(&intakes[which], limit, (size_t)rand() % (rand() % 4 ? 200 : 70000),
			    &in[which]);
		else
			take(&intakes[which], rand() % 3 ? held : (size_t)rand() % (held + 1),
			    &out[which]);
		held = intake_slice(&intakes[which]).length;
		assert_int_equal(held, in[which] - out[which]);
		assert_true(held <= INTAKE_WIDE && (held > 0 || intakes[which].block == NULL));
	}
	intake_free(&intakes[0]);
	intake_free(&intakes[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_rest),
		cmocka_unit_test(test_limit_below_what_is_held),
		cmocka_unit_test(test_at_random),
	};

	return cmocka_run_group_tests_name("intake", tests, NULL, NULL);
}
