#include "lib/yaml.h"

#include <stdarg.h>
#include <stdint.h>

#include "lib/file.h"
#include "lib/substitute.h"
#include "lib/yaml_tree.h"

/* The files that are being read, innermost first. */
struct chain {
	const struct chain *outer;
	const char *directory;
	uint64_t device, inode;
	size_t level;
};

static struct node *yaml_expand(struct yaml_reader *, struct node *, const struct chain *, size_t);

static bool
chain_has(const struct chain *chain, const struct file *file)
{
	for (; chain != NULL; chain = chain->outer)
		if (chain->device == file->device && chain->inode == file->inode)
			return true;
	return false;
}

__attribute__((format(printf, 3, 4))) static struct node *
yaml_hole(struct yaml_reader *reader, const struct node *at, const char *format, ...)
{
	char words[256];
	va_list args;

	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	fault_add(reader->faults, at, "%s", words);
	reader->is_broken = true;
	return NULL;
}

/* NULL: the file cannot be read or understood. The chain gets what is known of the file. */
static struct node *
yaml_open(struct yaml_reader *reader, const struct node *name, struct chain *chain, size_t depth)
{
	const char *directory = chain->outer->directory;
	const char *path = file_find(reader->arena, directory, reader->data, name->text);
	struct arena *scratch = arena_new(SIZE_MAX);
	struct node *root = NULL;
	struct file file;

	if (!file_read(scratch, path, YAML_BYTES, &file)) {
		yaml_hole(reader, name, "cannot read \"%s\": %s", path, file.fault);
	} else if (chain_has(chain->outer, &file)) {
		yaml_hole(reader, name, "\"%s\" includes itself", path);
	} else {
		chain->directory = file_directory(reader->arena, path);
		chain->device = file.device;
		chain->inode = file.inode;
		root = yaml_tree(reader, path, file.bytes, depth);
	}
	arena_free(scratch);
	return root;
}

/* One file, whole and expanded. */
static struct node *
yaml_include(
    struct yaml_reader *reader, const struct node *name, const struct chain *outer, size_t depth)
{
	struct chain chain = { .outer = outer, .level = outer->level + 1 };

	if (outer->level == YAML_INCLUDES)
		return yaml_hole(reader, name, "included more than %d deep", YAML_INCLUDES);
	if (reader->files++ == YAML_FILES)
		return yaml_hole(reader, name, "more than %d files included", YAML_FILES);

	struct node *root = yaml_open(reader, name, &chain, depth);

	return root != NULL ? yaml_expand(reader, root, &chain, depth) : NULL;
}

/* What `include:` names, one node for each file, in a chain. */
static struct node *
yaml_include_all(
    struct yaml_reader *reader, struct node *names, const struct chain *chain, size_t depth)
{
	struct node *roots = NULL, **end = &roots;
	struct node *name = names->kind == NODE_LIST ? names->child : names;

	for (; name != NULL; name = names->kind == NODE_LIST ? name->next : NULL) {
		if (name->kind != NODE_TEXT || *name->text == '\0') {
			yaml_hole(
			    reader, name, "include: expected a file's name, or a list of them");
			continue;
		}
		if (!substitute_node(reader->arena, reader->faults, name)) {
			reader->is_broken = true;
			continue;
		}
		*end = yaml_include(reader, name, chain, depth);
		if (*end != NULL)
			end = &(*end)->next;
	}
	return roots;
}

static bool
yaml_is_include(const struct node *node)
{
	return node->kind == NODE_MAP && node->child != NULL && node->child->next->next == NULL &&
	    strcmp(node->child->text, "include") == 0;
}

/* Make the children of all roots one chain; a root that has none of the kind is kept or refused. */
static struct node *
yaml_join(struct yaml_reader *reader, struct node *roots, enum node_kind kind)
{
	struct node *joined = NULL, **end = &joined;

	for (struct node *root = roots, *next; root != NULL; root = next) {
		next = root->next;
		root->next = NULL;
		if (root->kind == kind)
			*end = root->child;
		else if (kind == NODE_LIST)
			*end = root;
		else
			yaml_hole(reader, root,
			    "included where keys are expected: this file must "
			    "be a map");
		while (*end != NULL)
			end = &(*end)->next;
	}
	return joined;
}

/* A map that has only the key include: the file, or all of them as one, in its place. */
static struct node *
yaml_replace(struct yaml_reader *reader, struct node *map, const struct chain *chain, size_t depth)
{
	struct node *roots = yaml_include_all(reader, map->child->next, chain, depth);

	map->child = NULL;
	if (roots == NULL)
		return map;
	if (roots->next == NULL)
		return roots;
	map->kind = roots->kind == NODE_MAP ? NODE_MAP : NODE_LIST;
	map->child = yaml_join(reader, roots, map->kind);
	if (map->kind == NODE_MAP)
		yaml_drop_twins(reader, map);
	return map;
}

static void
yaml_expand_list(
    struct yaml_reader *reader, struct node *list, const struct chain *chain, size_t depth)
{
	for (struct node **slot = &list->child; *slot != NULL;) {
		struct node *item = *slot, *next = item->next;

		item->next = NULL;
		if (yaml_is_include(item)) {
			struct node *names = item->child->next;
			struct node *roots = yaml_include_all(reader, names, chain, depth + 1);

			*slot = yaml_join(reader, roots, NODE_LIST);
		} else {
			*slot = yaml_expand(reader, item, chain, depth + 1);
		}
		while (*slot != NULL)
			slot = &(*slot)->next;
		*slot = next;
	}
}

static void
yaml_expand_map(
    struct yaml_reader *reader, struct node *map, const struct chain *chain, size_t depth)
{
	bool is_merged = false;

	for (struct node **slot = &map->child; *slot != NULL;) {
		struct node *key = *slot, *value = key->next, *next = value->next;

		value->next = NULL;
		if (strcmp(key->text, "include") == 0) {
			struct node *roots = yaml_include_all(reader, value, chain, depth);

			*slot = yaml_join(reader, roots, NODE_MAP);
			is_merged = true;
		} else {
			key->next = yaml_expand(reader, value, chain, depth + 1);
		}
		if (substitute_is_needed(key->text))
			fault_add(reader->faults, key, "a key cannot have ${ in it");
		while (*slot != NULL)
			slot = &(*slot)->next;
		*slot = next;
	}
	if (is_merged)
		yaml_drop_twins(reader, map);
}

/* Never NULL; what comes back takes the node's place, and has no next. */
static struct node *
yaml_expand(struct yaml_reader *reader, struct node *node, const struct chain *chain, size_t depth)
{
	if (yaml_is_include(node))
		return yaml_replace(reader, node, chain, depth);
	if (node->kind == NODE_TEXT && !substitute_node(reader->arena, reader->faults, node))
		reader->is_broken = true;
	else if (node->kind == NODE_LIST)
		yaml_expand_list(reader, node, chain, depth);
	else if (node->kind == NODE_MAP)
		yaml_expand_map(reader, node, chain, depth);
	return node;
}

static const struct node *
yaml_whole(struct yaml_reader *reader, const char *name, const struct file *file)
{
	const char *path = arena_strdup(reader->arena, name);
	struct chain chain = {
		.directory = file_directory(reader->arena, path),
		.device = file->device,
		.inode = file->inode,
	};
	struct node *root = yaml_tree(reader, path, file->bytes, 0);

	if (root != NULL)
		root = yaml_expand(reader, root, &chain, 0);
	return reader->is_broken ? NULL : root;
}

const struct node *
yaml_read(struct arena *arena, const char *name, struct slice bytes, const char *data,
    struct faults *faults)
{
	struct yaml_reader reader = { .arena = arena, .faults = faults, .data = data };

	return yaml_whole(&reader, name, &(struct file) { .bytes = bytes });
}

const struct node *
yaml_read_file(struct arena *arena, const char *path, const char *data, struct faults *faults)
{
	struct yaml_reader reader = { .arena = arena, .faults = faults, .data = data };
	struct arena *scratch = arena_new(SIZE_MAX);
	const struct node *root = NULL;
	struct file file;

	if (file_read(scratch, path, YAML_BYTES, &file))
		root = yaml_whole(&reader, path, &file);
	else
		fault_add_place(faults, path, 0, 0, "cannot be read: %s", file.fault);
	arena_free(scratch);
	return root;
}
