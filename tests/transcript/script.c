#include "tests/transcript/script.h"

#include <stdlib.h>

#include "lib/buf.h"
#include "tests/transcript/setting.h"

enum { SCRIPT_MOST = 1024 * 1024, CONFIG_COLUMN = 8 };

struct script_reader {
	struct arena *arena;
	FILE *complaints;
	struct script *script;
	struct script_line **last;
	struct buf config;
	size_t rows;
	unsigned number;
};

static bool
script_fault(const struct script_reader *reader, const char *what, const char *text)
{
	fprintf(reader->complaints, "%s:%u: %s: %s\n", reader->script->path, reader->number, what,
	    text);
	return false;
}

/* ---- words ---- */

/* The next word of the line, and the line moves on behind the blanks that follow. */
static struct slice
script_word(struct slice *line)
{
	struct slice word = { line->data, 0 };

	while (word.length < line->length && line->data[word.length] != ' ')
		word.length++;
	line->data += word.length;
	line->length -= word.length;
	while (line->length > 0 && line->data[0] == ' ') {
		line->data++;
		line->length--;
	}
	return word;
}

static bool
script_escape(struct slice *rest, char *out)
{
	static const char names[] = "rnt0\\", bytes[] = "\r\n\t\0\\";
	const char *name = rest->length > 1 ? memchr(names, rest->data[1], 5) : NULL;
	size_t used = 2;

	if (name != NULL) {
		*out = bytes[name - names];
	} else if (rest->length > 3 && rest->data[1] == 'x') {
		char digits[3] = { rest->data[2], rest->data[3], '\0' }, *end;

		*out = (char)strtol(digits, &end, 16);
		used = *end == '\0' ? 4 : 0;
	} else {
		used = 0;
	}
	rest->data += used;
	rest->length -= used;
	return used > 0;
}

/* Text with its escapes resolved, and its CRLF if wanted and not taken back. */
static bool
script_text(struct script_reader *reader, struct slice rest, bool is_said, struct slice *text)
{
	char *out = arena_alloc(reader->arena, rest.length + 3);

	*text = (struct slice) { out, 0 };
	while (rest.length > 0) {
		if (rest.data[0] == '\\' && rest.length == 1 && is_said)
			return true;
		if (rest.data[0] != '\\') {
			out[text->length++] = *rest.data++;
			rest.length--;
		} else if (!script_escape(&rest, &out[text->length++])) {
			return script_fault(reader, "no such escape", rest.data);
		}
	}
	if (is_said) {
		out[text->length++] = '\r';
		out[text->length++] = '\n';
	}
	return true;
}

/* ---- lines ---- */

static struct script_line *
script_add(struct script_reader *reader, enum script_kind kind)
{
	struct script_line *line = arena_alloc(reader->arena, sizeof(*line));

	*line = (struct script_line) { .number = reader->number, .kind = kind, .times = 1 };
	*reader->last = line;
	reader->last = &line->next;
	return line;
}

static enum dns_type
script_row_type(struct slice word)
{
	static const struct {
		const char *word;
		enum dns_type type;
	} types[] = { { "A", DNS_A }, { "AAAA", DNS_AAAA }, { "PTR", DNS_PTR }, { "MX", DNS_MX },
		{ "TXT", DNS_TXT }, { "CNAME", DNS_CNAME } };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (slice_equals(word, slice_of(types[i].word)))
			return types[i].type;
	return 0;
}

/* false: the text is no state, so it is records. */
static bool
script_row_state(struct dns_row *row, const char *text)
{
	static const struct {
		const char *word;
		enum dns_state state;
	} states[] = { { "none", DNS_NO_NAME }, { "nodata", DNS_NO_DATA }, { "failed", DNS_FAILED },
		{ "never", DNS_FAILED } };

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		if (strcmp(text, states[i].word) != 0)
			continue;
		row->state = states[i].state;
		return true;
	}
	return false;
}

static void
script_row_records(struct dns_row *row, char *text)
{
	size_t count = 0;
	char *record;

	while (count < DNS_FAKE_RECORDS_MOST - 1 && (record = strsep(&text, ",")) != NULL)
		row->records[count++] = record + strspn(record, " ");
}

static bool
script_row(struct script_reader *reader, struct slice rest)
{
	struct slice name = script_word(&rest), type = script_word(&rest);
	struct dns_row *row = &reader->script->rows[reader->rows];
	char *text = arena_copy(reader->arena, rest);

	if (reader->rows == SCRIPT_ROWS || rest.length == 0)
		return script_fault(reader, "dns NAME TYPE STATE-OR-RECORDS", name.data);
	row->name = arena_copy(reader->arena, name);
	row->type = script_row_type(type);
	if (row->type == 0)
		return script_fault(reader, "no such type", type.data);
	reader->script->is_never[reader->rows] = strcmp(text, "never") == 0;
	if (!script_row_state(row, text))
		script_row_records(row, text);
	reader->rows++;
	return true;
}

static bool
script_side(struct script_reader *reader, struct slice rest, bool is_front)
{
	static const struct {
		const char *word;
		int front, back; /* enum script_kind; -1: not this side */
	} words[] = {
		{ ">", SCRIPT_FRONT_SAYS, SCRIPT_BACK_SAYS },
		{ "<", SCRIPT_FRONT_HEARS, SCRIPT_BACK_HEARS },
		{ "closes", SCRIPT_FRONT_CLOSES, SCRIPT_BACK_CLOSES },
		{ "gone", SCRIPT_FRONT_GONE, SCRIPT_BACK_GONE },
		{ "refuses", -1, SCRIPT_BACK_REFUSES },
		{ "deaf", SCRIPT_FRONT_DEAF, SCRIPT_BACK_DEAF },
		{ "heeds", SCRIPT_FRONT_HEEDS, SCRIPT_BACK_HEEDS },
	};
	struct slice word = script_word(&rest);
	int times = 1;

	if (word.length > 1 && word.data[0] == '*') {
		times = atoi(word.data + 1);
		word = slice_of(">");
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		int kind = is_front ? words[i].front : words[i].back;

		if (!slice_equals(word, slice_of(words[i].word)) || kind < 0)
			continue;
		struct script_line *line = script_add(reader, (enum script_kind)kind);

		line->times = (unsigned)times;
		return script_text(reader, rest, i == 0, &line->text);
	}
	return script_fault(reader, "front and back: > < *N closes gone", word.data);
}

static bool
script_line(struct script_reader *reader, struct slice line)
{
	struct slice whole = line, word = script_word(&line);

	if (word.length == 0 || word.data[0] == '#')
		return line.length == 0 || word.length > 0
		    ? true
		    : script_fault(reader, "a line begins with a word", whole.data);
	if (slice_equals(word, slice_of("front")) || slice_equals(word, slice_of("back")))
		return script_side(reader, line, word.data[0] == 'f');
	if (slice_equals(word, slice_of("dns")))
		return script_row(reader, line);
	if (slice_equals(word, slice_of("config")) && whole.length > CONFIG_COLUMN)
		return buf_append(&reader->config,
			   (struct slice) {
			       whole.data + CONFIG_COLUMN, whole.length - CONFIG_COLUMN }) &&
		    buf_append_byte(&reader->config, '\n');
	if (slice_equals(word, slice_of("client")))
		script_add(reader, SCRIPT_CLIENT)->text = line;
	else if (slice_equals(word, slice_of("record")))
		script_add(reader, SCRIPT_RECORD)->text = line;
	else if (slice_equals(word, slice_of("time")))
		script_add(reader, SCRIPT_TIME)->seconds = atof(line.data);
	else if (slice_equals(whole, slice_of("worker ends")))
		script_add(reader, SCRIPT_WORKER_ENDS);
	else if (slice_equals(whole, slice_of("only as-written")))
		reader->script->is_only_as_written = true;
	else if (slice_equals(whole, slice_of("not at-once")))
		reader->script->is_not_at_once = true;
	else
		return script_fault(reader, "no such line", whole.data);
	return true;
}

static bool
script_lines(struct script_reader *reader, char *text)
{
	char *state = text, *line;

	while ((line = strsep(&state, "\n")) != NULL) {
		reader->number++;
		if (!script_line(reader, slice_of(line)))
			return false;
	}
	reader->script->config =
	    setting_read(reader->arena, buf_slice(&reader->config), reader->complaints);
	return reader->script->config != NULL;
}

struct script *
script_read(struct arena *arena, const char *path, FILE *complaints)
{
	struct script_reader reader = { .arena = arena, .complaints = complaints };
	char *text = arena_alloc(arena, SCRIPT_MOST + 1);
	FILE *file = fopen(path, "r");

	reader.script = arena_alloc(arena, sizeof(*reader.script));
	reader.script->path = path;
	reader.last = &reader.script->lines;
	buf_init(&reader.config, SCRIPT_MOST);
	if (file == NULL) {
		script_fault(&reader, "cannot be opened", path);
		return NULL;
	}
	text[fread(text, 1, SCRIPT_MOST, file)] = '\0';
	fclose(file);
	bool is_good = script_lines(&reader, text);

	buf_free(&reader.config);
	return is_good ? reader.script : NULL;
}

bool
script_matches(struct slice pattern, struct slice text)
{
	const char *dots = memmem(pattern.data, pattern.length, "...", 3);

	if (dots == NULL)
		return slice_equals(pattern, text);
	size_t before = (size_t)(dots - pattern.data);

	if (text.length < before || memcmp(pattern.data, text.data, before) != 0)
		return false;
	pattern = (struct slice) { dots + 3, pattern.length - before - 3 };
	for (size_t skipped = before; skipped <= text.length; skipped++)
		if (script_matches(
			pattern, (struct slice) { text.data + skipped, text.length - skipped }))
			return true;
	return false;
}
