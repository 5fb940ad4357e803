/*
 * yaml: configuration files, read into a tree of nodes (lib/node.h).
 *
 * What a mail gateway's file needs of YAML 1.1, and loud refusals for the rest: no anchors
 * and aliases, no tags, no merge keys, no second document, no key twice, no keys but texts,
 * no NUL in texts, UTF-8 only. A file is at most 16 MiB, 32 levels deep; all files of one
 * reading together have at most 1,000,000 nodes.
 *
 * `include: FILE` or `include: [FILE, ...]` works wherever a value may stand:
 *
 *	include: limits.yaml              in a map: the file's keys become keys of that map
 *	policy:
 *	  - include: defaults/policy.yaml in a list: the file's items become items of that list
 *	backend: { include: b.yaml }      alone in a map: the file takes the map's place
 *
 * A relative name is looked for beside the file it stands in, then in the directory of data
 * as shipped. Included files include others, at most 16 deep, never in a circle. Keys that
 * come twice through includes are faults, too. Each node knows the file it came from.
 *
 * `${env:NAME}` and `${file:PATH}` in values: lib/substitute.h.
 *
 * What is wrong goes to the faults. NULL comes back if what was read has holes (a file that
 * cannot be read or understood): then there is no use in going on. Otherwise a tree, even
 * if there are faults: its user adds his own to them.
 */
#pragma once

#include "lib/fault.h"
#include "lib/node.h"

/* data: where relative names are also looked for; NULL: nowhere. */
const struct node *
yaml_read_file(struct arena *arena, const char *path, const char *data, struct faults *faults);

/* The same for bytes at hand. The name stands in faults; included files are beside it. */
const struct node *yaml_read(struct arena *arena, const char *name, struct slice bytes,
    const char *data, struct faults *faults);
