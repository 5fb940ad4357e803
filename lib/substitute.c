#include "lib/substitute.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/file.h"

struct substitution {
	struct arena *arena;
	struct faults *faults;
	struct node *node;
	FILE *to;
};

bool
substitute_is_needed(const char *text)
{
	return strstr(text, "${") != NULL;
}

static bool
substitute_env(struct substitution *all, const char *name)
{
	const char *value = getenv(name);

	if (value == NULL) {
		fault_add(all->faults, all->node, "no such environment variable: \"%s\"", name);
		return false;
	}
	fputs(value, all->to);
	return true;
}

static size_t
substitute_trim(struct slice bytes)
{
	size_t length = bytes.length;

	if (length > 0 && bytes.data[length - 1] == '\n')
		length--;
	if (length < bytes.length && length > 0 && bytes.data[length - 1] == '\r')
		length--;
	return length;
}

static bool
substitute_file(struct substitution *all, const char *name)
{
	struct arena *scratch = arena_new(SIZE_MAX);
	const char *directory = file_directory(scratch, all->node->file);
	const char *path = file_find(scratch, directory, NULL, name);
	struct file file;
	bool done = file_read(scratch, path, SUBSTITUTE_FILE, &file);

	if (done && memchr(file.bytes.data, '\0', file.bytes.length) != NULL) {
		file.fault = "there is a NUL in it";
		done = false;
	}
	if (done)
		fwrite(file.bytes.data, 1, substitute_trim(file.bytes), all->to);
	else
		fault_add(all->faults, all->node, "cannot read \"%s\": %s", path, file.fault);
	arena_free(scratch);
	return done;
}

/* What stands between ${ and }. */
static bool
substitute_name(struct substitution *all, struct slice between)
{
	char *name = arena_copy(all->arena, between);

	if (strncmp(name, "env:", 4) == 0)
		return substitute_env(all, name + 4);
	if (strncmp(name, "file:", 5) == 0)
		return substitute_file(all, name + 5);
	fault_add(all->faults, all->node,
	    "cannot substitute \"${%.60s}\": expected ${env:NAME} or ${file:PATH}, or $${ for a "
	    "literal ${",
	    name);
	return false;
}

static bool
substitute_all(struct substitution *all, const char *at)
{
	for (const char *next; (next = strchr(at, '$')) != NULL;) {
		fwrite(at, 1, (size_t)(next - at), all->to);
		at = next + 1;
		if (strncmp(next, "$${", 3) == 0) {
			fputs("${", all->to);
			at = next + 3;
			continue;
		}
		if (strncmp(next, "${", 2) != 0) {
			fputc('$', all->to);
			continue;
		}
		const char *end = strchr(next, '}');

		if (end == NULL) {
			fault_add(
			    all->faults, all->node, "\"${\" without \"}\"; $${ is a literal ${");
			return false;
		}
		struct slice name = { .data = next + 2, .length = (size_t)(end - next) - 2 };

		if (!substitute_name(all, name))
			return false;
		all->node->secret = true;
		at = end + 1;
		if (ftell(all->to) > SUBSTITUTE_MAX) {
			fault_add(all->faults, all->node, "too long with what was put in");
			return false;
		}
	}
	fputs(at, all->to);
	return true;
}

bool
substitute_node(struct arena *arena, struct faults *faults, struct node *node)
{
	char *bytes = NULL;
	size_t length = 0;

	if (!substitute_is_needed(node->text))
		return true;

	struct substitution all = { .arena = arena, .faults = faults, .node = node };

	all.to = open_memstream(&bytes, &length);
	assert(all.to != NULL);

	bool done = substitute_all(&all, node->text);

	fclose(all.to);
	node->text = done ? arena_copy(arena, (struct slice) { bytes, length }) : "";
	free(bytes);
	return done;
}
