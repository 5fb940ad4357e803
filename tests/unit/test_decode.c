/* Transfer encodings: whole, byte by byte and cut at every place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/decode.h"

enum { OUT_MOST = 4000 };

struct row {
	enum decode_encoding encoding;
	const char *in, *out;
	unsigned faults;
};

static size_t
decode_cut(const struct row *row, size_t cut, size_t step, char *out, unsigned *faults)
{
	struct decode decode = { .encoding = row->encoding };
	size_t length = strlen(row->in), done = 0;

	for (size_t i = 0; i < length;) {
		size_t end = i < cut ? cut : i + step;

		if (end > length)
			end = length;
		char *piece = malloc(end - i);
		char *room = malloc(end - i + DECODE_HELD);

		memcpy(piece, row->in + i, end - i);
		size_t count = decode_feed(&decode, (struct slice) { piece, end - i }, room);

		assert_true(done + count < OUT_MOST);
		memcpy(out + done, room, count);
		done += count;
		free(piece);
		free(room);
		i = end;
	}
	done += decode_end(&decode, out + done);
	*faults = decode.faults;
	return done;
}

static void
check(const struct row *row)
{
	char out[OUT_MOST + DECODE_HELD];
	unsigned faults;
	size_t length = strlen(row->in);

	for (size_t cut = 0; cut <= length; cut++) {
		size_t done = decode_cut(row, cut, cut == 0 ? 1 : length, out, &faults);

		out[done] = '\0';
		assert_string_equal(out, row->out);
		assert_int_equal(faults, row->faults);
	}
}

static void
test_base64(void **state)
{
	static const struct row rows[] = {
		{ DECODE_BASE64, "", "", 0 },
		{ DECODE_BASE64, "aGVsbG8gd29ybGQ=", "hello world", 0 },
		{ DECODE_BASE64, "aGVs\r\nbG8g\r\nd29ybGQ=\r\n", "hello world", 0 },
		{ DECODE_BASE64, "a\r\nGVsbG8\r\n gd29yb\tGQ\r\n=\r\n", "hello world", 0 },
		{ DECODE_BASE64, "aA==", "h", 0 },
		{ DECODE_BASE64, "aGU=", "he", 0 },
		{ DECODE_BASE64, "aA==aGU=aGVs", "hhehel", DECODE_PADDING },
		{ DECODE_BASE64, "aG!Vs-bG8", "hello", DECODE_GARBAGE | DECODE_CUT },
		{ DECODE_BASE64, "aGVsbG8gd29ybGQ", "hello world", DECODE_CUT },
		{ DECODE_BASE64, "aGVsb", "hel", DECODE_CUT },
		{ DECODE_BASE64, "aA=", "h", DECODE_CUT },
		{ DECODE_BASE64, "====", "", DECODE_GARBAGE },
		{ DECODE_BASE64, "aGVs=", "hel", DECODE_GARBAGE },
		{ DECODE_BASE64,
		    "aGVsaGVsaGVsaGVsaGVsaGVsaGVsaGVsaGVsaGVsaGVsaGVsaGVsaGVsaGVsaGVsaGVsaGVsaGVs"
		    "\r\naGVs",
		    "helhelhelhelhelhelhelhelhelhelhelhelhelhelhelhelhelhelhelhel", 0 },
		{ DECODE_BASE64,
		    "aGVsaGVsaGVsaGVsaGVsaGVsaGVsaGVsaGVsaGVsaGVsaGVsaGVsaGVsaGVsaGVsaGVsaGVsaGVsa"
		    "GVs",
		    "helhelhelhelhelhelhelhelhelhelhelhelhelhelhelhelhelhelhelhel", DECODE_LINE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(&rows[i]);
}

static void
test_quoted(void **state)
{
	static const struct row rows[] = {
		{ DECODE_QUOTED, "", "", 0 },
		{ DECODE_QUOTED, "caf=C3=A9 =3d x\r\n", "caf\xc3\xa9 = x\r\n", 0 },
		{ DECODE_QUOTED, "http://exam=\r\nple.com", "http://example.com", 0 },
		{ DECODE_QUOTED, "a= \t \r\nb", "ab", 0 },
		{ DECODE_QUOTED, "a=\nb", "ab", 0 },
		{ DECODE_QUOTED, "a  \t\r\nb \nc ", "a\r\nb\nc", 0 },
		{ DECODE_QUOTED, "a=20\r\nb=20 \r\n", "a \r\nb \r\n", 0 },
		{ DECODE_QUOTED, " \r \r\n", " \r\r\n", 0 },
		{ DECODE_QUOTED, "a \rb", "a \rb", 0 },
		{ DECODE_QUOTED, "a=", "a", 0 },
		{ DECODE_QUOTED, "a=4", "a=4", DECODE_CUT },
		{ DECODE_QUOTED, "=GZ =4x =\rx ==41", "=GZ =4x =\rx =A", DECODE_GARBAGE },
		{ DECODE_QUOTED, "= x", "= x", DECODE_GARBAGE },
		{ DECODE_QUOTED, "a\r", "a\r", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(&rows[i]);
}

/* Beyond what is held they are text, and it does not matter how they came. */
static void
test_quoted_blanks(void **state)
{
	(void)state;
	for (size_t count = DECODE_BLANKS - 2; count < DECODE_BLANKS + 3; count++) {
		char in[DECODE_BLANKS + 20], out[DECODE_BLANKS + 20];
		struct row row = { DECODE_QUOTED, in, out, 0 };
		size_t kept = count > DECODE_BLANKS ? count : 0;

		snprintf(in, sizeof(in), "%0*d=41", (int)count, 0); /* no blanks */
		snprintf(out, sizeof(out), "%0*dA", (int)count, 0);
		check(&row);
		snprintf(in, sizeof(in), "x%*s\r\ny", (int)count, "");
		snprintf(out, sizeof(out), "x%*s\r\ny", (int)kept, "");
		check(&row);
		snprintf(in, sizeof(in), "x=%*s\r\ny", (int)count, "");
		if (kept > 0)
			snprintf(out, sizeof(out), "x=%*s\r\ny", (int)count, "");
		else
			snprintf(out, sizeof(out), "xy");
		row.faults = kept > 0 ? DECODE_GARBAGE : 0;
		if (count <= DECODE_BLANKS)
			check(&row);
	}
}

static void
test_uuencode(void **state)
{
	static const struct row rows[] = {
		{ DECODE_UUENCODE, "", "", DECODE_CUT },
		{ DECODE_UUENCODE, "begin 644 a\r\n%:&5L;&\\\r\n`\r\nend\r\n", "hello", 0 },
		{ DECODE_UUENCODE, "x\nbegin 644 a\n%:&5L;&\\\n`\nend\nbegin 755 b\n#:&5L\n`\nend",
		    "hellohel", 0 },
		{ DECODE_UUENCODE, "begin 644 a\n%:&5L;&\\\n", "hello", DECODE_CUT },
		{ DECODE_UUENCODE, "begin x44 a\n%:&5L;&\\\nend\n", "", DECODE_CUT },
		{ DECODE_UUENCODE, "begin 644 a\nM\nM\nM\n\nend\n", "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(&rows[i]);
}

static void
test_names(void **state)
{
	enum decode_encoding encoding = DECODE_BASE64;

	(void)state;
	assert_true(decode_find(slice_of("8BIT"), &encoding));
	assert_int_equal(encoding, DECODE_NONE);
	assert_true(decode_find(slice_of("Base64"), &encoding));
	assert_int_equal(encoding, DECODE_BASE64);
	assert_true(decode_find(slice_of("x-uue"), &encoding));
	assert_int_equal(encoding, DECODE_UUENCODE);
	assert_false(decode_find(slice_of("base65"), &encoding));
	assert_false(decode_find(slice_of(""), &encoding));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_quoted),
		cmocka_unit_test(test_quoted_blanks),
		cmocka_unit_test(test_uuencode),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("decode", tests, NULL, NULL);
}
