/*
 * substitute: ${env:NAME} and ${file:PATH} in the texts of a configuration.
 *
 * So that passwords need not stand in it. A file's contents come without the newline at
 * their end, at most 64 KiB of them; a relative path starts where the file with the text
 * lies. What was put in is not looked at again. `$${` is a literal `${`. A text that
 * something was put into becomes `secret`.
 */
#pragma once

#include "lib/fault.h"
#include "lib/node.h"

enum { SUBSTITUTE_FILE = 64 * 1024, SUBSTITUTE_MAX = 1024 * 1024 }; /* bytes: one file; the whole */

/* For NODE_TEXT. False: a fault was added at the node, whose text is now empty. */
__attribute__((warn_unused_result)) bool
substitute_node(struct arena *arena, struct faults *faults, struct node *node);

bool substitute_is_needed(const char *text); /* whether there is any ${ */
