/*
 * spf: the conformance data of RFC 7208, of its forerunner and of others, through the filter;
 * each case with all answers at hand, and one by one in several orders.
 */
#include "tests/unit/spf_zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { CASES_MOST = 600 };

struct spf_case {
	const char *file, *scenario;
	const char *id, *host, *helo, *from, *result, *explanation, *mechanism;
	struct zone *zone;
};

static struct arena *arena;
static struct ev_loop *loop;
static struct spf_case cases[CASES_MOST];
static size_t case_count;

/* What no RFC asks for: `default=` of before the RFCs. */
static bool
is_left_out(const char *id)
{
	return strcmp(id, "default-modifier") == 0 || strcmp(id, "default-modifier-harsh") == 0;
}

static void
read_case(const char *file, const char *scenario, struct zone *zone, char **fields)
{
	struct spf_case *one = &cases[case_count];

	if (is_left_out(fields[1]))
		return;
	for (size_t i = 1; i < 9; i++) {
		zone_unescape(fields[i]);
		fields[i] = arena_strdup(arena, fields[i]);
	}
	assert_true(case_count++ < CASES_MOST);
	*one = (struct spf_case) { file, scenario, fields[1], fields[2], fields[3], fields[4],
		fields[5], fields[6], fields[8], zone };
}

/* false: there is no such file. */
static bool
read_file(const char *folder, const char *name)
{
	static char line[ZONE_LINE_MOST];
	FILE *file = fopen(arena_format(arena, "%s/spf/flat/%s-tests.tsv", folder, name), "r");
	const char *scenario = "";
	struct zone *zone = NULL;

	if (file == NULL)
		return false;
	while (fgets(line, sizeof(line), file) != NULL) {
		char *fields[ZONE_FIELDS_MOST] = { NULL };
		size_t count = zone_split(line, fields);

		if (strcmp(fields[0], "scenario") == 0) {
			zone = zone_new(arena, loop);
			scenario = arena_strdup(arena, fields[1]);
		} else if (strcmp(fields[0], "rr") == 0) {
			zone_add(zone, count, fields);
		} else {
			assert_string_equal(fields[0], "case");
			assert_int_equal(count, 9);
			read_case(name, scenario, zone, fields);
		}
	}
	fclose(file);
	return true;
}

static bool
is_one_of(const char *words, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = words; (at = strstr(at, word)) != NULL; at += length)
		if ((at == words || at[-1] == ',') && (at[length] == '\0' || at[length] == ','))
			return true;
	return false;
}

/* Is it the explanation wanted? "DEFAULT": none may be given. */
static bool
is_explanation(const char *want, const struct fact *exp)
{
	if (strcmp(want, "DEFAULT") == 0)
		return exp == NULL;
	if (exp == NULL)
		return false;
	const char *words = strstr(exp->detail, " explains: ");

	return words != NULL && strcmp(words + strlen(" explains: "), want) == 0;
}

static const char *
term_of(const struct fact *fact)
{
	for (const struct about *about = fact->about; about->name != NULL; about++)
		if (strcmp(about->name, "term") == 0)
			return about->value;
	return "";
}

static struct address
address_of(const char *text)
{
	const char *at = strrchr(text, '@');
	char *domain = arena_strdup(arena, at != NULL ? at + 1 : "");

	for (char *c = domain; *c != '\0'; c++)
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c | 0x20) : *c;
	return (struct address) {
		.text = text,
		.local = at != NULL
		    ? arena_copy(arena, (struct slice) { text, (size_t)(at - text) })
		    : "",
		.domain = domain,
	};
}

/* Played in one order of answers; false, and a line about it: not as it should be. */
static bool
play_case(const struct spf_case *one, const void *options, enum zone_order order)
{
	struct zone_session session;

	one->zone->order = order;
	zone_session_play(
	    &session, one->zone, options, one->host, one->helo, address_of(one->from));
	const struct evidence *evidence = session.scope->mail.evidence;
	const struct fact *result = evidence_find(evidence, "spf", "result");
	const struct fact *exp = evidence_find(evidence, "spf", "exp");
	bool is_good = is_one_of(one->result, result->value) &&
	    (one->explanation[0] == '-' || is_explanation(one->explanation + 1, exp)) &&
	    (one->mechanism[0] == '-' || strcmp(one->mechanism + 1, term_of(result)) == 0);

	if (!is_good)
		print_message("%s: %s: %s (order %d): %s, %s; exp: %s\n\twanted %s %s %s\n",
		    one->file, one->scenario, one->id, (int)order, result->value, result->detail,
		    exp != NULL ? exp->detail : "-", one->result, one->explanation, one->mechanism);
	zone_session_end(&session);
	assert_null(one->zone->waiting);
	return is_good;
}

static void
test_file(void **state)
{
	const char *file = *state;
	const struct {
		bool exp;
		uint32_t terms, voids;
	} options = { true, 10, 2 };
	unsigned played = 0, bad = 0;

	if (getenv("POSTERN_VECTORS") == NULL || !read_file(getenv("POSTERN_VECTORS"), file)) {
		print_message("no conformance data below $POSTERN_VECTORS\n");
		skip();
	}
	for (size_t i = 0; i < case_count; i++) {
		if (strcmp(cases[i].file, file) != 0)
			continue;
		bool is_good = true;

		for (enum zone_order order = 0; order < ZONE_ORDERS; order++)
			is_good = play_case(&cases[i], &options, order) && is_good;
		bad += !is_good;
		played++;
	}
	print_message("%s: %u cases, %u bad\n", file, played, bad);
	assert_true(played > 0);
	assert_int_equal(bad, 0);
}

static int
set_up(void **state)
{
	(void)state;
	arena = arena_new(SIZE_MAX);
	loop = ev_loop_new(0);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	ev_loop_destroy(loop);
	return 0;
}

int
main(void)
{
	static const char *const files[] = { "rfc7208", "rfc4408", "extra", "hostile", "simta",
		"pyspf" };
	struct CMUnitTest tests[sizeof(files) / sizeof(files[0])];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		tests[i] = (struct CMUnitTest) {
			.name = files[i],
			.test_func = test_file,
			.initial_state = (void *)files[i],
		};
	return cmocka_run_group_tests_name("spf_vectors", tests, set_up, tear_down);
}
