/*
 * dkim_signature: each tag of a good field left out, empty, twice, and damaged; the identity,
 * the times; a field cut at every place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/dkim_signature.h"

enum { NOW = 1800000000, TAGS = 12 };

static const char *const good[TAGS] = { "v=1", "a=rsa-sha256", "c=relaxed/simple", "d=example.org",
	"s=s1", "h=From:To:from", "t=1799999000", "x=1800000100", "i=a@sub.example.org",
	"q=dns/txt", "bh=MTIz", "b=QUJD" };

/* The field with one tag replaced (NULL: left out). */
static char *
field_with(struct arena *arena, size_t which, const char *tag)
{
	char *text = arena_strdup(arena, "");

	for (size_t i = 0; i < TAGS; i++)
		if (i != which || tag != NULL)
			text = arena_format(arena, "%s %s;", text, i == which ? tag : good[i]);
	return text;
}

static struct dkim_signature
read_field(struct arena *arena, const char *text)
{
	struct dkim_signature signature;

	dkim_signature_read(&signature, arena, slice_of(text), NOW);
	return signature;
}

static size_t
index_of(const char *tag)
{
	size_t name = strcspn(tag, "=") + 1;

	for (size_t i = 0; i < TAGS; i++)
		if (strncmp(good[i], tag, name) == 0)
			return i;
	fail_msg("%s", tag);
	return 0;
}

static void
test_good(void **state)
{
	struct arena *arena = arena_new(SIZE_MAX);
	struct dkim_signature one = read_field(arena, field_with(arena, TAGS, NULL));

	(void)state;
	assert_null(one.word);
	assert_string_equal(one.why, "");
	assert_string_equal(one.domain, "example.org");
	assert_string_equal(one.selector, "s1");
	assert_string_equal(one.algorithm, "rsa-sha256");
	assert_string_equal(one.identity, "a@sub.example.org");
	assert_string_equal(one.identity_domain, "sub.example.org");
	assert_int_equal(one.kind, DKIM_RSA_SHA256);
	assert_false(one.has_length);
	arena_free(arena);
}

struct tag_case {
	const char *tag;
	const char *word; /* NULL: good */
	const char *why;
};

static const struct tag_case tags[] = {
	{ "v=2", "permerror", "v= is not 1" },
	{ "v=1 1", "permerror", "v= is not 1" },
	{ "a=ed25519-sha256", NULL, "" },
	{ "a=rsa-sha1", "policy", "rsa-sha1 is not secure (RFC 8301)" },
	{ "a=rsa-md5", "permerror", "a= is not known" },
	{ "a=RSA-SHA256", "permerror", "a= is not known" },
	{ "c=relaxed", NULL, "" },
	{ "c=simple", NULL, "" },
	{ "c=nowsp", "permerror", "c= is not known" },
	{ "c=relaxed/", "permerror", "c= is not known" },
	{ "c=", "permerror", "c= is not known" },
	{ "d=org", "permerror", "d= is not a domain" },
	{ "d=example.org.", "permerror", "d= is not a domain" },
	{ "d=.example.org", "permerror", "d= is not a domain" },
	{ "d=exam ple.org", "permerror", "d= is not a domain" },
	{ "d=example.org(.example.com", "permerror", "d= is not a domain" },
	{ "d=sub.example.org", NULL, "" },
	{ "d=b.example.org", "permerror", "i= is not within d=" },
	{ "s=a.b-c_d", NULL, "" },
	{ "s=a..b", "permerror", "s= is not a selector" },
	{ "s=a/b", "permerror", "s= is not a selector" },
	{ "h=To:Subject", "permerror", "From is not signed" },
	{ "h=from", NULL, "" },
	{ "h=:from", "permerror", "h= has an empty name" },
	{ "h=from:", "permerror", "h= has an empty name" },
	{ "h=from:to me", "permerror", "h= has a name that is none" },
	{ "t=", "permerror", "t= is not a number" },
	{ "t=x", "permerror", "t= is not a number" },
	{ "t=-5", "permerror", "t= is not a number" },
	{ "t=1 2", "permerror", "t= is not a number" },
	{ "t=1800000100", "permerror", "x= is not after t=" },
	{ "x=1800000000", NULL, "" },
	{ "x=1799999999", "policy", "expired" },
	{ "x=1799999000", "permerror", "x= is not after t=" },
	{ "x=1e9", "permerror", "x= is not a number" },
	{ "x=9999999999999999999999999999999999999999999999999999999999999999999999999999", NULL,
	    "" },
	{ "x=99999999999999999999999999999999999999999999999999999999999999999999999999999",
	    "permerror", "x= is not a number" },
	{ "i=@example.org", NULL, "" },
	{ "i=A@EXAMPLE.ORG", NULL, "" },
	{ "i=a=40b@example.org", NULL, "" },
	{ "i=a=3Db@example.org", NULL, "" },
	{ "i=a=3db@example.org", NULL, "" },
	{ "i=a=4", "permerror", "i= is not well quoted" },
	{ "i=a=zz@example.org", "permerror", "i= is not well quoted" },
	{ "i=a@example.org=", "permerror", "i= is not well quoted" },
	{ "i=", "permerror", "i= has no domain" },
	{ "i=example.org", "permerror", "i= has no domain" },
	{ "i=a@", "permerror", "i= has no domain" },
	{ "i=a@example.com", "permerror", "i= is not within d=" },
	{ "i=a@badexample.org", "permerror", "i= is not within d=" },
	{ "i=a@org", "permerror", "i= is not within d=" },
	{ "q=x:dns/txt", NULL, "" },
	{ "q=http", "permerror", "q= is not known" },
	{ "q=", "permerror", "q= is not known" },
	{ "bh=MTI", "permerror", "bh= is not base64" },
	{ "bh=MT*z", "permerror", "bh= is not base64" },
	{ "b=QU JD\r\n\tQUJD", NULL, "" },
	{ "b=QUJD*", "permerror", "b= is not base64" },
};

static void
test_tags(void **state)
{
	struct arena *arena = arena_new(SIZE_MAX);

	(void)state;
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		struct dkim_signature one =
		    read_field(arena, field_with(arena, index_of(tags[i].tag), tags[i].tag));

		if (strcmp(one.why, tags[i].why) != 0)
			fail_msg("%s: %s", tags[i].tag, one.why);
		assert_true((one.word == NULL) == (tags[i].word == NULL));
		if (one.word != NULL)
			assert_string_equal(one.word, tags[i].word);
	}
	arena_free(arena);
}

/* Each tag left out, empty, twice, and without its "=". */
static void
test_every_tag(void **state)
{
	static const char must[] = "v a b bh d h s";
	struct arena *arena = arena_new(SIZE_MAX);

	(void)state;
	for (size_t i = 0; i < TAGS; i++) {
		const char *name =
		    arena_copy(arena, (struct slice) { good[i], strcspn(good[i], "=") });
		bool is_must = strstr(must, name) != NULL;
		struct dkim_signature without = read_field(arena, field_with(arena, i, NULL));
		struct dkim_signature empty =
		    read_field(arena, field_with(arena, i, arena_format(arena, "%s=", name)));
		struct dkim_signature twice = read_field(
		    arena, field_with(arena, i, arena_format(arena, "%s;%s", good[i], good[i])));
		struct dkim_signature alone = read_field(arena, field_with(arena, i, name));

		assert_true((without.word != NULL) == is_must);
		if (is_must)
			assert_string_equal(without.why, arena_format(arena, "no %s=", name));
		assert_string_equal(empty.word, "permerror");
		assert_string_equal(twice.why, "a tag that is there twice");
		assert_string_equal(alone.why, "a part without \"=\"");
	}
	arena_free(arena);
}

static void
test_times(void **state)
{
	struct arena *arena = arena_new(SIZE_MAX);
	size_t x = index_of("x=");
	char *text = field_with(arena, x, "z=From:a");

	(void)state;
	text = arena_format(arena, "%s", text);
	memcpy(strstr(text, "t=1799999000"), "t=1800000300", 12);
	assert_null(read_field(arena, text).word);
	memcpy(strstr(text, "t=1800000300"), "t=1800000301", 12);
	assert_string_equal(read_field(arena, text).why, "from the future");
	assert_string_equal(read_field(arena, text).word, "policy");
	arena_free(arena);
}

static void
test_length(void **state)
{
	static const struct {
		const char *tag;
		uint64_t want;
	} lengths[] = { { "l=0", 0 }, { "l=72", 72 }, { "l=000072", 72 },
		{ "l=9999999999999999999999999999999999999999", UINT64_MAX } };
	static const char *const bad[] = { "l=-1", "l=", "l=1.5", "l=0x10" };
	struct arena *arena = arena_new(SIZE_MAX);
	size_t query = index_of("q=");

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct dkim_signature one =
		    read_field(arena, field_with(arena, query, lengths[i].tag));

		assert_null(one.word);
		assert_true(one.has_length);
		assert_int_equal(one.length, lengths[i].want);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_string_equal(
		    read_field(arena, field_with(arena, query, bad[i])).why, "l= is not a number");
	arena_free(arena);
}

static void
test_many_names(void **state)
{
	struct arena *arena = arena_new(SIZE_MAX);
	char *names = arena_strdup(arena, "h=from");
	size_t which = index_of("h=");

	(void)state;
	for (int i = 1; i < DKIM_NAMES_MOST; i++)
		names = arena_format(arena, "%s:n%d", names, i);
	assert_null(read_field(arena, field_with(arena, which, names)).word);
	names = arena_format(arena, "%s:x", names);
	assert_string_equal(
	    read_field(arena, field_with(arena, which, names)).why, "too many names in h=");
	arena_free(arena);
}

static void
test_cut_everywhere(void **state)
{
	struct arena *arena = arena_new(SIZE_MAX);
	const char *text = field_with(arena, TAGS, NULL);
	size_t length = strlen(text);

	(void)state;
	for (size_t cut = 0; cut < length; cut++) {
		char *copy = malloc(cut > 0 ? cut : 1);
		struct dkim_signature one;

		memcpy(copy, text, cut);
		dkim_signature_read(&one, arena, (struct slice) { copy, cut }, NOW);
		free(copy);
		assert_true(cut >= length - 1 || one.word != NULL);
	}
	arena_free(arena);
}

/* What a stranger may have put there is text of a bounded length, whatever else it is. */
static void
test_text(void **state)
{
	struct arena *arena = arena_new(SIZE_MAX);
	char *text = arena_format(arena, "d=%01000d; s=a\x01\xff\r\n b; a=x", 0);
	struct dkim_signature one = read_field(arena, text);

	(void)state;
	assert_string_equal(one.word, "permerror");
	assert_int_equal(strlen(one.domain), 255);
	assert_string_equal(one.selector, "a???? b");
	arena_free(arena);
}

static void
test_domains(void **state)
{
	char label[66], name[256];

	(void)state;
	memset(label, 'a', sizeof(label));
	label[63] = '\0';
	assert_true(dkim_signature_is_domain(label, 1));
	assert_false(dkim_signature_is_domain(label, 2));
	label[63] = 'a';
	label[64] = '\0';
	assert_false(dkim_signature_is_domain(label, 1));
	for (size_t i = 0; i < 255; i++)
		name[i] = i % 2 == 0 ? 'a' : '.';
	name[253] = '\0';
	assert_true(dkim_signature_is_domain(name, 2));
	name[253] = '.', name[254] = 'a', name[255] = '\0';
	assert_false(dkim_signature_is_domain(name, 2));
	assert_false(dkim_signature_is_domain("", 1));
	assert_false(dkim_signature_is_domain(".", 1));
	assert_false(dkim_signature_is_domain("a.", 1));
	assert_false(dkim_signature_is_domain("\xc3\xa4.org", 2));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_tags),
		cmocka_unit_test(test_every_tag),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_many_names),
		cmocka_unit_test(test_cut_everywhere),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_domains),
	};

	return cmocka_run_group_tests_name("dkim_signature", tests, NULL, NULL);
}
