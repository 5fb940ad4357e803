#include "lib/reply.h"

#include <assert.h>

struct reply_line {
	struct reply_line *previous;
	struct slice text;
};

enum { CODE_LENGTH = 3 };

void
reply_reader_init(struct reply_reader *reader, struct arena *arena)
{
	*reader = (struct reply_reader) { .arena = arena };
}

static enum reply_result
reply_fail(struct reply_reader *reader, const char *why)
{
	reader->why_bad = why;
	return REPLY_BAD;
}

/* No text may become a line of its own, or reach a terminal raw. */
static struct slice
reply_clean(struct arena *arena, struct slice text)
{
	char *copy = arena_copy(arena, text);

	for (size_t i = 0; i < text.length; i++)
		if (((unsigned char)copy[i] < ' ' && copy[i] != '\t') || copy[i] == 0x7f)
			copy[i] = '?';
	return (struct slice) { .data = copy, .length = text.length };
}

static bool
reply_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* 0: the line does not begin with a code of SMTP. */
static int
reply_code(struct slice line)
{
	if (line.length < CODE_LENGTH || line.data[0] < '2' || line.data[0] > '5' ||
	    !reply_is_digit(line.data[1]) || !reply_is_digit(line.data[2]))
		return 0;
	return (line.data[0] - '0') * 100 + (line.data[1] - '0') * 10 + (line.data[2] - '0');
}

/* One line without its end. */
static bool
reply_add_line(struct reply_reader *reader, struct slice line)
{
	int code = reply_code(line);
	char sign = line.length > CODE_LENGTH ? line.data[CODE_LENGTH] : ' ';

	if (code == 0 || (sign != ' ' && sign != '-'))
		reader->why_bad = "line without a reply code";
	else if (reader->reply.count > 0 && code != reader->reply.code)
		reader->why_bad = "code changes within the reply";
	else if (reader->reply.count == REPLY_LINES_MOST)
		reader->why_bad = "too many lines";
	if (reader->why_bad != NULL)
		return false;
	size_t start = line.length > CODE_LENGTH ? CODE_LENGTH + 1 : CODE_LENGTH;
	struct slice text = { line.data + start, line.length - start };
	struct reply_line *newest = arena_alloc(reader->arena, sizeof(*newest));

	*newest = (struct reply_line) { reader->newest, reply_clean(reader->arena, text) };
	reader->newest = newest;
	reader->reply.code = code;
	reader->reply.count++;
	reader->is_final = sign == ' ';
	return true;
}

static enum reply_result
reply_finish(struct reply_reader *reader)
{
	struct reply *reply = &reader->reply;
	struct reply_line *line = reader->newest;

	reply->lines = arena_alloc(reader->arena, reply->count * sizeof(*reply->lines));
	for (size_t i = reply->count; i > 0; i--) {
		reply->lines[i - 1] = line->text;
		line = line->previous;
	}
	return REPLY_DONE;
}

/* The next line of input, or the beginning of one that is too long; 0: there is not enough.
 * Never looks further than that, so that a line counts the same however it comes in. */
static size_t
reply_take_line(struct reply_reader *reader, struct slice input, struct slice *line)
{
	const size_t most = REPLY_LINE_MOST + strlen("\r\n");
	size_t length = input.length < most ? input.length : most;
	const char *lf = memchr(input.data, '\n', length);
	size_t count = lf != NULL ? (size_t)(lf - input.data) + 1 : length;

	if (lf == NULL && length < most)
		return 0;
	reader->is_cut = lf == NULL;
	*line = (struct slice) { input.data, lf != NULL ? count - 1 : count };
	if (lf != NULL && line->length > 0 && line->data[line->length - 1] == '\r')
		line->length--;
	if (line->length > REPLY_LINE_MOST)
		line->length = REPLY_LINE_MOST;
	return count;
}

/* The rest of a line that was too long, as far as it has come. */
static size_t
reply_skip_rest(struct reply_reader *reader, struct slice input)
{
	const char *lf = memchr(input.data, '\n', input.length);

	reader->is_cut = lf == NULL;
	return lf != NULL ? (size_t)(lf - input.data) + 1 : input.length;
}

enum reply_result
reply_read(struct reply_reader *reader, struct slice input, size_t *used)
{
	*used = 0;
	while (*used < input.length) {
		struct slice rest = { input.data + *used, input.length - *used }, line;
		bool is_new = !reader->is_cut;
		size_t count =
		    is_new ? reply_take_line(reader, rest, &line) : reply_skip_rest(reader, rest);

		if (count == 0)
			break;
		*used += count;
		reader->octets += count;
		if (reader->octets > REPLY_MOST)
			return reply_fail(reader, "too long");
		if (is_new && !reply_add_line(reader, line))
			return REPLY_BAD;
		if (reader->is_final && !reader->is_cut)
			return reply_finish(reader);
	}
	return REPLY_NEED_MORE;
}

struct reply *
reply_new(struct arena *arena, int code, const char *text)
{
	struct reply *reply = arena_alloc(arena, sizeof(*reply));

	assert(code >= 200 && code <= 599);
	*reply = (struct reply) { .code = code, .count = 1 };
	reply->lines = arena_alloc(arena, sizeof(*reply->lines));
	reply->lines[0] = slice_of(text);
	return reply;
}

/* Up to three digits; 0: there is none. */
static size_t
reply_digits(struct slice text, size_t start)
{
	size_t end = start;

	while (end < text.length && end < start + 3 && reply_is_digit(text.data[end]))
		end++;
	return end - start;
}

/* The length of an enhanced code of any class at the beginning of text (RFC 3463 2); 0: none. */
static size_t
reply_enhanced_length(struct slice text)
{
	size_t length = 2, digits;

	if (text.length < strlen("2.0.0") || text.data[1] != '.' ||
	    (text.data[0] != '2' && text.data[0] != '4' && text.data[0] != '5'))
		return 0;
	digits = reply_digits(text, length);
	length += digits;
	if (digits == 0 || length >= text.length || text.data[length] != '.')
		return 0;
	length++;
	digits = reply_digits(text, length);
	length += digits;
	if (digits == 0 || (length < text.length && text.data[length] != ' '))
		return 0;
	return length;
}

struct slice
reply_enhanced(const struct reply *reply)
{
	struct slice text = reply->lines[0];

	text.length = reply_enhanced_length(text);
	if (text.length > 0 && text.data[0] - '0' != reply->code / 100)
		text.length = 0;
	return text;
}

/* How much of text goes into a line with so much room: cut at a blank where there is one in the
 * second half, never within a character of UTF-8. */
static size_t
reply_cut(struct slice text, size_t room)
{
	size_t cut = room;

	if (text.length <= room)
		return text.length;
	while (cut > room / 2 && text.data[cut] != ' ')
		cut--;
	if (cut > room / 2)
		return cut;
	for (cut = room; cut > room - 3 && ((unsigned char)text.data[cut] & 0xc0) == 0x80;)
		cut--;
	return cut;
}

/* "250-", the enhanced code where it is to be said again, the text, CRLF. With new_class, an
 * enhanced code takes the class of the code. */
static char *
reply_write(
    char *start, struct slice head, struct slice enhanced, struct slice text, bool new_class)
{
	char *end = mempcpy(start, head.data, head.length), *body = end;

	if (enhanced.length > 0) {
		end = mempcpy(end, enhanced.data, enhanced.length);
		*end++ = ' ';
	}
	if (text.length > 0)
		end = mempcpy(end, text.data, text.length);
	if (new_class && reply_enhanced_length((struct slice) { body, (size_t)(end - body) }) > 0)
		body[0] = start[0];
	return mempcpy(end, "\r\n", 2);
}

/* One line of the reply: as many for the client as it takes. */
static char *
reply_write_line(char *end, int code, struct slice text, bool is_last, bool new_class)
{
	const size_t most = REPLY_CLIENT_LINE - strlen("250-\r\n");
	struct slice enhanced = { text.data, 0 };
	size_t enhanced_length = reply_enhanced_length(text);
	char head[4] = { (char)('0' + code / 100), (char)('0' + code / 10 % 10),
		(char)('0' + code % 10), '-' };

	assert(code >= 100 && code <= 999);
	while (text.length > 0 && text.data[text.length - 1] == ' ')
		text.length--;
	do {
		size_t prefix = enhanced.length > 0 ? enhanced.length + 1 : 0;
		size_t cut = reply_cut(text, most - prefix);
		bool is_end = is_last && cut == text.length;

		head[3] = is_end ? ' ' : '-';
		end = reply_write(end, (struct slice) { head, sizeof(head) }, enhanced,
		    (struct slice) { text.data, cut }, new_class);
		while (cut < text.length && text.data[cut] == ' ')
			cut++;
		text.data += cut;
		text.length -= cut;
		enhanced.length = enhanced_length;
	} while (text.length > 0);
	return end;
}

/* A line is cut in its second half, so none is in more pieces than this. */
static size_t
reply_format_most(const struct reply *reply)
{
	const size_t piece = REPLY_CLIENT_LINE / 2 - 16, frame = strlen("250-5.111.111 \r\n");
	size_t most = 0;

	for (size_t i = 0; i < reply->count; i++)
		most += reply->lines[i].length + (reply->lines[i].length / piece + 1) * frame;
	return most;
}

struct slice
reply_format_as(struct arena *arena, const struct reply *reply, int code)
{
	size_t most = reply_format_most(reply);
	char *text = arena_alloc(arena, most), *end = text;

	assert(code >= 200 && code <= 599);
	for (size_t i = 0; i < reply->count; i++)
		end = reply_write_line(
		    end, code, reply->lines[i], i + 1 == reply->count, code != reply->code);
	assert(end <= text + most);
	return (struct slice) { .data = text, .length = (size_t)(end - text) };
}

struct slice
reply_format(struct arena *arena, const struct reply *reply)
{
	return reply_format_as(arena, reply, reply->code);
}
