/*
 * spf_record: what is read of a record; what is no record; the grammar against another reading
 * of it, with records made at random, damaged, and cut at every place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/spf_compare.h"

enum { RECORDS = 3000 };

static const char *const right[] = {
	"v=spf1",
	"V=sPf1",
	"v=spf1 ",
	"v=spf1    ",
	"v=spf1 -all",
	"v=spf1 -ALL   ~All ?aLL +all all",
	"v=spf1 a A mx ptr a:a.b mx:a.b ptr:a.b include:a.b exists:a.b",
	"v=spf1 a/0 a/32 a//0 a//128 a/0//0 mx/24//64 a:a.b/8 mx:a.b//8 a:a.b/1//1",
	"v=spf1 a:%{d}/24 a:%{d/}/24 a:x/y.a.b/24 a:a.b//100",
	"v=spf1 ip4:0.0.0.0/0 ip4:255.255.255.255/32 ip4:1.2.3.4",
	"v=spf1 ip6:::/0 ip6:2001:db8::1 ip6:::ffff:1.2.3.4/128 ip6:1:2:3:4:5:6:7:8/3",
	"v=spf1 redirect=a.b",
	"v=spf1 exp=a.b redirect=%{d} -all",
	"v=spf1 REDIRECT=a.b EXP=a.b",
	"v=spf1 x= x=1 x=1 a-._9=%{c}%{r}%{t}%% match.other=%{s}",
	"v=spf1 a=b all=c",
	"v=spf1 exists:%{i}.%{sr}.%{L2R-.+,/_=}.a.b",
	"v=spf1 exists:%%%_%-%{d}",
	"v=spf1 a:a.b. a:.b1 a:1.a-2 a:a..b a:!\"#$&'()*+,-./:;<=>?@[]^_`{|}~.b",
	"v=spf1 a:%{d1000000000000000000000}",
};

static const char *const wrong[] = {
	"v=spf1 b",
	"v=spf1 -",
	"v=spf1 --all",
	"v=spf1 -all.",
	"v=spf1 all:a.b",
	"v=spf1 all/8",
	"v=spf1 a: ",
	"v=spf1 a:/24",
	"v=spf1 a:a",
	"v=spf1 a:a.1",
	"v=spf1 a:a.-b",
	"v=spf1 a:a.b-",
	"v=spf1 a:a.b..",
	"v=spf1 a:.",
	"v=spf1 a:1.2.3.4",
	"v=spf1 a:%{d}a.b%{x}",
	"v=spf1 a:a.b/33",
	"v=spf1 a:a.b/032",
	"v=spf1 a:a.b//129",
	"v=spf1 a:a.b/24/64",
	"v=spf1 a:a.b/24//",
	"v=spf1 a:a.b///64",
	"v=spf1 a:a.b/",
	"v=spf1 a:a.b/-1",
	"v=spf1 a/ 24",
	"v=spf1 mx://64",
	"v=spf1 ptr:",
	"v=spf1 ptr/24",
	"v=spf1 include",
	"v=spf1 include:",
	"v=spf1 include:a.b/24",
	"v=spf1 exists",
	"v=spf1 exists:a.b//24",
	"v=spf1 ip4",
	"v=spf1 ip4:",
	"v=spf1 ip4/8",
	"v=spf1 ip4:1.2.3",
	"v=spf1 ip4:1.2.3.256",
	"v=spf1 ip4:1.2.3.04",
	"v=spf1 ip4:1.2.3.4/33",
	"v=spf1 ip4:1.2.3.4/",
	"v=spf1 ip4:1.2.3.4//8",
	"v=spf1 ip4:::1",
	"v=spf1 ip4:::ffff:1.2.3.4",
	"v=spf1 ip6:1.2.3.4",
	"v=spf1 ip6:1:2:3:4:5:6:7",
	"v=spf1 ip6::1",
	"v=spf1 ip6:::1/129",
	"v=spf1 ip6:fe80::1%eth0",
	"v=spf1 redirect=",
	"v=spf1 redirect=a",
	"v=spf1 redirect:a.b",
	"v=spf1 redirect=a.b redirect=a.b",
	"v=spf1 +redirect=a.b",
	"v=spf1 exp=",
	"v=spf1 exp=%{c}",
	"v=spf1 exp=a.b all EXP=a.b",
	"v=spf1 =b",
	"v=spf1 -x=b",
	"v=spf1 9x=b",
	"v=spf1 x=%",
	"v=spf1 x=%{",
	"v=spf1 x=%{}",
	"v=spf1 x=%{d",
	"v=spf1 x=%{dd}",
	"v=spf1 x=%{d0}",
	"v=spf1 x=%{d00}",
	"v=spf1 x=%{dr2}",
	"v=spf1 x=%{d-r}",
	"v=spf1 x=%{d|}",
	"v=spf1 x=%a",
	"v=spf1 x=%(d)",
	"v=spf1 x=\t",
	"v=spf1 a\tmx",
	"v=spf1 x=\x7f",
	"v=spf1 x=\xc3\xa4",
	"v=spf1 a:a.b\xff",
	"v=spf1 \xff",
	"v=spf1 all\n",
};

static const struct regex *grammar;
static struct arena *arena;

static bool
is_read(struct arena *where, struct slice text, struct spf_record *record)
{
	/* A block of its own, so that a read beyond its end is seen. */
	char *copy = malloc(text.length + 1);
	const char *why = NULL;

	memcpy(copy, text.data, text.length);
	arena_defer(where, free, copy);
	bool is_right = spf_record_read(record, where, (struct slice) { copy, text.length }, &why);

	assert_true(is_right == (why == NULL));
	return is_right;
}

static void
test_right(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(right) / sizeof(*right); i++) {
		struct spf_record record;

		if (!is_read(arena, slice_of(right[i]), &record))
			fail_msg("a fault in: %s", right[i]);
		assert_int_equal(plain_is_record(grammar, slice_of(right[i])), REGEX_YES);
	}
}

static void
test_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct spf_record record;

		if (is_read(arena, slice_of(wrong[i]), &record))
			fail_msg("no fault in: %s", wrong[i]);
	}
}

static void
test_version(void **state)
{
	(void)state;
	assert_true(spf_record_is(slice_of("v=spf1")));
	assert_true(spf_record_is(slice_of("V=SPF1 -all")));
	assert_false(spf_record_is(slice_of("")));
	assert_false(spf_record_is(slice_of("v=spf")));
	assert_false(spf_record_is(slice_of("v=spf10")));
	assert_false(spf_record_is(slice_of("v=spf1\t-all")));
	assert_false(spf_record_is(slice_of(" v=spf1")));
	assert_false(spf_record_is(slice_of("spf2.0/pra -all")));
	assert_false(spf_record_is((struct slice) { "v=spf1\0-all", 11 }));
}

static void
assert_slice(struct slice slice, const char *want)
{
	assert_int_equal(slice.length, strlen(want));
	assert_memory_equal(slice.data, want, slice.length);
}

static void
test_fields(void **state)
{
	struct spf_record record;
	char network[NETWORK_TEXT_MOST];

	(void)state;
	assert_true(is_read(arena,
	    slice_of("v=spf1 ~a:%{d}.b/8//9  ip4:1.2.3.4/8 mx//7 ?ip6:2001:db8::1/16 "
		     "redirect=c.d -ptr exp=e.f"),
	    &record));
	assert_int_equal(record.count, 5);
	assert_int_equal(record.terms[0].kind, SPF_TERM_A);
	assert_int_equal(record.terms[0].qualifier, '~');
	assert_slice(record.terms[0].text, "~a:%{d}.b/8//9");
	assert_slice(record.terms[0].domain, "%{d}.b");
	assert_int_equal(record.terms[0].bits4, 8);
	assert_int_equal(record.terms[0].bits6, 9);
	assert_int_equal(record.terms[1].qualifier, '+');
	assert_string_equal(network_text(network, &record.terms[1].network), "1.0.0.0/8");
	assert_int_equal(record.terms[2].bits4, SPF_NO_BITS);
	assert_int_equal(record.terms[2].bits6, 7);
	assert_int_equal(record.terms[2].domain.length, 0);
	assert_string_equal(network_text(network, &record.terms[3].network), "2001::/16");
	assert_int_equal(record.terms[3].qualifier, '?');
	assert_slice(record.terms[4].text, "-ptr");
	assert_slice(record.redirect->domain, "c.d");
	assert_slice(record.explanation, "e.f");
}

/* It stays a network of IPv6, in which no IPv4 address is. */
static void
test_mapped(void **state)
{
	struct spf_record record;
	struct ip ip;

	(void)state;
	assert_true(is_read(arena, slice_of("v=spf1 ip6:::ffff:192.0.2.0/120"), &record));
	assert_true(ip_read(&ip, slice_of("192.0.2.1")));
	assert_int_equal(record.terms[0].network.ip.length, 16);
	assert_false(network_has(&record.terms[0].network, &ip));
}

static void
test_words(void **state)
{
	struct spf_record record;
	const char *why;

	(void)state;
	assert_false(spf_record_read(&record, arena, slice_of("v=spf1 a -al"), &why));
	assert_string_equal(why, "no term of SPF: -al");
	assert_false(spf_record_read(&record, arena, slice_of("v=spf1 ip4:1.2.3.4/99"), &why));
	assert_string_equal(why, "a wrong prefix length: ip4:1.2.3.4/99");
	assert_false(spf_record_read(&record, arena, slice_of("v=spf1 mx:a..1"), &why));
	assert_string_equal(why, "no domain: mx:a..1");
}

static void
test_nul(void **state)
{
	static const struct slice texts[] = { { "v=spf1 +all\0 -all", 17 }, { "v=spf1 \0", 8 },
		{ "v=spf1 a:a.b\0", 13 }, { "v=spf1 ip6:::1\0", 15 },
		{ "v=spf1 ip4:1.2.3.4\0", 19 }, { "v=spf1 \0=b", 10 }, { "v=spf1 x\0=b", 11 },
		{ "v=spf1 x=\0", 10 }, { "v=spf1 x=%{d\0}", 14 } };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct spf_record record;

		assert_false(is_read(arena, texts[i], &record));
	}
}

/* As many terms as are read, and one more; and 64 KiB without a blank. */
static void
test_long(void **state)
{
	struct buf *text = buf_new(arena, 1 << 17);
	struct spf_record record;

	(void)state;
	buf_append(text, slice_of("v=spf1"));
	for (int i = 0; i < SPF_TERMS_MOST; i++)
		buf_append(text, slice_of(" a"));
	assert_true(is_read(arena, buf_slice(text), &record));
	assert_int_equal(record.count, SPF_TERMS_MOST);
	buf_append(text, slice_of(" x=y"));
	assert_true(is_read(arena, buf_slice(text), &record));
	buf_append(text, slice_of(" a"));
	assert_false(is_read(arena, buf_slice(text), &record));
	buf_clear(text);
	buf_append(text, slice_of("v=spf1 a:"));
	while (text->length < 65000)
		buf_append(text, slice_of("%{d}a."));
	assert_false(is_read(arena, buf_slice(text), &record));
	buf_append(text, slice_of("b"));
	assert_true(is_read(arena, buf_slice(text), &record));
}

static uint32_t
draw(uint32_t below)
{
	static uint32_t random = 1;

	random = random * 1664525u + 1013904223u;
	return (random >> 8) % below;
}

static struct slice
random_record(struct arena *where)
{
	static const char *const pieces[] = { "a", "mx", "ptr", "all",
		"include:", "exists:", "ip4:", "ip6:", "redirect=", "exp=", "x.y=", "-", "~", "?",
		"+", ":", "=", "/", "//", "24", "0", "128", "%{d}", "%{ir}", "%{L2r-}", "%{t}",
		"%%", "%_", "%", "a.b", ".com", "192.0.2.1", "2001:db8::", " ", " ", " ",
		" a:", " mx:", " -all", "\t", "\xff", "%{p3/=}" };
	struct buf *text = buf_new(where, 4096);

	buf_append(text, slice_of("v=spf1 "));
	for (uint32_t i = draw(12); i > 0; i--)
		buf_append(text, slice_of(pieces[draw(sizeof(pieces) / sizeof(*pieces))]));
	return buf_slice(text);
}

static void
test_random(void **state)
{
	(void)state;
	for (int i = 0; i < RECORDS; i++) {
		struct arena *where = arena_new(SIZE_MAX);

		compare_grammar(where, grammar, random_record(where));
		arena_free(where);
	}
}

/* A good record with one byte changed, at every place; and cut there. */
static void
test_damaged(void **state)
{
	static const char bytes[] = " :=/%{}.-a0rR+\xff\0";

	(void)state;
	for (size_t i = 0; i < sizeof(right) / sizeof(*right); i++) {
		struct arena *where = arena_new(SIZE_MAX);
		struct spf_record record;

		for (size_t at = 6; at < strlen(right[i]); at++) {
			char *text = arena_strdup(where, right[i]);

			is_read(where, (struct slice) { text, at }, &record);
			compare_grammar(where, grammar, (struct slice) { text, at });
			text[at] = bytes[draw(sizeof(bytes))];
			is_read(where, (struct slice) { text, strlen(right[i]) }, &record);
			compare_grammar(where, grammar, (struct slice) { text, strlen(right[i]) });
		}
		arena_free(where);
	}
}

static int
set_up(void **state)
{
	(void)state;
	arena = arena_new(SIZE_MAX);
	grammar = plain_grammar(arena);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_right),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_version),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_mapped),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests_name("spf_record", tests, set_up, tear_down);
}
