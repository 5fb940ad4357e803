/*
 * lib/option: tables of every kind, what they fill in, and what they say about mistakes. How
 * single values are written: test_option_value.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/option.h"
#include "lib/yaml.h"

enum { TLS_OFF, TLS_STARTTLS, TLS_REQUIRED };

struct limits {
	uint32_t sessions;
	struct seconds greeting_time;
	struct bytes message_size;
	bool strict;
	double score;
};

struct listener {
	const char *address;
	struct choice tls;
	struct texts names;
};

struct web {
	const char *address;
	const char *password;
};

struct certificate {
	const char *cert;
};

struct config {
	const char *hostname;
	struct limits limits;
	struct {
		size_t count;
		const struct listener *item;
	} listen;
	struct {
		size_t count;
		const struct certificate *item;
	} certificates;
	const struct web *web;
	struct texts domains;
	unsigned char first_byte; /* custom */
	const char *for_whom;
};

static const struct option limits_options[] = {
	OPTION(limits, sessions, .fallback = "10000", .min = 1, .max = 1000000,
	    .help = "sessions per worker"),
	OPTION(limits, greeting_time, .fallback = "5m", .min = 1, .max = 86400,
	    .help = "time until the first command"),
	OPTION(limits, message_size, .fallback = "0", .help = "0: the backend's SIZE"),
	OPTION(limits, strict, .fallback = "no", .help = ".starts with a point - and \\ more"),
	OPTION(limits, score, .fallback = "-2.5", .min = -10, .max = 10),
	{ 0 },
};

static const struct option listener_options[] = {
	OPTION(listener, address, .required = true, .min = 1, .max = 64),
	OPTION(listener, tls, .fallback = "starttls",
	    .words = (const char *const[]) { "off", "starttls", "required", NULL }),
	OPTION(listener, names, .fallback = "[a, \"b c\"]", .min = 1, .max = 3),
	{ 0 },
};

static const struct option web_options[] = {
	OPTION(web, address, .fallback = "127.0.0.1:8025"),
	OPTION(web, password, .secret = true),
	{ 0 },
};

static const struct option certificate_options[] = {
	OPTION(certificate, cert, .path = true),
	{ 0 },
};

static bool
first_byte_read(struct option_reader *reader, const struct node *value, void *field)
{
	if (value->kind != NODE_TEXT)
		return false;
	if (strcmp(value->text, "own words") == 0)
		fault_add(reader->faults, value, "said by the function");
	if (strlen(value->text) != 1)
		return false;
	*(unsigned char *)field = (unsigned char)*value->text;
	return true;
}

static const struct option config_options[] = {
	OPTION(config, hostname),
	OPTION_SECTION(config, limits, limits_options, .help = "bounds"),
	OPTION_LIST(
	    config, listen, listener, listener_options, .fallback = "[{address: \"*:25\"}]"),
	OPTION_LIST(config, certificates, certificate, certificate_options, .shorthand = "cert"),
	OPTION_MAYBE(config, web, web, web_options),
	OPTION(config, domains),
	OPTION_CUSTOM(
	    config, first_byte, first_byte_read, .fallback = "x", .expected = "a single letter"),
	OPTION_AS("for", config, for_whom),
	{ 0 },
};

static const struct option_scope scopes[] = {
	{ "", config_options },
	{ NULL, NULL },
};

struct fixture {
	struct arena *arena;
	struct faults faults;
	struct option_reader reader;
	struct config config;
	const struct node *root;
	bool done;
};

static int
setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	fixture->arena = arena_new(SIZE_MAX);
	faults_init(&fixture->faults, fixture->arena);
	fixture->reader = (struct option_reader) {
		.arena = fixture->arena, .faults = &fixture->faults, .scopes = scopes
	};
	*state = fixture;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *fixture = *state;

	arena_free(fixture->arena);
	free(fixture);
	return 0;
}

static void
read_into(struct fixture *fixture, const char *text)
{
	fixture->config = (struct config) { .hostname = NULL };
	faults_init(&fixture->faults, fixture->arena);
	fixture->root =
	    yaml_read(fixture->arena, "dir/a.yaml", slice_of(text), NULL, &fixture->faults);
	assert_non_null(fixture->root);
	fixture->done =
	    option_read(&fixture->reader, config_options, fixture->root, &fixture->config);
}

static void
expect_good(struct fixture *fixture, const char *text)
{
	read_into(fixture, text);
	if (fixture->faults.count > 0)
		faults_print(&fixture->faults, stderr);
	assert_true(fixture->done);
	assert_int_equal(fixture->faults.count, 0);
}

/* All faults, as they would be printed. */
static void
expect_faults(struct fixture *fixture, const char *text, const char *want)
{
	char *printed = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&printed, &length);

	read_into(fixture, text);
	faults_print(&fixture->faults, to);
	fclose(to);
	assert_string_equal(printed, want);
	free(printed);
	assert_true(fixture->done == (*want == '\0'));
}

static void
test_fallbacks(void **state)
{
	struct fixture *fixture = *state;
	const struct config *config = &fixture->config;

	assert_true(option_read(&fixture->reader, config_options, NULL, &fixture->config));
	assert_null(config->hostname);
	assert_int_equal(config->limits.sessions, 10000);
	assert_true(config->limits.greeting_time.value == 300);
	assert_int_equal(config->limits.message_size.value, 0);
	assert_false(config->limits.strict);
	assert_true(config->limits.score == -2.5);
	assert_int_equal(config->listen.count, 1);
	assert_string_equal(config->listen.item[0].address, "*:25");
	assert_int_equal(config->listen.item[0].tls.value, TLS_STARTTLS);
	assert_int_equal(config->listen.item[0].names.count, 2);
	assert_string_equal(config->listen.item[0].names.item[1], "b c");
	assert_int_equal(config->certificates.count, 0);
	assert_null(config->web);
	assert_int_equal(config->domains.count, 0);
	assert_int_equal(config->first_byte, 'x');
	assert_int_equal(fixture->faults.count, 0);
}

static void
test_values(void **state)
{
	struct fixture *fixture = *state;
	const struct config *config = &fixture->config;

	expect_good(fixture,
	    "hostname: mx.example.com\n"
	    "limits: { sessions: 7, greeting_time: 90s, message_size: 25M, strict: \"Yes\",\n"
	    "          score: 4.25 }\n"
	    "listen:\n"
	    "  - { address: \"[::]:465\", tls: off, names: one }\n"
	    "  - address: \"*:2525\"\n"
	    "    names: [x, y, z]\n"
	    "certificates: [ a.pem, { cert: /abs.pem } ]\n"
	    "web:\n"
	    "domains: example.com\n"
	    "first_byte: \"?\"\n"
	    "for: us\n");
	assert_string_equal(config->hostname, "mx.example.com");
	assert_int_equal(config->limits.sessions, 7);
	assert_true(config->limits.greeting_time.value == 90);
	assert_int_equal(config->limits.message_size.value, 25 * 1024 * 1024);
	assert_true(config->limits.strict);
	assert_true(config->limits.score == 4.25);
	assert_int_equal(config->listen.count, 2);
	assert_int_equal(config->listen.item[0].tls.value, TLS_OFF);
	assert_string_equal(config->listen.item[0].names.item[0], "one");
	assert_int_equal(config->listen.item[1].tls.value, TLS_STARTTLS);
	assert_int_equal(config->listen.item[1].names.count, 3);
	assert_int_equal(config->certificates.count, 2);
	assert_string_equal(config->certificates.item[0].cert, "dir/a.pem");
	assert_string_equal(config->certificates.item[1].cert, "/abs.pem");
	assert_non_null(config->web);
	assert_string_equal(config->web->address, "127.0.0.1:8025");
	assert_null(config->web->password);
	assert_int_equal(config->domains.count, 1);
	assert_int_equal(config->first_byte, '?');
	assert_string_equal(config->for_whom, "us");
	/* One map for a list of maps. */
	expect_good(fixture, "listen: { address: x }\n");
	assert_int_equal(config->listen.count, 1);
}

static void
test_all_faults_at_once(void **state)
{
	expect_faults(*state,
	    "limits:\n"
	    "  greeting_tmie: 5m\n"
	    "  sessions: 0\n"
	    "  sessions: 3\n"
	    "  stirct: yes\n"
	    "  zebra: 1\n"
	    "  hostname: x\n"
	    "  message_size: [1, 2]\n"
	    "greeting_time: 5m\n"
	    "listen:\n"
	    "  - address: \"*:25\"\n"
	    "    tls: startls\n"
	    "  - tls: off\n"
	    "  - word\n"
	    "web: 3\n"
	    "domains: { a: b }\n"
	    "first_byte: many\n"
	    "hostnam: x\n",
	    "dir/a.yaml:4:3: key given twice: \"sessions\", first at dir/a.yaml:3:3\n"
	    "dir/a.yaml:2:3: unknown key \"greeting_tmie\"; did you mean greeting_time\n"
	    "dir/a.yaml:3:13: impossible value \"0\": expected a whole number, between 1 and "
	    "1000000\n"
	    "dir/a.yaml:5:3: unknown key \"stirct\"; did you mean strict\n"
	    "dir/a.yaml:6:3: unknown key \"zebra\"; expected sessions, greeting_time, "
	    "message_size, strict or score\n"
	    "dir/a.yaml:7:3: unknown key \"hostname\"; belongs at the top of the file\n"
	    "dir/a.yaml:8:17: impossible value (a list): expected a size such as 256K, 25M\n"
	    "dir/a.yaml:9:1: unknown key \"greeting_time\"; belongs under limits:\n"
	    "dir/a.yaml:12:10: impossible value \"startls\": expected off, starttls or required; "
	    "did you mean starttls\n"
	    "dir/a.yaml:13:5: key missing: address\n"
	    "dir/a.yaml:14:5: impossible value \"word\": expected a map\n"
	    "dir/a.yaml:15:6: impossible value \"3\": expected a map\n"
	    "dir/a.yaml:16:10: impossible value (a map): expected a text or a list of texts\n"
	    "dir/a.yaml:17:13: impossible value \"many\": expected a single letter\n"
	    "dir/a.yaml:18:1: unknown key \"hostnam\"; did you mean hostname\n");
}

static void
test_words_of_faults(void **state)
{
	expect_faults(*state, "limits: { greeting_time: 2d }",
	    "dir/a.yaml:1:26: impossible value \"2d\": expected a time such as 30s, 5m, 1h, "
	    "between 1s and 1d\n");
	expect_faults(*state, "listen: { address: \"\" }",
	    "dir/a.yaml:1:20: impossible value \"\": expected a text, between 1 and 64 bytes\n");
	expect_faults(*state, "listen: { address: x, names: [a, b, c, d] }",
	    "dir/a.yaml:1:30: impossible value (a list): expected a text or a list of texts, "
	    "between 1 and 3 items\n");
	expect_faults(*state, "domains: [ a, [b], {c: d}, ]",
	    "dir/a.yaml:1:15: impossible value (a list): expected a text\n"
	    "dir/a.yaml:1:20: impossible value (a map): expected a text\n");
	expect_faults(*state, "hostname:", "dir/a.yaml:1:10: there is no value: expected a text\n");
	expect_faults(*state, "first_byte: own words", "dir/a.yaml:1:13: said by the function\n");
	expect_faults(*state, "[a]", "dir/a.yaml:1:1: impossible value (a list): expected a map\n");
	expect_faults(*state, "message_sizes: 3",
	    "dir/a.yaml:1:1: unknown key \"message_sizes\"; did you mean message_size, which "
	    "belongs under limits:\n");
	expect_faults(*state, "hostname: \"\xc3\xa4\"\n\xc3\xa4: 1\n",
	    "dir/a.yaml:2:1: unknown key \"\xc3\xa4\"; expected hostname, limits, listen, "
	    "certificates, web, domains, first_byte or for\n");
}

static char *
print_config(struct fixture *fixture)
{
	char *printed = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&printed, &length);

	option_print_yaml(to, config_options, &fixture->config, fixture->root);
	fclose(to);
	return printed;
}

static void
test_print(void **state)
{
	struct fixture *fixture = *state;

	setenv("POSTERN_TEST", "s3cret", 1);
	expect_good(fixture,
	    "hostname: \"x: \\\"y\\\" \\x07 $${HOME} \xc3\xa4\"\n"
	    "limits: { greeting_time: 1500ms, message_size: 1536K, score: 0.1 }\n"
	    "web: { address: \"${env:POSTERN_TEST}\", password: plain }\n"
	    "certificates: [ \"${env:POSTERN_TEST}\", b ]\n"
	    "domains: [ \"x${env:POSTERN_TEST}\", .example.com ]\n");
	assert_string_equal(fixture->config.web->address, "s3cret");
	assert_string_equal(fixture->config.domains.item[0], "xs3cret");

	char *printed = print_config(fixture);

	assert_null(strstr(printed, "s3cret"));
	assert_string_equal(printed,
	    "hostname: \"x: \\\"y\\\" \\U00000007 $${HOME} \xc3\xa4\"\n"
	    "limits:\n"
	    "  sessions: 10000\n"
	    "  greeting_time: 1500ms\n"
	    "  message_size: 1536K\n"
	    "  strict: no\n"
	    "  score: 0.1\n"
	    "listen:\n"
	    "  - address: \"*:25\"\n"
	    "    tls: starttls\n"
	    "    names: [a, \"b c\"]\n"
	    "certificates:\n"
	    "  - cert: \"(secret)\"\n"
	    "  - cert: dir/b\n"
	    "web:\n"
	    "  address: \"(secret)\"\n"
	    "  password: \"(secret)\"\n"
	    "domains: [\"(secret)\", .example.com]\n"
	    "first_byte: x\n");
	free(printed);
	/* A secret is not shown in a fault either. */
	expect_faults(fixture, "limits: { sessions: \"${env:POSTERN_TEST}\" }",
	    "dir/a.yaml:1:21: impossible value (secret): expected a whole number, between 1 and "
	    "1000000\n");
}

/* What is printed, read again, is printed the same. */
static void
test_print_again(void **state)
{
	struct fixture *fixture = *state;

	expect_good(fixture,
	    "hostname: \"\\t \\\\ # $$${ \\u2028 \\ufeff \\U0001F600\\n\"\n"
	    "listen: [ { address: \"- a\", names: [ \"\", \"@x\", \"a: b\" ] }, { address: \"#\" } "
	    "]\n"
	    "certificates: [ /x ]\n"
	    "web: {}\n"
	    "for: \"yes\"\n"
	    "first_byte: \"{\"\n");

	char *first = print_config(fixture);

	expect_good(fixture, first);

	char *second = print_config(fixture);

	assert_string_equal(first, second);
	free(first);
	free(second);
}

static void
test_man(void **state)
{
	char *printed = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&printed, &length);

	(void)state;
	option_write_man(to, config_options);
	fclose(to);
	assert_non_null(strstr(printed,
	    ".TP\n\\fBlimits:\\fP \\fIa map\\fP\nbounds\n"
	    ".RS\n"
	    ".TP\n\\fBsessions:\\fP \\fIa whole number, between 1 and 1000000\\fP\n"
	    "sessions per worker\n(default: 10000)\n"));
	assert_non_null(strstr(printed, "\n\\&.starts with a point \\- and \\e more\n"));
	assert_non_null(strstr(printed,
	    "\\fBaddress:\\fP \\fIa text, between 1 and 64 "
	    "bytes\\fP\n(required)\n"));
	assert_non_null(strstr(printed, "a list of maps, or of values of cert"));
	assert_non_null(strstr(printed, ".RE\n"));
	free(printed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_fallbacks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_values, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all_faults_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_words_of_faults, setup, teardown),
		cmocka_unit_test_setup_teardown(test_print, setup, teardown),
		cmocka_unit_test_setup_teardown(test_print_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_man, setup, teardown),
	};

	return cmocka_run_group_tests_name("option", tests, NULL, NULL);
}
