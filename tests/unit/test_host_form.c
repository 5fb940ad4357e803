/* host_form, public_suffix, name_set: hosts in disguise, and where names are registered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/host_form.h"
#include "lib/name_set.h"
#include "lib/public_suffix.h"

struct host_case {
	const char *raw, *want; /* NULL: it is none */
	unsigned int flags;
};

static const struct host_case hosts[] = {
	{ "Example.COM", "example.com", 0 },
	{ "example.com.", "example.com", 0 },
	{ "ex_am-ple.com", "ex_am-ple.com", 0 },
	{ "localhost", "localhost", 0 },
	{ "xn--", "xn--", HOST_IS_IDN },
	{ "e%76il.example%2Ecom", "evil.example.com", HOST_IS_ESCAPED },
	{ "evil%", NULL, 0 },
	{ "a%00b", NULL, 0 },
	{ "a%2525b", NULL, 0 },
	{ "", NULL, 0 },
	{ ".", NULL, 0 },
	{ "a..b", NULL, 0 },
	{ ".a", NULL, 0 },
	{ "a b", NULL, 0 },
	{ "a/b", NULL, 0 },
	/* IPv4 */
	{ "192.0.2.7", "192.0.2.7", 0 },
	{ "192.0.2.7.", "192.0.2.7", 0 },
	{ "3221225991", "192.0.2.7", HOST_IS_DISGUISED },
	{ "0xC0000207", "192.0.2.7", HOST_IS_DISGUISED },
	{ "0300.0.2.0x7", "192.0.2.7", HOST_IS_DISGUISED },
	{ "192.519", "192.0.2.7", HOST_IS_DISGUISED },
	{ "192.0.519", "192.0.2.7", HOST_IS_DISGUISED },
	{ "0000000000000000000000000300.0.2.7", "192.0.2.7", HOST_IS_DISGUISED },
	{ "0", "0.0.0.0", HOST_IS_DISGUISED },
	{ "0x", "0.0.0.0", HOST_IS_DISGUISED },
	{ "%31%39%32.0.2.7", "192.0.2.7", HOST_IS_ESCAPED | HOST_IS_DISGUISED },
	{ "4294967295", "255.255.255.255", HOST_IS_DISGUISED },
	{ "4294967296", NULL, 0 },
	{ "99999999999999999999999999", NULL, 0 },
	{ "256.0.2.7", NULL, 0 },
	{ "192.0.2.256", NULL, 0 },
	{ "192.0.65536", NULL, 0 },
	{ "192.16777216", NULL, 0 },
	{ "1.2.3.4.5", NULL, 0 },
	{ "192.0.2.08", NULL, 0 },
	{ "example.0x7", NULL, 0 },
	{ "192.0.2.7.example.com", "192.0.2.7.example.com", 0 },
	{ "0x7g", "0x7g", 0 },
	/* IPv6 */
	{ "[2001:DB8::7]", "2001:db8::7", 0 },
	{ "[::]", "::", 0 },
	{ "[::ffff:192.0.2.7]", "::ffff:c000:207", 0 },
	{ "[1:0:0:2:0:0:0:3]", "1:0:0:2::3", 0 },
	{ "[1:2:3:4:5:6:7:8]", "1:2:3:4:5:6:7:8", 0 },
	{ "[0:1:2:3:4:5:6:7]", "0:1:2:3:4:5:6:7", 0 },
	{ "[::1", NULL, 0 },
	{ "[]", NULL, 0 },
	{ "[1::2::3]", NULL, 0 },
	{ "[::1%25eth0]", NULL, 0 },
	/* beyond ASCII */
	{ "b\xc3\xbc"
	  "cher.de",
	    "xn--bcher-kva.de", HOST_IS_IDN },
	{ "B%C3%9CCHER.de", "xn--bcher-kva.de", HOST_IS_IDN | HOST_IS_ESCAPED },
	{ "fa\xc3\x9f.de", "xn--fa-hia.de", HOST_IS_IDN },
	{ "\xe2\x98\x83.net", "xn--n3h.net", HOST_IS_IDN },
	{ "p\xd0\xb0ypal.com", "xn--pypal-4ve.com", HOST_IS_IDN | HOST_IS_MIXED },
	{ "\xd0\xbf\xd0\xbe\xd1\x87\xd1\x82\xd0\xb0.com", "xn--80a1acny.com", HOST_IS_IDN },
	{ "evil\xe3\x80\x82"
	  "example\xef\xbc\x8e"
	  "com",
	    "evil.example.com", HOST_IS_WIDE },
	{ "\xef\xbd\x85vil.com", "evil.com", HOST_IS_WIDE },
	{ "\xef\xbc\x91\xef\xbc\x99\xef\xbc\x92.0.2.7", "192.0.2.7",
	    HOST_IS_WIDE | HOST_IS_DISGUISED },
	{ "ev\xc2\xadil.com", "evil.com", 0 },
	{ "-\xe2\x80\xa0", "xn----xhn", HOST_IS_IDN },
	{ "a\xff"
	  "b.com",
	    NULL, 0 },
	{ "\xc2\xad", NULL, 0 },
	{ "ev\xe2\x80\xaeil.com", NULL, 0 },
};

static void
forms(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		struct host_form form;
		bool is_host = host_form_read(&form, slice_of(hosts[i].raw));

		if (is_host != (hosts[i].want != NULL))
			fail_msg("%s: %s", hosts[i].raw, is_host ? form.text : "is none");
		if (!is_host)
			continue;
		assert_string_equal(form.text, hosts[i].want);
		if (form.flags != hosts[i].flags)
			fail_msg(
			    "%s: flags %x, expected %x", hosts[i].raw, form.flags, hosts[i].flags);
	}
}

static void
addresses(void **state)
{
	struct host_form form;
	char text[IP_TEXT_MOST];

	(void)state;
	assert_true(host_form_read(&form, slice_of("0x7f.1")));
	assert_string_equal(ip_text(text, &form.ip), "127.0.0.1");
	assert_true(host_form_read(&form, slice_of("[::ffff:192.0.2.7]")));
	assert_int_equal(form.kind, HOST_IP6);
	assert_string_equal(ip_text(text, &form.ip), "192.0.2.7");
	assert_true(host_form_read(&form, slice_of("[2001:db8::7]")));
	assert_string_equal(ip_text(text, &form.ip), "2001:db8::7");
	assert_true(host_form_read(&form, slice_of("example.com")));
	assert_int_equal(form.ip.length, 0);
}

/* Of every length, of each kind of character, up to and beyond the bounds. */
static void
lengths(void **state)
{
	static const char *const letters[] = { "a", "a.", "%61", "\xc3\xbc", "\xc3\xbc.", "1",
		"-\xc3\xbc" };
	char raw[3000];

	(void)state;
	for (size_t letter = 0; letter < sizeof(letters) / sizeof(letters[0]); letter++)
		for (size_t count = 0; count < 700; count++) {
			struct host_form form;
			size_t length = 0;

			for (size_t i = 0; i < count; i++)
				length += (size_t)sprintf(raw + length, "%s", letters[letter]);
			if (host_form_read(&form, (struct slice) { raw, length }))
				assert_in_range(strlen(form.text), 1, HOST_TEXT_MOST - 1);
		}
}

/* ---- where names are registered ---- */

static void
registered(void **state)
{
	static const char *const cases[][2] = { { "example.com", "example.com" },
		{ "a.b.example.com", "example.com" }, { "a.example.co.uk", "example.co.uk" },
		{ "a.joe.github.io", "joe.github.io" }, { "www.ck", "www.ck" },
		{ "xn--e1aybc.xn--p1ai", "xn--e1aybc.xn--p1ai" }, { "a.b.nosuch", "b.nosuch" } };
	static const char *const none[] = { "com", "co.uk", "github.io", "localhost" };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(public_suffix_registered(cases[i][0]), cases[i][1]);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_null(public_suffix_registered(none[i]));
	assert_true(public_suffix_is_top("com"));
	assert_true(public_suffix_is_top("xn--p1ai"));
	assert_false(public_suffix_is_top("php"));
	assert_false(public_suffix_is_top("local"));
	assert_false(public_suffix_is_top("7"));
}

static void
sets(void **state)
{
	struct arena *arena = arena_new(SIZE_MAX);
	struct name_set set, none = { 0 };
	size_t bad;

	(void)state;
	set = name_set_read(
	    arena, slice_of("# names\n\nb.example\r\n a.example # why\nb.example\nc"), &bad);
	assert_int_equal(bad, 0);
	assert_int_equal(set.count, 3);
	assert_true(name_set_has(&set, "a.example"));
	assert_true(name_set_has(&set, "c"));
	assert_false(name_set_has(&set, "x.a.example"));
	assert_true(name_set_covers(&set, "x.y.a.example"));
	assert_false(name_set_covers(&set, "xa.example"));
	assert_false(name_set_covers(&set, "example"));
	assert_false(name_set_covers(&none, "example"));
	name_set_read(arena, slice_of("a\nb b\nc..d"), &bad);
	assert_int_equal(bad, 2);
	name_set_read(arena, slice_of("a.\n"), &bad);
	assert_int_equal(bad, 1);
	set = name_set_read(arena, slice_of(""), &bad);
	assert_int_equal(set.count + bad, 0);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms),
		cmocka_unit_test(addresses),
		cmocka_unit_test(lengths),
		cmocka_unit_test(registered),
		cmocka_unit_test(sets),
	};

	return cmocka_run_group_tests_name("host_form", tests, NULL, NULL);
}
