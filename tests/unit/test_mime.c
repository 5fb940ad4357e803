/* Messages taken apart: whole, byte by byte and cut at every place; limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/mime.h"

enum { OUT_MOST = 100000, TEXT_MOST = 20000 };

/* A line per part, when it ends: "1.2 text/html name=x: the text". Raw ones begin with "~". */
struct outline {
	char out[OUT_MOST], text[2][TEXT_MOST];
	size_t length, text_length[2];
	unsigned parts, raws;
};

static void
on_begin(void *arg, const struct part *part)
{
	struct outline *outline = arg;

	outline->text_length[part->is_raw] = 0;
	outline->raws += part->is_raw;
	outline->parts += !part->is_raw;
}

static void
on_text(void *arg, const struct part *part, struct slice text)
{
	struct outline *outline = arg;
	size_t *length = &outline->text_length[part->is_raw];

	for (size_t i = 0; i < text.length && *length < TEXT_MOST; i++)
		if (text.data[i] != '\r')
			outline->text[part->is_raw][(*length)++] =
			    text.data[i] == '\n' ? '|' : text.data[i];
}

static void
outline_add(struct outline *outline, struct slice text)
{
	assert_true(outline->length + text.length < OUT_MOST);
	memcpy(outline->out + outline->length, text.data, text.length);
	outline->length += text.length;
	outline->out[outline->length] = '\0';
}

static void
on_end(void *arg, const struct part *part)
{
	struct outline *outline = arg;
	bool is_raw = part->is_raw;

	outline_add(outline, slice_of(is_raw ? "~" : ""));
	outline_add(outline, slice_of(part->path));
	outline_add(outline, slice_of(" "));
	outline_add(outline, slice_of(part->type));
	outline_add(outline, slice_of(part->name[0] != '\0' ? " name=" : ""));
	outline_add(outline, slice_of(part->name));
	outline_add(outline, slice_of(part->is_container ? "" : ": "));
	if (!part->is_container)
		outline_add(outline,
		    (struct slice) { outline->text[is_raw], outline->text_length[is_raw] });
	outline_add(outline, slice_of("\n"));
}

static uint64_t
take_apart(struct outline *outline, struct slice message, size_t cut, size_t step)
{
	const struct mime_sink sink = { on_begin, NULL, on_text, on_end, outline };
	struct arena *arena = arena_new(SIZE_MAX);
	struct mime *mime = mime_new(arena, &sink);

	outline->length = outline->parts = outline->raws = 0;
	outline->out[0] = '\0';
	for (size_t i = 0, end; i < message.length; i = end) {
		end = i < cut ? cut : i + step;
		if (end > message.length)
			end = message.length;
		char *piece = malloc(end - i);

		memcpy(piece, message.data + i, end - i);
		mime_feed(mime, (struct slice) { piece, end - i });
		free(piece);
	}
	mime_end(mime);
	mime_end(mime);
	uint64_t faults = mime_faults(mime);

	assert_int_equal(outline->parts, mime_count(mime));
	arena_free(arena);
	return faults;
}

/* "boundary_twice after_end" */
static const char *
fault_words(uint64_t faults, char text[OUT_MOST])
{
	size_t length = 0;

	text[0] = '\0';
	for (enum mime_fault fault = 0; fault < MIME_FAULTS; fault++)
		if (faults & MIME_BIT(fault))
			length += (size_t)sprintf(
			    text + length, "%s%s", length > 0 ? " " : "", mime_fault_name(fault));
	return text;
}

struct row {
	const char *message, *outline, *faults;
};

static void
check(const struct row *row)
{
	static struct outline outline;
	static char words[OUT_MOST];
	struct slice message = slice_of(row->message);

	for (size_t cut = 0; cut <= message.length; cut++) {
		uint64_t faults = take_apart(&outline, message, cut, cut == 0 ? 1 : OUT_MOST);

		assert_string_equal(outline.out, row->outline);
		assert_string_equal(fault_words(faults, words), row->faults);
	}
}

static void
check_all(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check(&rows[i]);
}

#define CHECK(rows) check_all(rows, sizeof(rows) / sizeof((rows)[0]))
#define MIXED "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
#define HTML "Content-Type: text/html\r\n"
#define BASE64 "Content-Transfer-Encoding: base64\r\n"

static void
test_simple(void **state)
{
	static const struct row rows[] = {
		{ "", "1 text/plain: \n", "" },
		{ "\r\n", "1 text/plain: \n", "" },
		{ "\r\nbody\r\n", "1 text/plain: body|\n", "" },
		{ "\nbody\n", "1 text/plain: body|\n", "" },
		{ "Subject: x", "1 text/plain: \n", "" },
		{ "Subject: x\r\n", "1 text/plain: \n", "" },
		{ "Subject: x\r\n\r\n-\r\n--\r\n--b", "1 text/plain: -|--|--b\n", "" },
		{ "content-TYPE:\r\n text/HTML;\r\n\tcharset=utf-8\r\n\r\nx", "1 text/html: x\n",
		    "" },
		{ "From a@b 12:00\r\nSubject: x\r\n\r\ny", "1 text/plain: y\n", "" },
		{ HTML BASE64 "\r\naGVs\r\nbG8=\r\n", "1 text/html: hello\n", "" },
		{ "Content-Type: image/png; name=a.png\r\n\r\nx", "1 image/png name=a.png: \n",
		    "" },
		{ "Content-Type: image/png; name=a.png\r\nContent-Disposition: attachment; "
		  "filename=b.svg\r\n\r\nx",
		    "1 image/png name=b.svg: x\n", "" },
		{ "Content-Disposition: attachment; filename=b.txt\r\nContent-Type: a/b; "
		  "name=a.png\r\n\r\nx",
		    "1 a/b name=b.txt: x\n", "" },
		{ "Content-Type: text/plain; format=flowed; delsp=yes\r\n\r\na \r\nb\r\n",
		    "1 text/plain: ab|\n", "" },
	};

	(void)state;
	CHECK(rows);
}

static void
test_multipart(void **state)
{
	static const struct row rows[] = {
		{ MIXED "--b\r\n\r\none\r\n--b\r\n" HTML "\r\ntwo\r\n\r\n--b--\r\n",
		    "1 multipart/mixed\n1.1 text/plain: one\n1.2 text/html: two|\n", "" },
		{ MIXED "--b\n\none\n--b--", "1 multipart/mixed\n1.1 text/plain: one\n", "" },
		{ MIXED "--b \t\r\n\r\none\r\n--b-- \r\n",
		    "1 multipart/mixed\n1.1 text/plain: one\n", "" },
		{ MIXED "before\r\n--b\r\n\r\none\r\n--b--\r\nbehind\r\n",
		    "1 multipart/mixed\n~1 text/plain: before\n1.1 text/plain: one\n"
		    "~1 text/plain: behind|\n",
		    "" },
		{ MIXED "--b\r\n\r\n-\r\n--\r\n--c\r\n--bb\r\n --b\r\nx--b\r\n--b--\r\n",
		    "1 multipart/mixed\n1.1 text/plain: -|--|--c|--bb| --b|x--b\n", "" },
		{ MIXED "--b\r\nContent-Type: image/gif\r\n--b\r\n--b--\r\n",
		    "1 multipart/mixed\n1.1 image/gif: \n1.2 text/plain: \n", "" },
		{ MIXED "--b\r\n\r\none\r\n", "1 multipart/mixed\n1.1 text/plain: one|\n",
		    "end_missing" },
		{ MIXED "only text\r\n", "1 multipart/mixed\n~1 text/plain: only text|\n",
		    "boundary_unseen" },
		{ MIXED "--b--\r\n--b\r\n\r\nx\r\n--b--", "1 multipart/mixed\n1.1 text/plain: x\n",
		    "after_end" },
		{ "Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\nx",
		    "1 multipart/mixed: --b||x\n", "boundary_missing" },
		{ "Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n--\r\n\r\nx",
		    "1 multipart/mixed: --||x\n", "boundary_missing" },
		{ "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: "
		  "x\r\n\r\nin\r\n"
		  "--b--",
		    "1 multipart/digest\n1.1 message/rfc822\n1.1.1 text/plain: in\n", "" },
		{ MIXED
		    "--b\r\nContent-Type: multipart/alternative; boundary=bb\r\n\r\n--bb\r\n\r\n"
		    "in\r\n--bb--\r\n--b\r\n\r\nout\r\n--b--",
		    "1 multipart/mixed\n1.1 multipart/alternative\n1.1.1 text/plain: in\n"
		    "1.2 text/plain: out\n",
		    "" },
		{ MIXED "--b\r\nContent-Type: multipart/x; boundary=c\r\n\r\n--c\r\n\r\nin\r\n"
			"--b\r\n\r\nout\r\n--b--",
		    "1 multipart/mixed\n1.1 multipart/x\n1.1.1 text/plain: in\n"
		    "1.2 text/plain: out\n",
		    "end_missing" },
		{ MIXED
		    "--b\r\nContent-Type: multipart/x; boundary=\"b--\"\r\n\r\n--b--\r\n\r\nin\r\n"
		    "--b----\r\n--b\r\n\r\nout\r\n--b--",
		    "1 multipart/mixed\n1.1 multipart/x\n1.1.1 text/plain: in\n"
		    "1.2 text/plain: out\n",
		    "" },
	};

	(void)state;
	CHECK(rows);
}

static void
test_messages(void **state)
{
	static const struct row rows[] = {
		{ "Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nin\r\n",
		    "1 message/rfc822\n1.1 text/plain: in|\n", "" },
		{ MIXED "--b\r\nContent-Type: message/rfc822\r\n\r\n" HTML
			"\r\nin\r\n--b\r\n\r\nx\r\n"
			"--b--",
		    "1 multipart/mixed\n1.1 message/rfc822\n1.1.1 text/html: in\n"
		    "1.2 text/plain: x\n",
		    "" },
		{ MIXED "--b\r\nContent-Type: application/octet-stream; name=a.eml\r\n\r\n" HTML
			"\r\nin\r\n--b--",
		    "1 multipart/mixed\n1.1 application/octet-stream name=a.eml\n"
		    "1.1.1 text/html: in\n",
		    "" },
		/* "Content-Type: text/html\r\n\r\nhi" */
		{ "Content-Type: message/rfc822\r\n" BASE64
		  "\r\nQ29udGVudC1UeXBlOiB0ZXh0\r\nL2h0bWwNCg0KaGk=\r\n",
		    "1 message/rfc822\n1.1 text/html: hi\n", "encoding_container" },
		{ "Content-Type: message/rfc822\r\n" BASE64 "\r\n" HTML "\r\nhi",
		    "1 message/rfc822\n1.1 text/html: hi\n", "encoding_container" },
		/* "--b\r\n\r\nhi\r\n--b--\r\n" */
		{ "Content-Type: multipart/mixed; boundary=b\r\n" BASE64
		  "\r\nLS1iDQoNCmhp\r\nDQotLWItLQ0K\r\n",
		    "1 multipart/mixed\n1.1 text/plain: hi\n", "encoding_container" },
		{ "Content-Type: multipart/mixed; boundary=b\r\n" BASE64
		  "\r\n--b\r\n\r\nhi\r\n--b--\r\n",
		    "1 multipart/mixed\n1.1 text/plain: hi\n", "encoding_container" },
		{ "Content-Type: message/delivery-status\r\n\r\nA: b\r\n\r\nC: d\r\n",
		    "1 message/delivery-status: A: b||C: d|\n", "" },
	};

	(void)state;
	CHECK(rows);
}

static void
test_broken(void **state)
{
	static const struct row rows[] = {
		{ "no colon here\r\nSubject: x\r\n\r\ny",
		    "1 text/plain: no colon here|Subject: x||y\n", "header_bad" },
		{ MIXED "--b\r\nno colon\r\n--b--", "1 multipart/mixed\n1.1 text/plain: no colon\n",
		    "header_bad" },
		{ "Content-Type: multipart/mixed; boundary=b\r\n--b\r\n\r\nx\r\n--b--",
		    "1 multipart/mixed\n1.1 text/plain: x\n", "header_bad" },
		{ "bad name: x\r\n" HTML "\r\ny",
		    "~1 text/plain: bad name: x|Content-Type: text/html||\n1 text/html: y\n"
		    "~1 text/plain: y\n",
		    "header_bad" },
		{ "Content-Type : text/html\r\n\r\ny", "1 text/html: y\n", "header_bad" },
		{ "Content-Type: text\r\n\r\ny", "1 text/plain: y\n", "type_bad" },
		{ "Content-Type: a/b\r\n" HTML "\r\ny", "1 a/b: y\n~1 text/plain: y\n",
		    "type_twice" },
		{ "Content-Type: text/plain\r\n" MIXED "--b\r\n" HTML "\r\ny\r\n--b--",
		    "1 multipart/mixed\n1.1 text/html: y\n~1.1 text/plain: y\n", "type_twice" },
		{ "Content-Type: multipart/mixed; boundary=a; boundary=b\r\n\r\n"
		  "--a\r\n\r\none\r\n--a--\r\n--b\r\n\r\ntwo\r\n--b--\r\n",
		    "1 multipart/mixed\n1.1 text/plain: one\n1.2 text/plain: two\n",
		    "boundary_twice after_end parameter_twice" },
		{ "Content-Type: multipart/mixed; boundary*0=a; boundary*1=a; boundary=b\r\n\r\n"
		  "--b\r\n\r\none\r\n--aa\r\n\r\ntwo\r\n--aa--\r\n",
		    "1 multipart/mixed\n1.1 text/plain: one\n1.2 text/plain: two\n",
		    "boundary_twice" },
		{ " \t\r\n" HTML "\r\ny", "1 text/html: y\n", "header_bad" },
		{ "  text\r\n" HTML "\r\ny", "1 text/plain:   text|Content-Type: text/html||y\n",
		    "header_bad" },
		{ MIXED "--b\r\n \r\n" HTML "\r\ny\r\n--b--",
		    "1 multipart/mixed\n1.1 text/html: y\n", "header_bad" },
		{ "Content-Transfer-Encoding: 7bit\r\n" BASE64 "\r\naGk=",
		    "1 text/plain: hi\n~1 text/plain: aGk=\n", "encoding_twice" },
		{ BASE64 "Content-Transfer-Encoding: quoted-printable\r\n\r\naGk=",
		    "1 text/plain: hi\n~1 text/plain: aGk\n", "encoding_twice" },
		{ BASE64 BASE64 "\r\naGk=", "1 text/plain: hi\n", "encoding_twice" },
		{ "Content-Transfer-Encoding: x-other\r\n\r\naGk=", "1 text/plain: aGk=\n",
		    "encoding_unknown" },
		{ "Content-Transfer-Encoding: \"base64\" (really)\r\n\r\naGk=",
		    "1 text/plain: hi\n~1 text/plain: aGk=\n", "encoding_unknown" },
		{ "Content-Disposition: attachment; filename=a\r\nContent-Disposition: inline; "
		  "filename=b\r\n\r\n",
		    "1 text/plain name=a: \n", "disposition_twice" },
		{ "X: y\r\n\r\na\rb\r\n", "1 text/plain: ab|\n", "bare_cr" },
		{ "X: y\r\n\r\nab\r", "1 text/plain: ab\n", "bare_cr" },
		{ BASE64 "\r\naG!k", "1 text/plain: hi\n", "base64" },
		{ "Content-Type: text/plain; charset=nosuch\r\n\r\nx", "1 text/plain: x\n",
		    "charset_unknown" },
		{ "Content-Type: text/plain; charset=utf-8\r\n\r\nx\xff",
		    "1 text/plain: x\xef\xbf\xbd\n", "charset_bad" },
	};

	(void)state;
	CHECK(rows);
}

static void
test_names(void **state)
{
	char message[2000], name[1000];
	static struct outline outline;
	uint64_t faults;

	(void)state;
	memset(name, 'x', sizeof(name));
	strcpy(name + 300, ".exe");
	snprintf(message, sizeof(message), "Content-Type: a/b; name=%s\r\n\r\n", name);
	faults = take_apart(&outline, slice_of(message), 0, 100);
	assert_int_equal(faults, MIME_BIT(MIME_NAME_LONG));
	assert_int_equal(strlen(outline.out), strlen("1 a/b name=: \n") + 255);
	assert_non_null(strstr(outline.out, "xxx.exe: "));
}

/* ---- limits ---- */

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

static void
test_depth(void **state)
{
	static struct outline outline;
	struct arena *arena = arena_new(SIZE_MAX);
	const char *text =
	    repeat(arena, MIXED, "--b\r\n" MIXED, 200, "--b\r\n\r\nhttp://deep.example/\r\n");
	uint64_t faults = take_apart(&outline, slice_of(text), 0, 4096);

	(void)state;
	assert_true(faults & MIME_BIT(MIME_TOO_DEEP));
	assert_non_null(strstr(outline.out, "http://deep.example/"));
	text =
	    repeat(arena, "", "Content-Type: message/rfc822\r\n\r\n", 200, "Subject: x\r\n\r\ny");
	faults = take_apart(&outline, slice_of(text), 0, 4096);
	assert_true(faults & MIME_BIT(MIME_TOO_DEEP));
	assert_int_equal(outline.parts, MIME_DEPTH + 1);
	assert_non_null(strstr(outline.out, "Subject: x"));
	arena_free(arena);
}

static void
test_parts(void **state)
{
	static struct outline outline;
	struct arena *arena = arena_new(SIZE_MAX);
	const char *text =
	    repeat(arena, MIXED, "--b\r\n\r\nx\r\n", 3000, "--b\r\n\r\nthe last\r\n--b--");
	uint64_t faults = take_apart(&outline, slice_of(text), 0, 4096);

	(void)state;
	assert_int_equal(faults, MIME_BIT(MIME_TOO_MANY));
	assert_int_equal(outline.parts, MIME_PARTS);
	assert_non_null(strstr(outline.out, "~1 text/plain: "));
	assert_non_null(strstr(outline.out, "the last"));
	arena_free(arena);
}

static void
test_long_header(void **state)
{
	static struct outline outline;
	struct arena *arena = arena_new(SIZE_MAX);
	const char *text = repeat(
	    arena, "Content-Type: text/html;\r\n", " a=b;\r\n", 40000, " charset=x\r\n\r\nhi");

	(void)state;
	uint64_t faults = take_apart(&outline, slice_of(text), 0, 4096);

	assert_string_equal(outline.out, "1 text/html: hi\n");
	assert_true(faults & MIME_BIT(MIME_HEADER_LONG));
	text = repeat(arena, "Subject: ", "x", 70000, "\r\n\r\nhi");
	faults = take_apart(&outline, slice_of(text), 0, 4096);
	assert_int_equal(faults, MIME_BIT(MIME_HEADER_LONG));
	assert_string_equal(outline.out, "1 text/plain: hi\n");
	text = repeat(arena, "", "x", 70000, "\r\nY: z\r\n\r\nhi");
	faults = take_apart(&outline, slice_of(text), 0, 4096);
	assert_int_equal(faults, MIME_BIT(MIME_HEADER_BAD));
	assert_int_equal(outline.parts, 1);
	arena_free(arena);
}

static void
test_much_text(void **state)
{
	static char piece[64 * 1024];
	static struct outline outline;
	const struct mime_sink sink = { on_begin, NULL, NULL, NULL, &outline };
	struct arena *arena = arena_new(SIZE_MAX);
	struct mime *mime = mime_new(arena, &sink);

	(void)state;
	memset(piece, 'x', sizeof(piece));
	mime_feed(mime, slice_of("Subject: x\r\n\r\n"));
	for (size_t size = 0; size < MIME_TEXT; size += sizeof(piece))
		mime_feed(mime, (struct slice) { piece, sizeof(piece) });
	mime_feed(mime, (struct slice) { piece, 1 });
	mime_end(mime);
	assert_int_equal(mime_faults(mime), MIME_BIT(MIME_TRUNCATED));
	assert_string_equal(mime_fault_path(mime, MIME_TRUNCATED), "1");
	arena_free(arena);
}

/* The peer leaves in the middle: what is open ends without a word. */
static void
test_left(void **state)
{
	static const char text[] =
	    MIXED "--b\r\nContent-Type: text/plain; charset=iso-2022-jp\r\n\r\n\x1b$B\x46";
	static struct outline outline;
	const struct mime_sink sink = { on_begin, NULL, on_text, on_end, &outline };

	(void)state;
	for (size_t length = 0; length < sizeof(text); length++) {
		struct arena *arena = arena_new(SIZE_MAX);

		outline = (struct outline) { .length = 0 };
		mime_feed(mime_new(arena, &sink), (struct slice) { text, length });
		arena_free(arena);
		assert_true(outline.length <= strlen("1 multipart/mixed\n"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_simple),
		cmocka_unit_test(test_multipart),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_long_header),
		cmocka_unit_test(test_much_text),
		cmocka_unit_test(test_left),
	};

	return cmocka_run_group_tests_name("mime", tests, NULL, NULL);
}
