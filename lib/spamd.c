#include "lib/spamd.h"

#include <stdio.h>

#include "lib/header.h"
#include "lib/status_answer.h"

enum { ANSWER_MOST = 64 * 1024, FIELD_MOST = 100 };

static enum scanner_reading
spamd_bad(char why[SCANNER_WHY_MOST])
{
	snprintf(why, SCANNER_WHY_MOST, "what it says is no verdict of spamd");
	return SCANNER_BAD;
}

/* "True ; 15.0 / 5.0" */
static bool
spamd_read_verdict(struct spamd_answer *into, struct slice fields)
{
	struct header_field field;
	size_t offset = 0;
	char text[FIELD_MOST + 1], word[8];
	int end = 0;

	if (!header_find(fields, &offset, "Spam", &field))
		return false;
	text[header_unfold(field.value, text, FIELD_MOST)] = '\0';
	if (sscanf(text, "%7[A-Za-z] ; %lf / %lf%n", word, &into->score, &into->required, &end) !=
	    3)
		return false;
	into->is_spam = strcmp(word, "True") == 0 || strcmp(word, "Yes") == 0;
	return text[end] == '\0' && symbols_is_score(into->score) &&
	    symbols_is_score(into->required) &&
	    (into->is_spam || strcmp(word, "False") == 0 || strcmp(word, "No") == 0);
}

static bool
spamd_is_blank(char c)
{
	return c == ' ' || c == '\r' || c == '\n' || c == '\t';
}

static void
spamd_read_symbols(struct symbols *symbols, struct slice list)
{
	while (list.length > 0) {
		const char *comma = memchr(list.data, ',', list.length);
		size_t length = comma != NULL ? (size_t)(comma - list.data) : list.length;
		struct slice name =
		    slice_trim((struct slice) { list.data, length }, spamd_is_blank);

		if (name.length > 0)
			symbols_add(symbols, name, 0);
		length += comma != NULL;
		list = (struct slice) { list.data + length, list.length - length };
	}
}

enum scanner_reading
spamd_read(void *into, struct slice bytes, bool is_over, char why[SCANNER_WHY_MOST])
{
	struct spamd_answer *read = into;
	struct status_answer answer;
	enum scanner_reading reading =
	    status_answer_read(&answer, "SPAMD/", false, ANSWER_MOST, bytes, is_over, why);

	if (reading != SCANNER_GOOD)
		return reading;
	if (answer.code != 0)
		return status_answer_refuse(&answer, why);
	*read = (struct spamd_answer) { 0 };
	if (!spamd_read_verdict(read, answer.fields))
		return spamd_bad(why);
	spamd_read_symbols(&read->symbols, answer.body);
	return SCANNER_GOOD;
}

static enum scanner_reading
spamd_read_pong(void *into, struct slice bytes, bool is_over, char why[SCANNER_WHY_MOST])
{
	struct status_answer answer;
	enum scanner_reading reading =
	    status_answer_read(&answer, "SPAMD/", false, ANSWER_MOST, bytes, is_over, why);

	(void)into;
	if (reading != SCANNER_GOOD)
		return reading;
	if (answer.code != 0)
		return status_answer_refuse(&answer, why);
	return slice_equals(answer.words, slice_of("PONG")) ? SCANNER_GOOD : spamd_bad(why);
}

const struct scanner_talk spamd_talk = {
	.shuts = true,
	.answer_most = ANSWER_MOST + STATUS_ANSWER_HEAD_MOST,
	.read = spamd_read,
};

const struct scanner_talk spamd_ping = {
	.answer_most = STATUS_ANSWER_HEAD_MOST,
	.read = spamd_read_pong,
};

struct slice
spamd_ping_text(void)
{
	return slice_of("PING SPAMC/1.5\r\n\r\n");
}
