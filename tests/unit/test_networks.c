/* lib/networks: lists in the configuration and in files beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/networks.h"
#include "lib/yaml.h"

struct target {
	struct networks list;
};

static const struct option rows[] = {
	OPTION_NETWORKS(target, list, .expected = "networks"),
	{ 0 },
};

struct reading {
	struct arena *arena;
	struct faults faults;
	struct target target;
	char *words;
	size_t size;
};

/* A configuration that lies in this test's directory, as t.yaml. */
static struct reading
read_list(const char *directory, const char *yaml)
{
	struct reading reading = { .arena = arena_new(SIZE_MAX) };
	struct option_reader reader = { .arena = reading.arena, .faults = &reading.faults };
	const char *name = arena_format(reading.arena, "%s/t.yaml", directory);
	const struct node *root;
	FILE *to;

	faults_init(&reading.faults, reading.arena);
	root = yaml_read(reading.arena, name, slice_of(yaml), NULL, &reading.faults);
	if (root != NULL)
		option_read(&reader, rows, root, &reading.target);
	to = open_memstream(&reading.words, &reading.size);
	faults_print(&reading.faults, to);
	fclose(to);
	return reading;
}

static void
reading_end(struct reading *reading)
{
	free(reading->words);
	arena_free(reading->arena);
}

static void
expect_where(const struct reading *reading, const char *address, const char *where)
{
	char place[64] = "";
	struct ip ip;

	assert_true(ip_read(&ip, slice_of(address)));
	if (where == NULL) {
		assert_false(networks_have(&reading->target.list, ip, place, sizeof(place)));
		assert_string_equal(place, "");
		return;
	}
	assert_true(networks_have(&reading->target.list, ip, place, sizeof(place)));
	assert_string_equal(place, where);
	assert_true(networks_have(&reading->target.list, ip, NULL, 0));
}

static void
write_file(const char *directory, const char *name, const char *bytes)
{
	char path[100];
	FILE *to;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	to = fopen(path, "w");
	assert_non_null(to);
	fputs(bytes, to);
	fclose(to);
}

static void
test_inline(void **state)
{
	struct reading reading = read_list(*state,
	    "list:\n"
	    "  - 10.0.0.0/8\n"
	    "  - 10.1.0.0/16\n"
	    "  - \"2001:db8::/32\"\n"
	    "  - 192.0.2.1-192.0.2.9\n");

	assert_int_equal(reading.faults.count, 0);
	expect_where(&reading, "10.2.3.4", "t.yaml:2");
	expect_where(&reading, "10.1.3.4", "t.yaml:3");
	expect_where(&reading, "2001:db8::1", "t.yaml:4");
	expect_where(&reading, "192.0.2.9", "t.yaml:5");
	expect_where(&reading, "192.0.2.10", NULL);
	expect_where(&reading, "::1", NULL);
	reading_end(&reading);
}

static void
test_empty(void **state)
{
	static const char *const texts[] = { "list: []\n", "{}\n", "list: [ file: empty.txt ]\n" };

	write_file(*state, "empty.txt", "# nobody\n\n");
	for (size_t i = 0; i < 3; i++) {
		struct reading reading = read_list(*state, texts[i]);

		assert_int_equal(reading.faults.count, 0);
		assert_null(reading.target.list.set);
		expect_where(&reading, "10.2.3.4", NULL);
		reading_end(&reading);
	}
}

static void
test_files(void **state)
{
	struct reading reading;

	write_file(*state, "a.txt", "# a\n192.0.2.1\n");
	write_file(*state, "b.txt", "\r\n198.51.100.0/24 ; b\r\n");
	reading = read_list(*state,
	    "list: [ 10.0.0.0/8, file: a.txt, 10.0.0.1,\n"
	    "  { file: b.txt } ]\n");
	assert_int_equal(reading.faults.count, 0);
	expect_where(&reading, "10.0.0.1", "t.yaml:1");
	expect_where(&reading, "192.0.2.1", "a.txt:2");
	expect_where(&reading, "198.51.100.7", "b.txt:2");
	reading_end(&reading);
	reading = read_list(*state, "list: { file: a.txt }\n");
	expect_where(&reading, "192.0.2.1", "a.txt:2");
	reading_end(&reading);
}

static void
test_wrong(void **state)
{
	static const char *const texts[] = { "list: [ 10.0.0.0/33 ]\n", "list: [ 10.0.0.1/8 ]\n",
		"list: x\n", "list:\n", "list: [ [] ]\n", "list: [ {} ]\n",
		"list: [ file: none ]\n", "list: [ file: ]\n", "list: [ { file: a, more: b } ]\n",
		"list: [ 10.0.0.1, ~, ]\n", "list: [ file: [ a ] ]\n",
		"list: [ \"10.0.0.1 # x\" ]\n" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct reading reading = read_list(*state, texts[i]);

		if (reading.faults.count != 1 || reading.faults.kept[0].line != 1)
			fail_msg("%s%s", texts[i], reading.words);
		reading_end(&reading);
	}
}

/* Bad lines of a file: each with its place, then their number. */
static void
test_wrong_file(void **state)
{
	char bytes[200] = "10.0.0.1\n";
	struct reading reading;

	for (size_t i = 0; i < 30; i++)
		strcat(bytes, "x\n");
	write_file(*state, "bad.txt", bytes);
	reading = read_list(*state, "list: [ file: bad.txt ]\n");
	assert_int_equal(reading.faults.count, IPSET_FAULTS_MOST + 1);
	assert_int_equal(reading.faults.kept[0].line, 2);
	assert_int_equal(reading.faults.kept[19].line, 21);
	assert_non_null(strstr(reading.faults.kept[0].file, "/bad.txt"));
	reading_end(&reading);
}

/* One list of more files than a set can tell apart. */
static void
test_too_many(void **state)
{
	char *yaml = NULL;
	size_t size;
	FILE *to = open_memstream(&yaml, &size);
	struct reading reading;

	write_file(*state, "a.txt", "192.0.2.1\n");
	fputs("list:\n", to);
	for (size_t i = 0; i <= IPSET_SOURCES_MOST; i++)
		fputs("  - file: a.txt\n", to);
	fclose(to);
	reading = read_list(*state, yaml);
	assert_int_equal(reading.faults.count, 1);
	assert_int_equal(reading.faults.kept[0].line, IPSET_SOURCES_MOST + 2);
	reading_end(&reading);
	free(yaml);
}

static int
directory_make(void **state)
{
	char name[] = "/tmp/test_networks.XXXXXX";

	*state = mkdtemp(name) != NULL ? strdup(name) : NULL;
	return *state == NULL;
}

static int
directory_remove(void **state)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -r %s", (char *)*state);
	free(*state);
	return system(command);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inline),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_wrong_file),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests_name("networks", tests, directory_make, directory_remove);
}
