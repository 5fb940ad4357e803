/*
 * state: requests written and read, cut at every place and made up; a keeper that does not
 * listen; a store that is not there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/state.h"

static void
assert_same(const struct state_request *a, const struct state_request *b)
{
	assert_int_equal(a->change, b->change);
	assert_int_equal(a->table, b->table);
	assert_true(slice_equals(a->key, b->key));
	assert_true(slice_equals(a->value, b->value));
	assert_true(a->end == b->end);
}

static void
test_requests(void **state)
{
	static const struct state_request requests[] = {
		{ STATE_PUT, STORE_BANS, { "k", 1 }, { "", 0 }, 1764000000.123 },
		{ STATE_ADD, STORE_GREYLIST, { "key\0key", 7 }, { "value", 5 }, 0 },
		{ STATE_FORGET, STORE_RECIPIENTS, { "key", 3 }, { "", 0 }, 0 },
	};
	char bytes[STATE_REQUEST_MOST];
	struct state_request read;

	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
		size_t length = state_request_write(bytes, &requests[i]);

		assert_true(state_request_read(&read, (struct slice) { bytes, length }));
		assert_same(&read, &requests[i]);
		/* What is cut in the value is a shorter value; before, it is nothing. */
		for (size_t cut = 0; cut < 12 + requests[i].key.length; cut++)
			assert_false(state_request_read(&read, (struct slice) { bytes, cut }));
	}
}

static void
test_bad_requests(void **state)
{
	static const struct state_request good = { STATE_PUT, STORE_BANS, { "key", 3 },
		{ "value", 5 }, 1 };
	char bytes[STATE_REQUEST_MOST + 1] = { 0 };
	struct state_request read;
	size_t length;

	(void)state;
	for (int i = 0; i < 6; i++) {
		length = state_request_write(bytes, &good);
		if (i == 5)
			bytes[4] = 1; /* after the year 9999 */
		else if (i == 0)
			bytes[0] = 3;
		else if (i == 1)
			bytes[1] = STORE_TABLES;
		else if (i == 2)
			bytes[2] = 0;
		else if (i == 3)
			bytes[2] = STORE_KEY_MOST + 1;
		else
			bytes[3] = 1;
		assert_false(state_request_read(&read, (struct slice) { bytes, length }));
	}
	length = state_request_write(bytes, &good);
	bytes[0] = STATE_FORGET; /* with a value */
	assert_false(state_request_read(&read, (struct slice) { bytes, length }));
	state_request_write(bytes, &good);
	assert_true(state_request_read(&read, (struct slice) { bytes, 12 + 3 + STORE_VALUE_MOST }));
	assert_false(
	    state_request_read(&read, (struct slice) { bytes, 12 + 3 + STORE_VALUE_MOST + 1 }));
}

/* The keeper hears nothing for a while: what waits comes in its order, the rest is counted. */
static void
test_deaf_keeper(void **state)
{
	enum { COUNT = 20000 };
	struct state_board board = { 0 };
	struct ev_loop *loop = ev_loop_new(0);
	struct arena *arena = arena_new(SIZE_MAX);
	char bytes[STATE_REQUEST_MOST], key[16];
	unsigned heard = 0, last = 0;
	struct state_request request = { .change = STATE_PUT, .table = STORE_BANS };
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fds), 0);
	struct state *it = state_new(arena, loop, "/nowhere", fds[1], &board);

	for (unsigned i = 1; i <= COUNT; i++) {
		snprintf(key, sizeof(key), "%08u", i);
		request.key = slice_of(key);
		state_tell(it, &request);
	}
	assert_true(atomic_load(&board.lost) > 100);
	for (int idle = 0; idle < 10;) {
		ssize_t got = recv(fds[0], bytes, sizeof(bytes), 0);
		struct state_request read;

		if (got < 0) {
			ev_run(loop, EVRUN_NOWAIT);
			idle++;
			continue;
		}
		assert_true(state_request_read(&read, (struct slice) { bytes, (size_t)got }));
		snprintf(key, sizeof(key), "%.8s", read.key.data);
		assert_true((unsigned)atoi(key) > last);
		last = (unsigned)atoi(key);
		heard++;
		idle = 0;
	}
	assert_int_equal(heard + atomic_load(&board.lost), COUNT);
	close(fds[0]); /* the keeper is gone: nothing waits any more */
	state_tell(it, &request);
	assert_int_equal(heard + atomic_load(&board.lost), COUNT + 1);
	arena_free(arena);
	close(fds[1]);
	ev_loop_destroy(loop);
}

static void
test_no_store(void **state)
{
	struct state_board board = { 0 };
	struct ev_loop *loop = ev_loop_new(0);
	struct arena *arena = arena_new(SIZE_MAX);
	struct store_entry entry;
	struct state *it = state_new(arena, loop, "/nowhere", -1, &board);

	(void)state;
	assert_int_equal(state_get(NULL, STORE_BANS, slice_of("k"), &entry), STORE_NONE);
	assert_int_equal(state_below(NULL, STORE_BANS, slice_of("k"), &entry), STORE_NONE);
	assert_int_equal(state_get(it, STORE_BANS, slice_of("k"), &entry), STORE_FAILED);
	atomic_store(&board.is_open, true);
	assert_int_equal(state_get(it, STORE_BANS, slice_of("k"), &entry), STORE_FAILED);
	assert_int_equal(state_below(it, STORE_BANS, slice_of("k"), &entry), STORE_FAILED);
	arena_free(arena);
	ev_loop_destroy(loop);
}

/* A store with one entry, made by another process, is looked into. */
static void
test_looks(void **state)
{
	char folder[] = "/tmp/test_state_XXXXXX", command[100];
	struct arena *arena = arena_new(SIZE_MAX);
	struct store_entry entry;
	const char *why;

	(void)state;
	assert_non_null(mkdtemp(folder));
	struct store *store = store_new_writer(arena, folder, NULL, &why);

	assert_non_null(store);
	assert_true(store_put(
	    store, STORE_BANS, slice_of("k"), slice_of("v"), clock_unix(), clock_unix() + 60));
	arena_free(arena);
	arena = arena_new(SIZE_MAX);
	assert_null(state_new_looker(arena, "/nowhere"));
	struct state *it = state_new_looker(arena, folder);
	const struct state_request nowhere = { .table = STORE_BANS, .key = { "x", 1 } };

	state_tell(it, &nowhere);
	assert_int_equal(state_get(it, STORE_BANS, slice_of("k"), &entry), STORE_HAS);
	assert_true(slice_equals(entry.value, slice_of("v")));
	assert_int_equal(state_get(it, STORE_BANS, slice_of("l"), &entry), STORE_NONE);
	assert_int_equal(state_below(it, STORE_BANS, slice_of("l"), &entry), STORE_HAS);
	arena_free(arena);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	assert_int_equal(system(command), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_bad_requests),
		cmocka_unit_test(test_deaf_keeper),
		cmocka_unit_test(test_no_store),
		cmocka_unit_test(test_looks),
	};

	return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
