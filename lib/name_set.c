#include "lib/name_set.h"

#include <stdlib.h>

static int
name_set_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static struct name_set
name_set_sorted(const char **names, size_t count)
{
	struct name_set set = { .item = names };

	if (count > 0)
		qsort(names, count, sizeof(*names), name_set_compare);
	for (size_t i = 0; i < count; i++)
		if (set.count == 0 || strcmp(names[set.count - 1], names[i]) != 0)
			names[set.count++] = names[i];
	return set;
}

struct name_set
name_set_of(struct arena *arena, const char *const *names, size_t count)
{
	const char **copy = arena_alloc(arena, (count + 1) * sizeof(*copy));

	for (size_t i = 0; i < count; i++)
		copy[i] = names[i];
	return name_set_sorted(copy, count);
}

static bool
name_set_is_name(const char *line)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
	size_t length = strspn(line, letters);

	return line[length] == '\0' && line[0] != '.' && line[length - 1] != '.' &&
	    strstr(line, "..") == NULL;
}

/* Without a comment and blanks at the ends; "": there is nothing. */
static char *
name_set_line(char *line)
{
	size_t length;

	line += strspn(line, " \t\r");
	line[strcspn(line, "#")] = '\0';
	for (length = strlen(line); length > 0 && strchr(" \t\r", line[length - 1]) != NULL;)
		line[--length] = '\0';
	return line;
}

struct name_set
name_set_read(struct arena *arena, struct slice text, size_t *bad)
{
	char *next = arena_copy(arena, text), *line;
	size_t lines = 1, count = 0, number = 0;

	for (size_t i = 0; i < text.length; i++)
		lines += text.data[i] == '\n';
	const char **names = arena_alloc(arena, lines * sizeof(*names));

	*bad = 0;
	while ((line = strsep(&next, "\n")) != NULL) {
		number++;
		line = name_set_line(line);
		if (line[0] == '\0')
			continue;
		if (name_set_is_name(line) && count < NAME_SET_MOST)
			names[count++] = line;
		else if (*bad == 0)
			*bad = number;
	}
	return name_set_sorted(names, count);
}

bool
name_set_has(const struct name_set *set, const char *name)
{
	return set->count > 0 &&
	    bsearch(&name, set->item, set->count, sizeof(*set->item), name_set_compare) != NULL;
}

bool
name_set_covers(const struct name_set *set, const char *name)
{
	while (name != NULL && *name != '\0') {
		if (name_set_has(set, name))
			return true;
		name = strchr(name, '.');
		name += name != NULL;
	}
	return false;
}
