/*
 * Header blocks. The first octet says how the stream is cut; the block must end at the same place,
 * and its fields must lie one behind the other and fill it.
 */
#include <assert.h>
#include <stdint.h>

#include "lib/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t
find_end(struct header_end *end, struct slice text, size_t step)
{
	size_t count = 0;

	for (size_t start = 0; start < text.length; start += step) {
		size_t length = text.length - start < step ? text.length - start : step;

		count += header_end_feed(end, (struct slice) { text.data + start, length });
	}
	return count;
}

static void
check_fields(struct slice block, bool has_end)
{
	struct header_field field;
	size_t offset = 0, start = 0, count = 0;
	unsigned int faults = 0;
	char value[100];

	while (header_next(block, &offset, &field)) {
		assert(field.whole.data == block.data + start && field.whole.length > 0);
		start += field.whole.length;
		assert(start == offset && offset <= block.length);
		assert(field.value.data >= field.whole.data);
		assert(
		    field.value.data + field.value.length <= field.whole.data + field.whole.length);
		size_t length = header_unfold(field.value, value, sizeof(value));

		assert(length <= sizeof(value) && memchr(value, '\r', length) == NULL);
		assert(memchr(value, '\n', length) == NULL && memchr(value, '\0', length) == NULL);
		faults |= field.faults;
		count += !(field.faults & HEADER_BAD_NAME) && slice_matches(field.name, "From");
	}
	if (has_end)
		assert(block.length - offset == 1 || block.length - offset == 2);
	assert(header_count(block, "from") == count);
	assert(header_faults(block) == faults);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct slice text = { (const char *)data + 1, size - 1 };
	struct header_end whole = { .is_found = false }, pieces = whole;
	size_t length = find_end(&whole, text, text.length + 1);

	assert(find_end(&pieces, text, 1 + data[0] % 8) == length);
	assert(whole.is_found == pieces.is_found && length <= text.length);
	check_fields((struct slice) { text.data, length }, whole.is_found);
	return 0;
}
