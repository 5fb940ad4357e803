/*
 * Plays all transcripts, each in three ways; or those that are named as arguments.
 */
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/transcript/player.h"

enum { FILES_MOST = 1000, WAYS = 3 };

static const char *const way_names[WAYS] = {
	[PLAYER_AS_WRITTEN] = "as written",
	[PLAYER_BYTE_BY_BYTE] = "byte by byte",
	[PLAYER_AT_ONCE] = "at once",
};

static struct play {
	const char *path;
	enum player_way way;
} plays[FILES_MOST * WAYS];
static struct CMUnitTest tests[FILES_MOST * WAYS];
static const char *files[FILES_MOST];
static size_t file_count;

/* Would it be another session, played in this way? */
static bool
is_other(const struct script *script, enum player_way way)
{
	return (script->is_only_as_written && way != PLAYER_AS_WRITTEN) ||
	    (script->is_not_at_once && way == PLAYER_AT_ONCE);
}

static void
play(void **state)
{
	const struct play *play = *state;
	struct arena *arena = arena_new(SIZE_MAX);
	char *words;
	size_t size;
	FILE *complaints = open_memstream(&words, &size);
	const struct script *script = script_read(arena, play->path, complaints);
	bool is_left_out = script != NULL && is_other(script, play->way);
	bool is_good =
	    script != NULL && (is_left_out || player_play(script, play->way, complaints));

	fclose(complaints);
	arena_free(arena);
	if (!is_good)
		print_error("%s, %s:\n%s", play->path, way_names[play->way], words);
	free(words);
	if (!is_good)
		fail();
}

static int
on_file(const char *path, const struct stat *stat, int kind, struct FTW *place)
{
	size_t length = strlen(path);

	(void)stat, (void)place;
	if (kind == FTW_F && length > 5 && strcmp(path + length - 5, ".smtp") == 0) {
		if (file_count == FILES_MOST)
			abort();
		files[file_count++] = strdup(path);
	}
	return 0;
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
find(int argc, char **argv)
{
	const char *source = getenv("POSTERN_SOURCE");
	char folder[4096];

	for (int i = 1; i < argc && file_count < FILES_MOST; i++)
		files[file_count++] = strdup(argv[i]);
	if (argc > 1)
		return;
	snprintf(folder, sizeof(folder), "%s/tests/transcripts", source != NULL ? source : ".");
	nftw(folder, on_file, 16, FTW_PHYS);
	qsort(files, file_count, sizeof(files[0]), compare);
}

/* "smtp/greeting, at once" */
static char *
name_of(const char *path, enum player_way way)
{
	const char *below = strstr(path, "tests/transcripts/");
	char *name;

	if (asprintf(&name, "%s, %s", below != NULL ? below + 18 : path, way_names[way]) < 0)
		abort();
	return name;
}

int
main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	find(argc, argv);
	if (file_count == 0) {
		print_error("no transcripts below $POSTERN_SOURCE/tests/transcripts\n");
		return EXIT_FAILURE;
	}
	for (size_t i = 0; i < file_count * WAYS; i++) {
		plays[i] = (struct play) { files[i / WAYS], (enum player_way)(i % WAYS) };
		tests[i] = (struct CMUnitTest) { .name = name_of(plays[i].path, plays[i].way),
			.test_func = play,
			.initial_state = &plays[i] };
	}
	int failed = _cmocka_run_group_tests("transcripts", tests, file_count * WAYS, NULL, NULL);

	for (size_t i = 0; i < file_count * WAYS; i++)
		free((char *)(uintptr_t)tests[i].name);
	for (size_t i = 0; i < file_count; i++)
		free((char *)(uintptr_t)files[i]);
	return failed;
}
