/*
 * vectors: for tests over conformance data in lines of fields between tabs, where they are
 * ($POSTERN_VECTORS).
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The file, behind its first line, which names the columns. NULL: it is not there, and that is
 * said; the test is to be skipped. */
static inline FILE *
vectors_open(const char *name)
{
	const char *folder = getenv("POSTERN_VECTORS");
	char path[600];

	snprintf(path, sizeof(path), "%s/%s", folder != NULL ? folder : "../shared/vectors", name);
	FILE *file = fopen(path, "r");

	if (file == NULL)
		printf("%s is not there: skipped\n", path);
	for (int c = 0; file != NULL && c != '\n' && c != EOF;)
		c = getc(file);
	return file;
}

/* The fields of a line, in place; how many. */
static inline size_t
vectors_split(char *line, char *columns[], size_t most)
{
	size_t count = 0;

	line[strcspn(line, "\n")] = '\0';
	for (char *part; count < most && (part = strsep(&line, "\t")) != NULL;)
		columns[count++] = part;
	return count;
}

/* "\xHH", "\t", "\r", "\n", "\\", and "{{N*text}}" for N times the text; the length. out has
 * room for it all, and gets a NUL at its end. */
static inline size_t
vectors_unescape(char *out, const char *text)
{
	static const char letters[] = "tnr", bytes[] = "\t\n\r";
	char *to = out;
	unsigned count, byte;
	int used;

	while (*text != '\0') {
		if (sscanf(text, "{{%u*%n", &count, &used) == 1) {
			const char *piece = text + used, *end = strstr(piece, "}}");

			for (; count > 0; count--)
				to = mempcpy(to, piece, (size_t)(end - piece));
			text = end + 2;
		} else if (sscanf(text, "\\x%2x", &byte) == 1) {
			*to++ = (char)byte;
			text += 4;
		} else if (text[0] == '\\' && text[1] != '\0') {
			const char *letter = strchr(letters, text[1]);

			*to++ = letter != NULL ? bytes[letter - letters] : text[1];
			text += 2;
		} else {
			*to++ = *text++;
		}
	}
	*to = '\0';
	return (size_t)(to - out);
}
