/*
 * rules/config_man: the manual page has every key and every fact, and is whole.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rules/config_draft.h"
#include "rules/policy_read.h"

struct page {
	struct arena *arena;
	char *text;
	size_t size;
};

static int
page_begin(void **state)
{
	static struct page page;
	FILE *to = open_memstream(&page.text, &page.size);

	page.arena = arena_new(SIZE_MAX);
	config_write_man(to);
	fclose(to);
	*state = &page;
	return 0;
}

static int
page_end(void **state)
{
	struct page *page = *state;

	arena_free(page->arena);
	free(page->text);
	return 0;
}

static void
assert_has_rows(const struct page *page, const struct option *row)
{
	for (; row->key != NULL; row++) {
		assert_non_null(
		    strstr(page->text, arena_format(page->arena, "\\fB%s:\\fP", row->key)));
		if (row->help == NULL || row->help[0] == '\0')
			fail_msg("nothing is said about %s:", row->key);
		if (row->table != NULL)
			assert_has_rows(page, row->table);
	}
}

static void
test_every_key(void **state)
{
	struct page *page = *state;

	assert_has_rows(page, config_table(page->arena));
	assert_has_rows(page, policy_rule_rows);
}

static void
test_every_fact(void **state)
{
	const struct page *page = *state;

	for (size_t i = 0; registry[i] != NULL; i++)
		for (const struct fact_kind *fact = registry[i]->facts;
		     fact != NULL && fact->key != NULL; fact++)
			assert_non_null(strstr(page->text,
			    arena_format(page->arena, "\\fB%s.%s\\fP: %s\n%s.\n", registry[i]->name,
				fact->key, fact->values, fact->meaning)));
}

/* Requests are those that are meant, and what is indented comes back. */
static void
test_requests(void **state)
{
	static const char *const known[] = { "TH", "SH", "PP", "TP", "B", "I", "BR", "RS", "RE",
		NULL };
	const struct page *page = *state;
	int depth = 0;

	for (char *line = strtok(page->text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		size_t length = strcspn(line + 1, " "), i = 0;

		assert_true(line[0] != '\'');
		if (line[0] != '.')
			continue;
		while (known[i] != NULL && strncmp(known[i], line + 1, length) != 0)
			i++;
		assert_non_null(known[i]);
		depth += strcmp(line, ".RS") == 0;
		depth -= strcmp(line, ".RE") == 0;
		assert_in_range(depth, 0, 3);
	}
	assert_int_equal(depth, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_every_key, page_begin, page_end),
		cmocka_unit_test_setup_teardown(test_every_fact, page_begin, page_end),
		cmocka_unit_test_setup_teardown(test_requests, page_begin, page_end),
	};

	return cmocka_run_group_tests_name("man", tests, NULL, NULL);
}
