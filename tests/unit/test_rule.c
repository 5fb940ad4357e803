/*
 * rule: files that are read or refused; places, terms and scores; the same with and without
 * Vectorscan, however the message is cut; what takes too long.
 */
#include "tests/unit/play.h"

#include <stdlib.h>

#include "filters/registry.h"
#include "filters/rule_match.h"

/* ---- files ---- */

/* The rules of the text; NULL: faults, which *words tells. */
static const struct rule_set *
read_rules(struct arena *arena, const char *yaml, bool is_plain, char **words)
{
	struct faults faults;
	struct option_reader reader = { .arena = arena, .faults = &faults };
	size_t size;

	faults_init(&faults, arena);
	const struct node *list = yaml_read(arena, "r.yaml", slice_of(yaml), NULL, &faults);
	const struct rule_set *set = list != NULL ? rule_set_of(&reader, list, is_plain) : NULL;
	FILE *to = open_memstream(words, &size);

	faults_print(&faults, to);
	fclose(to);
	assert_true((set == NULL) == (faults.count > 0));
	return set;
}

static void
test_faults(void **state)
{
	static const struct {
		const char *yaml, *words;
	} cases[] = {
		{ "- { name: a, match: x }", "" },
		{ "a: b", "r.yaml:1:1: impossible value (a map): expected a list of rules\n" },
		{ "- a",
		    "r.yaml:1:3: impossible value \"a\": expected a rule, such as { name: lottery, "
		    "in: body, match: 'you have won' }\n" },
		{ "- { name: a }",
		    "r.yaml:1:3: what does this rule look for? Expected match:, all:, any: or "
		    "count:\n" },
		{ "- { name: a b, match: x }",
		    "r.yaml:1:11: impossible value \"a b\": expected a name of letters, digits, - "
		    "_ and ., but for none\n" },
		{ "- { name: none, match: x }",
		    "r.yaml:1:11: impossible value \"none\": expected a name of letters, digits, - "
		    "_ and ., but for none\n" },
		{ "- { name: a, mach: x }",
		    "r.yaml:1:14: unknown key \"mach\"; did you mean match\n" },
		{ "- { name: a, in: bdy, match: x }",
		    "r.yaml:1:18: impossible value \"bdy\": expected body, html, uri, host, "
		    "attachment, helo, mail_from, rcpt_to or header; did you mean body\n" },
		{ "- { name: a, in: body, field: To, match: x }",
		    "r.yaml:1:18: a pattern has in: or field:, not both\n" },
		{ "- { name: a, field: 'a b', match: x }",
		    "r.yaml:1:21: impossible value \"a b\": expected a field's name\n" },
		{ "- { name: a, match: 'x(y' }",
		    "r.yaml:1:25: bad regular expression: missing closing parenthesis\n" },
		{ "- { name: a, match: [ x ] }",
		    "r.yaml:1:21: impossible value (a list): expected a regular expression\n" },
		{ "- { name: a, all: [ b ] }", "r.yaml:1:21: there is no rule \"b\" above\n" },
		{ "- { name: a, all: [] }", "r.yaml:1:19: expected 1 to 200 terms\n" },
		{ "- { name: a, match: x }\n- { name: a, match: y }",
		    "r.yaml:2:11: there is a rule \"a\" already, in line 1 of r.yaml\n" },
		{ "- { name: a, count: { least: 2, of: [ { match: x } ] } }",
		    "r.yaml:1:21: at least 2 of 1 never hold\n" },
		{ "- { name: a, match: x, quiet: yes, score: 1 }",
		    "r.yaml:1:43: a quiet rule is only for others, and has no score\n" },
		{ "- { name: a, match: x, score: 1001 }",
		    "r.yaml:1:31: impossible value \"1001\": expected a number, between -1000 and "
		    "1000\n" },
		{ "- { name: a, match: x, examples: { match: y } }",
		    "r.yaml:1:43: \"a\" does not match this example of its own\n" },
		{ "- { name: a, match: x, examples: { match: [ x, y ], no_match: [ z, x ] } }",
		    "r.yaml:1:48: \"a\" does not match this example of its own\n"
		    "r.yaml:1:68: \"a\" matches this example of what it should not\n" },
		{ "- { name: a, any: [ { field: To, match: x }, { match: y } ], examples: { match: "
		  "x } }",
		    "r.yaml:1:81: an example of \"a\" must be a map of places and fields, such as "
		    "{ "
		    "Subject: Hello, body: You have won }\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena *arena = arena_new(SIZE_MAX);
		char *words;

		read_rules(arena, cases[i].yaml, true, &words);
		assert_string_equal(words, cases[i].words);
		free(words);
		arena_free(arena);
	}
}

/* ---- messages ---- */

static const char rules[] =
    "- { name: body, match: '\\bfree money\\b', score: 1.5 }\n"
    "- { name: html, in: html, match: '<script', score: 1 }\n"
    "- { name: uri, in: uri, match: '/phish\\?', score: 1 }\n"
    "- { name: host, in: host, match: '\\.evil\\.example\\.com$', score: 1 }\n"
    "- { name: file, in: attachment, match: '\\.(lnk|one)$', score: 1 }\n"
    "- { name: subject, field: Subject, match: '^win a pr\xc3\xa9mio$', score: 0.25 }\n"
    "- { name: header, in: header, match: '^X-Mailer: bulk', score: 1 }\n"
    "- { name: helo, in: helo, match: '^localhost$', score: 1 }\n"
    "- { name: from, in: mail_from, match: '^bounce-', score: 1 }\n"
    "- { name: rcpt, in: rcpt_to, match: '^trap@', score: -4 }\n"
    "- { name: q, quiet: yes, match: wire transfer }\n"
    "- { name: all, all: [ q, subject ] }\n"
    "- { name: any, any: [ q, { match: nothing } ] }\n"
    "- { name: not, all: [ q ], none: [ subject ] }\n"
    "- { name: two, count: { least: 2, of: [ body, q, { match: nothing } ] } }\n"
    "- { name: three, count: { least: 3, of: [ body, q, { match: nothing } ] } }\n"
    "- { name: both, match: wire, all: [ q ], any: [ body, host ] }\n";

static const struct {
	const char *header, *body, *helo, *from, *recipient, *facts;
} messages[] = {
	{ "", "free\r\n   money!", "there", "a@example.org", "c@example.com",
	    "body{in=body,score=1.5,part=1} score=1.5" },
	{ "", "freemoney free moneys free\r\n\r\nmoney", "there", "a@example.org", "c@example.com",
	    "none score=0" },
	{ "Content-Type: text/html\r\n", "<p>fr<b>ee</b> mo&#110;ey<script>", "there",
	    "a@example.org", "c@example.com",
	    "body{in=body,score=1.5,part=1} html{in=html,score=1,part=1} score=2.5" },
	{ "", "see http://www.EVIL.example%2ecom/phish?x=1.", "there", "a@example.org",
	    "c@example.com", "uri{in=uri,score=1,part=1} host{in=host,score=1,part=1} score=2" },
	{ "Content-Type: application/x; name*=utf-8''a%2eLNK\r\n", "x", "there", "a@example.org",
	    "c@example.com", "file{in=attachment,score=1,part=1} score=1" },
	{ "Subject: =?utf-8?q?Win_a?=\r\n =?iso-8859-1?q?_pr=E9mio?=\r\n", "x", "there",
	    "a@example.org", "c@example.com", "subject{in=Subject,score=0.25} score=0.25" },
	{ "X-MAILER:  Bulk\r\n", "x", "localhost", "bounce-1@example.org", "trap@example.com",
	    "header{in=header,score=1} helo{in=helo,score=1} from{in=mail_from,score=1} "
	    "rcpt{in=rcpt_to,score=-4} score=-1" },
	{ "Subject: win a pr\xc3\xa9mio\r\n", "wire transfer", "there", "a@example.org",
	    "c@example.com",
	    "subject{in=Subject,score=0.25} all{in=body,score=0,part=1} "
	    "any{in=body,score=0,part=1} "
	    "score=0.25" },
	{ "", "wire transfer", "there", "a@example.org", "c@example.com",
	    "any{in=body,score=0,part=1} not{in=body,score=0,part=1} score=0" },
	{ "", "Wire transfer of free money", "there", "a@example.org", "c@example.com",
	    "body{in=body,score=1.5,part=1} any{in=body,score=0,part=1} "
	    "not{in=body,score=0,part=1} "
	    "two{in=body,score=0,part=1} both{in=body,score=0,part=1} score=1.5" },
	{ "Content-Type: multipart/mixed; boundary=b\r\n",
	    "--b\r\n\r\nsome of money\r\n--b\r\nContent-Transfer-Encoding: base64\r\n\r\n"
	    "ZnJlZSBtb25leQ==\r\n--b--\r\n",
	    "there", "a@example.org", "c@example.com",
	    "body{in=body,score=1.5,part=1.2} score=1.5" },
};

static const char *
facts_of(const struct play *play)
{
	struct evidence_place place = { 0 };
	const struct fact *fact;
	const char *all = "";

	while ((fact = evidence_next(play->scope->mail.evidence, &place)) != NULL) {
		const char *about = "";

		if (strcmp(fact->filter, "rule") != 0 || strcmp(fact->value, "none") == 0)
			if (strcmp(fact->key, "result") != 0)
				continue;
		for (const struct about *one = fact->about; one != NULL && one->name != NULL; one++)
			about = arena_format(play->arena, "%s%s%s=%s", about, *about ? "," : "",
			    one->name, one->value);
		if (strcmp(fact->key, "result") != 0)
			all = arena_format(
			    play->arena, "%s%s%s=%s", all, *all ? " " : "", fact->key, fact->value);
		else
			all = arena_format(play->arena, *about ? "%s%s%s{%s}" : "%s%s%s", all,
			    *all ? " " : "", fact->value, about);
	}
	return all;
}

/* A message through the filter, in pieces of that size. */
static void
play_message(size_t number, const struct rule_set *set, size_t step)
{
	const struct rule_set *const options[] = { set }; /* as struct rule_options has it */
	const struct pipeline_row rows[] = { { registry_find("rule"), options }, { 0 } };
	struct play play;

	play_begin(&play, "198.51.100.5", rows, NULL);
	const char *text =
	    arena_format(play.arena, "%s\r\n%s", messages[number].header, messages[number].body);
	size_t length = strlen(text);

	play_helo(&play, messages[number].helo);
	play_mail(&play, (struct address) { messages[number].from, "", "example.org", false });
	play.recipient = (struct address) { messages[number].recipient, "", "example.com", false };
	struct scope *transaction = play.scope;

	play_open(&play, SCOPE_RECIPIENT, RCPT);
	play.scope = transaction;
	play.scope->mail.header = slice_of(messages[number].header);
	for (size_t i = 0; i < length; i += step)
		scope_raw(
		    play.scope, (struct slice) { text + i, length - i < step ? length - i : step });
	scope_reach(play.scope, HEADERS);
	scope_reach(play.scope, END);
	scope_run(play.scope);
	assert_string_equal(facts_of(&play), messages[number].facts);
	play_end(&play);
}

static void
test_messages(void **state)
{
	static const size_t steps[] = { 1, 7, SIZE_MAX / 2 };

	(void)state;
	for (int is_plain = 0; is_plain < 2; is_plain++) {
		struct arena *arena = arena_new(SIZE_MAX);
		char *words;
		const struct rule_set *set = read_rules(arena, rules, is_plain, &words);

		assert_string_equal(words, "");
		for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
			for (size_t j = 0; j < sizeof(steps) / sizeof(steps[0]); j++)
				play_message(i, set, steps[j]);
		free(words);
		arena_free(arena);
	}
}

/* What is not known makes unknown what hangs on it, and nothing else. */
static void
test_limit(void **state)
{
	static const char yaml[] = "- { name: bomb, match: '^(a+a?)+$(?<!a)' }\n"
				   "- { name: on-it, all: [ bomb, { match: a } ] }\n"
				   "- { name: not-it, match: a, none: [ bomb ] }\n"
				   "- { name: either, any: [ bomb, { match: a } ] }\n"
				   "- { name: off-it, all: [ bomb, { match: b } ] }\n"
				   "- { name: free, match: a }\n";
	static const uint8_t expected[] = { REGEX_LIMIT, REGEX_LIMIT, REGEX_LIMIT, REGEX_YES,
		REGEX_NO, REGEX_YES };
	struct arena *arena = arena_new(SIZE_MAX);
	struct rule_match match = { 0 };
	uint8_t standing[sizeof(expected)];
	char text[64], *words;
	const struct rule_set *set = read_rules(arena, yaml, true, &words);

	(void)state;
	memset(text, 'a', sizeof(text));
	rule_match_init(&match, arena, set);
	rule_match_text(&match, RULE_IN_BODY, false, "1", (struct slice) { text, sizeof(text) });
	rule_match_part_end(&match, false);
	rule_match_judge(&match, standing);
	assert_memory_equal(standing, expected, sizeof(expected));
	free(words);
	arena_free(arena);
}

/* A long text is looked at in pieces: a phrase at every place is found, with either. */
static void
test_everywhere(void **state)
{
	static const char yaml[] = "- { name: a, match: 'needle in the (\\w+)stack' }\n";
	struct arena *arena = arena_new(SIZE_MAX);
	char *words;

	(void)state;
	for (int is_plain = 0; is_plain < 2; is_plain++) {
		const struct rule_set *set = read_rules(arena, yaml, is_plain, &words);

		free(words);
		for (size_t before = 7000; before < 9500; before += 13) {
			struct arena *own = arena_new(SIZE_MAX);
			struct rule_match match = { 0 };
			struct buf *text = buf_new(own, 100000);
			uint8_t standing = REGEX_NO;

			while (text->length < before)
				buf_append(text, slice_of("hay "));
			buf_append(text, slice_of("needle in\r\nthe haystack"));
			while (text->length < 17000)
				buf_append(text, slice_of(" hay"));
			rule_match_init(&match, own, set);
			rule_match_text(&match, RULE_IN_BODY, false, "1", buf_slice(text));
			rule_match_part_end(&match, false);
			rule_match_judge(&match, &standing);
			assert_int_equal(standing, REGEX_YES);
			arena_free(own);
		}
	}
	arena_free(arena);
}

/* The rules that come along are good, and so are their examples. */
static void
test_shipped(void **state)
{
	const char *source = getenv("POSTERN_SOURCE");
	struct arena *arena = arena_new(SIZE_MAX);
	struct faults faults;
	struct option_reader reader = { .arena = arena, .faults = &faults };
	const char *path =
	    arena_format(arena, "%s/rules/defaults/rules.yaml", source != NULL ? source : ".");
	const struct node name = { .kind = NODE_TEXT, .text = path };

	(void)state;
	faults_init(&faults, arena);
	for (int is_plain = 0; is_plain < 2; is_plain++) {
		const struct rule_set *set = rule_set_read(&reader, &name, is_plain);

		faults_print(&faults, stderr);
		assert_non_null(set);
		for (size_t i = 0; i < set->count; i++)
			assert_true(strlen(set->rules[i].reason) > 10);
	}
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_everywhere),
		cmocka_unit_test(test_shipped),
	};

	return cmocka_run_group_tests_name("rule", tests, NULL, NULL);
}
