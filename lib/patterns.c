#include "lib/patterns.h"

#include <stdio.h>

#include "lib/file.h"
#include "lib/utf8.h"

enum { PLACE_MOST = 256 };

/* Columns count characters, faults bytes. */
static unsigned
patterns_column(struct slice pattern, size_t at)
{
	struct slice before = { pattern.data, at < pattern.length ? at : pattern.length };
	unsigned column = 0;

	for (; before.length > 0; column++) {
		size_t length = utf8_read(before, NULL);

		length += length == 0;
		before.data += length;
		before.length -= length;
	}
	return column;
}

static const char *
patterns_place(char place[PLACE_MOST], const char *file, unsigned line)
{
	const char *slash = file != NULL ? strrchr(file, '/') : NULL;

	if (file == NULL)
		return "";
	snprintf(place, PLACE_MOST, "%s:%u", slash != NULL ? slash + 1 : file, line);
	return place;
}

static void
patterns_add(struct option_reader *reader, struct regex *set, struct slice pattern,
    const char *file, unsigned line, unsigned column)
{
	char place[PLACE_MOST];
	struct regex_fault fault;

	if (!regex_add(set, pattern, patterns_place(place, file, line), true, &fault))
		fault_add_place(reader->faults, file, line,
		    column + patterns_column(pattern, fault.at), "bad regular expression: %s",
		    fault.why);
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
	struct file file;

	if (!file_read(reader->arena, path, PATTERNS_FILE_MOST, &file)) {
		fault_add(reader->faults, name, "cannot read %s: %s", path, file.fault);
		return;
	}
	struct slice rest = file.bytes;

	if (rest.length >= 3 && memcmp(rest.data, "\xef\xbb\xbf", 3) == 0)
		rest = (struct slice) { rest.data + 3, rest.length - 3 };
	for (unsigned number = 1; rest.length > 0; number++) {
		struct slice line = patterns_line(&rest);

		if (!patterns_is_silent(line))
			patterns_add(reader, set, line, path, number, 1);
	}
}

static void
patterns_read_item(struct option_reader *reader, struct regex *set, const struct node *item)
{
	const struct node *file = item->kind == NODE_MAP ? node_find(item, "file") : NULL;

	if (item->kind == NODE_TEXT && !node_is_empty(item))
		patterns_add(reader, set, slice_of(item->text), item->file, item->line,
		    item->column + item->quoted);
	else if (file != NULL && file->kind == NODE_TEXT && node_count(item) == 1)
		patterns_read_file(reader, set, file);
	else
		option_impossible(reader, item, "a regular expression, or file: with a name");
}

bool
patterns_read(struct option_reader *reader, const struct node *value, void *field)
{
	struct patterns *patterns = field;
	struct regex *set = regex_new(reader->arena);

	if (node_is_empty(value))
		return false;
	if (value->kind != NODE_LIST)
		patterns_read_item(reader, set, value);
	else
		for (const struct node *item = value->child; item != NULL; item = item->next)
			patterns_read_item(reader, set, item);
	patterns->set = regex_count(set) > 0 ? set : NULL;
	return true;
}
