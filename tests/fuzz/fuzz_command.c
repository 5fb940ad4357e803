/*
 * Lines and commands of a client. The first octet says how the rest is cut; lines and faults
 * must be the same as without cuts, and no line may hold what ends a line elsewhere.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "lib/smtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LINE = 64, ROWS = 256 };

struct heard {
	enum smtp_line_result results[ROWS];
	struct slice lines[ROWS];
	size_t count;
};

static void
read_command(struct slice line)
{
	struct smtp_command command;
	struct slice first, second;
	uint64_t size;
	bool is_last;

	assert(line.length + 2 <= LINE);
	assert(memchr(line.data, '\r', line.length) == NULL);
	assert(memchr(line.data, '\n', line.length) == NULL);
	smtp_auth_line_is_valid(line);
	if (smtp_command_read(&command, line) != NULL) {
		assert(command.verb[0] == '\0');
		return;
	}
	assert(command.verb[0] != '\0' && strlen(command.verb) <= SMTP_VERB_MOST);
	if (smtp_helo_read(&first, command.argument) == NULL)
		assert(first.length > 0 && first.length <= 255);
	if (smtp_bdat_read(&size, &is_last, command.argument) == NULL)
		assert(size <= INT64_MAX);
	if (smtp_auth_read(&first, &second, command.argument) == NULL)
		assert(first.length > 0 && first.length <= 20);
}

/* step 0: all at once. */
static void
hear(struct heard *heard, struct slice text, size_t step)
{
	struct smtp_line state = { .is_dropping = false };
	size_t start = 0, end = step == 0 ? text.length : 0;

	heard->count = 0;
	while (heard->count < ROWS) {
		struct slice line = { NULL, 0 };
		size_t used;
		enum smtp_line_result result = smtp_line_find(
		    &state, (struct slice) { text.data + start, end - start }, LINE, &line, &used);

		assert(used <= end - start);
		start += used;
		if (result != SMTP_LINE_NONE) {
			assert(used > 0);
			heard->lines[heard->count] = line;
			heard->results[heard->count++] = result;
		} else if (end == text.length) {
			return;
		} else {
			end = end + step < text.length ? end + step : text.length;
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct heard whole, pieces;

	if (size == 0)
		return 0;
	struct slice text = { (const char *)data + 1, size - 1 };

	hear(&whole, text, 0);
	hear(&pieces, text, 1 + data[0]);
	assert(whole.count == pieces.count);
	for (size_t i = 0; i < whole.count; i++) {
		assert(whole.results[i] == pieces.results[i]);
		if (whole.results[i] != SMTP_LINE_HAS)
			continue;
		assert(whole.lines[i].data == pieces.lines[i].data);
		assert(whole.lines[i].length == pieces.lines[i].length);
		read_command(whole.lines[i]);
	}
	return 0;
}
