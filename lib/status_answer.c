#include "lib/status_answer.h"

#include <stdio.h>

#include "lib/header.h"
#include "lib/log.h"

enum { SAID_MOST = 100, CODE_MOST = 3, LENGTH_DIGITS = 10 };

static enum scanner_reading
status_answer_bad(char why[SCANNER_WHY_MOST], const char *what)
{
	snprintf(why, SCANNER_WHY_MOST, "%s", what);
	return SCANNER_BAD;
}

/* The value of up to `most` digits at the front of text, which moves behind them; false: there are
 * none, or more. */
static bool
status_answer_number(struct slice *text, size_t most, uint64_t *number)
{
	size_t length = 0;

	*number = 0;
	while (length < text->length && text->data[length] >= '0' && text->data[length] <= '9') {
		if (length == most)
			return false;
		*number = *number * 10 + (uint64_t)(text->data[length] - '0');
		length++;
	}
	*text = (struct slice) { text->data + length, text->length - length };
	return length > 0;
}

/* "HTTP/1.1 200 OK", without its end. */
static bool
status_answer_line(struct status_answer *answer, const char *protocol, struct slice line)
{
	size_t length = strlen(protocol);
	const char *blank = memchr(line.data, ' ', line.length);
	uint64_t code;

	if (blank == NULL || (size_t)(blank - line.data) <= length ||
	    memcmp(line.data, protocol, length) != 0)
		return false;
	line.length -= (size_t)(blank + 1 - line.data);
	line.data = blank + 1;
	if (!status_answer_number(&line, CODE_MOST, &code) ||
	    (line.length > 0 && line.data[0] != ' '))
		return false;
	answer->code = (unsigned)code;
	if (line.length > 0)
		line = (struct slice) { line.data + 1, line.length - 1 };
	answer->words = line;
	return true;
}

/* How long the body is; false: nobody can know. *has_length: it is said. */
static bool
status_answer_length(const struct status_answer *answer, uint64_t *length, bool *has_length)
{
	struct header_field field;
	size_t offset = 0;
	char text[LENGTH_DIGITS + 2];

	*has_length = header_find(answer->fields, &offset, "Content-Length", &field);
	if (header_count(answer->fields, "Transfer-Encoding") > 0 ||
	    header_count(answer->fields, "Content-Length") > 1)
		return false;
	if (!*has_length)
		return true;
	struct slice digits = { text, header_unfold(field.value, text, sizeof(text)) };

	return status_answer_number(&digits, LENGTH_DIGITS, length) && digits.length == 0;
}

static enum scanner_reading
status_answer_body(
    struct status_answer *answer, size_t most, bool is_over, char why[SCANNER_WHY_MOST])
{
	uint64_t length = 0;
	bool has_length;

	if (!status_answer_length(answer, &length, &has_length))
		return status_answer_bad(why, "its answer does not say how long it is");
	if (length > most || answer->body.length > most)
		return status_answer_bad(why, "its answer is too long");
	if (!has_length)
		return is_over ? SCANNER_GOOD : SCANNER_MORE;
	if (answer->body.length > length)
		return status_answer_bad(why, "something stands behind its answer");
	if (answer->body.length < length)
		return is_over ? status_answer_bad(why, "its answer is cut off") : SCANNER_MORE;
	return SCANNER_GOOD;
}

enum scanner_reading
status_answer_read(struct status_answer *answer, const char *protocol, bool has_body, size_t most,
    struct slice bytes, bool is_over, char why[SCANNER_WHY_MOST])
{
	struct header_end end = { 0 };
	const char *feed = memchr(bytes.data, '\n', bytes.length);

	*answer = (struct status_answer) { .fields = { "", 0 }, .body = { "", 0 } };
	if (feed == NULL && !is_over && bytes.length <= STATUS_ANSWER_HEAD_MOST)
		return SCANNER_MORE;
	struct slice line = { bytes.data, feed != NULL ? (size_t)(feed - bytes.data) : 0 };
	struct slice rest = { bytes.data, bytes.length };

	if (line.length > 0 && line.data[line.length - 1] == '\r')
		line.length--;
	if (feed == NULL || !status_answer_line(answer, protocol, line))
		return status_answer_bad(why, "what it says is no answer");
	rest.data = feed + 1;
	rest.length = bytes.length - (size_t)(feed + 1 - bytes.data);
	size_t head = header_end_feed(&end, rest);

	if (head > STATUS_ANSWER_HEAD_MOST)
		return status_answer_bad(why, "its answer has too many fields");
	if (!end.is_found && !is_over)
		return SCANNER_MORE;
	if (!end.is_found && has_body)
		return status_answer_bad(why, "its answer is cut off");
	answer->fields = (struct slice) { rest.data, head };
	answer->body = (struct slice) { rest.data + head, rest.length - head };
	return end.is_found ? status_answer_body(answer, most, is_over, why) : SCANNER_GOOD;
}

enum scanner_reading
status_answer_refuse(const struct status_answer *answer, char why[SCANNER_WHY_MOST])
{
	char shown[SAID_MOST];

	snprintf(why, SCANNER_WHY_MOST, "it says \"%u %s\"", answer->code,
	    log_printable(shown, sizeof(shown), answer->words));
	return SCANNER_BAD;
}
