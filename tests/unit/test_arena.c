#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/arena.h"

enum { LIMIT = 64 * 1024 };

struct note {
	char *text;
	char letter;
};

static void
note_take(void *arg)
{
	struct note *note = arg;
	size_t length = strlen(note->text);

	note->text[length] = note->letter;
}

static void
test_nothing_is_allocated(void **state)
{
	(void)state;
	struct arena *arena = arena_new(LIMIT);

	assert_int_equal(arena_size(arena), 1024);
	assert_false(arena_is_full(arena));
	arena_free(arena);
}

static void
test_memory_is_zeroed_and_aligned(void **state)
{
	(void)state;
	struct arena *arena = arena_new(LIMIT);

	for (size_t size = 0; size < 3000; size = size * 3 / 2 + 1) {
		unsigned char *memory = arena_alloc(arena, size);

		assert_int_equal((uintptr_t)memory % alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(memory[i], 0);
		memset(memory, 0xff, size);
	}
	arena_free(arena);
}

/* Each piece is filled with its own number; a piece that overlaps another changes it. */
static void
test_pieces_do_not_overlap(void **state)
{
	(void)state;
	struct arena *arena = arena_new(SIZE_MAX);
	unsigned char *pieces[200];

	for (size_t i = 0; i < 200; i++) {
		pieces[i] = arena_alloc(arena, i * i);
		memset(pieces[i], (int)i, i * i);
	}
	for (size_t i = 0; i < 200; i++) {
		for (size_t k = 0; k < i * i; k++)
			assert_int_equal(pieces[i][k], i);
	}
	arena_free(arena);
}

static void
test_chunks_grow_to_16_kib(void **state)
{
	(void)state;
	struct arena *arena = arena_new(SIZE_MAX);
	size_t before = arena_size(arena), largest = 0;

	for (size_t i = 0; i < 10000; i++) {
		arena_alloc(arena, 64);
		size_t step = arena_size(arena) - before;

		assert_true(step == 0 || step >= 2048);
		if (step > largest)
			largest = step;
		before += step;
	}
	assert_int_equal(largest, 16 * 1024);
	arena_free(arena);
}

static void
test_large_piece_leaves_the_room_of_others(void **state)
{
	(void)state;
	struct arena *arena = arena_new(SIZE_MAX);
	size_t before = arena_size(arena);

	arena_alloc(arena, 100000);
	assert_in_range(arena_size(arena) - before, 100000, 100000 + 128);
	before = arena_size(arena);
	arena_alloc(arena, 256);
	assert_int_equal(arena_size(arena), before);
	arena_free(arena);
}

/* Allocation goes on beyond the limit; it is only said. */
static void
test_limit(void **state)
{
	(void)state;
	struct arena *arena = arena_new(4096);

	while (arena_size(arena) <= 4096) {
		assert_false(arena_is_full(arena));
		arena_alloc(arena, 100);
	}
	assert_true(arena_is_full(arena));
	assert_non_null(arena_alloc(arena, 100000));
	assert_true(arena_is_full(arena));
	assert_true(arena_size(arena) > 100000);
	arena_free(arena);
}

static void
test_limit_is_reached_exactly(void **state)
{
	(void)state;
	struct arena *arena = arena_new(1024);

	assert_false(arena_is_full(arena));
	arena_alloc(arena, 2000);
	assert_true(arena_is_full(arena));
	arena_free(arena);
}

static void
test_copies(void **state)
{
	(void)state;
	struct arena *arena = arena_new(LIMIT);
	const char bytes[] = { 'a', '\0', 'b' };
	char *copy = arena_copy(arena, (struct slice) { bytes, sizeof(bytes) });

	assert_memory_equal(copy, "a\0b\0", 4);
	assert_string_equal(arena_copy(arena, (struct slice) { "abcdef", 3 }), "abc");
	assert_string_equal(arena_copy(arena, (struct slice) { NULL, 0 }), "");
	assert_string_equal(arena_strdup(arena, ""), "");
	assert_string_equal(arena_strdup(arena, "text"), "text");
	arena_free(arena);
}

static void
test_format(void **state)
{
	(void)state;
	struct arena *arena = arena_new(LIMIT);
	char *text = arena_format(arena, "%05d %s %*c", 42, "x", 3000, '.');

	assert_string_equal(arena_format(arena, "%s", ""), "");
	assert_int_equal(strlen(text), 5 + 1 + 1 + 1 + 3000);
	assert_memory_equal(text, "00042 x ", 8);
	assert_int_equal(text[3007], '.');
	arena_free(arena);
}

static void
test_duties_are_done_newest_first(void **state)
{
	(void)state;
	struct arena *arena = arena_new(LIMIT);
	char order[16] = "";
	struct note notes[] = { { order, 'a' }, { order, 'b' }, { order, 'c' } };

	for (size_t i = 0; i < 3; i++) {
		arena_defer(arena, note_take, &notes[i]);
		arena_alloc(arena, 5000);
	}
	assert_string_equal(order, "");
	arena_free(arena);
	assert_string_equal(order, "cba");
}

/* All memory is there until the last duty is done, whichever chunk it lies in. */
static void
test_duties_may_look_at_memory(void **state)
{
	(void)state;
	struct arena *arena = arena_new(LIMIT);
	char order[200] = "";

	for (size_t i = 0; i < 100; i++) {
		struct note *note = arena_alloc(arena, sizeof(*note));

		*note = (struct note) { order, (char)('a' + i % 26) };
		arena_defer(arena, note_take, note);
		arena_alloc(arena, 1000);
	}
	arena_free(arena);
	assert_int_equal(strlen(order), 100);
	assert_int_equal(order[0], 'a' + 99 % 26);
	assert_int_equal(order[99], 'a');
}

static void
arena_undo_inner(void *arg)
{
	arena_free(arg);
}

static void
test_an_arena_may_own_another(void **state)
{
	(void)state;
	struct arena *outer = arena_new(LIMIT);
	struct arena *inner = arena_new(LIMIT);
	char order[4] = "";
	struct note note = { order, 'i' };

	arena_defer(outer, arena_undo_inner, inner);
	arena_defer(inner, note_take, &note);
	arena_free(outer);
	assert_string_equal(order, "i");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_allocated),
		cmocka_unit_test(test_memory_is_zeroed_and_aligned),
		cmocka_unit_test(test_pieces_do_not_overlap),
		cmocka_unit_test(test_chunks_grow_to_16_kib),
		cmocka_unit_test(test_large_piece_leaves_the_room_of_others),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_limit_is_reached_exactly),
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_duties_are_done_newest_first),
		cmocka_unit_test(test_duties_may_look_at_memory),
		cmocka_unit_test(test_an_arena_may_own_another),
	};

	return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
