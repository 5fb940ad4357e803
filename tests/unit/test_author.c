/* Author domains out of From fields: own rows, then the conformance data where they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/author.h"
#include "tests/unit/vectors.h"

enum { LINE_MOST = 1000, HEADER_MOST = 400000, COLUMNS_MOST = 8 };

static const char *const words[] = { "one", "many", "none", "refuse" };

/* "one a.example", "many a.example b.example", "none", "refuse" */
static const char *
author_text(struct arena *arena, struct slice header)
{
	struct author author = author_read(arena, header);
	char *text = arena_strdup(arena, words[author.kind]);

	assert_true((author.kind == AUTHOR_MALFORMED) == (author.why[0] != '\0'));
	for (size_t i = 0; i < author.count && author.kind != AUTHOR_MALFORMED; i++)
		text = arena_format(arena, "%s %s", text, author.domain[i]);
	return text;
}

static void
check(const char *header, const char *expected)
{
	struct arena *arena = arena_new(SIZE_MAX);

	assert_string_equal(author_text(arena, slice_of(header)), expected);
	arena_free(arena);
}

static void
test_mailboxes(void **state)
{
	(void)state;
	check("From: a@A.Example\r\n", "one a.example");
	check("From: \"x <b@b.example>\" <a@a.example>\r\n", "one a.example");
	check("From: (c (d)) a (e) @ (f) a . (g) example\r\n", "one a.example");
	check("From: \"a b\"@a.example, c@a.example\r\n", "one a.example");
	check("From: a@a.example, b@b.example\r\n", "many a.example b.example");
	check("From: team: a@a.example, b@a.example;, c@b.example\r\n", "many a.example b.example");
	check("From: =?utf-8?q?b=40b.example?= <a@a.example>\r\n", "one a.example");
	check("From: a@b\xc3\xbc"
	      "cher.example\r\n",
	    "one xn--bcher-kva.example");
	check("From: nobody:;\r\n", "none");
	check("From: a@[192.0.2.1]\r\n", "none");
}

static void
test_malformed(void **state)
{
	(void)state;
	check("Subject: x\r\n", "refuse");
	check("From:\r\n", "refuse");
	check("From: a@a.example\r\nfrom : b@b.example\r\n", "refuse");
	check("From: a@a.example b@b.example\r\n", "refuse");
	check("From: <a@a.example> <b@b.example>\r\n", "refuse");
	check("From: a@b.example@a.example\r\n", "refuse");
	check("From: <a@a.example\r\n", "refuse");
	check("From: (a@a.example\r\n", "refuse");
	check("From: \"a@a.example\r\n", "refuse");
	check("From: team: a@a.example\r\n", "refuse");
	check("From: a@a..example\r\n", "refuse");
	check("From: a@.example\r\n", "refuse");
	check("From: John Doe\r\n", "refuse");
	check("From: a@a.example;\r\n", "refuse");
	check("From: :a@a.example;\r\n", "refuse");
}

/* More author domains than anybody has are refused, before they cost anything. */
static void
test_bounds(void **state)
{
	struct arena *arena = arena_new(SIZE_MAX);
	const char *header = "From: a@d0.example";

	(void)state;
	for (int i = 1; i < AUTHOR_DOMAINS_MOST; i++)
		header = arena_format(arena, "%s, a@d%d.example", header, i);
	assert_memory_equal(
	    author_text(arena, slice_of(arena_format(arena, "%s\r\n", header))), "many", 4);
	header = arena_format(arena, "%s, a@one-more.example\r\n", header);
	assert_string_equal(author_text(arena, slice_of(header)), "refuse");
	arena_free(arena);
}

static void
test_domains(void **state)
{
	struct arena *arena = arena_new(SIZE_MAX);

	(void)state;
	assert_string_equal(author_domain(arena, slice_of("A.Example.")), "a.example");
	assert_null(author_domain(arena, slice_of("")));
	assert_null(author_domain(arena, slice_of("a..example")));
	assert_null(author_domain(arena, slice_of("a b.example")));
	assert_null(author_domain(arena, slice_of("a\xff.example")));
	assert_null(author_domain(arena, (struct slice) { "a\0b.example", 11 }));
	arena_free(arena);
}

static void
test_vectors(void **state)
{
	char line[LINE_MOST], *c[COLUMNS_MOST];
	char *header = malloc(HEADER_MOST);
	unsigned rows = 0, differ = 0;

	(void)state;
	FILE *file = vectors_open("dmarc/from.tsv");

	if (file == NULL) {
		free(header);
		skip();
	}
	while (fgets(line, sizeof(line), file) != NULL) {
		struct arena *arena = arena_new(SIZE_MAX);

		assert_true(vectors_split(line, c, COLUMNS_MOST) >= 6);
		const char *found =
		    author_text(arena, (struct slice) { header, vectors_unescape(header, c[1]) });
		const char *expected =
		    strcmp(c[3], "-") == 0 ? c[2] : arena_format(arena, "%s %s", c[2], c[3]);

		rows++;
		if (strcmp(found, expected) != 0 && strcmp(found, c[4]) != 0) {
			print_message(
			    "%s (sure=%s): %s, expected %s\n", c[0], c[5], found, expected);
			differ += strcmp(c[5], "yes") == 0;
		}
		arena_free(arena);
	}
	fclose(file);
	free(header);
	assert_true(rows > 0);
	assert_int_equal(differ, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mailboxes),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_domains),
		cmocka_unit_test(test_vectors),
	};

	return cmocka_run_group_tests_name("author", tests, NULL, NULL);
}
