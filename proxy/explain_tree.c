#include "proxy/explain_tree.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "lib/json.h"

enum { TREE_MOST = 4 * 1024 * 1024, HEX_MOST = 2 * EVP_MAX_MD_SIZE + 1 };

struct explain_tree {
	struct mime_sink sink;
	struct buf json; /* an object for each, with commas between */
	EVP_MD_CTX *hash;
};

static void
explain_tree_undo(void *arg)
{
	struct explain_tree *tree = arg;

	EVP_MD_CTX_free(tree->hash);
	buf_free(&tree->json);
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
	char text[HEX_MOST];
	struct json json;

	if (part->is_raw)
		return;
	if (tree->json.length > 0)
		buf_append_byte(&tree->json, ',');
	json_init(&json, &tree->json);
	json_open_object(&json);
	json_text(json_key(&json, "path"), part->path);
	json_text(json_key(&json, "type"), part->type);
	json_text(json_key(&json, "charset"), explain_tree_or_null(part->charset));
	json_text(json_key(&json, "name"), explain_tree_or_null(part->name));
	json_text(json_key(&json, "encoding"), explain_tree_or_null(part->encoding));
	if (!part->is_container) {
		json_unsigned(json_key(&json, "size"), part->size);
		json_text(json_key(&json, "sha256"), explain_tree_hash(tree, text));
	}
	json_close_object(&json);
}

struct explain_tree *
explain_tree_new(struct scope *transaction)
{
	struct arena *arena = transaction->mail.arena;
	struct explain_tree *tree = arena_alloc(arena, sizeof(*tree));

	tree->sink = (struct mime_sink) { .part_begin = explain_tree_begin,
		.data = explain_tree_data,
		.part_end = explain_tree_end,
		.arg = tree };
	tree->hash = EVP_MD_CTX_new();
	if (tree->hash == NULL)
		abort();
	buf_init(&tree->json, TREE_MOST);
	arena_defer(arena, explain_tree_undo, tree);
	scope_watch(transaction, &tree->sink);
	return tree;
}

void
explain_tree_json(const struct explain_tree *tree, struct buf *out)
{
	buf_print(out, "\"parts\":[");
	if (tree != NULL)
		buf_append(out, buf_slice(&tree->json));
	buf_append_byte(out, ']');
}
