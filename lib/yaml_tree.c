#include "lib/yaml_tree.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <yaml.h>

struct tree {
	struct yaml_reader *reader;
	const char *file;
	struct slice bytes;
	struct node *root;
	struct node **slot[YAML_DEPTH + 1]; /* where the next node of each level goes */
	struct node *open[YAML_DEPTH + 1];  /* the list or map that a level is inside of */
	size_t depth, documents;
	bool is_bad;
};

__attribute__((format(printf, 3, 4))) static void
tree_fault(struct tree *tree, const yaml_mark_t *at, const char *format, ...)
{
	char words[256];
	va_list args;

	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	fault_add_place(tree->reader->faults, tree->file, (unsigned)at->line + 1,
	    (unsigned)at->column + 1, "%s", words);
	tree->is_bad = true;
}

/* libyaml has no line for bytes that are no text, only how many bytes came before. */
static yaml_mark_t
tree_mark(const struct tree *tree, size_t offset)
{
	yaml_mark_t mark = { .line = 0 };
	const char *bytes = tree->bytes.data;

	for (size_t i = 0; i < offset && i < tree->bytes.length; i++) {
		bool has_next = i + 1 < tree->bytes.length;

		if (bytes[i] == '\n' || (bytes[i] == '\r' && has_next && bytes[i + 1] != '\n')) {
			mark.line++;
			mark.column = 0;
		} else if (((unsigned char)bytes[i] & 0xc0) != 0x80) {
			mark.column++;
		}
	}
	return mark;
}

static void
tree_syntax(struct tree *tree, const yaml_parser_t *parser)
{
	const yaml_mark_t *outer = &parser->context_mark;

	assert(parser->error != YAML_MEMORY_ERROR);
	if (parser->error == YAML_READER_ERROR) {
		yaml_mark_t mark = tree_mark(tree, parser->problem_offset);
		char byte[16] = "";

		if (parser->problem_value >= 0)
			snprintf(byte, sizeof(byte), ": 0x%02X", (unsigned)parser->problem_value);
		tree_fault(tree, &mark, "%s%s", parser->problem, byte);
	} else if (parser->context != NULL) {
		tree_fault(tree, &parser->problem_mark, "%s, %s that begins at %zu:%zu",
		    parser->problem, parser->context, outer->line + 1, outer->column + 1);
	} else {
		tree_fault(tree, &parser->problem_mark, "%s", parser->problem);
	}
}

static struct node *
tree_add(struct tree *tree, const yaml_event_t *event, enum node_kind kind)
{
	const yaml_mark_t *at = &event->start_mark;
	struct node *node = arena_alloc(tree->reader->arena, sizeof(*node));

	*node = (struct node) {
		.kind = kind,
		.file = tree->file,
		.line = (unsigned)at->line + 1,
		.column = (unsigned)at->column + 1,
	};
	if (tree->reader->nodes++ == YAML_NODES)
		tree_fault(tree, at, "more than %d texts, lists and maps in all", YAML_NODES);
	*tree->slot[tree->depth] = node;
	tree->slot[tree->depth] = &node->next;
	return node;
}

static void
tree_open(struct tree *tree, const yaml_event_t *event, enum node_kind kind)
{
	struct node *node = tree_add(tree, event, kind);

	if (tree->depth == YAML_DEPTH) {
		tree_fault(tree, &event->start_mark, "more than %d levels deep", YAML_DEPTH);
		return;
	}
	tree->depth++;
	tree->slot[tree->depth] = &node->child;
	tree->open[tree->depth] = node;
}

static void
tree_text(struct tree *tree, const yaml_event_t *event)
{
	const char *value = (const char *)event->data.scalar.value;
	struct slice text = { .data = value, .length = event->data.scalar.length };

	if (memchr(value, '\0', text.length) != NULL) {
		tree_fault(tree, &event->start_mark, "a NUL in a text");
		return;
	}
	struct node *node = tree_add(tree, event, NODE_TEXT);

	node->text = arena_copy(tree->reader->arena, text);
	node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
}

/* Whether a key can stay. */
static bool
tree_key_is_good(struct tree *tree, const struct node *key)
{
	struct faults *faults = tree->reader->faults;

	if (key->kind != NODE_TEXT)
		fault_add(faults, key, "a key must be a text");
	else if (!key->quoted && strcmp(key->text, "<<") == 0)
		fault_add(faults, key, "merge keys are not supported, use include:");
	else
		return true;
	tree->reader->is_broken = true;
	return false;
}

static void
tree_close_map(struct tree *tree, struct node *map)
{
	struct node **slot = &map->child;

	while (*slot != NULL) {
		struct node *key = *slot;

		if (tree_key_is_good(tree, key))
			slot = &key->next->next;
		else
			*slot = key->next->next;
	}
	yaml_drop_twins(tree->reader, map);
}

static void
tree_close(struct tree *tree)
{
	struct node *node = tree->open[tree->depth--];

	if (node->kind == NODE_MAP)
		tree_close_map(tree, node);
}

/* Anchors and tags, wherever they may stand. */
static bool
tree_is_plain(struct tree *tree, const yaml_event_t *event)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;

	if (event->type == YAML_SCALAR_EVENT) {
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
	} else if (event->type == YAML_SEQUENCE_START_EVENT) {
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
	} else if (event->type == YAML_MAPPING_START_EVENT) {
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
	}
	if (anchor != NULL)
		tree_fault(tree, &event->start_mark,
		    "anchors are not supported (&%.40s), use include:, or quote the text", anchor);
	else if (tag != NULL)
		tree_fault(tree, &event->start_mark,
		    "tags are not supported (%.40s): write the value alone, or quote the text",
		    tag);
	return !tree->is_bad;
}

static void
tree_event(struct tree *tree, const yaml_event_t *event)
{
	if (!tree_is_plain(tree, event))
		return;
	if (event->type == YAML_DOCUMENT_START_EVENT && tree->documents++ > 0)
		tree_fault(tree, &event->start_mark, "a second document: a file has only one");
	else if (event->type == YAML_ALIAS_EVENT)
		tree_fault(tree, &event->start_mark,
		    "aliases are not supported (*%.40s), use include:, or quote the text",
		    event->data.alias.anchor);
	else if (event->type == YAML_SCALAR_EVENT)
		tree_text(tree, event);
	else if (event->type == YAML_SEQUENCE_START_EVENT)
		tree_open(tree, event, NODE_LIST);
	else if (event->type == YAML_MAPPING_START_EVENT)
		tree_open(tree, event, NODE_MAP);
	else if (event->type == YAML_SEQUENCE_END_EVENT || event->type == YAML_MAPPING_END_EVENT)
		tree_close(tree);
}

static void
tree_parse(struct tree *tree)
{
	yaml_parser_t parser;
	yaml_event_t event;
	bool is_ended = false;

	if (yaml_parser_initialize(&parser) == 0)
		abort();
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(
	    &parser, (const unsigned char *)tree->bytes.data, tree->bytes.length);
	while (!is_ended && !tree->is_bad) {
		if (yaml_parser_parse(&parser, &event) == 0) {
			tree_syntax(tree, &parser);
			break;
		}
		tree_event(tree, &event);
		is_ended = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
}

/* With the mark left in, columns of the first line would be one too high. */
static struct slice
tree_after_mark(struct slice bytes)
{
	if (bytes.length >= 3 && memcmp(bytes.data, "\xef\xbb\xbf", 3) == 0)
		return (struct slice) { .data = bytes.data + 3, .length = bytes.length - 3 };
	return bytes;
}

struct node *
yaml_tree(struct yaml_reader *reader, const char *file, struct slice bytes, size_t depth)
{
	struct tree tree = { .reader = reader, .file = file, .depth = depth };

	tree.bytes = tree_after_mark(bytes);
	tree.slot[depth] = &tree.root;
	if (bytes.length > YAML_BYTES)
		fault_add_place(reader->faults, file, 0, 0, "larger than %d bytes", YAML_BYTES);
	else
		tree_parse(&tree);
	if (!tree.is_bad && bytes.length <= YAML_BYTES && tree.root != NULL)
		return tree.root;
	if (!tree.is_bad && bytes.length <= YAML_BYTES)
		fault_add_place(reader->faults, file, 0, 0, "there is nothing in this file");
	reader->is_broken = true;
	return NULL;
}

static size_t
tree_hash(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3;
	return (size_t)(hash ^ hash >> 32);
}

/* The key of the same text that is in the table already; else NULL, and now it is in. */
static const struct node *
tree_twin(const struct node **table, size_t size, const struct node *key)
{
	size_t at = tree_hash(key->text) & (size - 1);

	while (table[at] != NULL) {
		if (strcmp(table[at]->text, key->text) == 0)
			return table[at];
		at = (at + 1) & (size - 1);
	}
	table[at] = key;
	return NULL;
}

void
yaml_drop_twins(struct yaml_reader *reader, struct node *map)
{
	struct arena *scratch = arena_new(SIZE_MAX);
	size_t size = 8;

	while (size < 2 * node_count(map))
		size *= 2;

	const struct node **table = arena_alloc(scratch, size * sizeof(const struct node *));
	struct node **slot = &map->child;

	while (*slot != NULL) {
		struct node *key = *slot;
		const struct node *first = tree_twin(table, size, key);

		if (first == NULL) {
			slot = &key->next->next;
			continue;
		}
		fault_add(reader->faults, key, "key given twice: \"%.60s\", first at %s:%u:%u",
		    key->text, first->file, first->line, first->column);
		*slot = key->next->next;
	}
	arena_free(scratch);
}
