/*
 * uri_scan and uri_page on the cases of vectors/uri: every host that a reader's mail program would
 * lead to is found, and no other; whole and in pieces with the same result. Needs data that are
 * not part of the sources; without them it passes and says so.
 */
#include "tests/unit/uri_vectors.h"

#include "lib/mime.h"
#include "lib/public_suffix.h"
#include "lib/uri_page.h"

/* What was found, in its order, as text. */
struct found {
	char text[256 * 1024];
	size_t length;
	struct vector_hosts hosts, nested, mail;
	struct arena *arena;
};

static void
found_add(struct vector_hosts *hosts, struct arena *arena, const char *host)
{
	if (!vector_has(hosts, host) && hosts->count < VECTOR_HOSTS_MOST)
		hosts->item[hosts->count++] = arena_strdup(arena, host);
}

static void
on_found(void *arg, const struct uri *uri)
{
	struct found *found = arg;
	const char *host = uri->host.text;

	found->length += (size_t)snprintf(found->text + found->length,
	    sizeof(found->text) - found->length, "%s %x %d %.*s\n", host, uri->flags, uri->where,
	    (int)uri->text.length, uri->text.data);
	assert_true(found->length < sizeof(found->text));
	if (uri->flags & URI_IS_MAIL)
		found_add(&found->mail, found->arena, host);
	else
		found_add(uri->flags & URI_IS_NESTED ? &found->nested : &found->hosts, found->arena,
		    host);
}

static void
find(struct found *found, struct arena *arena, const struct vector *vector, size_t piece)
{
	const struct uri_sink sink = { on_found, found };
	struct uri_scan *scan = arena_alloc(arena, sizeof(*scan));
	struct uri_page *page = arena_alloc(arena, sizeof(*page));
	bool is_text = strcmp(vector->kind, "text") == 0;
	struct slice input = vector->input;

	memset(found, 0, sizeof(*found));
	found->arena = arena;
	uri_scan_init(scan, URI_IN_TEXT, &sink);
	uri_page_init(page, &sink);
	for (size_t at = 0; at < input.length; at += piece) {
		size_t rest = input.length - at;
		struct slice part = { input.data + at, rest < piece ? rest : piece };

		if (is_text)
			uri_scan_feed(scan, part);
		else
			uri_page_feed(page, part);
	}
	if (is_text)
		uri_scan_end(scan);
	else
		uri_page_end(page);
}

/* A bare name in the text of a message, above a host that it has anyway: of such the cases of
 * messages say nothing. */
static bool
is_above(const struct vector *vector, const char *host)
{
	for (size_t i = 0; i < vector->hosts.count && strcmp(vector->kind, "eml") == 0; i++) {
		const char *dot = strchr(vector->hosts.item[i], '.');

		if (dot != NULL && strcmp(dot + 1, host) == 0)
			return true;
	}
	return false;
}

/* How many of all there are, and what is wrong. */
struct score {
	size_t wanted, found, wrong, registered;
};

static void
judge_registered(const struct vector *vector, struct score *score)
{
	for (size_t i = 0; i < vector->named.count; i++) {
		const char *host = vector->named.item[i];
		struct host_form form;
		bool is_name = host_form_read(&form, slice_of(host)) && form.kind == HOST_NAME &&
		    uri_has_top(&form);
		const char *domain = is_name ? public_suffix_registered(host) : NULL;

		score->registered++;
		if (strcmp(domain != NULL ? domain : "", vector->registered.item[i]) == 0)
			continue;
		score->wrong++;
		printf("%s: %s is registered as %s\n", vector->id, host,
		    domain != NULL ? domain : "nothing");
	}
}

static void
judge(const struct vector *vector, const struct found *found, struct score *score)
{
	for (size_t i = 0; i < vector->hosts.count; i++) {
		bool is_found = vector_has(&found->hosts, vector->hosts.item[i]);

		score->wanted++;
		score->found += is_found;
		if (!is_found)
			printf("%s: %s is missing\n", vector->id, vector->hosts.item[i]);
	}
	for (size_t i = 0; i < found->hosts.count + found->nested.count && !vector->is_refused;
	     i++) {
		const char *host = i < found->hosts.count
		    ? found->hosts.item[i]
		    : found->nested.item[i - found->hosts.count];

		if (vector_has(&vector->hosts, host) || vector_has(&vector->nested, host) ||
		    vector_has(&vector->may, host) || vector_has(&vector->mail, host) ||
		    is_above(vector, host))
			continue;
		score->wrong++;
		printf("%s: %s is wrong\n", vector->id, host);
	}
}

/* ---- whole messages ---- */

/* A reader for the leaf that is open, and one for the raw one. */
struct reading {
	struct found *found;
	struct uri_sink sink;
	struct uri_scan scan[2];
	struct uri_page page[2];
};

static void
on_part_begin(void *arg, const struct part *part)
{
	struct reading *reading = arg;

	uri_scan_init(&reading->scan[part->is_raw], URI_IN_TEXT, &reading->sink);
	uri_page_init(&reading->page[part->is_raw], &reading->sink);
}

static void
on_part_text(void *arg, const struct part *part, struct slice text)
{
	struct reading *reading = arg;

	if (part->is_html)
		uri_page_feed(&reading->page[part->is_raw], text);
	else
		uri_scan_feed(&reading->scan[part->is_raw], text);
}

static void
on_part_end(void *arg, const struct part *part)
{
	struct reading *reading = arg;

	uri_page_end(&reading->page[part->is_raw]);
	uri_scan_end(&reading->scan[part->is_raw]);
}

static void
find_in_message(struct found *found, struct arena *arena, const struct vector *vector, size_t piece)
{
	struct reading *reading = arena_alloc(arena, sizeof(*reading));
	const struct mime_sink sink = { .part_begin = on_part_begin,
		.text = on_part_text,
		.part_end = on_part_end,
		.arg = reading };
	struct mime *mime = mime_new(arena, &sink);
	const char *folder = getenv("POSTERN_VECTORS");
	struct file file = { 0 };

	memset(found, 0, sizeof(*found));
	found->arena = arena;
	reading->found = found;
	reading->sink = (struct uri_sink) { on_found, found };
	assert_true(file_read(arena, arena_format(arena, "%s/uri/%s", folder, vector->file),
	    VECTOR_FILE_MOST, &file));
	for (size_t at = 0; at < file.bytes.length; at += piece) {
		size_t rest = file.bytes.length - at;

		mime_feed(
		    mime, (struct slice) { file.bytes.data + at, rest < piece ? rest : piece });
	}
	mime_end(mime);
}

/* ---- the cases ---- */

static void
find_in(struct found *found, struct arena *arena, const struct vector *vector, size_t piece)
{
	if (strcmp(vector->kind, "eml") == 0)
		find_in_message(found, arena, vector, piece);
	else
		find(found, arena, vector, piece);
}

static void
each_case(const struct vector *vector, struct arena *arena, void *arg)
{
	static const size_t pieces[] = { 1, 7, 4096 };
	static struct found whole, cut;

	find_in(&whole, arena, vector, SIZE_MAX / 2);
	judge(vector, &whole, arg);
	judge_registered(vector, arg);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		find_in(&cut, arena, vector, pieces[i]);
		assert_string_equal(cut.text, whole.text);
	}
}

static void
run(const char *kind, double least)
{
	struct score score = { 0 };
	size_t count = vectors_each(kind, each_case, &score);

	if (count == 0) {
		print_message("no vectors: skipped\n");
		return;
	}
	print_message("%s: %zu cases, %zu of %zu hosts, %zu registered domains, %zu wrong\n", kind,
	    count, score.found, score.wanted, score.registered, score.wrong);
	assert_true((double)score.found >= least * (double)score.wanted);
	assert_int_equal(score.wrong, 0);
}

static void
text_cases(void **state)
{
	(void)state;
	run("text", 0.98);
}

static void
html_cases(void **state)
{
	(void)state;
	run("html", 1);
}

static void
message_cases(void **state)
{
	(void)state;
	run("eml", 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_cases),
		cmocka_unit_test(html_cases),
		cmocka_unit_test(message_cases),
	};

	return cmocka_run_group_tests_name("uri_vectors", tests, NULL, NULL);
}
