/*
 * needle: do some byte strings occur in a stream?
 *
 * All zero but patterns and count to begin with; each at most NEEDLE_MOST long. found has a bit
 * for each that has occurred. How the stream is cut changes nothing.
 */
#pragma once

#include "lib/slice.h"

enum { NEEDLE_MOST = 64 };

struct needle {
	const struct slice *patterns;
	size_t count;
	unsigned found;
	char tail[NEEDLE_MOST]; /* the last bytes */
	size_t tail_length;
};

void needle_feed(struct needle *needle, struct slice bytes);
