/*
 * parts: the taps for the parts of a message, driven.
 *
 * A part of rules/pipeline: a transaction's scope has its message taken apart (lib/mime.h) once
 * for all filters, and only if one of them looks at parts, or if scope_watch() was called.
 */
#pragma once

#include "rules/pipeline.h"

/* Does any filter look at parts? */
bool parts_are_wanted(const struct pipeline *pipeline);

/* What the worker's filters will need, before it meets strangers. */
void parts_open(const struct pipeline *pipeline);

void parts_feed(struct scope *transaction, struct slice bytes);

/* The message is whole. Saying it again changes nothing. */
void parts_end(struct scope *transaction);
