/* DMARC records: own rows for each rule, then the conformance data where they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/dmarc_record.h"
#include "tests/unit/vectors.h"

enum { TEXT_MOST = 20000, LINE_MOST = 4000, COLUMNS_MOST = 16 };

static void
append_uris(char *out, const struct dmarc_uris *uris)
{
	strcat(out, "|");
	for (unsigned i = 0; i < uris->count; i++) {
		strcat(out, i > 0 ? " " : "");
		strncat(out, uris->uri[i].data, uris->uri[i].length);
	}
}

/* "verdict|p|sp|np|adkim|aspf|fo|psd|t|rua|ruf"; of what is not usable the verdict only. */
static const char *
record_text(struct slice text)
{
	static const char *const kinds[] = { "discard", "nodmarc", "policy" };
	static char out[TEXT_MOST];
	struct dmarc_record record;
	enum dmarc_kind kind = dmarc_record_read(&record, text);

	if (kind != DMARC_USABLE)
		return kinds[kind];
	snprintf(out, sizeof(out), "policy|%s|%s|%s|%c|%c|%.*s|%c|%c", dmarc_policy_word(record.p),
	    dmarc_policy_word(record.sp), dmarc_policy_word(record.np),
	    record.adkim_is_strict ? 's' : 'r', record.aspf_is_strict ? 's' : 'r',
	    (int)record.fo.length, record.fo.data, "uyn"[record.psd],
	    record.is_testing ? 'y' : 'n');
	append_uris(out, &record.rua);
	append_uris(out, &record.ruf);
	return out;
}

static void
check(const char *text, const char *expected)
{
	assert_string_equal(record_text(slice_of(text)), expected);
}

static void
test_version(void **state)
{
	(void)state;
	check("v=DMARC1;p=none", "policy|none|||r|r||u|n||");
	check(" v = DMARC1 ; p = Reject ; ", "policy|reject|||r|r||u|n||");
	check("v=dmarc1;p=none", "discard");
	check("V=DMARC1;p=none", "discard");
	check("v=DMARC10;p=none", "discard");
	check("p=none;v=DMARC1", "discard");
	check(";v=DMARC1;p=none", "discard");
	check("", "discard");
}

static void
test_policies(void **state)
{
	(void)state;
	check(
	    "v=DMARC1;p=reject;sp=none;np=quarantine", "policy|reject|none|quarantine|r|r||u|n||");
	check("v=DMARC1;p=rej", "nodmarc");
	check("v=DMARC1", "nodmarc");
	check("v=DMARC1;rua=mailto:a@a.example", "policy|none|||r|r||u|n|mailto:a@a.example|");
	check("v=DMARC1;p=reject;sp=x", "nodmarc");
	check("v=DMARC1;p=reject;np=x;rua=mailto:a@a.example",
	    "policy|none|||r|r||u|n|mailto:a@a.example|");
	check("v=DMARC1;p=none;p=none", "discard");
}

static void
test_other_tags(void **state)
{
	(void)state;
	check("v=DMARC1;adkim=S;aspf=x;t=Y;psd=n;pct=1;p=none;junk", "policy|none|||s|r||n|y||");
	check("v=DMARC1;p=none;rua=mailto:a@a.example!10m, b , mailto:c!x,mailto:d@a.example",
	    "policy|none|||r|r||u|n|mailto:a@a.example mailto:d@a.example|");
	check("v=DMARC1;p=none;ruf=mailto:a@a.example;fo=1:d:s",
	    "policy|none|||r|r|1:d:s|u|n||mailto:a@a.example");
	check("v=DMARC1;p=none;ruf=mailto:a@a.example;fo=0:1",
	    "policy|none|||r|r|0|u|n||mailto:a@a.example");
	check("v=DMARC1;p=none;fo=1", "policy|none|||r|r||u|n||");
}

static void
test_testing(void **state)
{
	(void)state;
	assert_int_equal(dmarc_policy_tested(DMARC_REJECT), DMARC_QUARANTINE);
	assert_int_equal(dmarc_policy_tested(DMARC_QUARANTINE), DMARC_NONE);
	assert_int_equal(dmarc_policy_tested(DMARC_NONE), DMARC_NONE);
}

/* However long a record is, it is read in one pass, and what does not fit is left out. */
static void
test_bounds(void **state)
{
	static char text[DMARC_RECORD_MOST + 2];
	struct dmarc_record record;
	size_t length = (size_t)sprintf(text, "v=DMARC1;p=none;rua=");

	(void)state;
	while (length + 20 < sizeof(text))
		length += (size_t)sprintf(text + length, "mailto:a@a.example,");
	assert_int_equal(dmarc_record_read(&record, slice_of(text)), DMARC_USABLE);
	assert_int_equal(record.rua.count, DMARC_URIS_MOST);
	memset(text + length, 'a', sizeof(text) - length);
	assert_int_equal(
	    dmarc_record_read(&record, (struct slice) { text, sizeof(text) }), DMARC_DISCARD);
}

static void
expect_text(char *out, char *c[COLUMNS_MOST])
{
	strcpy(out, c[2]);
	for (int i = 3; i < 13 && strcmp(c[2], "policy") == 0; i++) {
		strcat(out, "|");
		strcat(out, strcmp(c[i], "-") == 0 ? "" : c[i]);
	}
}

static void
test_vectors(void **state)
{
	static char line[LINE_MOST], text[TEXT_MOST], expected[LINE_MOST];
	char *c[COLUMNS_MOST];
	unsigned rows = 0, differ = 0;

	(void)state;
	FILE *file = vectors_open("dmarc/record.tsv");

	if (file == NULL)
		skip();
	while (fgets(line, sizeof(line), file) != NULL) {
		assert_true(vectors_split(line, c, COLUMNS_MOST) >= 14);
		expect_text(expected, c);
		const char *found =
		    record_text((struct slice) { text, vectors_unescape(text, c[1]) });

		rows++;
		if (strcmp(found, expected) != 0) {
			print_message(
			    "%s (sure=%s): %s, expected %s\n", c[0], c[13], found, expected);
			differ += strcmp(c[13], "yes") == 0;
		}
	}
	fclose(file);
	assert_true(rows > 0);
	assert_int_equal(differ, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_version),
		cmocka_unit_test(test_policies),
		cmocka_unit_test(test_other_tags),
		cmocka_unit_test(test_testing),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_vectors),
	};

	return cmocka_run_group_tests_name("dmarc_record", tests, NULL, NULL);
}
