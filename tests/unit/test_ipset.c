#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/ipset_build.h"

static struct arena *arena;
static struct ipset_builder *builder;
static struct ipset_report report;

static int
begin(void **state)
{
	(void)state;
	arena = arena_new(SIZE_MAX);
	builder = ipset_builder_new(arena);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

/* The set of a file's text, whose source is "list". */
static const struct ipset *
make(const char *text)
{
	int source = ipset_builder_source(builder, "list");

	assert_true(ipset_builder_read(builder, source, slice_of(text), &report));
	const struct ipset *set = ipset_finish(builder, arena);

	builder = ipset_builder_new(arena);
	return set;
}

/* line 0: not in the set. */
static void
check(const struct ipset *set, const char *text, uint32_t line)
{
	struct ipset_match match = { 0 };
	struct ip ip;

	assert_true(ip_read(&ip, slice_of(text)));
	bool is_found = ipset_find(set, &ip, &match);

	if (is_found != (line != 0) || match.line != line)
		fail_msg("%s: line %u, wanted %u", text, match.line, line);
	assert_int_equal(ipset_find(set, &ip, NULL), is_found);
	if (is_found)
		assert_string_equal(match.source, "list");
}

static void
test_empty(void **state)
{
	(void)state;
	const struct ipset *set = make("");

	check(set, "0.0.0.0", 0);
	check(set, "255.255.255.255", 0);
	check(set, "::", 0);
	check(set, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 0);
	assert_false(ipset_find(set, &(struct ip) { 0 }, NULL));
	assert_int_equal(ipset_count(set), 0);
}

static void
test_everything(void **state)
{
	(void)state;
	const struct ipset *set = make("0.0.0.0/0\n::/0\n");

	check(set, "0.0.0.0", 1);
	check(set, "255.255.255.255", 1);
	check(set, "::", 2);
	check(set, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 2);
	check(make("::/0"), "192.0.2.1", 0);
	check(make("0.0.0.0/0"), "::1", 0);
}

static void
test_edges(void **state)
{
	(void)state;
	const struct ipset *set = make("0.0.0.0\n255.255.255.255\n::\n"
				       "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff\n10.0.0.0/8\n"
				       "2001:db8::/64\n2001:db8:0:1::5\n");

	check(set, "0.0.0.0", 1);
	check(set, "0.0.0.1", 0);
	check(set, "255.255.255.255", 2);
	check(set, "255.255.255.254", 0);
	check(set, "::", 3);
	check(set, "::1", 0);
	check(set, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 4);
	check(set, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", 0);
	check(set, "9.255.255.255", 0);
	check(set, "10.0.0.0", 5);
	check(set, "10.255.255.255", 5);
	check(set, "11.0.0.0", 0);
	check(set, "::ffff:10.1.2.3", 5);
	check(set, "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", 0);
	check(set, "2001:db8::", 6);
	check(set, "2001:db8::ffff:ffff:ffff:ffff", 6);
	check(set, "2001:db8:0:1::", 0);
	check(set, "2001:db8:0:1::4", 0);
	check(set, "2001:db8:0:1::5", 7);
	check(set, "2001:db8:0:1::6", 0);
	assert_int_equal(ipset_count(set), 7);
}

static void
check_touches(const struct ipset *set, const char *text, bool want)
{
	struct network network;

	assert_true(network_read(&network, slice_of(text), NULL));
	if (ipset_touches(set, &network) != want)
		fail_msg("%s", text);
}

static void
test_touches(void **state)
{
	(void)state;
	const struct ipset *set = make("10.1.0.0/16\n10.2.0.0/16\n192.0.2.7\n2001:db8:1::/48\n");
	const struct ipset *none = make("");

	check_touches(set, "0.0.0.0/0", true);
	check_touches(set, "10.0.0.0/8", true);
	check_touches(set, "10.0.0.0/16", false);
	check_touches(set, "10.1.255.255/32", true);
	check_touches(set, "10.2.128.0/17", true);
	check_touches(set, "10.3.0.0/16", false);
	check_touches(set, "10.4.0.0/14", false);
	check_touches(set, "192.0.2.0/29", true);
	check_touches(set, "192.0.2.8/29", false);
	check_touches(set, "192.0.2.7/32", true);
	check_touches(set, "255.255.255.255/32", false);
	check_touches(set, "::/0", true);
	check_touches(set, "2001:db8::/32", true);
	check_touches(set, "2001:db8:1:2::/64", true);
	check_touches(set, "2001:db8:2::/48", false);
	check_touches(set, "2001:db8::/48", false);
	check_touches(none, "0.0.0.0/0", false);
	check_touches(none, "::/0", false);
}

static void
test_most_specific_wins(void **state)
{
	(void)state;
	const struct ipset *set = make("10.1.2.3\n"
				       "10.0.0.0/8\n"
				       "10.1.0.0/16\n"
				       "10.1.2.0/24\n"
				       "10.1.2.3\n" /* again: the first one is told */
				       "10.1.255.0-10.2.0.255\n"
				       "10.1.255.255\n"
				       "10.0.0.0-10.0.0.0\n"
				       "10.255.255.255\n");

	check(set, "10.1.2.3", 1);
	check(set, "10.1.2.2", 4);
	check(set, "10.1.2.4", 4);
	check(set, "10.1.3.0", 3);
	check(set, "10.1.254.255", 3);
	check(set, "10.1.255.0", 6); /* 512 addresses are fewer than a /16 */
	check(set, "10.1.255.254", 6);
	check(set, "10.1.255.255", 7);
	check(set, "10.2.0.0", 6);
	check(set, "10.2.0.255", 6);
	check(set, "10.2.1.0", 2);
	check(set, "10.0.0.0", 8);
	check(set, "10.0.0.1", 2);
	check(set, "10.255.255.255", 9);
	check(set, "10.255.255.254", 2);
	check(set, "11.0.0.0", 0);
}

static void
test_what_a_line_may_be(void **state)
{
	(void)state;
	const struct ipset *set = make("\xef\xbb\xbf# made by hand\r\n"
				       "\r\n"
				       "192.0.2.1\r\n"
				       "  192.0.2.2\t # spaces and tabs\n"
				       "192.0.2.3;comment\n"
				       "192.0.2.4 ; SBL1 # both\n"
				       "   \n"
				       ";192.0.2.5\n"
				       "192.0.2.6-192.0.2.8\n"
				       "192.0.2.9 - 192.0.2.10\n"
				       "2001:db8::1-2001:db8::5\n"
				       "::ffff:192.0.2.20 - 192.0.2.21\n"
				       "192.0.2.128/25");
	assert_int_equal(report.bad, 0);
	assert_int_equal(report.entries, 9);
	check(set, "192.0.2.1", 3);
	check(set, "192.0.2.2", 4);
	check(set, "192.0.2.3", 5);
	check(set, "192.0.2.4", 6);
	check(set, "192.0.2.5", 0);
	check(set, "192.0.2.6", 9);
	check(set, "192.0.2.8", 9);
	check(set, "192.0.2.10", 10);
	check(set, "192.0.2.11", 0);
	check(set, "2001:db8::5", 11);
	check(set, "2001:db8::6", 0);
	check(set, "192.0.2.21", 12);
	check(set, "192.0.2.255", 13);
}

static void
test_bad_lines(void **state)
{
	(void)state;
	static const struct {
		const char *line, *why;
	} cases[] = {
		{ "192.0.2.256", "\"192.0.2.256\" is no address or network" },
		{ "192.0.2.1 192.0.2.2", "\"192.0.2.1 192.0.2.2\" is no address or network" },
		{ "192.0.2.1/24",
		    "\"192.0.2.1/24\" has bits set after its prefix, probably meant: "
		    "192.0.2.0/24" },
		{ "192.0.2.0/33", "\"192.0.2.0/33\": the length after / must be 0 to 32" },
		{ "192.0.2.9-192.0.2.1", "\"192.0.2.9-192.0.2.1\" ends before it begins" },
		{ "192.0.2.1-", "\"192.0.2.1-\" is no range of addresses" },
		{ "-", "\"-\" is no range of addresses" },
		{ "192.0.2.0/24-192.0.3.0/24",
		    "\"192.0.2.0/24-192.0.3.0/24\" is no range of addresses" },
		{ "1.1.1.1-2.2.2.2-3.3.3.3",
		    "\"1.1.1.1-2.2.2.2-3.3.3.3\" is no range of addresses" },
		{ "192.0.2.1-::1", "\"192.0.2.1-::1\" mixes IPv4 and IPv6" },
		{ "mail.example.com\x1b[2J",
		    "\"mail.example.com\\x1b[2J\" is no address or network" },
		{ "192.0.2.1\r\r", "\"192.0.2.1\\x0d\" is no address or network" },
		{ "\xef\xbb\xbf"
		  "192.0.2.1",
		    NULL },
	};
	char text[200];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "# comment\n198.51.100.1\n%s\n198.51.100.2\n",
		    cases[i].line);
		const struct ipset *set = make(text);

		assert_int_equal(report.bad, 1);
		assert_int_equal(report.entries, 2);
		assert_int_equal(report.faults[0].line, 3);
		if (cases[i].why != NULL)
			assert_string_equal(report.faults[0].why, cases[i].why);
		assert_string_equal(report.why, "");
		check(set, "198.51.100.1", 2);
		check(set, "198.51.100.2", 4);
		check(set, "192.0.2.1", 0);
	}
}

static void
test_many_bad_lines(void **state)
{
	(void)state;
	char text[2000] = "";

	for (int i = 0; i < 100; i++)
		strcat(text, i % 2 ? "bad\n" : "10.0.0.1\n");
	make(text);
	assert_int_equal(report.bad, 50);
	assert_int_equal(report.entries, 50);
	for (uint32_t i = 0; i < IPSET_FAULTS_MOST; i++) {
		assert_int_equal(report.faults[i].line, 2 * i + 2);
		assert_string_equal(report.faults[i].why, "\"bad\" is no address or network");
	}
}

/* NUL bytes are as bad as others. */
static void
test_nul(void **state)
{
	(void)state;
	static const char text[] = "192.0.2.1\0\n192.0.2.2\n\0\n192.0.2.3";
	int source = ipset_builder_source(builder, "list");

	assert_true(ipset_builder_read(
	    builder, source, (struct slice) { .data = text, .length = sizeof(text) - 1 }, &report));
	assert_int_equal(report.bad, 2);
	assert_int_equal(report.entries, 2);
	assert_true(ipset_builder_read(builder, source, (struct slice) { 0 }, &report));
	assert_int_equal(report.bad + report.entries, 0);
}

/* Cut at every place, each in a block of its size. */
static void
test_cut_everywhere(void **state)
{
	(void)state;
	static const char text[] = "\xef\xbb\xbf# x\r\n10.0.0.0/8;y\r\n 10.1.0.0 - 10.1.0.9 #z\n"
				   "2001:db8::/32\n\n::1\r\nbad/\n";
	int source = ipset_builder_source(builder, "list");

	for (size_t length = 0; length < sizeof(text); length++) {
		char *copy = malloc(length > 0 ? length : 1);

		memcpy(copy, text, length);
		assert_true(ipset_builder_read(
		    builder, source, (struct slice) { .data = copy, .length = length }, &report));
		assert_true(report.bad <= 2 && report.entries <= 4);
		free(copy);
	}
	ipset_finish(builder, arena);
}

static void
test_sources(void **state)
{
	(void)state;
	static const char *const names[] = { "postern.yaml", "block.txt", "" };
	char why[IPSET_WHY_MOST];
	struct network network;

	for (int i = 0; i < 3; i++)
		assert_int_equal(ipset_builder_source(builder, names[i]), i);
	assert_true(network_read(&network, slice_of("192.0.2.0/24"), NULL));
	ipset_builder_add(builder, 0, 7, &network);
	assert_true(ipset_builder_add_text(builder, 1, 17, slice_of(" 198.51.100.1 "), why));
	assert_true(ipset_builder_add_text(
	    builder, 2, IPSET_LINE_MOST, slice_of("203.0.113.1-203.0.113.4"), why));
	assert_false(ipset_builder_add_text(builder, 2, 1, slice_of(""), why));
	assert_string_equal(why, "\"\" is no address or network");
	assert_false(ipset_builder_add_text(builder, 2, 1, slice_of("x"), NULL));

	const struct ipset *set = ipset_finish(builder, arena);
	static const struct {
		const char *ip, *source;
		uint32_t line;
	} cases[] = {
		{ "192.0.2.9", "postern.yaml", 7 },
		{ "198.51.100.1", "block.txt", 17 },
		{ "203.0.113.4", "", IPSET_LINE_MOST },
	};

	for (int i = 0; i < 3; i++) {
		struct ipset_match match;
		struct ip ip;

		assert_true(ip_read(&ip, slice_of(cases[i].ip)));
		assert_true(ipset_find(set, &ip, &match));
		assert_string_equal(match.source, cases[i].source);
		assert_int_equal(match.line, cases[i].line);
	}
}

static void
test_as_many_sources_as_there_may_be(void **state)
{
	(void)state;
	for (int i = 0; i < IPSET_SOURCES_MOST; i++) {
		char name[20], text[20];

		snprintf(name, sizeof(name), "list %d", i);
		snprintf(text, sizeof(text), "10.0.0.%d", i);
		assert_int_equal(ipset_builder_source(builder, name), i);
		assert_true(ipset_builder_add_text(builder, i, 1, slice_of(text), NULL));
	}
	assert_int_equal(ipset_builder_source(builder, "one more"), -1);
	const struct ipset *set = ipset_finish(builder, arena);

	for (int i = 0; i < IPSET_SOURCES_MOST; i++) {
		struct ip ip = { .length = 4, .bytes = { 10, 0, 0, (uint8_t)i } };
		struct ipset_match match;
		char name[20];

		snprintf(name, sizeof(name), "list %d", i);
		assert_true(ipset_find(set, &ip, &match));
		assert_string_equal(match.source, name);
	}
}

/* The set holds no pointers: its bytes are as good elsewhere. */
static void
test_block_may_be_moved(void **state)
{
	(void)state;
	const struct ipset *set = make("10.0.0.0/8\n192.0.2.1\n2001:db8::/32\n::1\n");
	size_t size = ipset_size(set);
	void *copy = malloc(size);

	memcpy(copy, set, size);
	arena_free(arena);
	arena = arena_new(SIZE_MAX);
	check(copy, "10.9.9.9", 1);
	check(copy, "192.0.2.1", 2);
	check(copy, "2001:db8:ffff::", 3);
	check(copy, "::1", 4);
	check(copy, "::2", 0);
	free(copy);
}

static void
test_files(void **state)
{
	(void)state;
	char path[] = "/tmp/test_ipset.XXXXXX";
	int fd = mkstemp(path), source = ipset_builder_source(builder, "list");
	static const char text[] = "192.0.2.1\nbad\n";

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_true(ipset_builder_file(builder, source, path, &report));
	assert_int_equal(report.entries, 1);
	assert_int_equal(report.bad, 1);
	assert_int_equal(ftruncate(fd, (off_t)IPSET_FILE_MOST + 1), 0);
	assert_false(ipset_builder_file(builder, source, path, &report));
	assert_non_null(strstr(report.why, "larger than 268435456 bytes"));
	assert_int_equal(report.entries + report.bad, 0);
	unlink(path);
	close(fd);
	assert_false(ipset_builder_file(builder, source, path, &report));
	assert_string_equal(report.why, "No such file or directory");
	assert_false(ipset_builder_file(builder, source, "/tmp", &report));
	assert_string_not_equal(report.why, "");
	check(ipset_finish(builder, arena), "192.0.2.1", 1);
	builder = ipset_builder_new(arena);
}

static void
test_too_many_lines(void **state)
{
	(void)state;
	size_t length = IPSET_LINE_MOST + 12;
	char *text = malloc(length + 1);
	int source = ipset_builder_source(builder, "list");
	struct slice slice = { .data = text, .length = length };

	memset(text, '\n', length + 1);
	memcpy(text, "192.0.2.2\n::1\n", 14); /* 12 bytes that are no line ends */
	memcpy(text + length - 1, "#", 1);    /* the last line that can be counted */
	assert_true(ipset_builder_read(builder, source, slice, &report));
	assert_int_equal(report.entries, 2);
	slice.length++; /* "#\n" is still one line */
	assert_true(ipset_builder_read(builder, source, slice, &report));
	text[length - 1] = '\n';
	assert_false(ipset_builder_read(builder, source, slice, &report));
	assert_string_equal(report.why, "more than 16777215 lines");
	assert_int_equal(builder->four.count, 2); /* those of the first two */
	assert_int_equal(builder->six.count, 2);
	free(text);
}

/* The model: all entries are looked at. */
static uint32_t
model_find(const struct ipset_span *spans, size_t count, ipset_number key)
{
	const struct ipset_span *best = NULL;

	for (size_t i = 0; i < count; i++) {
		if (key < spans[i].first || key > spans[i].last)
			continue;
		if (best == NULL || spans[i].last - spans[i].first < best->last - best->first)
			best = &spans[i];
	}
	return best == NULL ? 0 : best->tag;
}

static struct ip
random_ip(bool is_six, uint32_t mask)
{
	struct ip ip = { .length = is_six ? 16 : 4 };

	for (int i = 0; i < ip.length; i++)
		ip.bytes[i] = (uint8_t)(random() & (mask >> (i % 4 * 8)));
	return ip;
}

/* Near an edge of an entry, or anywhere. */
static struct ip
random_probe(const struct ipset_span *span, bool is_six)
{
	ipset_number key = random() % 2 ? span->first : span->last;
	struct ip ip = { .length = is_six ? 16 : 4 };

	if (random() % 4 == 0)
		return random_ip(is_six, 0xffffffff);
	key += (ipset_number)(random() % 3) - 1;
	for (int i = ip.length; i-- > 0; key >>= 8)
		ip.bytes[i] = (uint8_t)key;
	return ip;
}

/* mask: few bits make many overlaps. */
static void
check_against_model(bool is_six, size_t count, uint32_t mask, size_t probes)
{
	struct ipset_spans *own = is_six ? &builder->six : &builder->four;
	struct ipset_span *spans = calloc(count, sizeof(*spans));
	int source = ipset_builder_source(builder, "list");

	for (size_t i = 0; i < count; i++) {
		struct ip ip = random_ip(is_six, mask), other = random_ip(is_six, mask);
		struct network network = network_of(&ip, (unsigned)random() % (ip.length * 8u + 1));
		char from[IP_TEXT_MOST], to[IP_TEXT_MOST], range[2 * IP_TEXT_MOST];
		bool is_swapped = ip_compare(&ip, &other) > 0;

		snprintf(range, sizeof(range), "%s-%s", ip_text(from, is_swapped ? &other : &ip),
		    ip_text(to, is_swapped ? &ip : &other));
		if (random() % 3 == 0 && network.bits > 7)
			ipset_builder_add(builder, source, (uint32_t)i + 1, &network);
		else if (random() % 8 == 0)
			assert_true(ipset_builder_add_text(
			    builder, source, (uint32_t)i + 1, slice_of(range), NULL));
		else
			ipset_builder_add(builder, source, (uint32_t)i + 1,
			    &(struct network) { .ip = ip, .bits = (uint8_t)(ip.length * 8) });
		spans[i] = is_six ? own->six[i]
				  : (struct ipset_span) { own->four[i].first, own->four[i].last,
					    own->four[i].tag };
	}
	const struct ipset *set = ipset_finish(builder, arena);

	assert_true(ipset_size(set) <= count * (is_six ? 43 : 16) + 300);
	for (size_t i = 0; i < probes; i++) {
		struct ip ip = random_probe(&spans[(size_t)random() % count], is_six);
		struct ipset_match match = { 0 };

		ipset_find(set, &ip, &match);
		assert_int_equal(match.line, model_find(spans, count, ipset_number_of(&ip)));
	}
	free(spans);
	builder = ipset_builder_new(arena);
}

static void
test_random_sets(void **state)
{
	(void)state;
	static const uint32_t masks[] = { 0xffffffff, 0x07000000, 0x0f0f0f0f, 0x0000ff00, 0x03 };

	srandom(11);
	for (size_t i = 0; i < 400; i++)
		check_against_model(i % 2, 1 + (size_t)random() % 60, masks[i / 2 % 5], 200);
}

/* Large enough for the buckets of IPv4 and four levels of IPv6. */
static void
test_large_sets(void **state)
{
	(void)state;
	srandom(12);
	check_against_model(false, 100000, 0xffffffff, 300);
	check_against_model(false, 100000, 0x07ffffff, 300);
	check_against_model(true, 20000, 0xffffffff, 300);
	check_against_model(true, 5000, 0x0103, 300);
}

#define IPSET_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IPSET_TEST(test_empty),
		IPSET_TEST(test_everything),
		IPSET_TEST(test_edges),
		IPSET_TEST(test_most_specific_wins),
		IPSET_TEST(test_touches),
		IPSET_TEST(test_what_a_line_may_be),
		IPSET_TEST(test_bad_lines),
		IPSET_TEST(test_many_bad_lines),
		IPSET_TEST(test_nul),
		IPSET_TEST(test_cut_everywhere),
		IPSET_TEST(test_sources),
		IPSET_TEST(test_as_many_sources_as_there_may_be),
		IPSET_TEST(test_block_may_be_moved),
		IPSET_TEST(test_files),
		IPSET_TEST(test_too_many_lines),
		IPSET_TEST(test_random_sets),
		IPSET_TEST(test_large_sets),
	};

	return cmocka_run_group_tests_name("ipset", tests, NULL, NULL);
}
