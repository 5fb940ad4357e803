/*
 * dkim: signed messages of many hands through the filter, in pieces of several sizes. Whether a
 * signature passes must be as expected, and which word it gets else, but where verifiers differ.
 */
#include "tests/unit/play.h"

#include "filters/registry.h"
#include "tests/unit/dkim_vectors.h"

enum { EXPECTATIONS = 600, FACTS = 100 };

struct expectation {
	const char *file, *number, *domain, *selector, *result, *also, *sure;
};

struct vectors {
	struct arena *arena;
	const struct dns_row *zone;
	struct expectation all[EXPECTATIONS + 1]; /* ends with a file NULL */
	struct pipeline_row rows[2];
	struct pipeline_host host;
	size_t wrong;
};

static void
read_expectations(struct vectors *vectors)
{
	char *rest = arena_copy(vectors->arena, vectors_file(vectors->arena, "expect.tsv"));
	size_t count = 0;
	char *line;

	strsep(&rest, "\n"); /* the columns' names */
	while ((line = strsep(&rest, "\n")) != NULL) {
		struct expectation one = { .file = strsep(&line, "\t") };

		one.number = strsep(&line, "\t");
		one.domain = strsep(&line, "\t");
		one.selector = strsep(&line, "\t");
		one.result = strsep(&line, "\t");
		one.also = strsep(&line, "\t");
		one.sure = strsep(&line, "\t");
		if (one.sure == NULL)
			continue;
		assert_true(count < EXPECTATIONS);
		vectors->all[count++] = one;
	}
}

static bool
lists(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = list; (at = strstr(at, word)) != NULL; at += length)
		if ((at == list || at[-1] == ',') && (at[length] == ',' || at[length] == '\0'))
			return true;
	return false;
}

/* `neutral` is no word of this filter. */
static bool
fits(const struct expectation *want, const char *word)
{
	if (strcmp(word, want->result) == 0 || lists(want->also, word))
		return true;
	return strcmp(word, "permerror") == 0 &&
	    (strcmp(want->result, "neutral") == 0 || lists(want->also, "neutral"));
}

static const char *
about_value(const struct fact *fact, const char *name)
{
	for (const struct about *about = fact->about; about != NULL && about->name != NULL; about++)
		if (strcmp(about->name, name) == 0)
			return about->value;
	return "-";
}

/* Is there a fact for this signature? Several may be of the same domain and selector. */
static const char *
find_word(struct play *play, const struct expectation *want)
{
	struct evidence_place place = { 0 };
	const char *word = "nothing at all";
	const struct fact *fact;

	while ((fact = evidence_next(play->scope->mail.evidence, &place)) != NULL) {
		if (strcmp(fact->key, "result") == 0 && strcmp(want->result, "none") == 0)
			return fact->value;
		if (strcmp(fact->key, "signature") != 0)
			continue;
		bool is_surplus = fact->about == NULL && atoi(want->number) > 8;
		bool is_unread = strcmp(want->domain, "-") == 0 || strcmp(want->selector, "-") == 0;

		/* Of a domain named twice either may be shown. */
		is_unread |= strcmp(want->result, "neutral") == 0;
		if (!is_surplus && !is_unread &&
		    (strcmp(about_value(fact, "domain"), want->domain) != 0 ||
			strcmp(about_value(fact, "selector"), want->selector) != 0))
			continue;
		word = fact->value;
		if (fits(want, word))
			return word;
	}
	return word;
}

static void
feed(struct play *play, struct slice message, size_t piece)
{
	struct header_end { /* of the whole message, found once */
		size_t length;
	} end = { 0 };
	const char *empty = memmem(message.data, message.length, "\r\n\r\n", 4);

	end.length = empty != NULL ? (size_t)(empty - message.data) + 4 : message.length;
	for (size_t i = 0; i < message.length; i += piece) {
		size_t length = message.length - i < piece ? message.length - i : piece;

		if (i + length >= end.length && play->scope->mail.header.data == NULL) {
			play->scope->mail.header =
			    (struct slice) { message.data, end.length - (empty != NULL ? 2 : 0) };
			scope_reach(play->scope, HEADERS);
		}
		scope_raw(play->scope, (struct slice) { message.data + i, length });
		if (length > 1)
			scope_run(play->scope);
	}
	scope_reach(play->scope, END);
	scope_run(play->scope);
}

static void
play_message(struct vectors *vectors, const struct expectation *want, struct slice message,
    size_t piece, bool keys_are_late)
{
	const struct address nobody = { "", "", "", false };
	const char *file = want->file;
	struct play play;

	play_begin(&play, "198.51.100.5", vectors->rows, vectors->zone);
	dns_fake_allow_unknown(play.fake);
	if (!keys_are_late)
		dns_fake_release_all(play.fake);
	scope_set_host(play.scope, &vectors->host, &play.task);
	play_mail(&play, nobody);
	feed(&play, message, piece);
	if (keys_are_late) {
		dns_fake_release_all(play.fake);
		play_turn(&play);
	}
	assert_false(scope_waits(play.scope));
	for (; want->file != NULL && strcmp(want->file, file) == 0; want++) {
		const char *word = find_word(&play, want);

		if (fits(want, word))
			continue;
		print_message("%s %s in pieces of %zu: %s, not %s (or %s)%s\n", file, want->number,
		    piece, word, want->result, want->also,
		    strcmp(want->sure, "yes") == 0 ? "" : "; not sure");
		print_message("  %s\n", play_facts(&play));
		vectors->wrong += strcmp(want->sure, "yes") == 0;
	}
	play_end(&play);
}

static void
test_vectors(void **state)
{
	static const size_t pieces[] = { 1, 7, 1000, SIZE_MAX / 2 };
	struct vectors *vectors = *state;
	const char *last = "";

	if (vectors->zone == NULL)
		skip();
	for (const struct expectation *want = vectors->all; want->file != NULL; want++) {
		if (strcmp(want->file, last) == 0)
			continue;
		last = want->file;
		struct arena *arena = arena_new(SIZE_MAX);
		struct slice message =
		    vectors_file(arena, arena_format(arena, "messages/%s", want->file));

		assert_true(message.length > 0);
		for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
			play_message(vectors, want, message, pieces[i], false);
		play_message(vectors, want, message, 1000, true);
		arena_free(arena);
	}
	assert_int_equal(vectors->wrong, 0);
}

static int
begin(void **state)
{
	struct arena *arena = arena_new(SIZE_MAX);
	struct vectors *vectors = arena_alloc(arena, sizeof(*vectors));
	struct pipeline pipeline = { .count = 1 };

	vectors->arena = arena;
	vectors->zone = vectors_zone(arena);
	vectors->rows[0] =
	    (struct pipeline_row) { &dkim_filter, play_options_good(arena, &dkim_filter, "") };
	pipeline.rows[0] = vectors->rows[0];
	vectors->host.host.arena = arena;
	pipeline_open(&vectors->host, &pipeline);
	read_expectations(vectors);
	*state = vectors;
	return 0;
}

static int
end(void **state)
{
	struct vectors *vectors = *state;

	arena_free(vectors->arena);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_vectors) };

	return cmocka_run_group_tests_name("dkim_vectors", tests, begin, end);
}
