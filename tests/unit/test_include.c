/*
 * lib/yaml with files: include, ${env:NAME}, ${file:PATH}; and lib/file below it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/file.h"
#include "lib/yaml.h"
#include "lib/yaml_tree.h"
#include "lib/yaml_write.h"

struct fixture {
	struct arena *arena;
	struct faults faults;
	char directory[32]; /* with conf/ and data/ */
};

static void
remove_all(const char *directory)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	assert_int_equal(system(command), 0);
}

static int
setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	strcpy(fixture->directory, "/tmp/postern-test-XXXXXX");
	assert_non_null(mkdtemp(fixture->directory));
	assert_int_equal(chdir(fixture->directory), 0);
	assert_int_equal(mkdir("conf", 0700), 0);
	assert_int_equal(mkdir("conf/sub", 0700), 0);
	assert_int_equal(mkdir("data", 0700), 0);
	fixture->arena = arena_new(SIZE_MAX);
	*state = fixture;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(chdir("/"), 0);
	remove_all(fixture->directory);
	arena_free(fixture->arena);
	free(fixture);
	return 0;
}

static void
write_bytes(const char *path, const void *bytes, size_t length)
{
	FILE *to = fopen(path, "w");

	assert_non_null(to);
	assert_int_equal(fwrite(bytes, 1, length, to), length);
	assert_int_equal(fclose(to), 0);
}

static void
write_file(const char *path, const char *text)
{
	write_bytes(path, text, strlen(text));
}

static const struct node *
read_main(struct fixture *fixture, const char *text)
{
	write_file("conf/a.yaml", text);
	faults_init(&fixture->faults, fixture->arena);
	return yaml_read_file(fixture->arena, "conf/a.yaml", "data", &fixture->faults);
}

static void
expect_tree(struct fixture *fixture, const char *text, const char *want)
{
	const struct node *root = read_main(fixture, text);
	char *printed = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&printed, &length);

	if (root == NULL)
		faults_print(&fixture->faults, stderr);
	assert_non_null(root);
	assert_int_equal(fixture->faults.count, 0);
	yaml_write_flow(to, root);
	fclose(to);
	assert_string_equal(printed, want);
	free(printed);
}

static void
expect_faults(struct fixture *fixture, const char *text, const char *want)
{
	char *printed = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&printed, &length);

	read_main(fixture, text);
	faults_print(&fixture->faults, to);
	fclose(to);
	assert_string_equal(printed, want);
	free(printed);
}

static void
test_in_maps(void **state)
{
	struct fixture *fixture = *state;

	write_file("conf/b.yaml", "c: d\ne: [f]\n");
	write_file("conf/g.yaml", "g: h\n");
	expect_tree(fixture, "a: b\ninclude: b.yaml\ni: j\n", "{a: b, c: d, e: [f], i: j}");
	expect_tree(fixture, "include: [b.yaml, g.yaml]\na: b\n", "{c: d, e: [f], g: h, a: b}");
	expect_tree(fixture, "include: [b.yaml, g.yaml]\n", "{c: d, e: [f], g: h}");
	expect_tree(fixture, "include: b.yaml\n", "{c: d, e: [f]}");
	expect_tree(fixture, "a: {x: y, include: g.yaml}\n", "{a: {x: y, g: h}}");
	expect_tree(fixture, "include: []\na: b\n", "{a: b}");

	const struct node *root = read_main(fixture, "a: b\ninclude: b.yaml\n");

	assert_string_equal(node_find(root, "a")->file, "conf/a.yaml");
	assert_string_equal(node_find(root, "e")->file, "conf/b.yaml");
	assert_int_equal(node_find(root, "e")->line, 2);
}

static void
test_in_lists(void **state)
{
	struct fixture *fixture = *state;

	write_file("conf/list.yaml", "- x\n- y\n");
	write_file("conf/map.yaml", "k: v\n");
	write_file("conf/none.yaml", "[]\n");
	expect_tree(fixture, "p: [a, include: list.yaml, b]\n", "{p: [a, x, y, b]}");
	expect_tree(fixture, "p:\n  - include: list.yaml\n", "{p: [x, y]}");
	expect_tree(fixture, "p:\n  - include: [list.yaml, map.yaml, none.yaml, list.yaml]\n",
	    "{p: [x, y, {k: v}, x, y]}");
	expect_tree(fixture, "- include: none.yaml\n", "[]");
	expect_tree(fixture, "- {a: b, include: map.yaml}\n", "[{a: b, k: v}]");
	/* Alone in a map: in the map's place. */
	expect_tree(fixture, "p: { include: list.yaml }\nq: r\n", "{p: [x, y], q: r}");
	expect_tree(fixture, "p:\n  include: [list.yaml, list.yaml]\n", "{p: [x, y, x, y]}");
	expect_tree(fixture, "include: list.yaml\n", "[x, y]");
	write_file("conf/word.yaml", "word\n");
	expect_tree(fixture, "p: { include: word.yaml }\nq: r\n", "{p: word, q: r}");
}

static void
test_nested(void **state)
{
	struct fixture *fixture = *state;

	write_file("conf/sub/b.yaml", "- b\n- include: c.yaml\n- include: ../d.yaml\n");
	write_file("conf/sub/c.yaml", "- c\n");
	write_file("conf/c.yaml", "- wrong\n");
	write_file("conf/d.yaml", "- d\n- include: sub/c.yaml\n");
	expect_tree(fixture, "p: [ include: sub/b.yaml ]\n", "{p: [b, c, d, c]}");
}

static void
test_shipped(void **state)
{
	struct fixture *fixture = *state;
	char absolute[100];

	write_file("data/shipped.yaml", "- s\n- include: other.yaml\n");
	write_file("data/other.yaml", "- o\n");
	write_file("data/both.yaml", "- data\n");
	write_file("conf/both.yaml", "- conf\n");
	expect_tree(fixture, "- include: shipped.yaml\n", "[s, o]");
	expect_tree(fixture, "- include: both.yaml\n", "[conf]");
	snprintf(absolute, sizeof(absolute), "- include: %s/data/both.yaml\n", fixture->directory);
	expect_tree(fixture, absolute, "[data]");
}

static void
test_include_faults(void **state)
{
	struct fixture *fixture = *state;

	write_file("conf/b.yaml", "c: d\na: x\n");
	write_file("conf/broken.yaml", "c: [\n");
	write_file("conf/empty.yaml", "# nothing\n");
	write_file("conf/list.yaml", "- x\n");
	expect_faults(fixture, "a: b\ninclude: b.yaml\n",
	    "conf/b.yaml:2:1: key given twice: \"a\", first at conf/a.yaml:1:1\n");
	expect_faults(fixture, "include: [b.yaml, b.yaml]\n",
	    "conf/b.yaml:1:1: key given twice: \"c\", first at conf/b.yaml:1:1\n"
	    "conf/b.yaml:2:1: key given twice: \"a\", first at conf/b.yaml:2:1\n");
	expect_faults(fixture, "include: b.yaml\nx: y\ninclude: b.yaml\n",
	    "conf/a.yaml:3:1: key given twice: \"include\", first at conf/a.yaml:1:1\n");
	expect_faults(fixture, "x: y\ninclude: no.yaml\n",
	    "conf/a.yaml:2:10: cannot read \"conf/no.yaml\": No such file or directory\n");
	expect_faults(fixture, "- include: sub\n",
	    "conf/a.yaml:1:12: cannot read \"conf/sub\": not a regular file\n");
	expect_faults(fixture,
	    "- include: broken.yaml\n- include: [empty.yaml, [], \"\", no]\n- include:\n",
	    "conf/broken.yaml:2:1: did not find expected node content, while parsing a flow node "
	    "that begins at 2:1\n"
	    "conf/empty.yaml: there is nothing in this file\n"
	    "conf/a.yaml:2:25: include: expected a file's name, or a list of them\n"
	    "conf/a.yaml:2:29: include: expected a file's name, or a list of them\n"
	    "conf/a.yaml:2:33: cannot read \"conf/no\": No such file or directory\n"
	    "conf/a.yaml:3:11: include: expected a file's name, or a list of them\n");
	expect_faults(fixture, "x: y\ninclude: list.yaml\n",
	    "conf/list.yaml:1:1: included where keys are expected: this file must be a map\n");
	assert_null(read_main(fixture, "x: y\ninclude: list.yaml\n"));
	assert_null(yaml_read_file(fixture->arena, "conf/no.yaml", NULL, &fixture->faults));
	assert_string_equal(
	    fixture->faults.kept[1].words, "cannot be read: No such file or directory");
}

static void
test_circle(void **state)
{
	struct fixture *fixture = *state;

	write_file("conf/b.yaml", "- include: sub/../a.yaml\n");
	expect_faults(fixture, "- include: b.yaml\n",
	    "conf/b.yaml:1:12: \"conf/sub/../a.yaml\" includes itself\n");
	expect_faults(
	    fixture, "- include: a.yaml\n", "conf/a.yaml:1:12: \"conf/a.yaml\" includes itself\n");
	assert_int_equal(link("conf/a.yaml", "conf/same.yaml"), 0);
	expect_faults(fixture, "- include: same.yaml\n",
	    "conf/a.yaml:1:12: \"conf/same.yaml\" includes itself\n");
}

/* A row of files, each including the next; and the limits on all of them together. */
static void
test_bounds(void **state)
{
	struct fixture *fixture = *state;
	char path[32], text[64];

	for (int i = 1; i <= YAML_INCLUDES + 1; i++) {
		snprintf(path, sizeof(path), "conf/%d.yaml", i);
		snprintf(text, sizeof(text),
		    i == YAML_INCLUDES ? "- end\n" : "- include: %d.yaml\n", i + 1);
		write_file(path, text);
	}
	expect_tree(fixture, "- include: 1.yaml\n", "[end]");
	write_file("conf/0.yaml", "- include: 1.yaml\n");
	expect_faults(
	    fixture, "- include: 0.yaml\n", "conf/15.yaml:1:12: included more than 16 deep\n");

	/* Each of them twice is 65536 files. */
	for (int i = 1; i < YAML_INCLUDES; i++) {
		snprintf(path, sizeof(path), "conf/%d.yaml", i);
		snprintf(text, sizeof(text), "- include: [%d.yaml, %d.yaml]\n", i + 1, i + 1);
		write_file(path, text);
	}
	assert_null(read_main(fixture, "- include: 1.yaml\n"));
	assert_string_equal(fixture->faults.kept[0].words, "more than 1000 files included");

	/* Depth counts through files. */
	write_file("conf/1.yaml", "[[[[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]]]"); /* 17 */
	expect_faults(fixture, "[[[[[[[[[[[[[[[[include: 1.yaml]]]]]]]]]]]]]]]]",
	    "conf/1.yaml:1:17: more than 32 levels deep\n");
	expect_tree(fixture, "[[[[[[[[[[[[[[{include: 1.yaml}]]]]]]]]]]]]]]",
	    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
}

static void
test_substitution(void **state)
{
	struct fixture *fixture = *state;
	const struct node *root;

	setenv("POSTERN_TEST", "va${lue}: x", 1);
	setenv("POSTERN_EMPTY", "", 1);
	write_file("conf/one", "secret\n");
	write_file("conf/two", "two\nlines\r\n");
	write_file("conf/bare", "");
	root = read_main(fixture,
	    "a: ${env:POSTERN_TEST}\n"
	    "b: 'x${file:one}y${env:POSTERN_EMPTY}z'\n"
	    "c: ${file:two}\n"
	    "d: $${env:POSTERN_TEST} $ $$ $x } ${file:bare}\n"
	    "e: $${env}\n"
	    "f: $$${x\n"
	    "g: [ \"${file:bare}\" ]\n");
	assert_non_null(root);
	assert_int_equal(fixture->faults.count, 0);
	assert_string_equal(node_find(root, "a")->text, "va${lue}: x");
	assert_true(node_find(root, "a")->secret);
	assert_string_equal(node_find(root, "b")->text, "xsecretyz");
	assert_string_equal(node_find(root, "c")->text, "two\nlines");
	assert_string_equal(node_find(root, "d")->text, "${env:POSTERN_TEST} $ $$ $x } ");
	assert_string_equal(node_find(root, "e")->text, "${env}");
	assert_false(node_find(root, "e")->secret);
	assert_string_equal(node_find(root, "f")->text, "$${x");
	assert_string_equal(node_find(root, "g")->child->text, "");
	assert_false(node_is_empty(node_find(root, "g")->child));

	/* Files are beside the file that names them; includes may be made of it, too. */
	write_file("conf/sub/b.yaml", "- ${file:one}\n");
	write_file("conf/sub/one", "other");
	setenv("POSTERN_TEST", "sub", 1);
	root = read_main(fixture, "- include: ${env:POSTERN_TEST}/b.yaml\n");
	assert_non_null(root);
	assert_string_equal(root->child->text, "other");
}

static void
test_substitution_faults(void **state)
{
	struct fixture *fixture = *state;
	char *large = malloc(65537);

	unsetenv("POSTERN_NONE");
	memset(large, 'x', 65537);
	write_bytes("conf/large", large, 65537);
	write_bytes("conf/fits", large, 65536);
	write_bytes("conf/nul", "a\0b", 3);
	expect_faults(fixture,
	    "a: x ${env:POSTERN_NONE}\n"
	    "b: ${file:no}\n"
	    "c: [ \"${file:large}\" ]\n"
	    "d: ${file:nul}\n"
	    "e: ${foo}\n"
	    "f: ${env:POSTERN_NONE\n"
	    "${env:X}: y\n"
	    "g: ${file:/dev/zero}\n",
	    "conf/a.yaml:1:4: no such environment variable: \"POSTERN_NONE\"\n"
	    "conf/a.yaml:2:4: cannot read \"conf/no\": No such file or directory\n"
	    "conf/a.yaml:3:6: cannot read \"conf/large\": larger than 65536 bytes\n"
	    "conf/a.yaml:4:4: cannot read \"conf/nul\": there is a NUL in it\n"
	    "conf/a.yaml:5:4: cannot substitute \"${foo}\": expected ${env:NAME} or "
	    "${file:PATH}, or $${ for a literal ${\n"
	    "conf/a.yaml:6:4: \"${\" without \"}\"; $${ is a literal ${\n"
	    "conf/a.yaml:7:1: a key cannot have ${ in it\n"
	    "conf/a.yaml:8:4: cannot read \"/dev/zero\": not a regular file\n");
	assert_non_null(read_main(fixture, "a: ${file:fits}\n"));

	/* 17 files of 64 KiB are more than the whole may be. */
	char text[17 * 12 + 10] = "a: ";

	for (int i = 0; i < 17; i++)
		strcat(text, "${file:fits}");
	expect_faults(fixture, text, "conf/a.yaml:1:4: too long with what was put in\n");
	free(large);
}

static void
test_file(void **state)
{
	struct fixture *fixture = *state;
	struct arena *arena = fixture->arena;
	struct file file;

	write_bytes("data/x", "abc", 3);
	assert_true(file_read(arena, "data/x", 3, &file));
	assert_int_equal(file.bytes.length, 3);
	assert_string_equal(file.bytes.data, "abc");
	assert_false(file_read(arena, "data/x", 2, &file));
	assert_string_equal(file.fault, "larger than 2 bytes");
	assert_int_equal(file.bytes.length, 0);
	write_bytes("data/x", "", 0);
	assert_true(file_read(arena, "data/x", 0, &file));
	assert_int_equal(file.bytes.length, 0);
	assert_true(file_read(arena, "/proc/self/stat", 4096, &file)); /* says it is empty */
	assert_true(file.bytes.length > 0);
	assert_int_equal(mkfifo("data/fifo", 0600), 0);
	assert_false(file_read(arena, "data/fifo", 9, &file)); /* and does not wait */
	assert_string_equal(file_directory(arena, "a"), ".");
	assert_string_equal(file_directory(arena, "/a"), "/");
	assert_string_equal(file_directory(arena, "b/c/a"), "b/c");
	assert_string_equal(file_find(arena, ".", NULL, "x"), "x");
	assert_string_equal(file_find(arena, "/", NULL, "x"), "/x");
	assert_string_equal(file_find(arena, "conf", "data", "x"), "data/x");
	assert_string_equal(file_find(arena, "conf", "data", "none"), "conf/none");
	assert_string_equal(file_find(arena, "conf", "data", "/x"), "/x");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_in_maps, setup, teardown),
		cmocka_unit_test_setup_teardown(test_in_lists, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nested, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shipped, setup, teardown),
		cmocka_unit_test_setup_teardown(test_include_faults, setup, teardown),
		cmocka_unit_test_setup_teardown(test_circle, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bounds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_substitution, setup, teardown),
		cmocka_unit_test_setup_teardown(test_substitution_faults, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file, setup, teardown),
	};

	return cmocka_run_group_tests_name("include", tests, NULL, NULL);
}
