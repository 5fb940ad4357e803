/*
 * dkim_tags: what is a list of tags and what is not, cut at every place; items; base64.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/dkim_tags.h"

struct list_case {
	const char *text;
	const char *want; /* "name=value|..."; "!" before why it is none */
};

static const struct list_case cases[] = {
	{ "", "" },
	{ " \t\r\n ", "" },
	{ "a=1", "a=1|" },
	{ "a=1;", "a=1|" },
	{ "a=1; ", "a=1|" },
	{ " a = 1 ; b = 2 3 ;\r\n\tc=\r\n ", "a=1|b=2 3|c=|" },
	{ "a=", "a=|" },
	{ "a==;b=c=d", "a==|b=c=d|" },
	{ "A=1;a=2", "A=1|a=2|" },
	{ "a_1=x", "a_1=x|" },
	{ "a=x\r\n\ty", "a=x\r\n\ty|" },
	{ "a=1;;b=2", "!a part without \"=\"" },
	{ ";", "!a part without \"=\"" },
	{ ";a=1", "!a part without \"=\"" },
	{ "a", "!a part without \"=\"" },
	{ "a=1;b", "!a part without \"=\"" },
	{ "a=1;=2", "!a tag with a name that is none" },
	{ "1a=1", "!a tag with a name that is none" },
	{ "_a=1", "!a tag with a name that is none" },
	{ "a b=1", "!a tag with a name that is none" },
	{ "a-b=1", "!a tag with a name that is none" },
	{ "a=1;a=1", "!a tag that is there twice" },
	{ "a=1; a =2", "!a tag that is there twice" },
	{ "a=\x7f", "!octets that are no text" },
	{ "a=\x01", "!octets that are no text" },
	{ "a=\xc3\xa4", "!octets that are no text" },
	{ "a=\v", "!octets that are no text" },
};

static char *
describe(struct arena *arena, struct slice text)
{
	struct dkim_tags tags;
	const char *why = dkim_tags_read(&tags, text);
	char *all = arena_strdup(arena, "");

	if (why != NULL)
		return arena_format(arena, "!%s", why);
	for (size_t i = 0; i < tags.count; i++)
		all = arena_format(arena, "%s%.*s=%.*s|", all, (int)tags.tag[i].name.length,
		    tags.tag[i].name.data, (int)tags.tag[i].value.length, tags.tag[i].value.data);
	return all;
}

static void
test_lists(void **state)
{
	struct arena *arena = arena_new(SIZE_MAX);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(describe(arena, slice_of(cases[i].text)), cases[i].want);
	assert_string_equal(
	    describe(arena, (struct slice) { "a=1\0", 4 }), "!octets that are no text");
	arena_free(arena);
}

/* In memory of exactly that size, so that nobody can look behind it. */
static void
test_cut_everywhere(void **state)
{
	static const char text[] = "v=1; a=rsa-sha256 ;\r\n\th=from : to:;b=;";
	struct arena *arena = arena_new(SIZE_MAX);

	(void)state;
	for (size_t length = 0; length < sizeof(text); length++) {
		char *copy = malloc(length > 0 ? length : 1);

		memcpy(copy, text, length);
		(void)describe(arena, (struct slice) { copy, length });
		free(copy);
	}
	arena_free(arena);
}

static void
test_too_many(void **state)
{
	char text[4 * (DKIM_TAGS_MOST + 1) + 1] = "";
	struct dkim_tags tags;

	(void)state;
	for (int i = 0; i <= DKIM_TAGS_MOST; i++) {
		sprintf(text + 4 * i, "%c%c=;", 'a' + i / 26, 'a' + i % 26);
		if (i < DKIM_TAGS_MOST)
			assert_null(dkim_tags_read(&tags, slice_of(text)));
	}
	assert_string_equal(dkim_tags_read(&tags, slice_of(text)), "too many tags");
	assert_int_equal(tags.count, DKIM_TAGS_MOST);
}

static void
test_items(void **state)
{
	struct slice rest = slice_of(" from :to:\r\n\tsubject: :"), item;
	const char *const want[] = { "from", "to", "subject", "", "" };
	size_t count = 0;

	(void)state;
	for (; dkim_tags_item(&rest, &item); count++) {
		assert_true(count < 5);
		assert_true(slice_equals(item, slice_of(want[count])));
	}
	assert_int_equal(count, 5);
	assert_true(dkim_tags_lists(slice_of("a: b :c"), "b"));
	assert_false(dkim_tags_lists(slice_of("a:bb:c"), "b"));
	assert_false(dkim_tags_lists(slice_of("a:B"), "b"));
	assert_false(dkim_tags_lists(slice_of(""), "b"));
}

static void
test_base64(void **state)
{
	static const char *const good[] = { "QQ==", "QUI=", "QUJD", "Q U\r\n\tJD", "+/+/",
		" QUJD " };
	static const char *const bad[] = { "", " ", "=", "====", "Q", "QQ", "QUI",
		"QQ=", "Q===", "QUJD=", "QQ==QUJD", "QU*D", "QUJ-", "Q=Q=", "QUJDQ" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(dkim_tags_is_base64(slice_of(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(dkim_tags_is_base64(slice_of(bad[i])));
}

static void
test_squeeze(void **state)
{
	struct arena *arena = arena_new(SIZE_MAX);

	(void)state;
	assert_string_equal(dkim_tags_squeeze(arena, slice_of(" a\r\n\tb c ")), "abc");
	assert_string_equal(dkim_tags_squeeze(arena, slice_of("")), "");
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_cut_everywhere),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_items),
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_squeeze),
	};

	return cmocka_run_group_tests_name("dkim_tags", tests, NULL, NULL);
}
