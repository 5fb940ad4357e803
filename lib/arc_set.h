/*
 * arc_set: the ARC sets of a message, gathered and judged by their form.
 *
 * RFC 8617 4: each who passes a message on may add a set of three fields with the same number
 * (its instance, from 1): ARC-Authentication-Results, ARC-Message-Signature, ARC-Seal. A chain
 * is right in form if the numbers have no gap, no set lacks a field or has one twice, the seal
 * of the first says cv=none and those of all others cv=pass, and every signature that will be
 * verified can be one (lib/dkim_signature.h).
 *
 * Slices point into the header. Text of a field that could not be read is "".
 */
#pragma once

#include "lib/dkim_signature.h"
#include "lib/header.h"

enum { ARC_SETS_MOST = 50 };

enum arc_kind { ARC_RESULTS, ARC_MESSAGE, ARC_SEAL, ARC_KINDS };

struct arc_set {
	struct header_field field[ARC_KINDS]; /* whole.data NULL: it is not there */
	struct dkim_signature seal;
	const char *cv; /* of the seal: "none", "pass", "fail", or "" */
};

struct arc_sets {
	const char *why; /* NULL: right in form; else why not */
	size_t count; /* the greatest instance; 0: there is no ARC field, or none with a number */
	struct arc_set set[ARC_SETS_MOST]; /* by instance - 1 */
	struct dkim_signature message;     /* of the newest set */
};

/* NULL: there is no ARC field at all. In the arena. now: Unix time. */
struct arc_sets *arc_sets_read(struct arena *arena, struct slice header, double now);
