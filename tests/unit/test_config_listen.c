/* rules/config: listeners and backends, good and bad. */
#include "tests/unit/config_text.h"

#define BEGIN "hostname: a.b\nbackend: { servers: c.d, tls: off }\n"

static void
test_listeners(void **state)
{
	(void)state;
	struct config_text text = config_text_good(
	    "hostname: a.b\n"
	    "listen:\n"
	    "  - { address: \"*:25\" }\n"
	    "  - { address: \"192.0.2.1:26\", tls: required, auth: off }\n"
	    "  - { address: \"[2001:db8::1]:465\", tls: implicit, auth_without_tls: yes }\n"
	    "tls: { certificates: [ { cert: c.pem, key: /k.pem } ], min_version: 1.0 }\n"
	    "backend: { servers: mail.example }\n");
	const struct config_listen *listen = text.config->listen.item;

	assert_int_equal(text.config->listen.count, 3);
	assert_string_equal(listen[0].address, "*:25");
	assert_true(listen[0].is_any);
	assert_int_equal(listen[0].endpoint.port, 25);
	assert_int_equal(listen[0].tls.value, LISTEN_TLS_STARTTLS);
	assert_int_equal(listen[0].auth.value, LISTEN_AUTH_BACKEND);
	assert_false(listen[0].auth_without_tls);
	assert_false(listen[1].is_any);
	assert_int_equal(listen[1].endpoint.ip.length, 4);
	assert_int_equal(listen[1].tls.value, LISTEN_TLS_REQUIRED);
	assert_int_equal(listen[1].auth.value, LISTEN_AUTH_OFF);
	assert_int_equal(listen[2].endpoint.ip.length, 16);
	assert_int_equal(listen[2].tls.value, LISTEN_TLS_IMPLICIT);
	assert_true(listen[2].auth_without_tls);
	assert_string_equal(text.config->tls.certificates.item[0].cert, "c.pem");
	assert_string_equal(text.config->tls.certificates.item[0].key, "/k.pem");
	assert_int_equal(text.config->tls.min_version.value, 0);
	assert_null(text.config->tls_server);
	config_text_end(&text);
}

static void
test_servers(void **state)
{
	(void)state;
	struct config_text text = config_text_good(
	    "hostname: a.b\n"
	    "listen: { address: \"*:2500\", tls: off }\n"
	    "backend:\n"
	    "  servers: [ exchange.corp.example, \"b_1.example:2525\", 192.0.2.1, "
	    "\"192.0.2.1:26\", \"::1\", \"[::1]\", \"[2001:db8::1]:587\", localhost ]\n"
	    "  tls: off\n"
	    "  hello: gate.example\n"
	    "  tls_name: cert.example\n"
	    "  retry: 2m\n");
	const struct config_server *server = text.config->backend.servers.item;
	static const struct {
		const char *text, *host;
		unsigned port, length;
	} expected[] = {
		{ "exchange.corp.example", "exchange.corp.example", 25, 0 },
		{ "b_1.example:2525", "b_1.example", 2525, 0 },
		{ "192.0.2.1", "192.0.2.1", 25, 4 },
		{ "192.0.2.1:26", "192.0.2.1", 26, 4 },
		{ "::1", "::1", 25, 16 },
		{ "[::1]", "::1", 25, 16 },
		{ "[2001:db8::1]:587", "2001:db8::1", 587, 16 },
		{ "localhost", "localhost", 25, 0 },
	};

	assert_int_equal(text.config->backend.servers.count, 8);
	for (size_t i = 0; i < 8; i++) {
		assert_string_equal(server[i].text, expected[i].text);
		assert_string_equal(server[i].host, expected[i].host);
		assert_int_equal(server[i].port, expected[i].port);
		assert_int_equal(server[i].ip.length, expected[i].length);
	}
	assert_string_equal(text.config->backend.hello, "gate.example");
	assert_string_equal(text.config->backend.tls_name, "cert.example");
	assert_true(text.config->backend.retry.value == 120);
	config_text_end(&text);
}

static void
test_wrong_listeners(void **state)
{
	(void)state;
	static const struct config_wrong wrong[] = {
		{ BEGIN "listen: [ { address: 25, tls: off } ]\n",
		    "t.yaml:3:22: impossible value \"25\": expected an address and port such as "
		    "\"*:25\", 192.0.2.1:25, \"[2001:db8::1]:25\"\n" },
		{ BEGIN "listen: [ { tls: off } ]\n", "t.yaml:3:11: key missing: address\n" },
		{ BEGIN "listen: []\n",
		    "t.yaml:3:9: impossible value (a list): expected a list of maps, at least 1 "
		    "item\n" },
		{ BEGIN "listen: [ { address: \"*:25\" } ]\n",
		    "t.yaml:3:11: tls: starttls needs a certificate under tls: certificates: (or "
		    "say tls: off)\n" },
		{ BEGIN "listen: [ { address: \"*:25\", tls: implicit } ]\n",
		    "t.yaml:3:35: tls: implicit needs a certificate under tls: certificates: (or "
		    "say tls: off)\n" },
		{ BEGIN
		    "listen: [ { address: \"*:25\", tls: off }, { address: \"*:25\", tls: off } "
		    "]\n",
		    "t.yaml:3:42: *:25 is listened on already\n" },
		{ BEGIN "listen: { address: \"*:25\", tls: yes }\n",
		    "t.yaml:3:33: impossible value \"yes\": expected off, starttls, required or "
		    "implicit\n" },
		{ BEGIN "listen: { address: \"*:25\", tls: off }\n"
			"tls: { certificates: [ { cert: c.pem } ] }\n",
		    "t.yaml:4:24: key missing: key\n" },
		{ 0 },
	};

	config_text_expect_all(wrong);
}

static void
test_wrong_servers(void **state)
{
	(void)state;
	static const char *const wrong[] = { "\"\"", "a b", "\"a:0\"", "\"a:65536\"", "\"a:\"",
		"\"a:025\"", "\":25\"", "300.1.2.3", "\"1.2.3.4:x\"", "a..b", ".a", "-a.b",
		"\"*:25\"", "\"[::1\"", "\"[::1]:0\"", "a/b", "{}", "[ [] ]", "[]", NULL };

	for (const char *const *one = wrong; *one != NULL; one++) {
		char yaml[200];
		struct config_text text;

		snprintf(yaml, sizeof(yaml),
		    "hostname: a.b\nlisten: { address: \"*:25\", tls: off }\n"
		    "backend: { servers: %s }\n",
		    *one);
		text = config_text_read(yaml);
		if (text.faults.count != 1 || strncmp(text.words, "t.yaml:3:", 9) != 0)
			fail_msg("%s: %s", *one, text.words);
		config_text_end(&text);
	}
}

static void
test_loop(void **state)
{
	(void)state;
	static const struct config_wrong wrong[] = {
		{ "hostname: a.b\nlisten: { address: \"*:25\", tls: off }\n"
		  "backend: { servers: [ a.b, 127.0.0.1 ] }\n",
		    "t.yaml:3:28: postern would speak to itself: it listens on *:25\n" },
		{ "hostname: a.b\nlisten: { address: \"*:25\", tls: off }\n"
		  "backend: { servers: \"[::1]:25\" }\n",
		    "t.yaml:3:21: postern would speak to itself: it listens on *:25\n" },
		{ "hostname: a.b\nlisten: { address: \"192.0.2.1:25\", tls: off }\n"
		  "backend: { servers: 192.0.2.1 }\n",
		    "t.yaml:3:21: postern would speak to itself: it listens on 192.0.2.1:25\n" },
		{ "hostname: a.b\nlisten: { address: \"0.0.0.0:25\", tls: off }\n"
		  "backend: { servers: \"127.0.0.1:25\" }\n",
		    "t.yaml:3:21: postern would speak to itself: it listens on 0.0.0.0:25\n" },
		{ 0 },
	};

	config_text_expect_all(wrong);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_listeners),
		cmocka_unit_test(test_servers),
		cmocka_unit_test(test_wrong_listeners),
		cmocka_unit_test(test_wrong_servers),
		cmocka_unit_test(test_loop),
	};

	return cmocka_run_group_tests_name("config_listen", tests, NULL, NULL);
}
