/* rules/config: the files that it names, how they are watched, and the shipped example. */
#include "tests/unit/config_text.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static char *
path_of(const char *directory, const char *name)
{
	char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", directory, name) > 0);
	return path;
}

/* Written long ago. */
static void
write_file(const char *directory, const char *name, const char *bytes)
{
	const struct timespec times[2] = { { .tv_sec = 1000000 }, { .tv_sec = 1000000 } };
	char *path = path_of(directory, name);
	FILE *to = fopen(path, "w");

	assert_non_null(to);
	fputs(bytes, to);
	fclose(to);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	free(path);
}

static struct config_text
read_file(const char *directory)
{
	struct config_text text = { .arena = arena_new(SIZE_MAX) };
	char *path = path_of(directory, "postern.yaml");

	faults_init(&text.faults, text.arena);
	text.config = config_read(text.arena, path, &text.faults);
	config_text_say(&text);
	free(path);
	return text;
}

static int
directory_make(void **state)
{
	char name[] = "/tmp/test_config.XXXXXX";

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

static void
test_changes(void **state)
{
	static const char *const names[] = { "postern.yaml", "more.yaml", "block.txt", "rules.yaml",
		"names.re" };
	static const char *const bytes[] = {
		"include: more.yaml\nhostname: a.b\nlisten: { address: \"*:25\", tls: off }\n"
		"backend: { servers: c.d, tls: off }\npolicy: [ include: rules.yaml ]\n",
		"filters: { ip_list: { block: [ file: block.txt ] }, ptr: { generic: [ file: "
		"names.re ] } }\n",
		"192.0.2.1\n", "- { name: a, when: { ip_list: block }, do: reject }\n", "^dyn\n"
	};

	for (size_t i = 0; i < 5; i++)
		write_file(*state, names[i], bytes[i]);
	for (size_t i = 0; i < 5; i++) {
		struct config_text text = read_file(*state);
		char *longer = NULL;

		if (text.config == NULL)
			fail_msg("%s", text.words);
		assert_false(config_has_changed(text.config));
		assert_true(asprintf(&longer, "%s# more\n", bytes[i]) > 0);
		write_file(*state, names[i], longer);
		assert_true(config_has_changed(text.config));
		free(longer);
		write_file(*state, names[i], bytes[i]);
		assert_false(config_has_changed(text.config));
		config_text_end(&text);
	}

	/* Replaced by another file of the same size and date; gone. */
	struct config_text text = read_file(*state);
	char *from = path_of(*state, "new"), *to = path_of(*state, "block.txt");

	write_file(*state, "new", "192.0.2.2\n");
	assert_int_equal(rename(from, to), 0);
	assert_true(config_has_changed(text.config));
	config_text_end(&text);
	text = read_file(*state);
	assert_int_equal(unlink(to), 0);
	assert_true(config_has_changed(text.config));
	config_text_end(&text);
	free(from);
	free(to);
}

static void
test_files_wrong(void **state)
{
	char *expected = NULL;
	struct config_text text;

	write_file(*state, "postern.yaml",
	    "hostname: a.b\nlisten: { address: \"*:25\", tls: starttls }\n"
	    "tls: { certificates: [ { cert: none.pem, key: none.key } ], ca: none.ca }\n"
	    "backend: { servers: c.d, tls: verify }\n"
	    "dns: { trust_anchor: none.anchor }\n"
	    "filters: { ip_list: { block: [ file: bad.txt ], allow: [ file: none.txt ] } }\n");
	write_file(*state, "bad.txt", "192.0.2.1\nx\n\n192.0.2.1/33\n");
	text = read_file(*state);
	assert_null(text.config);
	assert_int_equal(text.faults.count, 6);
	assert_true(asprintf(&expected, "%s/bad.txt:2:1: ", (char *)*state) > 0);
	assert_ptr_equal(strstr(text.words, expected), text.words);
	free(expected);
	assert_true(asprintf(&expected, "%s/bad.txt:4:1: ", (char *)*state) > 0);
	assert_non_null(strstr(text.words, expected));
	free(expected);
	assert_non_null(strstr(text.words, "postern.yaml:6:64: cannot read"));
	assert_non_null(strstr(text.words, "postern.yaml:3:24: "));
	assert_non_null(strstr(text.words, "postern.yaml:3:65: "));
	assert_non_null(strstr(text.words, "postern.yaml:5:22: cannot read"));
	config_text_end(&text);

	char *missing = path_of(*state, "missing");

	text = read_file(missing);
	assert_null(text.config);
	assert_int_equal(text.faults.count, 1);
	config_text_end(&text);
	free(missing);
}

static void
test_run_dir(void **state)
{
	struct config_text text = { .arena = arena_new(SIZE_MAX) };
	char *file = path_of(*state, "postern.yaml"), *here = path_of(*state, "run");

	faults_init(&text.faults, text.arena);
	write_file(*state, "postern.yaml", "run_dir: run\nnonsense: yes\n");
	assert_string_equal(config_run_dir(text.arena, file, &text.faults), here);
	write_file(*state, "postern.yaml", "hostname: a.b\n");
	assert_non_null(config_run_dir(text.arena, file, &text.faults));
	assert_int_equal(text.faults.count, 0);
	write_file(*state, "postern.yaml", "run_dir: [ a ]\n");
	assert_null(config_run_dir(text.arena, file, &text.faults));
	assert_int_equal(text.faults.count, 1);
	free(file);
	free(here);
	config_text_end(&text);
}

/* What is commented out in it is tried by tests/e2e/test_docs.py. */
static void
test_example(void **state)
{
	(void)state;
	const char *source = getenv("POSTERN_SOURCE");
	char *path = path_of(source != NULL ? source : ".", "packaging/postern.yaml");
	char *data = path_of(source != NULL ? source : ".", "rules");
	struct config_text text = { .arena = arena_new(SIZE_MAX) };

	setenv("POSTERN_DATADIR", data, 1);
	faults_init(&text.faults, text.arena);
	text.config = config_read(text.arena, path, &text.faults);
	config_warn(text.config, &text.faults);
	config_text_say(&text);
	if (text.config == NULL || text.faults.count > 0)
		fail_msg("%s", text.words);
	assert_true(text.config->policy.rules[0].name != NULL);
	config_text_end(&text);
	free(path);
	free(data);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_changes, directory_make, directory_remove),
		cmocka_unit_test_setup_teardown(test_files_wrong, directory_make, directory_remove),
		cmocka_unit_test_setup_teardown(test_run_dir, directory_make, directory_remove),
		cmocka_unit_test_setup_teardown(test_example, directory_make, directory_remove),
	};

	return cmocka_run_group_tests_name("config_files", tests, NULL, NULL);
}
