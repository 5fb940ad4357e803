/*
 * A whole configuration from bytes: it is read, and either there are faults, or it can be
 * printed, and what was printed is read as the same policy. No file is opened: relative names
 * lie in a directory that does not exist, and an input with an absolute one, or with a way out
 * of that directory, is passed over.
 */
#include <assert.h>
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>

#include "rules/config.h"

static const char name[] = "/nonexistent/t.yaml";

/* A slash that does not begin the length of a network; also as YAML might hide it. */
static bool
fuzz_names_files(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (data[i] == '/' && (i + 1 == size || !isdigit(data[i + 1])))
			return true;
		if (data[i] == '\\' || data[i] == '$' || data[i] == '%')
			return true;
	}
	return false;
}

static const struct config *
fuzz_read(struct arena *arena, struct slice bytes)
{
	struct faults faults;
	const struct config *config;

	faults_init(&faults, arena);
	config = config_read_bytes(arena, name, bytes, &faults);
	assert((config == NULL) == (faults.count > 0));
	if (config != NULL)
		config_warn(config, &faults);
	return config;
}

static void
fuzz_print(struct arena *arena, const struct config *config)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	config_print(to, config);
	fclose(to);

	const struct config *again =
	    fuzz_read(arena, (struct slice) { .data = text, .length = size });

	assert(again != NULL);
	assert(strcmp(config->policy.hash, again->policy.hash) == 0);
	assert(config->pipeline.count == again->pipeline.count);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(SIZE_MAX);

	setenv("POSTERN_DATADIR", "/nonexistent", 1);
	if (!fuzz_names_files(data, size)) {
		const struct config *config =
		    fuzz_read(arena, (struct slice) { .data = (const char *)data, .length = size });

		if (config != NULL)
			fuzz_print(arena, config);
	}
	arena_free(arena);
	return 0;
}
