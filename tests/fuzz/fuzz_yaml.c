/*
 * Any bytes as a configuration file, read with an option table of every kind. What was read
 * without a fault is printed, and must be read again and printed the same.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "lib/option.h"
#include "lib/yaml.h"
#include "lib/yaml_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct item {
	const char *name;
	struct choice word;
	struct texts texts;
};

struct config {
	bool yes;
	uint32_t count;
	double number;
	struct seconds time;
	struct bytes size;
	struct item section;
	const struct item *maybe;
	struct {
		size_t count;
		const struct item *item;
	} list;
	char custom;
};

static const struct option item_options[] = {
	OPTION(item, name, .max = 100),
	OPTION(item, word, .fallback = "two",
	    .words = (const char *const[]) { "one", "two", "three", NULL }),
	OPTION(item, texts, .fallback = "[a, b]", .max = 50),
	{ 0 },
};

static bool
custom_read(struct option_reader *reader, const struct node *value, void *field)
{
	(void)reader;
	*(char *)field = 'x';
	return value->kind != NODE_TEXT || *value->text != '?';
}

static const struct option config_options[] = {
	OPTION(config, yes, .fallback = "yes"),
	OPTION(config, count, .fallback = "7", .min = 1, .max = 4000000000),
	OPTION(config, number, .fallback = "-1.5", .min = -100, .max = 100),
	OPTION(config, time, .fallback = "10m", .max = 864000),
	OPTION(config, size, .fallback = "25M"),
	OPTION_SECTION(config, section, item_options),
	OPTION_MAYBE(config, maybe, item, item_options),
	OPTION_LIST(config, list, item, item_options, .shorthand = "name"),
	OPTION_CUSTOM(config, custom, custom_read),
	{ 0 },
};

/* Files of this machine must not decide what is found: without a slash there are none. */
static const struct node *
read_tree(struct arena *arena, struct slice bytes, struct faults *faults)
{
	if (bytes.length > 0 && memchr(bytes.data, '/', bytes.length) != NULL)
		return NULL;
	return yaml_read(arena, "/nowhere/a.yaml", bytes, NULL, faults);
}

/* NULL: there were faults. */
static char *
read_and_print(struct slice bytes)
{
	const struct option_scope scopes[] = { { "", config_options }, { NULL, NULL } };
	struct arena *arena = arena_new(SIZE_MAX);
	struct config config = { .yes = false };
	struct faults faults;
	struct option_reader reader = { .arena = arena, .faults = &faults, .scopes = scopes };
	char *printed = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&printed, &length);

	faults_init(&faults, arena);

	const struct node *root = read_tree(arena, bytes, &faults);
	bool done = root != NULL && option_read(&reader, config_options, root, &config);

	if (root != NULL)
		yaml_write_block(to, root, 2);
	faults_print(&faults, to);
	fclose(to);
	free(printed);
	printed = NULL;
	assert(!done || faults.count > 0 || root != NULL);
	if (done && faults.count == 0) {
		to = open_memstream(&printed, &length);
		option_print_yaml(to, config_options, &config, root);
		fclose(to);
	}
	arena_free(arena);
	return printed;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *first = read_and_print((struct slice) { .data = (const char *)data, .length = size });

	if (first == NULL)
		return 0;
	if (strchr(first, '/') == NULL && strstr(first, "include") == NULL) {
		char *second = read_and_print(slice_of(first));

		assert(second != NULL && strcmp(first, second) == 0);
		free(second);
	}
	free(first);
	return 0;
}
