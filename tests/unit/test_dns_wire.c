#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "lib/dns_source.h"

enum { RRSIG = 46, OPT = 41, NXDOMAIN = 3, PACKET_MOST = 128 * 1024 };

/* A packet in the making. A name is labels with their length bytes; "\xc0\x0c" is the question. */
struct packet {
	unsigned char bytes[PACKET_MOST];
	size_t length;
};

static struct arena *arena;
static struct packet packet;

#define QUESTION "\xc0\x0c"
#define PUT(text) packet_put(text, sizeof(text) - 1)
/* One record: owner and data are literals, their NUL is not part of them. */
#define RECORD(owner, type, ttl, data)                                                             \
	packet_record(owner, sizeof(owner) - 1, type, 1, ttl, data, sizeof(data) - 1)

static void
packet_put(const void *data, size_t length)
{
	assert_true(packet.length + length <= sizeof(packet.bytes));
	memcpy(packet.bytes + packet.length, data, length);
	packet.length += length;
}

static void
packet_number(size_t value, int bytes)
{
	while (bytes-- > 0)
		packet_put(&(unsigned char) { (unsigned char)(value >> 8 * bytes) }, 1);
}

/* Header and question; records are counted as they come. */
static void
packet_begin(const char *name, size_t length, enum dns_type type, unsigned rcode)
{
	packet.length = 0;
	packet_number(0x1234, 2);
	packet_number(0x8180 | rcode, 2);
	packet_number(1, 2);
	packet_number(0, 6);
	packet_put(name, length);
	packet_number(type, 2);
	packet_number(1, 2);
}

static void
packet_record(const char *owner, size_t owner_length, unsigned type, unsigned class, uint32_t ttl,
    const void *data, size_t length)
{
	unsigned count = packet.bytes[6] * 256u + packet.bytes[7] + 1;

	packet.bytes[6] = (unsigned char)(count >> 8);
	packet.bytes[7] = (unsigned char)count;
	packet_put(owner, owner_length);
	packet_number(type, 2);
	packet_number(class, 2);
	packet_number(ttl, 4);
	packet_number(length, 2);
	packet_put(data, length);
}

#define BEGIN(name, type, rcode) packet_begin(name, sizeof(name), type, rcode)

/* Reads a copy of exactly that length, so that a read beyond it is seen. */
static bool
packet_read_some(struct dns_answer *answer, enum dns_type type, size_t length)
{
	char *copy = malloc(length > 0 ? length : 1);
	bool is_good;

	assert_non_null(copy);
	memcpy(copy, packet.bytes, length);
	*answer = (struct dns_answer) { 0 };
	is_good = dns_wire_read(answer, arena, (struct slice) { copy, length }, type);
	free(copy);
	return is_good;
}

static struct dns_answer
packet_read(enum dns_type type)
{
	struct dns_answer answer;

	assert_true(packet_read_some(&answer, type, packet.length));
	assert_string_equal(answer.why, "");
	return answer;
}

static void
packet_is_broken(enum dns_type type)
{
	struct dns_answer answer;

	assert_false(packet_read_some(&answer, type, packet.length));
	assert_int_equal(answer.state, DNS_FAILED);
	assert_int_equal(answer.count, 0);
}

static void
assert_record(const struct dns_answer *answer, size_t i, const char *text)
{
	assert_true(i < answer->count);
	assert_true(slice_equals(answer->records[i], slice_of(text)));
	assert_int_equal(answer->records[i].data[answer->records[i].length], '\0');
}

static void
test_addresses(void **state)
{
	(void)state;
	BEGIN("\2Mx\7EXAMPLE", DNS_A, 0);
	RECORD(QUESTION, DNS_A, 300, "\xc6\x33\x64\x05");
	RECORD("\2mX\7example\0", DNS_A, 200, "\xc6\x33\x64\x06");
	RECORD("\2xx\7example\0", DNS_A, 1, "\xc6\x33\x64\x07");
	RECORD(QUESTION, RRSIG, 1, "signature");
	packet_record(QUESTION, 2, DNS_A, 3, 1, "\1\2\3\4", 4);
	struct dns_answer answer = packet_read(DNS_A);

	assert_int_equal(answer.state, DNS_OK);
	assert_int_equal(answer.count, 2);
	assert_int_equal(answer.ttl, 200);
	assert_false(answer.is_cut);
	assert_null(answer.preferences);
	assert_record(&answer, 0, "\xc6\x33\x64\x05");
	assert_record(&answer, 1, "\xc6\x33\x64\x06");

	BEGIN("\2mx", DNS_AAAA, 0);
	RECORD(QUESTION, DNS_AAAA, 0, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x05");
	answer = packet_read(DNS_AAAA);
	assert_int_equal(answer.records[0].length, 16);
	assert_int_equal(answer.ttl, 0);
}

static void
test_no_records(void **state)
{
	(void)state;
	BEGIN("\4none", DNS_A, NXDOMAIN);
	assert_int_equal(packet_read(DNS_A).state, DNS_NO_NAME);
	BEGIN("\4none", DNS_A, 0);
	struct dns_answer answer = packet_read(DNS_A);

	assert_int_equal(answer.state, DNS_NO_DATA);
	assert_int_equal(answer.ttl, 0);
	assert_null(answer.records);
	BEGIN("\4none", DNS_A, 0);
	RECORD("\5other\0", DNS_A, 5, "\1\2\3\4");
	assert_int_equal(packet_read(DNS_A).state, DNS_NO_DATA);
}

static void
test_cname(void **state)
{
	(void)state;
	BEGIN("\3www\7example", DNS_A, 0);
	RECORD(QUESTION, DNS_CNAME, 60, "\3WEB\xc0\x10");
	RECORD("\3web\xc0\x10", RRSIG, 1, "signature");
	RECORD("\3web\xc0\x10", DNS_CNAME, 30, "\2mx\3net\0");
	RECORD("\2MX\3net\0", DNS_A, 300, "\1\2\3\4");
	RECORD(QUESTION, DNS_A, 1, "\4\3\2\1"); /* no longer the owner */
	struct dns_answer answer = packet_read(DNS_A);

	assert_int_equal(answer.count, 1);
	assert_int_equal(answer.ttl, 30);
	assert_record(&answer, 0, "\1\2\3\4");

	BEGIN("\3www\7example", DNS_A, NXDOMAIN); /* to nowhere: a record, and NXDOMAIN */
	RECORD(QUESTION, DNS_CNAME, 60, "\4gone\0");
	answer = packet_read(DNS_A);
	assert_int_equal(answer.state, DNS_NO_NAME);
	assert_int_equal(answer.ttl, 0);

	BEGIN("\1a", DNS_A, 0); /* round and round: just no records */
	RECORD(QUESTION, DNS_CNAME, 60, "\1b\0");
	RECORD("\1b\0", DNS_CNAME, 60, QUESTION);
	assert_int_equal(packet_read(DNS_A).state, DNS_NO_DATA);
}

static void
test_names(void **state)
{
	(void)state;
	BEGIN("\1"
	      "5\7in-addr\4arpa",
	    DNS_PTR, 0);
	RECORD(QUESTION, DNS_PTR, 60, "\4MAIL\7Example\0");
	RECORD(QUESTION, DNS_PTR, 60, "\5a.b c\3\xff\0\\\1~\0");
	RECORD(QUESTION, DNS_PTR, 60, "\0");
	RECORD(QUESTION, DNS_PTR, 60, "\2mx\xc0\x0e");
	struct dns_answer answer = packet_read(DNS_PTR);

	assert_int_equal(answer.count, 4);
	assert_record(&answer, 0, "mail.example");
	assert_record(&answer, 1, "a?b?c.??\\.~");
	assert_record(&answer, 2, "");
	assert_record(&answer, 3, "mx.in-addr.arpa");

	BEGIN("\7example", DNS_MX, 0);
	RECORD(QUESTION, DNS_MX, 60, "\x01\x02\2MX\xc0\x0c");
	RECORD(QUESTION, DNS_MX, 60, "\0\0\0");
	answer = packet_read(DNS_MX);
	assert_int_equal(answer.count, 2);
	assert_int_equal(answer.preferences[0], 258);
	assert_record(&answer, 0, "mx.example");
	assert_int_equal(answer.preferences[1], 0);
	assert_record(&answer, 1, "");
}

static void
test_text(void **state)
{
	(void)state;
	BEGIN("\7example", DNS_TXT, 0);
	RECORD(QUESTION, DNS_TXT, 60, "\7v=spf1 \4-all");
	RECORD(QUESTION, DNS_TXT, 60, "\0");
	RECORD(QUESTION, DNS_TXT, 60, "\3a\xff\x01\0\1b");
	struct dns_answer answer = packet_read(DNS_TXT);

	assert_int_equal(answer.count, 3);
	assert_record(&answer, 0, "v=spf1 -all");
	assert_record(&answer, 1, "");
	assert_record(&answer, 2,
	    "a\xff\x01"
	    "b");
}

static void
test_bounds(void **state)
{
	char text[32 * 1024] = "";

	(void)state;
	BEGIN("\1a", DNS_A, 0);
	for (int i = 0; i < 1000; i++)
		RECORD(QUESTION, DNS_A, 60, "\1\2\3\4");
	struct dns_answer answer = packet_read(DNS_A);

	assert_int_equal(answer.count, DNS_RECORDS_MOST);
	assert_true(answer.is_cut);

	BEGIN("\1a", DNS_A, 0); /* what belongs to nobody takes no room */
	for (int i = 0; i < 1000; i++)
		RECORD("\1b\0", DNS_A, 60, "\1\2\3\4");
	RECORD(QUESTION, DNS_A, 60, "\1\2\3\4");
	answer = packet_read(DNS_A);
	assert_int_equal(answer.count, 1);
	assert_false(answer.is_cut);

	BEGIN("\1a", DNS_TXT, 0); /* empty strings: 32 KiB each, and no text */
	for (int i = 0; i < 3; i++)
		packet_record(QUESTION, 2, DNS_TXT, 1, 60, text, sizeof(text));
	answer = packet_read(DNS_TXT);
	assert_int_equal(answer.count, 2);
	assert_true(answer.is_cut);

	BEGIN("\1a", DNS_A, 0); /* says there are more than there are */
	packet.bytes[6] = packet.bytes[7] = 0xff;
	packet_is_broken(DNS_A);
}

static void
test_broken(void **state)
{
	struct dns_answer answer;
	char name[300];

	(void)state;
	BEGIN("\1a", DNS_A, 0);
	RECORD(QUESTION, DNS_A, 60, "\1\2\3");
	packet_is_broken(DNS_A);
	BEGIN("\1a", DNS_A, 0);
	RECORD(QUESTION, DNS_A, 60, "\1\2\3\4\5");
	packet_is_broken(DNS_A);
	BEGIN("\1a", DNS_TXT, 0);
	RECORD(QUESTION, DNS_TXT, 60, "\5abcd");
	packet_is_broken(DNS_TXT);
	BEGIN("\1a", DNS_PTR, 0); /* something behind the name */
	RECORD(QUESTION, DNS_PTR, 60, "\1b\0x");
	packet_is_broken(DNS_PTR);
	BEGIN("\1a", DNS_PTR, 0); /* the name leaves its record */
	RECORD(QUESTION, DNS_PTR, 60, "\5bc");
	packet_is_broken(DNS_PTR);
	BEGIN("\1a", DNS_MX, 0);
	RECORD(QUESTION, DNS_MX, 60, "\1");
	packet_is_broken(DNS_MX);
	BEGIN("\1a", DNS_A, 0);
	packet.bytes[2] = 0; /* a question, no answer */
	packet_is_broken(DNS_A);
	BEGIN("\1a", DNS_A, 0);
	packet.bytes[5] = 2; /* two questions */
	packet_is_broken(DNS_A);
	BEGIN("\x40", DNS_A, 0); /* labels of unknown kinds */
	packet_is_broken(DNS_A);
	BEGIN("\x80", DNS_A, 0);
	packet_is_broken(DNS_A);
	memset(name, 'a', sizeof(name));
	name[0] = 64; /* as if it were a length */
	name[65] = 0;
	packet_begin(name, 66, DNS_A, 0);
	packet_is_broken(DNS_A);

	/* 255 bytes in all are a name, 256 are none. */
	memset(name, 'a', sizeof(name));
	name[0] = name[64] = name[128] = 63;
	name[192] = 61;
	name[254] = 0;
	packet_begin(name, 255, DNS_A, 0);
	assert_true(packet_read_some(&answer, DNS_A, packet.length));
	name[192] = 62;
	name[255] = 0;
	packet_begin(name, 256, DNS_A, 0);
	packet_is_broken(DNS_A);
}

static void
test_pointers(void **state)
{
	char chain[2 * 300];

	(void)state;
	BEGIN("\1a", DNS_A, 0); /* to itself */
	RECORD("\xc0\x13", DNS_A, 60, "\1\2\3\4");
	packet_is_broken(DNS_A);
	BEGIN("\1a", DNS_A, 0); /* forward, to a good name */
	RECORD("\xc0\x15", DNS_A, 60, "\1\2\3\4");
	packet_is_broken(DNS_A);
	BEGIN("\1a", DNS_PTR, 0); /* two at each other */
	RECORD(QUESTION, DNS_PTR, 60, "\xc0\x21\xc0\x1f");
	packet_is_broken(DNS_PTR);
	BEGIN("\1a", DNS_A, 0); /* a label, then back to that label */
	RECORD("\1x\xc0\x13", DNS_A, 60, "\1\2\3\4");
	packet_is_broken(DNS_A);
	BEGIN("\1a", DNS_A, 0); /* beyond the end */
	RECORD("\xff\xff", DNS_A, 60, "\1\2\3\4");
	packet_is_broken(DNS_A);

	/* Backwards each time, but no end of them: the data of the first record is the ladder. */
	for (unsigned hops = 63; hops <= 65; hops++) {
		BEGIN("\1a", DNS_A, 0);
		size_t start = packet.length + 1 + 10;

		for (size_t i = 0; i < hops; i++) {
			size_t to = i == 0 ? 12 : start + 2 * (i - 1);

			chain[2 * i] = (char)(0xc0 | to >> 8);
			chain[2 * i + 1] = (char)to;
		}
		packet_record("\0", 1, RRSIG, 1, 60, chain, 2 * hops);
		packet_record(chain + 2 * (hops - 1), 2, DNS_A, 1, 60, "\1\2\3\4", 4);
		if (hops <= 64)
			assert_int_equal(packet_read(DNS_A).count, 1);
		else
			packet_is_broken(DNS_A);
	}
}

/* Cut at every place, and every byte set to every value: no read beyond the end, no round trip. */
static void
test_damage(void **state)
{
	static const enum dns_type types[] = { DNS_A, DNS_PTR, DNS_MX, DNS_TXT };

	(void)state;
	for (size_t t = 0; t < 4; t++) {
		struct dns_answer answer;

		BEGIN("\3www\7example", types[t], 0);
		RECORD(QUESTION, DNS_CNAME, 60, "\3web\xc0\x10");
		RECORD("\3web\xc0\x10", DNS_A, 300, "\1\2\3\4");
		RECORD("\xc0\x29", DNS_PTR, 300, "\4mail\xc0\x29");
		RECORD("\xc0\x29", DNS_MX, 300, "\0\x0a\4mail\xc0\x29");
		RECORD("\xc0\x29", DNS_TXT, 300, "\3abc\2de");
		assert_int_equal(packet_read(types[t]).count, 1);
		for (size_t length = 0; length < packet.length; length++)
			assert_false(packet_read_some(&answer, types[t], length));
		for (size_t i = 0; i < packet.length; i++) {
			unsigned char kept = packet.bytes[i];

			for (unsigned value = 0; value < 256; value++) {
				packet.bytes[i] = (unsigned char)value;
				if (!packet_read_some(&answer, types[t], packet.length))
					assert_int_equal(answer.count, 0);
			}
			packet.bytes[i] = kept;
		}
	}
}

static int
setup(void **state)
{
	(void)state;
	arena = arena_new(1 << 20);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_addresses),
		TEST(test_no_records),
		TEST(test_cname),
		TEST(test_names),
		TEST(test_text),
		TEST(test_bounds),
		TEST(test_broken),
		TEST(test_pointers),
		TEST(test_damage),
	};

	return cmocka_run_group_tests_name("dns_wire", tests, NULL, NULL);
}
