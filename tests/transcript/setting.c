#include "tests/transcript/setting.h"

#include "lib/buf.h"

enum { SETTING_MOST = 64 * 1024 };

#define SERVERS "servers: [ \"192.0.2.25:25\" ]"

static const struct setting_line {
	const char *key, *rest;
} setting_lines[] = {
	{ "hostname:", " mx.example.com" },
	{ "listen:", " [ { address: \"*:25\", tls: off } ]" },
	{ "backend:", " { " SERVERS ", tls: off }" },
	{ "relay:", " { domains: [ example.com ] }" },
	{ 0 },
};

static bool
setting_has(struct slice line, const char *word)
{
	return memmem(line.data, line.length, word, strlen(word)) != NULL;
}

static bool
setting_begins(struct slice line, const char *word)
{
	return line.length >= strlen(word) && memcmp(line.data, word, strlen(word)) == 0;
}

static struct slice
setting_cut(struct slice *rest)
{
	const char *end = memchr(rest->data, '\n', rest->length);
	size_t length = end != NULL ? (size_t)(end - rest->data) + 1 : rest->length;
	struct slice line = { rest->data, length };

	rest->data += length;
	rest->length -= length;
	return line;
}

static bool
setting_brings(struct slice lines, const char *key)
{
	while (lines.length > 0)
		if (setting_begins(setting_cut(&lines), key))
			return true;
	return false;
}

static void
setting_add(struct buf *out, struct slice line)
{
	const char *brace = memchr(line.data, '{', line.length);

	if (setting_begins(line, "backend:") && brace != NULL) {
		size_t before = (size_t)(brace - line.data) + 1;

		buf_append(out, (struct slice) { line.data, before });
		if (!setting_has(line, "servers:"))
			buf_print(out, " %s,", SERVERS);
		if (!setting_has(line, "tls:"))
			buf_print(out, " tls: off,");
		line = (struct slice) { line.data + before, line.length - before };
	}
	buf_append(out, line);
}

const struct config *
setting_read(struct arena *arena, struct slice lines, FILE *complaints)
{
	struct buf text = { .limit = SETTING_MOST };
	struct faults faults;

	for (const struct setting_line *line = setting_lines; line->key != NULL; line++)
		if (!setting_brings(lines, line->key))
			buf_print(&text, "%s%s\n", line->key, line->rest);
	while (lines.length > 0)
		setting_add(&text, setting_cut(&lines));
	faults_init(&faults, arena);
	char *bytes = arena_copy(arena, buf_slice(&text));
	const struct config *config =
	    config_read_bytes(arena, "transcript.yaml", slice_of(bytes), &faults);

	if (config == NULL) {
		faults_print(&faults, complaints);
		fprintf(complaints, "%s", bytes);
	}
	buf_free(&text);
	return config;
}
