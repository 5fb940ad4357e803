#include "lib/tally.h"

#include <assert.h>

#include "lib/hash.h"

enum { COUNT_BITS = 20, WINDOW_BITS = 24 };

/* ---- the word: window, count before, count now ---- */

struct counts {
	uint32_t window; /* its number, of which the last WINDOW_BITS bits are kept */
	uint32_t before, now;
};

static struct counts
counts_read(uint64_t word)
{
	return (struct counts) { (uint32_t)(word >> 2 * COUNT_BITS),
		(uint32_t)(word >> COUNT_BITS) & TALLY_MOST, (uint32_t)word & TALLY_MOST };
}

static uint64_t
counts_word(struct counts counts)
{
	return (uint64_t)counts.window << 2 * COUNT_BITS | (uint64_t)counts.before << COUNT_BITS |
	    counts.now;
}

static uint32_t
counts_window(double within, double now)
{
	assert(within >= 1);
	return (uint32_t)((uint64_t)(now / within) & ((1u << WINDOW_BITS) - 1));
}

/* The same as seen from a later window. */
static struct counts
counts_at(struct counts counts, uint32_t window)
{
	uint32_t passed = (window - counts.window) & ((1u << WINDOW_BITS) - 1);

	if (passed == 0)
		return counts;
	return (struct counts) { window, passed == 1 ? counts.now : 0, 0 };
}

/* Of the window before, what a sliding one still covers. */
static unsigned
counts_sum(struct counts counts, double within, double now)
{
	double part = now / within - (double)(uint64_t)(now / within);
	double sum = counts.now + counts.before * (1 - part);

	return sum < TALLY_MOST ? (unsigned)sum : TALLY_MOST;
}

/* ---- the table ---- */

uint64_t
tally_name(const struct tally *tally, struct slice kind, struct slice whose)
{
	uint64_t key[2] = { tally->key[0], hash_keyed(tally->key, kind) };
	uint64_t name = hash_keyed(key, whose);

	return name != 0 ? name : 1;
}

static size_t
tally_near(uint64_t name, size_t i)
{
	return (name + i) % TALLY_PLACES;
}

static const struct tally_place *
tally_find(const struct tally *tally, uint64_t name)
{
	for (size_t i = 0; i < TALLY_NEAR; i++) {
		const struct tally_place *place = &tally->places[tally_near(name, i)];

		if (atomic_load_explicit(&place->name, memory_order_relaxed) == name)
			return place;
	}
	return NULL;
}

/* A place for a new name: one that is over, or else the first that will be. */
static struct tally_place *
tally_take(struct tally *tally, uint64_t name, double now)
{
	struct tally_place *best = NULL;
	uint32_t earliest = UINT32_MAX;

	for (size_t i = 0; i < TALLY_NEAR; i++) {
		struct tally_place *place = &tally->places[tally_near(name, i)];
		uint32_t until = atomic_load_explicit(&place->until, memory_order_relaxed);

		if (best == NULL || until < earliest) {
			best = place;
			earliest = until;
		}
	}
	if (earliest > now)
		atomic_fetch_add(&tally->evicted, 1);
	atomic_store_explicit(&best->count, 0, memory_order_relaxed);
	atomic_store_explicit(&best->name, name, memory_order_relaxed);
	return best;
}

unsigned
tally_add(struct tally *tally, uint64_t name, double within, double now)
{
	struct tally_place *place = (struct tally_place *)tally_find(tally, name);
	uint32_t window = counts_window(within, now);
	struct counts counts;
	uint64_t word;

	if (place == NULL)
		place = tally_take(tally, name, now);
	word = atomic_load_explicit(&place->count, memory_order_relaxed);
	do {
		counts = counts_at(counts_read(word), window);
		counts.now += counts.now < TALLY_MOST;
	} while (!atomic_compare_exchange_weak_explicit(
	    &place->count, &word, counts_word(counts), memory_order_relaxed, memory_order_relaxed));
	double until = ((double)(uint64_t)(now / within) + 2) * within;

	atomic_store_explicit(&place->until, until < UINT32_MAX ? (uint32_t)until + 1 : UINT32_MAX,
	    memory_order_relaxed);
	return counts_sum(counts, within, now);
}

unsigned
tally_look(const struct tally *tally, uint64_t name, double within, double now)
{
	const struct tally_place *place = tally_find(tally, name);

	if (place == NULL)
		return 0;
	struct counts counts =
	    counts_read(atomic_load_explicit(&place->count, memory_order_relaxed));

	return counts_sum(counts_at(counts, counts_window(within, now)), within, now);
}
