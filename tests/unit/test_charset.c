/* Charsets, encoded words and flowed paragraphs: whole, byte by byte and cut at every place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/charset.h"
#include "lib/encoded_word.h"
#include "lib/flowed.h"
#include "lib/utf8.h"

enum { OUT_MOST = 8000 };

struct made {
	char text[OUT_MOST];
	size_t length;
};

static void
made_take(void *arg, struct slice text)
{
	struct made *made = arg;

	assert_true(made->length + text.length < OUT_MOST);
	memcpy(made->text + made->length, text.data, text.length);
	made->length += text.length;
}

struct row {
	const char *label;
	bool is_html;
	struct slice in;
	const char *out;
	bool is_unknown, is_broken;
};

#define TEXT(text)                                                                                 \
	{                                                                                          \
		text, sizeof(text) - 1                                                             \
	}

static void
check_cut(const struct row *row, size_t cut, size_t step)
{
	static struct charset charset;
	struct made made = { .length = 0 };

	charset_begin(&charset, slice_of(row->label), row->is_html, made_take, &made);
	for (size_t i = 0, end; i < row->in.length; i = end) {
		end = i < cut ? cut : i + step;
		if (end > row->in.length)
			end = row->in.length;
		char *piece = malloc(end - i);

		memcpy(piece, row->in.data + i, end - i);
		charset_feed(&charset, (struct slice) { piece, end - i });
		free(piece);
	}
	charset_end(&charset);
	made.text[made.length] = '\0';
	assert_string_equal(made.text, row->out);
	assert_int_equal(charset.is_unknown, row->is_unknown);
	assert_int_equal(charset.is_broken, row->is_broken);
}

static void
test_charsets(void **state)
{
	static const struct row rows[] = {
		{ "", false, TEXT(""), "", false, false },
		{ "", false, TEXT("plain"), "plain", false, false },
		{ "", false, TEXT("caf\xc3\xa9 caf\xe9 \x80!"), "café café €!", false, false },
		{ "us-ascii", false, TEXT("caf\xe9"), "café", false, true },
		{ "US-ASCII", false, TEXT("cafe"), "cafe", false, false },
		{ "nosuch-1", false, TEXT("caf\xe9"), "café", true, false },
		{ "a//TRANSLIT", false, TEXT("caf\xe9"), "café", true, false },
		{ "utf-8", false, TEXT("\xe6\x97\xa5\xe6\x9c\xac"), "日本", false, false },
		{ "utf8", false, TEXT("a\xff\x62\xc3"),
		    "a\xef\xbf\xbd"
		    "b\xef\xbf\xbd",
		    false, true },
		{ "utf-8", false,
		    TEXT("a\xc0\xae"
			 "b"),
		    "a\xef\xbf\xbd\xef\xbf\xbd"
		    "b",
		    false, true },
		{ "utf-8", false, TEXT("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd",
		    false, true },
		{ "utf-8", false, TEXT("\xf0\x9f\x98\x80"), "😀", false, false },
		{ "latin1", false, TEXT("\xe9\x80"), "é€", false, false },
		{ "iso-8859-15", false, TEXT("\xa4"), "€", false, false },
		{ "koi8-r", false, TEXT("\xd0\xd2"), "пр", false, false },
		{ "gb2312", false, TEXT("\xc4\xe3\x81\x40"), "你丂", false, false },
		{ "shift_jis", false, TEXT("\x93\xfa\x87\x40"), "日①", false, false },
		{ "big5", false, TEXT("\xa4\xa4"), "中", false, false },
		{ "ks_c_5601-1987", false, TEXT("\xc7\xd1"), "한", false, false },
		{ "iso-2022-jp", false, TEXT("a\x1b$B\x46\x7c\x1b(Bb"), "a日b", false, false },
		{ "shift_jis", false, TEXT("\x93"), "\xef\xbf\xbd", false, true },
		{ "utf-7", false, TEXT("a+ZeVnLA-b"), "a日本b", false, false },
		{ "utf-7", false, TEXT("1 +- 2 +AOk and +AOk-, +"), "1 + 2 é and é, ", false,
		    false },
		{ "utf-7", false, TEXT("+2D3eAA-"), "\xf0\x9f\x98\x80", false, false },
		{ "utf-7", false, TEXT("+2D0- +3gA- +2D0AYQ-"),
		    "\xef\xbf\xbd \xef\xbf\xbd \xef\xbf\xbd"
		    "a",
		    false, true },
		{ "utf-7", false, TEXT("+2D0\r\n+AOl\xff"), "\xef\xbf\xbd\r\né\xef\xbf\xbd", false,
		    true },
		{ "utf-16", false,
		    TEXT("\xff\xfe"
			 "a\0b\0"),
		    "ab", false, false },
		{ "utf-16", false, TEXT("\xfe\xff\0a\0b"), "ab", false, false },
		{ "utf-16", false, TEXT("\0a\0b"), "ab", false, false },
		{ "utf-16", false, TEXT("a\0b\0"), "ab", false, false },
		{ "utf-16le", false, TEXT("a\0b\0"), "ab", false, false },
		{ "utf-16le", false, TEXT("a\0b"), "a\xef\xbf\xbd", false, true },
		{ "latin1", false, TEXT("\xef\xbb\xbf\xc3\xa9"), "é", false, false },
		{ "", true, TEXT("<meta charset=koi8-r>\xd0"), "<meta charset=koi8-r>п", false,
		    false },
		{ "", true, TEXT("<meta CHARSET = 'koi8-r'>\xd0"), "<meta CHARSET = 'koi8-r'>п",
		    false, false },
		{ "", true, TEXT("<meta content=\"text/html; charset=koi8-r\">\xd0"),
		    "<meta content=\"text/html; charset=koi8-r\">п", false, false },
		{ "latin1", true, TEXT("<meta charset=koi8-r>\xd0"), "<meta charset=koi8-r>Ð",
		    false, false },
		{ "", true, TEXT("<meta charset=utf-16>a"), "<meta charset=utf-16>a", false,
		    false },
		{ "", true, TEXT("charset"), "charset", false, false },
		{ "", true, TEXT("charset="), "charset=", false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t cut = 0; cut <= rows[i].in.length; cut++)
			check_cut(&rows[i], cut, cut == 0 ? 1 : OUT_MOST);
}

/* Every label is there, and is what it says. */
static void
test_labels(void **state)
{
	(void)state;
	charset_preload();
	assert_string_equal(charset_name(slice_of("ISO-8859-1")), "CP1252");
	assert_string_equal(charset_name(slice_of("x-sjis")), "CP932");
	assert_string_equal(charset_name(slice_of("unicode-1-1-utf-8")), "UTF-8");
	assert_string_equal(charset_name(slice_of("x-mac-cyrillic")), "MAC-UK");
	assert_string_equal(charset_name(slice_of("866")), "CP866");
	assert_null(charset_name(slice_of("86")));
	assert_null(charset_name(slice_of("8666")));
	assert_null(charset_name(slice_of("")));
}

static void
test_encoded_words(void **state)
{
	static const struct {
		const char *in, *out;
		unsigned words;
	} rows[] = {
		{ "", "", 0 },
		{ "plain =? text ?= here", "plain =? text ?= here", 0 },
		{ "=?utf-8?Q?a_b=5Fc?=", "a b_c", 1 },
		{ "=?utf-8?b?w6k=?= x", "é x", 1 },
		{ "=?utf-8?Q?a?= =?utf-8?Q?b?= c", "ab c", 2 },
		{ "=?utf-8?Q?=E2=82?=\r\n =?UTF-8?Q?=AC?=", "€", 2 },
		{ "=?iso-2022-jp?B?GyRCRnw=?= =?iso-2022-jp?B?S1wbKEI=?=", "日本", 2 },
		{ "=?utf-8?Q?=E2=82?= =?latin1?Q?=E9?=", "\xef\xbf\xbd\xef\xbf\xbdé", 2 },
		{ "=?iso-8859-1*en?Q?a=E9?=", "aé", 1 },
		{ "x=?utf-8?Q?a?=y", "xay", 1 },
		{ "=?utf-8?X?a?=", "=?utf-8?X?a?=", 0 },
		{ "=?utf-8?Q?a", "=?utf-8?Q?a", 0 },
		{ "=?utf-8?Q?a b?=", "a b", 1 },
		{ "=?utf-8?Q?a=00=0Ab?=", "a  b", 1 },
		{ "=?utf-8?Q?a=?=", "a", 1 },
		{ "Gr\xc3\xbc\xdf"
		  "e",
		    "Grüße", 0 },
		{ "=?=?utf-8?Q?a?=", "=?a", 1 },
	};
	char out[200];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned words;
		size_t length =
		    encoded_word_decode(slice_of(rows[i].in), out, sizeof(out) - 1, &words);

		out[length] = '\0';
		assert_string_equal(out, rows[i].out);
		assert_int_equal(words, rows[i].words);
		for (size_t room = 0; room < length; room++) {
			size_t fits = encoded_word_decode(slice_of(rows[i].in), out, room, NULL);

			assert_true(fits <= room);
			assert_memory_equal(out, rows[i].out, fits);
			for (size_t at = 0, size; at < fits; at += size)
				assert_true(
				    size = utf8_read((struct slice) { out + at, fits - at }, NULL));
		}
	}
}

static void
test_many_words(void **state)
{
	char text[20 * 1000] = "", out[20 * 1000];
	unsigned words;

	(void)state;
	for (size_t i = 0; i < 1000; i++)
		strcpy(text + 17 * i, "=?us-ascii?q?a?= ");
	encoded_word_decode(slice_of(text), out, sizeof(out), &words);
	assert_int_equal(words, ENCODED_WORD_MOST);
	assert_memory_equal(out + ENCODED_WORD_MOST, " =?us-ascii", 11);
}

static void
test_flowed(void **state)
{
	static const struct {
		const char *in, *out, *delsp;
	} rows[] = {
		{ "", "", "" },
		{ "a\r\nb\r\n", "a\r\nb\r\n", "a\r\nb\r\n" },
		{ "http://exam \r\nple.com\r\n", "http://exam ple.com\r\n",
		    "http://example.com\r\n" },
		{ "a \nb \nc", "a b c", "abc" },
		{ " stuffed\r\n >no quote\r\n", "stuffed\r\n>no quote\r\n",
		    "stuffed\r\n>no quote\r\n" },
		{ "> a \r\n> b\r\nc", ">a b\r\nc", ">ab\r\nc" },
		{ "> a \r\nb", ">a \r\nb", ">a \r\nb" },
		{ ">> a \r\n> b", ">>a \r\n>b", ">>a \r\n>b" },
		{ "x\r\n-- \r\nme", "x\r\n-- \r\nme", "x\r\n-- \r\nme" },
		{ "--- \r\nme", "--- me", "---me" },
		{ "a  \r\nb", "a  b", "a b" },
		{ "a \r b\rc\r\n", "a \r b\rc\r\n", "a \r b\rc\r\n" },
		{ "a ", "a ", "a " },
		{ "a \r\n", "a \r\n", "a \r\n" },
		{ ">", ">", ">" },
		{ "\r\n\r\n", "\r\n\r\n", "\r\n\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) * 2; i++) {
		const char *in = rows[i / 2].in, *out = i % 2 ? rows[i / 2].delsp : rows[i / 2].out;

		for (size_t cut = 0; cut <= strlen(in); cut++) {
			struct made made = { .length = 0 };
			struct flowed flowed = {
				.is_delsp = i % 2, .sink = made_take, .arg = &made
			};

			flowed_feed(&flowed, (struct slice) { in, cut });
			for (const char *at = in + cut; *at != '\0'; at++)
				flowed_feed(&flowed, (struct slice) { at, 1 });
			flowed_end(&flowed);
			made.text[made.length] = '\0';
			assert_string_equal(made.text, out);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_charsets),
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_encoded_words),
		cmocka_unit_test(test_many_words),
		cmocka_unit_test(test_flowed),
	};

	return cmocka_run_group_tests_name("charset", tests, NULL, NULL);
}
