/*
 * yaml_tree: one text in YAML, as a tree, without includes and substitution.
 *
 * A part of lib/yaml, which see; nobody else needs it.
 */
#pragma once

#include "lib/fault.h"
#include "lib/node.h"

enum {
	YAML_BYTES = 16 * 1024 * 1024, /* one file */
	YAML_DEPTH = 32,
	YAML_NODES = 1000000, /* all files together */
	YAML_INCLUDES = 16,   /* deep */
	YAML_FILES = 1000,
};

struct yaml_reader {
	struct arena *arena; /* of the nodes */
	struct faults *faults;
	const char *data;
	size_t nodes, files;
	bool is_broken; /* the tree has holes */
};

/* The file's name must live as long as the nodes. depth: levels that there are above it. */
struct node *
yaml_tree(struct yaml_reader *reader, const char *file, struct slice bytes, size_t depth);

/* Report keys that come twice, and drop the later ones. */
void yaml_drop_twins(struct yaml_reader *reader, struct node *map);
