#include <assert.h>
#include <endian.h>
#include <stdlib.h>

#include "lib/ipset_build.h"

enum { RADIX = 1 << 11 };

/* The spans that reach over the address the walk has come to, and perhaps some that ended
 * before; on top the most specific one. A binary heap. */
struct ipset_heap {
	struct ipset_span *spans;
	size_t count, size;
};

static void *
ipset_array_new(size_t count, size_t width)
{
	void *array = calloc(count, width);

	if (array == NULL)
		abort();
	return array;
}

static void *
ipset_array_grow(void *array, size_t *size, size_t width)
{
	*size = *size == 0 ? 64 : *size * 2;
	array = reallocarray(array, *size, width);
	if (array == NULL)
		abort();
	return array;
}

ipset_number
ipset_number_of(const struct ip *ip)
{
	uint64_t high, lower;
	uint32_t four;

	if (ip->length == 4) {
		memcpy(&four, ip->bytes, sizeof(four));
		return be32toh(four);
	}
	memcpy(&high, ip->bytes, sizeof(high));
	memcpy(&lower, ip->bytes + 8, sizeof(lower));
	return (ipset_number)be64toh(high) << 64 | be64toh(lower);
}

void
ipset_spans_add(struct ipset_spans *spans, const struct ipset_span *span)
{
	size_t width = spans->is_six ? sizeof(*spans->six) : sizeof(*spans->four);

	if (spans->count == spans->size)
		spans->any = ipset_array_grow(spans->any, &spans->size, width);
	if (spans->is_six)
		spans->six[spans->count] = *span;
	else
		spans->four[spans->count] = (struct ipset_span_four) {
			.first = (uint32_t)span->first,
			.last = (uint32_t)span->last,
			.tag = span->tag,
		};
	spans->count++;
}

void
ipset_spans_free(struct ipset_spans *spans)
{
	free(spans->any);
	*spans = (struct ipset_spans) { .is_six = spans->is_six };
}

static struct ipset_span
ipset_spans_at(const struct ipset_spans *spans, size_t i)
{
	if (spans->is_six)
		return spans->six[i];
	return (struct ipset_span) { .first = spans->four[i].first,
		.last = spans->four[i].last,
		.tag = spans->four[i].tag };
}

/* One pass of a radix sort: by 11 bits of the first address, from bit `shift` on. */
static void
ipset_four_scatter(
    const struct ipset_span_four *from, struct ipset_span_four *to, size_t count, unsigned shift)
{
	size_t places[RADIX] = { 0 }, place = 0;

	for (size_t i = 0; i < count; i++)
		places[from[i].first >> shift & (RADIX - 1)]++;
	for (size_t digit = 0; digit < RADIX; digit++) {
		size_t width = places[digit];

		places[digit] = place;
		place += width;
	}
	for (size_t i = 0; i < count; i++)
		to[places[from[i].first >> shift & (RADIX - 1)]++] = from[i];
}

/* qsort() takes several times as long for a million. */
static void
ipset_four_sort(struct ipset_spans *spans)
{
	struct ipset_span_four *other = ipset_array_new(spans->count, sizeof(*other));

	ipset_four_scatter(spans->four, other, spans->count, 0);
	ipset_four_scatter(other, spans->four, spans->count, 11);
	ipset_four_scatter(spans->four, other, spans->count, 22);
	free(spans->four);
	spans->four = other;
	spans->size = spans->count;
}

static int
ipset_span_compare(const void *left, const void *right)
{
	const struct ipset_span *a = left, *b = right;

	return (a->first > b->first) - (a->first < b->first);
}

/* Lists mostly come sorted. */
static void
ipset_spans_sort(struct ipset_spans *spans)
{
	size_t i = 1;

	while (i < spans->count &&
	    (spans->is_six ? spans->six[i - 1].first <= spans->six[i].first
			   : spans->four[i - 1].first <= spans->four[i].first))
		i++;
	if (i >= spans->count)
		return;
	if (spans->is_six)
		qsort(spans->six, spans->count, sizeof(*spans->six), ipset_span_compare);
	else
		ipset_four_sort(spans);
}

/* Fewer addresses; of equally many, added before. */
static bool
ipset_span_is_better(const struct ipset_span *a, const struct ipset_span *b)
{
	ipset_number a_size = a->last - a->first, b_size = b->last - b->first;

	return a_size != b_size ? a_size < b_size : a->tag < b->tag;
}

static void
ipset_heap_push(struct ipset_heap *heap, const struct ipset_span *span)
{
	size_t at = heap->count++;

	if (at == heap->size)
		heap->spans = ipset_array_grow(heap->spans, &heap->size, sizeof(*heap->spans));
	while (at > 0 && ipset_span_is_better(span, &heap->spans[(at - 1) / 2])) {
		heap->spans[at] = heap->spans[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	heap->spans[at] = *span;
}

static void
ipset_heap_pop(struct ipset_heap *heap)
{
	struct ipset_span moved = heap->spans[--heap->count];
	size_t at = 0, child;

	while ((child = at * 2 + 1) < heap->count) {
		if (child + 1 < heap->count &&
		    ipset_span_is_better(&heap->spans[child + 1], &heap->spans[child]))
			child++;
		if (!ipset_span_is_better(&heap->spans[child], &moved))
			break;
		heap->spans[at] = heap->spans[child];
		at = child;
	}
	heap->spans[at] = moved;
}

static void
ipset_pieces_add(struct ipset_pieces *pieces, ipset_number first, uint32_t tag)
{
	size_t i = pieces->count;

	if (i > 0 ? pieces->tags[i - 1] == tag : tag == IPSET_GAP)
		return;
	pieces->tags[i] = tag;
	if (pieces->four != NULL) {
		pieces->four[i] = (uint32_t)first;
	} else {
		pieces->high[i] = (uint64_t)(first >> 64);
		pieces->lower[i] = (uint64_t)first;
	}
	pieces->count++;
}

/*
 * From one address at which something begins or ends to the next. Each turn takes a span in
 * or leaves one behind, so there are at most two turns for a span.
 */
static void
ipset_pieces_walk(struct ipset_pieces *pieces, const struct ipset_spans *spans)
{
	ipset_number end = spans->is_six ? ~(ipset_number)0 : UINT32_MAX, at = 0;
	struct ipset_heap heap = { 0 };
	size_t next = 0;

	while (next < spans->count || heap.count > 0) {
		struct ipset_span span;

		if (heap.count == 0)
			at = ipset_spans_at(spans, next).first;
		while (next < spans->count && (span = ipset_spans_at(spans, next)).first == at) {
			ipset_heap_push(&heap, &span);
			next++;
		}
		while (heap.count > 0 && heap.spans[0].last < at)
			ipset_heap_pop(&heap);
		if (heap.count == 0) {
			ipset_pieces_add(pieces, at, IPSET_GAP);
			continue;
		}
		ipset_pieces_add(pieces, at, heap.spans[0].tag);
		if (next < spans->count && ipset_spans_at(spans, next).first <= heap.spans[0].last)
			at = ipset_spans_at(spans, next).first;
		else if (heap.spans[0].last == end)
			break;
		else
			at = heap.spans[0].last + 1;
	}
	free(heap.spans);
}

void
ipset_pieces_make(struct ipset_pieces *pieces, struct ipset_spans *spans)
{
	size_t most = spans->count * 2;

	*pieces = (struct ipset_pieces) { 0 };
	if (most == 0)
		return;
	assert(most <= UINT32_MAX);
	pieces->tags = ipset_array_new(most, sizeof(*pieces->tags));
	if (spans->is_six) {
		pieces->high = ipset_array_new(most, sizeof(*pieces->high));
		pieces->lower = ipset_array_new(most, sizeof(*pieces->lower));
	} else {
		pieces->four = ipset_array_new(most, sizeof(*pieces->four));
	}
	ipset_spans_sort(spans);
	ipset_pieces_walk(pieces, spans);
	assert(pieces->count <= most);
}

void
ipset_pieces_free(struct ipset_pieces *pieces)
{
	free(pieces->tags);
	free(pieces->four);
	free(pieces->high);
	free(pieces->lower);
	*pieces = (struct ipset_pieces) { 0 };
}
