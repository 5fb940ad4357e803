/*
 * uri_vectors: for tests, the cases of $POSTERN_VECTORS/uri/cases.jsonl: texts, and the hosts
 * that must, may or must not be found in them.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/file.h"
#include "lib/utf8.h"

enum { VECTOR_HOSTS_MOST = 400, VECTOR_FILE_MOST = 4 * 1024 * 1024 };

struct vector_hosts {
	size_t count;
	const char *item[VECTOR_HOSTS_MOST];
};

struct vector {
	const char *id, *kind, *file;
	struct slice input;
	struct vector_hosts hosts, nested, may, mail;
	struct vector_hosts named, registered; /* the domain of each; "": it has none */
	bool is_refused, is_limited;
};

/* ---- a reader of such JSON as stands there ---- */

struct vector_json {
	struct arena *arena;
	const char *at;
};

static inline void
vector_blanks(struct vector_json *json)
{
	json->at += strspn(json->at, " \t\r\n");
}

static inline uint32_t
vector_unit(struct vector_json *json)
{
	char digits[5] = { 0 };

	memcpy(digits, json->at, 4);
	json->at += 4;
	return (uint32_t)strtoul(digits, NULL, 16);
}

static inline size_t
vector_escape(struct vector_json *json, char *out)
{
	static const char letters[] = "nrtbf", codes[] = "\n\r\t\b\f";
	char c = *json->at++;
	const char *known = strchr(letters, c);

	if (c != 'u') {
		*out = known != NULL ? codes[known - letters] : c;
		return 1;
	}
	uint32_t code = vector_unit(json);

	if (code >= 0xd800 && code < 0xdc00 && json->at[0] == '\\' && json->at[1] == 'u') {
		json->at += 2;
		code = 0x10000 + ((code - 0xd800) << 10) + (vector_unit(json) - 0xdc00);
	}
	if (code == 0) {
		*out = '\0';
		return 1;
	}
	return utf8_write(out, code);
}

static inline struct slice
vector_string(struct vector_json *json)
{
	vector_blanks(json);
	assert_int_equal(*json->at, '"');
	size_t length = 0;
	char *out = arena_alloc(json->arena, strlen(json->at) + 1);

	for (json->at++; *json->at != '"';) {
		if (*json->at == '\\')
			json->at++, length += vector_escape(json, out + length);
		else
			out[length++] = *json->at++;
	}
	json->at++;
	return (struct slice) { out, length };
}

static inline void
vector_list(struct vector_json *json, struct vector_hosts *hosts)
{
	vector_blanks(json);
	assert_int_equal(*json->at++, '[');
	for (vector_blanks(json); *json->at != ']'; vector_blanks(json)) {
		assert_true(hosts->count < VECTOR_HOSTS_MOST);
		hosts->item[hosts->count++] = vector_string(json).data;
		vector_blanks(json);
		json->at += *json->at == ',';
	}
	json->at++;
}

/* A map from names to texts or null. */
static inline void
vector_map(struct vector_json *json, struct vector_hosts *names, struct vector_hosts *values)
{
	assert_int_equal(*json->at++, '{');
	for (vector_blanks(json); *json->at != '}'; vector_blanks(json)) {
		assert_true(names->count < VECTOR_HOSTS_MOST);
		names->item[names->count++] = vector_string(json).data;
		vector_blanks(json);
		assert_int_equal(*json->at++, ':');
		vector_blanks(json);
		bool is_null = strncmp(json->at, "null", 4) == 0;

		values->item[values->count++] = is_null ? "" : vector_string(json).data;
		json->at += is_null ? 4 : 0;
		vector_blanks(json);
		json->at += *json->at == ',';
	}
	json->at++;
}

/* A value that is not looked at: a text, a word, a list of texts. */
static inline void
vector_skip(struct vector_json *json)
{
	struct vector_hosts rest = { 0 };

	vector_blanks(json);
	if (*json->at == '"')
		vector_string(json);
	else if (*json->at == '[')
		vector_list(json, &rest);
	else
		json->at += strcspn(json->at, ",}");
}

static inline void
vector_member(struct vector_json *json, struct vector *vector, const char *key)
{
	const struct {
		const char *key;
		struct vector_hosts *hosts;
	} lists[] = { { "hosts", &vector->hosts }, { "nested", &vector->nested },
		{ "may", &vector->may }, { "mail", &vector->mail } };

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (strcmp(key, lists[i].key) == 0) {
			vector_list(json, lists[i].hosts);
			return;
		}
	vector_blanks(json);
	if (strcmp(key, "id") == 0)
		vector->id = vector_string(json).data;
	else if (strcmp(key, "kind") == 0)
		vector->kind = vector_string(json).data;
	else if (strcmp(key, "file") == 0)
		vector->file = vector_string(json).data;
	else if (strcmp(key, "input") == 0)
		vector->input = vector_string(json);
	else if (strcmp(key, "registered") == 0)
		vector_map(json, &vector->named, &vector->registered);
	else {
		vector->is_refused |= strcmp(key, "refused") == 0 && *json->at == 't';
		vector->is_limited |= strcmp(key, "limit") == 0 && *json->at == 't';
		vector_skip(json);
	}
}

static inline struct vector
vector_read(struct arena *arena, const char *line)
{
	struct vector_json json = { arena, line };
	struct vector vector = { .id = "", .kind = "", .file = "" };

	vector_blanks(&json);
	assert_int_equal(*json.at++, '{');
	for (vector_blanks(&json); *json.at != '}'; vector_blanks(&json)) {
		const char *key = vector_string(&json).data;

		vector_blanks(&json);
		assert_int_equal(*json.at++, ':');
		vector_member(&json, &vector, key);
		vector_blanks(&json);
		json.at += *json.at == ',';
		vector_blanks(&json);
	}
	return vector;
}

/* ---- the file ---- */

typedef void (*vector_function)(const struct vector *vector, struct arena *arena, void *arg);

/* Calls for each case of the kind; how many there were. 0: there are no such data here. */
static inline size_t
vectors_each(const char *kind, vector_function each, void *arg)
{
	const char *folder = getenv("POSTERN_VECTORS");
	struct arena *arena = arena_new(SIZE_MAX);
	struct file file = { 0 };
	size_t count = 0;
	char *next, *line;

	if (folder == NULL ||
	    !file_read(arena, arena_format(arena, "%s/uri/cases.jsonl", folder), VECTOR_FILE_MOST,
		&file)) {
		arena_free(arena);
		return 0;
	}
	next = arena_copy(arena, file.bytes);
	while ((line = strsep(&next, "\n")) != NULL) {
		if (line[0] == '\0')
			continue;
		struct arena *own = arena_new(SIZE_MAX);
		struct vector vector = vector_read(own, line);

		if (strcmp(vector.kind, kind) == 0) {
			each(&vector, own, arg);
			count++;
		}
		arena_free(own);
	}
	arena_free(arena);
	return count;
}

static inline bool
vector_has(const struct vector_hosts *hosts, const char *host)
{
	for (size_t i = 0; i < hosts->count; i++)
		if (strcmp(hosts->item[i], host) == 0)
			return true;
	return false;
}
