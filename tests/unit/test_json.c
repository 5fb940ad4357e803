#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/json.h"
#include "lib/utf8.h"

static struct buf buf;
static struct json json;

static int
begin(void **state)
{
	(void)state;
	buf_init(&buf, 64 * 1024);
	json_init(&json, &buf);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	buf_free(&buf);
	return 0;
}

static void
check(const char *want)
{
	struct slice held = buf_slice(&buf);

	assert_true(json_is_complete(&json));
	if (!slice_equals(held, slice_of(want)))
		fail_msg("%.*s\nwanted: %s", (int)held.length, held.data, want);
	buf_clear(&buf);
	json_init(&json, &buf);
}

static void
test_nesting_and_commas(void **state)
{
	(void)state;
	json_open_object(&json);
	json_close_object(&json);
	check("{}");
	json_open_array(&json);
	json_close_array(&json);
	check("[]");

	json_open_object(&json);
	json_text(json_key(&json, "a"), "b");
	json_open_array(json_key(&json, "list"));
	json_integer(&json, 1);
	json_open_object(&json);
	json_null(json_key(&json, "none"));
	json_bool(json_key(&json, "yes"), true);
	json_close_object(&json);
	json_open_array(&json);
	json_close_array(&json);
	json_bool(&json, false);
	json_close_array(&json);
	json_raw(json_key(&json, "raw"), slice_of("[1,{}]"));
	assert_false(json_is_complete(&json));
	json_text(json_key_slice(&json, (struct slice) { .data = "keyed", .length = 3 }), NULL);
	json_close_object(&json);
	check("{\"a\":\"b\",\"list\":[1,{\"none\":null,\"yes\":true},[],false],\"raw\":[1,{}],"
	      "\"key\":null}");
}

static void
test_deepest(void **state)
{
	(void)state;
	char want[2 * JSON_DEPTH_MOST + 1] = "";

	for (int i = 0; i < JSON_DEPTH_MOST; i++) {
		json_open_array(&json);
		want[i] = '[';
		want[2 * JSON_DEPTH_MOST - 1 - i] = ']';
	}
	for (int i = 0; i < JSON_DEPTH_MOST; i++)
		json_close_array(&json);
	check(want);
}

static void
test_integers(void **state)
{
	(void)state;
	json_open_array(&json);
	json_integer(&json, 0);
	json_integer(&json, INT64_MIN);
	json_integer(&json, INT64_MAX);
	json_unsigned(&json, UINT64_MAX);
	json_close_array(&json);
	check("[0,-9223372036854775808,9223372036854775807,18446744073709551615]");
}

static void
test_doubles(void **state)
{
	(void)state;
	static const struct {
		double value;
		const char *want;
	} cases[] = {
		{ 0, "0" },
		{ -0.0, "-0" },
		{ 1, "1" },
		{ 1.2, "1.2" },
		{ -12.345, "-12.345" },
		{ 0.1, "0.1" },
		{ 0.1 + 0.2, "0.30000000000000004" },
		{ 1.0 / 3, "0.3333333333333333" },
		{ 1e21, "1e+21" },
		{ 1e-7, "1e-07" },
		{ 1796274000.123, "1796274000.123" },
		{ 5e-324, "4.94065645841247e-324" },
		{ 1.7976931348623157e308, "1.7976931348623157e+308" },
		{ NAN, "null" },
		{ INFINITY, "null" },
		{ -INFINITY, "null" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_double(&json, cases[i].value);
		check(cases[i].want);
	}
}

static void
test_doubles_read_back(void **state)
{
	(void)state;
	srandom(3);
	for (int i = 0; i < 20000; i++) {
		uint64_t bits =
		    (uint64_t)random() << 33 ^ (uint64_t)random() << 12 ^ (uint64_t)random();
		double value, again;

		memcpy(&value, &bits, sizeof(value));
		if (!isfinite(value))
			continue;
		json_double(&json, value);
		buf_append_byte(&buf, '\0');
		again = strtod(buf.data, NULL);
		assert_memory_equal(&again, &value, sizeof(value));
		buf_clear(&buf);
		json_init(&json, &buf);
	}
}

static void
check_string(const char *text, size_t length, const char *want)
{
	json_string(&json, (struct slice) { .data = text, .length = length });
	check(want);
	json_open_object(&json);
	json_null(json_key_slice(&json, (struct slice) { .data = text, .length = length }));
	json_close_object(&json);
	char object[1024];

	snprintf(object, sizeof(object), "{%s:null}", want);
	check(object);
}

#define CHECK_STRING(text, want) check_string(text, sizeof(text) - 1, want)

static void
test_strings(void **state)
{
	(void)state;
	CHECK_STRING("", "\"\"");
	check_string(NULL, 0, "\"\"");
	CHECK_STRING("plain", "\"plain\"");
	CHECK_STRING("\"quoted\" \\ /", "\"\\\"quoted\\\" \\\\ /\"");
	CHECK_STRING("\b\t\n\f\r", "\"\\b\\t\\n\\f\\r\"");
	CHECK_STRING("a\0b\x01\x1f\x7f", "\"a\\u0000b\\u0001\\u001f\\u007f\"");
	CHECK_STRING(
	    "\xc3\xa4\xe2\x82\xac\xf0\x9f\x93\xa7", "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x93\xa7\"");
	CHECK_STRING("\xe2\x80\xa8\xe2\x80\xa9", "\"\\u2028\\u2029\"");
	CHECK_STRING("</script>", "\"</script>\"");
}

#define BAD "\xef\xbf\xbd"

static void
test_broken_utf8(void **state)
{
	(void)state;
	CHECK_STRING("\x80", "\"" BAD "\"");
	CHECK_STRING("a\xff\xfe"
		     "b",
	    "\"a" BAD BAD "b\"");
	CHECK_STRING("\xc3", "\"" BAD "\"");
	CHECK_STRING("\xc3\x28", "\"" BAD "(\"");
	CHECK_STRING("\xe2\x82", "\"" BAD BAD "\"");
	CHECK_STRING("\xc0\xaf", "\"" BAD BAD "\"");                 /* overlong */
	CHECK_STRING("\xe0\x80\xaf", "\"" BAD BAD BAD "\"");         /* overlong */
	CHECK_STRING("\xed\xa0\x80", "\"" BAD BAD BAD "\"");         /* surrogate */
	CHECK_STRING("\xf4\x90\x80\x80", "\"" BAD BAD BAD BAD "\""); /* U+110000 */
	CHECK_STRING("\xf8\x88\x80\x80\x80", "\"" BAD BAD BAD BAD BAD "\"");
}

/* Whatever bytes come, what is written is valid UTF-8 without control characters. */
static void
test_random_bytes(void **state)
{
	(void)state;
	srandom(5);
	for (int turn = 0; turn < 2000; turn++) {
		size_t length = (size_t)random() % 60;
		char *text = malloc(length + 1);

		for (size_t i = 0; i < length; i++)
			text[i] = (char)random();
		json_string(&json, (struct slice) { .data = text, .length = length });
		free(text);
		struct slice held = buf_slice(&buf);

		while (held.length > 0) {
			uint32_t code = 0;
			size_t used = utf8_read(held, &code);

			assert_int_not_equal(used, 0);
			assert_true(code >= 0x20 && code != 0x7f && code != 0x2028);
			held = (struct slice) { .data = held.data + used,
				.length = held.length - used };
		}
		buf_clear(&buf);
		json_init(&json, &buf);
	}
}

static void
test_utf8(void **state)
{
	(void)state;
	for (uint32_t code = 0; code <= 0x110000; code++) {
		char text[4];
		size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
		static const unsigned leads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
		bool is_valid = code < 0x110000 && (code < 0xd800 || code > 0xdfff);
		uint32_t read = 0;

		for (size_t i = length, rest = code; i-- > 0; rest >>= 6)
			text[i] = (char)(i == 0 ? leads[length] | rest : 0x80 | (rest & 0x3f));
		struct slice slice = { .data = text, .length = length };

		assert_int_equal(utf8_read(slice, &read), is_valid ? length : 0);
		assert_int_equal(read, is_valid ? code : 0);
		slice.length--;
		assert_int_equal(utf8_read(slice, NULL), 0); /* cut */
	}
}

static void
test_overflow_is_the_bufs(void **state)
{
	(void)state;
	buf_free(&buf);
	for (size_t limit = 0; limit < 40; limit++) {
		buf_init(&buf, limit);
		json_init(&json, &buf);
		json_open_object(&json);
		json_text(json_key(&json, "key"), "text\n\xff");
		json_integer(json_key(&json, "n"), 12345);
		json_close_object(&json);
		static const char whole[] = "{\"key\":\"text\\n" BAD "\",\"n\":12345}";

		assert_int_equal(buf.overflowed, limit < strlen(whole));
		assert_memory_equal(buf_slice(&buf).data, whole, buf.length);
		buf_free(&buf);
	}
}

static void
nest_too_deep(void)
{
	for (int i = 0; i <= JSON_DEPTH_MOST; i++)
		json_open_array(&json);
}

static void
value_without_key(void)
{
	json_open_object(&json);
	json_null(&json);
}

static void
key_in_array(void)
{
	json_open_array(&json);
	json_key(&json, "a");
}

static void
key_outside(void)
{
	json_key(&json, "a");
}

static void
two_keys(void)
{
	json_open_object(&json);
	json_key(json_key(&json, "a"), "b");
}

static void
key_without_value(void)
{
	json_open_object(&json);
	json_key(&json, "a");
	json_close_object(&json);
}

static void
wrong_close(void)
{
	json_open_object(&json);
	json_close_array(&json);
}

static void
close_too_much(void)
{
	json_open_array(&json);
	json_close_array(&json);
	json_close_array(&json);
}

static void
second_value(void)
{
	json_null(&json);
	json_null(&json);
}

static void
test_misuse_is_asserted(void **state)
{
	(void)state;
	static void (*const misuses[])(void) = { nest_too_deep, value_without_key, key_in_array,
		key_outside, two_keys, key_without_value, wrong_close, close_too_much,
		second_value };

	for (size_t i = 0; i < sizeof(misuses) / sizeof(misuses[0]); i++) {
		pid_t child = fork();
		int status;

		if (child == 0) {
			signal(SIGABRT, SIG_DFL);
			dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
			misuses[i]();
			_exit(0);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT)
			fail_msg("misuse %zu went unnoticed", i);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nesting_and_commas, begin, end),
		cmocka_unit_test_setup_teardown(test_deepest, begin, end),
		cmocka_unit_test_setup_teardown(test_integers, begin, end),
		cmocka_unit_test_setup_teardown(test_doubles, begin, end),
		cmocka_unit_test_setup_teardown(test_doubles_read_back, begin, end),
		cmocka_unit_test_setup_teardown(test_strings, begin, end),
		cmocka_unit_test_setup_teardown(test_broken_utf8, begin, end),
		cmocka_unit_test_setup_teardown(test_random_bytes, begin, end),
		cmocka_unit_test_setup_teardown(test_utf8, begin, end),
		cmocka_unit_test_setup_teardown(test_overflow_is_the_bufs, begin, end),
		cmocka_unit_test_setup_teardown(test_misuse_is_asserted, begin, end),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
