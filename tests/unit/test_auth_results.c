/*
 * auth_results: the field for facts of each kind; what strangers wrote, quoted; long ones
 * folded; when it is added.
 */
#include "tests/unit/config_text.h"

#include "rules/auth_results.h"

struct told {
	const char *filter, *key, *value, *detail;
	struct about about[8];
};

struct results_case {
	const char *title;
	struct told facts[6];
	const char *want; /* behind "Authentication-Results: mx.example.com" */
};

static const struct results_case cases[] = {
	{ "nothing known", { { 0 } }, "; none" },
	{ "SPF of sender and HELO",
	    { { "spf", "helo", "none", "",
		  { { "identity", "helo" }, { "domain", "mail.example.org" } } },
		{ "spf", "result", "pass", "",
		    { { "identity", "mailfrom" }, { "domain", "example.org" } } } },
	    ";\r\n\tspf=none smtp.helo=mail.example.org;\r\n\tspf=pass smtp.mailfrom=example.org" },
	{ "SPF of the null sender",
	    { { "spf", "helo", "fail", "",
		  { { "identity", "helo" }, { "domain", "mail.example.org" } } },
		{ "spf", "result", "fail", "",
		    { { "identity", "helo" }, { "domain", "mail.example.org" } } } },
	    ";\r\n\tspf=fail smtp.helo=mail.example.org" },
	{ "SPF explains", { { "spf", "exp", "given", "because", { { 0 } } } }, "; none" },
	{ "two signatures, the result is not said again",
	    { { "dkim", "signature", "pass", "",
		  { { "domain", "example.org" }, { "selector", "s1" },
		      { "algorithm", "rsa-sha256" }, { "bits", "2048" } } },
		{ "dkim", "signature", "fail", "the body is another",
		    { { "domain", "example.net" }, { "selector", "a.b" },
			{ "algorithm", "ed25519-sha256" }, { "identity", "a@x.example.net" } } },
		{ "dkim", "partial", "no", "", { { 0 } } },
		{ "dkim", "result", "pass", "example.org", { { 0 } } } },
	    ";\r\n\tdkim=pass header.d=example.org header.s=s1 header.a=rsa-sha256;\r\n"
	    "\tdkim=fail reason=\"the body is another\" header.d=example.net\r\n"
	    "\theader.i=a@x.example.net header.s=a.b header.a=ed25519-sha256" },
	{ "no signature", { { "dkim", "result", "none", "no signature", { { 0 } } } },
	    ";\r\n\tdkim=none" },
	{ "signatures that nobody has looked at",
	    { { "dkim", "signature", "policy", "9 more were not judged", { { 0 } } } }, "; none" },
	{ "DMARC, of a domain that is testing",
	    { { "dmarc", "policy", "reject", "p= of example.org", { { "p", "reject" } } },
		{ "dmarc", "testing", "yes", "", { { 0 } } },
		{ "dmarc", "aligned", "none", "", { { 0 } } },
		{ "dmarc", "result", "fail", "example.org",
		    { { "domain", "example.org" }, { "policy", "quarantine" } } },
		{ "dmarc", "disposition", "none", "", { { 0 } } } },
	    ";\r\n\tdmarc=fail header.from=example.org policy.dmarc=quarantine" },
	{ "DMARC without a record",
	    { { "dmarc", "result", "none", "", { { "domain", "example.org" } } } },
	    ";\r\n\tdmarc=none header.from=example.org" },
	{ "DMARC of no author", { { "dmarc", "result", "none", "no author domain", { { 0 } } } },
	    ";\r\n\tdmarc=none" },
	{ "DMARC not found out",
	    { { "dmarc", "result", "error", "", { { "domain", "example.org" } } } },
	    ";\r\n\tdmarc=temperror header.from=example.org" },
	{ "a chain",
	    { { "arc", "set", "pass", "", { { "domain", "example.org" } } },
		{ "arc", "result", "pass", "2 sets", { { 0 } } } },
	    ";\r\n\tarc=pass" },
	{ "a broken chain", { { "arc", "result", "fail", "1 set: no b=", { { 0 } } } },
	    ";\r\n\tarc=fail reason=\"1 set: no b=\"" },
	{ "the address has a name", { { "ptr", "result", "pass", "mail.example.org", { { 0 } } } },
	    ";\r\n\tiprev=pass policy.iprev=198.51.100.5" },
	{ "a generic name", { { "ptr", "result", "generic", "dsl.example.org", { { 0 } } } },
	    ";\r\n\tiprev=pass policy.iprev=198.51.100.5" },
	{ "it does not lead back", { { "ptr", "result", "mismatch", "x", { { 0 } } } },
	    ";\r\n\tiprev=fail policy.iprev=198.51.100.5" },
	{ "it has no name", { { "ptr", "result", "none", "", { { 0 } } } },
	    ";\r\n\tiprev=permerror policy.iprev=198.51.100.5" },
	{ "the name is not found out", { { "ptr", "result", "error", "", { { 0 } } } },
	    ";\r\n\tiprev=temperror policy.iprev=198.51.100.5" },
	{ "authenticated", { { "smtp", "auth", "yes", "alice@example.com", { { 0 } } } },
	    ";\r\n\tauth=pass smtp.auth=alice@example.com" },
	{ "not authenticated", { { "smtp", "auth", "no", "", { { 0 } } } }, "; none" },
	{ "other facts", { { "relay", "result", "domain", "", { { 0 } } } }, "; none" },
	{ "a domain that is none",
	    { { "dkim", "signature", "permerror", "d= is not a domain",
		{ { "domain", "a.test; spf=pass" }, { "selector", "" },
		    { "identity", "(\"x\\y\") <z>\r\n@\x80" } } } },
	    ";\r\n\tdkim=permerror reason=\"d= is not a domain\"\r\n"
	    "\theader.d=\"a.test; spf=pass\" header.i=\"(\\\"x\\\\y\\\") <z>??@?\"" },
	{ "values that are nearly addresses",
	    { { "dkim", "signature", "pass", "", { { "identity", "@" } } },
		{ "dkim", "signature", "pass", "", { { "identity", ".a@b.test" } } },
		{ "dkim", "signature", "pass", "", { { "identity", "a@b@c.test" } } },
		{ "dkim", "signature", "pass", "", { { "identity", "a.@b.test" } } } },
	    ";\r\n\tdkim=pass header.i=\"@\";\r\n\tdkim=pass header.i=\".a@b.test\";\r\n"
	    "\tdkim=pass header.i=\"a@b@c.test\";\r\n\tdkim=pass header.i=\"a.@b.test\"" },
};

static const char yaml[] = BASE "filters: { ptr: {}, spf: {}, dkim: {}, dmarc: {}, arc: {} }\n";

struct scene {
	struct config_text text;
	struct pipeline pipeline;
	struct client client;
	struct scope *scope;
	struct arena *arena;
};

static void
scene_begin(struct scene *scene, const char *yaml_text)
{
	*scene =
	    (struct scene) { .text = config_text_good(yaml_text), .arena = arena_new(1 << 20) };
	scene->client.text = "198.51.100.5";
	scene->scope = scope_new(scene->arena, NULL, NULL, SCOPE_CONNECTION, &scene->pipeline);
	scene->scope->mail.client = &scene->client;
}

static void
scene_end(struct scene *scene)
{
	arena_free(scene->arena);
	config_text_end(&scene->text);
}

static const char *
field_of(struct scene *scene)
{
	struct buf out = { .limit = 1 << 20 };

	auth_results_field(scene->text.config, scene->scope, &out);
	const char *text = arena_copy(scene->arena, buf_slice(&out));

	buf_free(&out);
	return text;
}

static void
test_fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene scene;

		scene_begin(&scene, yaml);
		for (const struct told *told = cases[i].facts; told->filter != NULL; told++)
			evidence_add_about(scene.scope->mail.evidence, told->filter, told->key,
			    told->value, told->detail,
			    told->about[0].name != NULL ? told->about : NULL);
		const char *want = arena_format(
		    scene.arena, "Authentication-Results: mx.example.com%s\r\n", cases[i].want);

		if (strcmp(field_of(&scene), want) != 0)
			fail_msg("%s:\n%s", cases[i].title, field_of(&scene));
		scene_end(&scene);
	}
}

/* No line is longer than RFC 5322 2.1.1 allows, and what is in it is bounded. */
static void
test_long(void **state)
{
	struct scene scene;
	const char *line, *end;

	(void)state;
	scene_begin(&scene, yaml);
	for (int i = 0; i < 1000; i++) {
		const struct about about[] = { { "domain",
						   arena_format(scene.arena, "%0*d\"", 500, i) },
			{ "identity", arena_format(scene.arena, "%01000d", i) }, { 0 } };

		evidence_add_about(
		    scene.scope->mail.evidence, "dkim", "signature", "permerror", "", about);
	}
	const char *text = field_of(&scene);

	assert_true(strlen(text) < 30000);
	for (line = text; (end = strstr(line, "\r\n")) != NULL; line = end + 2)
		assert_true(end - line < 998);
	assert_string_equal(line, "");
	scene_end(&scene);
}

static void
test_shadow(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin(&scene, BASE "filters: { ptr: {}, spf: { mode: shadow }, dkim: {} }\n");
	evidence_add(scene.scope->mail.evidence, "spf", "result", "pass", "");
	evidence_add(scene.scope->mail.evidence, "dkim", "result", "none", "");
	assert_string_equal(
	    field_of(&scene), "Authentication-Results: mx.example.com;\r\n\tdkim=none\r\n");
	scene_end(&scene);
}

static void
test_wanted(void **state)
{
	static const struct {
		const char *yaml;
		bool want;
		const char *id;
	} wanted[] = {
		{ BASE, false, "mx.example.com" },
		{ BASE "filters: { ptr: {} }\n", false, "mx.example.com" },
		{ BASE "filters: { spf: {} }\n", true, "mx.example.com" },
		{ BASE "filters: { dmarc: {} }\n", true, "mx.example.com" },
		{ BASE "filters: { dkim: {} }\n", true, "mx.example.com" },
		{ BASE "filters: { dkim: { mode: shadow } }\n", false, "mx.example.com" },
		{ BASE "filters: { dkim: {} }\nauthentication_results: no\n", false,
		    "mx.example.com" },
		{ BASE "filters: { dkim: {} }\nauthserv_id: gate.example.com\n", true,
		    "gate.example.com" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		struct config_text text = config_text_good(wanted[i].yaml);

		assert_int_equal(auth_results_are_wanted(text.config), wanted[i].want);
		assert_string_equal(text.config->authserv_id, wanted[i].id);
		config_text_end(&text);
	}
	config_text_expect(BASE "authserv_id: a b\n",
	    "t.yaml:6:14: impossible value \"a b\": expected a host name such as mx.example.com\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_shadow),
		cmocka_unit_test(test_wanted),
	};

	return cmocka_run_group_tests_name("auth_results", tests, NULL, NULL);
}
