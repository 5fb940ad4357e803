/*
 * dns_list: tables of codes as they are written, answers judged by them, names that are asked.
 */
#include "tests/unit/by_hand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib/dns_lists.h"
#include "lib/yaml.h"

struct read {
	struct arena *arena;
	struct faults faults;
	struct dns_lists lists;
};

static void
read_begin(struct read *read, const char *yaml)
{
	struct option_reader reader;

	read->arena = arena_new(1 << 20);
	faults_init(&read->faults, read->arena);
	reader = (struct option_reader) { .arena = read->arena, .faults = &read->faults };
	const struct node *root =
	    yaml_read(read->arena, "lists.yaml", slice_of(yaml), NULL, &read->faults);

	read->lists = root != NULL ? dns_lists_read(&reader, root) : (struct dns_lists) { 0 };
}

static void
read_good(struct read *read, const char *yaml)
{
	read_begin(read, yaml);
	if (read->faults.count > 0)
		faults_print(&read->faults, stderr);
	assert_int_equal(read->faults.count, 0);
}

static void
read_end(struct read *read)
{
	arena_free(read->arena);
}

static struct dns_answer
answer_make(struct arena *arena, const char *text)
{
	struct dns_answer answer = { .state = DNS_OK, .why = "" };
	char *copy = arena_strdup(arena, text), *rest = NULL;

	if (text[0] == '!')
		return (struct dns_answer) { .state = DNS_FAILED, .why = copy + 1 };
	answer.records = arena_alloc(arena, DNS_RECORDS_MOST * sizeof(*answer.records));
	for (char *word = strtok_r(copy, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest)) {
		char *bytes = arena_alloc(arena, 4);

		assert_int_equal(inet_pton(AF_INET, word, bytes), 1);
		answer.records[answer.count++] = (struct slice) { bytes, 4 };
	}
	if (answer.count == 0)
		answer.state = DNS_NO_NAME;
	return answer;
}

/* "sbl(127.0.0.2) xbl(127.0.0.4) error(...)", or "none" */
static const char *
judged(struct arena *arena, const struct dns_list *list, const struct dns_answer *answer)
{
	struct dns_list_result result;
	const char *text = "";

	dns_list_judge(&result, list, answer);
	for (size_t i = 0; i < result.count; i++)
		text = arena_format(arena, "%s%s%s(%s)", text, i > 0 ? " " : "",
		    result.words[i].word, result.words[i].address);
	assert_int_equal(result.count > 0, result.state == DNS_LIST_LISTED);
	assert_int_equal(result.fault == DNS_LIST_GOOD, result.why[0] == '\0');
	if (result.fault != DNS_LIST_GOOD)
		text = arena_format(
		    arena, "%s%serror(%s)", text, text[0] != '\0' ? " " : "", result.why);
	return text[0] != '\0' ? text : "none";
}

static void
assert_judged(const struct read *read, const char *answer, const char *want)
{
	struct dns_answer made = answer_make(read->arena, answer);

	assert_string_equal(judged(read->arena, &read->lists.item[0], &made), want);
}

static const char table[] = "- id: t\n"
			    "  zone: t.test\n"
			    "  codes:\n"
			    "    127.0.0.2: two\n"
			    "    127.0.0.4-7: some\n"
			    "    127.0.*.9: any\n"
			    "    127.1-2.0.3: mid\n"
			    "    127.0.0.5: five\n"
			    "    127.0.0.0-1: low\n"
			    "  errors:\n"
			    "    127.0.0.200: asked wrongly\n"
			    "    127.255.255.254: no\n";

#define OUTSIDE ": no list answers so; the zone was sold, or a resolver rewrites NXDOMAIN)"

static void
test_codes(void **state)
{
	static const char *const cases[][2] = {
		{ "", "none" },
		{ "127.0.0.2", "two(127.0.0.2)" },
		{ "127.0.0.3", "error(127.0.0.3: not in the table of its codes)" },
		{ "127.0.0.4", "some(127.0.0.4)" },
		{ "127.0.0.7 127.0.0.4", "some(127.0.0.4)" },
		{ "127.0.0.8", "error(127.0.0.8: not in the table of its codes)" },
		{ "127.0.0.5", "some(127.0.0.5) five(127.0.0.5)" },
		{ "127.0.0.9", "any(127.0.0.9)" },
		{ "127.0.255.9", "any(127.0.255.9)" },
		{ "127.3.0.9", "error(127.3.0.9: not in the table of its codes)" },
		{ "127.2.0.3", "mid(127.2.0.3)" },
		{ "127.0.0.0", "low(127.0.0.0)" },
		/* The order of records is nothing. */
		{ "127.0.0.9 127.0.0.2", "two(127.0.0.2) any(127.0.0.9)" },
		{ "127.0.0.2 127.0.0.9", "two(127.0.0.2) any(127.0.0.9)" },
		/* One that is not known does not hide the others. */
		{ "127.0.0.2 127.0.0.77",
		    "two(127.0.0.2) error(127.0.0.77: not in the table of its codes)" },
		/* These hide all others. */
		{ "127.0.0.2 127.0.0.1", "error(127.0.0.1 is never a listing)" },
		{ "127.0.0.1", "error(127.0.0.1 is never a listing)" },
		{ "127.0.0.2 127.0.0.200", "error(127.0.0.200: asked wrongly)" },
		{ "203.0.113.5", "error(203.0.113.5" OUTSIDE },
		{ "127.0.0.2 203.0.113.5", "error(203.0.113.5" OUTSIDE },
		{ "126.255.255.255", "error(126.255.255.255" OUTSIDE },
		{ "128.0.0.2", "error(128.0.0.2" OUTSIDE },
		{ "127.0.0.2 127.255.255.252",
		    "error(127.255.255.252: the name of the zone is mistyped, says the list)" },
		{ "127.255.255.255",
		    "error(127.255.255.255: too many questions, or not registered with the list)" },
		{ "127.255.255.7", "error(127.255.255.7: the list refuses to answer)" },
		{ "127.255.255.254", "error(127.255.255.254: no)" },
		{ "127.255.0.254", "error(127.255.0.254: not in the table of its codes)" },
		{ "!time limit", "error(no answer: time limit)" },
	};
	struct read read;

	(void)state;
	read_good(&read, table);
	assert_string_equal(read.lists.item[0].words, "two some any mid five low none error");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_judged(&read, cases[i][0], cases[i][1]);
	read_end(&read);
}

static void
test_bits(void **state)
{
	static const char *const cases[][2] = {
		{ "127.0.0.4", "dm(127.0.0.4)" },
		{ "127.0.0.80", "mw(127.0.0.80) abuse(127.0.0.80)" },
		{ "127.7.7.80", "mw(127.7.7.80) abuse(127.7.7.80)" },
		{ "127.0.0.254", "dm(127.0.0.254) mw(127.0.0.254) abuse(127.0.0.254)" },
		{ "127.0.0.2", "error(127.0.0.2: not in the table of its codes)" },
		{ "127.0.0.0", "error(127.0.0.0: not in the table of its codes)" },
		{ "127.0.0.1", "error(127.0.0.1: blocked)" },
		{ "127.0.0.65", "error(127.0.0.65: blocked)" },
		{ "127.255.255.254",
		    "error(127.255.255.254: asked through a public resolver, "
		    "which the list does not serve)" },
		{ "127.255.255.255",
		    "error(127.255.255.255: too many questions, or not registered with the list)" },
		{ "203.0.113.80", "error(203.0.113.80" OUTSIDE },
	};
	struct read read;

	(void)state;
	read_good(&read,
	    "- { id: b, zone: b.test, kind: domain, errors: { bit 1: blocked },\n"
	    "    codes: { bit 4: dm, bit 16: mw, bit 64: abuse } }\n");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_judged(&read, cases[i][0], cases[i][1]);
	read_end(&read);
}

/* Every one of the 2^16 answers within 127.0.x.y: 127.0.0.1 is none, and none is two things. */
static void
test_every_answer(void **state)
{
	struct read read;
	struct dns_list_result result;
	char bytes[4] = { 127, 0, 0, 0 };
	struct slice record = { bytes, 4 };
	const struct dns_answer answer = {
		.state = DNS_OK, .why = "", .count = 1, .records = &record
	};

	(void)state;
	read_good(&read, "- { id: a, zone: a.test, codes: { 127.0.*.*: any, bit 128: high } }\n");
	for (unsigned i = 0; i < 65536; i++) {
		bytes[2] = (char)(i >> 8), bytes[3] = (char)i;
		dns_list_judge(&result, &read.lists.item[0], &answer);
		assert_int_equal(result.state, i == 1 ? DNS_LIST_ERROR : DNS_LIST_LISTED);
		if (i != 1)
			assert_int_equal(result.count, 1 + ((i & 128) != 0));
	}
	read_end(&read);
}

/* An answer of more records than fit, and one with many words. */
static void
test_much(void **state)
{
	const char *yaml = "- id: m\n  zone: m.test\n  codes:\n", *text = "";
	struct read read;
	struct arena *arena = arena_new(1 << 20);

	(void)state;
	for (int i = 2; i < 62; i++) {
		yaml = arena_format(arena, "%s    127.0.0.%d: w%d\n", yaml, i, i);
		text = arena_format(arena, "%s 127.0.0.%d", text, i);
	}
	read_good(&read, yaml);
	struct dns_answer answer = answer_make(read.arena, text);
	struct dns_list_result result;

	dns_list_judge(&result, &read.lists.item[0], &answer);
	assert_int_equal(result.state, DNS_LIST_LISTED);
	assert_int_equal(result.count, DNS_LIST_WORDS_MOST);
	answer.is_cut = true;
	assert_string_equal(judged(read.arena, &read.lists.item[0], &answer),
	    "error(more than 64 addresses in one answer)");
	read_end(&read);
	arena_free(arena);
}

static void
test_faults(void **state)
{
	static const char *const cases[][2] = {
		{ "codes: { 127.0.0.256: a }", "1:35: impossible code" },
		{ "codes: { 127.0.0: a }", "1:35: impossible code" },
		{ "codes: { 127.0.0.2.3: a }", "1:35: impossible code" },
		{ "codes: { 127.0.0.02: a }", "1:35: impossible code" },
		{ "codes: { 127.0.0.7-4: a }", "1:35: impossible code" },
		{ "codes: { 127.0.0.4-: a }", "1:35: impossible code" },
		{ "codes: { 127.0.0.4-999: a }", "1:35: impossible code" },
		{ "codes: { 128.0.0.2: a }", "1:35: impossible code" },
		{ "codes: { 126-127.0.0.2: a }", "1:35: impossible code" },
		{ "codes: { '*.0.0.2': a }", "1:35: impossible code" },
		{ "codes: { 127.0.0.2x: a }", "1:35: impossible code" },
		{ "codes: { '': a }", "1:35: impossible code" },
		{ "codes: { bit 3: a }", "1:35: impossible code" },
		{ "codes: { bit 0: a }", "1:35: impossible code" },
		{ "codes: { bit 256: a }", "1:35: impossible code" },
		{ "codes: { bit: a }", "1:35: impossible code" },
		{ "codes: { 'bit 4 ': a }", "1:35: impossible code" },
		{ "codes: { 127.0.0.1: a }", "1:35: 127.0.0.1 is an error of every list" },
		{ "codes: { 127.255.255.254: a }", "is an error of every list" },
		{ "codes: { 127.0.0.2: none }", "1:46: impossible value \"none\"" },
		{ "codes: { 127.0.0.2: error }", "impossible value" },
		{ "codes: { 127.0.0.2: A b }", "impossible value" },
		{ "codes: { 127.0.0.2: [a] }", "impossible value" },
		{ "codes: { 127.0.0.2: }", "there is no value" },
		{ "codes: { }", "codes and their words" },
		{ "codes: a", "codes and their words" },
		{ "errors: { 127.0.0.2: }", "there is no value" },
		{ "errors: { 1.2.3.4: a }", "impossible code" },
		{ "kind: ip5", "1:32: impossible value \"ip5\"" },
		{ "zone: a..b", "key" },
		{ "listed: 127.0.0.300", "1:34: impossible test point" },
		{ "listed: 127.0.0.0/8", "impossible test point" },
		{ "unlisted: 10.0.0.0/33", "impossible test point" },
		{ "unlisted: [ 10.0.0.0/8, x ]", "impossible test point \"x\"" },
		{ "kind: domain, listed: '*.a'", "impossible test point" },
		{ "kind: domain, unlisted: 'a b'", "impossible test point" },
		{ "key: abc", "takes no key" },
		{ "keyed_zone: bl.test, key: abc", "expected a zone such as {key}" },
		{ "keyed_zone: '{key}.{key}.test', key: abc", "expected a zone such as {key}" },
		{ "keyed_zone: '{key}.bl.test', key: a.b", "impossible key: expected letters" },
		{ "colour: red", "unknown key \"colour\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct read read;
		char yaml[300], first[400];

		snprintf(yaml, sizeof(yaml), "- { id: x, zone: x.test, %s }\n", cases[i][0]);
		read_begin(&read, yaml);
		assert_true(read.faults.count > 0);
		snprintf(first, sizeof(first), "%u:%u: %s", read.faults.kept[0].line,
		    read.faults.kept[0].column, read.faults.kept[0].words);
		if (strstr(first, cases[i][1]) == NULL)
			fail_msg("%s: %s", cases[i][0], first);
		assert_null(strstr(first, "abc"));
		read_end(&read);
	}
}

static void
test_names(void **state)
{
	static const uint8_t four[4] = { 198, 51, 100, 5 },
			     six[16] = { 0x20, 1, 0xd, 0xb8, [15] = 5 };
	char name[DNS_NAME_MOST], text[DNS_NAME_MOST], why[DNS_LIST_WHY_MOST];
	struct read read;

	(void)state;
	read_good(&read,
	    "- { id: z, kind: both, keyed_zone: '{key}.z.test', key: SeCreT9 }\n"
	    "- { id: d, kind: domain, zone: d.test }\n");
	const struct dns_list *z = &read.lists.item[0], *d = &read.lists.item[1];

	assert_string_equal(z->shown, "(key).z.test");
	assert_string_equal(dns_list_name(name, z, (struct slice) { (const char *)four, 4 }),
	    "5.100.51.198.SeCreT9.z.test");
	assert_string_equal(dns_list_name(name, z, (struct slice) { (const char *)six, 16 }),
	    "5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.SeCreT9.z.test");
	assert_string_equal(dns_list_domain(name, d, "a.example."), "a.example.d.test");
	assert_string_equal(dns_list_domain(name, d, ""), "");
	memset(text, 'a', 250);
	text[250] = '\0';
	assert_string_equal(dns_list_domain(name, d, text), "");
	assert_string_equal(
	    dns_list_hide(why, z, "failure <5.100.51.198.secret9.z.test. A IN>: SECRET9"),
	    "failure <5.100.51.198.(key).z.test. A IN>: (key)");
	memset(text, 'S', 250);
	assert_true(strlen(dns_list_hide(why, z, text)) < sizeof(why));
	struct dns_answer failed = answer_make(read.arena, "!bogus 2.secret9.z.test");

	assert_string_equal(
	    judged(read.arena, z, &failed), "error(no answer: bogus 2.(key).z.test)");
	read_end(&read);
}

/* Which test points there are if nothing is said, and that what is drawn is within. */
static void
test_points(void **state)
{
	char name[DNS_NAME_MOST], again[DNS_NAME_MOST], text[DNS_NAME_MOST];
	unsigned same = 0;
	struct read read;

	(void)state;
	read_good(&read,
	    "- { id: a, zone: t }\n"
	    "- { id: s, zone: t, kind: ip6 }\n"
	    "- { id: d, zone: t, kind: domain }\n"
	    "- { id: h, zone: t, kind: hash }\n"
	    "- { id: n, zone: t, listed: none, unlisted: [ 10.1.2.0/30 ] }\n");
	const struct dns_list *a = &read.lists.item[0], *s = &read.lists.item[1],
			      *d = &read.lists.item[2], *h = &read.lists.item[3],
			      *n = &read.lists.item[4];

	assert_string_equal(dns_list_point(name, a, &a->listed.item[0], text), "2.0.0.127.t");
	assert_string_equal(text, "127.0.0.2");
	assert_string_equal(dns_list_point(name, a, &a->unlisted.item[0], NULL), "1.0.0.127.t");
	assert_string_equal(dns_list_point(name, s, &s->listed.item[0], text),
	    "2.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.t");
	assert_string_equal(dns_list_point(name, d, &d->listed.item[0], NULL), "TEST.t");
	assert_string_equal(dns_list_point(name, d, &d->unlisted.item[0], NULL), "INVALID.t");
	assert_int_equal(h->listed.count + h->unlisted.count + n->listed.count, 0);
	for (int i = 0; i < 100; i++) {
		unsigned first;

		dns_list_point(name, a, &a->unlisted.item[1], text);
		assert_int_equal(sscanf(text, "%u.", &first), 1);
		assert_in_range(first, 240, 255);
		dns_list_point(again, a, &a->unlisted.item[1], NULL);
		same += strcmp(name, again) == 0;
		dns_list_point(name, n, &n->unlisted.item[0], text);
		assert_memory_equal(text, "10.1.2.", 7);
		assert_in_range(atoi(text + 7), 0, 3);
		dns_list_point(name, s, &s->unlisted.item[1], text);
		assert_memory_equal(text, "100::", 5);
		dns_list_point(name, d, &d->unlisted.item[1], text);
		assert_non_null(strstr(name, ".invalid.t"));
	}
	assert_true(same < 3);
	read_end(&read);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_codes),
		cmocka_unit_test(test_bits),
		cmocka_unit_test(test_every_answer),
		cmocka_unit_test(test_much),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_points),
	};

	return cmocka_run_group_tests_name("dns_list", tests, NULL, NULL);
}
