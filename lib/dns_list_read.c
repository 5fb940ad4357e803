#include "lib/dns_list_read.h"

/* A zone leaves room for the nibbles of an IPv6 address before it. */
enum { ZONE_MOST = 180, ID_MOST = 40, KEY_MOST = 63 };

static const char key_place[] = "{key}";

const struct option dns_list_options[] = {
	OPTION(dns_list_entry, id, .min = 1, .max = ID_MOST, .required = true,
	    .help = "What the list is called in rules (dnsbl.ID) and in records. A well-known "
		    "list needs nothing else."),
	OPTION(dns_list_entry, zone, .min = 1, .max = ZONE_MOST,
	    .help = "The zone that is asked, such as bl.example.com."),
	OPTION(dns_list_entry, keyed_zone, .min = 1, .max = ZONE_MOST,
	    .help = "The zone that is asked instead where there is a key; {key} stands for it."),
	OPTION(dns_list_entry, key, .min = 1, .max = KEY_MOST, .secret = true,
	    .help = "The key that the list's operator has given to you. It is shown nowhere; "
		    "best written as ${env:NAME} or ${file:PATH}."),
	OPTION(dns_list_entry, kind,
	    .help = "What is asked about: ip4 ip6 both domain hash. Of a list of your own: ip4."),
	OPTION(dns_list_entry, asks,
	    .help =
		"Of lists of domains: what is asked about a host in an address of the web: "
		"host (the whole name), registered (the domain that somebody has registered) or "
		"both. If not given: both."),
	OPTION(dns_list_entry, addresses,
	    .help =
		"Of lists of domains: whether they may be asked about IPv4 addresses that stand "
		"in place of a host: yes no. If not given: no."),
	OPTION_CUSTOM(dns_list_entry, codes, dns_list_codes_read,
	    .expected = "codes and their words, such as { 127.0.0.2: bad }",
	    .help = "What answers mean: an address (127.0.0.2, 127.0.0.4-7, 127.0.*.3) or a bit "
		    "of its last octet (bit 4), and a word for rules. Of a list of your own: "
		    "{ 127.0.0.2: listed }. Whatever is not here is an error."),
	OPTION_CUSTOM(dns_list_entry, errors, dns_list_errors_read,
	    .expected = "codes and what they mean, such as { 127.0.0.255: blocked }",
	    .help = "Answers that say something else than a listing."),
	OPTION(dns_list_entry, listed, .max = DNS_LIST_POINTS_MOST,
	    .help = "Test points that must be listed; none: there are none. If not given: of "
		    "addresses 127.0.0.2 (RFC 5782), of domains TEST."),
	OPTION(dns_list_entry, unlisted, .max = DNS_LIST_POINTS_MOST,
	    .help = "Test points that must not be listed: addresses, networks (an address in "
		    "it is drawn each time), names, *.NAME likewise; none: there are none. If "
		    "not given: of addresses 127.0.0.1 and 240.0.0.0/4, of domains INVALID and "
		    "*.invalid."),
	OPTION(dns_list_entry, terms, .max = 1000,
	    .help = "On what terms the list may be used; shown by postern check --live."),
	{ 0 },
};

/* Where an entry is, for faults. */
struct dns_list_draft {
	struct option_reader *reader;
	const struct node *at; /* a map, or the id alone */
	const struct dns_list_entry *entry;
};

static bool
dns_list_is_label(const char *text, size_t length)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_";

	return length > 0 && length <= 63 && strspn(text, letters) >= length;
}

bool
dns_list_is_zone(const char *zone, unsigned keys)
{
	for (const char *label = zone;; label++) {
		size_t length = strcspn(label, ".");

		if (length == sizeof(key_place) - 1 && memcmp(label, key_place, length) == 0)
			keys--;
		else if (!dns_list_is_label(label, length))
			return false;
		label += length;
		if (*label == '\0')
			return keys == 0;
	}
}

static const char *
dns_list_with(struct arena *arena, const char *zone, const char *key)
{
	const char *at = strstr(zone, key_place);

	return arena_format(
	    arena, "%.*s%s%s", (int)(at - zone), zone, key, at + sizeof(key_place) - 1);
}

/* Where the value of a key stands, or the entry. */
static const struct node *
dns_list_place(const struct dns_list_draft *draft, const char *key)
{
	const struct node *value =
	    draft->at != NULL && draft->at->kind == NODE_MAP ? node_find(draft->at, key) : NULL;

	return value != NULL ? value : draft->at;
}

static void
dns_list_check_zone(const struct dns_list_draft *draft, const char *key, const char *zone,
    unsigned keys, const char *example)
{
	if (zone != NULL && !dns_list_is_zone(zone, keys))
		fault_add(draft->reader->faults, dns_list_place(draft, key),
		    "impossible value \"%.60s\": expected a zone such as %s", zone, example);
}

/* What is wrong with the key is said without it. */
static void
dns_list_check_key(const struct dns_list_draft *draft, bool is_asked)
{
	const struct dns_list_entry *entry = draft->entry;
	struct faults *faults = draft->reader->faults;

	if (entry->key != NULL && !dns_list_is_label(entry->key, strlen(entry->key)))
		fault_add(faults, dns_list_place(draft, "key"),
		    "impossible key: expected letters, digits and -");
	else if (entry->key != NULL && entry->keyed_zone == NULL)
		fault_add(faults, dns_list_place(draft, "key"),
		    "the list %s takes no key (it has no keyed_zone)", entry->id);
	else if (entry->key == NULL && entry->zone == NULL && is_asked)
		fault_add(faults, draft->at, "the list %s needs a %s", entry->id,
		    entry->keyed_zone != NULL ? "key" : "zone");
}

/* Which zone is asked. */
static void
dns_list_make_zone(const struct dns_list_draft *draft, struct dns_list *list, bool is_asked)
{
	const struct dns_list_entry *entry = draft->entry;
	struct arena *arena = draft->reader->arena;
	const char *keyed = entry->keyed_zone;

	dns_list_check_zone(draft, "zone", entry->zone, 0, "bl.example.com");
	dns_list_check_zone(draft, "keyed_zone", keyed, 1, "{key}.bl.example.com");
	dns_list_check_key(draft, is_asked);
	list->zone = list->shown = entry->zone != NULL ? entry->zone : "";
	if (entry->key == NULL || keyed == NULL || !dns_list_is_zone(keyed, 1))
		return;
	list->key = entry->key;
	list->zone = dns_list_with(arena, keyed, entry->key);
	list->shown = dns_list_with(arena, keyed, "(key)");
}

static void
dns_list_make_kind(const struct dns_list_draft *draft, struct dns_list *list)
{
	const char *kind = draft->entry->kind;

	for (list->kind = DNS_LIST_IP4; kind != NULL && list->kind <= DNS_LIST_HASH; list->kind++)
		if (strcmp(dns_list_kind_name(list->kind), kind) == 0)
			return;
	list->kind = DNS_LIST_IP4;
	if (kind != NULL)
		fault_add(draft->reader->faults, dns_list_place(draft, "kind"),
		    "impossible value \"%.60s\": expected one of ip4 ip6 both domain hash", kind);
}

/* The place of the text among the words; 0 and a fault: it is none. */
static unsigned
dns_list_choice(const struct dns_list_draft *draft, const char *key, const char *text,
    const char *const *words, const char *expected)
{
	for (unsigned i = 0; text != NULL && words[i] != NULL; i++)
		if (strcmp(words[i], text) == 0)
			return i;
	if (text != NULL)
		fault_add(draft->reader->faults, dns_list_place(draft, key),
		    "impossible value \"%.60s\": expected %s", text, expected);
	return 0;
}

static void
dns_list_make_asks(const struct dns_list_draft *draft, struct dns_list *list)
{
	static const char *const asks[] = { "both", "host", "registered", NULL };
	static const char *const addresses[] = { "no", "yes", "false", "true", "off", "on", NULL };
	const struct dns_list_entry *entry = draft->entry;

	list->asks = (enum dns_list_asks)dns_list_choice(
	    draft, "asks", entry->asks, asks, "one of host registered both");
	list->has_addresses =
	    dns_list_choice(draft, "addresses", entry->addresses, addresses, "yes or no") % 2 == 1;
}

static void
dns_list_make_points(const struct dns_list_draft *draft, struct dns_list *list)
{
	const struct dns_list_entry *entry = draft->entry;
	struct option_reader *reader = draft->reader;
	const char *fault =
	    dns_list_points_make(reader->arena, &list->listed, list->kind, &entry->listed, true);

	if (fault != NULL)
		fault_add(reader->faults, dns_list_place(draft, "listed"), "%s", fault);
	fault = dns_list_points_make(
	    reader->arena, &list->unlisted, list->kind, &entry->unlisted, false);
	if (fault != NULL)
		fault_add(reader->faults, dns_list_place(draft, "unlisted"), "%s", fault);
}

struct dns_list
dns_list_make(struct option_reader *reader, const struct node *at,
    const struct dns_list_entry *entry, bool is_asked)
{
	static const struct dns_list_code listed = { { 127, 0, 0, 2 }, { 127, 0, 0, 2 }, 0,
		"listed" };
	const struct dns_list_draft draft = { reader, at, entry };
	struct dns_list list = { .id = entry->id,
		.codes = entry->codes,
		.errors = entry->errors,
		.terms = entry->terms != NULL ? entry->terms : "" };

	if (entry->id[strspn(entry->id, "abcdefghijklmnopqrstuvwxyz0123456789_-")] != '\0')
		fault_add(reader->faults, dns_list_place(&draft, "id"),
		    "impossible value \"%.60s\": expected an id of a-z 0-9 _ -", entry->id);
	if (list.codes.count == 0)
		list.codes = (struct dns_list_codes) { 1, &listed };
	dns_list_make_kind(&draft, &list);
	dns_list_make_asks(&draft, &list);
	dns_list_make_zone(&draft, &list, is_asked);
	dns_list_make_points(&draft, &list);
	list.words = dns_list_codes_words(reader->arena, &list.codes);
	return list;
}

/* Who names a zone of his own and no key does not mean the one with a key. */
struct dns_list_entry
dns_list_lay_over(const struct dns_list_entry *below, const struct dns_list_entry *above)
{
	struct dns_list_entry sum = *below;

	if (above->zone != NULL && above->key == NULL)
		sum.key = NULL, sum.keyed_zone = NULL;
	sum.id = above->id;
	sum.zone = above->zone != NULL ? above->zone : sum.zone;
	sum.keyed_zone = above->keyed_zone != NULL ? above->keyed_zone : sum.keyed_zone;
	sum.key = above->key != NULL ? above->key : sum.key;
	sum.kind = above->kind != NULL ? above->kind : sum.kind;
	sum.asks = above->asks != NULL ? above->asks : sum.asks;
	sum.addresses = above->addresses != NULL ? above->addresses : sum.addresses;
	sum.terms = above->terms != NULL ? above->terms : sum.terms;
	sum.codes = above->codes.count > 0 ? above->codes : sum.codes;
	sum.errors = above->errors.count > 0 ? above->errors : sum.errors;
	sum.listed = above->listed.count > 0 ? above->listed : sum.listed;
	sum.unlisted = above->unlisted.count > 0 ? above->unlisted : sum.unlisted;
	return sum;
}
