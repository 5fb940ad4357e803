#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/maildir.h"

/* A new folder, and a Maildir in it. */
struct place {
	char folder[64], path[96];
	struct arena *arena;
	struct maildir maildir;
};

static int
place_make(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	strcpy(place->folder, "/tmp/test_maildir.XXXXXX");
	if (place == NULL || mkdtemp(place->folder) == NULL)
		return -1;
	snprintf(place->path, sizeof(place->path), "%s/mail", place->folder);
	place->arena = arena_new(SIZE_MAX);
	*state = place;
	return maildir_open(&place->maildir, place->arena, place->path, "host") ? 0 : -1;
}

static int
place_end(void **state)
{
	struct place *place = *state;
	char command[128];

	arena_free(place->arena);
	snprintf(command, sizeof(command), "rm -rf %s", place->folder);
	int status = system(command);

	free(place);
	return status;
}

/* How many entries a folder of it has; name gets one of them. */
static int
place_count(const struct place *place, const char *folder, char name[256])
{
	char path[128];
	int count = 0;

	snprintf(path, sizeof(path), "%s/%s", place->path, folder);
	DIR *dir = opendir(path);

	if (dir == NULL)
		return -1;
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
		if (entry->d_name[0] != '.') {
			count++;
			if (name != NULL)
				snprintf(name, 256, "%s", entry->d_name);
		}
	closedir(dir);
	return count;
}

static size_t
place_read(const struct place *place, const char *name, char *room, size_t size)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/new/%s", place->path, name);
	FILE *stream = fopen(path, "rb");

	assert_non_null(stream);
	size_t length = fread(room, 1, size, stream);

	fclose(stream);
	return length;
}

static void
test_a_message_appears_when_it_is_kept(void **state)
{
	struct place *place = *state;
	struct maildir_file *file = arena_alloc(place->arena, sizeof(*file));
	struct slice bytes = { "a\r\n\0\n.\r\n\xff", 9 };
	char name[256], text[64];

	assert_true(maildir_begin(&place->maildir, place->arena, file));
	assert_true(maildir_append(file, bytes));
	assert_true(maildir_append(file, (struct slice) { "", 0 }));
	assert_int_equal(place_count(place, "tmp", name), 1);
	assert_int_equal(place_count(place, "new", NULL), 0);
	assert_string_equal(name, file->name);
	assert_true(maildir_append(file, slice_of("end")));

	assert_true(maildir_keep(file));
	assert_int_equal(place_count(place, "tmp", NULL), 0);
	assert_int_equal(place_count(place, "new", name), 1);
	assert_string_equal(name, file->name);
	assert_int_equal(file->size, 12);
	assert_int_equal(place_read(place, name, text, sizeof(text)), 12);
	assert_memory_equal(text,
	    "a\r\n\0\n.\r\n\xff"
	    "end",
	    12);
	assert_string_equal(file->why, "");
}

static void
test_what_is_kept_is_final(void **state)
{
	struct place *place = *state;
	struct maildir_file *file = arena_alloc(place->arena, sizeof(*file));

	assert_true(maildir_begin(&place->maildir, place->arena, file));
	assert_true(maildir_keep(file));
	assert_false(maildir_append(file, slice_of("more")));
	assert_false(maildir_keep(file));
	maildir_drop(file);
	assert_int_equal(place_count(place, "new", NULL), 1);
}

static void
test_what_is_dropped_leaves_nothing(void **state)
{
	struct place *place = *state;
	struct maildir_file *file = arena_alloc(place->arena, sizeof(*file));

	assert_true(maildir_begin(&place->maildir, place->arena, file));
	assert_true(maildir_append(file, slice_of("text")));
	maildir_drop(file);
	maildir_drop(file);
	assert_false(maildir_append(file, slice_of("text")));
	assert_false(maildir_keep(file));
	assert_int_equal(place_count(place, "tmp", NULL), 0);
	assert_int_equal(place_count(place, "new", NULL), 0);
}

static void
test_the_arena_drops_what_was_not_kept(void **state)
{
	struct place *place = *state;
	struct arena *arena = arena_new(SIZE_MAX);
	struct maildir_file *files = arena_alloc(arena, 2 * sizeof(*files));

	assert_true(maildir_begin(&place->maildir, arena, &files[0]));
	assert_true(maildir_begin(&place->maildir, arena, &files[1]));
	assert_int_equal(place_count(place, "tmp", NULL), 2);
	assert_true(maildir_keep(&files[1]));
	arena_free(arena);
	assert_int_equal(place_count(place, "tmp", NULL), 0);
	assert_int_equal(place_count(place, "new", NULL), 1);
}

static void
test_names_are_used_once(void **state)
{
	struct place *place = *state;
	struct maildir again;

	for (int i = 0; i < 200; i++) {
		struct maildir_file *file = arena_alloc(place->arena, sizeof(*file));

		assert_true(maildir_begin(&place->maildir, place->arena, file));
		assert_int_equal(strspn(file->name, "0123456789"), 10);
		assert_string_equal(strrchr(file->name, '.'), ".host");
		assert_true(maildir_keep(file));
	}
	assert_int_equal(place_count(place, "new", NULL), 200);

	/* What is there already stays when it is opened again. */
	assert_true(maildir_open(&again, place->arena, place->path, "host"));
	assert_int_equal(place_count(place, "new", NULL), 200);
}

static void
test_a_host_cannot_lead_elsewhere(void **state)
{
	struct place *place = *state;
	struct maildir maildir;
	struct maildir_file *file = arena_alloc(place->arena, sizeof(*file));

	assert_true(maildir_open(&maildir, place->arena, place->path, "../a:b c\n"));
	assert_true(maildir_begin(&maildir, place->arena, file));
	assert_null(strpbrk(file->name, "/: \n"));
	assert_true(maildir_keep(file));

	char host[1000] = "";

	memset(host, 'h', sizeof(host) - 1);
	assert_true(maildir_open(&maildir, place->arena, place->path, host));
	assert_true(maildir_begin(&maildir, place->arena, file));
	assert_true(maildir_keep(file));
	assert_int_equal(place_count(place, "new", NULL), 2);
}

static void
test_no_folder(void **state)
{
	struct place *place = *state;
	struct maildir maildir;
	char path[128];

	snprintf(path, sizeof(path), "%s/no/mail", place->folder);
	assert_false(maildir_open(&maildir, place->arena, path, "host"));
	assert_non_null(strstr(maildir.why, path));
	assert_non_null(strstr(maildir.why, "No such file"));

	snprintf(path, sizeof(path), "%s/file", place->folder);
	fclose(fopen(path, "w"));
	assert_false(maildir_open(&maildir, place->arena, path, "host"));
	assert_non_null(strstr(maildir.why, "Not a directory"));
}

static void
test_a_full_disk(void **state)
{
	struct place *place = *state;
	struct maildir_file *file = arena_alloc(place->arena, sizeof(*file));
	struct rlimit before, small;
	static char block[6000];

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 8192;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_true(maildir_begin(&place->maildir, place->arena, file));
	bool first = maildir_append(file, (struct slice) { block, sizeof(block) });
	bool second = maildir_append(file, (struct slice) { block, sizeof(block) });
	bool third = maildir_append(file, (struct slice) { block, 1 });

	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_true(first);
	assert_false(second);
	assert_false(third);
	assert_false(maildir_keep(file));
	assert_non_null(strstr(file->why, "cannot write"));
	assert_non_null(strstr(file->why, "too large"));
	assert_int_equal(place_count(place, "tmp", NULL), 0);
	assert_int_equal(place_count(place, "new", NULL), 0);
}

static void
test_a_folder_that_goes(void **state)
{
	struct place *place = *state;
	struct maildir_file *file = arena_alloc(place->arena, sizeof(*file));
	char path[128];

	assert_true(maildir_begin(&place->maildir, place->arena, file));
	snprintf(path, sizeof(path), "%s/new", place->path);
	assert_int_equal(rmdir(path), 0);
	assert_false(maildir_keep(file));
	assert_non_null(strstr(file->why, "cannot keep"));
	assert_int_equal(place_count(place, "tmp", NULL), 0);

	snprintf(path, sizeof(path), "%s/tmp", place->path);
	assert_int_equal(rmdir(path), 0);
	assert_false(maildir_begin(&place->maildir, place->arena, file));
	assert_non_null(strstr(file->why, "cannot make"));
	assert_false(maildir_append(file, slice_of("x")));
	assert_false(maildir_keep(file));
	maildir_drop(file);
}

int
main(void)
{
#define PLACED(test) cmocka_unit_test_setup_teardown(test, place_make, place_end)
	const struct CMUnitTest tests[] = {
		PLACED(test_a_message_appears_when_it_is_kept),
		PLACED(test_what_is_kept_is_final),
		PLACED(test_what_is_dropped_leaves_nothing),
		PLACED(test_the_arena_drops_what_was_not_kept),
		PLACED(test_names_are_used_once),
		PLACED(test_a_host_cannot_lead_elsewhere),
		PLACED(test_no_folder),
		PLACED(test_a_full_disk),
		PLACED(test_a_folder_that_goes),
	};

	return cmocka_run_group_tests_name("maildir", tests, NULL, NULL);
}
