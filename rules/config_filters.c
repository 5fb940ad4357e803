/* The sections filters: and relay:, and the pipeline that comes of them. */
#include "rules/config_draft.h"

#include <assert.h>
#include <stdalign.h>

static const char *const mode_words[] = { "enforce", "shadow", NULL };

/* A filter's options are followed by its `mode:`, of which the filter knows nothing. */
static size_t
config_mode_offset(const struct filter *filter)
{
	size_t step = alignof(max_align_t);

	return (filter->options_size + step - 1) / step * step;
}

static size_t
config_rows(const struct filter *filter)
{
	size_t count = 0;

	while (filter->options != NULL && filter->options[count].key != NULL)
		count++;
	return count;
}

/* The filter's own rows, and mode. */
static const struct option *
config_filter_table(struct arena *arena, const struct filter *filter)
{
	size_t count = config_rows(filter);
	struct option *table = arena_alloc(arena, (count + 2) * sizeof(*table));

	if (count > 0)
		memcpy(table, filter->options, count * sizeof(*table));
	table[count] = (struct option) {
		.key = "mode",
		.kind = OPTION_CHOICE,
		.words = mode_words,
		.fallback = "enforce",
		.offset = config_mode_offset(filter),
		.help = "shadow: its facts are recorded, but decide nothing.",
	};
	return table;
}

static bool
config_is_relay(const struct filter *filter)
{
	return strcmp(filter->name, "relay") == 0;
}

static const char *
config_key(const struct filter *filter)
{
	return filter->section != NULL ? filter->section : filter->name;
}

const struct option *
config_filters_table(struct arena *arena)
{
	struct option *table = arena_alloc(arena, (PIPELINE_MOST + 1) * sizeof(*table));
	size_t count = 0;

	for (size_t i = 0; registry[i] != NULL; i++) {
		assert(i < PIPELINE_MOST);
		if (config_is_relay(registry[i]))
			continue;
		table[count++] = (struct option) {
			.key = config_key(registry[i]),
			.kind = OPTION_IS_MAYBE,
			.offset = i * sizeof(void *),
			.size = config_mode_offset(registry[i]) + sizeof(struct choice),
			.table = config_filter_table(arena, registry[i]),
			.help = registry[i]->summary,
		};
	}
	return table;
}

struct option
config_relay_row(void)
{
	const struct filter *filter = registry_find("relay");

	assert(filter != NULL && filter->options != NULL);
	return (struct option) {
		.key = "relay",
		.kind = OPTION_IS_MAYBE,
		.offset = offsetof(struct config_draft, relay),
		.size = filter->options_size,
		.table = filter->options,
		.help = filter->summary,
	};
}

/* What a filter runs with that the file does not name. */
static void *
config_defaults(struct option_reader *reader, const struct filter *filter)
{
	void *options =
	    arena_alloc(reader->arena, config_mode_offset(filter) + sizeof(struct choice));

	if (filter->options != NULL)
		option_read(reader, filter->options, NULL, options);
	return options;
}

/* The filter's section in the file, or NULL. */
static const struct node *
config_section(const struct config_draft *draft, const struct filter *filter)
{
	const struct node *root = draft->config.root;

	if (config_is_relay(filter))
		return node_find(root, config_key(filter));
	return node_find(node_find(root, "filters"), config_key(filter));
}

void
config_filters(struct option_reader *reader, struct config_draft *draft)
{
	struct pipeline *pipeline = &draft->config.pipeline;

	for (size_t i = 0; registry[i] != NULL; i++) {
		const struct filter *filter = registry[i];
		bool is_relay = config_is_relay(filter);
		void *options = is_relay ? draft->relay : draft->filters[i];
		bool is_shadow = false;

		if (options == NULL && !is_relay && !filter->is_always_on)
			continue;
		if (options == NULL)
			options = config_defaults(reader, filter);
		else if (!is_relay)
			is_shadow = ((const struct choice *)((const char *)options +
					 config_mode_offset(filter)))
					->value == 1;
		if (filter->complete != NULL)
			filter->complete(reader, config_section(draft, filter), options);
		pipeline->rows[pipeline->count++] =
		    (struct pipeline_row) { filter, options, is_shadow };
	}
}

const void *
config_option(const struct config *config, const char *filter, const char *key)
{
	const struct pipeline *pipeline = &config->pipeline;

	for (size_t i = 0; i < pipeline->count; i++) {
		const struct option *row = pipeline->rows[i].filter->options;

		if (strcmp(pipeline->rows[i].filter->name, filter) != 0)
			continue;
		for (; row != NULL && row->key != NULL; row++)
			if (strcmp(row->key, key) == 0)
				return (const char *)pipeline->rows[i].options + row->offset;
	}
	return NULL;
}

const void *
config_relay_field(const struct config *config, const char *key)
{
	return config_option(config, "relay", key);
}
