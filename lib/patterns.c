#include "lib/patterns.h"

#include <stdio.h>

#include "lib/file.h"
#include "lib/utf8.h"

enum { PLACE_MOST = 256 };

/* Where a pattern stands: for faults the path, for facts a short name. */
struct patterns_place {
	const char *path, *name;
	unsigned line, column;
};

/* Columns count characters, the regex's faults bytes. */
static unsigned
patterns_characters(struct slice text)
{
	unsigned count = 0;

	for (; text.length > 0; count++) {
		size_t length = utf8_read(text, NULL);

		length += length == 0;
		text.data += length;
		text.length -= length;
	}
	return count;
}

static bool
patterns_add(struct option_reader *reader, struct regex *set, struct slice pattern, unsigned flags,
    const struct patterns_place *at)
{
	char place[PLACE_MOST];
	struct regex_fault fault;

	snprintf(place, sizeof(place), "%s:%u", at->name, at->line);
	if (regex_add(set, pattern, place, flags, &fault))
		return true;
	unsigned before = patterns_characters((struct slice) { pattern.data, fault.at });

	fault_add_place(reader->faults, at->path, at->line, at->column + before,
	    "bad regular expression: %s", fault.why);
	return false;
}

static struct slice
patterns_line(struct slice *rest)
{
	const char *end = memchr(rest->data, '\n', rest->length);
	size_t length = end != NULL ? (size_t)(end - rest->data) : rest->length;
	struct slice line = { rest->data, length };

	length += end != NULL;
	rest->data += length;
	rest->length -= length;
	if (line.length > 0 && line.data[line.length - 1] == '\r')
		line.length--;
	return line;
}

static bool
patterns_is_silent(struct slice line)
{
	for (size_t i = 0; i < line.length; i++)
		if (line.data[i] != ' ' && line.data[i] != '\t')
			return i == 0 && line.data[i] == '#';
	return true;
}

static void
patterns_read_file(struct option_reader *reader, struct regex *set, const struct node *name)
{
	const char *path = option_path(reader, name);
	struct patterns_place at = { path, name->text, .line = 1, .column = 1 };
	struct file file;

	if (!file_read(reader->arena, path, PATTERNS_FILE_MOST, &file)) {
		fault_add(reader->faults, name, "cannot read \"%s\": %s", path, file.fault);
		return;
	}
	struct slice rest = file.bytes;

	if (rest.length >= 3 && memcmp(rest.data, "\xef\xbb\xbf", 3) == 0)
		rest = (struct slice) { rest.data + 3, rest.length - 3 };
	for (; rest.length > 0; at.line++) {
		struct slice line = patterns_line(&rest);

		if (!patterns_is_silent(line))
			patterns_add(reader, set, line, REGEX_CASELESS, &at);
	}
}

/* A quoted one begins behind its quote. */
bool
patterns_add_text(
    struct option_reader *reader, struct regex *set, const struct node *text, unsigned flags)
{
	const char *path = text->file != NULL ? text->file : "";
	const char *slash = strrchr(path, '/');
	const struct patterns_place at = { text->file, slash != NULL ? slash + 1 : path, text->line,
		text->column + text->quoted };

	return patterns_add(reader, set, slice_of(text->text), flags, &at);
}

static void
patterns_read_item(struct option_reader *reader, struct regex *set, const struct node *item)
{
	const struct node *file = node_find(item, "file");

	if (item->kind == NODE_TEXT && !node_is_empty(item))
		patterns_add_text(reader, set, item, REGEX_CASELESS);
	else if (file != NULL && node_count(item) == 1 && file->kind == NODE_TEXT &&
	    !node_is_empty(file))
		patterns_read_file(reader, set, file);
	else
		option_impossible(reader, item, "a regular expression or file: NAME");
}

bool
patterns_read(struct option_reader *reader, const struct node *value, void *field)
{
	struct patterns *patterns = field;
	struct regex *set = regex_new(reader->arena);
	size_t before = reader->faults->count;
	const struct node *item = value->kind == NODE_LIST ? value->child : value;

	for (; item != NULL; item = value->kind == NODE_LIST ? item->next : NULL)
		patterns_read_item(reader, set, item);
	patterns->set = regex_count(set) > 0 ? set : NULL;
	return reader->faults->count == before;
}
