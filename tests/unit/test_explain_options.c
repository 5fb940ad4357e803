/*
 * explain_options: words that are good, what is taken where nothing was said, and words that
 * are wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/explain_options.h"

#include <getopt.h>

enum { WORDS_MOST = 20 };

/* The words, with blanks between; '_' stands for a blank in a word, '~' for an empty word. */
static bool
read_words(struct explain_options *options, struct arena *arena, const char *text)
{
	char *words = arena_strdup(arena, text), *argv[WORDS_MOST] = { "explain" }, *rest = NULL;
	int argc = 1;

	for (char *word = strtok_r(words, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest)) {
		for (char *at = word; *at != '\0'; at++)
			*at = *at == '_' ? ' ' : *at;
		argv[argc++] = strcmp(word, "~") == 0 ? arena_strdup(arena, "") : word;
	}
	optind = 0; /* begin anew */
	return explain_options_read(options, arena, argc, argv);
}

static void
assert_text(struct slice slice, const char *text)
{
	assert_int_equal(slice.length, strlen(text));
	assert_memory_equal(slice.data, text, slice.length);
}

static void
test_all(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	struct explain_options options;
	char ip[IP_TEXT_MOST];

	(void)state;
	assert_true(read_words(&options, arena,
	    "--ip 192.0.2.1 --helo mail.example.org --from a@example.org --rcpt c@example.com "
	    "a.eml --rcpt <d@example.com> --user u --tls TLSv1.2 --json"));
	assert_string_equal(options.file, "a.eml");
	assert_string_equal(ip_text(ip, &options.ip), "192.0.2.1");
	assert_string_equal(options.helo, "mail.example.org");
	assert_text(options.from.text, "a@example.org");
	assert_int_equal(options.count, 2);
	assert_text(options.recipients[0].text, "c@example.com");
	assert_text(options.recipients[1].text, "d@example.com");
	assert_string_equal(options.user, "u");
	assert_string_equal(options.tls, "TLSv1.2");
	assert_true(options.is_json);
	arena_free(arena);
}

static void
test_least(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	struct explain_options options;

	(void)state;
	assert_true(read_words(&options, arena, "- --ip 2001:db8::1"));
	assert_string_equal(options.file, "-");
	assert_string_equal(options.helo, "[IPv6:2001:db8::1]");
	assert_true(options.from.is_null);
	assert_int_equal(options.count, 1);
	assert_true(options.recipients[0].is_postmaster);
	assert_null(options.user);
	assert_null(options.tls);
	assert_false(options.is_json);
	assert_true(read_words(&options, arena, "a.eml --ip=192.0.2.1 --from <>"));
	assert_string_equal(options.helo, "[192.0.2.1]");
	assert_true(options.from.is_null);
	assert_true(read_words(&options, arena, "a.eml --ip 192.0.2.1 --from ~"));
	assert_true(options.from.is_null);
	arena_free(arena);
}

static void
test_wrong(void **state)
{
	static const char *const rows[] = {
		"",
		"a.eml",
		"--ip 192.0.2.1",
		"a.eml b.eml --ip 192.0.2.1",
		"a.eml --ip",
		"a.eml --ip 192.0.2",
		"a.eml --ip 192.0.2.1 --what",
		"a.eml --ip 192.0.2.1 --json=yes",
		"a.eml --ip 192.0.2.1 --helo ~",
		"a.eml --ip 192.0.2.1 --helo a_b",
		"a.eml --ip 192.0.2.1 --helo _a",
		"a.eml --ip 192.0.2.1 --from a",
		"a.eml --ip 192.0.2.1 --from a@b@c",
		"a.eml --ip 192.0.2.1 --from <a@b",
		"a.eml --ip 192.0.2.1 --from a@b>_SIZE=1",
		"a.eml --ip 192.0.2.1 --rcpt ~",
		"a.eml --ip 192.0.2.1 --rcpt <>",
		"a.eml --ip 192.0.2.1 --rcpt c",
		"a.eml --ip 192.0.2.1 --rcpt c@example.com>_NOTIFY=NEVER",
		"a.eml --ip 192.0.2.1 --rcpt <c@example.com>_NOTIFY=NEVER",
		"a.eml --ip 192.0.2.1 --user ~",
		"a.eml --ip 192.0.2.1 --tls 1.3",
		"a.eml --ip 192.0.2.1 --tls ~",
	};
	struct arena *arena = arena_new(1 << 20);
	struct explain_options options;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (read_words(&options, arena, rows[i]))
			fail_msg("taken: %s", rows[i]);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_least),
		cmocka_unit_test(test_wrong),
	};

	return cmocka_run_group_tests_name("explain_options", tests, NULL, NULL);
}
