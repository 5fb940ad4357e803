/*
 * Any bytes as a list. What the set says is compared with a look at all entries, at the edges
 * of each. Lists of more than 64 entries are only read.
 */
#include <assert.h>
#include <stdint.h>

#include "lib/ipset_build.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ENTRIES = 64 };

static struct ip
fuzz_ip(ipset_number number, bool is_six)
{
	struct ip ip = { .length = is_six ? 16 : 4 };

	for (int i = ip.length; i-- > 0; number >>= 8)
		ip.bytes[i] = (uint8_t)number;
	return ip;
}

static uint32_t
fuzz_model(const struct ipset_span *spans, size_t count, ipset_number key)
{
	const struct ipset_span *best = NULL;

	for (size_t i = 0; i < count; i++)
		if (key >= spans[i].first && key <= spans[i].last &&
		    (best == NULL || spans[i].last - spans[i].first < best->last - best->first))
			best = &spans[i];
	return best == NULL ? 0 : best->tag;
}

/* Networks of all lengths around the address, against each entry. */
static void
fuzz_touch(
    const struct ipset *set, const struct ipset_span *spans, size_t count, const struct ip *ip)
{
	for (unsigned bits = 0; bits <= 8u * ip->length; bits += 1 + bits / 9) {
		struct network network = network_of(ip, bits);
		ipset_number first = ipset_number_of(&network.ip), last = first;
		bool is_met = false;

		for (unsigned bit = bits; bit < 8u * ip->length; bit++)
			last |= (ipset_number)1 << (8u * ip->length - 1 - bit);
		for (size_t k = 0; k < count; k++)
			is_met |= spans[k].first <= last && spans[k].last >= first;
		assert(ipset_touches(set, &network) == is_met);
	}
}

static void
fuzz_compare(const struct ipset *set, const struct ipset_span *spans, size_t count, bool is_six)
{
	for (size_t i = 0; i < count * 4; i++) {
		const struct ipset_span *span = &spans[i / 4];
		ipset_number keys[] = { span->first - 1, span->first, span->last, span->last + 1 };
		struct ip ip = fuzz_ip(keys[i % 4], is_six);
		struct ipset_match match = { .line = 0 };
		bool is_found = ipset_find(set, &ip, &match);

		assert(match.line == fuzz_model(spans, count, ipset_number_of(&ip)));
		assert(is_found == (match.line != 0));
		fuzz_touch(set, spans, count, &ip);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ipset_report report;
	struct ipset_span four[ENTRIES] = { 0 }, six[ENTRIES] = { 0 };
	struct arena *arena = arena_new(SIZE_MAX);
	struct ipset_builder *builder = ipset_builder_new(arena);
	int source = ipset_builder_source(builder, "list");
	struct slice text = { .data = (const char *)data, .length = size };

	assert(ipset_builder_read(builder, source, text, &report) || size > IPSET_LINE_MOST);
	for (size_t i = 0; i < report.bad && i < IPSET_FAULTS_MOST; i++)
		assert(report.faults[i].line > 0 && report.faults[i].why[0] != '\0');
	size_t fours = builder->four.count, sixes = builder->six.count;

	assert(report.entries == fours + sixes);
	for (size_t i = 0; i < fours && i < ENTRIES; i++)
		four[i] = (struct ipset_span) { builder->four.four[i].first,
			builder->four.four[i].last, builder->four.four[i].tag };
	for (size_t i = 0; i < sixes && i < ENTRIES; i++)
		six[i] = builder->six.six[i];
	const struct ipset *set = ipset_finish(builder, arena);

	if (fours <= ENTRIES)
		fuzz_compare(set, four, fours, false);
	if (sixes <= ENTRIES)
		fuzz_compare(set, six, sixes, true);
	arena_free(arena);
	return 0;
}
