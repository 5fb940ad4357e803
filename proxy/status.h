/*
 * status: the counters of all workers, for `postern status` and later for the web page.
 */
#pragma once

#include "lib/buf.h"
#include "proxy/generation.h"

void status_write(struct buf *out, const struct shared *shared, const struct generation *newest);
