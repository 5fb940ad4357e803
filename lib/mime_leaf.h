/*
 * mime_leaf: the way of a leaf's content: transfer encoding, charset, paragraphs.
 *
 * A part of lib/mime, which see.
 */
#pragma once

#include "lib/charset.h"
#include "lib/decode.h"
#include "lib/flowed.h"
#include "lib/mime.h"

struct mime_leaf {
	const struct mime_sink *sink;
	struct part part;
	bool is_open;
	struct decode decode;
	struct charset charset;
	bool is_flowed;
	struct flowed flowed;
	uint64_t text_size;
	uint64_t faults; /* once it is ended */
};

/* part, sink, decode.encoding, is_flowed and flowed.is_delsp are set; the leaf begins. */
void mime_leaf_begin(struct mime_leaf *leaf);
void mime_leaf_feed(struct mime_leaf *leaf, struct slice bytes);
void mime_leaf_end(struct mime_leaf *leaf);

/* It is given up: what it holds is released. */
void mime_leaf_free(struct mime_leaf *leaf);
