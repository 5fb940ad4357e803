#include "proxy/explain_tree.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdlib.h>

enum { TREE_MOST = 4 * 1024 * 1024, HEX_MOST = 2 * EVP_MAX_MD_SIZE + 1 };

struct explain_tree {
	struct mime_sink sink;
	struct buf text; /* the array of parts */
	struct json json;
	EVP_MD_CTX *hash;
	struct surbl_hosts hosts;
};

static void
explain_tree_undo(void *arg)
{
	struct explain_tree *tree = arg;

	EVP_MD_CTX_free(tree->hash);
	buf_free(&tree->text);
}

static void
explain_tree_begin(void *arg, const struct part *part)
{
	struct explain_tree *tree = arg;

	if (!part->is_raw && EVP_DigestInit_ex2(tree->hash, EVP_sha256(), NULL) != 1)
		abort();
}

static void
explain_tree_data(void *arg, const struct part *part, struct slice bytes)
{
	struct explain_tree *tree = arg;

	(void)part;
	EVP_DigestUpdate(tree->hash, bytes.data, bytes.length);
}

static void
explain_tree_uri(void *arg, const struct part *part, const struct uri *uri)
{
	struct explain_tree *tree = arg;

	if (!(uri->flags & URI_IS_MAIL))
		surbl_hosts_add(&tree->hosts, uri, part->path);
}

static const char *
explain_tree_hash(struct explain_tree *tree, char text[HEX_MOST])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned length = 0;

	if (EVP_DigestFinal_ex(tree->hash, digest, &length) != 1)
		abort();
	for (unsigned i = 0; i < length; i++) {
		text[2 * i] = digits[digest[i] >> 4];
		text[2 * i + 1] = digits[digest[i] & 15];
	}
	text[2 * length] = '\0';
	return text;
}

static const char *
explain_tree_or_null(const char *text)
{
	return text[0] != '\0' ? text : NULL;
}

static void
explain_tree_end(void *arg, const struct part *part)
{
	struct explain_tree *tree = arg;
	struct json *json = &tree->json;
	char text[HEX_MOST];

	if (part->is_raw)
		return;
	json_open_object(json);
	json_text(json_key(json, "path"), part->path);
	json_text(json_key(json, "type"), part->type);
	json_text(json_key(json, "charset"), explain_tree_or_null(part->charset));
	json_text(json_key(json, "name"), explain_tree_or_null(part->name));
	json_text(json_key(json, "encoding"), explain_tree_or_null(part->encoding));
	if (!part->is_container) {
		json_unsigned(json_key(json, "size"), part->size);
		json_text(json_key(json, "sha256"), explain_tree_hash(tree, text));
	}
	json_close_object(json);
}

struct explain_tree *
explain_tree_new(struct scope *transaction)
{
	static const struct surbl_sets no_sets = { 0 };
	struct arena *arena = transaction->mail.arena;
	struct explain_tree *tree = arena_alloc(arena, sizeof(*tree));

	tree->sink = (struct mime_sink) { .part_begin = explain_tree_begin,
		.data = explain_tree_data,
		.part_end = explain_tree_end,
		.arg = tree };
	tree->hash = EVP_MD_CTX_new();
	if (tree->hash == NULL)
		abort();
	buf_init(&tree->text, TREE_MOST);
	json_init(&tree->json, &tree->text);
	json_open_array(&tree->json);
	tree->hosts.arena = arena;
	tree->hosts.sets = &no_sets;
	arena_defer(arena, explain_tree_undo, tree);
	scope_watch(transaction, &tree->sink, explain_tree_uri);
	return tree;
}

void
explain_tree_put(struct json *json, struct explain_tree *tree)
{
	if (tree == NULL) {
		json_raw(json, slice_of("[]"));
		return;
	}
	json_close_array(&tree->json);
	assert(!tree->text.overflowed);
	json_raw(json, buf_slice(&tree->text));
}

const struct surbl_hosts *
explain_tree_hosts(const struct explain_tree *tree)
{
	return &tree->hosts;
}
