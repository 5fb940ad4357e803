#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/header.h"

/* "name=unfolded value/faults;" for each field. */
static const char *
describe(struct slice block)
{
	static char text[2048];
	struct header_field field;
	size_t offset = 0, end = 0, joined = 0;

	text[0] = '\0';
	while (header_next(block, &offset, &field)) {
		char value[256];
		size_t length = header_unfold(field.value, value, sizeof(value));

		assert_ptr_equal(field.whole.data, block.data + joined);
		joined += field.whole.length;
		assert_int_equal(joined, offset);
		end += (size_t)snprintf(text + end, sizeof(text) - end, "%.*s=%.*s/%x;",
		    (int)field.name.length, field.name.data, (int)length, value, field.faults);
	}
	return text;
}

static void
test_fields(void **state)
{
	static const struct {
		const char *block, *want;
	} rows[] = {
		{ "", "" },
		{ "\r\n", "" },
		{ "From: a\r\nTo:b\r\n\r\nBody: x\r\n", "From=a/0;To=b/0;" },
		{ "From: a\r\nTo: b", "From=a/0;To=b/0;" },
		{ "A:\r\nB: \r\n\r\n", "A=/0;B=/0;" },
		{ "A: b\r\n c\r\n\t d\r\nE: f\r\n\r\n", "A=b c\t d/0;E=f/0;" },
		{ "A:\r\n b\r\n\r\n", "A=b/0;" },
		{ "A: b\r\n \r\nC: d\r\n\r\n", "A=b/0;C=d/0;" },
		{ "A: b: c\r\n\r\n", "A=b: c/0;" },
		{ "A : b\r\n\r\n", "A=b/4;" },
		{ "A\t : b\r\n\r\n", "A=b/4;" },
		{ ": b\r\n\r\n", "=b/8;" },
		{ " : b\r\nA: c\r\n\r\n", "=: b/2;A=c/0;" },
		{ "From a Mon 10:00\r\nA: b\r\n\r\n", "From a Mon 10=00/8;A=b/0;" },
		{ "no colon\r\n more\r\nA: b\r\n\r\n", "=no colon more/1;A=b/0;" },
		{ "\xc3\xbc: b\r\n\r\n", "\xc3\xbc=b/8;" },
		{ "A: b\nC: d\n\nE: f\n", "A=b/0;C=d/0;" },
		{ "A: b\rC: d\r\n\r\n", "A=b C: d/10;" },
		{ "A: b\r\r\n\r\n", "A=b/10;" },
		{ "\r", "" },
		{ "A: b\r", "A=b/0;" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t length = strlen(rows[i].block);
		char *copy = malloc(length + 1);

		memcpy(copy, rows[i].block, length);
		assert_string_equal(describe((struct slice) { copy, length }), rows[i].want);
		free(copy);
		for (size_t cut = 0; cut < length; cut++) {
			copy = malloc(cut > 0 ? cut : 1);
			memcpy(copy, rows[i].block, cut);
			describe((struct slice) { copy, cut });
			free(copy);
		}
	}
	assert_string_equal(describe((struct slice) { "A: b\0c\r\n\r\n", 10 }), "A=b c/10;");
}

static void
test_find(void **state)
{
	struct slice block = slice_of(
	    "From: a\r\nfrom : b\r\nFrom x: c\r\nX-From: d\r\nFROM:\r\n e\r\n\r\nFrom: f\r\n");
	struct header_field field;
	size_t offset = 0;

	(void)state;
	assert_int_equal(header_count(block, "From"), 3);
	assert_int_equal(header_count(block, "x-from"), 1);
	assert_int_equal(header_count(block, "From x"), 0);
	assert_int_equal(header_count(block, "To"), 0);
	assert_int_equal(header_count(block, ""), 0);
	assert_int_equal(header_faults(block), HEADER_BLANK_NAME | HEADER_BAD_NAME);
	assert_true(header_find(block, &offset, "from", &field));
	assert_true(slice_equals(field.value, slice_of(" a")));
	assert_true(slice_equals(field.whole, slice_of("From: a\r\n")));
	assert_true(header_find(block, &offset, "from", &field));
	assert_true(header_find(block, &offset, "from", &field));
	assert_true(slice_equals(field.value, slice_of("\r\n e")));
	assert_true(slice_equals(field.whole, slice_of("FROM:\r\n e\r\n")));
	assert_false(header_find(block, &offset, "from", &field));
	assert_false(header_find(block, &offset, "from", &field));
}

static void
test_unfold_is_bounded(void **state)
{
	char out[8];

	(void)state;
	assert_int_equal(header_unfold(slice_of(" abcdefghij"), out, sizeof(out)), 8);
	assert_memory_equal(out, "abcdefgh", 8);
	assert_int_equal(header_unfold(slice_of("  \r\n \r\n"), out, sizeof(out)), 0);
	assert_int_equal(header_unfold(slice_of("a"), out, 0), 0);
}

/* Where the block ends, in pieces of each size; 0: it does not. */
static void
check_end(const char *text, size_t want)
{
	size_t length = strlen(text);

	for (size_t size = 1; size <= length; size++) {
		struct header_end end = { .is_found = false };
		size_t count = 0;

		for (size_t start = 0; start < length; start += size) {
			struct slice piece = { text + start,
				length - start < size ? length - start : size };

			count += header_end_feed(&end, piece);
		}
		assert_int_equal(end.is_found, want > 0);
		assert_int_equal(count, want > 0 ? want : length);
	}
}

static void
test_end(void **state)
{
	(void)state;
	check_end("A: b\r\n\r\nbody\r\n\r\n", 8);
	check_end("\r\nbody\r\n\r\n", 2);
	check_end("A: b\r\nC: d\r\n", 0);
	check_end("A: b\r\n\r", 0);
	check_end("A: b\n\nbody\n\n", 6);
	check_end("A: b\r\n\nbody", 7);
	check_end("A: b\r\n\r\r\n\r\nbody", 11);
	check_end("A: b\r\r\n\r\nbody", 9);
	check_end("A: b\r\n \r\nC: d\r\n\r\nbody", 17);
	check_end("a\r\rb\r\n\r\n", 8);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_unfold_is_bounded),
		cmocka_unit_test(test_end),
	};

	return cmocka_run_group_tests_name("header", tests, NULL, NULL);
}
