/*
 * store: entries and their ends; what readers see; what is full; what is damaged; a writer that
 * is killed. Another process looks wherever one is meant: a store is opened once per process.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/store.h"

static const double now = 1e9;

struct box {
	struct arena *arena;
	char folder[64];
	struct store *store;
};

static void
open_box(struct box *box, const struct store_bounds *bounds)
{
	const char *why = "";

	box->arena = arena_new(SIZE_MAX);
	box->store = store_new_writer(box->arena, box->folder, bounds, &why);
	if (box->store == NULL)
		fprintf(stderr, "%s\n", why);
	assert_non_null(box->store);
}

static void
close_box(struct box *box)
{
	arena_free(box->arena);
}

static struct box
new_box(const struct store_bounds *bounds)
{
	struct box box = { .folder = "/tmp/test_store_XXXXXX" };

	assert_non_null(mkdtemp(box.folder));
	open_box(&box, bounds);
	return box;
}

static void
remove_box(struct box *box)
{
	char path[128];

	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s.mdb", box->folder, i == 0 ? "data" : "lock");
		unlink(path);
	}
	assert_int_equal(rmdir(box->folder), 0);
}

static bool
put(struct box *box, enum store_table table, const char *key, const char *value, double end)
{
	return store_put(box->store, table, slice_of(key), slice_of(value), now, end);
}

static const char *
get_from(struct store *store, enum store_table table, const char *key, double at)
{
	static char text[STORE_VALUE_MOST + 1];
	static struct store_entry entry;

	switch (store_get(store, table, slice_of(key), at, &entry)) {
	case STORE_HAS:
		snprintf(text, sizeof(text), "%.*s", (int)entry.value.length, entry.value.data);
		return text;
	case STORE_NONE:
		return "none";
	case STORE_FAILED:
		break;
	}
	return "failed";
}

static const char *
get(struct box *box, enum store_table table, const char *key, double at)
{
	return get_from(box->store, table, key, at);
}

/* What another process finds. */
static bool
reader_gets(const struct box *box, enum store_table table, const char *key, const char *want)
{
	pid_t pid = fork();
	int how;

	if (pid == 0) {
		struct arena *arena = arena_new(SIZE_MAX);
		const char *why = "", *got;
		struct store *store = store_new_reader(arena, box->folder, &why);

		for (int i = 0; store != NULL && i < 3;
		     i++) /* again with the same snapshot's room */
			got = get_from(store, table, key, now);
		int status = store != NULL && strcmp(got, want) == 0 ? 0 : 1;

		if (store != NULL)
			arena_free(arena);
		_exit(status);
	}
	assert_int_equal(waitpid(pid, &how, 0), pid);
	return WIFEXITED(how) && WEXITSTATUS(how) == 0;
}

static void
test_entries(void **state)
{
	struct box box = new_box(NULL);
	static char long_value[STORE_VALUE_MOST + 1], long_key[STORE_KEY_MOST + 1];

	(void)state;
	assert_string_equal(get(&box, STORE_BANS, "a", now), "none");
	assert_true(put(&box, STORE_BANS, "a", "one", now + 10));
	assert_true(put(&box, STORE_GREYLIST, "a", "two", now + 10));
	assert_string_equal(get(&box, STORE_BANS, "a", now), "one");
	assert_string_equal(get(&box, STORE_GREYLIST, "a", now), "two");
	assert_string_equal(get(&box, STORE_BANS, "b", now), "none");
	assert_true(put(&box, STORE_BANS, "a", "", now + 20));
	assert_string_equal(get(&box, STORE_BANS, "a", now + 15), "");
	assert_true(store_forget(box.store, STORE_BANS, slice_of("a")));
	assert_false(store_forget(box.store, STORE_BANS, slice_of("a")));
	assert_string_equal(get(&box, STORE_BANS, "a", now), "none");
	memset(long_value, 'v', STORE_VALUE_MOST);
	memset(long_key, 'k', STORE_KEY_MOST);
	assert_true(put(&box, STORE_BANS, long_key, long_value, now + 1));
	assert_string_equal(get(&box, STORE_BANS, long_key, now), long_value);
	close_box(&box);
	remove_box(&box);
}

static void
test_ends(void **state)
{
	struct box box = new_box(NULL);
	struct store_statistics statistics;

	(void)state;
	for (int i = 0; i < 100; i++) {
		char key[16];

		snprintf(key, sizeof(key), "%02d", i);
		assert_true(put(&box, i % 2 ? STORE_BANS : STORE_GREYLIST, key, "x", now + i));
	}
	assert_true(put(&box, STORE_BANS, "01", "later", now + 1000)); /* its old end is void */
	assert_string_equal(get(&box, STORE_BANS, "05", now + 4.9), "x");
	assert_string_equal(get(&box, STORE_BANS, "05", now + 5), "none");
	assert_int_equal(store_purge(box.store, now + 50.5, 20), 20); /* in small steps */
	assert_int_equal(store_purge(box.store, now + 50.5, 20), 20);
	assert_int_equal(store_purge(box.store, now + 50.5, 20), 10);
	assert_int_equal(store_purge(box.store, now + 50.5, 20), 0);
	store_statistics(box.store, &statistics);
	assert_int_equal(statistics.entries[STORE_BANS], 50 - 24);
	assert_int_equal(statistics.entries[STORE_GREYLIST], 50 - 26);
	assert_string_equal(get(&box, STORE_BANS, "01", now + 500), "later");
	close_box(&box);
	remove_box(&box);
}

static const char *
neighbour(struct box *box, bool above, const char *key)
{
	static struct store_entry entry;
	static char text[STORE_KEY_MOST + 1];
	enum store_result result = above
	    ? store_above(box->store, STORE_BANS, slice_of(key), &entry)
	    : store_below(box->store, STORE_BANS, slice_of(key), &entry);

	assert_true(result != STORE_FAILED);
	snprintf(text, sizeof(text), "%.*s", (int)entry.key.length, entry.key.data);
	return result == STORE_HAS ? text : "none";
}

static void
test_neighbours(void **state)
{
	struct box box = new_box(NULL);

	(void)state;
	assert_string_equal(neighbour(&box, true, ""), "none");
	assert_string_equal(neighbour(&box, false, "x"), "none");
	assert_true(put(&box, STORE_BANS, "b", "", now + 1));
	assert_true(put(&box, STORE_BANS, "d", "", now - 1)); /* has ended */
	assert_true(put(&box, STORE_BANS, "dd", "", now + 1));
	assert_string_equal(neighbour(&box, true, ""), "b");
	assert_string_equal(neighbour(&box, true, "b"), "d");
	assert_string_equal(neighbour(&box, true, "c"), "d");
	assert_string_equal(neighbour(&box, true, "d"), "dd");
	assert_string_equal(neighbour(&box, true, "dd"), "none");
	assert_string_equal(neighbour(&box, false, "b"), "none");
	assert_string_equal(neighbour(&box, false, "c"), "b");
	assert_string_equal(neighbour(&box, false, "d"), "b");
	assert_string_equal(neighbour(&box, false, "da"), "d");
	assert_string_equal(neighbour(&box, false, "z"), "dd");
	close_box(&box);
	remove_box(&box);
}

static void
test_stays(void **state)
{
	struct box box = new_box(NULL);

	(void)state;
	assert_true(put(&box, STORE_BANS, "a", "one", now + 10));
	assert_true(store_has_changes(box.store));
	assert_true(store_commit(box.store));
	assert_false(store_has_changes(box.store));
	assert_true(put(&box, STORE_BANS, "b", "two", now + 10)); /* goes with the closing */
	close_box(&box);
	open_box(&box, NULL);
	assert_string_equal(get(&box, STORE_BANS, "a", now), "one");
	assert_string_equal(get(&box, STORE_BANS, "b", now), "two");
	close_box(&box);
	remove_box(&box);
}

static void
test_reader(void **state)
{
	struct box box = new_box(NULL);

	(void)state;
	assert_true(put(&box, STORE_BANS, "a", "one", now + 10));
	assert_true(reader_gets(&box, STORE_BANS, "a", "none")); /* not yet */
	assert_true(store_commit(box.store));
	assert_true(reader_gets(&box, STORE_BANS, "a", "one"));
	assert_true(put(&box, STORE_BANS, "a", "two", now + 10));
	assert_true(reader_gets(&box, STORE_BANS, "a", "one"));
	assert_true(store_commit(box.store));
	assert_true(reader_gets(&box, STORE_BANS, "a", "two"));
	close_box(&box);
	remove_box(&box);
}

/* Readers that die do not keep pages: the file does not grow without end. */
static void
test_dead_readers(void **state)
{
	struct box box = new_box(NULL);
	struct store_statistics before, after;

	(void)state;
	assert_true(put(&box, STORE_BANS, "a", "one", now + 10));
	assert_true(store_commit(box.store));
	store_statistics(box.store, &before);
	assert_true(store_commit(box.store));
	for (int i = 0; i < 300; i++) {
		if (i % 100 == 0) {
			pid_t pid = fork();

			if (pid == 0) {
				const char *why;
				struct arena *arena = arena_new(SIZE_MAX);

				get_from(store_new_reader(arena, box.folder, &why), STORE_BANS, "a",
				    now);
				raise(SIGKILL);
			}
			waitpid(pid, NULL, 0);
			store_tidy(box.store);
		}
		assert_true(put(&box, STORE_BANS, "a", "again", now + i));
		assert_true(store_commit(box.store));
	}
	store_statistics(box.store, &after);
	assert_true(after.bytes < before.bytes + 100 * 4096);
	close_box(&box);
	remove_box(&box);
}

static void
test_table_is_full(void **state)
{
	const struct store_bounds bounds = { .entries = { 10, 10, 10 } };
	struct box box = new_box(&bounds);
	struct store_statistics statistics;
	char key[16];

	(void)state;
	for (int i = 0; i < 15; i++) {
		snprintf(key, sizeof(key), "%d", i);
		assert_int_equal(put(&box, STORE_BANS, key, "x", now + 100 - i), i < 10);
		assert_true(put(&box, STORE_GREYLIST, key, "x", now + 100 - i));
	}
	/* Bans stay; of the greylist those went that were to end first. */
	assert_string_equal(get(&box, STORE_BANS, "9", now), "x");
	assert_string_equal(get(&box, STORE_GREYLIST, "9", now), "none");
	assert_string_equal(get(&box, STORE_GREYLIST, "0", now), "x");
	assert_string_equal(get(&box, STORE_GREYLIST, "14", now), "x");
	store_statistics(box.store, &statistics);
	assert_int_equal(statistics.refused, 5);
	assert_int_equal(statistics.evicted, 5);
	assert_int_equal(statistics.entries[STORE_BANS], 10);
	assert_int_equal(statistics.entries[STORE_GREYLIST], 10);
	/* A known one is no new one; and what has ended makes room. */
	assert_true(put(&box, STORE_BANS, "3", "y", now - 1));
	assert_true(put(&box, STORE_BANS, "new", "x", now + 1));
	assert_string_equal(get(&box, STORE_BANS, "new", now), "x");
	close_box(&box);
	remove_box(&box);
}

/* Long values under random keys, far beyond the file's bound. */
static void
fill(struct box *box, enum store_table table, int count)
{
	static char value[500];

	memset(value, 'v', sizeof(value) - 1);
	for (int i = 0; i < count; i++) {
		char key[16];

		snprintf(key, sizeof(key), "%08x", (unsigned)i * 2654435761u);
		put(box, table, key, value, now + 1000 + i);
		if (i % 10 == 0)
			store_commit(box->store);
	}
	store_commit(box->store);
}

static void
test_file_is_full(void **state)
{
	const struct store_bounds bounds = { .bytes = 4 * 1024 * 1024 };
	struct box box = new_box(&bounds);
	struct store_statistics statistics;

	(void)state;
	assert_true(put(&box, STORE_BANS, "ban", "stays", now + 1e6));
	fill(&box, STORE_GREYLIST, 10000);
	store_statistics(box.store, &statistics);
	assert_true(statistics.evicted > 3000 && statistics.dropped == 0);
	assert_true(statistics.bytes <= 5 * 1024 * 1024);
	assert_true(statistics.entries[STORE_GREYLIST] > 3000);
	assert_string_equal(get(&box, STORE_BANS, "ban", now), "stays");
	assert_true(put(&box, STORE_BANS, "another", "ban", now + 1e6));
	assert_true(store_commit(box.store));
	assert_true(reader_gets(&box, STORE_BANS, "another", "ban"));
	close_box(&box);
	open_box(&box, &bounds);
	close_box(&box);
	remove_box(&box);
}

/* Bans are not pushed out; what does not fit is dropped, and what is there stays and works. */
static void
test_file_is_full_of_bans(void **state)
{
	const struct store_bounds bounds = { .bytes = 512 * 1024 };
	struct box box = new_box(&bounds);
	struct store_statistics statistics;

	(void)state;
	assert_true(put(&box, STORE_BANS, "ban", "stays", now + 1e6));
	fill(&box, STORE_BANS, 3000);
	store_statistics(box.store, &statistics);
	assert_true(statistics.refused > 1000);
	assert_int_equal(statistics.evicted + statistics.dropped, 0);
	assert_true(statistics.entries[STORE_BANS] > 100);
	assert_string_equal(get(&box, STORE_BANS, "ban", now), "stays");
	close_box(&box);
	open_box(&box, &bounds);
	assert_string_equal(get(&box, STORE_BANS, "ban", now), "stays");
	while (store_purge(box.store, now + 5000, 10) > 0)
		assert_true(store_commit(box.store));
	assert_true(put(&box, STORE_BANS, "new", "room", now + 1e6));
	assert_true(store_commit(box.store));
	assert_true(reader_gets(&box, STORE_BANS, "new", "room"));
	close_box(&box);
	remove_box(&box);
}

/* A disk that is full looks to the program like a limit on the file's size. */
static void
test_disk_is_full(void **state)
{
	struct box box = new_box(NULL);
	struct store_statistics statistics;
	struct rlimit before, low = { .rlim_cur = 256 * 1024 };

	(void)state;
	assert_true(put(&box, STORE_BANS, "ban", "stays", now + 1e6));
	assert_true(store_commit(box.store));
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	low.rlim_max = before.rlim_max;
	setrlimit(RLIMIT_FSIZE, &low);
	fill(&box, STORE_BANS, 3000);
	setrlimit(RLIMIT_FSIZE, &before);
	store_statistics(box.store, &statistics);
	assert_true(statistics.dropped > 1000);
	assert_string_equal(get(&box, STORE_BANS, "ban", now), "stays");
	close_box(&box);
	open_box(&box, NULL);
	assert_string_equal(get(&box, STORE_BANS, "ban", now), "stays");
	close_box(&box);
	remove_box(&box);
}

static void
test_no_folder(void **state)
{
	struct arena *arena = arena_new(SIZE_MAX);
	const char *why = NULL;

	(void)state;
	assert_null(store_new_writer(arena, "/tmp/no/such/folder", NULL, &why));
	assert_string_equal(why, "No such file or directory");
	assert_null(store_new_reader(arena, "/tmp/no/such/folder", &why));
	arena_free(arena);
}

/* What comes of opening it, in a process of its own: 0 good, 1 refused, 2 a signal. */
static int
opens(const struct box *box)
{
	pid_t pid = fork();
	int how;

	if (pid == 0) {
		struct arena *arena = arena_new(SIZE_MAX);
		struct rlimit none = { 0 };
		const char *why = "";

		setrlimit(RLIMIT_CORE, &none);
		signal(SIGBUS, SIG_DFL);
		signal(SIGSEGV, SIG_DFL);
		signal(SIGABRT, SIG_DFL);
		freopen("/dev/null", "w", stderr);
		_exit(store_new_writer(arena, box->folder, NULL, &why) != NULL ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &how, 0), pid);
	return WIFSIGNALED(how) ? 2 : WEXITSTATUS(how) > 1 ? 2 : WEXITSTATUS(how);
}

static void
spoil(const struct box *box, off_t at, const char *bytes, size_t length, off_t cut)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/data.mdb", box->folder);
	int fd = open(path, O_RDWR);

	assert_true(fd >= 0);
	if (length > 0)
		assert_int_equal(pwrite(fd, bytes, length, at), length);
	if (cut > 0)
		assert_int_equal(ftruncate(fd, cut), 0);
	close(fd);
}

static void
test_damaged(void **state)
{
	static char rubbish[100 * 4096];

	(void)state;
	for (size_t i = 0; i < sizeof(rubbish); i++)
		rubbish[i] = (char)(i * 151 + 7);
	for (int what = 0; what < 4; what++) {
		struct box box = new_box(NULL);

		fill(&box, STORE_BANS, 1000);
		close_box(&box);
		assert_int_equal(opens(&box), 0);
		if (what == 0)
			spoil(&box, 0, rubbish, 2 * 4096, 0); /* both heads */
		else if (what == 1)
			spoil(&box, 0, NULL, 0, 5 * 4096); /* cut short */
		else if (what == 2)
			spoil(&box, 2 * 4096, rubbish, sizeof(rubbish), 0); /* behind them */
		else
			spoil(&box, 0, NULL, 0, 100); /* not even a head */
		assert_int_not_equal(opens(&box), 0);
		remove_box(&box);
	}
}

/* A writer that is killed in the middle: what it had committed is there. */
static void
test_killed_writer(void **state)
{
	struct box box = { .folder = "/tmp/test_store_XXXXXX" };
	pid_t pid;

	(void)state;
	assert_non_null(mkdtemp(box.folder));
	for (int i = 0; i < 10; i++) {
		pid = fork();
		if (pid == 0) {
			open_box(&box, NULL);
			put(&box, STORE_BANS, "kept", "yes", now + 10);
			store_commit(box.store);
			fill(&box, STORE_GREYLIST, 1000000);
			_exit(0);
		}
		usleep(30000);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	open_box(&box, NULL);
	assert_string_equal(get(&box, STORE_BANS, "kept", now), "yes");
	close_box(&box);
	remove_box(&box);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_neighbours),
		cmocka_unit_test(test_stays),
		cmocka_unit_test(test_reader),
		cmocka_unit_test(test_dead_readers),
		cmocka_unit_test(test_table_is_full),
		cmocka_unit_test(test_file_is_full),
		cmocka_unit_test(test_file_is_full_of_bans),
		cmocka_unit_test(test_disk_is_full),
		cmocka_unit_test(test_no_folder),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_killed_writer),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
