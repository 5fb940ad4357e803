/*
 * tally: how often something happened within a window of time, counted by all workers together.
 *
 * It lies in memory that they share, and nobody waits: a place of the table is a name (a keyed
 * hash of what is counted) and one word with two counts, that of the present window and that of
 * the one before, changed by compare-and-swap. The answer is the present count and as much of
 * the former one as the sliding window still covers of it; so it is right where things come
 * evenly, and at no time over by more than what the former window had.
 *
 * The table has TALLY_PLACES places, and each name TALLY_NEAR where it may lie. When these are
 * all in use, the one that would be forgotten first makes room: that name is counted from zero
 * again, and `evicted` counts it. Two workers that meet in the same moment on a new name may
 * lose a count. All is forgotten when the master ends.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "lib/slice.h"

enum { TALLY_PLACES = 1 << 17, TALLY_NEAR = 8, TALLY_MOST = (1 << 20) - 1 };

struct tally_place {
	atomic_uint_least64_t name;  /* 0: free */
	atomic_uint_least64_t count; /* number of the window, count before, count now */
	atomic_uint_least32_t until; /* when nothing of it counts any more */
};

struct tally {
	uint64_t key[2]; /* random */
	atomic_uint_least64_t evicted;
	struct tally_place places[TALLY_PLACES];
};

/* What is counted: kind of thing and whose; never 0. */
uint64_t tally_name(const struct tally *tally, struct slice kind, struct slice whose);

/* Counts one more; how many that makes. now: clock_seconds(); within: seconds, at least 1. At
 * most TALLY_MOST are told. */
unsigned tally_add(struct tally *tally, uint64_t name, double within, double now);

/* How many there are. */
unsigned tally_look(const struct tally *tally, uint64_t name, double within, double now);
