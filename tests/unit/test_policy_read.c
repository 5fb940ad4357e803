/* rules/policy_read: rules from YAML, good and bad; the hash. */
#include "tests/unit/config_text.h"

#include "filters/registry.h"

/* Rules begin in line 7, column 5. */
#define RULES BASE "policy:\n  - "
#define EXPECT(rule, words)                                                                        \
	{                                                                                          \
		RULES rule "\n", words                                                             \
	}

static void
test_full(void **state)
{
	(void)state;
	struct config_text text = config_text_good(
	    RULES "name: full-1.a_B\n"
		  "    when: { ptr: [ mismatch, none ], smtp.auth: no }\n"
		  "    unless: { smtp.tls: yes }\n"
		  "    for: [ C@Example.com, postmaster@, Example.COM, .example.com, "
		  "\"listener *:2525\" ]\n"
		  "    do: reject\n"
		  "    text: \"5.7.1 {client} {name} {helo} {from} {recipient} {rule} {detail} "
		  "{case}\"\n");
	const struct rule *rule = text.config->policy.rules;

	assert_string_equal(rule->name, "full-1.a_B");
	assert_string_equal(rule->when[0].filter, "ptr");
	assert_string_equal(rule->when[0].key, "result");
	assert_int_equal(rule->when[0].stage, CONNECT);
	assert_true(rule->when[0].is_off);
	assert_string_equal(rule->when[0].values[0], "mismatch");
	assert_string_equal(rule->when[0].values[1], "none");
	assert_null(rule->when[0].values[2]);
	assert_string_equal(rule->when[1].filter, "smtp");
	assert_string_equal(rule->when[1].key, "auth");
	assert_int_equal(rule->when[1].stage, MAIL);
	assert_false(rule->when[1].is_off);
	assert_string_equal(rule->when[1].values[0], "no");
	assert_null(rule->when[2].filter);
	assert_string_equal(rule->unless[0].key, "tls");
	assert_null(rule->unless[1].filter);
	assert_string_equal(rule->scope.recipients[0], "C@Example.com");
	assert_string_equal(rule->scope.recipients[1], "postmaster@");
	assert_null(rule->scope.recipients[2]);
	assert_string_equal(rule->scope.domains[0], "example.com");
	assert_string_equal(rule->scope.domains[1], ".example.com");
	assert_null(rule->scope.domains[2]);
	assert_string_equal(rule->scope.listeners[0], "*:2525");
	assert_null(rule->scope.listeners[1]);
	assert_int_equal(rule->action, REJECT);
	assert_non_null(rule->text);
	assert_false(rule->is_shadow);
	assert_false(rule->speaks_at_once);
	assert_null(rule[1].name);
	config_text_end(&text);
}

/* do: ban is a rejection with a time; `for:` narrows nothing then. */
static void
test_ban(void **state)
{
	(void)state;
	struct config_text text = config_text_good(BASE
	    "policy:\n"
	    "  - { name: a, when: { smtp.early_talker: yes }, do: ban, for: 90m }\n"
	    "  - { name: b, when: { ptr: none }, do: ban, text: \"5.7.1 no\", speak: at_once }\n"
	    "  - { name: c, do: reject }\n");
	const struct rule *rules = text.config->policy.rules;

	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(rules[i].action, REJECT);
		assert_string_equal(rule_action(&rules[i]), i < 2 ? "ban" : "reject");
		assert_null(rules[i].scope.domains);
	}
	assert_true(rules[0].ban == 5400 && rules[1].ban == 3600 && rules[2].ban == 0);
	assert_true(rules[1].speaks_at_once);
	config_text_end(&text);

	static const struct config_wrong wrong[] = {
		EXPECT("{ name: a, do: ban, for: example.com }",
		    "t.yaml:7:30: impossible value \"example.com\": expected with do: ban a time "
		    "such "
		    "as 1h, between 1s and 365d\n"),
		EXPECT("{ name: a, do: ban, for: [ 1h ] }",
		    "t.yaml:7:30: impossible value (a list): expected with do: ban a time such as "
		    "1h, "
		    "between 1s and 365d\n"),
		EXPECT("{ name: a, do: ban, for: 400d }",
		    "t.yaml:7:30: impossible value \"400d\": expected with do: ban a time such as "
		    "1h, "
		    "between 1s and 365d\n"),
		EXPECT("{ name: a, do: ban, to: x@y.z }",
		    "t.yaml:7:29: to: means nothing without do: redirect\n"),
		{ 0 },
	};

	config_text_expect_all(wrong);
}

static void
test_actions(void **state)
{
	(void)state;
	struct config_text text = config_text_good(
	    BASE "policy:\n"
		 "  - { name: a, do: accept }\n"
		 "  - { name: b, do: reject, speak: at_once, when: { ptr: none } }\n"
		 "  - { name: c, do: defer, text: \"4.7.1 Later\", speak: late }\n"
		 "  - { name: d, do: tag, mode: shadow }\n"
		 "  - { name: e, do: discard, for: a@b.c }\n"
		 "  - { name: f, do: redirect, to: x@y.z }\n"
		 "  - { name: g, score: -1.5, mode: enforce }\n"
		 "thresholds: { tag: 2, reject: 3 }\nmode: shadow\n");
	const struct rule *rules = text.config->policy.rules;

	for (size_t i = 0; i < 7; i++)
		assert_int_equal(rules[i].action, i);
	assert_true(rules[1].speaks_at_once);
	assert_false(rules[2].speaks_at_once);
	assert_string_equal(rules[2].text, "4.7.1 Later");
	assert_true(rules[3].is_shadow);
	assert_string_equal(rules[4].scope.recipients[0], "a@b.c");
	assert_null(rules[4].scope.domains);
	assert_null(rules[4].scope.listeners);
	assert_string_equal(rules[5].redirect, "x@y.z");
	assert_true(rules[6].score == -1.5);
	assert_false(rules[6].is_shadow);
	assert_null(rules[6].when[0].filter);
	assert_true(text.config->policy.tag == 2 && text.config->policy.reject == 3);
	assert_true(text.config->policy.is_shadow);
	config_text_end(&text);
}

static void
test_words(void **state)
{
	(void)state;
	static const struct {
		const char *word, *value;
	} words[] = { { "yes", "yes" }, { "\"yes\"", "yes" }, { "true", "yes" }, { "On", "yes" },
		{ "no", "no" }, { "false", "no" }, { "off", "no" } };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		char yaml[400];
		struct config_text text;

		snprintf(yaml, sizeof(yaml), RULES "{ name: a, when: { smtp.tls: %s }, do: tag }\n",
		    words[i].word);
		text = config_text_good(yaml);
		assert_string_equal(text.config->policy.rules[0].when[0].values[0], words[i].value);
		config_text_end(&text);
	}
}

/* Nothing like it: all that there are are named. */
static void
test_unknown_filter(void **state)
{
	(void)state;
	struct config_text text =
	    config_text_read(BASE "policy:\n  - { name: a, when: { zebra: none }, do: tag }\n");

	assert_non_null(strstr(text.words, "unknown filter \"zebra\"; there are: ip_list "));
	for (size_t i = 0; registry[i] != NULL; i++)
		assert_non_null(strstr(text.words, registry[i]->name));
	config_text_end(&text);
}

static void
test_facts(void **state)
{
	(void)state;
	static const struct config_wrong wrong[] = {
		EXPECT("{ name: a, when: { prt: none }, do: tag }",
		    "t.yaml:7:24: unknown filter \"prt\"; did you mean ptr\n"),
		EXPECT("{ name: a, unless: { ptr: non }, do: tag }",
		    "t.yaml:7:31: ptr is never \"non\"; did you mean none\n"),
		EXPECT("{ name: a, when: { ptr: [ none, listed ] }, do: tag }",
		    "t.yaml:7:37: ptr is never \"listed\"; it can be: pass none mismatch generic "
		    "error\n"),
		EXPECT("{ name: a, when: { smtp: yes }, do: tag }",
		    "t.yaml:7:24: unknown fact \"smtp\"; there are: smtp.early_talker smtp.harvest "
		    "smtp.tls "
		    "smtp.auth smtp.bare_newline smtp.errors smtp.pipelining_abuse\n"),
		EXPECT("{ name: a, when: { smtp.aut: yes }, do: tag }",
		    "t.yaml:7:24: unknown fact \"smtp.aut\"; did you mean smtp.auth\n"),
		EXPECT("{ name: a, when: { smtp.auth: maybe }, do: tag }",
		    "t.yaml:7:35: smtp.auth is never \"maybe\"; it can be: yes no\n"),
		EXPECT("{ name: a, when: { ptr: }, do: tag }",
		    "t.yaml:7:29: there is no value: expected pass none mismatch generic error\n"),
		EXPECT("{ name: a, when: { ptr: [] }, do: tag }",
		    "t.yaml:7:29: impossible value (a list): expected pass none mismatch generic "
		    "error\n"),
		EXPECT("{ name: a, when: { ptr: { none: yes } }, do: tag }",
		    "t.yaml:7:29: impossible value (a map): expected pass none mismatch generic "
		    "error\n"),
		EXPECT("{ name: a, when: ptr, do: tag }",
		    "t.yaml:7:22: impossible value \"ptr\": expected facts, such as { ptr: none "
		    "}\n"),
		EXPECT("{ name: a, when: {}, do: tag }",
		    "t.yaml:7:22: impossible value (a map): expected facts, such as { ptr: none "
		    "}\n"),
		EXPECT("{ name: a, when: { relay: denid }, do: tag }",
		    "t.yaml:7:31: relay is never \"denid\"; did you mean denied\n"),
		{ 0 },
	};

	config_text_expect_all(wrong);
}

static void
test_form(void **state)
{
	(void)state;
	static const struct config_wrong wrong[] = {
		{ BASE "policy: { name: a }\n",
		    "t.yaml:6:9: impossible value (a map): expected a list of rules\n" },
		EXPECT("reject",
		    "t.yaml:7:5: impossible value \"reject\": expected a rule, such as { name: "
		    "no-name, when: { ptr: none }, do: defer }\n"),
		EXPECT("{ do: reject }", "t.yaml:7:5: key missing: name\n"),
		EXPECT("{ name: \"a b\", do: reject }",
		    "t.yaml:7:13: impossible value \"a b\": expected a name of letters, digits, - "
		    "_ and ., such as no-name\n"),
		EXPECT("{ name: relay, do: reject }",
		    "t.yaml:7:13: the name relay is postern's own\n"),
		EXPECT(
		    "{ name: a, do: reject }\n  - { name: b, do: tag }\n  - { name: a, do: tag }",
		    "t.yaml:9:13: there is a rule \"a\" already, in line 7 of t.yaml\n"),
		EXPECT(
		    "{ name: a }", "t.yaml:7:5: what does this rule do? Expected do: or score:\n"),
		EXPECT("{ name: a, do: reject, score: 1 }",
		    "t.yaml:7:35: a rule has do: or score:, not both\n"),
		EXPECT("{ name: a, do: rejct }",
		    "t.yaml:7:20: impossible value \"rejct\": expected accept, reject, defer, tag, "
		    "discard, redirect or ban; did you mean reject\n"),
		EXPECT("{ name: a, score: much }",
		    "t.yaml:7:23: impossible value \"much\": expected a number between -100000 "
		    "and 100000, or a fact that is one: rule.score\n"),
		EXPECT("{ name: a, score: rule.scor }",
		    "t.yaml:7:23: the fact rule.scor is no number\n"),
		EXPECT("{ name: a, score: mime.fault }",
		    "t.yaml:7:23: the fact mime.fault is no number\n"),
		EXPECT("{ name: a, when: { rule.score: 5 }, do: tag }",
		    "t.yaml:7:24: rule.score is a number, which is added: score: rule.score; "
		    "thresholds: compare the sum\n"),
		EXPECT("{ name: a, score: 100001 }",
		    "t.yaml:7:23: impossible value \"100001\": expected a number between -100000 "
		    "and 100000, or a fact that is one: rule.score\n"),
		EXPECT("{ name: a, wen: { ptr: none }, do: tag }",
		    "t.yaml:7:16: unknown key \"wen\"; did you mean when\n"),
		{ 0 },
	};

	config_text_expect_all(wrong);
}

static void
test_text(void **state)
{
	(void)state;
	static const struct config_wrong wrong[] = {
		EXPECT("{ name: a, do: tag, text: x }",
		    "t.yaml:7:31: text: means nothing without do: reject or do: defer\n"),
		EXPECT("{ name: a, score: 1, text: x }",
		    "t.yaml:7:32: text: means nothing without do: reject or do: defer\n"),
		EXPECT("{ name: a, do: reject, text: 4.7.1 no }",
		    "t.yaml:7:34: the code 4.7.1 does not belong to this action: it begins with "
		    "5\n"),
		EXPECT("{ name: a, do: defer, text: 5.7.1 }",
		    "t.yaml:7:33: the code 5.7.1 does not belong to this action: it begins with "
		    "4\n"),
		EXPECT("{ name: a, do: defer, text: \"a {clinet} b\" }",
		    "t.yaml:7:33: unknown {clinet} in the text; did you mean client\n"),
		EXPECT("{ name: a, do: defer, text: \"a {x} b\" }",
		    "t.yaml:7:33: unknown {x} in the text; there are {client} {name} {helo} "
		    "{from} {recipient} {rule} {detail} {case}\n"),
		EXPECT("{ name: a, do: defer, text: \"a {client\" }",
		    "t.yaml:7:33: a { in the text without its }\n"),
		EXPECT("{ name: a, do: defer, text: \"a\\nb\" }",
		    "t.yaml:7:33: a reply's text is one line of printable ASCII\n"),
		EXPECT("{ name: a, do: redirect }",
		    "t.yaml:7:20: redirect needs an address: to: abuse@example.com\n"),
		EXPECT("{ name: a, do: redirect, to: abuse }",
		    "t.yaml:7:34: impossible value \"abuse\": expected an address such as "
		    "abuse@example.com\n"),
		EXPECT("{ name: a, do: reject, to: a@b.c }",
		    "t.yaml:7:32: to: means nothing without do: redirect\n"),
		{ 0 },
	};

	config_text_expect_all(wrong);
}

static void
test_scope(void **state)
{
	(void)state;
	static const struct config_wrong wrong[] = {
		EXPECT("{ name: a, do: tag, for: \"*.example.com\" }",
		    "t.yaml:7:30: no patterns here: \".example.com\" stands for the sub-domains, "
		    "\"example.com\" for the domain itself\n"),
		EXPECT("{ name: a, do: tag, for: [ a..b ] }",
		    "t.yaml:7:32: impossible value \"a..b\": expected a domain such as "
		    "example.com, or .example.com for those below it\n"),
		EXPECT("{ name: a, do: tag, for: \"a b@c.d\" }",
		    "t.yaml:7:30: impossible value \"a b@c.d\": expected a recipient such as "
		    "c@example.com, or postmaster@\n"),
		EXPECT("{ name: a, do: tag, for: \"@c.d\" }",
		    "t.yaml:7:30: impossible value \"@c.d\": expected a recipient such as "
		    "c@example.com, or postmaster@\n"),
		EXPECT("{ name: a, do: tag, for: \"@\" }",
		    "t.yaml:7:30: impossible value \"@\": expected a recipient such as "
		    "c@example.com, or postmaster@\n"),
		EXPECT("{ name: a, do: tag, for: \"listener *:25\" }",
		    "t.yaml:7:30: no listener \"*:25\"; did you mean listener *:2525\n"),
		EXPECT("{ name: a, do: tag, for: [] }",
		    "t.yaml:7:30: impossible value (a list): expected recipients, domains or "
		    "listeners\n"),
		EXPECT("{ name: a, do: tag, for: { a: b } }",
		    "t.yaml:7:30: impossible value (a map): expected c@example.com, postmaster@, "
		    "example.com or \"listener *:25\"\n"),
		{ 0 },
	};

	config_text_expect_all(wrong);
}

static void
test_speak(void **state)
{
	(void)state;
	static const struct config_wrong wrong[] = {
		EXPECT("{ name: a, do: tag, speak: at_once }",
		    "t.yaml:7:32: speak: means nothing without do: reject or do: defer\n"),
		EXPECT("{ name: a, do: reject, when: { smtp.auth: no }, speak: at_once }",
		    "t.yaml:7:60: cannot speak at once: smtp.auth is not known before the "
		    "greeting\n"),
		EXPECT("{ name: a, do: reject, unless: { smtp.auth: yes }, speak: at_once }",
		    "t.yaml:7:63: cannot speak at once: smtp.auth is not known before the "
		    "greeting\n"),
		EXPECT("{ name: a, do: tag, speak: late }",
		    "t.yaml:7:32: speak: means nothing without do: reject or do: defer\n"),
		EXPECT("{ name: a, do: reject, for: b.c, speak: at_once }",
		    "t.yaml:7:45: cannot speak at once: the recipient is not known before the "
		    "greeting\n"),
		EXPECT("{ name: a, do: reject, speak: now }",
		    "t.yaml:7:35: impossible value \"now\": expected late or at_once\n"),
		{ 0 },
	};

	config_text_expect_all(wrong);
}

/* What a filter in shadow mode finds decides nothing. */
static void
test_shadow_filter(void **state)
{
	(void)state;
	struct config_text text = config_text_good(
	    BASE "filters: { ptr: { mode: shadow }, ip_list: {} }\n"
		 "policy:\n"
		 "  - { name: a, when: { ptr: none }, do: reject }\n"
		 "  - { name: b, when: { ip_list: block }, unless: { ptr: pass }, do: reject }\n"
		 "  - { name: c, when: { ptr: none }, unless: { ptr: pass }, do: reject }\n"
		 "  - { name: d, when: { ip_list: block }, do: reject }\n");
	const struct rule *rules = text.config->policy.rules;

	assert_true(rules[0].is_shadow);
	assert_false(rules[1].is_shadow);
	assert_true(rules[1].unless[0].is_off);
	assert_true(rules[2].is_shadow);
	assert_false(rules[2].unless[0].is_off);
	assert_false(rules[3].is_shadow);
	config_text_end(&text);
}

static void
test_hash(void **state)
{
	(void)state;
	static const char *const different[] = {
		RULES "{ name: a, when: { ptr: none }, do: tag }\n",
		RULES "{ name: b, when: { ptr: none }, do: tag }\n",
		RULES "{ name: a, when: { ptr: pass }, do: tag }\n",
		RULES "{ name: a, when: { ptr: [ none, pass ] }, do: tag }\n",
		RULES "{ name: a, unless: { ptr: none }, do: tag }\n",
		RULES "{ name: a, when: { ptr: none }, do: discard }\n",
		RULES "{ name: a, when: { ptr: none }, do: tag, mode: shadow }\n",
		RULES "{ name: a, when: { ptr: none }, do: tag, for: a.b }\n",
		RULES "{ name: a, when: { ptr: none }, do: tag, for: a@b }\n",
		RULES "{ name: a, when: { ptr: none }, do: reject }\n",
		RULES "{ name: a, when: { ptr: none }, do: reject, text: no }\n",
		RULES "{ name: a, when: { ptr: none }, do: reject, speak: at_once }\n",
		RULES "{ name: a, when: { ptr: none }, do: tag }\nthresholds: { tag: 1 }\n",
		RULES "{ name: a, when: { ptr: none }, do: tag }\nthresholds: { reject: 1 }\n",
		RULES "{ name: a, when: { ptr: none }, do: tag }\nmode: shadow\n",
	};
	enum { COUNT = sizeof(different) / sizeof(*different) };
	struct config_text texts[COUNT];
	struct config_text same =
	    config_text_good("mode: enforce\n" RULES "name: \"a\"\n    do: tag # and words\n"
			     "    when:\n      ptr.result: [ none ]\n");

	for (size_t i = 0; i < COUNT; i++)
		texts[i] = config_text_good(different[i]);
	assert_string_equal(texts[0].config->policy.hash, same.config->policy.hash);
	for (size_t i = 0; i < COUNT; i++)
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(
			    texts[i].config->policy.hash, texts[j].config->policy.hash);
	for (size_t i = 0; i < COUNT; i++)
		config_text_end(&texts[i]);
	config_text_end(&same);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_ban),
		cmocka_unit_test(test_actions),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_unknown_filter),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_scope),
		cmocka_unit_test(test_speak),
		cmocka_unit_test(test_shadow_filter),
		cmocka_unit_test(test_hash),
	};

	return cmocka_run_group_tests_name("policy_read", tests, NULL, NULL);
}
