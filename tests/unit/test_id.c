#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/id.h"

enum { MANY = 20000 };

static void
test_form(void **state)
{
	(void)state;
	unsigned seen[256] = { 0 };

	for (int i = 0; i < MANY; i++) {
		char id[ID_SIZE], again[ID_SIZE];

		assert_ptr_equal(id_make(id), id);
		assert_int_equal(strlen(id), ID_SIZE - 1);
		assert_int_equal(strspn(id, "0123456789ABCDEFGHJKMNPQRSTVWXYZ"), ID_SIZE - 1);
		assert_true(id_read(again, slice_of(id)));
		assert_string_equal(again, id);
		for (int j = 0; j < ID_SIZE - 1; j++)
			seen[(unsigned char)id[j]]++;
	}
	/* Each of the 32 digits is expected 5000 times; 10 standard deviations are 700. */
	for (const char *digit = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; *digit != '\0'; digit++)
		assert_in_range(seen[(unsigned char)*digit], 4300, 5700);
}

static int
compare(const void *a, const void *b)
{
	return memcmp(a, b, ID_SIZE);
}

static void
test_no_two_are_equal(void **state)
{
	(void)state;
	static char ids[MANY][ID_SIZE];

	for (int i = 0; i < MANY; i++)
		id_make(ids[i]);
	qsort(ids, MANY, ID_SIZE, compare);
	int equal = 0;

	for (int i = 1; i < MANY; i++)
		equal += memcmp(ids[i - 1], ids[i], ID_SIZE) == 0;
	assert_true(equal <= 1); /* expected: 0.0002 */
}

static void
test_fork_shares_nothing(void **state)
{
	(void)state;
	char mine[ID_SIZE], theirs[ID_SIZE] = "";
	int ends[2];

	id_make(mine); /* the pool is filled */
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();

	if (child == 0) {
		id_make(mine);
		_exit(write(ends[1], mine, sizeof(mine)) == sizeof(mine) ? 0 : 1);
	}
	id_make(mine);
	assert_int_equal(read(ends[0], theirs, sizeof(theirs)), sizeof(theirs));
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_string_not_equal(mine, theirs);
	close(ends[0]);
	close(ends[1]);
}

static void
test_read_what_people_type(void **state)
{
	(void)state;
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "7F3K2QAB", "7F3K2QAB" },
		{ "7f3k2qab", "7F3K2QAB" },
		{ " \t7F3K2QAB\r\n", "7F3K2QAB" },
		{ "IiLlOo00", "11110000" },
		{ "7F3K2QA", NULL },
		{ "7F3K2QABC", NULL },
		{ "7F3K2QAU", NULL },
		{ "7F3K 2QA", NULL },
		{ "7F3K-2QA", NULL },
		{ "7F3K2Q\xc3\xa4", NULL },
		{ "", NULL },
		{ "        ", NULL },
	};
	char id[ID_SIZE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(id_read(id, slice_of(cases[i].text)), cases[i].want != NULL);
		assert_string_equal(id, cases[i].want == NULL ? "" : cases[i].want);
	}
	assert_false(id_read(id, (struct slice) { .data = "7F3K2QA", .length = 8 })); /* a NUL */
	assert_false(id_read(id, (struct slice) { 0 }));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_no_two_are_equal),
		cmocka_unit_test(test_fork_shares_nothing),
		cmocka_unit_test(test_read_what_people_type),
	};

	return cmocka_run_group_tests_name("id", tests, NULL, NULL);
}
