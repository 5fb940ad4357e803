/*
 * explain_tree: the parts of the message, for `postern explain --json`.
 *
 * A part of proxy/explain, which see. It watches the message being taken apart, whether or not a
 * filter looks at parts.
 */
#pragma once

#include "lib/buf.h"
#include "rules/pipeline.h"

struct explain_tree;

/* Before the first byte of the message. It ends with the scope. */
struct explain_tree *explain_tree_new(struct scope *transaction);

/* "parts":[{"path":"1","type":"text/plain","charset":null,"name":null,"size":5,"sha256":"..."}]
 * Containers have no size and no hash. tree may be NULL: an empty list. */
void explain_tree_json(const struct explain_tree *tree, struct buf *out);
