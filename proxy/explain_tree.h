/*
 * explain_tree: the parts of the message, and the hosts in them, for `postern explain`.
 *
 * A part of proxy/explain, which see. It watches the message being taken apart, whether or not a
 * filter looks at parts.
 */
#pragma once

#include "filters/surbl.h"
#include "lib/json.h"
#include "rules/pipeline.h"

struct explain_tree;

/* Before the first byte of the message. It ends with the scope. */
struct explain_tree *explain_tree_new(struct scope *transaction);

/* [{"path":"1","type":"text/plain","charset":null,"name":null,"encoding":null,"size":5,
 * "sha256":"..."}]: containers have no size and no hash. Once, at the
 * end. tree may be NULL: an empty list. */
void explain_tree_put(struct json *json, struct explain_tree *tree);

/* Those in its text, as the filter surbl would find them; their registered domains are by the
 * public suffix list alone, and nobody is asked about them. */
const struct surbl_hosts *explain_tree_hosts(const struct explain_tree *tree);
