#include "lib/option.h"

#include <assert.h>

#include "lib/file.h"
#include "lib/nearest.h"
#include "lib/option_table.h"
#include "lib/option_value.h"
#include "lib/yaml.h"

static const struct option *
option_find(const struct option *table, const char *key)
{
	for (const struct option *row = table; row->key != NULL; row++)
		if (strcmp(row->key, key) == 0)
			return row;
	return NULL;
}

void
option_impossible(struct option_reader *reader, const struct node *value, const char *expected)
{
	static const char *const kinds[] = { "(secret)", "(a list)", "(a map)" };

	if (node_is_empty(value))
		fault_add(reader->faults, value, "there is no value: expected %s", expected);
	else if (value->kind != NODE_TEXT || value->secret)
		fault_add(reader->faults, value, "impossible value %s: expected %s",
		    kinds[value->kind], expected);
	else
		fault_add(reader->faults, value, "impossible value \"%.60s\": expected %s",
		    value->text, expected);
}

/* The same with what the row says, and the word that was probably meant. */
static void
option_refuse(struct option_reader *reader, const struct option *row, const struct node *value)
{
	char words[400] = "";
	FILE *to = fmemopen(words, sizeof(words), "w");
	const char *meant = NULL;

	assert(to != NULL);
	if (row->kind == OPTION_CHOICE && value->kind == NODE_TEXT && !value->secret)
		meant = nearest_of(value->text, row->words);
	option_value_expected(to, row);
	if (meant != NULL)
		fprintf(to, "; did you mean %s", meant);
	fclose(to);
	option_impossible(reader, value, words);
}

const char *
option_path(struct option_reader *reader, const struct node *text)
{
	const char *file = text->file != NULL ? text->file : "";

	return file_find(
	    reader->arena, file_directory(reader->arena, file), reader->data, text->text);
}

static const char *
option_text(struct option_reader *reader, const struct option *row, const struct node *value)
{
	return row->path ? option_path(reader, value) : arena_strdup(reader->arena, value->text);
}

static bool
option_read_texts(struct option_reader *reader, const struct option *row, const struct node *value,
    struct texts *texts)
{
	const struct node *item = value->kind == NODE_LIST ? value->child : value;
	size_t count = value->kind == NODE_LIST ? node_count(value) : 1;

	if (value->kind == NODE_MAP || node_is_empty(value) || !option_value_allows(row, count))
		return false;
	texts->item = arena_alloc(reader->arena, count * sizeof(*texts->item));
	for (texts->count = 0; texts->count < count; item = item->next) {
		if (item->kind != NODE_TEXT || node_is_empty(item)) {
			option_impossible(reader, item, "a text");
			texts->item[texts->count++] = "";
			continue;
		}
		texts->item[texts->count++] = option_text(reader, row, item);
	}
	return true;
}

static bool
option_read_single(
    struct option_reader *reader, const struct option *row, const struct node *value, void *field)
{
	if (value->kind != NODE_TEXT || node_is_empty(value))
		return false;
	if (!option_value_read(row, value->text, field))
		return false;
	if (row->kind == OPTION_TEXT)
		*(const char **)field = option_text(reader, row, value);
	return true;
}

/* `spf:` with nothing behind it is a map of defaults. */
static bool
option_read_section(
    struct option_reader *reader, const struct option *row, const struct node *value, void *target)
{
	const struct node *outer = reader->at;

	if (value->kind != NODE_MAP && !node_is_empty(value))
		return false;
	reader->at = value;
	option_read(reader, row->table, value->kind == NODE_MAP ? value : NULL, target);
	reader->at = outer;
	return true;
}

static bool
option_read_maybe(
    struct option_reader *reader, const struct option *row, const struct node *value, void **field)
{
	*field = arena_alloc(reader->arena, row->size);
	return option_read_section(reader, row, value, *field);
}

const struct node *
option_item(const struct option *row, const struct node *item, struct node space[3])
{
	if (item->kind == NODE_MAP || row->shorthand == NULL)
		return item;
	space[0] = *item;
	space[0].kind = NODE_MAP;
	space[0].next = NULL;
	space[0].child = &space[1];
	space[1] = *item;
	space[1].kind = NODE_TEXT;
	space[1].text = row->shorthand;
	space[1].next = &space[2];
	space[2] = *item;
	space[2].next = NULL;
	return space;
}

static bool
option_read_list(struct option_reader *reader, const struct option *row, const struct node *value,
    struct option_items *items)
{
	const struct node *item = value->kind == NODE_LIST ? value->child : value;
	size_t count = value->kind == NODE_LIST ? node_count(value) : 1;

	if (value->kind == NODE_TEXT && (node_is_empty(value) || row->shorthand == NULL))
		return false;
	if (!option_value_allows(row, count))
		return false;

	char *target = arena_alloc(reader->arena, count * row->size);

	*items = (struct option_items) { .count = count, .item = target };
	for (; item != NULL; item = value->kind == NODE_LIST ? item->next : NULL) {
		struct node *space = arena_alloc(reader->arena, 3 * sizeof(*space));
		const struct node *map = option_item(row, item, space);

		if (map->kind != NODE_MAP || !option_read_section(reader, row, map, target))
			option_impossible(reader, item, "a map");
		target += row->size;
	}
	return true;
}

/* False if the function has not yet said what it does not like. */
static bool
option_read_custom(
    struct option_reader *reader, const struct option *row, const struct node *value, void *field)
{
	size_t before = reader->faults->count;

	return row->read(reader, value, field) || reader->faults->count > before;
}

/* False: the value is impossible, and nobody has said so yet. */
static bool
option_read_value(
    struct option_reader *reader, const struct option *row, const struct node *value, void *field)
{
	if (row->kind == OPTION_IS_SECTION)
		return option_read_section(reader, row, value, field);
	if (row->kind == OPTION_IS_MAYBE)
		return option_read_maybe(reader, row, value, field);
	if (row->kind == OPTION_IS_LIST)
		return option_read_list(reader, row, value, field);
	if (row->kind == OPTION_IS_CUSTOM)
		return option_read_custom(reader, row, value, field);
	if (row->kind == OPTION_TEXTS)
		return option_read_texts(reader, row, value, field);
	return option_read_single(reader, row, value, field);
}

/* A file that would lie in the base directory, so that relative paths start there. */
static const struct node *
option_fallback_node(struct option_reader *reader, const struct option *row)
{
	const char *base = reader->base != NULL ? reader->base : ".";
	const char *file = arena_format(reader->arena, "%s/(fallback of %s)", base, row->key);
	struct node *node;

	if (row->kind >= OPTION_TEXTS)
		return yaml_read(
		    reader->arena, file, slice_of(row->fallback), reader->data, reader->faults);
	node = arena_alloc(reader->arena, sizeof(*node));
	*node = (struct node) { .quoted = true, .file = file, .text = row->fallback };
	return node;
}

static void
option_fall_back(struct option_reader *reader, const struct option *row, void *field)
{
	size_t before = reader->faults->count;

	if (row->kind == OPTION_IS_SECTION)
		option_read(reader, row->table, NULL, field);
	if (row->fallback == NULL)
		return;

	const struct node *node = option_fallback_node(reader, row);

	assert(node != NULL && reader->faults->count == before);

	bool done = option_read_value(reader, row, node, field);

	assert(done);
	assert(reader->faults->count == before || row->kind == OPTION_IS_CUSTOM);
}

static void
option_ask_required(
    struct option_reader *reader, const struct option *table, const struct node *map)
{
	for (const struct option *row = table; row->key != NULL; row++)
		if (row->required && node_find(map, row->key) == NULL)
			fault_add(reader->faults, reader->at, "key missing: %s", row->key);
}

bool
option_read(
    struct option_reader *reader, const struct option *table, const struct node *map, void *target)
{
	size_t before = reader->faults->count;
	const struct node *outer = reader->at;

	if (map != NULL && map->kind != NODE_MAP) {
		option_impossible(reader, map, "a map");
		return false;
	}
	if (map != NULL)
		reader->at = map;
	option_ask_required(reader, table, map);
	for (const struct option *row = table; row->key != NULL; row++)
		if (row->kind < OPTION_IS_SECTION || node_find(map, row->key) == NULL)
			option_fall_back(reader, row, (char *)target + row->offset);
	for (const struct node *key = map != NULL ? map->child : NULL; key != NULL;
	     key = key->next->next) {
		const struct option *row = option_find(table, key->text);

		if (row == NULL)
			option_unknown(reader, table, key);
		else if (!option_read_value(reader, row, key->next, (char *)target + row->offset))
			option_refuse(reader, row, key->next);
	}
	reader->at = outer;
	return reader->faults->count == before;
}
