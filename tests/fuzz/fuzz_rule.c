/*
 * A file of rules and, behind the first NUL, a text. The rules are read twice, with Vectorscan and by
 * PCRE2 alone; the text is told as a message to both, whole and byte by byte. All must say the same
 * of every rule, but for what one of them gave up (REGEX_LIMIT): that depends on the time, too.
 *
 * Patterns are few and short, so that it is the rules that are looked at, and not the time that
 * PCRE2 takes.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "filters/rule_match.h"
#include "lib/fault.h"
#include "lib/uri_page.h"
#include "lib/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILE_MOST = 4096, PATTERNS = 12, PATTERN_MOST = 200 };

/* ---- the rules ---- */

/* How many patterns there are, at most; too long ones count for too many. */
static size_t
count_patterns(const struct node *node)
{
	size_t count = 0;

	for (const struct node *child = node->child; child != NULL; child = child->next)
		count += count_patterns(child);
	if (node->kind == NODE_TEXT && strlen(node->text) > PATTERN_MOST)
		count += PATTERNS;
	return count + (node->kind == NODE_TEXT && strcmp(node->text, "match") == 0);
}

/* NULL: it is none, or one that takes too long to try. */
static const struct rule_set *
read_rules(struct arena *arena, struct slice file, bool is_plain)
{
	struct faults faults;
	struct option_reader reader = { .arena = arena, .faults = &faults };
	const struct node *list;
	const struct rule_set *set = NULL;

	faults_init(&faults, arena);
	list = yaml_read(arena, "/nowhere/rules.yaml", file, NULL, &faults);
	if (list != NULL && faults.count == 0 && count_patterns(list) <= PATTERNS)
		set = rule_set_of(&reader, list, is_plain);
	assert(set == NULL || faults.count == 0);
	return set;
}

/* ---- the message ---- */

struct feed {
	struct rule_match *match;
	struct slice text;
	size_t step;
};

static void
on_uri(void *arg, const struct uri *uri)
{
	rule_match_value(arg, RULE_IN_URI, uri->text, "1");
	rule_match_value(arg, RULE_IN_HOST, slice_of(uri->host.text), "1");
}

static void
on_shown(void *arg, struct slice text)
{
	rule_match_text(arg, RULE_IN_BODY, false, "2", text);
}

/* The next piece, in a block of its own; no data: the text is over. */
static struct slice
feed_next(const struct feed *feed, size_t at)
{
	size_t rest = feed->text.length - at, length = rest < feed->step ? rest : feed->step;
	char *copy = length > 0 ? malloc(length) : NULL;

	if (length > 0) {
		assert(copy != NULL);
		memcpy(copy, feed->text.data + at, length);
	}
	return (struct slice) { copy, length };
}

static void
tell_text(const struct feed *feed)
{
	const struct uri_sink sink = { on_uri, feed->match, NULL };
	struct uri_scan *scan = calloc(1, sizeof(*scan));
	struct slice piece;

	assert(scan != NULL);
	uri_scan_init(scan, URI_IN_TEXT, &sink);
	for (size_t at = 0; (piece = feed_next(feed, at)).length > 0; at += piece.length) {
		rule_match_text(feed->match, RULE_IN_BODY, false, "1", piece);
		uri_scan_feed(scan, piece);
		free((void *)piece.data);
	}
	uri_scan_end(scan);
	rule_match_part_end(feed->match, false);
	free(scan);
}

static void
tell_page(const struct feed *feed)
{
	const struct uri_sink sink = { on_uri, feed->match, on_shown };
	struct uri_page *page = calloc(1, sizeof(*page));
	struct slice piece;

	assert(page != NULL);
	uri_page_init(page, &sink);
	for (size_t at = 0; (piece = feed_next(feed, at)).length > 0; at += piece.length) {
		rule_match_text(feed->match, RULE_IN_HTML, false, "2", piece);
		uri_page_feed(page, piece);
		free((void *)piece.data);
	}
	uri_page_end(page);
	rule_match_part_end(feed->match, false);
	free(page);
}

static void
tell_message(const struct feed *feed)
{
	static const enum rule_place places[] = { RULE_IN_HELO, RULE_IN_MAIL_FROM, RULE_IN_RCPT_TO,
		RULE_IN_ATTACHMENT };
	struct header_field field;
	size_t offset = 0;

	while (header_next(feed->text, &offset, &field))
		rule_match_field(feed->match, &field);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		rule_match_value(feed->match, places[i], feed->text, NULL);
	tell_text(feed);
	tell_page(feed);
}

/* How each rule stands. Those that hold must be able to say where. */
static const uint8_t *
judge(struct arena *arena, const struct rule_set *set, struct slice text, size_t step)
{
	uint8_t *standing = arena_alloc(arena, set->count + 1);
	struct rule_match match = { 0 };
	const struct feed feed = { &match, text, step };
	const char *part;

	rule_match_init(&match, arena, set);
	tell_message(&feed);
	rule_match_judge(&match, standing);
	for (size_t i = 0; i < set->count; i++)
		if (standing[i] == REGEX_YES)
			assert(rule_match_where(&match, standing, &set->rules[i], &part) != NULL);
	return standing;
}

static void
assert_same(uint8_t one, uint8_t other)
{
	assert(one == other || one == REGEX_LIMIT || other == REGEX_LIMIT);
}

static void
compare(struct arena *arena, const struct rule_set *plain, const struct rule_set *fast,
    struct slice text)
{
	const uint8_t *expected = judge(arena, plain, text, text.length + 1);
	const uint8_t *cut = judge(arena, plain, text, 1);
	const uint8_t *whole = judge(arena, fast, text, text.length + 1);
	const uint8_t *whole_cut = judge(arena, fast, text, 1);

	assert(plain->count == fast->count);
	for (size_t i = 0; i < plain->count; i++) {
		assert_same(expected[i], cut[i]);
		assert_same(expected[i], whole[i]);
		assert_same(whole[i], whole_cut[i]);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = memchr(data, 0, size);
	struct slice file = { (const char *)data, end != NULL ? (size_t)(end - data) : size };
	struct slice text = { "", 0 };

	if (end != NULL)
		text = (struct slice) { (const char *)end + 1, size - file.length - 1 };
	/* Files of this machine must not decide what is found: without a slash there are none. */
	if (file.length == 0 || file.length > FILE_MOST || memchr(data, '/', file.length) != NULL)
		return 0;
	struct arena *arena = arena_new(SIZE_MAX);
	const struct rule_set *plain = read_rules(arena, file, true);
	const struct rule_set *fast = read_rules(arena, file, false);

	if (plain != NULL && fast != NULL && plain->count > 0)
		compare(arena, plain, fast, text);
	arena_free(arena);
	return 0;
}
