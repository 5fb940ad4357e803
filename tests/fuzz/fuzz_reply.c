/*
 * Replies of a backend. The first octet says how the rest is cut; the reply must be the same as
 * without cuts, and what goes to the client must be lines that the reader takes for the same.
 */
#include <assert.h>
#include <stdint.h>

#include "lib/smtp_extension.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LIMIT = 4 * 1024 * 1024 };

static enum reply_result
feed(struct reply_reader *reader, struct slice text, size_t step, size_t *start)
{
	size_t end = 0;

	*start = 0;
	while (end < text.length) {
		size_t used;

		end = end + step < text.length ? end + step : text.length;
		enum reply_result result =
		    reply_read(reader, (struct slice) { text.data + *start, end - *start }, &used);

		assert(used <= end - *start);
		*start += used;
		if (result != REPLY_NEED_MORE)
			return result;
	}
	return REPLY_NEED_MORE;
}

static void
check_format(struct arena *arena, const struct reply *reply)
{
	struct slice text = reply_format(arena, reply);
	struct reply_reader reader;
	struct smtp_ehlo ehlo;
	size_t used, start = 0;

	for (size_t i = 0; i < text.length; i++) {
		assert(((unsigned char)text.data[i] >= ' ' && text.data[i] != 0x7f) ||
		    strchr("\t\r\n", text.data[i]) != NULL);
		if (text.data[i] != '\n')
			continue;
		assert(i > start && text.data[i - 1] == '\r' && i + 1 - start <= REPLY_CLIENT_LINE);
		start = i + 1;
	}
	reply_reader_init(&reader, arena);
	enum reply_result result = reply_read(&reader, text, &used);

	assert(result == REPLY_DONE || reader.reply.count == REPLY_LINES_MOST ||
	    text.length > REPLY_MOST);
	if (result == REPLY_DONE)
		assert(used == text.length && reader.reply.code == reply->code);
	assert(reply_format_as(arena, reply, 451).length == text.length);
	assert(reply_enhanced(reply).length <= strlen("5.111.111"));
	smtp_ehlo_read(&ehlo, reply);
	smtp_ehlo_has_auth(&ehlo, slice_of("PLAIN"));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct arena *arena = arena_new(LIMIT);
	struct slice text = { (const char *)data + 1, size - 1 };
	struct reply_reader whole, pieces;
	size_t used, used_again;

	reply_reader_init(&whole, arena);
	reply_reader_init(&pieces, arena);
	enum reply_result result = feed(&whole, text, text.length, &used);

	assert(feed(&pieces, text, 1 + (size_t)data[0] * 16, &used_again) == result);
	if (result == REPLY_BAD)
		assert(strcmp(whole.why_bad, pieces.why_bad) == 0);
	if (result == REPLY_DONE) {
		assert(used == used_again && whole.reply.code == pieces.reply.code);
		assert(whole.reply.count == pieces.reply.count);
		for (size_t i = 0; i < whole.reply.count; i++)
			assert(slice_equals(whole.reply.lines[i], pieces.reply.lines[i]));
		check_format(arena, &whole.reply);
	}
	arena_free(arena);
	return 0;
}
