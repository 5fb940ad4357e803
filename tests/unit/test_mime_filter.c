/* Files in messages: what they are, and whether among them or in archives is what runs. */
#include "tests/unit/play.h"

#include <stdlib.h>

#include "filters/mime_file.h"
#include "filters/registry.h"

enum { FILE_MOST = 3 * 1024 * 1024 };

#define HEAD "Content-Type: multipart/mixed; boundary=the-end-of-it\r\n\r\n"
#define NEXT_PART "\r\n--the-end-of-it\r\n"

struct message {
	struct buf text;
};

static void
message_add(struct message *message, const char *type, const char *name, struct slice content)
{
	buf_print(&message->text,
	    NEXT_PART "Content-Type: %s\r\nContent-Disposition: attachment; filename=\"%s\"\r\n"
		      "Content-Transfer-Encoding: binary\r\n\r\n",
	    type, name);
	buf_append(&message->text, content);
}

/* The facts but those that are no or none, in pieces of that size. */
static const char *
play_files(struct arena *arena, const struct message *message, const char *yaml, size_t step)
{
	const void *options = play_options_good(arena, registry_find("mime"), yaml);
	const struct pipeline_row rows[] = { { registry_find("mime"), options }, { 0 } };
	struct slice text = buf_slice(&message->text);
	struct evidence_place place = { 0 };
	const struct fact *fact;
	const char *all = "";
	struct play play;

	play_begin(&play, "198.51.100.5", rows, NULL);
	play_helo(&play, "there");
	play_mail(&play, (struct address) { "a@example.org", "a", "example.org", false });
	for (size_t i = 0; i < text.length; i += step)
		scope_raw(play.scope,
		    (struct slice) {
			text.data + i, text.length - i < step ? text.length - i : step });
	scope_reach(play.scope, END);
	scope_run(play.scope);
	while ((fact = evidence_next(play.scope->mail.evidence, &place)) != NULL)
		if (strcmp(fact->value, "yes") == 0 || strcmp(fact->key, "attachment") == 0)
			all = arena_format(
			    arena, "%s%s=%s(%s)\n", all, fact->key, fact->value, fact->detail);
	play_end(&play);
	return all;
}

static void
check_message(const struct message *message, const char *yaml, const char *facts)
{
	static const size_t steps[] = { 1, 7, 4096, FILE_MOST };
	struct arena *arena = arena_new(SIZE_MAX);

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		assert_string_equal(play_files(arena, message, yaml, steps[i]), facts);
	arena_free(arena);
}

static void
check_file(const char *type, const char *name, struct slice content, const char *facts)
{
	struct message message = { .text.limit = FILE_MOST };

	buf_append(&message.text, slice_of(HEAD));
	message_add(&message, type, name, content);
	check_message(&message, "", facts);
	buf_free(&message.text);
}

static void
test_names(void **state)
{
	struct slice x = { "x", 1 };

	(void)state;
	check_file("text/plain", "a.txt", x, "attachment=text(a.txt)\n");
	check_file("text/plain", "a.js", x, "attachment=script(a.js)\nexecutable=yes(a.js)\n");
	check_file("a/b", "invoice.pdf.exe", x,
	    "attachment=executable(invoice.pdf.exe)\nexecutable=yes(invoice.pdf.exe)\n"
	    "double_extension=yes(invoice.pdf.exe)\n");
	check_file("a/b", "a\u202etxt.scr", x,
	    "attachment=executable(a\u202etxt.scr)\nexecutable=yes(a\u202etxt.scr)\n"
	    "right_to_left=yes(a\u202etxt.scr)\n");
	check_file("a/b", "a.xlsm", x, "attachment=macro_document(a.xlsm)\nmacro=yes(a.xlsm)\n");
	check_file("a/b", "", x, "attachment=other()\n");
	check_file("image/png", "a.png", (struct slice) { "\x89PNG\r\n\x1a\n", 8 },
	    "attachment=image(a.png)\n");
}

static void
test_content(void **state)
{
	char program[100] = "MZ";
	char ole[3000] = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
	char *pdf = calloc(1, 100000);

	(void)state;
	check_file("application/pdf", "a.pdf", (struct slice) { program, sizeof(program) },
	    "attachment=executable(a.pdf)\nexecutable=yes(a.pdf)\n");
	check_file(
	    "a/b", "a.doc", (struct slice) { ole, sizeof(ole) }, "attachment=document(a.doc)\n");
	memcpy(ole + 2000, "_\0V\0B\0A\0_\0P\0R\0O\0J\0E\0C\0T\0", 24);
	check_file("a/b", "a.doc", (struct slice) { ole, sizeof(ole) },
	    "attachment=document(a.doc)\nmacro=yes(a.doc)\n");
	check_file("a/b", "a.msi", (struct slice) { ole, 1000 },
	    "attachment=executable(a.msi)\nexecutable=yes(a.msi)\n");
	memcpy(ole + 2500, "E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0", 32);
	memset(ole + 2000, 0, 24);
	check_file("a/b", "a.docx", (struct slice) { ole, sizeof(ole) },
	    "attachment=document(a.docx)\nencrypted=yes(a.docx)\n");
	memcpy(pdf, "%PDF-1.7", 8);
	memcpy(pdf + 90000, "<< /Encrypt 5 0 R >>", 20);
	check_file("a/b", "a.pdf", (struct slice) { pdf, 100000 },
	    "attachment=pdf(a.pdf)\nencrypted=yes(a.pdf)\n");
	free(pdf);
}

/* ---- archives ---- */

static size_t
zip_put(char *out, const char *name, bool is_encrypted)
{
	memset(out, 0, 30);
	memcpy(out, "PK\3\4", 4);
	out[6] = is_encrypted;
	out[26] = (char)strlen(name);
	memcpy(out + 30, name, strlen(name));
	return 30 + strlen(name);
}

static void
test_zip(void **state)
{
	char zip[10000];
	size_t length = zip_put(zip, "dir/a.txt", false);

	(void)state;
	check_file("a/b", "a.zip", (struct slice) { zip, length }, "attachment=archive(a.zip)\n");
	memset(zip + length, 'x', 5000);
	length += 5000;
	length += zip_put(zip + length, "dir\\bill.pdf.exe", true);
	check_file("a/b", "a.zip", (struct slice) { zip, length },
	    "attachment=archive(a.zip)\nexecutable=yes(bill.pdf.exe)\n"
	    "double_extension=yes(bill.pdf.exe)\nencrypted=yes(a.zip)\n");
	length = zip_put(zip, "[Content_Types].xml", false);
	length += zip_put(zip + length, "word/vbaProject.bin", false);
	check_file("a/b", "a.docx", (struct slice) { zip, length },
	    "attachment=document(a.docx)\nmacro=yes(a.docx)\n");
	length = zip_put(zip, "META-INF/MANIFEST.MF", false);
	check_file("a/b", "a.jar", (struct slice) { zip, length },
	    "attachment=executable(a.jar)\nexecutable=yes(a.jar)\n");
	length = zip_put(zip, "a\xff\x01.exe", false);
	check_file("a/b", "a.zip", (struct slice) { zip, length },
	    "attachment=archive(a.zip)\nexecutable=yes(a\?\?.exe)\n");
}

/* Nobody looks for a ZIP in there. */
static void
test_no_zip(void **state)
{
	char image[200] = "\x89PNG\r\n\x1a\n";

	(void)state;
	zip_put(image + 20, "a.exe", false);
	check_file(
	    "a/b", "a.png", (struct slice) { image, sizeof(image) }, "attachment=image(a.png)\n");
}

static void
tar_put(char *out, const char *name)
{
	unsigned sum = 0;

	memset(out, 0, 512);
	strcpy(out, name);
	strcpy(out + 100, "0000644");
	strcpy(out + 108, "0000000");
	strcpy(out + 116, "0000000");
	strcpy(out + 124, "00000000000");
	strcpy(out + 136, "00000000000");
	memset(out + 148, ' ', 8);
	out[156] = '0';
	memcpy(out + 257, "ustar\00000", 8);
	for (int i = 0; i < 512; i++)
		sum += (unsigned char)out[i];
	snprintf(out + 148, 8, "%06o", sum);
}

static void
test_tar(void **state)
{
	char *tar = calloc(1, FILE_MOST);

	(void)state;
	tar_put(tar, "a.txt");
	tar_put(tar + 512, "u/n\xc3\xa4.vbs");
	check_file("a/b", "a.tar", (struct slice) { tar, 512 * 4 },
	    "attachment=archive(a.tar)\nexecutable=yes(n\xc3\xa4.vbs)\n");
	memset(tar + 1024, 'x', 512); /* no header */
	check_file("a/b", "a.tar", (struct slice) { tar, 512 * 6 },
	    "attachment=archive(a.tar)\nexecutable=yes(n\xc3\xa4.vbs)\nunread=yes(a.tar)\n");
	memset(tar + 1024, 0, 512);
	check_file("a/b", "a.tar", (struct slice) { tar, MIME_FILE_ARCHIVE + 1 },
	    "attachment=archive(a.tar)\nexecutable=yes(n\xc3\xa4.vbs)\nunread=yes(a.tar)\n");
	check_file("a/b", "a.7z", (struct slice) { "7z\xbc\xaf\x27\x1c", 6 },
	    "attachment=archive(a.7z)\nunread=yes(a.7z)\n");
	free(tar);
}

static void
test_option(void **state)
{
	char zip[100];
	struct message message = { .text.limit = FILE_MOST };

	(void)state;
	buf_append(&message.text, slice_of(HEAD));
	message_add(&message, "a/b", "a.zip", (struct slice) { zip, zip_put(zip, "a.exe", false) });
	check_message(&message, "archives: no", "attachment=archive(a.zip)\n");
	buf_free(&message.text);
}

/* Of many the one that matters is kept. */
static void
test_many(void **state)
{
	struct arena *arena = arena_new(SIZE_MAX);
	struct message message = { .text.limit = FILE_MOST };
	const char *facts;
	size_t count = 0;

	(void)state;
	buf_append(&message.text, slice_of(HEAD));
	for (int i = 0; i < 50; i++)
		message_add(
		    &message, "a/b", i == 40 ? "a.exe" : "a.txt", (struct slice) { "x", 1 });
	facts = play_files(arena, &message, "", 1000);
	assert_non_null(strstr(facts, "executable=yes(a.exe)\n"));
	for (const char *at = facts; (at = strstr(at, "attachment=")) != NULL; at++)
		count++;
	assert_int_equal(count, 32);
	arena_free(arena);
	buf_free(&message.text);
}

/* The peer leaves while an archive is held: the room is given back. */
static void
test_left(void **state)
{
	const struct filter *filter = registry_find("mime");
	struct arena *arena = arena_new(SIZE_MAX);
	const struct pipeline_row rows[] = { { filter, play_options_good(arena, filter, "") },
		{ 0 } };
	struct mime_host own = { .archives = 0 };
	struct pipeline_host host = { .shared = { &own } };
	struct message message = { .text.limit = FILE_MOST };
	char tar[8192] = "";
	struct play play;

	(void)state;
	tar_put(tar, "a.txt");
	buf_append(&message.text, slice_of(HEAD));
	message_add(&message, "a/b", "a.tar", (struct slice) { tar, sizeof(tar) });
	for (unsigned before = 0; before <= MIME_FILE_ARCHIVES; before += MIME_FILE_ARCHIVES) {
		own.archives = before;
		play_begin_with(&play, "198.51.100.5", rows, NULL, &host);
		play_helo(&play, "there");
		play_mail(&play, (struct address) { "a@example.org", "a", "example.org", false });
		scope_raw(play.scope, buf_slice(&message.text));
		assert_int_equal(own.archives, before == 0 ? 1 : MIME_FILE_ARCHIVES);
		play_end(&play);
		assert_int_equal(own.archives, before);
	}
	buf_free(&message.text);
	arena_free(arena);
}

/* With the worker's own: libmagic knows what we do not. */
static void
test_magic(void **state)
{
	const struct filter *filter = registry_find("mime");
	struct arena *arena = arena_new(SIZE_MAX);
	const struct pipeline_row rows[] = { { filter, play_options_good(arena, filter, "") },
		{ 0 } };
	struct pipeline_host host = { .host.arena = arena };
	struct message message = { .text.limit = FILE_MOST };
	struct play play;

	(void)state;
	host.shared[0] = filter->open(&host.host, rows[0].options);
	buf_append(&message.text, slice_of(HEAD));
	message_add(&message, "a/b", "", slice_of("#!/usr/bin/perl\nprint 1;\n"));
	play_begin_with(&play, "198.51.100.5", rows, NULL, &host);
	play_helo(&play, "there");
	play_mail(&play, (struct address) { "a@example.org", "a", "example.org", false });
	scope_raw(play.scope, buf_slice(&message.text));
	scope_reach(play.scope, END);
	scope_run(play.scope);
	assert_non_null(strstr(play_facts(&play), "{content=text/x-perl}"));
	play_end(&play);
	buf_free(&message.text);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_content),
		cmocka_unit_test(test_zip),
		cmocka_unit_test(test_no_zip),
		cmocka_unit_test(test_tar),
		cmocka_unit_test(test_option),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_left),
		cmocka_unit_test(test_magic),
	};

	return cmocka_run_group_tests_name("mime_filter", tests, NULL, NULL);
}
