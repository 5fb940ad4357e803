/*
 * strip: which fields are taken out, and that the others stay as they are.
 */
#include "tests/unit/config_text.h"

#include "proxy/strip.h"
#include "tests/unit/vectors.h"

#define AR "Authentication-Results:"

static const char *const ours[] = {
	AR " mx.example.com; dkim=pass\r\n",
	"authentication-RESULTS: MX.example.COM; dkim=pass\r\n",
	"Authentication-Results : mx.example.com; dkim=pass\r\n",
	AR "mx.example.com\r\n",
	AR " mx.example.com 1; none\r\n",
	AR " mx.example.com 7; none\r\n",
	AR " mx.example.com/1; none\r\n",
	AR " mx.example.com=x\r\n",
	AR "\r\n mx.example.com\r\n ; none\r\n",
	AR " (a (b\\) c)) mx.example.com(x); none\r\n",
	AR " \"mx.example.com\"; none\r\n",
	AR " \"mx\\.example.com\"; none\r\n",
	AR " example.org 2; none\r\n", /* a version that nobody knows */
	AR " example.org (x) 10; none\r\n",
	AR "\r\n",
	AR " ; dkim=pass\r\n",
	AR " (mx.example.com; dkim=pass\r\n",
	AR " \"mx.example.com; dkim=pass\r\n",
	AR " \"\"; dkim=pass\r\n",
	AR " =?utf-8?Q?mx.example.com?=; dkim=pass\r\n",
	AR " mx.example.com.; none\r\n",
	AR " mx.example.com, example.org; none\r\n",
	AR " example.org, mx.example.com; none\r\n", /* names, one behind the other */
	AR " \"mx\".example.com; none\r\n",
	AR " mx\"\".example.com; none\r\n",
	AR " mx.example.com\x01; none\r\n",
	AR " example.org (1; none\r\n",
	AR " example.org 11; none\r\n",
	AR " example.org 0; none\r\n",
	AR " example.org\r\n\t2; none\r\n",
	AR " (\r\n (x)\r\n\t) mx.example.com; none\r\n",
	"X-Postern-Verdict: accept\r\n",
	"x-postern-verdict: accept\r\n",
};

static const char *const others[] = {
	AR " example.org; dkim=pass\r\n",
	AR " example.org 1; dkim=pass\r\n",
	AR " example.org (9) 1; dkim=pass\r\n",
	AR " example.org 01; dkim=pass\r\n",
	AR " example.org\r\n\t1\r\n\t; dkim=pass\r\n",
	AR " spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=example.org\r\n", /* some do so */
	AR " b\xc3\xbc"
	   "cher.example; none\r\n",
	AR " xmx.example.com; dkim=pass\r\n",
	AR " mx.example.com.example.org; dkim=pass\r\n",
	AR " mx.example.co; dkim=pass\r\n",
	AR " (mx.example.com) example.org; dkim=pass\r\n",
	AR " \"mx.example.com \"; dkim=pass\r\n",
	AR " example.org; x=\"mx.example.com\"\r\n",
	"ARC-Authentication-Results: i=1; mx.example.com; none\r\n",
	"X-Authentication-Results: mx.example.com; none\r\n",
	"X-Postern: mx.example.com\r\n",
	"Subject: Authentication-Results: mx.example.com\r\n",
};

enum { OURS = sizeof(ours) / sizeof(ours[0]), OTHERS = sizeof(others) / sizeof(others[0]) };

static void
test_taken_out(void **state)
{
	struct config_text text = config_text_good(BASE);

	(void)state;
	for (size_t i = 0; i < OURS; i++) {
		const char *rest = "From: a\r\n.dot: x\r\n";
		struct buf out = { .limit = 10000 };

		if (!strip_header(text.config,
			slice_of(arena_format(text.arena, "From: a\r\n%s.dot: x\r\n", ours[i])),
			&out))
			fail_msg("%s", ours[i]);
		assert_true(slice_equals(buf_slice(&out), slice_of("From: a\r\n..dot: x\r\n")));
		buf_clear(&out);
		assert_true(strip_header(text.config,
		    slice_of(arena_format(text.arena, "%s%s%s", ours[i], rest, ours[i])), &out));
		assert_true(slice_equals(buf_slice(&out), slice_of("From: a\r\n..dot: x\r\n")));
		buf_free(&out);
	}
	config_text_end(&text);
}

static void
test_left(void **state)
{
	struct config_text text = config_text_good(BASE);
	struct config_text named = config_text_good(BASE "authserv_id: gate.example.com\n");
	struct buf out = { .limit = 10000 };

	(void)state;
	for (size_t i = 0; i < OTHERS; i++)
		if (strip_header(text.config, slice_of(others[i]), &out))
			fail_msg("%s", others[i]);
	assert_false(strip_header(named.config, slice_of(ours[0]), &out));
	assert_true(strip_header(named.config, slice_of(AR "gate.example.com;\r\n"), &out));
	buf_free(&out);
	config_text_end(&text);
	config_text_end(&named);
}

static bool
is_removed(const struct config *config, struct slice field)
{
	struct buf out = { .limit = 1 << 20 };
	bool is = strip_header(config, field, &out);

	assert_true(!is || out.length == 0);
	buf_free(&out);
	return is;
}

/* U-labels and A-labels are one name; a letter that looks alike makes another. */
static void
test_labels(void **state)
{
	static const struct {
		const char *id;
		bool is_ours;
	} ids[] = {
		{ "xn--bcher-kva.example", true },
		{ "XN--BCHER-KVA.example.", true },
		{ "b\xc3\xbc"
		  "cher.example",
		    true },
		{ "\"B\xc3\x9c"
		  "CHER.example\" 1",
		    true },
		{ "bu\xcc\x88"
		  "cher.example",
		    true },
		{ "b\xc3\xbc"
		  "cher.example.org",
		    false },
		{ "bucher.example", false },
		{ "b\xfc"
		  "cher.example",
		    false },
	};
	struct config_text text = config_text_good(BASE "authserv_id: xn--bcher-kva.example\n");

	(void)state;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		assert_int_equal(
		    is_removed(text.config,
			slice_of(arena_format(text.arena, AR " %s; none\r\n", ids[i].id))),
		    ids[i].is_ours);
	config_text_end(&text);
}

static void
test_aliases(void **state)
{
	struct config_text text =
	    config_text_good(BASE "authserv_aliases: [ mx2.example.com, example-auth ]\n");

	(void)state;
	assert_true(is_removed(text.config, slice_of(AR " mx.example.com; none\r\n")));
	assert_true(is_removed(text.config, slice_of(AR " MX2.example.com; none\r\n")));
	assert_true(is_removed(text.config, slice_of(AR " example-auth; none\r\n")));
	assert_false(is_removed(text.config, slice_of(AR " mx3.example.com; none\r\n")));
	config_text_end(&text);
}

/* The name stands behind more than anybody would put there. */
static void
test_far_away(void **state)
{
	struct config_text text = config_text_good(BASE);
	struct buf out = { .limit = 1 << 20 };

	(void)state;
	assert_true(strip_header(text.config,
	    slice_of(arena_format(text.arena, AR " (%05000d) mx.example.com; dkim=pass\r\n", 0)),
	    &out));
	assert_int_equal(out.length, 0);
	assert_true(strip_header(text.config,
	    slice_of(arena_format(text.arena, AR "%5000s mx.example.com; dkim=pass\r\n", "")),
	    &out));
	buf_free(&out);
	config_text_end(&text);
}

/* Cut anywhere: it has our name, or cannot be read. */
static void
test_cut(void **state)
{
	static const char field[] = AR " (a (b\\) c)) \"mx.example.com\" (x) 1; dkim=pass";
	struct config_text text = config_text_good(BASE);
	char copy[sizeof(field) + 2];

	(void)state;
	for (size_t length = sizeof(AR) - 1; length < sizeof(field); length++) {
		memcpy(copy, field, length);
		memcpy(copy + length, "\r\n", 2);
		assert_true(is_removed(text.config, (struct slice) { copy, length + 2 }));
	}
	config_text_end(&text);
}

/* ---- the conformance data ---- */

enum { COLUMNS = 6, VECTOR_MOST = 100000 };

/* "id ours field verdict sure rule". Where the rules leave it open, we may be the stricter. */
static void
check_vector(char *const column[COLUMNS])
{
	static char field[VECTOR_MOST];
	char ids[200], *rest = ids, *id;
	struct arena *arena = arena_new(SIZE_MAX);
	const char *yaml = BASE;

	snprintf(ids, sizeof(ids), "%s", column[1]);
	while ((id = strsep(&rest, " ")) != NULL)
		yaml = id == ids
		    ? arena_format(arena, "%sauthserv_id: %s\nauthserv_aliases:\n", BASE, id)
		    : arena_format(arena, "%s  - %s\n", yaml, id);
	if (strchr(column[1], ' ') == NULL)
		yaml = arena_format(arena, "%sauthserv_id: %s\n", BASE, ids);
	struct config_text text = config_text_good(yaml);
	struct slice slice = { field, vectors_unescape(field, column[2]) };
	bool is = is_removed(text.config, slice), wants = strcmp(column[3], "remove") == 0;

	if (is != wants && (strcmp(column[4], "yes") == 0 || wants))
		fail_msg("%s: %s", column[0], column[2]);
	config_text_end(&text);
	arena_free(arena);
}

static void
test_vectors(void **state)
{
	char line[4000], *column[COLUMNS];
	unsigned count = 0;
	FILE *file = vectors_open("dmarc/ar.tsv");

	(void)state;
	if (file == NULL)
		skip();
	for (; fgets(line, sizeof(line), file) != NULL; count++) {
		assert_int_equal(vectors_split(line, column, COLUMNS), COLUMNS);
		check_vector(column);
	}
	fclose(file);
	assert_true(count > 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken_out),
		cmocka_unit_test(test_left),
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_aliases),
		cmocka_unit_test(test_far_away),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_vectors),
	};

	return cmocka_run_group_tests_name("strip", tests, NULL, NULL);
}
