/*
 * list_options: the section of a filter that asks lists, as the configuration has it.
 */
#pragma once

#include <stdlib.h>

#include "filters/registry.h"
#include "tests/unit/play.h"

/* NULL: it has faults. */
static inline void *
options_read(
    const struct filter *filter, struct arena *arena, const char *yaml, struct faults *faults)
{
	const char *source = getenv("POSTERN_SOURCE");
	void *options = arena_alloc(arena, filter->options_size);
	struct option_reader reader = { .arena = arena, .faults = faults };

	faults_init(faults, arena);
	reader.data = arena_format(arena, "%s/rules", source != NULL ? source : ".");
	const struct node *map = yaml_read(arena, "/nowhere/t.yaml", slice_of(yaml), NULL, faults);

	option_read(&reader, filter->options, map, options);
	filter->complete(&reader, map, options);
	return faults->count == 0 ? options : NULL;
}

static inline void *
options_good(const struct filter *filter, struct arena *arena, const char *yaml)
{
	struct faults faults;
	void *options = options_read(filter, arena, yaml, &faults);

	if (options == NULL)
		faults_print(&faults, stderr);
	assert_non_null(options);
	return options;
}
