/*
 * lib/fault: order, places, bounds, and that each fault is one printable line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/fault.h"
#include "lib/node.h"

static void
expect_print(const struct faults *faults, const char *want)
{
	char *printed = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&printed, &length);

	faults_print(faults, to);
	fclose(to);
	assert_string_equal(printed, want);
	free(printed);
}

static void
test_places(void **state)
{
	struct arena *arena = arena_new(SIZE_MAX);
	struct node node = { .file = "a\n.yaml", .line = 3, .column = 4 }, made = { .line = 0 };
	struct faults faults;

	(void)state;
	faults_init(&faults, arena);
	expect_print(&faults, "");
	fault_add(&faults, &node, "at %s", "a node");
	fault_add(&faults, NULL, "nowhere");
	fault_add(&faults, &made, "at a node that was made");
	fault_add_place(&faults, "b.yaml", 0, 0, "a whole file");
	fault_add_place(&faults, "c.yaml", 5, 6, "%d", 7);
	expect_print(&faults,
	    "a?.yaml:3:4: at a node\nnowhere\nat a node that was made\n"
	    "b.yaml: a whole file\nc.yaml:5:6: 7\n");
	arena_free(arena);
}

static void
test_lines(void **state)
{
	struct arena *arena = arena_new(SIZE_MAX);
	char umlauts[2001];
	struct faults faults;

	(void)state;
	for (size_t i = 0; i < 1000; i++)
		memcpy(umlauts + 2 * i, "\xc3\xa4", 3);
	faults_init(&faults, arena);
	fault_add(&faults, NULL, "a\nb\x1b[0m\x7f \xff \xc3\xa4");
	fault_add(&faults, NULL, "%s", umlauts);
	fault_add(&faults, NULL, "x%s", umlauts);
	assert_string_equal(faults.kept[0].words, "a?b?[0m? ? \xc3\xa4");
	for (int i = 1; i <= 2; i++) {
		const char *words = faults.kept[i].words;
		size_t length = strlen(words);

		assert_int_equal(length, 511);
		assert_string_equal(words + length - 3, "...");
		/* Either a whole character before the dots, or a mark for half of one. */
		assert_true(words[length - 4] == '?' || words[length - 4] == '\xa4');
	}
	arena_free(arena);
}

static void
test_many(void **state)
{
	struct arena *arena = arena_new(SIZE_MAX);
	char want[400] = "", *at = want;
	struct faults faults;

	(void)state;
	faults_init(&faults, arena);
	for (int i = 0; i < FAULTS_KEPT; i++) {
		fault_add(&faults, NULL, "fault %d", i);
		at += sprintf(at, "fault %d\n", i);
	}
	expect_print(&faults, want);
	fault_add(&faults, NULL, "one more");
	strcpy(at, "and 1 more\n");
	expect_print(&faults, want);
	assert_int_equal(faults.count, FAULTS_KEPT + 1);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests_name("fault", tests, NULL, NULL);
}
