/*
 * uri, uri_scan, uri_page, css_url: addresses in attributes, text, HTML and CSS; each input whole,
 * byte by byte and cut at every place. The cases of others are in test_uri_vectors.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/uri_page.h"

enum { OUT_MOST = 64 * 1024 };

/* What is told: "host+flags", with blanks between. */
struct told {
	char text[OUT_MOST];
	size_t length;
	struct uri_sink sink;
};

static void
on_found(void *arg, const struct uri *uri)
{
	static const char letters[] = "bfmnruJhXB"; /* enum uri_flag */
	struct told *told = arg;

	if (told->length + 400 > OUT_MOST)
		return;
	told->length += (size_t)sprintf(
	    told->text + told->length, "%s%s", told->length > 0 ? " " : "", uri->host.text);
	for (unsigned int i = 0; letters[i] != '\0'; i++)
		if (uri->flags & 1u << i)
			told->length += (size_t)sprintf(told->text + told->length, "%s%c",
			    uri->flags & ((1u << i) - 1) ? "" : "+", letters[i]);
}

static struct told *
told_begin(struct told *told)
{
	told->length = 0;
	told->text[0] = '\0';
	told->sink = (struct uri_sink) { on_found, told };
	return told;
}

struct uri_case {
	const char *input, *want;
};

/* ---- attributes ---- */

static const struct uri_case values[] = {
	{ "http://a.example.com/", "a.example.com" },
	{ " \x01http://a.example.com\n/ ", "a.example.com" },
	{ "HtTp:\\\\a.example.com\\b", "a.example.com" },
	{ "http:a.example.com", "a.example.com" },
	{ "http:////a@b@c.example.com:80", "c.example.com+u" },
	{ "http://@c.example.com", "c.example.com" },
	{ "//a.example.com", "a.example.com" },
	{ "/a.example.com", "" },
	{ "?a.example.com", "" },
	{ "a.example.com/b", "a.example.com+b" },
	{ "page.html", "" },
	{ "mailto:joe@a.example.com?body=http://b.example.com", "a.example.com+m b.example.com+n" },
	{ "mailto:joe@a.example.com,jim@b.example.com", "b.example.com+m" },
	{ "cid:a@b.example.com", "" },
	{ "tel:+1.555.com", "" },
	{ "javascript:location='http://a.example.com/'", "a.example.com+n" },
	{ "data:text/html,%3Ca href=http://a.example.com/>", "a.example.com+n" },
	{ "data:text/html;charset=utf-8;base64,PGEgaHJlZj1odHRwOi8vYS5leGFtcGxlLmNvbS8+",
	    "a.example.com+n" },
	{ "data:text/html;base64,", "" },
	{ "data:;base64", "" },
	{ "data:,base64,aHR0cDovL2EuZXhhbXBsZS5jb20v", "" },
	{ "file://a.example.com/b", "a.example.com" },
	{ "file:///etc", "" },
	{ "x-app://a.example.com/b", "a.example.com" },
	{ "x-app://b", "" },
	{ "joe:pass@a.example.com", "a.example.com+bu" },
	{ "a.example.com:80/b", "a.example.com+b" },
	{ "http://[2001:db8::7]:80/", "2001:db8::7" },
	{ "http://r.example.com/?u=http%3A%2F%2Fa.example.com%2F",
	    "a.example.com+n r.example.com+r" },
	{ "http://r.example.com/?u=http%253A%252F%252Fa.example.com",
	    "a.example.com+n r.example.com+r" },
	{ "http://r.example.com/?u=https-3A__a-2Db.example.com_c&d=x",
	    "a-b.example.com+n r.example.com+r" },
	{ "http://r.example.com/v3/__https://a.example.com/b__;!!x",
	    "a.example.com+n "
	    "r.example.com+r" },
	{ "http://r.example.com/?http://r.example.com/", "r.example.com+n r.example.com+r" },
	{ "http://r.example.com/?a=http&b=https:&c=http:/", "r.example.com" },
	{ "", "" },
	{ ":", "" },
	{ "http:", "" },
	{ "http://", "" },
	{ "http://a b/", "" },
};

static void
attributes(void **state)
{
	static struct told told;

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct uri_base base = { 0 };

		uri_read(slice_of(values[i].input), URI_IN_LINK, &base, &told_begin(&told)->sink);
		if (strcmp(told.text, values[i].want) != 0)
			fail_msg("%s\nis       %s\nexpected %s", values[i].input, told.text,
			    values[i].want);
	}
}

static void
bases(void **state)
{
	static const struct uri_case cases[] = {
		{ "<base href='http://b.example.com/'>", "" },
		{ "<base href='http://b.example.com/'><a href=x>", "b.example.com+B" },
		{ "<a href=x><base href='http://b.example.com/'>", "b.example.com+B" },
		{ "<base href='http://b.example.com/'><a href='http:x'>", "b.example.com+B" },
		{ "<base href='http://b.example.com/'><a href='https:x.com'>", "x.com" },
		{ "<base href='http://b.example.com/'><a href=a.com><a href=b.com>",
		    "b.example.com+B" },
		{ "<base href='/x'><base href='//c.example.com'><a href=x>", "c.example.com+B" },
		{ "<base href='http://b.example.com/'><base href='http://c.example.com'><a href=x>",
		    "b.example.com+B" },
	};
	static struct told told;
	static struct uri_page page;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uri_page_init(&page, &told_begin(&told)->sink);
		uri_page_feed(&page, slice_of(cases[i].input));
		uri_page_end(&page);
		if (strcmp(told.text, cases[i].want) != 0)
			fail_msg("%s\nis       %s\nexpected %s", cases[i].input, told.text,
			    cases[i].want);
	}
}

/* ---- text ---- */

#define LONG_LINE "a line of so many words that its writer had to begin another one "

static const struct uri_case texts[] = {
	{ "http://a.example.com", "a.example.com" },
	{ "see (http://a.example.com/b_(c)), \"www.b.example.com\".",
	    "a.example.com "
	    "www.b.example.com+b" },
	{ "xhttp://a.example.comhttps://b.example.com", "a.example.com b.example.com" },
	{ "a.example.com,b.example.com;c.example.com",
	    "a.example.com+b b.example.com+b "
	    "c.example.com+b" },
	{ "a.example.com:80/b.example.net", "a.example.com+b" },
	{ "setup.sh www.a.sh a.sh/b b.c.sh", "setup.sh+bf www.a.sh+b a.sh+b b.c.sh+b" },
	{ "joe@a.example.com @b.example.com joe@c", "a.example.com+bm b.example.com+b" },
	{ "a.example.com@b.example.com", "b.example.com+bm" },
	{ "..a.example.com.. a..b.example.com -_c.example.com_-",
	    "a.example.com+b "
	    "b.example.com+b "
	    "c.example.com+b" },
	{ "1.2.3.4 a.b 3.50 e.g. i.e. a.exe ...", "" },
	{ "http://192.519/ http://[::1]:80/", "192.0.2.7 ::1" },
	{ "http://u:p@a.example.com/", "a.example.com+u" },
	{ "http://a.example.com\xe3\x80\x82\xe8\xb0\xa2", "a.example.com" },
	{ "\xe8\xb0\xa2www.a.example.com\xe8\xb0\xa2", "www.a.example.com+b" },
	{ "\xe2\x80\x9chttp://a.example.com\xe2\x80\x9d", "a.example.com" },
	{ "b\xc3\xbc"
	  "cher.example.com \xff.example.com",
	    "xn--bcher-kva.example.com+b" },
	{ "a.example.com/?http://b.example.com", "a.example.com+b b.example.com" },
	{ "http://a.example.com/?http%3a//b.example.com", "b.example.com+n a.example.com+r" },
	/* over the end of a line */
	{ LONG_LINE "http://a.exa\r\nmple.com/x", "a.exa a.example.com+J mple.com+b" },
	{ LONG_LINE "http://a.example.com\nand so on", "a.example.com" },
	{ LONG_LINE "http://a.example.com/b\nc.com", "a.example.com c.com+b" },
	{ LONG_LINE "http://a.example.co\nhttp://b.example.com", "a.example.co b.example.com" },
	{ LONG_LINE "http://a.example.co\n\nm", "a.example.co" },
	{ LONG_LINE "http://a.example.co \nm", "a.example.co" },
	{ "http://a.example.co\nm", "a.example.co" },
	{ "<http://a.example.co\n  m/x>", "a.example.co a.example.com+J" },
	{ "<http://a.example.co>\nm", "a.example.co" },
};

/* Cut at `cut`, then in steps. */
static const char *
scan(struct told *told, struct slice input, size_t cut, size_t step)
{
	static struct uri_scan scan;

	uri_scan_init(&scan, URI_IN_TEXT, &told_begin(told)->sink);
	uri_scan_feed(&scan, (struct slice) { input.data, cut });
	for (size_t at = cut; at < input.length; at += step) {
		size_t rest = input.length - at;

		uri_scan_feed(&scan, (struct slice) { input.data + at, rest < step ? rest : step });
	}
	uri_scan_end(&scan);
	return told->text;
}

static void
text(void **state)
{
	static struct told whole, other;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct slice input = slice_of(texts[i].input);

		scan(&whole, input, 0, SIZE_MAX / 2);
		if (strcmp(whole.text, texts[i].want) != 0)
			fail_msg("%s\nis       %s\nexpected %s", texts[i].input, whole.text,
			    texts[i].want);
		assert_string_equal(scan(&other, input, 0, 1), whole.text);
		for (size_t cut = 1; cut < input.length; cut++)
			assert_string_equal(scan(&other, input, cut, SIZE_MAX / 2), whole.text);
	}
}

/* An address at each place of a word that is longer than the scanner keeps. */
static void
long_words(void **state)
{
	static const struct uri_case cases[] = { { "|http://a.example.com/|", "a.example.com" },
		{ "|www.a.example.com|", "www.a.example.com+b" },
		{ "|joe@a.example.com|", "a.example.com+bm" } };
	static struct told whole, other;
	char input[3 * URI_SCAN_WORD_MOST];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t at = 0; at + 100 < sizeof(input); at += at % 4096 < 3900 ? 97 : 1) {
			memset(input, '|', sizeof(input));
			memcpy(input + at, cases[i].input, strlen(cases[i].input));
			const struct slice all = { input, sizeof(input) };

			if (strstr(scan(&whole, all, 0, SIZE_MAX / 2), cases[i].want) == NULL)
				fail_msg("%s at %zu: %s", cases[i].input, at, whole.text);
			assert_string_equal(scan(&other, all, at, 1000), whole.text);
		}
}

/* The user information is longer than a word that is kept. */
static void
long_user(void **state)
{
	static struct told told;
	char input[20000];
	size_t length = (size_t)sprintf(input, "x http://");

	(void)state;
	memset(input + length, 'u', 10000);
	length += 10000;
	length += (size_t)sprintf(input + length, "@evil.example.com/ y");
	scan(&told, (struct slice) { input, length }, 0, 900);
	assert_string_equal(told.text, "evil.example.com+bu");
}

/* ---- pages ---- */

static const struct uri_case pages[] = {
	{ "<a href='http://a.example.com/'>http://b.example.net/</a>",
	    "a.example.com b.example.net a.example.com+X" },
	{ "<a href='http://a.example.com/'>www.<b>bank.example.net</b> ok</a>",
	    "a.example.com www.bank.example.net+b a.example.com+X" },
	{ "<a href='http://a.example.com/'>http://b.example.com/</a>",
	    "a.example.com "
	    "b.example.com" },
	{ "<a href='http://a.example.com/'>click</a> b.example.net",
	    "a.example.com "
	    "b.example.net+b" },
	{ "<a href='http://a.example.com/'>joe@b.example.net</a>",
	    "a.example.com "
	    "b.example.net+bm" },
	{ "<a href='mailto:joe@a.example.com'>b.example.net</a>",
	    "a.example.com+m "
	    "b.example.net+b" },
	{ "<a href='http://192.0.2.7/'>b.example.net</a>",
	    "192.0.2.7 b.example.net+b "
	    "192.0.2.7+X" },
	{ "<a href='http://a.example.com/'>x<a href='http://b.example.net/'>b.example.net</a>",
	    "a.example.com b.example.net b.example.net+b" },
	{ "<title>http://a.example.com</title>", "a.example.com+h" },
	{ "<style>/* http://a.example.com */</style>", "a.example.com+h" },
	{ "<i hidden>http://a.example.com</i>", "a.example.com+h" },
	{ "<select><style></select><a href=http://a.example.com></style>", "a.example.com+h" },
	{ "http://a.example.com<br>http://b.example.com", "a.example.com b.example.com" },
	{ "http&colon;//a.example.com", "a.example.com" },
	{ "<img src=http://a.example.com/><iframe src=http://b.example.com>",
	    "a.example.com b.example.com" },
};

static const char *
read_page(struct told *told, struct slice input, size_t cut, size_t step)
{
	static struct uri_page page;

	uri_page_init(&page, &told_begin(told)->sink);
	uri_page_feed(&page, (struct slice) { input.data, cut });
	for (size_t at = cut; at < input.length; at += step) {
		size_t rest = input.length - at;

		uri_page_feed(&page, (struct slice) { input.data + at, rest < step ? rest : step });
	}
	uri_page_end(&page);
	return told->text;
}

static void
page(void **state)
{
	static struct told whole, other;

	(void)state;
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		struct slice input = slice_of(pages[i].input);

		read_page(&whole, input, 0, SIZE_MAX / 2);
		if (strcmp(whole.text, pages[i].want) != 0)
			fail_msg("%s\nis       %s\nexpected %s", pages[i].input, whole.text,
			    pages[i].want);
		assert_string_equal(read_page(&other, input, 0, 1), whole.text);
		for (size_t cut = 1; cut < input.length; cut++)
			assert_string_equal(
			    read_page(&other, input, cut, SIZE_MAX / 2), whole.text);
	}
}

/* ---- CSS ---- */

static const struct uri_case sheets[] = {
	{ "a{b:url(x)}", "[x]" },
	{ "url( 'x y' ) URL(\"z\")", "[x y][z]" },
	{ "url(x y)", "[x]" },
	{ "@import 'x'; @import url(y); @import \"z\" screen", "[x][y][z]" },
	{ "content: 'url(x)' '@import \"y\"'", "" },
	{ "/* url(x) */ u/**/rl(y) url(z)", "[y][z]" },
	{ "\\75 rl(x) u\\72l(y) ur\\l(z)", "[x][y][z]" },
	{ "url(\\78\\79 z\\)\\a)", "[xyz)\n]" },
	{ "url(x", "[x]" },
	{ "url('x", "[x]" },
	{ "url('x\ny')", "" },
	{ "url()url( )", "" },
	{ "@import;'x'", "" },
	{ "/", "" },
	{ "\\", "" },
};

struct css_told {
	char text[1024];
	size_t length;
};

static void
on_css(void *arg, struct slice value)
{
	struct css_told *told = arg;

	told->length += (size_t)snprintf(told->text + told->length,
	    sizeof(told->text) - told->length, "[%.*s]", (int)value.length, value.data);
}

static void
css(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(sheets) / sizeof(sheets[0]); i++) {
		struct slice input = slice_of(sheets[i].input);

		for (size_t cut = 0; cut <= input.length; cut++) {
			struct css_told told = { .length = 0 };
			struct css_url reader;

			css_url_init(&reader, on_css, &told);
			css_url_feed(&reader, (struct slice) { input.data, cut });
			css_url_feed(
			    &reader, (struct slice) { input.data + cut, input.length - cut });
			css_url_end(&reader);
			if (strcmp(told.text, sheets[i].want) != 0)
				fail_msg("%s\nis       %s\nexpected %s", sheets[i].input, told.text,
				    sheets[i].want);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attributes),
		cmocka_unit_test(bases),
		cmocka_unit_test(text),
		cmocka_unit_test(long_words),
		cmocka_unit_test(long_user),
		cmocka_unit_test(page),
		cmocka_unit_test(css),
	};

	return cmocka_run_group_tests_name("uri", tests, NULL, NULL);
}
