/*
 * html: tokens as browsers see them, text as readers do; each input whole, byte by byte and cut at
 * every place; bounds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/html.h"
#include "lib/html_entity.h"

enum { OUT_MOST = 64 * 1024 };

/* What is told, as text: shown text as it is, hidden in {}, raw in <>, links as [kind value]; those
 * of CSS at the end, for their place within raw text is not told. */
struct told {
	char text[OUT_MOST], styles[OUT_MOST];
	size_t length, styles_length;
	enum html_text kind;
};

static void
told_add(struct told *told, const char *text, size_t length)
{
	assert_true(told->length + length + 1 < OUT_MOST);
	memcpy(told->text + told->length, text, length);
	told->length += length;
	told->text[told->length] = '\0';
}

static void
told_kind(struct told *told, enum html_text kind)
{
	static const char open[] = " {<", close[] = " }>";

	if (kind == told->kind)
		return;
	if (told->kind != HTML_SHOWN)
		told_add(told, &close[told->kind], 1);
	if (kind != HTML_SHOWN)
		told_add(told, &open[kind], 1);
	told->kind = kind;
}

static void
on_text(void *arg, enum html_text kind, struct slice text)
{
	told_kind(arg, kind);
	told_add(arg, text.data, text.length);
}

static void
on_link(void *arg, enum html_link_kind kind, struct slice value)
{
	static const char *const kinds[] = { "[link ", "[base ", "[form ", "[refresh ", "[source ",
		"[style " };
	struct told *told = arg;

	if (kind == HTML_STYLE) {
		told->styles_length += (size_t)snprintf(told->styles + told->styles_length,
		    OUT_MOST - told->styles_length, "[style %.*s]", (int)value.length, value.data);
		return;
	}
	told_kind(told, HTML_SHOWN);
	told_add(arg, kinds[kind], strlen(kinds[kind]));
	told_add(arg, value.data, value.length);
	told_add(arg, "]", 1);
}

static void
on_leave(void *arg)
{
	told_add(arg, "[/]", 3);
}

/* Cut at `cut`, then in steps. */
static const char *
read_html(struct told *told, struct slice input, size_t cut, size_t step)
{
	const struct html_sink sink = { on_text, on_link, on_leave, told };
	static struct html html;

	memset(told, 0, sizeof(*told));
	html_init(&html, &sink);
	html_feed(&html, (struct slice) { input.data, cut });
	for (size_t at = cut; at < input.length; at += step) {
		size_t rest = input.length - at;

		html_feed(&html, (struct slice) { input.data + at, rest < step ? rest : step });
	}
	html_end(&html);
	told_kind(told, HTML_SHOWN);
	told_add(told, told->styles, told->styles_length);
	return told->text;
}

struct html_case {
	const char *input, *want;
};

static const struct html_case cases[] = {
	/* text */
	{ "plain", "plain" },
	{ "e<b>vi</b>l", "evil" },
	{ "<p>a<br>b<td>c</td>", "\na\nb\nc\n" },
	{ "a < b <3 <", "a < b <3 <" },
	{ "a &amp; b &lt;i&gt; &#65;&#x42;&#X43; &copy &copyx &nosuch; &",
	    "a & b <i> ABC \xc2\xa9 "
	    "\xc2\xa9x &nosuch; &" },
	{ "&#0;&#xd800;&#x110000;&#99999999999;&#;&#x;&#xg;",
	    "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
	    "\xef\xbf\xbd&#;&#x;&#xg;" },
	{ "&#128;&#0000000000000000000000000000000000000000000000065;",
	    "\xe2\x82\xac"
	    "A" },
	{ "&CounterClockwiseContourIntegral;&notin;&notit;",
	    "\xe2\x88\xb3\xe2\x88\x89\xc2\xacit;" },
	{ "<plaintext><b>&amp;</plaintext>", "\n<b>&amp;</plaintext>" },
	/* links */
	{ "<a href=http://a/>x</a>", "[link http://a/]x[/]" },
	{ "<A HREF='a' href=\"b\">", "[link a]" },
	{ "<a/href=a>", "[link a]" },
	{ "<a x=\"1\"href=\"a\">", "[link a]" },
	{ "<a href = \"a\" >", "[link a]" },
	{ "<a =href=a>", "" },
	{ "<a href>", "[link ]" },
	{ "<a href=>x", "[link ]x" },
	{ "<a href=a&amp;b&lt=c&ltd&lt;>", "[link a&b&lt=c&ltd<]" },
	{ "<a href=\"a>b\nc\">", "[link a>b\nc]" },
	{ "<a href=\"&#104;ttp&colon;//x\">", "[link http://x]" },
	{ "</a href=x><b href=y>", "[/][link y]" },
	{ "<img src=a srcset='b 1x, c,d 2x,,e' longdesc=f>",
	    "[source a][source b][source c,d][source e][source f]" },
	{ "<iframe srcdoc='&lt;a href=x&gt;'></iframe>", "[source <a href=x>]<\n>" },
	{ "<form action=a><button formaction=b></button></form>", "[form a]\n[form b]\n" },
	{ "<form action=a>", "[form a]\n" },
	{ "<div action=a content=b data=c>", "\n" },
	{ "<object data=a><base href=b><link href=c><area href=d>",
	    "[source a][base b][source c][link d]" },
	{ "<meta http-equiv=refresh content='5; URL = \"a b\"'>", "[refresh a b]" },
	{ "<meta content=0;url=a http-equiv=Refresh>", "[refresh a]" },
	{ "<meta content=0;a http-equiv=refresh>", "[refresh a]" },
	{ "<meta content=0;url=a><meta http-equiv=refresh>", "" },
	{ "<p style='background:url(a)'>", "\n[style a]" },
	{ "<svg><a xlink:href=a><image href=b></svg>", "[link a][source b]" },
	/* raw text */
	{ "<script>a<b href=x></script >c", "<a<b href=x>\n>c" },
	{ "<script><!--<script></script>--></script>c", "<<!--<script></script>-->\n>c" },
	{ "<script><!--</script>c", "<<!--\n>c" },
	{ "<script><!--<script></script><a href=x></script><a href=y>",
	    "<<!--<script></script><a href=x>\n>[link y]" },
	{ "<script><!--><script></script><a href=y>", "<<!--><script>\n>[link y]" },
	{ "<script></scripty></script>x", "<</scripty>\n>x" },
	{ "<style>a{b:url(c)}</style>d", "<a{b:url(c)}\n>d[style c]" },
	{ "<style><!--</style>d", "<<!--\n>d" },
	{ "<title>a<b></title>c", "{a<b>}<\n>c" },
	{ "<textarea><a href=x></textarea>", "<<a href=x>\n>" },
	{ "<svg><style><a href=x></style></svg>", "[link x]" },
	{ "<svg/><style><a href=x></style>", "<<a href=x>\n>" },
	{ "<svg><![CDATA[<a href=x>]]]><a href=y>", "<a href=x>][link y]" },
	{ "<![CDATA[<a href=x>]]>", "]]>" },
	/* comments */
	{ "a<!-- <a href=x> -->b<!-->c<!--->d<!--e--!>f<!--!>g-->h", "abcdfh" },
	{ "a<!--b--!->c-->d", "ad" },
	{ "<!x><?y><a href=z></3><!-", "[link z]" },
	{ "<!--[if mso]><a href=x>y</a><![endif]-->z", "[link x]y[/]z" },
	{ "<!--[if !mso]><!--><a href=x><!--<![endif]-->z", "[link x]z" },
	{ "<!--[if x]><a title=\" --><a href=y>", "[link y]" },
	{ "<!--[if x]><style> --><a href=y>", "< --\n>[link y]" },
	{ "<!--[if x--><a href=y>", "[link y]" },
	{ "<!-- [if x]><a href=y>-->", "" },
	/* hidden */
	{ "a<b style='display : none'>b<b>c</b>d</b>e", "a{bcd}e" },
	{ "a<i hidden>b</i>c<i style=font-size:0>d</i>e<i style=font-size:0.9em>f</i>",
	    "a{b}c{d}ef" },
	{ "<img hidden>a<br style=visibility:hidden>b", "a\nb" },
	/* ends */
	{ "<a href=x", "" },
	{ "<a href='x>", "" },
	{ "x&amp", "x&" },
	{ "<script>x", "<x\n>" },
	{ "</x><a href=y></html><a href=z>", "[link y]\n[link z]" },
};

static void
tokens(void **state)
{
	static struct told whole, other;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slice input = slice_of(cases[i].input);

		read_html(&whole, input, 0, SIZE_MAX / 2);
		if (strcmp(whole.text, cases[i].want) != 0)
			fail_msg("%s\nis       %s\nexpected %s", cases[i].input, whole.text,
			    cases[i].want);
		assert_string_equal(read_html(&other, input, 0, 1), whole.text);
		for (size_t cut = 1; cut < input.length; cut++)
			assert_string_equal(
			    read_html(&other, input, cut, SIZE_MAX / 2), whole.text);
	}
}

/* All at once, so that states meet each other. */
static void
mixed(void **state)
{
	static struct told whole, other;
	char all[8192];
	size_t length = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (strstr(cases[i].input, "plaintext") == NULL)
			length += (size_t)snprintf(
			    all + length, sizeof(all) - length, "%s", cases[i].input);
	read_html(&whole, (struct slice) { all, length }, 0, SIZE_MAX / 2);
	for (size_t cut = 0; cut < length; cut += 3)
		assert_string_equal(
		    read_html(&other, (struct slice) { all, length }, cut, 7), whole.text);
}

/* Input without end where something has a bound. */
static void
bounds(void **state)
{
	static const char *const fronts[] = { "<a href=\"", "<a href=", "<", "<a ", "<a ", "&",
		"&#", "<!--[if", "<style>", "<script><!--", "</", "<p style=\"", "<img srcset=\"",
		"<!--[if x]>" };
	static const char *const repeats[] = { "x", "x", "x", "x", "x=1 ", "a", "9", " ", "url(x",
		"<script", "x", "url(", "x,", "-" };
	static struct told told;

	(void)state;
	for (size_t i = 0; i < sizeof(fronts) / sizeof(fronts[0]); i++) {
		char input[30000];
		size_t length = (size_t)sprintf(input, "%s", fronts[i]);

		while (length + 16 < sizeof(input))
			length += (size_t)sprintf(input + length, "%s", repeats[i]);
		read_html(&told, (struct slice) { input, length }, 0, 1000);
		assert_true(told.length < OUT_MOST);
	}
}

/* A NUL is no end of anything. */
static void
nuls(void **state)
{
	static const char input[] = "<a href\0=x><a href=x\0y>a\0b<\0a href=z>&am\0p;</a\0>";
	static struct told told;

	(void)state;
	read_html(&told, (struct slice) { input, sizeof(input) - 1 }, 0, SIZE_MAX / 2);
	assert_memory_equal(told.text, "[link x\0y]ab<a href=z>&amp;", 27);
}

/* User information of any length does not hide the host behind it. */
static void
long_user(void **state)
{
	static struct told told;
	char input[40000];
	size_t length = (size_t)sprintf(input, "<a href=\"http://");

	(void)state;
	memset(input + length, 'u', 30000);
	length += 30000;
	length += (size_t)sprintf(input + length, "@evil.example.com/x\">");
	for (size_t step = 1; step < 5000; step += 777) {
		read_html(&told, (struct slice) { input, length }, 0, step);
		assert_non_null(strstr(told.text, "[link http://"));
		assert_non_null(strstr(told.text, "u@evil.example.com/x]"));
	}
}

static void
entities(void **state)
{
	uint32_t code = 0;

	(void)state;
	for (size_t i = 0; i < html_entities_count; i++) {
		assert_int_equal(
		    html_entity_find(slice_of(html_entities[i].name)), html_entities[i].code);
		assert_true(strlen(html_entities[i].name) < HTML_ENTITY_MOST);
	}
	for (size_t i = 0; i < html_entities_short_count; i++) {
		const char *name = html_entities_short[i];

		assert_int_equal(html_entity_find_short(slice_of(name), &code), strlen(name));
		assert_int_equal(code, html_entity_find(slice_of(name)));
	}
	assert_int_equal(html_entity_find(slice_of("am")), 0);
	assert_int_equal(html_entity_find(slice_of("")), 0);
	assert_int_equal(html_entity_find_short(slice_of("notit"), &code), 3);
	assert_int_equal(html_entity_find_short(slice_of("xyz"), &code), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tokens),
		cmocka_unit_test(mixed),
		cmocka_unit_test(bounds),
		cmocka_unit_test(nuls),
		cmocka_unit_test(long_user),
		cmocka_unit_test(entities),
	};

	return cmocka_run_group_tests_name("html", tests, NULL, NULL);
}
