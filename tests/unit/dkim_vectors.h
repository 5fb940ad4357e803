/*
 * dkim_vectors: for tests, the DKIM messages below $POSTERN_VECTORS/dkim, with the keys that
 * they want.
 *
 * zone.txt: name TAB type TAB data; TXT has the strings of one record, quoted; of a name with
 * several lines each is a record. What is not there does not exist.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/dns_fake.h"
#include "lib/file.h"

enum { ZONE_MOST = 200, VECTOR_FILE_MOST = 4 * 1024 * 1024 };

/* Empty: there are no such data here. */
static inline struct slice
vectors_file(struct arena *arena, const char *name)
{
	const char *folder = getenv("POSTERN_VECTORS");
	struct file file;

	if (folder == NULL)
		return (struct slice) { "", 0 };
	if (!file_read(
		arena, arena_format(arena, "%s/dkim/%s", folder, name), VECTOR_FILE_MOST, &file))
		return (struct slice) { "", 0 };
	return file.bytes;
}

/* The quoted strings of a line, joined. */
static inline const char *
vectors_strings(struct arena *arena, const char *line)
{
	char *text = arena_alloc(arena, strlen(line) + 1), *end = text;
	bool is_inside = false;

	for (; *line != '\0'; line++) {
		if (*line == '"')
			is_inside = !is_inside;
		else if (is_inside && *line == '\\' && line[1] >= '0' && line[1] <= '9')
			*end++ =
			    (char)((line[1] - '0') * 100 + (line[2] - '0') * 10 + line[3] - '0'),
			line += 3;
		else if (is_inside && *line == '\\')
			*end++ = *++line;
		else if (is_inside)
			*end++ = *line;
	}
	*end = '\0';
	return text;
}

static inline struct dns_row *
vectors_row(struct dns_row *rows, const char *name)
{
	struct dns_row *row = rows;

	while (row->name != NULL && strcmp(row->name, name) != 0)
		row++;
	row->name = name;
	return row;
}

static inline void
vectors_line(struct arena *arena, struct dns_row *rows, char *line)
{
	char *name = strtok_r(line, "\t", &line), *type = strtok_r(NULL, "\t", &line);

	if (name == NULL || type == NULL || name[0] == '#')
		return;
	struct dns_row *row = vectors_row(rows, name);
	size_t count = 0;

	while (row->records[count] != NULL)
		count++;
	row->type = strcmp(type, "CNAME") == 0 ? DNS_CNAME : DNS_TXT;
	if (strcmp(type, "TXT") == 0)
		row->records[count] = vectors_strings(arena, line);
	else if (strcmp(type, "CNAME") == 0)
		row->records[count] = arena_strdup(arena, line);
	else if (strcmp(type, "NXDOMAIN") == 0)
		row->state = DNS_NO_NAME;
	else
		row->state = DNS_FAILED,
		row->why = strcmp(type, "TIMEOUT") == 0 ? "time limit" : "servfail";
}

/* The whole zone, for dns_fake; NULL: there is none. */
static inline const struct dns_row *
vectors_zone(struct arena *arena)
{
	struct slice text = vectors_file(arena, "zone.txt");
	struct dns_row *rows = arena_alloc(arena, (ZONE_MOST + 1) * sizeof(*rows));
	char *rest = arena_copy(arena, text), *line;

	while ((line = strsep(&rest, "\n")) != NULL)
		vectors_line(arena, rows, line);
	assert_null(rows[ZONE_MOST].name);
	return text.length > 0 ? rows : NULL;
}
