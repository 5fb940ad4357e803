/*
 * The tree walk, the choice of a policy, alignment (RFC 9989), and the filter over them: own
 * rows first, then the conformance data where they are.
 */
#include "tests/unit/play.h"

#include <stdlib.h>

#include "filters/registry.h"
#include "lib/author.h"
#include "lib/dmarc_walk.h"
#include "tests/unit/vectors.h"

enum { ENTRIES_MOST = 40, ROWS_MOST = 100, COLUMNS_MOST = 16, LINE_MOST = 200000 };

/* ---- a zone, as ordinary DNS has it ---- */

struct entry {
	const char *name, *type, *data;
};

struct zone {
	struct arena *arena;
	struct entry entries[ENTRIES_MOST];
	size_t count;
	struct dns_row rows[ROWS_MOST + 1];
	size_t row_count;
};

static bool
zone_is_below(const char *name, const char *above)
{
	size_t length = strlen(name), outer = strlen(above);

	return length > outer && strcmp(name + length - outer, above) == 0 &&
	    name[length - outer - 1] == '.';
}

static bool
zone_exists(const struct zone *zone, const char *name)
{
	for (size_t i = 0; i < zone->count; i++)
		if (strcmp(zone->entries[i].name, name) == 0 ||
		    zone_is_below(zone->entries[i].name, name))
			return true;
	return false;
}

/* The name whose records answer: itself, or the wildcard of the closest that exists. */
static const char *
zone_owner(const struct zone *zone, const char *name)
{
	const char *above = name;

	if (zone_exists(zone, name))
		return name;
	while ((above = strchr(above, '.')) != NULL) {
		const char *wildcard = arena_format(zone->arena, "*.%s", ++above);

		for (size_t i = 0; i < zone->count; i++)
			if (strcmp(zone->entries[i].name, wildcard) == 0)
				return wildcard;
		if (zone_exists(zone, above))
			return NULL;
	}
	return NULL;
}

/* "a" "b" joined; without quotes as it is. */
static const char *
zone_text(struct arena *arena, const char *data)
{
	char *text = arena_alloc(arena, strlen(data) + 1), *to = text;
	bool is_within = false;

	if (data[0] != '"')
		return data;
	for (; *data != '\0'; data++) {
		if (*data == '"')
			is_within = !is_within;
		else if (is_within)
			*to++ = *data;
	}
	return text;
}

static struct dns_row
zone_answer(struct zone *zone, enum dns_type type, const char *asked, const char *name, int depth)
{
	struct dns_row row = { .type = type, .name = asked, .state = DNS_NO_NAME };
	const char *owner = zone_owner(zone, name), *word = type == DNS_TXT ? "TXT" : "A";
	size_t count = 0;

	if (owner == NULL || depth == 8)
		return row;
	row.state = DNS_NO_DATA;
	for (size_t i = 0; i < zone->count; i++) {
		const struct entry *entry = &zone->entries[i];

		if (strcmp(entry->name, owner) != 0)
			continue;
		if (strcmp(entry->type, "SERVFAIL") == 0 || strcmp(entry->type, "TIMEOUT") == 0)
			return (struct dns_row) { type, asked, DNS_FAILED, .why = "SERVFAIL" };
		if (strcmp(entry->type, "CNAME") == 0)
			return zone_answer(zone, type, asked, entry->data, depth + 1);
		if (strcmp(entry->type, word) != 0)
			continue;
		row.state = DNS_OK;
		row.records[count++] = zone_text(zone->arena, entry->data);
	}
	return row;
}

static void
zone_add_row(struct zone *zone, enum dns_type type, const char *name)
{
	for (size_t i = 0; i < zone->row_count; i++)
		if (zone->rows[i].type == type && strcmp(zone->rows[i].name, name) == 0)
			return;
	assert_true(zone->row_count < ROWS_MOST);
	zone->rows[zone->row_count++] = zone_answer(zone, type, name, name, 0);
}

/* The answers for a walk from this domain, and for whether it exists. */
static void
zone_for(struct zone *zone, const char *domain)
{
	const char *name = domain;

	while (name != NULL) {
		zone_add_row(zone, DNS_TXT, arena_format(zone->arena, "_dmarc.%s", name));
		name = strchr(name, '.');
		name = name != NULL ? name + 1 : NULL;
	}
	zone_add_row(zone, DNS_A, domain);
}

/* "name TYPE data | name TYPE data" */
static void
zone_read(struct zone *zone, const char *text)
{
	char *copy = arena_strdup(zone->arena, text), *rest = copy, *part;

	while ((part = strstr(rest, " | ")) != NULL || *rest != '\0') {
		char *next = part != NULL ? part + 3 : rest + strlen(rest), *name = rest, *type,
		     *data;

		if (part != NULL)
			*part = '\0';
		type = strchr(name, ' ');
		assert_non_null(type);
		*type++ = '\0';
		data = strchr(type, ' ');
		if (data != NULL)
			*data++ = '\0';
		assert_true(zone->count < ENTRIES_MOST);
		zone->entries[zone->count++] =
		    (struct entry) { name, type, data != NULL ? data : "" };
		rest = next;
	}
}

/* ---- discovery ---- */

struct discovery {
	struct arena *arena;
	struct ev_loop *loop;
	struct task_queue tasks;
	struct task task;
	struct dns_fake *fake;
	struct dns *dns;
	struct zone zone;
};

static void
discovery_idle(void *arg)
{
	(void)arg;
}

static void
discovery_begin(struct discovery *d, const char *zone, const char *const *domains)
{
	memset(d, 0, sizeof(*d));
	d->arena = arena_new(SIZE_MAX);
	d->loop = ev_loop_new(EVFLAG_AUTO);
	task_queue_init(&d->tasks, d->loop);
	task_init(&d->task, d->arena, &d->tasks, discovery_idle, NULL);
	d->zone.arena = d->arena;
	zone_read(&d->zone, zone);
	for (; *domains != NULL; domains++)
		zone_for(&d->zone, *domains);
	d->fake = dns_fake_new(d->arena, d->loop, d->zone.rows);
	dns_fake_allow_unknown(d->fake);
	dns_fake_release_all(d->fake);
	d->dns = dns_new(d->arena, dns_fake_source(d->fake), &d->task);
}

static void
discovery_end(struct discovery *d)
{
	arena_free(d->arena);
	ev_loop_destroy(d->loop);
}

/* "found policy_domain org_domain psd tag policy applied", as in the conformance data. */
static const char *
discovery_text(struct discovery *d, const char *author)
{
	static const char *const sources[] = { "none", "author", "org", "psd" };
	const char *domain = author_domain(d->arena, slice_of(author));
	struct dmarc_choice choice;
	struct dmarc_walk walk;

	assert_non_null(domain);
	dmarc_walk(&walk, d->dns, domain);
	enum dmarc_knowledge known = dmarc_choose(&choice, &walk, d->dns);
	const char *organization = walk.all == DMARC_KNOWN ? walk.organization : "temperror";

	assert_int_not_equal(known, DMARC_WAITS);
	if (known == DMARC_UNKNOWN)
		return arena_format(d->arena, "temperror %s", organization);
	if (choice.record == NULL)
		return arena_format(d->arena, "none %s", organization);
	if (choice.is_unusable)
		return arena_format(d->arena, "nodmarc %s", organization);
	return arena_format(d->arena, "%s %s %s %c %s %s %s", sources[choice.source], choice.domain,
	    organization, "uyn"[choice.record->psd], choice.tag, dmarc_policy_word(choice.policy),
	    dmarc_policy_word(
		choice.record->is_testing ? dmarc_policy_tested(choice.policy) : choice.policy));
}

static void
check_discovery(const char *zone, const char *author, const char *expected)
{
	struct discovery d;

	discovery_begin(&d, zone, (const char *const[]) { author, NULL });
	assert_string_equal(discovery_text(&d, author), expected);
	discovery_end(&d);
}

static void
test_discovery(void **state)
{
	(void)state;
	check_discovery("_dmarc.a.example TXT v=DMARC1; p=reject", "a.example",
	    "author a.example a.example u p reject reject");
	check_discovery(
	    "_dmarc.a.example TXT v=DMARC1; p=reject; sp=none | b.a.example A 192.0.2.1",
	    "b.a.example", "org a.example a.example u sp none none");
	check_discovery("_dmarc.a.example TXT v=DMARC1; p=none; np=reject; t=y", "b.a.example",
	    "org a.example a.example u np reject quarantine");
	check_discovery("_dmarc.a.example TXT v=DMARC1; p=none; np=reject | b.a.example SERVFAIL x",
	    "b.a.example", "temperror a.example");
	check_discovery("_dmarc.example TXT v=DMARC1; p=reject; psd=y | b.a.example A 192.0.2.1",
	    "b.a.example", "psd example a.example y p reject reject");
	check_discovery("_dmarc.b.a.example TXT v=DMARC1; p=none; psd=n | "
			"_dmarc.example SERVFAIL x | c.b.a.example A 192.0.2.1",
	    "c.b.a.example", "org b.a.example b.a.example n p none none");
	check_discovery(
	    "_dmarc.a.example TXT v=DMARC1; p=none | _dmarc.a.example TXT v=DMARC1; p=none",
	    "a.example", "none a.example");
	check_discovery("_dmarc.a.example SERVFAIL x", "a.example", "temperror temperror");
	check_discovery("_dmarc.a.example TXT v=DMARC1; p=what", "a.example", "nodmarc a.example");
	check_discovery("x.example A 192.0.2.1", "a.x.example", "none a.x.example");
}

/* Eight questions at the most, and the names between the first and the last seven are left out. */
static void
test_deep_names(void **state)
{
	struct dmarc_walk walk;
	struct discovery d;

	(void)state;
	discovery_begin(&d, "x.example A 192.0.2.1",
	    (const char *const[]) { "a.b.c.d.e.f.g.h.i.example", NULL });
	dmarc_walk(&walk, d.dns, "a.b.c.d.e.f.g.h.i.example");
	assert_int_equal(walk.count, 8);
	assert_string_equal(walk.name[1], "d.e.f.g.h.i.example");
	assert_string_equal(walk.name[7], "example");
	discovery_end(&d);
}

/* ---- alignment ---- */

static void
check_aligned(const char *zone, const char *author, const char *other, bool is_strict,
    enum dmarc_knowledge known, bool expected)
{
	struct dmarc_walk walk;
	struct discovery d;
	bool is_aligned;

	discovery_begin(&d, zone, (const char *const[]) { author, other, NULL });
	dmarc_walk(&walk, d.dns, author);
	assert_int_equal(dmarc_is_aligned(&is_aligned, &walk, d.dns, other, is_strict), known);
	if (known == DMARC_KNOWN)
		assert_int_equal(is_aligned, expected);
	discovery_end(&d);
}

static void
test_alignment(void **state)
{
	const char *zone = "_dmarc.a.example TXT v=DMARC1; p=none";
	const char *parted = "_dmarc.a.example TXT v=DMARC1; p=none | "
			     "_dmarc.b.a.example TXT v=DMARC1; p=none; psd=n";

	(void)state;
	check_aligned(zone, "a.example", "a.example", true, DMARC_KNOWN, true);
	check_aligned(zone, "a.example", "b.a.example", true, DMARC_KNOWN, false);
	check_aligned(zone, "a.example", "b.a.example", false, DMARC_KNOWN, true);
	check_aligned(zone, "c.a.example", "b.a.example", false, DMARC_KNOWN, true);
	check_aligned(zone, "b.a.example", "a.example", false, DMARC_KNOWN, true);
	check_aligned(zone, "a.example", "nota.example", false, DMARC_KNOWN, false);
	check_aligned(zone, "a.example", "example", false, DMARC_KNOWN, false);
	check_aligned(parted, "c.a.example", "b.a.example", false, DMARC_KNOWN, false);
	check_aligned(parted, "b.a.example", "a.example", false, DMARC_KNOWN, false);
	check_aligned("_dmarc.a.example SERVFAIL x", "b.a.example", "c.a.example", false,
	    DMARC_UNKNOWN, false);
}

/* ---- the filter ---- */

/* Facts as SPF and DKIM tell them, for the filter that only reads facts. */
static const char *test_spf, *test_dkim, *test_helo = "mail.a.example";

static enum step
test_spf_mail(struct mail *mail, const void *options)
{
	(void)options;
	evidence_add(mail->evidence, "spf", "result", test_spf, "");
	return NEXT;
}

static enum step
test_dkim_end(struct mail *mail, const void *options)
{
	char *list = arena_strdup(mail->arena, test_dkim), *part;

	(void)options;
	while ((part = strsep(&list, ",")) != NULL) {
		char *value = strchr(part, '=');

		if (value == NULL)
			continue;
		*value++ = '\0';
		const struct about about[] = { { "domain", part }, { 0 } };

		evidence_add_about(mail->evidence, "dkim", "signature", value, "", about);
	}
	evidence_add(mail->evidence, "dkim", "result", "none", "");
	return NEXT;
}

static const struct filter spf_stub = { .name = "spf", .stages = { [MAIL] = test_spf_mail } };
static const struct filter dkim_stub = { .name = "dkim", .stages = { [END] = test_dkim_end } };

static void
run_filter(struct play *play, const char *yaml, const struct dns_row *rows, const char *from,
    const char *header)
{
	struct arena *arena = arena_new(SIZE_MAX);
	const struct pipeline_row pipeline[] = { { &spf_stub, NULL, false },
		{ &dkim_stub, NULL, false },
		{ &dmarc_filter, play_options_good(arena, &dmarc_filter, yaml), false }, { 0 } };

	play_begin(play, "192.0.2.1", pipeline, rows);
	dns_fake_allow_unknown(play->fake);
	dns_fake_release_all(play->fake);
	arena_defer(play->arena, (arena_undo)arena_free, arena);
	play_helo(play, test_helo);
	play_mail(play,
	    (struct address) { .text = from,
		.local = "x",
		.domain = strchr(from, '@') != NULL ? strchr(from, '@') + 1 : "" });
	play->scope->mail.header = slice_of(header);
	scope_reach(play->scope, HEADERS);
	scope_reach(play->scope, END);
	scope_run(play->scope);
	assert_false(scope_waits(play->scope));
}

static const char *
value_of(const struct play *play, const char *key)
{
	const struct fact *fact = evidence_find(play->scope->mail.evidence, "dmarc", key);

	return fact != NULL ? fact->value : "-";
}

static void
check_filter(const char *yaml, const char *spf, const char *dkim, const char *from,
    const char *header, const char *expected)
{
	static const struct dns_row rows[] = {
		{ DNS_TXT, "_dmarc.a.example", DNS_OK, { "v=DMARC1; p=reject; sp=quarantine" } },
		{ DNS_TXT, "_dmarc.t.example", DNS_OK, { "v=DMARC1; p=reject; t=y" } },
		{ DNS_TXT, "_dmarc.down.example", DNS_FAILED, { NULL }, .why = "SERVFAIL" }, { 0 }
	};
	struct play play;
	char text[200];

	test_spf = spf;
	test_dkim = dkim;
	run_filter(&play, yaml, rows, from, header);
	snprintf(text, sizeof(text), "%s %s %s %s %s", value_of(&play, "result"),
	    value_of(&play, "aligned"), value_of(&play, "policy"), value_of(&play, "disposition"),
	    value_of(&play, "from"));
	assert_string_equal(text, expected);
	play_end(&play);
}

static void
test_filter(void **state)
{
	const char *published = "{ enforce: as_published }";

	(void)state;
	check_filter(
	    "{}", "pass", "", "x@a.example", "From: x@a.example\r\n", "pass spf reject none one");
	check_filter(
	    "{}", "pass", "", "x@b.a.example", "From: x@a.example\r\n", "pass spf reject none one");
	check_filter("{}", "fail", "a.example=pass", "x@z.example", "From: x@a.example\r\n",
	    "pass dkim reject none one");
	check_filter("{}", "fail", "z.example=pass", "x@z.example", "From: x@a.example\r\n",
	    "fail none reject quarantine one");
	check_filter(published, "fail", "z.example=pass", "x@z.example", "From: x@a.example\r\n",
	    "fail none reject reject one");
	check_filter("{}", "fail", "", "x@z.example", "From: x@b.a.example\r\n",
	    "fail none quarantine quarantine one");
	check_filter(published, "fail", "", "x@z.example", "From: x@t.example\r\n",
	    "fail none reject quarantine one");
	check_filter("{}", "none", "", "x@z.example", "From: x@z.example\r\n", "none - - - one");
	check_filter(
	    "{}", "none", "", "x@z.example", "From: x@down.example\r\n", "error - - - one");
	check_filter("{}", "temperror", "", "x@a.example", "From: x@a.example\r\n",
	    "error none reject - one");
	check_filter("{}", "temperror", "", "x@z.example", "From: x@a.example\r\n",
	    "fail none reject quarantine one");
	/* The null sender: the HELO name, mail.a.example, is the identity. */
	check_filter("{}", "pass", "", "", "From: x@a.example\r\n", "pass spf reject none one");
	check_filter("{}", "pass", "", "x@a.example", "From: x@a.example, y@z.example\r\n",
	    "none - - - many");
	check_filter("{}", "pass", "", "x@a.example", "Subject: x\r\n", "none - - - refused");
	check_filter("{}", "pass", "", "x@a.example", "From: nobody:;\r\n", "none - - - none");
}

/* ---- the conformance data ---- */

static void
test_discovery_vectors(void **state)
{
	static char line[LINE_MOST];
	char *c[COLUMNS_MOST];
	unsigned rows = 0, differ = 0;
	FILE *file = vectors_open("dmarc/discovery.tsv");

	(void)state;
	if (file == NULL)
		skip();
	while (fgets(line, LINE_MOST, file) != NULL && vectors_split(line, c, COLUMNS_MOST) >= 12) {
		struct discovery d;
		struct arena *arena = arena_new(SIZE_MAX);
		const char *domain = author_domain(arena, slice_of(c[2]));
		char expected[1200];

		assert_non_null(domain);
		discovery_begin(&d, c[1], (const char *const[]) { domain, NULL });
		if (strcmp(c[3], "none") == 0 || strcmp(c[3], "temperror") == 0 ||
		    strcmp(c[3], "nodmarc") == 0)
			snprintf(expected, sizeof(expected), "%s %s", c[3], c[5]);
		else
			snprintf(expected, sizeof(expected), "%s %s %s %s %s %s %s", c[3], c[4],
			    c[5], c[6], c[7], c[8], c[9]);
		const char *found = discovery_text(&d, c[2]);

		rows++;
		if (strcmp(found, expected) != 0) {
			print_message(
			    "%s (sure=%s): %s, expected %s\n", c[0], c[12], found, expected);
			differ += strcmp(c[12], "yes") == 0;
		}
		discovery_end(&d);
		arena_free(arena);
	}
	fclose(file);
	assert_true(rows > 0);
	assert_int_equal(differ, 0);
}

/* ---- alignment, by the data: a zone in which each name has the organization that is said ---- */

struct align {
	struct arena *arena;
	struct dns_row rows[ROWS_MOST + 1];
	size_t count;
	const char *record; /* of the author's organization */
};

static void
align_add(struct align *align, const char *domain, const char *record)
{
	const char *name = arena_format(align->arena, "_dmarc.%s", domain);

	for (size_t i = 0; i < align->count; i++)
		if (strcmp(align->rows[i].name, name) == 0)
			return;
	assert_true(align->count < ROWS_MOST);
	align->rows[align->count++] = record != NULL
	    ? (struct dns_row) { DNS_TXT, name, DNS_OK, { record } }
	    : (struct dns_row) { DNS_TXT, name, DNS_FAILED, .why = "SERVFAIL" };
}

static const char *
align_parent(const char *domain)
{
	const char *dot = strchr(domain, '.');

	return dot != NULL ? dot + 1 : domain;
}

/* "name>organization ..."; others have their last two labels. */
static void
align_zone(struct align *align, char *c[COLUMNS_MOST])
{
	char *orgs = arena_strdup(align->arena, c[6]), *part;
	const char *author = author_domain(align->arena, slice_of(c[1]));

	align->record = arena_format(align->arena, "v=DMARC1; p=reject; adkim=%s; aspf=%s; psd=%s",
	    c[4], c[5], strcmp(c[2], "temperror") == 0 ? "u" : "n");
	if (strcmp(c[2], "temperror") == 0) {
		align_add(align, author, align->record);
		align_add(align, align_parent(author), NULL);
	} else {
		align_add(align, author_domain(align->arena, slice_of(c[2])), align->record);
	}
	while ((part = strsep(&orgs, " ")) != NULL) {
		char *org = strchr(part, '>');

		if (org == NULL)
			continue;
		*org++ = '\0';
		if (strcmp(org, "temperror") == 0)
			align_add(align, part, NULL);
		else
			align_add(align, org, "v=DMARC1; p=none; psd=n");
	}
}

/* "mfrom:domain=result null:heloname=result helo:..." into what the session has. */
static void
align_spf(struct align *align, const char *text, const char **from, const char **helo)
{
	char *list = arena_strdup(align->arena, text), *part;

	test_spf = "none";
	*from = "x@sender.example.net";
	*helo = "helo.example.net";
	while ((part = strsep(&list, " ")) != NULL) {
		char *colon = strchr(part, ':'), *equals = strrchr(part, '=');

		if (colon == NULL || equals == NULL || strncmp(part, "helo", 4) == 0)
			continue;
		*equals++ = '\0';
		test_spf = equals;
		if (part[0] == 'n') {
			*from = "";
			*helo = colon + 1;
		} else {
			*from = arena_format(align->arena, "x@%s", colon + 1);
		}
	}
}

static const char *
align_facts(const struct play *play, char out[64])
{
	struct evidence_place place = { 0 };
	const struct fact *fact;
	const char *result = value_of(play, "result");
	bool spf = false, dkim = false;

	while ((fact = evidence_next(play->scope->mail.evidence, &place)) != NULL)
		if (strcmp(fact->filter, "dmarc") == 0 && strcmp(fact->key, "aligned") == 0) {
			spf |= strcmp(fact->value, "spf") == 0;
			dkim |= strcmp(fact->value, "dkim") == 0;
		}
	snprintf(out, 64, "%s %s%s%s%s", strcmp(result, "error") == 0 ? "temperror" : result,
	    spf ? "spf" : "", spf && dkim ? " " : "", dkim ? "dkim" : "", spf || dkim ? "" : "-");
	return out;
}

static void
align_play(char *c[COLUMNS_MOST], char spf[], char dkim[], unsigned *differ)
{
	struct align align = { .arena = arena_new(SIZE_MAX) };
	const char *from, *helo;
	struct play play;
	char found[64], expected[128], header[300];

	align_zone(&align, c);
	align_spf(&align, spf, &from, &helo);
	test_dkim = dkim;
	snprintf(header, sizeof(header), "From: a@%s\r\n", c[1]);
	test_helo = helo;
	run_filter(&play, "{}", align.rows, from, header);
	snprintf(expected, sizeof(expected), "%s %s", c[7], c[8]);
	if (strcmp(align_facts(&play, found), expected) != 0) {
		print_message("%s (sure=%s): %s, expected %s\n", c[0], c[9], found, expected);
		*differ += strcmp(c[9], "yes") == 0;
	}
	play_end(&play);
	arena_free(align.arena);
}

static void
test_alignment_vectors(void **state)
{
	static char line[LINE_MOST], spf[LINE_MOST], dkim[LINE_MOST];
	char *c[COLUMNS_MOST];
	unsigned rows = 0, differ = 0;
	FILE *file = vectors_open("dmarc/align.tsv");

	(void)state;
	if (file == NULL)
		skip();
	while (fgets(line, LINE_MOST, file) != NULL && vectors_split(line, c, COLUMNS_MOST) >= 10) {
		/* What holds a NUL is no domain, and never comes this far. */
		if (memchr(spf, '\0', vectors_unescape(spf, c[3])) != NULL ||
		    memchr(dkim, '\0', vectors_unescape(dkim, c[4])) != NULL)
			continue;
		rows++;
		char *shifted[COLUMNS_MOST] = { c[0], c[1], c[2], c[3], c[5], c[6], c[7], c[8],
			c[9], c[10] };

		align_play(shifted, spf, dkim, &differ);
	}
	fclose(file);
	assert_true(rows > 0);
	assert_int_equal(differ, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_discovery),
		cmocka_unit_test(test_deep_names),
		cmocka_unit_test(test_alignment),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_discovery_vectors),
		cmocka_unit_test(test_alignment_vectors),
	};

	return cmocka_run_group_tests_name("dmarc", tests, NULL, NULL);
}
