#include "lib/ipset.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/ipset_build.h"

enum {
	IPSET_WAYS = 8,
	IPSET_LEVELS_MOST = 11,                 /* for all that 32 bits can count */
	IPSET_BUCKETS = 65536,                  /* by the upper half of an IPv4 address */
	IPSET_BUCKETS_FROM = 2 * IPSET_BUCKETS, /* pieces; fewer are searched without buckets */
};

/*
 * The block begins with this; what follows are arrays, found by their offsets in bytes.
 *
 * IPv4, few pieces: uint32_t begins[count], uint32_t tags[count].
 *
 * IPv4, many: uint16_t begins[count] holds only the lower halves, and uint32_t
 * buckets[65537] tells which of them have the same upper half. 12 bytes for two pieces instead
 * of 16, and the search sees one or two lines of the cache. The buckets are worth their space
 * from 65536 entries on: then they are 4 bytes for each.
 *
 * IPv6: the upper halves, uint64_t high[count], and struct ipset_rest rests[count]. Above
 * high[], which is level 0, stand further levels, each with every eighth of the one below, up to
 * one of eight or fewer: the search sees one line of the cache on each.
 */
struct ipset {
	uint64_t size;
	uint64_t entries;
	uint64_t names; /* uint64_t[sources]: offsets of strings */
	struct {
		uint64_t count, begins, buckets, tags;
	} four;
	struct {
		uint64_t count, rests;
		uint64_t levels, level[IPSET_LEVELS_MOST];
	} six;
};

struct ipset_rest {
	uint32_t lower[2]; /* the lower half; in two, so that nothing is lost to alignment */
	uint32_t tag;
};

/* Offsets are given out first, then the block is made. */
static uint64_t
ipset_place(struct ipset *set, size_t count, size_t width)
{
	uint64_t offset = (set->size + 7) / 8 * 8;

	set->size = offset + count * width;
	return offset;
}

static void *
ipset_at(struct ipset *set, uint64_t offset)
{
	return (char *)set + offset;
}

static const void *
ipset_array(const struct ipset *set, uint64_t offset)
{
	return (const char *)set + offset;
}

static void
ipset_fill(struct ipset *set, uint64_t offset, const void *from, size_t count, size_t width)
{
	if (count > 0)
		memcpy(ipset_at(set, offset), from, count * width);
}

/* How many a level has above one of `count`. */
static size_t
ipset_above(size_t count)
{
	return (count + IPSET_WAYS - 1) / IPSET_WAYS;
}

static void
ipset_place_all(struct ipset *set, const struct ipset_builder *builder)
{
	size_t four = set->four.count, six = set->six.count;

	set->size = sizeof(*set);
	set->names = ipset_place(set, (size_t)builder->sources, sizeof(uint64_t));
	for (size_t count = six; count > 0; count = count > IPSET_WAYS ? ipset_above(count) : 0)
		set->six.level[set->six.levels++] = ipset_place(set, count, sizeof(uint64_t));
	set->six.rests = ipset_place(set, six, sizeof(struct ipset_rest));
	set->four.tags = ipset_place(set, four, sizeof(uint32_t));
	if (four >= IPSET_BUCKETS_FROM) {
		set->four.buckets = ipset_place(set, IPSET_BUCKETS + 1, sizeof(uint32_t));
		set->four.begins = ipset_place(set, four, sizeof(uint16_t));
	} else {
		set->four.begins = ipset_place(set, four, sizeof(uint32_t));
	}
}

static void
ipset_fill_buckets(struct ipset *set, const struct ipset_pieces *four)
{
	uint32_t *buckets = ipset_at(set, set->four.buckets);
	uint16_t *begins = ipset_at(set, set->four.begins);
	size_t bucket = 0;

	for (uint32_t i = 0; i < four->count; i++) {
		while (bucket <= four->four[i] >> 16)
			buckets[bucket++] = i;
		begins[i] = (uint16_t)four->four[i];
	}
	while (bucket <= IPSET_BUCKETS)
		buckets[bucket++] = (uint32_t)four->count;
}

static void
ipset_fill_six(struct ipset *set, const struct ipset_pieces *six)
{
	struct ipset_rest *rests = ipset_at(set, set->six.rests);
	size_t count = six->count;

	for (size_t i = 0; i < count; i++)
		rests[i] = (struct ipset_rest) {
			.lower = { (uint32_t)(six->lower[i] >> 32), (uint32_t)six->lower[i] },
			.tag = six->tags[i],
		};
	ipset_fill(set, set->six.level[0], six->high, count, sizeof(*six->high));
	for (size_t i = 1; i < set->six.levels; i++) {
		const uint64_t *below = ipset_at(set, set->six.level[i - 1]);
		uint64_t *level = ipset_at(set, set->six.level[i]);

		count = ipset_above(count);
		for (size_t j = 0; j < count; j++)
			level[j] = below[j * IPSET_WAYS];
	}
}

static void
ipset_fill_names(struct ipset *set, const struct ipset_builder *builder)
{
	uint64_t *names = ipset_at(set, set->names);
	uint64_t end = set->size;

	for (int i = 0; i < builder->sources; i++) {
		size_t length = strlen(builder->names[i]) + 1;

		end -= length;
		memcpy(ipset_at(set, end), builder->names[i], length);
		names[i] = end;
	}
}

const struct ipset *
ipset_finish(struct ipset_builder *builder, struct arena *arena)
{
	struct ipset head = { .entries = builder->four.count + builder->six.count };
	struct ipset_pieces four, six;

	ipset_pieces_make(&four, &builder->four);
	ipset_pieces_make(&six, &builder->six);
	ipset_spans_free(&builder->four);
	ipset_spans_free(&builder->six);
	head.four.count = four.count;
	head.six.count = six.count;
	ipset_place_all(&head, builder);
	for (int i = 0; i < builder->sources; i++)
		head.size += strlen(builder->names[i]) + 1;

	struct ipset *set = calloc(1, head.size);

	if (set == NULL)
		abort();
	arena_defer(arena, free, set);
	*set = head;
	ipset_fill_names(set, builder);
	ipset_fill_six(set, &six);
	ipset_fill(set, set->four.tags, four.tags, four.count, sizeof(*four.tags));
	if (set->four.buckets != 0)
		ipset_fill_buckets(set, &four);
	else
		ipset_fill(set, set->four.begins, four.four, four.count, sizeof(*four.four));
	ipset_pieces_free(&four);
	ipset_pieces_free(&six);
	builder->sources = 0;
	return set;
}

/*
 * The searches: the number of pieces that begin at or before the key. Without branches, for
 * whether a key is above or below the middle cannot be foretold.
 */
static size_t
ipset_search_32(const uint32_t *begins, size_t count, uint32_t key)
{
	const uint32_t *base = begins;

	if (count == 0)
		return 0;
	for (size_t half; count > 1; count -= half) {
		half = count / 2;
		base += base[half] <= key ? half : 0;
	}
	return (size_t)(base - begins) + (*base <= key);
}

static size_t
ipset_search_16(const uint16_t *begins, size_t count, uint16_t key)
{
	const uint16_t *base = begins;

	if (count == 0)
		return 0;
	for (size_t half; count > 1; count -= half) {
		half = count / 2;
		base += base[half] <= key ? half : 0;
	}
	return (size_t)(base - begins) + (*base <= key);
}

/* All are compared, whatever comes out: that is quicker than to decide after each. */
static size_t
ipset_search_line(const uint64_t *line, size_t most, uint64_t key)
{
	size_t count = 0;

	if (most >= IPSET_WAYS)
		return (size_t)(line[0] <= key) + (line[1] <= key) + (line[2] <= key) +
		    (line[3] <= key) + (line[4] <= key) + (line[5] <= key) + (line[6] <= key) +
		    (line[7] <= key);
	for (size_t i = 0; i < most; i++)
		count += line[i] <= key;
	return count;
}

static size_t
ipset_search_levels(const struct ipset *set, uint64_t key)
{
	const struct ipset_rest *rests = ipset_array(set, set->six.rests);
	size_t found = 1;

	for (size_t i = set->six.levels; i-- > 0 && found > 0;) {
		const uint64_t *level = ipset_array(set, set->six.level[i]);
		size_t from = (found - 1) * IPSET_WAYS;
		size_t most = (size_t)((set->six.count - 1) >> (3 * i)) + 1 - from;

		if (i == 0) { /* one of these will be wanted next */
			__builtin_prefetch(&rests[from]);
			__builtin_prefetch(
			    &rests[from + (most < IPSET_WAYS ? most : IPSET_WAYS) - 1]);
		}
		found = from + ipset_search_line(level + from, most, key);
	}
	return found;
}

/* By the upper half; where that is met exactly the lower halves count. Mostly they are those of
 * one piece; many begin in one /64 only in a list of single addresses. */
static size_t
ipset_search_128(const struct ipset *set, uint64_t high, uint64_t lower)
{
	const uint64_t *highs = ipset_array(set, set->six.level[0]);
	const struct ipset_rest *rests = ipset_array(set, set->six.rests);
	size_t to = ipset_search_levels(set, high), from = to;

	if (to > 0 && highs[to - 1] == high)
		from = to - 1;
	if (from > 0 && from < to && highs[from - 1] == high)
		from = high == 0 ? 0 : ipset_search_levels(set, high - 1);
	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (((uint64_t)rests[middle].lower[0] << 32 | rests[middle].lower[1]) <= lower)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/* Pieces that begin at or before the key. */
static size_t
ipset_search_four(const struct ipset *set, uint32_t key)
{
	const void *begins = ipset_array(set, set->four.begins);
	const uint32_t *tags = ipset_array(set, set->four.tags);

	if (set->four.buckets == 0)
		return ipset_search_32(begins, set->four.count, key);
	const uint32_t *bucket = ipset_array(set, set->four.buckets);
	size_t from = bucket[key >> 16], to = bucket[(key >> 16) + 1];

	/* Have the memory fetch the tags meanwhile, a line at a time. */
	for (size_t i = from; i < to && i < from + 64; i += 16)
		__builtin_prefetch(&tags[i]);
	/* None in the bucket: the last piece of those before reaches into it. */
	return from + ipset_search_16((const uint16_t *)begins + from, to - from, (uint16_t)key);
}

static size_t
ipset_search_six(const struct ipset *set, ipset_number key)
{
	if (set->six.count == 0)
		return 0;
	return ipset_search_128(set, (uint64_t)(key >> 64), (uint64_t)key);
}

/* Of the last of so many pieces. */
static uint32_t
ipset_tag_four(const struct ipset *set, size_t found)
{
	const uint32_t *tags = ipset_array(set, set->four.tags);

	return found == 0 ? IPSET_GAP : tags[found - 1];
}

static uint32_t
ipset_tag_six(const struct ipset *set, size_t found)
{
	const struct ipset_rest *rests = ipset_array(set, set->six.rests);

	return found == 0 ? IPSET_GAP : rests[found - 1].tag;
}

bool
ipset_find(const struct ipset *set, const struct ip *ip, struct ipset_match *match)
{
	uint32_t tag = IPSET_GAP;

	if (ip->length == 4)
		tag = ipset_tag_four(set, ipset_search_four(set, (uint32_t)ipset_number_of(ip)));
	else if (ip->length == 16)
		tag = ipset_tag_six(set, ipset_search_six(set, ipset_number_of(ip)));
	if (tag == IPSET_GAP)
		return false;
	if (match != NULL) {
		const uint64_t *names = ipset_array(set, set->names);

		match->source = ipset_array(set, names[tag >> IPSET_TAG_LINE_BITS]);
		match->line = tag & IPSET_LINE_MOST;
	}
	return true;
}

/* From the piece that holds its first address to the one that holds its last. */
bool
ipset_touches(const struct ipset *set, const struct network *network)
{
	bool is_six = network->ip.length == 16;
	unsigned length = is_six ? 128 : 32;
	ipset_number first = ipset_number_of(&network->ip), rest = 0;

	if (network->bits < length)
		rest = (((ipset_number)1 << (length - network->bits - 1)) - 1) * 2 + 1;
	size_t from =
	    is_six ? ipset_search_six(set, first) : ipset_search_four(set, (uint32_t)first);
	size_t to = is_six ? ipset_search_six(set, first | rest)
			   : ipset_search_four(set, (uint32_t)(first | rest));

	for (; from <= to; from++)
		if ((is_six ? ipset_tag_six : ipset_tag_four)(set, from) != IPSET_GAP)
			return true;
	return false;
}

size_t
ipset_count(const struct ipset *set)
{
	return set->entries;
}

size_t
ipset_size(const struct ipset *set)
{
	return set->size;
}
