/*
 * The messages of $POSTERN_VECTORS/mime, where they are: through the filter and beside it, in
 * pieces of several sizes; the same facts each time, and those parts that are asked for.
 */
#include "tests/unit/play.h"

#include <stdlib.h>
#include <time.h>

#include <openssl/evp.h>

#include "filters/registry.h"
#include "lib/file.h"

enum {
	LIST_MOST = 4 * 1024 * 1024,
	MESSAGE_MOST = 4 * 1024 * 1024,
	PARTS_MOST = 2000,
	TOLD_MOST = 4 * 1024 * 1024
};

static const size_t steps[] = { 100000000, 1, 7, 4096 };

struct seen_part {
	const char *path, *type, *charset, *name;
	uint64_t size;
	bool is_container;
	char digest[65], text_digest[65];
};

struct seen {
	struct arena *arena;
	struct seen_part *parts;
	size_t count;
	EVP_MD_CTX *data, *text;
	bool had_cr;
	/* A line per part and host, in their order; of raw ones apart, as pieces of a leaf and of the
	 * raw one beside it take turns. */
	struct buf told[2];
	struct buf hosts; /* each with a line end on both sides */
	struct mime_sink sink;
};

static void
seen_begin(void *arg, const struct part *part)
{
	struct seen *seen = arg;

	if (part->is_raw)
		return;
	EVP_DigestInit_ex(seen->data, EVP_sha256(), NULL);
	EVP_DigestInit_ex(seen->text, EVP_sha256(), NULL);
	seen->had_cr = false;
}

static void
seen_data(void *arg, const struct part *part, struct slice bytes)
{
	struct seen *seen = arg;

	(void)part;
	EVP_DigestUpdate(seen->data, bytes.data, bytes.length);
}

static void
digest_text(EVP_MD_CTX *hash, char out[65])
{
	unsigned char digest[EVP_MAX_MD_SIZE];

	EVP_DigestFinal_ex(hash, digest, NULL);
	for (int i = 0; i < 32; i++)
		sprintf(out + 2 * i, "%02x", digest[i]);
}

static void
seen_end(void *arg, const struct part *part)
{
	struct seen *seen = arg;
	struct seen_part *own = &seen->parts[seen->count];

	if (part->is_raw)
		return;
	assert_true(seen->count++ < PARTS_MOST);
	own->path = arena_strdup(seen->arena, part->path);
	own->type = arena_strdup(seen->arena, part->type);
	own->charset = arena_strdup(seen->arena, part->charset);
	own->name = arena_strdup(seen->arena, part->name);
	own->size = part->size;
	own->is_container = part->is_container;
	digest_text(seen->data, own->digest);
	if (seen->had_cr)
		EVP_DigestUpdate(seen->text, "\r", 1);
	digest_text(seen->text, own->text_digest);
	buf_print(&seen->told[0], "%s %s %s %s %llu %s %s\n", own->path, own->type, own->charset,
	    own->name, (unsigned long long)own->size, own->digest, own->text_digest);
}

static void
seen_uri(void *arg, const struct part *part, const struct uri *uri)
{
	struct seen *seen = arg;

	buf_print(&seen->told[part->is_raw], "%s %s %x\n", part->path, uri->host.text, uri->flags);
	buf_print(&seen->hosts, "\n%s\n", uri->host.text);
}

/* The tap for text is a filter's. */
static struct seen *watcher;

static void
watcher_text(struct mail *mail, const void *options, const struct part *part, struct slice text)
{
	(void)mail;
	(void)options;
	for (size_t i = 0; i < text.length && !part->is_raw; i++) {
		if (watcher->had_cr && text.data[i] != '\n')
			EVP_DigestUpdate(watcher->text, "\r", 1);
		watcher->had_cr = text.data[i] == '\r';
		if (!watcher->had_cr)
			EVP_DigestUpdate(watcher->text, text.data + i, 1);
	}
}

static const struct filter watcher_filter = {
	.name = "watcher",
	.facts = (const struct fact_kind[]) { { 0 } },
	.text = watcher_text,
};

static void
seen_init(struct seen *seen, struct arena *arena)
{
	*seen = (struct seen) { .arena = arena,
		.parts = arena_alloc(arena, PARTS_MOST * sizeof(*seen->parts)),
		.data = EVP_MD_CTX_new(),
		.text = EVP_MD_CTX_new(),
		.told = { { .limit = TOLD_MOST }, { .limit = TOLD_MOST } },
		.hosts = { .limit = TOLD_MOST },
		.sink = { seen_begin, seen_data, NULL, seen_end, seen } };
	watcher = seen;
}

static void
seen_free(struct seen *seen)
{
	EVP_MD_CTX_free(seen->data);
	EVP_MD_CTX_free(seen->text);
	buf_free(&seen->told[0]);
	buf_free(&seen->told[1]);
	buf_free(&seen->hosts);
}

/* What is told of the message in pieces of that size: parts, hosts, facts. */
static const char *
play_message(struct arena *arena, struct seen *seen, struct slice message, size_t step)
{
	const void *options = play_options_good(arena, registry_find("mime"), "");
	const struct pipeline_row rows[] = { { registry_find("mime"), options },
		{ &watcher_filter, NULL }, { 0 } };
	struct play play;

	seen_init(seen, arena);
	play_begin(&play, "198.51.100.5", rows, NULL);
	play_helo(&play, "there");
	play_mail(&play, (struct address) { "a@example.org", "a", "example.org", false });
	scope_watch(play.scope, &seen->sink, seen_uri);
	for (size_t i = 0; i < message.length; i += step) {
		size_t length = message.length - i < step ? message.length - i : step;
		char *piece = malloc(length);

		memcpy(piece, message.data + i, length);
		scope_raw(play.scope, (struct slice) { piece, length });
		free(piece);
	}
	scope_reach(play.scope, END);
	scope_run(play.scope);
	const char *facts = arena_strdup(arena, play_facts(&play));

	play_end(&play);
	buf_append(&seen->told[0], buf_slice(&seen->told[1]));
	buf_print(&seen->told[0], "%s", facts);
	assert_false(seen->told[0].overflowed || seen->told[1].overflowed);
	return arena_copy(arena, buf_slice(&seen->told[0]));
}

/* ---- what is asked for ---- */

static bool
is_text(const struct node *map, const char *key)
{
	const struct node *node = node_find(map, key);

	return node != NULL && (node->quoted || strcmp(node->text, "null") != 0);
}

static const char *
text_of(const struct node *map, const char *key)
{
	return is_text(map, key) ? node_find(map, key)->text : "";
}

/* Line ends in uuencoded bytes are no line ends, though they were counted as such; and lines of
 * flowed text are put together. */
static bool
is_exact(struct slice message, const char *key)
{
	if (strcmp(key, "text_sha256") == 0)
		return memmem(message.data, message.length, "flowed", 6) == NULL;
	return memmem(message.data, message.length, "uuencode", 8) == NULL;
}

static bool
check_part(const struct node *want, const struct seen_part *got, struct slice message)
{
	const char *charset = text_of(want, "charset");
	char size[24];

	snprintf(size, sizeof(size), "%llu", (unsigned long long)got->size);
	if (strcmp(text_of(want, "path"), got->path) != 0 ||
	    strcmp(text_of(want, "type"), got->type) != 0)
		return false;
	if (strcmp(text_of(want, "name"), got->name) != 0)
		return false;
	if (strcmp(charset, got->charset) != 0 && strcmp(charset, "us-ascii") != 0 &&
	    charset[0] != '\0')
		return false;
	if (is_exact(message, "sha256") && is_text(want, "sha256") &&
	    (strcmp(text_of(want, "sha256"), got->digest) != 0 ||
		strcmp(text_of(want, "size"), size) != 0))
		return false;
	return !is_text(want, "text_sha256") || !is_exact(message, "text_sha256") ||
	    strcmp(text_of(want, "text_sha256"), got->text_digest) == 0;
}

static bool
check_parts(const struct node *line, const struct seen *seen, struct slice message)
{
	const struct node *parts = node_find(line, "parts");
	size_t i = 0;

	if (parts == NULL || parts->kind != NODE_LIST)
		return true;
	for (const struct node *part = parts->child; part != NULL; part = part->next, i++)
		if (i >= seen->count || !check_part(part, &seen->parts[i], message)) {
			fprintf(stderr, "    part %s\n", text_of(part, "path"));
			return false;
		}
	return i == seen->count;
}

/* Of the whole list. */
static size_t hosts_wanted, hosts_found;

static bool
check_hosts(const struct node *line, const struct seen *seen)
{
	const struct node *hosts = node_find(line, "must_find");
	bool is_good = true;

	if (hosts == NULL || hosts->kind != NODE_LIST)
		return true;
	for (const struct node *host = hosts->child; host != NULL; host = host->next) {
		char text[300];
		int length = snprintf(text, sizeof(text), "\n%s\n", host->text);
		bool is_found = seen->hosts.length > 0 &&
		    memmem(seen->hosts.data, seen->hosts.length, text, (size_t)length) != NULL;

		hosts_wanted++;
		hosts_found += is_found;
		is_good &= is_found;
		if (!is_found)
			fprintf(stderr, "    %s is not found\n", host->text);
	}
	return is_good;
}

static bool
check_facts(const struct node *line, const char *facts)
{
	const char *broken = text_of(line, "broken");

	if (node_find(line, "origin") == NULL || strcmp(text_of(line, "origin"), "own") != 0)
		return true;
	if (strcmp(broken, "true") == 0)
		return strstr(facts, "mime.result=broken") != NULL;
	return strcmp(broken, "false") != 0 || strstr(facts, "mime.result=ok") != NULL;
}

/* Two Content-Types, of which that list has only the first: both are searched. */
static bool
is_known(const char *file)
{
	return strcmp(file, "public/sa-spam-badmime2.eml") == 0;
}

static bool
check_message(const char *folder, const struct node *line)
{
	struct arena *arena = arena_new(SIZE_MAX);
	const char *name = text_of(line, "file"), *first = NULL;
	struct file file;
	bool is_good = true;

	assert_true(
	    file_read(arena, arena_format(arena, "%s/mime/%s", folder, name), MESSAGE_MOST, &file));
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && is_good; i++) {
		struct seen seen;
		const char *told = play_message(arena, &seen, file.bytes, steps[i]);

		first = first != NULL ? first : told;
		is_good = strcmp(told, first) == 0 && check_hosts(line, &seen) &&
		    check_facts(line, told) &&
		    (is_known(name) || check_parts(line, &seen, file.bytes));
		if (!is_good)
			fprintf(stderr, "%s in pieces of %zu: %.1000s\n", name, steps[i], told);
		seen_free(&seen);
	}
	arena_free(arena);
	return is_good;
}

static void
check_list(const char *list)
{
	const char *folder = getenv("POSTERN_VECTORS");
	struct arena *arena = arena_new(SIZE_MAX);
	struct faults faults;
	struct file file;
	size_t count = 0, bad = 0;

	if (folder == NULL)
		folder = "../shared/vectors";
	if (!file_read(arena, arena_format(arena, "%s/mime/%s", folder, list), LIST_MOST, &file)) {
		arena_free(arena);
		fprintf(stderr, "no vectors: %s/mime/%s\n", folder, list);
		skip();
	}
	hosts_wanted = hosts_found = 0;
	faults_init(&faults, arena);
	for (char *line = strtok((char *)file.bytes.data, "\n"); line != NULL;
	     line = strtok(NULL, "\n")) {
		const struct node *map = yaml_read(arena, list, slice_of(line), NULL, &faults);

		assert_non_null(map);
		count++;
		bad += !check_message(folder, map);
	}
	arena_free(arena);
	fprintf(stderr, "%s: %zu of %zu messages are as they should be, %zu of %zu hosts\n", list,
	    count - bad, count, hosts_found, hosts_wanted);
	assert_int_equal(bad, 0);
	assert_true(count > 50);
}

static void
test_own(void **state)
{
	(void)state;
	check_list("own.jsonl");
}

static void
test_public(void **state)
{
	(void)state;
	check_list("public.jsonl");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own),
		cmocka_unit_test(test_public),
	};

	return cmocka_run_group_tests_name("mime_vectors", tests, NULL, NULL);
}
