#include "rules/config.h"

#include <stdlib.h>

#include "lib/yaml.h"
#include "rules/config_draft.h"

#ifndef POSTERN_DATADIR
#define POSTERN_DATADIR "/usr/share/postern"
#endif

/* Where the files lie that come with postern. */
static const char *
config_data(void)
{
	const char *own = secure_getenv("POSTERN_DATADIR");

	return own != NULL && *own != '\0' ? own : POSTERN_DATADIR;
}

/* For "belongs under limits:": the whole table is one tree, from the top. */
static struct option_reader
config_reader(struct arena *arena, struct faults *faults, const struct option *table)
{
	struct option_scope *scopes = arena_alloc(arena, 2 * sizeof(*scopes));

	scopes[0] = (struct option_scope) { .path = "", .table = table };
	return (struct option_reader) {
		.arena = arena, .faults = faults, .data = config_data(), .scopes = scopes
	};
}

/* NULL when there is any fault. */
static struct config *
config_make(struct option_reader *reader, const struct option *table, const char *file,
    const struct node *root, bool opens)
{
	struct config_draft *draft = arena_alloc(reader->arena, sizeof(*draft));

	draft->config.arena = reader->arena;
	draft->config.file = arena_strdup(reader->arena, file);
	draft->config.root = root;
	option_read(reader, table, root, draft);
	config_filters(reader, draft);
	config_unify(reader, draft);
	config_anchor_settle(&draft->config, opens);
	if (opens)
		config_contexts(reader, draft);
	return reader->faults->count == 0 ? &draft->config : NULL;
}

/* What cannot be read at all has been reported by lib/yaml. */
static bool
config_is_map(struct faults *faults, const struct node *root)
{
	if (root != NULL && root->kind != NODE_MAP)
		fault_add(
		    faults, root, "expected keys and values, such as hostname: mx.example.com");
	return root != NULL && root->kind == NODE_MAP;
}

/* The files of the tree, and those that are named in it by `file:`. */
static void
config_watch_tree(struct watch *watch, struct option_reader *reader, const struct node *node)
{
	const struct node *file = node_find(node, "file");

	if (node->file != NULL && (node->kind == NODE_MAP || node->kind == NODE_LIST))
		watch_add(watch, node->file);
	if (file != NULL && file->kind == NODE_TEXT)
		watch_add(watch, option_path(reader, file));
	for (const struct node *child = node->child; child != NULL; child = child->next)
		config_watch_tree(watch, reader, child);
}

/* The keys of filters: dkim: sign: */
static void
config_watch_keys(struct watch *watch, struct option_reader *reader, const struct node *sign)
{
	const struct node *item = sign != NULL && sign->kind == NODE_LIST ? sign->child : sign;

	for (; item != NULL; item = item->next) {
		const struct node *key = node_find(item, "key");

		if (key != NULL && key->kind == NODE_TEXT)
			watch_add(watch, option_path(reader, key));
	}
}

static void
config_watch(struct watch *watch, struct option_reader *reader, const struct config *config)
{
	const struct config_certificates *certificates = &config->tls.certificates;

	watch_add(watch, config->file);
	config_watch_tree(watch, reader, config->root);
	config_watch_keys(watch, reader,
	    node_find(node_find(node_find(config->root, "filters"), "dkim"), "sign"));
	for (size_t i = 0; i < certificates->count; i++) {
		watch_add(watch, certificates->item[i].cert);
		watch_add(watch, certificates->item[i].key);
	}
	if (config->tls.ca != NULL)
		watch_add(watch, config->tls.ca);
	if (config->dns.trust_anchor != NULL)
		watch_add(watch, config->dns.trust_anchor);
}

const struct config *
config_read(struct arena *arena, const char *file, struct faults *faults)
{
	const struct option *table = config_table(arena);
	struct option_reader reader = config_reader(arena, faults, table);

	watch_settle();
	struct watch *watch = watch_new(arena);
	const struct node *root = yaml_read_file(arena, file, reader.data, faults);
	struct config *config = NULL;

	reader.watch = watch;
	if (config_is_map(faults, root))
		config = config_make(&reader, table, file, root, true);
	if (config == NULL)
		return NULL;
	config_watch(watch, &reader, config);
	config->watched = watch;
	return config;
}

const struct config *
config_read_bytes(struct arena *arena, const char *name, struct slice bytes, struct faults *faults)
{
	const struct option *table = config_table(arena);
	struct option_reader reader = config_reader(arena, faults, table);
	struct watch *watch = watch_new(arena);
	const struct node *root = yaml_read(arena, name, bytes, reader.data, faults);
	struct config *config = NULL;

	if (config_is_map(faults, root))
		config = config_make(&reader, table, name, root, false);
	if (config != NULL)
		config->watched = watch;
	return config;
}

const char *
config_run_dir(struct arena *arena, const char *file, struct faults *faults)
{
	struct config_draft *draft = arena_alloc(arena, sizeof(*draft));
	struct option rows[2] = { { 0 } };
	struct option_reader reader = config_reader(arena, faults, rows);
	const struct node *root = yaml_read_file(arena, file, reader.data, faults);

	if (!config_is_map(faults, root))
		return NULL;
	for (const struct option *row = config_table(arena); row->key != NULL; row++)
		if (strcmp(row->key, "run_dir") == 0)
			rows[0] = *row;

	/* Other keys are nobody's business here. */
	const struct node *found = node_find(root, "run_dir");
	struct node value = found != NULL ? *found : *root, map = *root;
	struct node key = { .kind = NODE_TEXT, .text = "run_dir", .next = &value };

	value.next = NULL;
	map.child = found != NULL ? &key : NULL;
	option_read(&reader, rows, &map, draft);
	return faults->count == 0 ? draft->config.run_dir : NULL;
}

bool
config_has_changed(const struct config *config)
{
	return watch_has_changed(config->watched);
}

void
config_print(FILE *out, const struct config *config)
{
	struct arena *scratch = arena_new(SIZE_MAX);

	option_print_yaml(
	    out, config_table(scratch), (const struct config_draft *)config, config->root);
	arena_free(scratch);
}
