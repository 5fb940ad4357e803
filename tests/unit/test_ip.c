#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/un.h>

#include "lib/ip.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct text_case {
	const char *text;
	const char *want; /* NULL: refused */
};

static const struct text_case ip_cases[] = {
	{ "0.0.0.0", "0.0.0.0" },
	{ "255.255.255.255", "255.255.255.255" },
	{ "192.0.2.1", "192.0.2.1" },
	{ "::", "::" },
	{ "::1", "::1" },
	{ "2001:DB8::A", "2001:db8::a" },
	{ "2001:0db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1" },
	{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
	{ "::ffff:192.0.2.1", "192.0.2.1" },
	{ "::FFFF:c000:201", "192.0.2.1" },
	{ "0:0:0:0:0:ffff:1.2.3.4", "1.2.3.4" },
	{ "64:ff9b::192.0.2.1", "64:ff9b::c000:201" },
	{ "", NULL },
	{ "1", NULL },
	{ "1.2.3", NULL },
	{ "1.2.3.", NULL },
	{ ".1.2.3", NULL },
	{ "1..2.3", NULL },
	{ "1.2.3.4.", NULL },
	{ "1.2.3.4.5", NULL },
	{ "1.2.3.256", NULL },
	{ "1.2.3.1000", NULL },
	{ "1.2.3.99999999999999999999", NULL },
	{ "01.2.3.4", NULL },
	{ "1.2.3.00", NULL },
	{ "0x1.2.3.4", NULL },
	{ "1.2.3.-4", NULL },
	{ "1.2.3.+4", NULL },
	{ " 1.2.3.4", NULL },
	{ "1.2.3.4 ", NULL },
	{ "1.2.3.4\n", NULL },
	{ "1,2.3.4", NULL },
	{ ":", NULL },
	{ ":::", NULL },
	{ "1::2::3", NULL },
	{ "1:2:3:4:5:6:7", NULL },
	{ "1:2:3:4:5:6:7:8:9", NULL },
	{ "12345::", NULL },
	{ "g::", NULL },
	{ "fe80::1%eth0", NULL },
	{ "fe80::1%1", NULL },
	{ "[::1]", NULL },
	{ "::ffff:1.2.3", NULL },
	{ "::ffff:01.2.3.4", NULL },
	{ "::1/128", NULL },
	{ "0000000000000000000000000000000000000000000000::1", NULL },
};

static void
test_addresses(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(ip_cases); i++) {
		char text[IP_TEXT_MOST];
		struct ip ip;
		bool is_read = ip_read(&ip, slice_of(ip_cases[i].text));

		if (is_read != (ip_cases[i].want != NULL))
			fail_msg("\"%s\" was %s", ip_cases[i].text, is_read ? "read" : "refused");
		if (!is_read)
			assert_int_equal(ip.length, 0);
		assert_string_equal(ip_text(text, &ip), is_read ? ip_cases[i].want : "");
	}
}

/* Each text in a block of exactly its size: nothing may be read behind it. */
static bool
read_exact(struct ip *ip, const char *text, size_t length)
{
	char *copy = malloc(length > 0 ? length : 1);

	memcpy(copy, text, length);
	bool is_read = ip_read(ip, (struct slice) { .data = copy, .length = length });

	free(copy);
	return is_read;
}

static void
test_addresses_cut_everywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(ip_cases); i++)
		for (size_t length = 0; length <= strlen(ip_cases[i].text); length++) {
			char text[IP_TEXT_MOST];
			struct ip ip, again;

			if (!read_exact(&ip, ip_cases[i].text, length))
				continue;
			ip_text(text, &ip);
			assert_true(ip_read(&again, slice_of(text)));
			assert_true(ip_equals(&ip, &again));
		}
}

static void
test_nul_is_no_end(void **state)
{
	(void)state;
	struct ip ip;

	assert_false(ip_read(&ip, (struct slice) { .data = "1.2.3.4", .length = 8 }));
	assert_false(ip_read(&ip, (struct slice) { .data = "::1", .length = 4 }));
	assert_false(ip_read(&ip, (struct slice) { 0 }));
}

static void
test_text_round_trip(void **state)
{
	(void)state;
	srandom(1);
	for (int i = 0; i < 20000; i++) {
		struct ip ip = { .length = i % 2 ? 4 : 16 }, again;
		char text[IP_TEXT_MOST];

		for (int j = 0; j < ip.length; j++)
			ip.bytes[j] = random() % 3 == 0 ? (uint8_t)random() : 0;
		assert_true(ip_read(&again, slice_of(ip_text(text, &ip))));
		assert_true(ip_equals(&ip, &again) || again.length == 4);
	}
}

static void
check_sockaddr(const char *text, int family, socklen_t size)
{
	struct sockaddr_storage address;
	struct ip ip, again;

	assert_true(ip_read(&ip, slice_of(text)));
	assert_int_equal(ip_to_sockaddr(&ip, 2525, &address), size);
	assert_int_equal(address.ss_family, family);
	assert_int_equal(ip_port((struct sockaddr *)&address), 2525);
	assert_true(ip_from_sockaddr(&again, (struct sockaddr *)&address));
	assert_true(ip_equals(&ip, &again));
}

static void
test_sockaddr(void **state)
{
	(void)state;
	struct sockaddr_in6 mapped = { .sin6_family = AF_INET6, .sin6_port = htons(25) };
	struct sockaddr_un local = { .sun_family = AF_UNIX };
	char text[IP_TEXT_MOST];
	struct ip ip;

	check_sockaddr("192.0.2.1", AF_INET, sizeof(struct sockaddr_in));
	check_sockaddr("2001:db8::1", AF_INET6, sizeof(struct sockaddr_in6));
	assert_int_equal(inet_pton(AF_INET6, "::ffff:192.0.2.9", &mapped.sin6_addr), 1);
	assert_true(ip_from_sockaddr(&ip, (struct sockaddr *)&mapped));
	assert_string_equal(ip_text(text, &ip), "192.0.2.9");
	assert_int_equal(ip_slice(&ip).length, 4);
	assert_memory_equal(ip_slice(&ip).data, "\xc0\x00\x02\x09", 4);
	assert_false(ip_from_sockaddr(&ip, (struct sockaddr *)&local));
	assert_int_equal(ip.length, 0);
	assert_int_equal(ip_port((struct sockaddr *)&local), 0);
}

static void
test_order(void **state)
{
	(void)state;
	static const char *const texts[] = { "0.0.0.1", "1.0.0.0", "255.0.0.0", "::", "::1",
		"ff::" };

	for (size_t i = 0; i < COUNT(texts); i++)
		for (size_t j = 0; j < COUNT(texts); j++) {
			struct ip a, b;

			assert_true(ip_read(&a, slice_of(texts[i])));
			assert_true(ip_read(&b, slice_of(texts[j])));
			int order = ip_compare(&a, &b);

			assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
			assert_int_equal(ip_equals(&a, &b), i == j);
		}
}

static const struct text_case network_cases[] = {
	{ "10.0.0.0/8", "10.0.0.0/8" },
	{ "0.0.0.0/0", "0.0.0.0/0" },
	{ "192.0.2.1", "192.0.2.1/32" },
	{ "192.0.2.128/25", "192.0.2.128/25" },
	{ "::/0", "::/0" },
	{ "2001:db8::/32", "2001:db8::/32" },
	{ "2001:db8::1", "2001:db8::1/128" },
	{ "::ffff:10.0.0.0/104", "10.0.0.0/8" },
	{ "::ffff:10.0.0.1", "10.0.0.1/32" },
	{ "::ffff:0:0/96", "0.0.0.0/0" },
	{ "10.0.0.0/", NULL },
	{ "/8", NULL },
	{ "/", NULL },
	{ "", NULL },
	{ "10.0.0.0/33", NULL },
	{ "10.0.0.0/08", NULL },
	{ "10.0.0.0/-1", NULL },
	{ "10.0.0.0/ 8", NULL },
	{ "10.0.0.0/8/8", NULL },
	{ "10.0.0.0/255.0.0.0", NULL },
	{ "10.0.0.0/4294967304", NULL },
	{ "10/8", NULL },
	{ "::/129", NULL },
	{ "::ffff:10.0.0.0/8", NULL },
	{ "::ffff:10.0.0.0/129", NULL },
	{ "mail.example.com", NULL },
};

static void
test_networks(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(network_cases); i++) {
		char text[NETWORK_TEXT_MOST], why[NETWORK_WHY_MOST] = "";
		struct network network;
		bool is_read = network_read(&network, slice_of(network_cases[i].text), why);

		if (is_read != (network_cases[i].want != NULL))
			fail_msg(
			    "\"%s\" was %s", network_cases[i].text, is_read ? "read" : "refused");
		if (is_read)
			assert_string_equal(network_text(text, &network), network_cases[i].want);
		assert_int_equal(why[0] != '\0', !is_read);
		assert_int_equal(
		    network_read(&network, slice_of(network_cases[i].text), NULL), is_read);
	}
}

static void
check_why(const char *text, const char *want)
{
	char why[NETWORK_WHY_MOST];
	struct network network;

	assert_false(network_read(&network, slice_of(text), why));
	assert_string_equal(why, want);
}

static void
test_network_says_what_was_meant(void **state)
{
	(void)state;
	check_why("10.1.2.3/8",
	    "\"10.1.2.3/8\" has bits set after its prefix, probably meant: 10.0.0.0/8");
	check_why("192.0.2.129/25",
	    "\"192.0.2.129/25\" has bits set after its prefix, probably meant: 192.0.2.128/25");
	check_why("2001:db8::1/64",
	    "\"2001:db8::1/64\" has bits set after its prefix, probably meant: 2001:db8::/64");
	check_why("10.0.0.0/40", "\"10.0.0.0/40\": the length after / must be 0 to 32");
	check_why("::/200", "\"::/200\": the length after / must be 0 to 128");
	check_why("::ffff:0:0/8", "\"::ffff:0:0/8\": the length after / must be 96 to 128");
	check_why("a\tb", "\"a\\x09b\" is no address or network");
}

static bool
network_has_text(const char *network_string, const char *ip_string)
{
	struct network network;
	struct ip ip;

	assert_true(network_read(&network, slice_of(network_string), NULL));
	assert_true(ip_read(&ip, slice_of(ip_string)));
	return network_has(&network, &ip);
}

static void
test_network_has(void **state)
{
	(void)state;
	assert_true(network_has_text("10.0.0.0/8", "10.255.255.255"));
	assert_false(network_has_text("10.0.0.0/8", "11.0.0.0"));
	assert_false(network_has_text("10.0.0.0/8", "9.255.255.255"));
	assert_true(network_has_text("0.0.0.0/0", "255.255.255.255"));
	assert_true(network_has_text("192.0.2.1", "192.0.2.1"));
	assert_false(network_has_text("192.0.2.1", "192.0.2.0"));
	assert_true(network_has_text("192.0.2.128/25", "192.0.2.200"));
	assert_false(network_has_text("192.0.2.128/25", "192.0.2.127"));
	assert_true(network_has_text("2001:db8::/33", "2001:db8:7fff::1"));
	assert_false(network_has_text("2001:db8::/33", "2001:db8:8000::1"));
	assert_false(network_has_text("::/0", "192.0.2.1"));
	assert_false(network_has_text("0.0.0.0/0", "::1"));
	assert_true(network_has_text("10.0.0.0/8", "::ffff:10.0.0.1"));
}

static void
test_network_of(void **state)
{
	(void)state;
	char text[NETWORK_TEXT_MOST];
	struct network network;
	struct ip ip;

	assert_true(ip_read(&ip, slice_of("2001:db8:ffff:ffff:ffff::1")));
	network = network_of(&ip, 60);
	assert_string_equal(network_text(text, &network), "2001:db8:ffff:fff0::/60");
	assert_true(ip_read(&ip, slice_of("255.255.255.255")));
	for (unsigned bits = 0; bits <= 40; bits++) {
		network = network_of(&ip, bits);
		assert_int_equal(network.bits, bits < 32 ? bits : 32);
		assert_true(network_has(&network, &ip));
		assert_true(network_read(&network, slice_of(network_text(text, &network)), NULL));
	}
}

static const struct text_case endpoint_cases[] = {
	{ "127.0.0.1:25", "127.0.0.1:25" },
	{ "[::1]:25", "[::1]:25" },
	{ "*:25", "*:25" },
	{ "0.0.0.0:65535", "0.0.0.0:65535" },
	{ "[::ffff:1.2.3.4]:25", "1.2.3.4:25" },
	{ "", NULL },
	{ ":", NULL },
	{ ":25", NULL },
	{ "*", NULL },
	{ "*:", NULL },
	{ "*:0", NULL },
	{ "*:65536", NULL },
	{ "*:025", NULL },
	{ "*:+25", NULL },
	{ "*:25 ", NULL },
	{ "*:smtp", NULL },
	{ "[*]:25", NULL },
	{ "**:25", NULL },
	{ "127.0.0.1", NULL },
	{ "127.0.0.1:", NULL },
	{ "[127.0.0.1]:25", NULL },
	{ "::1:25", NULL },
	{ "[::1]", NULL },
	{ "[::1]25", NULL },
	{ "[]:25", NULL },
	{ "[:25", NULL },
	{ "]:25", NULL },
	{ "[::1:25", NULL },
	{ "::1]:25", NULL },
	{ "localhost:25", NULL },
};

static void
test_endpoints(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(endpoint_cases); i++) {
		char text[ENDPOINT_TEXT_MOST];
		struct endpoint endpoint;
		bool is_read = endpoint_read(&endpoint, slice_of(endpoint_cases[i].text));

		if (is_read != (endpoint_cases[i].want != NULL))
			fail_msg(
			    "\"%s\" was %s", endpoint_cases[i].text, is_read ? "read" : "refused");
		if (is_read)
			assert_string_equal(endpoint_text(text, &endpoint), endpoint_cases[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_addresses_cut_everywhere),
		cmocka_unit_test(test_nul_is_no_end),
		cmocka_unit_test(test_text_round_trip),
		cmocka_unit_test(test_sockaddr),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_networks),
		cmocka_unit_test(test_network_says_what_was_meant),
		cmocka_unit_test(test_network_has),
		cmocka_unit_test(test_network_of),
		cmocka_unit_test(test_endpoints),
	};

	return cmocka_run_group_tests_name("ip", tests, NULL, NULL);
}
