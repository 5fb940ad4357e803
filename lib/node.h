/*
 * node: one text, list or map of a YAML file, and where it stands.
 *
 * lib/yaml makes the nodes; all others read them. A node and its text live in the arena
 * that yaml_read() was given, and nothing changes them afterwards.
 *
 * YAML's types are left out on purpose: `no`, `1.2` and `0755` are texts. What a text means
 * is said by the option that it is for (lib/option.h). In a map the children are key,
 * value, key, value; a key is always a NODE_TEXT, and no key is there twice.
 */
#pragma once

#include "lib/slice.h"

enum node_kind { NODE_TEXT, NODE_LIST, NODE_MAP };

struct node {
	enum node_kind kind;
	bool quoted;           /* "x", 'x', | or >: not to be taken for an absent value */
	bool secret;           /* came from ${env:NAME} or ${file:PATH}: never print it */
	unsigned line, column; /* from 1; columns count characters */
	const char *file;      /* as named by whoever opened it; NULL: made, not read */
	const char *text;      /* NODE_TEXT only */
	struct node *child;    /* lists and maps: the first one */
	struct node *next;
};

/* The value of a key, or NULL; also when there is no map at all. */
const struct node *node_find(const struct node *map, const char *key);

/* Items of a list, pairs of a map. */
size_t node_count(const struct node *node);

/* `key:` with nothing behind it. */
bool node_is_empty(const struct node *node);
