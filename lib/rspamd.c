#include "lib/rspamd.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/log.h"
#include "lib/status_answer.h"
#include "lib/utf8.h"

/* Of the answer: commas and brackets, that is values. Each costs the JSON library some 100 bytes. */
enum { VALUES_MOST = 100000 };

static void
rspamd_put(struct conn *conn, struct slice piece)
{
	conn_print(conn, "%zx\r\n", piece.length);
	conn_write(conn, piece);
	conn_write(conn, slice_of("\r\n"));
}

/* Has it no more values than an answer of rspamd's can have? */
static bool
rspamd_is_modest(struct slice json)
{
	size_t values = 0;
	bool is_quoted = false;

	for (size_t i = 0; i < json.length && values <= VALUES_MOST; i++) {
		char byte = json.data[i];

		if (is_quoted && byte == '\\')
			i++;
		else if (byte == '"')
			is_quoted = !is_quoted;
		else if (!is_quoted && (byte == ',' || byte == '[' || byte == '{'))
			values++;
	}
	return values <= VALUES_MOST;
}

/* rspamd says what stood in the message, and a byte that is no UTF-8 must not hide the rest. */
static void
rspamd_clean(char *out, struct slice json)
{
	while (json.length > 0) {
		size_t length = utf8_read(json, NULL);

		if (length == 0)
			*out = '?', length = 1;
		else
			memcpy(out, json.data, length);
		out += length;
		json = (struct slice) { json.data + length, json.length - length };
	}
}

static json_t *
rspamd_parse(struct slice json)
{
	const size_t flags = JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL;
	char *clean;
	json_t *root;

	if (!rspamd_is_modest(json))
		return NULL;
	clean = malloc(json.length + 1);
	if (clean == NULL)
		abort();
	rspamd_clean(clean, json);
	root = json_loadb(clean, json.length, flags, NULL);
	free(clean);
	return root;
}

static enum rspamd_action
rspamd_action(const char *name)
{
	static const char *const names[] = {
		[RSPAMD_NO_ACTION] = "no action",
		[RSPAMD_GREYLIST] = "greylist",
		[RSPAMD_ADD_HEADER] = "add header",
		[RSPAMD_REWRITE_SUBJECT] = "rewrite subject",
		[RSPAMD_SOFT_REJECT] = "soft reject",
		[RSPAMD_REJECT] = "reject",
		[RSPAMD_DISCARD] = "discard",
		[RSPAMD_QUARANTINE] = "quarantine",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return (enum rspamd_action)i;
	return RSPAMD_OTHER;
}

static void
rspamd_read_symbols(struct symbols *into, json_t *symbols)
{
	const char *name;
	json_t *symbol;

	json_object_foreach(symbols, name, symbol)
	{
		const json_t *score = json_object_get(symbol, "score");

		symbols_add(into, slice_of(name), json_number_value(score));
	}
}

static bool
rspamd_read_json(struct rspamd_answer *into, json_t *root)
{
	const json_t *score = json_object_get(root, "score");
	const json_t *required = json_object_get(root, "required_score");
	const char *action = json_string_value(json_object_get(root, "action"));

	if (action == NULL || !json_is_number(score))
		return false;
	into->action = rspamd_action(action);
	log_printable(into->name, sizeof(into->name), slice_of(action));
	into->score = json_number_value(score);
	into->required = json_number_value(required);
	into->has_required = json_is_number(required) && symbols_is_score(into->required);
	rspamd_read_symbols(&into->symbols, json_object_get(root, "symbols"));
	return symbols_is_score(into->score);
}

enum scanner_reading
rspamd_read(void *into, struct slice bytes, bool is_over, char why[SCANNER_WHY_MOST])
{
	struct status_answer answer;
	enum scanner_reading reading =
	    status_answer_read(&answer, "HTTP/", true, RSPAMD_ANSWER_MOST, bytes, is_over, why);

	if (reading != SCANNER_GOOD)
		return reading;
	if (answer.code != 200)
		return status_answer_refuse(&answer, why);
	json_t *root = rspamd_parse(answer.body);

	memset(into, 0, sizeof(struct rspamd_answer));
	bool is_good = rspamd_read_json(into, root);

	json_decref(root);
	if (is_good)
		return SCANNER_GOOD;
	snprintf(why, SCANNER_WHY_MOST, "what it says is no verdict of rspamd");
	return SCANNER_BAD;
}

static enum scanner_reading
rspamd_read_pong(void *into, struct slice bytes, bool is_over, char why[SCANNER_WHY_MOST])
{
	struct status_answer answer;
	enum scanner_reading reading =
	    status_answer_read(&answer, "HTTP/", true, RSPAMD_ANSWER_MOST, bytes, is_over, why);

	(void)into;
	if (reading != SCANNER_GOOD)
		return reading;
	if (answer.code == 200 && answer.body.length >= 4 &&
	    memcmp(answer.body.data, "pong", 4) == 0)
		return SCANNER_GOOD;
	return status_answer_refuse(&answer, why);
}

const struct scanner_talk rspamd_talk = {
	.put = rspamd_put,
	.finish = "0\r\n\r\n",
	.finish_length = 5,
	.answer_most = RSPAMD_ANSWER_MOST + STATUS_ANSWER_HEAD_MOST,
	.read = rspamd_read,
};

const struct scanner_talk rspamd_ping = {
	.answer_most = STATUS_ANSWER_HEAD_MOST,
	.read = rspamd_read_pong,
};

struct slice
rspamd_ping_text(void)
{
	return slice_of("GET /ping HTTP/1.1\r\nHost: rspamd\r\nConnection: close\r\n\r\n");
}
