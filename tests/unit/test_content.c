/*
 * Messages as the filters see them, from bytes to addresses (lib/mime, lib/html, lib/uri, rules/parts):
 * cut at every place, and bad ones. What is told is the same however they are cut, and bounded.
 */
#include "tests/unit/play.h"

#include <stdlib.h>
#include <time.h>

#include "lib/mime.h"

enum { TOLD_MOST = 1024 * 1024, SIZE_MOST = 4 * 1024 * 1024 };

#define URL(host) "http://" host ".example.com/"

/* What is told: of parts that are raw apart, as pieces of a leaf and of the raw one beside it take
 * turns. */
struct told {
	struct buf lines[2];
	size_t parts, uris;
};

static void
on_begin(void *arg, const struct part *part)
{
	struct told *told = arg;

	told->parts += !part->is_raw;
}

static void
on_data(void *arg, const struct part *part, struct slice bytes)
{
	(void)arg;
	assert_false(part->is_raw || part->is_container);
	assert_true(bytes.length > 0);
}

static void
on_end(void *arg, const struct part *part)
{
	struct told *told = arg;

	buf_print(&told->lines[part->is_raw], "%s %s %s %llu\n", part->path, part->type, part->name,
	    (unsigned long long)part->size);
}

static void
on_uri(void *arg, const struct part *part, const struct uri *uri)
{
	struct told *told = arg;

	told->uris++;
	buf_print(&told->lines[part->is_raw], "%s %s\n", part->path, uri->host.text);
}

/* The message in two pieces and then in steps; the faults. */
static uint64_t
take_apart(struct told *told, struct slice message, size_t cut, size_t step)
{
	static const struct pipeline_row rows[] = { { 0 } };
	const struct mime_sink sink = { on_begin, on_data, NULL, on_end, told };
	struct play play;

	buf_clear(&told->lines[0]);
	buf_clear(&told->lines[1]);
	told->lines[0].limit = told->lines[1].limit = TOLD_MOST;
	told->parts = told->uris = 0;
	play_begin(&play, "198.51.100.5", rows, NULL);
	play_helo(&play, "there");
	play_mail(&play, (struct address) { "a@example.org", "a", "example.org", false });
	scope_watch(play.scope, &sink, on_uri);
	for (size_t at = 0, end; at < message.length; at = end) {
		end = at < cut ? cut : at + step;
		end = end < message.length ? end : message.length;
		scope_raw(play.scope, (struct slice) { message.data + at, end - at });
	}
	scope_reach(play.scope, END);
	uint64_t faults = mime_faults(play.scope->mime);

	play_end(&play);
	return faults;
}

static void
told_free(struct told *told)
{
	buf_free(&told->lines[0]);
	buf_free(&told->lines[1]);
}

static bool
told_has(const struct told *told, const char *text)
{
	for (size_t i = 0; i < 2; i++)
		if (told->lines[i].length > 0 &&
		    memmem(told->lines[i].data, told->lines[i].length, text, strlen(text)) != NULL)
			return true;
	return false;
}

static bool
told_equals(const struct told *a, const struct told *b)
{
	return slice_equals(buf_slice(&a->lines[0]), buf_slice(&b->lines[0])) &&
	    slice_equals(buf_slice(&a->lines[1]), buf_slice(&b->lines[1]));
}

/* ---- cut at every place ---- */

/* clang-format off */
static const char rich[] =
    "From a Thu\r\nSubject: =?utf-8?B?w6k=?=\r\n\t=?utf-8?Q?=C3?= =?utf-8?Q?=A9?=\r\n"
    "Content-Type: (a) multipart/mixed;\r\n boundary*0=\"out\\er\"; boundary*1*=%2dX\r\n\r\n"
    "preamble " URL("before") "\r\n--outer-X \t\r\n"
    "Content-Type: multipart/alternative; boundary=out\r\n\r\n"
    "--out\r\nContent-Type: text/plain; format=flowed; delsp=yes; charset=utf-8\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    "see http://fl=6Fwed.ex= \r\nample.com/ and http://b\xc3\xbc" "cher.example.com\r\n"
    "--out\r\nContent-Type: text/html; charset=utf-16\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    "//48AGEAIABoAHIAZQBmAD0AaAB0AHQAcAA6AC8ALwB1ADEANgAuAGUAeABhAG0AcABsAGUALgBjAG8AbQA+AA==\r\n"
    "--out--\r\nepilogue\r\n--outer-X\r\nContent-Type: message/rfc822\r\n\r\n"
    "Content-Type: text/html\r\nContent-Type: text/plain\r\n\r\n"
    "<!-- " URL("comment") " --!><a/hr&#101;f=x href='h&#116tp:\\\\l\tink&period;example.com'>"
    URL("other") "</a><!--[if mso]><img srcset=\"" URL("one") " 1x, " URL("two") "\"><![endif]-->"
    "<style>p { background: \\75rl(" URL("css") ") }</style><p style=\"x:url('//css2.example.com')\">"
    "<script>\"<a href=" URL("script") ">\"</script><title>" URL("title") "</title></x><svg><style>"
    "<a xlink:href=//svg.example.com>&nbsp&#x1F600;\xf0\x9f\x98\x80\r\n"
    "--outer-X\r\nContent-Disposition: attachment; filename*0*=utf-8''%e2%82; filename*1*=%ac.html\r\n"
    "Content-Type: application/octet-stream; name=\"=?utf-8?q?a?=\"\r\n"
    "Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 a\r\n"
    ">/&$@:')E9CUH='1P.B\\O=74N97AA;7!L92YC;VT^\r\n`\r\nend\r\n"
    "--outer-X--\r\n--outer-X\r\n\r\n" URL("after") "\rx\n";
/* clang-format on */

static void
test_cuts(void **state)
{
	static const char *const hosts[] = { "flowed", "xn--bcher-kva", "u16", "link", "other",
		"one", "two", "css", "css2", "svg", "uu", "after" };
	static struct told whole, cut;
	const struct slice message = { rich, sizeof(rich) - 1 };
	uint64_t faults = take_apart(&whole, message, 0, message.length);

	(void)state;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		char text[100];

		snprintf(text, sizeof(text), " %s.example.com\n", hosts[i]);
		if (!told_has(&whole, text))
			fail_msg("%s is missing: %.*s", text, (int)whole.lines[0].length,
			    whole.lines[0].data);
	}
	assert_true(told_has(&whole, "1.3 application/octet-stream \xe2\x82\xac.html"));
	for (size_t at = 1; at < message.length; at++) {
		assert_int_equal(take_apart(&cut, message, at, message.length), faults);
		assert_true(told_equals(&cut, &whole));
		assert_int_equal(take_apart(&cut, message, at, at % 13 + 1), faults);
		assert_true(told_equals(&cut, &whole));
	}
	told_free(&whole);
	told_free(&cut);
}

/* Every byte, at every place of a small message: no crash, and it does not hang on the cuts. */
static void
test_bytes(void **state)
{
	static const char small[] =
	    "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n\r\n<a "
	    "href=3Dhttp://a.example>x=\r\n--b--";
	static struct told whole, cut;
	char text[sizeof(small)];
	const struct slice message = { text, sizeof(small) - 1 };

	(void)state;
	for (size_t at = 0; at < message.length; at++)
		for (size_t byte = at % 5; byte < 256; byte += 5) {
			memcpy(text, small, sizeof(small));
			text[at] = (char)byte;
			uint64_t faults = take_apart(&whole, message, 0, message.length);

			assert_int_equal(take_apart(&cut, message, at, 1), faults);
			assert_true(told_equals(&cut, &whole));
		}
	told_free(&whole);
	told_free(&cut);
}

/* ---- what is opened by its name or type is read as what it is opened as ---- */

static void
test_kinds(void **state)
{
	static const struct {
		const char *type, *told;
	} rows[] = {
		{ "application/octet-stream; name=a.mht", "1.1 text/html" },
		{ "application/octet-stream; name=\"a.MHTML. \"", "1.1 text/html" },
		{ "application/octet-stream; name=a.nws", "1.1 text/html" },
		{ "application/x-mimearchive", "1.1 text/html" },
		{ "message/news", "1.1 text/html" },
		{ "message/x-rfc822", "1.1 text/html" },
		{ "message/partial; id=1; number=1", "1.1 text/html" },
		{ "application/octet-stream; name=a.hta", "1 in.example.com" },
		{ "application/octet-stream; name=a.website", "1 in.example.com" },
		{ "application/octet-stream; name=a.rtf", "1 in.example.com" },
		{ "application/octet-stream; name=a.mht.gz", "1 application/octet-stream" },
	};
	static struct told told;
	char message[500];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int length = snprintf(message, sizeof(message),
		    "Content-Type: %s\r\n\r\nContent-Type: text/html\r\n\r\n<a href=" URL("in") ">",
		    rows[i].type);

		take_apart(&told, (struct slice) { message, (size_t)length }, 0, 7);
		if (!told_has(&told, rows[i].told))
			fail_msg("%s: %.*s", rows[i].type, (int)told.lines[0].length,
			    told.lines[0].data);
	}
	told_free(&told);
}

/* ---- bad ones ---- */

static char *
repeat(struct arena *arena, const char *before, const char *what, size_t count, const char *behind)
{
	size_t length = strlen(before), each = strlen(what);
	char *text = arena_alloc(arena, length + count * each + strlen(behind) + 1);

	memcpy(text, before, length);
	for (size_t i = 0; i < count; i++, length += each)
		memcpy(text + length, what, each);
	strcpy(text + length, behind);
	return text;
}

#define MIXED "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
#define PAGE "Content-Type: text/html\r\n\r\n"
#define LAST "--b\r\n\r\n" URL("last")

/* A message of repeated text: what is found at its end, and the faults; 0: none. */
struct bad {
	const char *title, *before, *what;
	size_t count;
	const char *behind, *host;
	uint64_t faults;
};

static const struct bad bads[] = {
	{ "10,000 nested", MIXED, "--b\r\n" MIXED, 10000, LAST, "last",
	    MIME_BIT(MIME_TOO_DEEP) | MIME_BIT(MIME_END_MISSING) },
	{ "10,000 messages in each other", "", "Content-Type: message/rfc822\r\n\r\n", 10000,
	    URL("last"), "last", MIME_BIT(MIME_TOO_DEEP) },
	{ "10,000 parts", MIXED, "--b\r\n\r\n\r\n", 10000, LAST, "last",
	    MIME_BIT(MIME_TOO_MANY) | MIME_BIT(MIME_END_MISSING) },
	{ "1,000 parameters", "Content-Type: text/html", "; a=b", 1000,
	    "\r\n\r\n<a href=" URL("last"), NULL,
	    MIME_BIT(MIME_PARAMETER_BAD) | MIME_BIT(MIME_HEADER_LONG) },
	{ "1,000 folded parameters", "Content-Type: text/html", ";\r\n a=b", 1000,
	    "\r\n\r\n<a href=" URL("last") ">", "last", MIME_BIT(MIME_PARAMETER_BAD) },
	{ "a boundary behind 1,000 parameters", "Content-Type: multipart/mixed", ";\r\n a=b", 1000,
	    "; boundary=b\r\n\r\n" LAST, "last",
	    MIME_BIT(MIME_PARAMETER_BAD) | MIME_BIT(MIME_BOUNDARY_MISSING) },
	{ "10,000 fields", "", "X: y\r\n", 10000, PAGE "<a href=" URL("last") ">", "last", 0 },
	{ "a line of 100 KB", "X: ", "y", 100000, "\r\n" PAGE "<a href=" URL("last") ">", "last",
	    MIME_BIT(MIME_HEADER_LONG) },
	{ "a field of 1 MB", "Content-Type: text/html;\r\n x=", "y\r\n ", 250000,
	    "\r\n\r\n<a href=" URL("last") ">", "last", MIME_BIT(MIME_HEADER_LONG) },
	{ "300 encoded words", "Content-Type: a/b;\r\n name=\"", "=?utf-8?q?a?=\r\n ", 300,
	    "\"\r\n\r\n", NULL, MIME_BIT(MIME_NAME_ENCODED) },
	{ "a word of 2 MB", "\r\n", "x", 2000000, " " URL("last"), "last", 0 },
	{ "a tag that does not close", PAGE "<a href=" URL("first") ">x</a><a ", "b=c ", 250000, "",
	    "first", 0 },
	{ "a value that does not close", PAGE "<a href=\"" URL("first") "\">x</a><a href=\"", "b",
	    1000000, "", "first", 0 },
	{ "a comment that does not close", PAGE "<a href=" URL("first") "><!--", "-", 1000000, "",
	    "first", 0 },
	{ "an entity that does not close", PAGE "<a href=" URL("first") ">&", "a", 1000000, "",
	    "first", 0 },
	{ "ampersands", PAGE, "&", 1000000, "<a href=" URL("last") ">", "last", 0 },
	{ "a style that does not close", PAGE "<a href=" URL("first") "><style>a{b:url(", "x",
	    1000000, "", "first", 0 },
	{ "elements that do not close", PAGE, "<div style='display:none'>", 100000,
	    "<a href=" URL("last") ">", "last", 0 },
	{ "foreign elements that do not close", PAGE, "<svg>", 100000, "<a href=" URL("last") ">",
	    "last", 0 },
	{ "end tags of nothing", PAGE, "</div></svg></a>", 100000, "<a href=" URL("last") ">",
	    "last", 0 },
	{ "attributes", PAGE "<a ", "a b='' ", 100000, "href=" URL("last") ">", "last", 0 },
	{ "colons and slashes", "\r\n", "://", 500000, " " URL("last"), "last", 0 },
	{ "at signs", "\r\nhttp://", "@", 1000000, " " URL("last"), "last", 0 },
	{ "percents", "\r\nhttp://a.example.com/", "%25", 300000, " " URL("last"), "last", 0 },
	{ "schemes", "\r\n", "http://", 200000, " " URL("last"), "last", 0 },
	{ "dashes", MIXED, "--\r\n", 300000, LAST, "last", MIME_BIT(MIME_END_MISSING) },
	{ "a delimiter that goes on", MIXED "--b", " ", 1000000, "\r\n\r\n" URL("last"), "last",
	    MIME_BIT(MIME_BOUNDARY_UNSEEN) },
	{ "soft breaks", "Content-Transfer-Encoding: quoted-printable\r\n\r\n", "=\r\n", 300000,
	    URL("last"), "last", 0 },
	{ "blanks", "Content-Transfer-Encoding: quoted-printable\r\n\r\n", " ", 1000000,
	    URL("last"), "last", 0 },
	{ "encoded layers", "",
	    "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n", 1000,
	    URL("last"), NULL, MIME_BIT(MIME_ENCODING_CONTAINER) },
};

static double
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
test_bad(void **state)
{
	static struct told whole, cut;

	(void)state;
	for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
		const struct bad *bad = &bads[i];
		struct arena *arena = arena_new(SIZE_MAX);
		const char *text = repeat(arena, bad->before, bad->what, bad->count, bad->behind);
		double before = seconds();
		uint64_t faults = take_apart(&whole, slice_of(text), 0, 4096);
		double after = seconds();
		char host[100];

		snprintf(host, sizeof(host), "%s.example.com", bad->host != NULL ? bad->host : "");
		if ((faults & bad->faults) != bad->faults || (bad->faults == 0 && faults != 0))
			fail_msg("%s: faults %llx", bad->title, (unsigned long long)faults);
		if (bad->host != NULL && !told_has(&whole, host))
			fail_msg("%s: %s is not found", bad->title, host);
		if (after - before > 4)
			fail_msg("%s: %g seconds", bad->title, after - before);
		assert_true(whole.parts <= MIME_PARTS);
		assert_int_equal(take_apart(&cut, slice_of(text), 1000, 61), faults);
		if (!told_equals(&whole, &cut))
			fail_msg("%s: it hangs on the cuts", bad->title);
		arena_free(arena);
	}
	told_free(&whole);
	told_free(&cut);
}

/* ---- boundaries ---- */

static void
test_boundaries(void **state)
{
	static const struct {
		size_t length;
		size_t parts;
	} rows[] = { { 70, 2 }, { 71, 2 }, { 998, 2 }, { 999, 1 }, { 1000, 1 }, { 2040, 1 },
		{ 5000, 1 } };
	static struct told told;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *arena = arena_new(SIZE_MAX);
		const char *boundary = repeat(arena, "", "b", rows[i].length, "");
		const char *text = arena_format(arena,
		    "Content-Type: multipart/mixed;\r\n boundary=%s\r\n\r\n--%s\r\n\r\n" URL(
			"in") "\r\n--%s--\r\n",
		    boundary, boundary, boundary);
		uint64_t faults = take_apart(&told, slice_of(text), 0, 100);

		assert_int_equal(told.parts, rows[i].parts);
		assert_true(told_has(&told, "in.example.com"));
		assert_int_equal(
		    (faults & MIME_BIT(MIME_BOUNDARY_MISSING)) != 0, rows[i].parts == 1);
		arena_free(arena);
	}
	told_free(&told);
}

/* ---- addresses ---- */

static void
test_many_uris(void **state)
{
	static struct told told;
	struct arena *arena = arena_new(SIZE_MAX);
	struct buf *text = buf_new(arena, SIZE_MOST);

	(void)state;
	buf_print(text, "Content-Type: text/html\r\n\r\n");
	for (int i = 0; i < 10000; i++)
		buf_print(text, "<a href=http://h%d.example.com/>x</a>\r\n", i);
	assert_int_equal(take_apart(&told, buf_slice(text), 0, 4096), 0);
	assert_int_equal(told.uris, 10000);
	assert_true(told_has(&told, " h9999.example.com\n"));
	arena_free(arena);
	told_free(&told);
}

/* A host at the front counts, however much follows; so does one behind much user information. */
static void
test_long_uris(void **state)
{
	static const struct {
		const char *before, *what;
		size_t count;
		const char *behind, *host;
	} rows[] = {
		{ "\r\nhttp://a.example.com/", "x", 100000, "", " a.example.com\n" },
		{ PAGE "<a href='http://a.example.com/", "x", 100000, "'>", " a.example.com\n" },
		{ PAGE "<a href='http://", "u", 3000, "@a.example.com'>", " a.example.com\n" },
		{ "\r\nhttp://", "u", 3000, "@a.example.com/", " a.example.com\n" },
		{ PAGE "<a href='", " ", 3000, "http://a.example.com'>", " a.example.com\n" },
		{ PAGE "<a href='http://a.example.com/?", "%20", 1000, "http://b.example.com'>",
		    " b.example.com\n" },
	};
	static struct told whole, cut;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *arena = arena_new(SIZE_MAX);
		const char *text =
		    repeat(arena, rows[i].before, rows[i].what, rows[i].count, rows[i].behind);

		take_apart(&whole, slice_of(text), 0, SIZE_MOST);
		take_apart(&cut, slice_of(text), 0, 61);
		if (!told_has(&whole, rows[i].host) || !told_equals(&whole, &cut))
			fail_msg(
			    "row %zu: %.*s", i, (int)whole.lines[0].length, whole.lines[0].data);
		arena_free(arena);
	}
	told_free(&whole);
	told_free(&cut);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cuts),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_boundaries),
		cmocka_unit_test(test_many_uris),
		cmocka_unit_test(test_long_uris),
	};

	return cmocka_run_group_tests_name("content", tests, NULL, NULL);
}
