/*
 * HTML and the addresses in it. The first octet says how the source is cut; what is told must be the
 * same as of the whole.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/uri_page.h"
#include "tests/fuzz/uri_sum.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sum
read_page(struct slice source, size_t step)
{
	struct uri_page *page = malloc(sizeof(*page));
	struct sum sum = sum_of_nothing;
	const struct uri_sink sink = { on_found, &sum };

	assert(page != NULL);
	uri_page_init(page, &sink);
	for (size_t at = 0; at < source.length; at += step) {
		size_t length = source.length - at < step ? source.length - at : step;
		char *copy = malloc(length); /* so that no byte beyond is read unseen */

		assert(copy != NULL);
		memcpy(copy, source.data + at, length);
		uri_page_feed(page, (struct slice) { copy, length });
		free(copy);
	}
	uri_page_end(page);
	free(page);
	return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct slice source = { (const char *)data + 1, size - 1 };
	struct sum whole = read_page(source, size), cut = read_page(source, data[0] % 32 + 1);

	assert(whole.hash == cut.hash && whole.count == cut.count);
	return 0;
}
