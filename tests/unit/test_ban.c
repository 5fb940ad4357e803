/*
 * ban: keys and values, whole and spoiled; the smallest network is found, as by looking at each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/ban.h"
#include "lib/clock.h"

static struct network
network(const char *text)
{
	struct network network;

	assert_true(network_read(&network, slice_of(text), NULL));
	return network;
}

static void
test_form(void **state)
{
	static const char *const networks[] = { "0.0.0.0/0", "192.0.2.0/24", "192.0.2.7/32", "::/0",
		"2001:db8::/32", "2001:db8::1/128" };
	struct ban ban = { .who = "rule x", .reason = "because" }, read;
	char key[BAN_KEY_MOST], value[BAN_VALUE_MOST], text[NETWORK_TEXT_MOST];

	(void)state;
	for (size_t i = 0; i < sizeof(networks) / sizeof(*networks); i++) {
		ban.network = network(networks[i]);
		struct store_entry entry = { .since = 1, .end = 2 };

		entry.key = (struct slice) { key, ban_key(key, &ban.network) };
		entry.value = (struct slice) { value, ban_value(value, &ban) };
		assert_true(ban_read(&read, &entry));
		assert_string_equal(network_text(text, &read.network), networks[i]);
		assert_string_equal(read.who, "rule x");
		assert_string_equal(read.reason, "because");
		assert_true(read.since == 1 && read.end == 2);
		for (size_t cut = 0; cut < entry.key.length; cut++) {
			struct store_entry short_one = entry;

			short_one.key.length = cut;
			assert_false(ban_read(&read, &short_one));
		}
		entry.value.length = 3; /* no NUL in it */
		assert_true(ban_read(&read, &entry));
		assert_string_equal(read.who, "rul");
		key[0] = (char)(i < 3 ? 33 : 193); /* a length that is none */
		assert_false(ban_read(&read, &entry));
	}
	memset(ban.who, 'w', BAN_WHO_MOST - 1);
	memset(ban.reason, 'r', BAN_REASON_MOST - 1);
	assert_int_equal(ban_value(value, &ban), BAN_VALUE_MOST - 1);
}

static void
test_whose(void **state)
{
	char text[NETWORK_TEXT_MOST];
	struct network it;
	struct ip ip;

	(void)state;
	ip_read(&ip, slice_of("192.0.2.7"));
	it = ban_network(ip);
	assert_string_equal(network_text(text, &it), "192.0.2.7/32");
	ip_read(&ip, slice_of("2001:db8:1:2:3:4:5:6"));
	it = ban_network(ip);
	assert_string_equal(network_text(text, &it), "2001:db8:1:2::/64");
}

static void
put(struct store *store, const char *text, double end)
{
	struct ban ban = { .network = network(text), .who = "test" };
	char key[BAN_KEY_MOST], value[BAN_VALUE_MOST];

	assert_true(store_put(store, STORE_BANS, (struct slice) { key, ban_key(key, &ban.network) },
	    (struct slice) { value, ban_value(value, &ban) }, clock_unix(), end));
}

static const char *
find(struct state *state, const char *address)
{
	static char text[NETWORK_TEXT_MOST];
	struct ban ban;
	struct ip ip;

	assert_true(ip_read(&ip, slice_of(address)));
	switch (ban_find(state, ip, &ban)) {
	case STORE_HAS:
		return network_text(text, &ban.network);
	case STORE_NONE:
		return "none";
	case STORE_FAILED:
		break;
	}
	return "failed";
}

/* The writer's handle is closed before one that reads is opened: one per process. */
static struct state *
made(struct arena *arena, char *folder, const char *const *networks)
{
	struct arena *own = arena_new(SIZE_MAX);
	const char *why;

	assert_non_null(mkdtemp(folder));
	struct store *store = store_new_writer(own, folder, NULL, &why);

	assert_non_null(store);
	for (; *networks != NULL; networks++) {
		bool has_ended = (*networks)[0] == '-';

		put(store, *networks + has_ended, clock_unix() + (has_ended ? -1 : 60));
	}
	arena_free(own);
	struct state *it = state_new_looker(arena, folder);

	assert_non_null(it);
	return it;
}

static void
clean(const char *folder)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -r %s", folder);
	assert_int_equal(system(command), 0);
}

static void
test_find(void **state)
{
	static const char *const networks[] = { "192.0.2.0/24", "192.0.2.128/25", "192.0.2.200/32",
		"-192.0.2.7/32", "-198.51.100.0/24", "10.0.0.0/8", "2001:db8::/32",
		"2001:db8:1::/64", "::1/128", NULL };
	char folder[] = "/tmp/test_ban_XXXXXX";
	struct arena *arena = arena_new(SIZE_MAX);
	struct state *it = made(arena, folder, networks);

	(void)state;
	assert_string_equal(find(NULL, "192.0.2.1"), "none");
	assert_string_equal(find(it, "192.0.2.1"), "192.0.2.0/24");
	assert_string_equal(find(it, "192.0.2.7"), "192.0.2.0/24"); /* the smaller has ended */
	assert_string_equal(find(it, "192.0.2.129"), "192.0.2.128/25");
	assert_string_equal(find(it, "192.0.2.200"), "192.0.2.200/32");
	assert_string_equal(find(it, "::ffff:192.0.2.200"), "192.0.2.200/32");
	assert_string_equal(find(it, "192.0.3.0"), "none");
	assert_string_equal(find(it, "198.51.100.1"), "none");
	assert_string_equal(find(it, "10.255.255.255"), "10.0.0.0/8");
	assert_string_equal(find(it, "2001:db8:2::1"), "2001:db8::/32");
	assert_string_equal(find(it, "2001:db8:1::5"), "2001:db8:1::/64");
	assert_string_equal(find(it, "2001:db9::"), "none");
	assert_string_equal(find(it, "::1"), "::1/128");
	assert_string_equal(find(it, "::2"), "none");
	arena_free(arena);
	clean(folder);
}

/* Many networks of all lengths in a small space, against looking at each. */
static void
test_find_all(void **state)
{
	enum { COUNT = 300, TRIES = 3000 };
	static char texts[COUNT][NETWORK_TEXT_MOST];
	static struct network all[COUNT];
	const char *list[COUNT + 1] = { NULL };
	char folder[] = "/tmp/test_ban_XXXXXX", want[NETWORK_TEXT_MOST];
	struct arena *arena = arena_new(SIZE_MAX);

	(void)state;
	srand(1);
	for (size_t i = 0; i < COUNT; i++) {
		struct ip ip = { 4, { 10, 0, (uint8_t)(rand() % 4), (uint8_t)rand() } };

		all[i] = network_of(&ip, 14 + (unsigned)rand() % 19);
		if (all[i].bits < 20 && rand() % 4 != 0)
			all[i] = network_of(&ip, 32);
		list[i] = network_text(texts[i], &all[i]);
	}
	struct state *it = made(arena, folder, list);

	for (int i = 0; i < TRIES; i++) {
		struct ip ip = { 4, { 10, 0, (uint8_t)(rand() % 5), (uint8_t)rand() } };
		const struct network *best = NULL;
		char text[IP_TEXT_MOST];

		for (size_t k = 0; k < COUNT; k++)
			if (network_has(&all[k], &ip) && (best == NULL || all[k].bits > best->bits))
				best = &all[k];
		snprintf(want, sizeof(want), "none");
		if (best != NULL)
			network_text(want, best);
		assert_string_equal(find(it, ip_text(text, &ip)), want);
	}
	arena_free(arena);
	clean(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_whose),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_find_all),
	};

	return cmocka_run_group_tests_name("ban", tests, NULL, NULL);
}
