/*
 * surbl: what is asked about which host, and when; the facts, with the answers in every order;
 * limits, choices and faults of the section.
 */
#include "tests/unit/list_options.h"

#include "filters/surbl.h"
#include "lib/json.h"
#include "rules/part_reader.h"

/* ---- a message, part by part ---- */

struct piece {
	const char *type, *text; /* text NULL: the end */
	bool is_raw;
};

static void
surbl_begin(struct play *play, const char *yaml, const struct dns_row *dns)
{
	struct arena *arena = arena_new(SIZE_MAX);
	const struct pipeline_row rows[] = {
		{ &surbl_filter, options_good(&surbl_filter, arena, yaml) }, { 0 }
	};

	play_begin(play, "198.51.100.5", rows, dns);
	arena_defer(play->arena, (arena_undo)arena_free, arena);
	play_helo(play, "there");
	play_mail(play, (struct address) { "a@example.org", "a", "example.org", false });
	play->scope->states[0] = arena_alloc(play->arena, surbl_filter.state_size);
}

static void
surbl_feed(struct play *play, const struct piece *pieces, size_t step)
{
	struct part_reader readers[2] = { 0 };

	for (size_t i = 0; pieces[i].text != NULL; i++) {
		struct part_reader *reader = &readers[pieces[i].is_raw];
		char path[32];
		struct slice text = slice_of(pieces[i].text);
		struct part part = { .path = path,
			.type = pieces[i].type,
			.charset = "",
			.name = "",
			.encoding = "",
			.disposition = "",
			.depth = 1,
			.is_text = true,
			.is_html = strcmp(pieces[i].type, "text/html") == 0,
			.is_raw = pieces[i].is_raw };

		snprintf(path, sizeof(path), "1.%zu", i + 1);
		part_reader_begin(reader, play->scope, &part);
		for (size_t at = 0; at < text.length; at += step) {
			size_t rest = text.length - at;

			part_reader_feed(
			    reader, (struct slice) { text.data + at, rest < step ? rest : step });
		}
		part_reader_end(reader);
		memset(path, 'x', 3); /* what is borrowed is borrowed for the call */
	}
}

static void
surbl_finish(struct play *play)
{
	scope_reach(play->scope, END);
	scope_run(play->scope);
}

/* What is told of one key: "word(detail) {host=...} ..." */
static const char *
facts_of(struct play *play, const char *key)
{
	struct evidence_place place = { 0 };
	const struct fact *fact;
	const char *all = "";

	while ((fact = evidence_next(play->scope->mail.evidence, &place)) != NULL) {
		if (strcmp(fact->key, key) != 0)
			continue;
		all = arena_format(play->arena, "%s%s%s(%s)", all, all[0] != '\0' ? " " : "",
		    fact->value, fact->detail);
		for (const struct about *one = fact->about; one != NULL && one->name != NULL; one++)
			all = arena_format(play->arena, "%s {%s=%s}", all, one->name, one->value);
	}
	return all;
}

/* ---- which names are asked ---- */

struct name_case {
	const char *title, *list, *text;
	const char *name; /* that must be asked */
	bool is_late;     /* when the message is over; else while it comes in */
};

static const struct name_case name_cases[] = {
	{ "the whole host", "{ id: l, zone: l.test, kind: domain, asks: host }",
	    "http://a.b.example.com/", "a.b.example.com.l.test" },
	{ "the registered domain", "{ id: l, zone: l.test, kind: domain, asks: registered }",
	    "http://a.b.example.co.uk/", "example.co.uk.l.test" },
	{ "both: the host", "{ id: l, zone: l.test, kind: domain }", "http://a.example.com/",
	    "a.example.com.l.test" },
	{ "both: the domain", "{ id: l, zone: l.test, kind: domain }", "http://a.example.com/",
	    "example.com.l.test" },
	{ "a hoster's customer", "{ id: l, zone: l.test, kind: domain, asks: registered }",
	    "http://www.joe.110mb.com/", "joe.110mb.com.l.test" },
	{ "a hoster's customer of the public suffix list",
	    "{ id: l, zone: l.test, kind: domain, asks: registered }", "http://www.joe.github.io/",
	    "joe.github.io.l.test" },
	{ "an address", "{ id: l, zone: l.test, kind: domain, addresses: yes }",
	    "http://0xc0000207/", "7.2.0.192.l.test" },
	{ "an address within IPv6", "{ id: l, zone: l.test, kind: domain, addresses: yes }",
	    "http://[::ffff:192.0.2.7]/", "7.2.0.192.l.test" },
	{ "an address, of a list of addresses", "{ id: l, zone: l.test, kind: both }",
	    "http://192.0.2.7/", "7.2.0.192.l.test" },
	{ "IPv6, of a list of addresses", "{ id: l, zone: l.test, kind: both }",
	    "http://[2001:db8::5]/",
	    "5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.l.test" },
	{ "beyond ASCII", "{ id: l, zone: l.test, kind: domain, asks: host }",
	    "http://b\xc3\xbc"
	    "cher.example.com/",
	    "xn--bcher-kva.example.com.l.test" },
	{ "surbl", "surbl", "http://a.b.example.com/", "a.b.example.com.multi.surbl.org" },
	{ "dbl", "dbl", "http://a.b.example.com/", "a.b.example.com.dbl.spamhaus.org" },
	{ "uribl", "uribl", "http://a.b.example.com/", "example.com.multi.uribl.com" },
	{ "dbl with a key", "{ id: dbl, key: k3y }", "http://example.com/",
	    "example.com.k3y.dbl.dq.spamhaus.net" },
	{ "nested", "{ id: l, zone: l.test, kind: domain }",
	    "http://r.example.org/?u=http%3A%2F%2Fevil.example.com%2F", "evil.example.com.l.test",
	    true },
};

static void
names(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(name_cases) / sizeof(name_cases[0]); i++) {
		const struct name_case *one = &name_cases[i];
		const struct dns_row dns[] = { { DNS_A, one->name, DNS_OK, { "127.0.0.2" } },
			{ 0 } };
		const struct piece pieces[] = { { "text/plain", one->text, false }, { 0 } };
		char yaml[200];
		struct play play;

		snprintf(yaml, sizeof(yaml), "lists: [ %s ]\n", one->list);
		surbl_begin(&play, yaml, dns);
		dns_fake_allow_unknown(play.fake);
		surbl_feed(&play, pieces, SIZE_MAX / 2);
		if (one->is_late)
			surbl_finish(&play);
		if (dns_fake_asked(play.fake, 0) == 0)
			fail_msg("%s: %s is not asked", one->title, one->name);
		play_end(&play);
	}
}

/* ---- what is never asked: the fake ends the test at a question ---- */

static const char *const never_cases[] = {
	"http://localhost/ http://intranet/ http://printer.local/ http://x.invalid/ "
	"http://x.example/",
	"http://co.uk/ http://github.io/ http://4.3.2.1.in-addr.arpa/",
	"http://127.0.0.1/ http://10.1.2.3/ http://192.168.0.1/ http://172.20.1.1/ http://[::1]/ "
	"http://[fe80::1]/ http://0x7f000001/",
	"http://www.google.com/ http://www.w3.org/1999/xhtml http://mine.example.net/ "
	"http://a.mine.example.net/",
	"joe@example.com",
};

static void
never(void **state)
{
	static const char yaml[] =
	    "lists: [ { id: l, zone: l.test, kind: domain, addresses: yes }, "
	    "{ id: i, zone: i.test, kind: both } ]\n"
	    "never: [ Mine.example.net. ]\n";

	(void)state;
	for (size_t i = 0; i < sizeof(never_cases) / sizeof(never_cases[0]); i++) {
		const struct piece pieces[] = { { "text/plain", never_cases[i], false }, { 0 } };
		struct play play;

		surbl_begin(&play, yaml, NULL);
		surbl_feed(&play, pieces, 3);
		surbl_finish(&play);
		assert_false(scope_waits(play.scope));
		assert_string_equal(facts_of(&play, "l"), "none()");
		assert_string_equal(facts_of(&play, "i"), "none()");
		play_end(&play);
	}
}

/* ---- facts ---- */

static const char *const two_lists =
    "lists:\n"
    "  - { id: a, zone: a.test, kind: domain, asks: host, codes: { 127.0.0.2: bad, 127.0.0.4: "
    "worse } }\n"
    "  - { id: b, zone: b.test, kind: domain, asks: registered, codes: { bit 2: black, bit 8: red "
    "}, errors: { bit 1: blocked } }\n";

static const struct dns_row answers[] = {
	{ DNS_A, "www.evil.example.com.a.test", DNS_OK, { "127.0.0.4", "127.0.0.2" } },
	{ DNS_A, "example.com.b.test", DNS_OK, { "127.0.0.10" } },
	{ DNS_A, "good.example.org.a.test", DNS_NO_NAME },
	{ DNS_A, "example.org.b.test", DNS_FAILED, .why = "time limit" },
	{ 0 },
};

static const struct piece message[] = {
	{ "text/plain", "See http://good.example.org/ please", false },
	{ "text/html", "<a href=\"http://www.evil.example.com/x\">good.example.org</a>", false },
	{ 0 },
};

#define EVIL                                                                                       \
	" {uri=http://www.evil.example.com/x} {host=www.evil.example.com} {part=1.2} {where=link}"

static void
play_order(const size_t *order, const void *arg)
{
	struct play play;

	(void)arg;
	surbl_begin(&play, two_lists, answers);
	surbl_feed(&play, message, 1);
	surbl_finish(&play);
	for (size_t i = 0; i < 4; i++) {
		assert_true(scope_waits(play.scope));
		play_answer(&play, order[i]);
	}
	assert_false(scope_waits(play.scope));
	assert_string_equal(facts_of(&play, "a"), "bad(127.0.0.2)" EVIL " worse(127.0.0.4)" EVIL);
	assert_string_equal(facts_of(&play, "b"), "black(127.0.0.10)" EVIL " red(127.0.0.10)" EVIL);
	assert_string_equal(facts_of(&play, "trick"), "misleading()" EVIL);
	assert_string_equal(facts_of(&play, "hosts"), "2(2 asked about)");
	assert_string_equal(facts_of(&play, "limit"), "no()");
	play_end(&play);
}

static void
orders(void **state)
{
	(void)state;
	play_orders(4, play_order, NULL);
}

/* A list that is wholly bad, one that fails for one of two hosts, one that refuses. */
static void
errors(void **state)
{
	static const char yaml[] =
	    "lists: [ { id: a, zone: a.test, kind: domain, asks: host }, "
	    "{ id: b, zone: b.test, kind: domain, asks: host, errors: { bit 1: blocked } } ]\n";
	static const struct dns_row dns[] = {
		{ DNS_A, "one.example.com.a.test", DNS_FAILED, .why = "time limit" },
		{ DNS_A, "two.example.org.a.test", DNS_NO_NAME },
		{ DNS_A, "one.example.com.b.test", DNS_OK, { "127.0.0.1" } },
		{ DNS_A, "two.example.org.b.test", DNS_OK, { "192.0.2.1" } },
		{ 0 },
	};
	static const struct piece pieces[] = {
		{ "text/plain", "http://one.example.com/ http://two.example.org/", false }, { 0 }
	};
	struct play play;

	(void)state;
	surbl_begin(&play, yaml, dns);
	surbl_feed(&play, pieces, 5);
	surbl_finish(&play);
	for (size_t i = 0; i < 4; i++)
		play_answer(&play, i);
	assert_string_equal(facts_of(&play, "a"), "error(no answer: time limit)");
	assert_string_equal(facts_of(&play, "b"), "error(127.0.0.1: blocked)");
	play_end(&play);
}

/* ---- limits ---- */

static void
limit(void **state)
{
	struct piece pieces[] = { { "text/html", "", false }, { 0 } };
	char html[32 * 1024];
	size_t length = 0;
	struct play play;

	(void)state;
	for (int i = 0; i < 200; i++)
		length += (size_t)snprintf(html + length, sizeof(html) - length,
		    "http://t%d.example.com/ <a href=http://h%d-example.com/>x</a>\n", i, i);
	pieces[0].text = html;
	surbl_begin(&play, "lists: [ { id: a, zone: a.test, kind: domain } ]\nhosts: 10\n", NULL);
	dns_fake_allow_unknown(play.fake);
	surbl_feed(&play, pieces, 100);
	surbl_finish(&play);
	assert_false(scope_waits(play.scope));
	assert_string_equal(facts_of(&play, "hosts"), "400(10 asked about)");
	assert_string_equal(facts_of(&play, "limit"), "yes(10 asked about)");
	assert_string_equal(facts_of(&play, "a"), "none()");
	play_end(&play);
}

/* Text comes first and many; the link at the end still has its place. */
static void
links_first(void **state)
{
	static const struct dns_row dns[] = {
		{ DNS_A, "evil.example.net.a.test", DNS_OK, { "127.0.0.2" } }, { 0 }
	};
	struct piece pieces[] = { { "text/plain", "", false },
		{ "text/html", "<a href=http://evil.example.net/>x</a>", false }, { 0 } };
	char text[8 * 1024];
	size_t length = 0;
	struct play play;

	(void)state;
	for (int i = 0; i < 100; i++)
		length += (size_t)snprintf(
		    text + length, sizeof(text) - length, "http://t%d-example.com/ ", i);
	pieces[0].text = text;
	surbl_begin(&play, "lists: [ { id: a, zone: a.test, kind: domain } ]\nhosts: 8\n", dns);
	dns_fake_allow_unknown(play.fake);
	surbl_feed(&play, pieces, 100);
	surbl_finish(&play);
	play_answer(&play, 0);
	assert_string_equal(facts_of(&play, "a"),
	    "listed(127.0.0.2) {uri=http://evil.example.net/} {host=evil.example.net} {part=1.2} "
	    "{where=link}");
	play_end(&play);
}

/* A host that is longer than a question may be loses its front. */
static void
long_hosts(void **state)
{
	static const struct dns_row dns[] = {
		{ DNS_A, "b.example.com.a.test", DNS_OK, { "127.0.0.2" } }, { 0 }
	};
	char text[400];
	const struct piece pieces[] = { { "text/plain", text, false }, { 0 } };
	struct play play;
	size_t length = (size_t)sprintf(text, "http://");

	(void)state;
	for (int i = 0; i < 3; i++)
		length += (size_t)sprintf(text + length, "%063d.", i);
	sprintf(text + length, "%045d.b.example.com/", 0);
	surbl_begin(&play, "lists: [ { id: a, zone: a.test, kind: domain, asks: host } ]\n", dns);
	dns_fake_allow_unknown(play.fake);
	surbl_feed(&play, pieces, 100);
	surbl_finish(&play);
	assert_string_equal(facts_of(&play, "hosts"), "1(1 asked about)");
	play_end(&play);
}

/* ---- choices ---- */

static void
mail_and_header(void **state)
{
	static const char yaml[] =
	    "lists: [ { id: a, zone: a.test, kind: domain, asks: registered } "
	    "]\nmail_addresses: yes\nheaders: [ Reply-To ]\n";
	static const struct dns_row dns[] = { { DNS_A, "example.net.a.test", DNS_OK,
						  { "127.0.0.2" } },
		{ DNS_A, "example.org.a.test", DNS_OK, { "127.0.0.2" } }, { 0 } };
	static const struct piece pieces[] = { { "text/plain", "mail joe@x.example.net", false },
		{ 0 } };
	struct play play;

	(void)state;
	surbl_begin(&play, yaml, dns);
	surbl_feed(&play, pieces, 1);
	play.scope->mail.header = slice_of("From: a@example.com\r\nReply-To: Joe\r\n "
					   "<joe@y.example.org>\r\n");
	surbl_finish(&play);
	play_answer(&play, 1);
	play_answer(&play, 0);
	assert_string_equal(facts_of(&play, "a"),
	    "listed(127.0.0.2) {uri=x.example.net} {host=x.example.net} {part=1.1} {where=text} "
	    "listed(127.0.0.2) {uri=y.example.org} {host=y.example.org} {part=header} "
	    "{where=header}");
	play_end(&play);
}

/* What is only seen in the other reading of a broken message is asked about all the same. */
static void
raw_parts(void **state)
{
	static const struct dns_row dns[] = {
		{ DNS_A, "evil.example.com.a.test", DNS_OK, { "127.0.0.2" } }, { 0 }
	};
	static const struct piece pieces[] = { { "text/plain", "http://evil.example.com/", true },
		{ 0 } };
	struct play play;

	(void)state;
	surbl_begin(&play, "lists: [ { id: a, zone: a.test, kind: domain, asks: host } ]\n", dns);
	surbl_feed(&play, pieces, 1);
	assert_int_equal(dns_fake_asked(play.fake, 0), 0);
	surbl_finish(&play);
	play_answer(&play, 0);
	assert_string_equal(facts_of(&play, "a"),
	    "listed(127.0.0.2) {uri=http://evil.example.com/} {host=evil.example.com} {part=1.1} "
	    "{where=text}");
	play_end(&play);
}

static void
tricks(void **state)
{
	static const struct piece pieces[] = {
		{ "text/html",
		    "<a href='http://0xc0000207/'>x</a> <a href='http://a.b@c.example.com/'>x</a>"
		    "<a href='http://p\xd0\xb0y.example.com/'>x</a> <a href='http://bit.ly/1'>x</a>"
		    "<a href='http://r.example.org/?http://t.example.net/'>x</a>",
		    false },
		{ 0 }
	};
	static const char *const words[] = { "disguised", "mixed", "user", "shortener",
		"redirector" };
	struct play play;

	(void)state;
	surbl_begin(&play, "lists: [ { id: a, zone: a.test, kind: domain } ]\n", NULL);
	dns_fake_allow_unknown(play.fake);
	surbl_feed(&play, pieces, 1);
	surbl_finish(&play);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(facts_of(&play, "trick"), words[i]) == NULL)
			fail_msg("%s is not told: %s", words[i], facts_of(&play, "trick"));
	assert_null(strstr(facts_of(&play, "trick"), "misleading"));
	play_end(&play);
}

static void
as_json(void **state)
{
	struct buf *out;
	struct json json;
	struct play play;

	(void)state;
	surbl_begin(&play, two_lists, answers);
	surbl_feed(&play, message, 1);
	out = buf_new(play.arena, 10000);
	json_init(&json, out);
	surbl_hosts_json(&json, surbl_hosts_of(play.scope->states[0]));
	buf_append_byte(out, '\0');
	assert_string_equal(out->data,
	    "[{\"host\":\"good.example.org\",\"registered\":\"example.org\",\"part\":\"1.1\","
	    "\"where\":\"text\",\"uri\":\"http://good.example.org/"
	    "\",\"asked\":true,\"marks\":[]},"
	    "{\"host\":\"www.evil.example.com\",\"registered\":\"example.com\",\"part\":\"1.2\","
	    "\"where\":\"link\",\"uri\":\"http://www.evil.example.com/x\",\"asked\":true,"
	    "\"marks\":[\"misleading\"]}]");
	play_end(&play);
}

/* ---- the section ---- */

static void
faults(void **state)
{
	static const char *const cases[] = {
		"hosts: 3\n",
		"lists: [ nosuch ]\n",
		"lists: [ ebl ]\n",
		"lists: [ { id: trick, zone: a.test, kind: domain } ]\n",
		"lists: [ { id: a, zone: a.test, kind: domain, asks: all } ]\n",
		"lists: [ { id: a, zone: a.test, kind: domain, addresses: 3 } ]\n",
		"lists: [ surbl ]\nnever: [ 'a b' ]\n",
		"lists: [ surbl ]\nhosts: 0\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena *arena = arena_new(SIZE_MAX);
		struct faults found;

		if (options_read(&surbl_filter, arena, cases[i], &found) != NULL)
			fail_msg("no fault: %s", cases[i]);
		arena_free(arena);
	}
}

static void
values(void **state)
{
	struct arena *arena = arena_new(SIZE_MAX);
	const void *options = options_good(&surbl_filter, arena, "lists: [ surbl ]\n");

	(void)state;
	assert_string_equal(surbl_filter.named_values(options, "surbl"),
	    "dm phish malware ct abuse cracked none error");
	assert_non_null(surbl_filter.named_values(options, "dbl"));
	assert_null(surbl_filter.named_values(options, "nosuch"));
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(never),
		cmocka_unit_test(orders),
		cmocka_unit_test(errors),
		cmocka_unit_test(limit),
		cmocka_unit_test(links_first),
		cmocka_unit_test(long_hosts),
		cmocka_unit_test(mail_and_header),
		cmocka_unit_test(raw_parts),
		cmocka_unit_test(tricks),
		cmocka_unit_test(as_json),
		cmocka_unit_test(faults),
		cmocka_unit_test(values),
	};

	return cmocka_run_group_tests_name("surbl", tests, NULL, NULL);
}
