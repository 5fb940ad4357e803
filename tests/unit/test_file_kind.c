/* What files are, by name and content; names in archives; byte strings in streams. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "lib/archive_names.h"
#include "lib/arena.h"
#include "lib/file_kind.h"
#include "lib/needle.h"
#include "lib/zip_scan.h"

static void
test_names(void **state)
{
	static const struct {
		const char *name;
		enum file_kind kind;
		bool is_double, is_turned;
	} rows[] = {
		{ "", FILE_OTHER, false, false },
		{ "exe", FILE_OTHER, false, false },
		{ ".exe", FILE_EXECUTABLE, false, false },
		{ "a.exe", FILE_EXECUTABLE, false, false },
		{ "A.EXE", FILE_EXECUTABLE, false, false },
		{ "a.exe. . ", FILE_EXECUTABLE, false, false },
		{ "a.ex", FILE_OTHER, false, false },
		{ "a.exee", FILE_OTHER, false, false },
		{ "a.pdf", FILE_PDF, false, false },
		{ "invoice.pdf.exe", FILE_EXECUTABLE, true, false },
		{ "invoice.PDF .Js", FILE_SCRIPT, true, false },
		{ "invoice     .exe", FILE_EXECUTABLE, true, false },
		{ "setup-1.2.exe", FILE_EXECUTABLE, false, false },
		{ ".pdf.exe", FILE_EXECUTABLE, false, false },
		{ "a.exe.pdf", FILE_PDF, false, false },
		{ "a.docm", FILE_MACRO, false, false },
		{ "a.docx.lnk", FILE_SHORTCUT, true, false },
		{ "a.iso", FILE_DISK, false, false },
		{ "a.tar.gz", FILE_ARCHIVE, false, false },
		{ "a.svg", FILE_HTML, false, false },
		{ "a\u202efdp.exe", FILE_EXECUTABLE, false, true },
		{ "a\u2067.txt", FILE_TEXT, false, true },
		{ "a\xff\x80.txt", FILE_TEXT, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice name = slice_of(rows[i].name);

		assert_int_equal(file_kind_of_name(name), rows[i].kind);
		assert_int_equal(file_name_is_double(name), rows[i].is_double);
		assert_int_equal(file_name_is_turned(name), rows[i].is_turned);
	}
}

static void
test_content(void **state)
{
	char program[200] = "MZ", tar[512] = "name";
	const char *type;

	(void)state;
	assert_int_equal(file_kind_of_content((struct slice) { program, sizeof(program) }, &type),
	    FILE_EXECUTABLE);
	assert_int_equal(file_kind_of_content((struct slice) { program, 63 }, &type), FILE_OTHER);
	assert_null(type);
	memset(program + 2, 'x', 100);
	assert_int_equal(
	    file_kind_of_content((struct slice) { program, sizeof(program) }, &type), FILE_OTHER);
	memcpy(tar + 257, "ustar", 5);
	assert_int_equal(
	    file_kind_of_content((struct slice) { tar, sizeof(tar) }, &type), FILE_ARCHIVE);
	assert_int_equal(file_kind_of_content((struct slice) { tar, 261 }, &type), FILE_OTHER);
	assert_int_equal(file_kind_of_content(slice_of("%PDF-1.7"), &type), FILE_PDF);
	assert_string_equal(type, "application/pdf");
	assert_int_equal(file_kind_of_content(slice_of("\r\n <!DocType HTML>"), NULL), FILE_HTML);
	assert_int_equal(file_kind_of_content(slice_of(""), &type), FILE_OTHER);
	for (enum file_kind kind = 0; kind < FILE_KINDS; kind++)
		assert_true(file_kind_word(kind)[0] != '\0');
}

/* ---- ZIP ---- */

struct seen {
	char text[2000];
	size_t count;
};

static void
seen_name(void *arg, struct slice name, bool is_encrypted)
{
	struct seen *seen = arg;
	size_t length = strlen(seen->text);

	seen->count++;
	snprintf(seen->text + length, sizeof(seen->text) - length, "%.*s%s ", (int)name.length,
	    name.data, is_encrypted ? "*" : "");
}

static size_t
zip_put(char *out, bool is_central, unsigned flags, const char *name)
{
	size_t length = is_central ? 46 : 30;

	memset(out, 'P', length);
	memcpy(out, is_central ? "PK\1\2" : "PK\3\4", 4);
	out[is_central ? 8 : 6] = (char)flags;
	out[is_central ? 28 : 26] = (char)strlen(name);
	out[is_central ? 29 : 27] = (char)(strlen(name) >> 8);
	memcpy(out + length, name, strlen(name));
	return length + strlen(name);
}

static void
test_zip(void **state)
{
	static const char expected[] = "a.txt b/evil.exe* PK c.exe a.txt ";
	char zip[1000] = "junk PPK\3PK";
	size_t length = strlen(zip);

	(void)state;
	length += zip_put(zip + length, false, 0, "a.txt");
	length += (size_t)sprintf(zip + length, "data PK\3PPK\1");
	length += zip_put(zip + length, false, 1, "b/evil.exe");
	length += zip_put(zip + length, false, 0, "");
	length += zip_put(zip + length, true, 0, "PK");
	length += zip_put(zip + length, true, 0, "c.exe");
	length += zip_put(zip + length, true, 0, "a.txt");
	for (size_t cut = 0; cut <= length; cut++) {
		struct seen seen = { .text = "" };
		struct zip_scan scan = { .on_name = seen_name, .arg = &seen };

		zip_scan_feed(&scan, (struct slice) { zip, cut });
		for (size_t i = cut, step = cut % 2 == 0 ? 1 : length - cut; i < length; i += step)
			zip_scan_feed(&scan, (struct slice) { zip + i, step });
		assert_string_equal(seen.text, expected);
	}
}

static void
test_zip_long_name(void **state)
{
	char name[3000], zip[4000];
	struct seen seen = { .text = "" };
	struct zip_scan scan = { .on_name = seen_name, .arg = &seen };

	(void)state;
	memset(name, 'x', sizeof(name));
	strcpy(name + sizeof(name) - 5, ".exe");
	zip_scan_feed(&scan, (struct slice) { zip, zip_put(zip, false, 0, name) });
	assert_int_equal(seen.count, 1);
	assert_true(strlen(seen.text) <= ZIP_NAME + 1);
	assert_non_null(strstr(seen.text, "xxx.exe "));
}

/* ---- other archives ---- */

static struct slice
run(struct arena *arena, const char *command)
{
	FILE *pipe = popen(command, "r");
	char *bytes = arena_alloc(arena, 1 << 20);
	size_t length = fread(bytes, 1, 1 << 20, pipe);

	return (struct slice) { bytes, pclose(pipe) == 0 ? length : 0 };
}

static void
test_archives(void **state)
{
	static const char make[] = "d=$(mktemp -d) && cd $d && echo x >evil.exe && mkdir u && echo "
				   "y >u/n\xc3\xa4me.txt && tar -c%s evil.exe u && rm -r $d";
	struct arena *arena = arena_new(SIZE_MAX);
	const char *filters[] = { "", "z", "j", "J" };
	bool is_encrypted;

	(void)state;
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		struct seen seen = { .text = "" };
		struct slice bytes = run(arena, arena_format(arena, make, filters[i]));

		if (bytes.length == 0)
			continue; /* no such program here */
		assert_int_equal(archive_names_list(bytes, seen_name, &seen, &is_encrypted),
		    ARCHIVE_NAMES_WHOLE);
		assert_false(is_encrypted);
		assert_string_equal(seen.text, "evil.exe u/ u/n\xc3\xa4me.txt ");
		for (size_t cut = 0; cut < bytes.length; cut += 1 + bytes.length / 100) {
			seen = (struct seen) { .text = "" };
			archive_names_list(
			    (struct slice) { bytes.data, cut }, seen_name, &seen, &is_encrypted);
			assert_true(seen.count <= 3);
		}
	}
	arena_free(arena);
}

/* 300 MB of nothing before a second file: it is given up in time. */
static void
test_bomb(void **state)
{
	static const char make[] =
	    "d=$(mktemp -d) && cd $d && truncate -s 300M zeros && echo x >z.exe && tar -c zeros "
	    "z.exe | gzip -9 && rm -r $d";
	struct arena *arena = arena_new(SIZE_MAX);
	struct slice bytes = run(arena, make);
	struct seen seen = { .text = "" };
	bool is_encrypted;
	clock_t begun = clock();

	(void)state;
	assert_true(bytes.length > 1000);
	assert_int_equal(
	    archive_names_list(bytes, seen_name, &seen, &is_encrypted), ARCHIVE_NAMES_PART);
	assert_string_equal(seen.text, "zeros ");
	assert_true((double)(clock() - begun) / CLOCKS_PER_SEC < 0.5);
	arena_free(arena);
}

static void
test_no_archive(void **state)
{
	static const char *const texts[] = { "", "x", "7z\xbc\xaf\x27\x1c", "Rar!\x1a\x07", "MSCF",
		"\x1f\x8b\x08" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct seen seen = { .text = "" };
		bool is_encrypted;

		assert_int_not_equal(
		    archive_names_list(slice_of(texts[i]), seen_name, &seen, &is_encrypted),
		    ARCHIVE_NAMES_WHOLE);
		assert_int_equal(seen.count, 0);
	}
}

static void
test_needle(void **state)
{
	static const struct slice patterns[] = { { "needle", 6 }, { "h\0ay", 4 }, { "none", 4 } };
	static const char text[] = "some text with a neeneedle in it, and h\0ay nonnone";
	size_t length = sizeof(text) - 2; /* the last one is not whole */

	(void)state;
	for (size_t step = 1; step < length; step++) {
		struct needle needle = { .patterns = patterns, .count = 3 };

		for (size_t i = 0; i < length; i += step)
			needle_feed(&needle,
			    (struct slice) { text + i, length - i < step ? length - i : step });
		assert_int_equal(needle.found, 3);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_content),
		cmocka_unit_test(test_zip),
		cmocka_unit_test(test_zip_long_name),
		cmocka_unit_test(test_archives),
		cmocka_unit_test(test_bomb),
		cmocka_unit_test(test_no_archive),
		cmocka_unit_test(test_needle),
	};

	return cmocka_run_group_tests_name("file_kind", tests, NULL, NULL);
}
