#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "lib/buf.h"

static void
check_held(const struct buf *buf, const char *want)
{
	struct slice held = buf_slice(buf);

	assert_int_equal(held.length, strlen(want));
	assert_memory_equal(held.data, want, held.length);
}

static void
test_empty(void **state)
{
	(void)state;
	struct buf buf = { .limit = 10 };

	check_held(&buf, "");
	assert_non_null(buf_slice(&buf).data);
	assert_int_equal(buf_room(&buf), 10);
	assert_true(buf_append(&buf, (struct slice) { 0 }));
	buf_take(&buf, 0);
	buf_cut(&buf, 0);
	buf_clear(&buf);
	buf_release(&buf);
	buf_free(&buf);
	assert_null(buf.data);
	buf_init(&buf, 0);
	assert_true(buf_print(&buf, "%s", ""));
	assert_non_null(buf_reserve(&buf, 0));
	assert_false(buf_append_byte(&buf, 'x'));
	check_held(&buf, "");
	buf_free(&buf);
}

static void
test_append_and_print(void **state)
{
	(void)state;
	struct buf buf;

	buf_init(&buf, 1000);
	assert_true(buf_append(&buf, slice_of("one ")));
	assert_true(buf_print(&buf, "%d %s", 2, "three"));
	assert_true(buf_append_byte(&buf, '!'));
	check_held(&buf, "one 2 three!");
	buf_cut(&buf, 5);
	check_held(&buf, "one 2");
	buf_take(&buf, 4);
	check_held(&buf, "2");
	assert_int_equal(buf_room(&buf), 999);
	buf_free(&buf);
}

static void
test_limit_keeps_a_true_beginning(void **state)
{
	(void)state;
	struct buf buf;

	buf_init(&buf, 8);
	assert_true(buf_append(&buf, slice_of("12345")));
	assert_false(buf_append(&buf, slice_of("6789")));
	assert_true(buf.overflowed);
	assert_false(
	    buf_append_byte(&buf, '6')); /* would fit, but would stand in the wrong place */
	assert_false(buf_print(&buf, "6"));
	assert_int_equal(buf_room(&buf), 0);
	check_held(&buf, "12345");
	buf_clear(&buf);
	assert_false(buf.overflowed);
	assert_true(buf_append(&buf, slice_of("12345678")));
	assert_false(buf_append_byte(&buf, '9'));
	check_held(&buf, "12345678");
	buf_take(&buf, 8);
	buf_release(&buf);
	assert_true(buf.overflowed); /* release is no pardon */
	assert_null(buf.data);
	buf_free(&buf);
}

/* Every length around the size of the block and the limit. */
static void
test_print_at_every_length(void **state)
{
	(void)state;
	char text[600];

	memset(text, 'x', sizeof(text));
	for (int length = 0; length < 600; length++)
		for (int before = 0; before < 2; before++) {
			struct buf buf;

			buf_init(&buf, 512);
			for (int i = 0; i < before * 200; i++)
				buf_append_byte(&buf, 'y');
			size_t want = (size_t)(before * 200 + length);

			assert_int_equal(buf_print(&buf, "%.*s", length, text), want <= 512);
			assert_int_equal(buf.length, want <= 512 ? want : (size_t)before * 200);
			assert_int_equal(buf.overflowed, want > 512);
			if (length > 0 && want <= 512)
				assert_int_equal(buf.data[want - 1], 'x');
			buf_free(&buf);
		}
}

static void
test_reserve(void **state)
{
	(void)state;
	struct buf buf;

	buf_init(&buf, 100);
	assert_null(buf_reserve(&buf, 101));
	assert_false(buf.overflowed);
	char *room = buf_reserve(&buf, 100);

	assert_non_null(room);
	memset(room, 'a', 100);
	buf_commit(&buf, 60);
	assert_int_equal(buf.length, 60);
	assert_null(buf_reserve(&buf, 41));
	assert_non_null(buf_reserve(&buf, 40));
	assert_non_null(buf_reserve(&buf, 0));
	buf_free(&buf);
}

/* Against a plain model, with all lengths and in any order. */
static void
test_queue(void **state)
{
	(void)state;
	enum { LIMIT = 5000 };
	static uint8_t next_in, next_out;
	struct buf buf;
	size_t held = 0;

	srandom(7);
	buf_init(&buf, LIMIT);
	for (int turn = 0; turn < 100000; turn++) {
		size_t count = (size_t)random() % 400;

		if (random() % 2 == 0 && held + count <= LIMIT) {
			char *room = buf_reserve(&buf, count);

			for (size_t i = 0; i < count; i++)
				room[i] = (char)next_in++;
			buf_commit(&buf, count);
			held += count;
		} else {
			count = count < held ? count : held;
			for (size_t i = 0; i < count; i++)
				assert_int_equal((uint8_t)buf.data[i], next_out++);
			buf_take(&buf, count);
			held -= count;
		}
		assert_int_equal(buf.length, held);
		assert_true(buf.size <= 2 * LIMIT + 2);
		if (turn % 1000 == 0)
			buf_release(&buf);
	}
	buf_free(&buf);
}

/* One byte in, one byte out, with a nearly full block: this must not move all each time. */
static void
test_taking_is_cheap(void **state)
{
	(void)state;
	enum { HELD = 1 << 20 };
	struct buf buf;
	long moves = 0;

	buf_init(&buf, HELD + 10);
	char *room = buf_reserve(&buf, HELD);

	memset(room, 'm', HELD);
	buf_commit(&buf, HELD);
	for (int i = 0; i < 3000000; i++) {
		size_t gap = buf.gap;

		buf_take(&buf, 1);
		buf_append_byte(&buf, 'n');
		moves += buf.gap != gap + 1;
	}
	assert_true(moves < 10);
	assert_int_equal(buf.length, HELD);
	buf_free(&buf);
}

static void
test_arena_ends_it(void **state)
{
	(void)state;
	struct arena *arena = arena_new(64 * 1024);
	struct buf *buf = buf_new(arena, 100000);

	for (int i = 0; i < 100000; i++)
		assert_true(buf_append_byte(buf, 'z'));
	assert_true(arena_size(arena) < 4096);
	buf_take(buf, 500);
	arena_free(arena); /* the sanitizer tells if the block stays */
}

static void
test_release_keeps_what_is_held(void **state)
{
	(void)state;
	struct buf buf;

	buf_init(&buf, 100);
	buf_append(&buf, slice_of("held"));
	buf_release(&buf);
	check_held(&buf, "held");
	buf_take(&buf, 4);
	assert_int_equal(buf.gap, 0);
	assert_non_null(buf.data);
	buf_release(&buf);
	assert_null(buf.data);
	assert_int_equal(buf.size, 0);
	assert_true(buf_append(&buf, slice_of("again")));
	check_held(&buf, "again");
	buf_free(&buf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_append_and_print),
		cmocka_unit_test(test_limit_keeps_a_true_beginning),
		cmocka_unit_test(test_print_at_every_length),
		cmocka_unit_test(test_reserve),
		cmocka_unit_test(test_queue),
		cmocka_unit_test(test_taking_is_cheap),
		cmocka_unit_test(test_arena_ends_it),
		cmocka_unit_test(test_release_keeps_what_is_held),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
