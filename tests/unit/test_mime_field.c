/* Structured fields of MIME: parameters in all the forms in which they come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/mime_field.h"

struct row {
	const char *field, *token, *name, *value; /* value NULL: there is none */
	unsigned faults;
};

static void
check(const struct row *row)
{
	static struct mime_field field;
	size_t length = strlen(row->field);
	char *text = malloc(length + 1);
	char value[MIME_FIELD_VALUE];

	memcpy(text, row->field, length);
	mime_field_read(&field, text, length);
	assert_int_equal(field.token.length, strlen(row->token));
	assert_memory_equal(field.token.data, row->token, field.token.length);
	size_t size = 0;
	bool is_there =
	    mime_field_value(&field, row->name, 0, false, value, sizeof(value) - 1, &size);

	assert_int_equal(is_there, row->value != NULL);
	value[size] = '\0';
	if (is_there)
		assert_string_equal(value, row->value);
	assert_int_equal(field.faults, row->faults);
	free(text);
}

static void
test_parameters(void **state)
{
	static const struct row rows[] = {
		{ "", "", "name", NULL, 0 },
		{ "text/plain", "text/plain", "name", NULL, 0 },
		{ " text/plain ; name=a ", "text/plain", "name", "a", 0 },
		{ "text/plain;NAME=\"a; b\"", "text/plain", "name", "a; b", 0 },
		{ "a/b; name=\"q\\\"\\\\x\"", "a/b", "name", "q\"\\x", 0 },
		{ "a/b; name=\r\n\tfolded", "a/b", "name", "folded", 0 },
		{ "a/b; name=\"in\r\n side\"", "a/b", "name", "in side", 0 },
		{ "a/b (c; name=x) (d (e)) ; (f) name (g) = (h) y (i)", "a/b", "name", "y", 0 },
		{ "a/b; name=a(1).pdf", "a/b", "name", "a(1).pdf", 0 },
		{ "a/b; name=my file.pdf", "a/b", "name", "my file.pdf", MIME_FIELD_SYNTAX },
		{ "a/b; name=\"a\"b", "a/b", "name", "ab", 0 },
		{ "a/b; name=\"a\" b", "a/b", "name", "a b", MIME_FIELD_SYNTAX },
		{ "a/b; name=\"open", "a/b", "name", "open", MIME_FIELD_SYNTAX },
		{ "a/b; (open name=x", "a/b", "name", NULL, MIME_FIELD_SYNTAX },
		{ "a/b; name", "a/b", "name", "", MIME_FIELD_SYNTAX },
		{ "a/b;;;name=x;;", "a/b", "name", "x", 0 },
		{ "a/b; name=x; name=y", "a/b", "name", "x", MIME_FIELD_TWICE },
		{ "a/b; filename=x; name=y", "a/b", "name", "y", 0 },
		{ "a/b; names=x; nam=y", "a/b", "name", NULL, 0 },
		{ "a/b; name==?utf-8?Q?a=E2=82=AC?=", "a/b", "name", "a€", MIME_FIELD_ENCODED },
		{ "a/b; name=\"=?utf-8?B?4oKs?=.pdf\"", "a/b", "name", "€.pdf",
		    MIME_FIELD_ENCODED },
		{ "a/b; name=caf\xe9", "a/b", "name", "café", 0 },
		{ "a/b; name=caf\xc3\xa9", "a/b", "name", "café", 0 },
		{ "a/b; name=\"a\tb\"", "a/b", "name", "a b", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(&rows[i]);
}

static void
test_pieces(void **state)
{
	static const struct row rows[] = {
		{ "a/b; name*=utf-8''%e2%82%ac.pdf", "a/b", "name", "€.pdf", 0 },
		{ "a/b; name*=iso-8859-1'en'caf%E9", "a/b", "name", "café", 0 },
		{ "a/b; name*=''x%20y", "a/b", "name", "x y", 0 },
		{ "a/b; name*=x%", "a/b", "name", "x%", 0 },
		{ "a/b; name*=utf-8''%zz%4", "a/b", "name", "%zz%4", 0 },
		{ "a/b; name=old; name*=utf-8''new", "a/b", "name", "new", 0 },
		{ "a/b; name*0=ab; name*1=cd", "a/b", "name", "abcd", 0 },
		{ "a/b; name*1=cd; name*0=ab", "a/b", "name", "abcd", 0 },
		{ "a/b; name*0*=utf-8''%e2; name*1*=%82%ac; name*2=\".pdf\"", "a/b", "name",
		    "€.pdf", 0 },
		{ "a/b; name*0=ab; name*2=cd", "a/b", "name", "ab", MIME_FIELD_GAP },
		{ "a/b; name*1=cd; name=x", "a/b", "name", "x", MIME_FIELD_GAP },
		{ "a/b; name*0=a; name*0=b", "a/b", "name", "a", MIME_FIELD_TWICE },
		{ "a/b; name*x=a; name*12345=b", "a/b", "name", NULL, 0 },
		{ "a/b; name*0*=utf-8''a; name*1=%20", "a/b", "name", "a%20", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(&rows[i]);
}

static void
test_limits(void **state)
{
	static struct mime_field field;
	char text[20000] = "a/b", value[MIME_FIELD_VALUE];
	size_t length = 3;

	(void)state;
	for (int i = 0; i < 200; i++)
		length += (size_t)sprintf(text + length, "; p%d=x", i);
	mime_field_read(&field, text, length);
	assert_int_equal(field.count, MIME_FIELD_MOST);
	assert_int_equal(field.faults, MIME_FIELD_LONG);

	length = (size_t)sprintf(text, "a/b; name*0=");
	memset(text + length, 'x', 10000);
	mime_field_read(&field, text, length + 10000);
	assert_true(mime_field_value(&field, "name", 0, true, value, sizeof(value), &length));
	assert_int_equal(length, MIME_FIELD_VALUE);
	assert_int_equal(field.faults, MIME_FIELD_LONG);
}

/* Cut anywhere it is still some field, and nothing outside of it is touched. */
static void
test_cut(void **state)
{
	static const char whole[] =
	    "a/b (c\\)(d)) ; name*0*=utf-8'en'%e2%82; name*1=\"\\\"x\"; other=\"=?utf-8?q?a?=\"";
	static struct mime_field field;
	char value[MIME_FIELD_VALUE];
	size_t size;

	(void)state;
	for (size_t length = 0; length < sizeof(whole); length++) {
		char *text = malloc(length > 0 ? length : 1);

		memcpy(text, whole, length);
		mime_field_read(&field, text, length);
		mime_field_value(&field, "name", 0, false, value, sizeof(value), &size);
		mime_field_value(&field, "other", 0, false, value, sizeof(value), &size);
		free(text);
	}
}

static void
test_nul(void **state)
{
	static struct mime_field field;
	char text[] = "text/html\0; charset=utf-8";

	(void)state;
	mime_field_read(&field, text, sizeof(text) - 1);
	assert_int_equal(field.token.length, 9);
	assert_int_equal(field.count, 1);
	assert_int_equal(field.faults, MIME_FIELD_NUL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parameters),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_nul),
	};

	return cmocka_run_group_tests_name("mime_field", tests, NULL, NULL);
}
