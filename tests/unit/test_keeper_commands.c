/*
 * keeper_commands: bans put, listed in pages, taken away; lines that are none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <sysexits.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "proxy/keeper.h"

static struct arena *arena;
static struct store *store;
static struct buf answer = { .limit = 1024 * 1024 };
static char folder[40];

static int
begin(void **state)
{
	const char *why;

	(void)state;
	log_open(&(struct log_options) { .level = LEVEL_ERROR });
	arena = arena_new(SIZE_MAX);
	snprintf(folder, sizeof(folder), "/tmp/test_keeper_XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	store = store_new_writer(arena, folder, NULL, &why);
	return store != NULL ? 0 : -1;
}

static int
end(void **state)
{
	char command[80];

	(void)state;
	arena_free(arena);
	buf_free(&answer);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

static int
run(const char *format, ...)
{
	char line[KEEPER_LINE];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	buf_clear(&answer);
	return keeper_command(store, line, &answer);
}

static bool
says(const char *text)
{
	buf_append_byte(&answer, '\0');
	return strstr(answer.data, text) != NULL;
}

static void
test_ban(void **state)
{
	double until = clock_unix() + 3600;

	(void)state;
	assert_int_equal(run("ban\t192.0.2.0/24\t%.3f\tthe reason\t", until), EX_OK);
	assert_true(says("192.0.2.0/24 is banned until "));
	assert_int_equal(run("ban\t192.0.2.7/32\t%.3f\t\ta note", until), EX_OK);
	assert_true(says("\na note\n"));
	assert_int_equal(run("bans\ttext\t"), EX_OK);
	assert_true(says("192.0.2.0/24         until "));
	assert_true(says("  by postern ban: the reason\n"));
	assert_true(says("  by postern ban\n"));
	assert_int_equal(run("bans\tjson\t"), EX_OK);
	assert_true(says("{\"network\":\"192.0.2.0/24\",\"since\":\""));
	assert_true(says("\"by\":\"postern ban\",\"reason\":\"the reason\"}\n"));
	assert_int_equal(run("unban\t192.0.2.0/25"), EX_DATAERR);
	assert_int_equal(run("unban\t192.0.2.0/24"), EX_OK);
	assert_int_equal(run("unban\t192.0.2.0/24"), EX_DATAERR);
	assert_int_equal(run("ban\t192.0.2.7/32\t%.3f\tover\t", clock_unix() - 1), EX_OK);
	assert_int_equal(run("bans\ttext\t"), EX_OK);
	assert_int_equal(answer.length, 0); /* what has ended is not listed */
}

/* 2500 of both families: each once, whatever page it is on. */
static void
test_pages(void **state)
{
	enum { COUNT = 2500 };
	static bool is_seen[COUNT];
	char after[64] = "";
	size_t pages = 0, seen = 0;

	(void)state;
	for (unsigned i = 0; i < COUNT; i++)
		assert_int_equal(run(i % 2 == 0 ? "ban\t10.%u.%u.0/24\t%.3f\t%u\t"
						: "ban\t2001:db8:%x:%x::/64\t%.3f\t%u\t",
				     i / 200, i % 200, clock_unix() + 60, i),
		    EX_OK);
	do {
		assert_int_equal(run("bans\ttext\t%s", after), EX_OK);
		assert_false(answer.overflowed);
		buf_append_byte(&answer, '\0');
		pages++;
		after[0] = '\0';
		for (char *line = strtok(answer.data, "\n"); line != NULL;
		     line = strtok(NULL, "\n")) {
			const char *reason = strstr(line, "ban: ");

			if (sscanf(line, "after %63s", after) == 1)
				continue;
			assert_non_null(reason);
			assert_false(is_seen[atoi(reason + 5)]);
			is_seen[atoi(reason + 5)] = true;
			seen++;
		}
	} while (after[0] != '\0');
	assert_int_equal(seen, COUNT);
	assert_int_equal(pages, 3);
}

static void
test_bad_lines(void **state)
{
	static const char *const bad[] = { "", "\t", "nothing", "ban", "ban\t192.0.2.1",
		"ban\tx\t1\t\t", "ban\t192.0.2.1/24\t1\t\t", "ban\t192.0.2.1\t1\t\t\tmore", "unban",
		"unban\t", "unban\tx", "bans", "bans\ttext" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (run("%s", bad[i]) != EX_USAGE)
			fail_msg("taken: %s", bad[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ban, begin, end),
		cmocka_unit_test_setup_teardown(test_pages, begin, end),
		cmocka_unit_test_setup_teardown(test_bad_lines, begin, end),
	};

	return cmocka_run_group_tests_name("keeper_commands", tests, NULL, NULL);
}
