/*
 * tally: windows that slide, names apart, a table that is full, several processes at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/tally.h"

static struct tally tally;

static uint64_t
name(const char *whose)
{
	return tally_name(&tally, slice_of("test"), slice_of(whose));
}

static int
setup(void **state)
{
	(void)state;
	memset(&tally, 0, sizeof(tally));
	tally.key[0] = 1;
	return 0;
}

static void
test_names(void **state)
{
	(void)state;
	assert_true(name("a") == name("a"));
	assert_true(name("a") != name("b"));
	assert_true(tally_name(&tally, slice_of("x"), slice_of("ab")) !=
	    tally_name(&tally, slice_of("xa"), slice_of("b")));
	uint64_t before = name("a");

	tally.key[1] = 7;
	assert_true(name("a") != before);
}

static void
test_window(void **state)
{
	double start = 100000;

	(void)state;
	assert_int_equal(tally_look(&tally, name("a"), 100, start), 0);
	for (unsigned i = 1; i <= 50; i++)
		assert_int_equal(tally_add(&tally, name("a"), 100, start + i), i);
	assert_int_equal(tally_look(&tally, name("b"), 100, start + 50), 0);
	assert_int_equal(tally_look(&tally, name("a"), 100, start + 99.9), 50);
	/* The next window: the former counts less and less. */
	assert_int_equal(tally_look(&tally, name("a"), 100, start + 100), 50);
	assert_int_equal(tally_look(&tally, name("a"), 100, start + 150), 25);
	assert_int_equal(tally_add(&tally, name("a"), 100, start + 180), 11);
	assert_int_equal(tally_look(&tally, name("a"), 100, start + 200), 1);
	assert_int_equal(tally_look(&tally, name("a"), 100, start + 299), 0);
	assert_int_equal(tally_look(&tally, name("a"), 100, start + 1e6), 0);
	assert_int_equal(tally_add(&tally, name("a"), 100, start + 1e6), 1);
}

/* So many in each window: a sliding one sees that many, whenever it is looked at. */
static void
test_even(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 5000; i++) {
		double now = 50000 + i / 10.;
		unsigned count = tally_add(&tally, name("a"), 60, now);

		if (i > 1200)
			assert_in_range(count, 599, 601);
	}
}

static void
test_bounds(void **state)
{
	(void)state;
	uint64_t a = name("a");

	for (unsigned i = 0; i < TALLY_MOST + 10; i++)
		tally_add(&tally, a, 1e6, 2e6);
	assert_int_equal(tally_look(&tally, a, 1e6, 2e6), TALLY_MOST);
	assert_int_equal(tally_look(&tally, a, 1e6, 3e6), TALLY_MOST);
}

/* Far more names than places: the newest are counted right, and what is over makes room first. */
static void
test_full(void **state)
{
	char text[16];

	(void)state;
	for (unsigned i = 0; i < 4 * TALLY_PLACES; i++) {
		snprintf(text, sizeof(text), "%u", i);
		uint64_t it = name(text);

		tally_add(&tally, it, 60, 1000);
		assert_true(tally_add(&tally, it, 60, 1000) >= 1);
	}
	assert_true(atomic_load(&tally.evicted) > 2 * TALLY_PLACES);
	assert_int_equal(tally_look(&tally, name(text), 60, 1000), 2);

	uint64_t evicted = atomic_load(&tally.evicted);

	for (unsigned i = 0; i < 1000; i++) { /* an hour later all of it is over */
		snprintf(text, sizeof(text), "later %u", i);
		assert_int_equal(tally_add(&tally, name(text), 60, 4600), 1);
	}
	assert_int_equal(atomic_load(&tally.evicted), evicted);
}

static void
test_processes(void **state)
{
	enum { PROCESSES = 4, COUNT = 50000 };
	struct tally *shared =
	    mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_true(shared != MAP_FAILED);
	uint64_t it = tally_name(shared, slice_of("test"), slice_of("a"));

	tally_add(shared, it, 600, 6000);
	for (int i = 0; i < PROCESSES; i++)
		if (fork() == 0) {
			for (int k = 0; k < COUNT; k++)
				tally_add(shared, it, 600, 6000);
			_exit(0);
		}
	while (wait(NULL) > 0)
		;
	assert_int_equal(tally_look(shared, it, 600, 6000), PROCESSES * COUNT + 1);
	munmap(shared, sizeof(*shared));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_names, setup),
		cmocka_unit_test_setup(test_window, setup),
		cmocka_unit_test_setup(test_even, setup),
		cmocka_unit_test_setup(test_bounds, setup),
		cmocka_unit_test_setup(test_full, setup),
		cmocka_unit_test_setup(test_processes, setup),
	};

	return cmocka_run_group_tests_name("tally", tests, NULL, NULL);
}
