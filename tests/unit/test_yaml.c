/*
 * lib/yaml: trees, places, and everything that is refused; includes and substitution are in
 * test_include.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/yaml.h"
#include "lib/yaml_tree.h"
#include "lib/yaml_write.h"

struct fixture {
	struct arena *arena;
	struct faults faults;
};

static int
setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	fixture->arena = arena_new(SIZE_MAX);
	*state = fixture;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *fixture = *state;

	arena_free(fixture->arena);
	free(fixture);
	return 0;
}

static const struct node *
read_bytes(struct fixture *fixture, const char *bytes, size_t length)
{
	struct slice copy = { .data = malloc(length + (length == 0)), .length = length };

	memcpy((char *)copy.data, bytes, length); /* a block of its own: nothing behind it */
	faults_init(&fixture->faults, fixture->arena);

	const struct node *root = yaml_read(fixture->arena, "a.yaml", copy, NULL, &fixture->faults);

	free((char *)copy.data);
	return root;
}

static void
expect_tree(struct fixture *fixture, const char *text, const char *want)
{
	const struct node *root = read_bytes(fixture, text, strlen(text));
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

/* The only fault, without the file's name; what must be left out of the tree makes NULL. */
static void
expect_fault_in(struct fixture *fixture, const char *bytes, size_t length, const char *want)
{
	const struct node *root = read_bytes(fixture, bytes, length);
	const struct fault *fault = fixture->faults.kept;
	char line[1000];

	(void)root;
	assert_int_equal(fixture->faults.count, 1);
	assert_string_equal(fault->file, "a.yaml");
	snprintf(line, sizeof(line), "%u:%u: %s", fault->line, fault->column, fault->words);
	assert_string_equal(line, want);
}

static void
expect_fault(struct fixture *fixture, const char *text, const char *want)
{
	expect_fault_in(fixture, text, strlen(text), want);
}

#define EXPECT_FAULT_IN(fixture, text, want) expect_fault_in(fixture, text, sizeof(text) - 1, want)

static void
test_trees(void **state)
{
	expect_tree(*state, "a: b\n", "{a: b}");
	expect_tree(*state, "- a\n- [b, {c: d}]\n", "[a, [b, {c: d}]]");
	expect_tree(*state, "word", "word");
	expect_tree(
	    *state, "a:\n  b:\n    - c\n    - d: e\n      f: g\n", "{a: {b: [c, {d: e, f: g}]}}");
	expect_tree(*state, "---\na: b\n...\n", "{a: b}");
	expect_tree(*state, "%YAML 1.1\n---\na: b\n", "{a: b}");
	expect_tree(*state, "# only here\r\na: b\r\nc: d\r\n", "{a: b, c: d}");
	expect_tree(*state, "{}", "{}");
	expect_tree(*state, "[]", "[]");
	expect_tree(*state, "a:\tb\n", "{a: b}"); /* a tab behind the colon is good */
	expect_tree(*state, "a: |\n  x\n  y\n", "{a: \"x\\ny\\n\"}");
}

static void
test_texts_have_no_types(void **state)
{
	struct fixture *fixture = *state;
	const char *text = "[no, 1.2, 0755, ~, null, 2026-11-24, '', \"q\", ]";
	const struct node *at = read_bytes(fixture, text, strlen(text))->child;
	static const char *const want[] = { "no", "1.2", "0755", "~", "null", "2026-11-24" };

	for (size_t i = 0; i < 6; i++, at = at->next) {
		assert_int_equal(at->kind, NODE_TEXT);
		assert_string_equal(at->text, want[i]);
		assert_false(at->quoted);
	}
	assert_true(at->quoted);
	assert_false(node_is_empty(at));
	assert_true(at->next->quoted);
	assert_null(at->next->next);
	text = "a:\n";
	assert_true(node_is_empty(node_find(read_bytes(fixture, text, 3), "a")));
}

static void
test_places(void **state)
{
	struct fixture *fixture = *state;
	const char *text = "\xef\xbb\xbf" /* a byte order mark moves nothing */
			   "a: b\n"
			   "\xc3\xa4\xc3\xb6: [x, \xf0\x9f\x98\x80, y]\n"
			   "m:\n"
			   "  k: v\n";
	const struct node *root = read_bytes(fixture, text, strlen(text));
	const struct node *list = node_find(root, "\xc3\xa4\xc3\xb6"), *map = node_find(root, "m");

	assert_int_equal(root->line, 1);
	assert_int_equal(root->column, 1);
	assert_int_equal(root->child->column, 1);
	assert_int_equal(node_find(root, "a")->column, 4);
	assert_int_equal(list->line, 2);
	assert_int_equal(list->column, 5);
	assert_int_equal(list->child->next->column, 9); /* characters, not bytes */
	assert_int_equal(list->child->next->next->column, 12);
	assert_int_equal(node_count(list), 3);
	assert_int_equal(map->line, 4);
	assert_int_equal(map->column, 3);
	assert_int_equal(node_count(root), 3);
	assert_string_equal(map->file, "a.yaml");
	assert_null(node_find(root, "b"));
	assert_null(node_find(list, "x"));
	assert_null(node_find(NULL, "x"));
}

static void
test_syntax(void **state)
{
	expect_fault(*state, "a: [b\nc: d\n",
	    "2:2: did not find expected ',' or ']', while parsing a flow sequence that begins at "
	    "1:4");
	expect_fault(*state, "a: [b\n",
	    "2:1: did not find expected ',' or ']', while parsing a flow sequence that begins at "
	    "1:4");
	expect_fault(*state, "a:\n  b: c\n\td: e\n",
	    "3:1: found a tab character that violates indentation, while scanning a plain scalar "
	    "that begins at 2:6");
	expect_fault(*state, "a: \"x\ny",
	    "2:2: found unexpected end of stream, while scanning a quoted scalar that begins at "
	    "1:4");
	expect_fault(*state, "a: b: c\n", "1:5: mapping values are not allowed in this context");
}

static void
test_bad_bytes(void **state)
{
	/* libyaml gives only an offset for these. */
	EXPECT_FAULT_IN(*state, "a: b\nc: d\xff\n", "2:5: invalid leading UTF-8 octet: 0xFF");
	EXPECT_FAULT_IN(*state, "a: b\r\nc: d\xff\r\n", "2:5: invalid leading UTF-8 octet: 0xFF");
	EXPECT_FAULT_IN(*state, "a: b\rc: d\xff\r", "2:5: invalid leading UTF-8 octet: 0xFF");
	EXPECT_FAULT_IN(*state, "\xc3\xa4: \xc3\n", "1:5: invalid trailing UTF-8 octet: 0x0A");
	EXPECT_FAULT_IN(*state,
	    "\xef\xbb\xbf"
	    "ab\xff",
	    "1:3: invalid leading UTF-8 octet: 0xFF");
	EXPECT_FAULT_IN(*state, "a: x\x01\n", "1:5: control characters are not allowed: 0x01");
	EXPECT_FAULT_IN(*state, "a: 'x\0y'\n", "1:6: control characters are not allowed: 0x00");
	EXPECT_FAULT_IN(*state, "a: \xed\xa0\x80\n", "1:4: invalid Unicode character: 0xD800");
	EXPECT_FAULT_IN(*state, "a: b\nc: \xe2\x82", "2:4: incomplete UTF-8 octet sequence");
	/* UTF-16 */
	EXPECT_FAULT_IN(*state,
	    "\xff\xfe"
	    "a\0:\0 \0b\0",
	    "1:1: invalid leading UTF-8 octet: 0xFF");
	EXPECT_FAULT_IN(*state,
	    "\xfe\xff"
	    "\0a\0:\0 \0b",
	    "1:1: invalid leading UTF-8 octet: 0xFE");
	/* A NUL can come in disguise. */
	expect_fault(*state, "a: \"x\\0y\"\n", "1:4: a NUL in a text");
	expect_fault(*state, "\"a\\0b\": c\n", "1:1: a NUL in a text");
}

static void
test_refused(void **state)
{
	expect_fault(*state, "a: &x b\n",
	    "1:4: anchors are not supported (&x), use include:, or quote the text");
	expect_fault(*state, "a: &x [*x]\n",
	    "1:4: anchors are not supported (&x), use include:, or quote the text");
	expect_fault(*state, "a: &x {}\n",
	    "1:4: anchors are not supported (&x), use include:, or quote the text");
	expect_fault(*state, "&x a: b\n",
	    "1:1: anchors are not supported (&x), use include:, or quote the text");
	expect_fault(*state, "a: *x\n",
	    "1:4: aliases are not supported (*x), use include:, or quote the text");
	expect_fault(*state, "a: !!int 3\n",
	    "1:4: tags are not supported (tag:yaml.org,2002:int): write the value alone, or quote "
	    "the text");
	expect_fault(*state, "a: !x [b]\n",
	    "1:4: tags are not supported (!x): write the value alone, or quote the text");
	expect_fault(*state, "a: !x {b: c}\n",
	    "1:4: tags are not supported (!x): write the value alone, or quote the text");
	expect_fault(*state, "a: ! b\n",
	    "1:4: tags are not supported (!): write the value alone, or quote the text");
	expect_fault(*state, "a: b\n---\nc: d\n", "2:1: a second document: a file has only one");
	expect_fault(*state, "a: b\n...\n---\n", "3:1: a second document: a file has only one");
	expect_fault(
	    *state, "a: b\n<<: {c: d}\n", "2:1: merge keys are not supported, use include:");
	expect_fault(*state, "? [a]\n: b\n", "1:3: a key must be a text");
	expect_fault(*state, "{ {a: b}: c, d: e }\n", "1:3: a key must be a text");
	expect_tree(*state, "\"<<\": a\n", "{\"<<\": a}");
}

static void
test_nothing(void **state)
{
	struct fixture *fixture = *state;

	EXPECT_FAULT_IN(fixture, "", "0:0: there is nothing in this file");
	EXPECT_FAULT_IN(fixture, "# a\n\n", "0:0: there is nothing in this file");
	EXPECT_FAULT_IN(fixture, "\xef\xbb\xbf", "0:0: there is nothing in this file");
	assert_null(read_bytes(fixture, "", 0));
	assert_true(node_is_empty(read_bytes(fixture, "---\n", 4)));
}

static void
test_twins(void **state)
{
	struct fixture *fixture = *state;
	const char *text = "a: 1\nb: { c: 2, c: 3, 'c': 4 }\na: 5\n";
	const struct node *root = read_bytes(fixture, text, strlen(text));

	/* The first stays; the tree is good for further checks. */
	assert_non_null(root);
	assert_int_equal(node_count(root), 2);
	assert_string_equal(node_find(root, "a")->text, "1");
	assert_string_equal(node_find(node_find(root, "b"), "c")->text, "2");
	assert_int_equal(fixture->faults.count, 3);
	assert_string_equal(
	    fixture->faults.kept[0].words, "key given twice: \"c\", first at a.yaml:2:6");
	assert_int_equal(fixture->faults.kept[0].column, 12);
	assert_int_equal(fixture->faults.kept[1].column, 18);
	assert_string_equal(
	    fixture->faults.kept[2].words, "key given twice: \"a\", first at a.yaml:1:1");
	assert_int_equal(fixture->faults.kept[2].line, 3);
}

static char *
repeated(const char *text, size_t times)
{
	size_t length = strlen(text);
	char *all = malloc(length * times + 1);

	for (size_t i = 0; i < times; i++)
		memcpy(all + i * length, text, length);
	all[length * times] = '\0';
	return all;
}

static void
test_depth(void **state)
{
	struct fixture *fixture = *state;
	char text[2 * YAML_DEPTH + 10];

	for (size_t depth = YAML_DEPTH; depth <= YAML_DEPTH + 1; depth++) {
		memset(text, '[', depth);
		memset(text + depth, ']', depth);

		const struct node *root = read_bytes(fixture, text, 2 * depth);

		assert_true((root != NULL) == (depth == YAML_DEPTH));
		assert_int_equal(fixture->faults.count, depth - YAML_DEPTH);
	}
	assert_string_equal(fixture->faults.kept[0].words, "more than 32 levels deep");
	assert_int_equal(fixture->faults.kept[0].column, YAML_DEPTH + 1);

	/* What takes libyaml seconds is over at once. */
	char *brackets = repeated("[", 32000), *maps = repeated("{a: ", 32000);

	expect_fault(fixture, brackets, "1:33: more than 32 levels deep");
	expect_fault(fixture, maps, "1:129: more than 32 levels deep");
	free(brackets);
	free(maps);
}

static void
test_many_nodes(void **state)
{
	struct fixture *fixture = *state;
	char *text = repeated("- a\n", YAML_NODES); /* with the list one too many */

	assert_non_null(read_bytes(fixture, text, (YAML_NODES - 1) * 4));
	assert_null(read_bytes(fixture, text, YAML_NODES * 4));
	assert_string_equal(
	    fixture->faults.kept[0].words, "more than 1000000 texts, lists and maps in all");
	assert_int_equal(fixture->faults.kept[0].line, YAML_NODES);
	free(text);
}

static void
test_many_keys(void **state)
{
	enum { KEYS = 100000 };
	struct fixture *fixture = *state;
	char *text = malloc(KEYS * 16), *at = text;

	for (int i = 0; i < KEYS; i++)
		at += sprintf(at, "key%d: v\n", i);
	at += sprintf(at, "key77: w\n");

	const struct node *root = read_bytes(fixture, text, (size_t)(at - text));

	assert_int_equal(node_count(root), KEYS);
	assert_int_equal(fixture->faults.count, 1);
	assert_string_equal(
	    fixture->faults.kept[0].words, "key given twice: \"key77\", first at a.yaml:78:1");
	free(text);
}

static void
test_too_large(void **state)
{
	struct fixture *fixture = *state;
	char *text = malloc(YAML_BYTES + 1);

	memset(text, '\n', YAML_BYTES + 1);
	memcpy(text, "a: b", 4);
	assert_non_null(read_bytes(fixture, text, YAML_BYTES));
	assert_null(read_bytes(fixture, text, YAML_BYTES + 1));
	assert_string_equal(fixture->faults.kept[0].words, "larger than 16777216 bytes");
	free(text);
}

/* Cut anywhere, with any byte of it wrong: a tree or a fault, and never both absent. */
static void
test_cut_and_bent(void **state)
{
	static const char text[] =
	    "\xef\xbb\xbf# x\nhost: \"mx\\u00e4\"\nlist:\n  - {a: b, c: 'd'}\n"
	    "  - |\n   text\n  - >-\n   folded\nq: [x, \xc3\xa4]\n...\n";
	static const char bad[] = "\0\xff[]{}:-&*!|>'\"%@`\t\n#?, <$";
	struct fixture *fixture = *state;
	char copy[sizeof(text)];

	for (size_t i = 0; i < sizeof(text); i++) {
		const struct node *root = read_bytes(fixture, text, i);

		assert_true(root != NULL || fixture->faults.count > 0);
		for (size_t j = 0; j < sizeof(bad) && i < sizeof(text) - 1; j++) {
			memcpy(copy, text, sizeof(text));
			copy[i] = bad[j];
			root = read_bytes(fixture, copy, sizeof(text) - 1);
			assert_true(root != NULL || fixture->faults.count > 0);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_trees, setup, teardown),
		cmocka_unit_test_setup_teardown(test_texts_have_no_types, setup, teardown),
		cmocka_unit_test_setup_teardown(test_places, setup, teardown),
		cmocka_unit_test_setup_teardown(test_syntax, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_twins, setup, teardown),
		cmocka_unit_test_setup_teardown(test_depth, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_nodes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_keys, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_large, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cut_and_bent, setup, teardown),
	};

	return cmocka_run_group_tests_name("yaml", tests, NULL, NULL);
}
