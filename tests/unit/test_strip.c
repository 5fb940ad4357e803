/*
 * strip: which fields are taken out, and that the others stay as they are.
 */
#include "tests/unit/config_text.h"

#include "proxy/strip.h"

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
	"X-Postern-Verdict: accept\r\n",
	"x-postern-verdict: accept\r\n",
};

static const char *const others[] = {
	AR " example.org; dkim=pass\r\n",
	AR " example.org 1; dkim=pass\r\n",
	AR " example.org (9) 1; dkim=pass\r\n",
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken_out),
		cmocka_unit_test(test_left),
		cmocka_unit_test(test_far_away),
	};

	return cmocka_run_group_tests_name("strip", tests, NULL, NULL);
}
