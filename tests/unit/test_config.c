/*
 * rules/config: fallbacks, keys, what must agree, what is printed. Where files are needed:
 * test_config_files.c; what is behind `listen:` and `backend:`: test_config_listen.c; the
 * rules of the policy: test_policy_read.c.
 */
#include "tests/unit/config_text.h"

#include "filters/relay.h"

static void
test_fallbacks(void **state)
{
	(void)state;
	struct config_text text = config_text_good(BASE);
	const struct config *config = text.config;

	assert_string_equal(config->file, "t.yaml");
	assert_string_equal(config->user, "postern");
	assert_string_equal(config->spool_dir, "/var/tmp");
	assert_true(config->workers >= 1);
	assert_int_equal(config->delivery.value, DELIVERY_HOLD);
	assert_int_equal(config->bare_newline.value, BARE_NEWLINE_NORMALIZE);
	assert_null(config->bare_newline_peers.set);
	assert_true(config->received);
	assert_true(config->greet_delay.value == 0);
	assert_int_equal(config->mode.value, 0);
	assert_int_equal(config->backend.tls.value, BACKEND_TLS_OPPORTUNISTIC);
	assert_null(config->backend.tls_name);
	assert_null(config->backend.hello);
	assert_true(config->backend.retry.value == 30);
	assert_int_equal(config->tls.min_version.value, 2);
	assert_int_equal(config->tls.certificates.count, 0);
	assert_true(config->timeouts.greeting.value == 300);
	assert_true(config->timeouts.data_end.value == 570);
	assert_true(config->timeouts.facts.value == 30);
	assert_int_equal(config->limits.sessions, 10000);
	assert_int_equal(config->limits.header_size.value, 256 * 1024);
	assert_int_equal(config->limits.memory.value, 256 * 1024);
	assert_int_equal(config->dns.servers.count, 0);
	assert_int_equal(config->dns.questions, 400);
	assert_true(config->dns.ipv6);
	assert_null(config->dns.trust_anchor); /* auto, where nothing is opened */
	assert_int_equal(config->dns.cache.value, 48 << 20);
	assert_float_equal(config->dns.negative.value, 300, 0);
	assert_int_equal(config->log.level.value, 2);
	assert_null(config->policy.rules[0].name);
	assert_int_equal(strlen(config->policy.hash), 64);
	assert_true(config->policy.tag == 0 && config->policy.reject == 0);
	config_text_end(&text);
}

static void
test_missing(void **state)
{
	(void)state;
	static const struct config_wrong wrong[] = {
		{ "", "t.yaml: there is nothing in this file\n" },
		{ "# nothing\n", "t.yaml: there is nothing in this file\n" },
		{ "[ a ]",
		    "t.yaml:1:1: expected keys and values, such as hostname: mx.example.com\n" },
		{ "hostname: a.b\nbackend: { servers: c.d }\n",
		    "t.yaml:1:1: key missing: listen\n" },
		{ "hostname: a.b\nlisten: [ { address: \"*:25\", tls: off } ]\nbackend: {}\n",
		    "t.yaml:3:10: key missing: servers\n" },
		{ 0 },
	};

	config_text_expect_all(wrong);
}

static void
test_keys(void **state)
{
	(void)state;
	static const struct config_wrong wrong[] = {
		{ BASE "hostnam: x\n",
		    "t.yaml:6:1: unknown key \"hostnam\"; did you mean hostname\n" },
		{ BASE "sessions: 10\n",
		    "t.yaml:6:1: unknown key \"sessions\"; belongs under limits:\n" },
		{ BASE "limits: { sesions: 1, errors: 0, header_size: 1K }\n",
		    "t.yaml:6:11: unknown key \"sesions\"; did you mean sessions\n"
		    "t.yaml:6:31: impossible value \"0\": expected a whole number, between 1 and "
		    "10000\n"
		    "t.yaml:6:47: impossible value \"1K\": expected a size such as 256K, 25M, "
		    "between 4K and 64M\n" },
		{ BASE "timeouts: { data: 5 }\n",
		    "t.yaml:6:19: impossible value \"5\": expected a time such as 30s, 5m, 1h, "
		    "between 100ms and 1d\n" },
		{ BASE "mode: shadwo\n",
		    "t.yaml:6:7: impossible value \"shadwo\": expected enforce or shadow; did you "
		    "mean shadow\n" },
		{ BASE "log: { level: 3 }\n",
		    "t.yaml:6:15: impossible value \"3\": expected error, warning, info or "
		    "debug\n" },
		{ BASE "user:\n", "t.yaml:6:6: there is no value: expected a text\n" },
		{ 0 },
	};

	config_text_expect_all(wrong);
}

static void
test_relay(void **state)
{
	(void)state;
	struct config_text text = config_text_good(
	    "hostname: a.b\nlisten: { address: \"*:25\", tls: off }\nbackend: { servers: c.d }\n"
	    "relay: { domains: [ Example.COM, .Example.com ], networks: [ 10.0.0.0/8, \"::1\" ] "
	    "}\n");
	const struct pipeline *pipeline = &text.config->pipeline;
	const struct relay_options *relay = pipeline->rows[pipeline->count - 1].options;
	char where[64];
	struct ip ip;

	assert_string_equal(pipeline->rows[pipeline->count - 1].filter->name, "relay");
	assert_int_equal(relay->domains.count, 2);
	assert_string_equal(relay->domains.item[0], "example.com");
	assert_string_equal(relay->domains.item[1], ".example.com");
	assert_true(ip_read(&ip, slice_of("10.1.2.3")));
	assert_true(networks_have(&relay->networks, ip, where, sizeof(where)));
	assert_string_equal(where, "t.yaml:4");
	config_text_end(&text);
}

#define RELAY                                                                                      \
	"hostname: a.b\nlisten: { address: \"*:25\", tls: off }\nbackend: { servers: c.d "         \
	"}\nrelay: "

static void
test_open_relay(void **state)
{
	(void)state;
	static const char open[] = "t.yaml:4:20: an open relay: this is every client of the "
				   "Internet\n";
	static const struct config_wrong wrong[] = {
		{ RELAY "{ networks: 0.0.0.0/0 }\n", open },
		{ RELAY "{ networks: [ 10.0.0.0/8, \"::/0\" ] }\n", open },
		{ RELAY "{ networks: [ 0.0.0.0/1, 128.0.0.0/1 ] }\n", open },
		{ RELAY "{ networks: 10.0.0.0/33 }\n", NULL },
		{ RELAY "{ domains: \"*.example.com\" }\n", NULL },
		{ RELAY "{ domains: [ a..b ] }\n", NULL },
		{ RELAY "{ domains: -a.b }\n", NULL },
		{ 0 },
	};

	for (const struct config_wrong *one = wrong; one->yaml != NULL; one++) {
		struct config_text text = config_text_read(one->yaml);

		if (text.faults.count != 1 || strncmp(text.words, "t.yaml:4:", 9) != 0 ||
		    (one->words != NULL && strcmp(one->words, text.words) != 0))
			fail_msg("%s%s", one->yaml, text.words);
		config_text_end(&text);
	}
}

static void
test_filters(void **state)
{
	(void)state;
	struct config_text text = config_text_good(
	    BASE "filters: { ptr: { mode: shadow }, ip_list: { block: 192.0.2.1 } }\n");
	static const char *const names[] = { "ip_list", "ptr", "smtp", "relay" };
	const struct pipeline *pipeline = &text.config->pipeline;

	assert_int_equal(pipeline->count, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(pipeline->rows[i].filter->name, names[i]);
		assert_non_null(pipeline->rows[i].options);
		assert_int_equal(pipeline->rows[i].is_shadow, i == 1);
	}
	config_text_end(&text);

	text = config_text_good(BASE "filters: { ptr: }\n");
	assert_int_equal(text.config->pipeline.count, 4);
	assert_string_equal(text.config->pipeline.rows[1].filter->name, "ptr");
	config_text_end(&text);

	/* Who is banned, how SMTP is spoken, and whether mail may pass. */
	text = config_text_good(BASE);
	assert_int_equal(text.config->pipeline.count, 3);
	assert_string_equal(text.config->pipeline.rows[0].filter->name, "ip_list");
	config_text_end(&text);
}

static void
test_wrong_filters(void **state)
{
	(void)state;
	static const struct config_wrong wrong[] = {
		{ BASE "filters: { prt: {} }\n",
		    "t.yaml:6:12: unknown key \"prt\"; did you mean ptr\n" },
		{ BASE "filters: { relay: {} }\n",
		    "t.yaml:6:12: unknown key \"relay\"; belongs at the top of the file\n" },
		{ BASE "filters: { ptr: { mode: off } }\n",
		    "t.yaml:6:25: impossible value \"off\": expected enforce or shadow\n" },
		{ BASE "filters: { ip_list: { blok: 192.0.2.1 } }\n",
		    "t.yaml:6:23: unknown key \"blok\"; did you mean block\n" },
		{ BASE "ptr: {}\n", "t.yaml:6:1: unknown key \"ptr\"; belongs under filters:\n" },
		{ 0 },
	};

	config_text_expect_all(wrong);
}

static void
test_agreement(void **state)
{
	(void)state;
	static const struct config_wrong wrong[] = {
		{ BASE "thresholds: { tag: 5, reject: 5 }\n",
		    "t.yaml:6:20: nothing would ever be tagged: what reaches tag: 5 is rejected "
		    "by reject: 5\n" },
		{ BASE "bare_newline: pass\n",
		    "t.yaml:6:15: pass needs bare_newline_peers:, the clients that may do so\n" },
		{ BASE "dns: { servers: [ 127.0.0.1, x ] }\n", NULL },
		{ BASE "delivery: stream\npolicy:\n"
		       "  - { name: a, when: { smtp.errors: many }, do: reject }\n"
		       "  - { name: b, when: { smtp.errors: many }, do: tag }\n",
		    "t.yaml:6:11: stream cannot be: by the rule \"b\" a message may be changed "
		    "after its end is known; say hold or auto\n" },
		{ BASE "delivery: stream\nthresholds: { tag: 1 }\npolicy:\n"
		       "  - { name: a, when: { smtp.errors: many }, score: 3 }\n",
		    "t.yaml:6:11: stream cannot be: by the rule \"a\" a message may be changed "
		    "after its end is known; say hold or auto\n" },
		{ 0 },
	};

	for (const struct config_wrong *one = wrong; one->yaml != NULL; one++) {
		struct config_text text = config_text_read(one->yaml);

		if (text.faults.count != 1 ||
		    (one->words != NULL && strcmp(one->words, text.words) != 0))
			fail_msg("%s%s", one->yaml, text.words);
		config_text_end(&text);
	}
}

static void
test_agreement_kept(void **state)
{
	(void)state;
	static const char *const good[] = {
		BASE "thresholds: { tag: 5 }\n",
		BASE "bare_newline: pass\nbare_newline_peers: 192.0.2.1\n",
		BASE "dns: { servers: [ 127.0.0.1, \"127.0.0.1:5353\", \"[::1]:53\" ] }\n",
		BASE "delivery: stream\n",
		BASE "delivery: auto\npolicy: [ { name: b, when: { smtp.errors: many }, do: tag } "
		     "]\n",
		BASE "delivery: stream\nmode: shadow\n"
		     "policy: [ { name: b, when: { smtp.errors: many }, do: tag } ]\n",
		BASE
		"delivery: stream\npolicy: [ { name: b, when: { ip_list: block }, do: tag } ]\n",
		NULL,
	};

	for (const char *const *one = good; *one != NULL; one++) {
		struct config_text text = config_text_good(*one);

		config_text_end(&text);
	}
}

static void
expect_warnings(const char *yaml, const char *words)
{
	struct config_text text = config_text_good(yaml);

	free(text.words);
	config_warn(text.config, &text.faults);
	config_text_say(&text);
	assert_string_equal(text.words, words);
	config_text_end(&text);
}

static void
test_warnings(void **state)
{
	(void)state;
	expect_warnings(BASE, "t.yaml:1:1: the policy has no rules: only relaying is refused\n");
	expect_warnings(BASE "policy: [ { name: a, when: { ptr: none }, score: 1 } ]\n",
	    "t.yaml:6:9: without thresholds: scores, as of the rule \"a\", change nothing\n");
	expect_warnings(
	    "hostname: mx\nlisten: { address: \"*:25\", tls: off }\nbackend: { servers: c.d }\n"
	    "policy: [ { name: a, when: { ptr: none }, do: defer } ]\n",
	    "t.yaml:1:11: the host name \"mx\" has no domain; other servers may distrust it\n"
	    "t.yaml:1:1: no relay domain and no network: nothing will be relayed\n");
	expect_warnings(BASE "filters: { clamav: { timeout: 29s } }\n"
			     "policy: [ { name: a, when: { clamav: error }, do: defer } ]\n",
	    "");
	expect_warnings(BASE "timeouts: { facts: 5s }\n"
			     "filters:\n  clamav: { timeout: 5s }\n  rspamd: { timeout: 4s }\n"
			     "policy: [ { name: a, when: { clamav: error }, do: defer } ]\n",
	    "t.yaml:8:11: the timeout of clamav (5 s) is not below timeouts: facts: (5 s), which "
	    "defers the mail first\n");
	expect_warnings(
	    "hostname: m.x\nlisten: { address: \"*:25\", tls: off, auth_without_tls: yes }\n"
	    "backend: { servers: c.d }\nrelay: {}\n"
	    "policy: [ { name: a, when: { ptr: none }, do: defer } ]\n",
	    "t.yaml:4:8: no relay domain and no network: nothing will be relayed, but for "
	    "authenticated users\n");
}

/* What is printed means the same. */
static void
test_print(void **state)
{
	(void)state;
	struct config_text text = config_text_good(
	    BASE "filters: { ip_list: { block: [ 192.0.2.0/24 ] }, ptr: { mode: shadow } }\n"
		 "policy: [ { name: a, when: { ip_list: [ block, allow ] }, do: reject } ]\n"
		 "thresholds: { tag: 1.5 }\ntimeouts: { data: 90s }\n");
	char *first = NULL, *second = NULL;
	size_t size;
	FILE *to = open_memstream(&first, &size);

	config_print(to, text.config);
	fclose(to);

	struct config_text again = config_text_good(first);

	to = open_memstream(&second, &size);
	config_print(to, again.config);
	fclose(to);
	assert_string_equal(first, second);
	assert_string_equal(text.config->policy.hash, again.config->policy.hash);
	assert_true(again.config->timeouts.data.value == 90);
	free(first);
	free(second);
	config_text_end(&text);
	config_text_end(&again);
}

static void
test_man(void **state)
{
	(void)state;
	char *page = NULL;
	size_t size;
	FILE *to = open_memstream(&page, &size);

	config_write_man(to);
	fclose(to);
	assert_non_null(strstr(page, "sessions_per_client"));
	assert_non_null(strstr(page, "smtp.early_talker"));
	assert_non_null(strstr(page, "\\fBunless:\\fP"));
	free(page);
}

/* Cut anywhere, it is good or there is a fault, and nothing else. */
static void
test_cut(void **state)
{
	(void)state;
	static const char whole[] =
	    BASE "filters: { ip_list: { block: [ 192.0.2.0/24 ] }, ptr: {} }\n"
		 "policy:\n"
		 "  - name: a\n"
		 "    when: { ip_list: [ block, allow ], smtp.auth: no }\n"
		 "    for: [ a@b.c, postmaster@, .b.c, \"listener *:2525\" ]\n"
		 "    do: reject\n"
		 "    text: \"5.7.1 {client}\"\n"
		 "thresholds: { tag: 1.5 }\n";

	for (size_t length = 0; length < sizeof(whole); length++) {
		char *part = strndup(whole, length);
		struct config_text text = config_text_read(part);

		config_text_end(&text);
		free(part);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fallbacks),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_relay),
		cmocka_unit_test(test_open_relay),
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_wrong_filters),
		cmocka_unit_test(test_agreement),
		cmocka_unit_test(test_agreement_kept),
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_man),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
