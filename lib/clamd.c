#include "lib/clamd.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "lib/log.h"

enum { ANSWER_MOST = 4096, SAID_MOST = 120 };

static void
clamd_put(struct conn *conn, struct slice piece)
{
	uint32_t length = htonl((uint32_t)piece.length);

	conn_write(conn, (struct slice) { (const char *)&length, sizeof(length) });
	conn_write(conn, piece);
}

/* The line without its end; false: it is not whole, or something stands behind it. */
static enum scanner_reading
clamd_line(struct slice *line, struct slice answer, bool is_over)
{
	const char *end = memchr(answer.data, '\0', answer.length);

	if (end == NULL)
		return is_over ? SCANNER_BAD : SCANNER_MORE;
	*line = (struct slice) { answer.data, (size_t)(end - answer.data) };
	return line->length + 1 == answer.length ? SCANNER_GOOD : SCANNER_BAD;
}

static bool
clamd_begins(struct slice *line, const char *with)
{
	size_t length = strlen(with);

	if (line->length < length || memcmp(line->data, with, length) != 0)
		return false;
	*line = (struct slice) { line->data + length, line->length - length };
	return true;
}

static bool
clamd_ends(struct slice *line, const char *with)
{
	size_t length = strlen(with);

	if (line->length < length || memcmp(line->data + line->length - length, with, length) != 0)
		return false;
	line->length -= length;
	return true;
}

static enum scanner_reading
clamd_bad(char why[SCANNER_WHY_MOST], const char *what, struct slice said)
{
	char shown[SAID_MOST];

	snprintf(
	    why, SCANNER_WHY_MOST, "%s \"%s\"", what, log_printable(shown, sizeof(shown), said));
	return SCANNER_BAD;
}

enum scanner_reading
clamd_read(void *into, struct slice answer, bool is_over, char why[SCANNER_WHY_MOST])
{
	struct clamd_answer *read = into;
	struct slice line, rest;

	switch (clamd_line(&line, answer, is_over)) {
	case SCANNER_MORE:
		return SCANNER_MORE;
	case SCANNER_GOOD:
		break;
	case SCANNER_BAD:
	case SCANNER_TOO_LARGE:
		return clamd_bad(why, "it says", answer);
	}
	*read = (struct clamd_answer) { 0 };
	rest = line;
	if (clamd_begins(&rest, "INSTREAM size limit exceeded")) {
		snprintf(
		    why, SCANNER_WHY_MOST, "the message is larger than clamd's StreamMaxLength");
		return SCANNER_TOO_LARGE;
	}
	if (!clamd_begins(&rest, "stream: ") || clamd_ends(&rest, " ERROR"))
		return clamd_bad(why, "it says", line);
	if (slice_equals(rest, slice_of("OK")))
		return SCANNER_GOOD;
	if (!clamd_ends(&rest, " FOUND") || rest.length == 0)
		return clamd_bad(why, "it says", line);
	read->is_infected = true;
	log_printable(read->name, sizeof(read->name), rest);
	return SCANNER_GOOD;
}

static enum scanner_reading
clamd_read_pong(void *into, struct slice answer, bool is_over, char why[SCANNER_WHY_MOST])
{
	struct slice line;

	(void)into;
	switch (clamd_line(&line, answer, is_over)) {
	case SCANNER_MORE:
		return SCANNER_MORE;
	case SCANNER_GOOD:
		if (slice_equals(line, slice_of("PONG")))
			return SCANNER_GOOD;
		break;
	case SCANNER_BAD:
	case SCANNER_TOO_LARGE:
		break;
	}
	return clamd_bad(why, "it says", answer);
}

const struct scanner_talk clamd_talk = {
	.put = clamd_put,
	.finish = "\0\0\0",
	.finish_length = 4,
	.answer_most = ANSWER_MOST,
	.read = clamd_read,
};

const struct scanner_talk clamd_ping = { .answer_most = ANSWER_MOST, .read = clamd_read_pong };

struct slice
clamd_head(void)
{
	return (struct slice) { "zINSTREAM", sizeof("zINSTREAM") };
}

struct slice
clamd_ping_text(void)
{
	return (struct slice) { "zPING", sizeof("zPING") };
}
