/*
 * dns_lists: entries of the configuration laid over the well-known lists; the file of these.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/dns_lists.h"
#include "lib/yaml.h"

struct section {
	struct dns_list_entries lists;
};

static const struct option section_options[] = {
	OPTION_LIST(section, lists, dns_list_entry, dns_list_options, .shorthand = "id",
	    .max = DNS_LISTS_MOST),
	{ 0 },
};

static const struct dns_lists_use addresses = {
	.kinds = 1u << DNS_LIST_IP4 | 1u << DNS_LIST_IP6 | 1u << DNS_LIST_BOTH,
	.instead = "belongs elsewhere",
};

struct made {
	struct arena *arena;
	struct faults faults;
	struct dns_lists_made lists;
};

/* The shipped file is found as the program finds it: in the directory of data. */
static void
made_begin(struct made *made, const char *yaml)
{
	const char *source = getenv("POSTERN_SOURCE");
	struct option_reader reader;
	struct section section = { { 0 } };

	made->arena = arena_new(4 << 20);
	faults_init(&made->faults, made->arena);
	reader = (struct option_reader) { .arena = made->arena,
		.faults = &made->faults,
		.data = arena_format(made->arena, "%s/rules", source != NULL ? source : ".") };
	const struct node *root =
	    yaml_read(made->arena, "/nowhere/postern.yaml", slice_of(yaml), NULL, &made->faults);

	assert_non_null(root);
	option_read(&reader, section_options, root, &section);
	dns_lists_complete(
	    &reader, node_find(root, "lists"), &section.lists, &addresses, &made->lists);
}

static void
made_good(struct made *made, const char *yaml)
{
	made_begin(made, yaml);
	if (made->faults.count > 0)
		faults_print(&made->faults, stderr);
	assert_int_equal(made->faults.count, 0);
}

static void
made_end(struct made *made)
{
	arena_free(made->arena);
}

static void
test_forms(void **state)
{
	struct made made;

	(void)state;
	made_good(&made,
	    "lists: [ zen, { id: spamcop }, { id: local, zone: bl.example.com,\n"
	    "         codes: { 127.0.0.2: bad } }, { id: zen, key: k1 }, { id: own, zone: o.test } "
	    "]");
	const struct dns_lists *asked = &made.lists.asked;

	assert_int_equal(asked->count, 4);
	assert_string_equal(asked->item[0].id, "zen");
	assert_string_equal(asked->item[0].zone, "k1.zen.dq.spamhaus.net");
	assert_string_equal(asked->item[0].shown, "(key).zen.dq.spamhaus.net");
	assert_int_equal(asked->item[0].kind, DNS_LIST_BOTH);
	assert_string_equal(asked->item[0].words, "sbl css xbl drop pbl bcl none error");
	assert_string_equal(asked->item[1].zone, "bl.spamcop.net");
	assert_null(asked->item[1].key);
	assert_string_equal(asked->item[2].words, "bad none error");
	assert_string_equal(asked->item[3].words, "listed none error");
	assert_int_equal(asked->item[3].kind, DNS_LIST_IP4);
	assert_string_equal(dns_lists_words(&made.lists, "local"), "bad none error");
	assert_string_equal(dns_lists_words(&made.lists, "psbl"), "spam none error");
	assert_null(dns_lists_words(&made.lists, "nothing"));
	made_end(&made);
}

/* A well-known list at another zone (a mirror of one's own) keeps its table. */
static void
test_refined(void **state)
{
	struct made made;

	(void)state;
	made_good(&made,
	    "lists: [ { id: zen, zone: zen.mirror.test }, { id: psbl, codes: {\n"
	    "  127.0.0.9: nine }, listed: none }, { id: authbl, key: k2 } ]");
	const struct dns_list *zen = &made.lists.asked.item[0], *psbl = &made.lists.asked.item[1];

	assert_string_equal(zen->zone, "zen.mirror.test");
	assert_string_equal(zen->words, "sbl css xbl drop pbl bcl none error");
	assert_string_equal(psbl->words, "nine none error");
	assert_string_equal(psbl->zone, "psbl.surriel.com");
	assert_int_equal(psbl->listed.count, 0);
	assert_int_equal(psbl->unlisted.count, 2);
	assert_string_equal(made.lists.asked.item[2].zone, "k2.authbl.dq.spamhaus.net");
	made_end(&made);
}

static void
test_faults(void **state)
{
	static const struct {
		const char *yaml;
		unsigned line, column;
		const char *words;
	} cases[] = {
		{ "lists: [ zem ]", 1, 10,
		    "unknown list \"zem\"; did you mean zen, or is its zone missing" },
		{ "lists:\n  - spamcop\n  - { id: spamcpo, key: a }", 3, 5,
		    "unknown list \"spamcpo\"; did you mean spamcop" },
		{ "lists: [ something_else ]", 1, 10,
		    "unknown list \"something_else\" without a zone; well-known are: zen sbl" },
		{ "lists: [ dbl ]", 1, 10,
		    "the list dbl is about domains, which belongs elsewhere" },
		{ "lists: [ zen, ebl ]", 1, 15, "the list ebl is about hashes" },
		{ "lists: [ authbl ]", 1, 10, "the list authbl needs a key" },
		{ "lists: [ { id: spamcop, key: abc } ]", 1, 30, "takes no key" },
		{ "lists: [ { id: zen, zone: z.test, key: abc, keyed_zone: x.test } ]", 1, 57,
		    "expected a zone such as {key}.bl.example.com" },
		{ "lists: [ { zone: z.test } ]", 1, 10, "key missing: id" },
		{ "lists: [ { id: a.b, zone: z.test } ]", 1, 16, "expected an id" },
		{ "lists: [ { id: x, zone: 'z test' } ]", 1, 25, "expected a zone" },
		{ "lists: [ [ zen ] ]", 1, 10, "expected a text" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct made made;

		made_begin(&made, cases[i].yaml);
		const struct fault *fault = &made.faults.kept[0];

		if (made.faults.count == 0 || fault->line != cases[i].line ||
		    fault->column != cases[i].column ||
		    strstr(fault->words, cases[i].words) == NULL)
			fail_msg("%s: %u:%u: %s", cases[i].yaml, fault->line, fault->column,
			    made.faults.count > 0 ? fault->words : "no fault");
		assert_null(strstr(fault->words, "abc"));
		made_end(&made);
	}
}

/* Without the file nothing is silently unknown. */
static void
test_no_file(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	struct faults faults;
	struct option_reader reader = { .arena = arena, .faults = &faults, .data = "/nonexistent" };
	struct dns_lists_made made;

	(void)state;
	faults_init(&faults, arena);
	dns_lists_complete(&reader, NULL, &(struct dns_list_entries) { 0 }, &addresses, &made);
	assert_true(faults.count > 0);
	assert_string_equal(faults.kept[0].file, "defaults/lists.yaml");
	arena_free(arena);
}

/* What ships can be asked as it is, has terms, and lists that need a key say so. */
static void
test_shipped(void **state)
{
	struct made made;

	(void)state;
	made_good(&made, "lists: []");
	assert_in_range(made.lists.known.count, 20, DNS_LISTS_MOST);
	for (size_t i = 0; i < made.lists.known.count; i++) {
		const struct dns_list *list = &made.lists.known.item[i];

		assert_string_not_equal(list->terms, "");
		assert_true(list->codes.count > 0);
		for (size_t j = 0; j < i; j++) {
			assert_string_not_equal(list->id, made.lists.known.item[j].id);
			if (list->zone[0] != '\0')
				assert_string_not_equal(list->zone, made.lists.known.item[j].zone);
		}
		if (list->kind != DNS_LIST_HASH)
			assert_true(list->unlisted.count > 0);
	}
	made_end(&made);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_refined),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_shipped),
	};

	return cmocka_run_group_tests_name("dns_lists", tests, NULL, NULL);
}
