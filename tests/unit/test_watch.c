/* lib/watch: what counts as a change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/watch.h"

struct place {
	char directory[64], file[96], other[96];
};

static void
write_file(const char *path, const char *bytes, time_t modified)
{
	const struct timespec times[2] = { { .tv_sec = modified }, { .tv_sec = modified } };
	FILE *to = fopen(path, "w");

	assert_non_null(to);
	fputs(bytes, to);
	fclose(to);
	if (modified != 0)
		assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static int
place_make(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	strcpy(place->directory, "/tmp/test_watch.XXXXXX");
	if (mkdtemp(place->directory) == NULL)
		return 1;
	snprintf(place->file, sizeof(place->file), "%s/a", place->directory);
	snprintf(place->other, sizeof(place->other), "%s/b", place->directory);
	write_file(place->file, "one", 1000000);
	*state = place;
	return 0;
}

static int
place_remove(void **state)
{
	struct place *place = *state;

	unlink(place->file);
	unlink(place->other);
	rmdir(place->directory);
	free(place);
	return 0;
}

static void
test_changes(void **state)
{
	const struct place *place = *state;
	struct arena *arena = arena_new(SIZE_MAX);
	struct watch *watch = watch_new(arena);

	assert_false(watch_has_changed(watch));
	watch_add(watch, place->file);
	watch_add(watch, place->file);
	assert_int_equal(watch_count(watch), 1);
	assert_string_equal(watch_path(watch, 0), place->file);
	assert_false(watch_has_changed(watch));
	write_file(place->file, "one", 1000001); /* the date */
	assert_true(watch_has_changed(watch));
	write_file(place->file, "more", 1000000); /* the size */
	assert_true(watch_has_changed(watch));
	write_file(place->file, "one", 1000000);
	assert_false(watch_has_changed(watch));
	write_file(place->other, "two", 1000000); /* another file */
	assert_int_equal(rename(place->other, place->file), 0);
	assert_true(watch_has_changed(watch));
	unlink(place->file);
	assert_true(watch_has_changed(watch));
	arena_free(arena);
}

static void
test_missing(void **state)
{
	const struct place *place = *state;
	struct arena *arena = arena_new(SIZE_MAX);
	struct watch *watch = watch_new(arena);

	watch_add(watch, place->other);
	assert_false(watch_has_changed(watch));
	write_file(place->other, "two", 1000000);
	assert_true(watch_has_changed(watch));
	arena_free(arena);
}

/* Modified since the reading began: nobody knows which version was read. */
static void
test_doubtful(void **state)
{
	const struct place *place = *state;
	struct arena *arena = arena_new(SIZE_MAX);
	struct watch *watch = watch_new(arena);

	write_file(place->file, "one", 0);
	watch_add(watch, place->file);
	assert_true(watch_has_changed(watch));

	/* A date in the future is no reason to read again for ever. */
	write_file(place->file, "one", time(NULL) + 10000);
	watch = watch_new(arena);
	watch_add(watch, place->file);
	assert_false(watch_has_changed(watch));
	arena_free(arena);
}

static void
test_many(void **state)
{
	struct arena *arena = arena_new(SIZE_MAX);
	struct watch *watch = watch_new(arena);

	(void)state;
	for (size_t i = 0; i < 100; i++) {
		char path[40];

		snprintf(path, sizeof(path), "/nonexistent/%zu", i);
		watch_add(watch, path);
	}
	assert_int_equal(watch_count(watch), 100);
	assert_string_equal(watch_path(watch, 99), "/nonexistent/99");
	assert_string_equal(watch_path(watch, 0), "/nonexistent/0");
	assert_false(watch_has_changed(watch));
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_changes, place_make, place_remove),
		cmocka_unit_test_setup_teardown(test_missing, place_make, place_remove),
		cmocka_unit_test_setup_teardown(test_doubtful, place_make, place_remove),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}
