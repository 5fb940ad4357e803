/*
 * surbl: what DNS lists of domains say about the hosts that a message's addresses lead to.
 *
 * Hosts are found in all text and HTML of the message while it comes in, each counts once, and the
 * lists are asked at once, so that the answers come in beside the rest of the message. What is asked,
 * and whether lists take addresses, stands in the list (lib/dns_list.h). Not asked about: domains of
 * `never`, names that no list can have. Of more than `hosts` the most telling are asked about: links
 * before text, new domains before further hosts of one. Shorteners and redirectors are told and never
 * followed.
 *
 * For each list, under its id: the words that its answers stand for, with the address, its host
 * and its part; or `none`; or `error`, if a question failed and no other host is listed. What counts
 * as a listing is decided in lib/dns_list.h, whether a list may be believed at present in
 * lib/list_guard.h, where a message counts as one listing.
 */
#include "filters/surbl_lists.h"
#include "lib/file.h"
#include "lib/header.h"
#include "lib/public_suffix.h"
#include "lib/uri_scan.h"

enum {
	QUESTIONS_MOST = 300, /* a message, of all that its session may ask */
	FILE_MOST = 8 * 1024 * 1024,
	FIELD_MOST = 4096,
};

static const struct option surbl_options[] = {
	OPTION_LIST(surbl_options, lists, dns_list_entry, dns_list_options, .shorthand = "id",
	    .min = 1, .max = DNS_LISTS_MOST, .required = true,
	    .help =
		"The lists to ask about the hosts in a message's addresses: ids of well-known "
		"lists (see defaults/lists.yaml), refined where needed, and lists of one's own. "
		"Lists of addresses are asked about addresses that stand in place of a host."),
	OPTION(surbl_options, hosts, .fallback = "40", .min = 1, .max = 100,
	    .help = "About how many hosts of a message the lists are asked. With many lists it "
		    "may be fewer: a message asks at most 300 questions."),
	OPTION(surbl_options, mail_addresses, .fallback = "no",
	    .help = "Whether lists are asked about the domains of mail addresses in the text. "
		    "Not all lists are made for that."),
	OPTION(surbl_options, headers, .max = 10,
	    .help = "Fields of the header in which addresses are looked for as well, such as "
		    "[Reply-To, From]."),
	OPTION(surbl_options, never, .max = 10000,
	    .help = "Domains about which no list is asked, nor about what lies below them, besides "
		    "those of defaults/uri-never.txt. Best one's own."),
	OPTION_SECTION(surbl_options, guard, list_guard_options,
	    .help = "When a list is checked by its test points. A list that fails counts for "
		    "nothing until it is good again."),
	{ 0 },
};

struct surbl_state {
	struct surbl_hosts hosts;
	bool has_header;
};

const struct surbl_hosts *
surbl_hosts_of(const void *state)
{
	return state != NULL ? &((const struct surbl_state *)state)->hosts : NULL;
}

/* ---- addresses ---- */

static struct surbl_state *
surbl_begin(struct mail *mail, const struct surbl_options *options)
{
	struct surbl_state *state = mail->state;

	state->hosts.arena = mail->arena;
	state->hosts.sets = &options->sets;
	return state;
}

static void
surbl_add(
    struct mail *mail, const struct surbl_options *options, const char *part, const struct uri *uri)
{
	struct surbl_hosts *hosts = &surbl_begin(mail, options)->hosts;
	struct surbl_host *host = surbl_hosts_add(hosts, uri, part);

	if (host != NULL && surbl_hosts_is_urgent(hosts, host, options->most))
		surbl_ask(mail, hosts, options, host);
}

static void
surbl_uri(struct mail *mail, const void *arg, const struct part *part, const struct uri *uri)
{
	const struct surbl_options *options = arg;

	if (uri->flags & URI_IS_MAIL && !options->mail_addresses)
		return;
	surbl_add(mail, options, part->path, uri);
}

/* ---- the header ---- */

struct surbl_header {
	struct mail *mail;
	const struct surbl_options *options;
};

static void
surbl_header_found(void *arg, const struct uri *uri)
{
	struct surbl_header *header = arg;

	surbl_add(header->mail, header->options, "header", uri);
}

/* The fields that the administrator has chosen. */
static void
surbl_read_header(struct mail *mail, const struct surbl_options *options)
{
	struct surbl_header header = { mail, options };
	const struct uri_sink sink = { surbl_header_found, &header };
	struct uri_scan *scan = NULL;
	char value[FIELD_MOST];

	if (options->headers.count > 0)
		scan = arena_alloc(mail->arena, sizeof(*scan));
	for (size_t i = 0; i < options->headers.count; i++) {
		struct header_field field;
		size_t offset = 0;

		uri_scan_init(scan, URI_IN_HEADER, &sink);
		while (header_find(mail->header, &offset, options->headers.item[i], &field)) {
			size_t length = header_unfold(field.value, value, sizeof(value));

			uri_scan_feed(scan, (struct slice) { value, length });
			uri_scan_break(scan);
		}
		uri_scan_end(scan);
	}
}

static enum step
surbl_end(struct mail *mail, const void *arg)
{
	const struct surbl_options *options = arg;
	const struct dns_lists *lists = &options->made.asked;
	struct surbl_state *state = surbl_begin(mail, options);
	struct surbl_shared *shared = mail->shared;
	struct surbl_host *host;
	bool is_whole = true;

	if (!state->has_header)
		surbl_read_header(mail, options);
	state->has_header = true;
	while ((host = surbl_hosts_next(&state->hosts, options->most)) != NULL)
		surbl_ask(mail, &state->hosts, options, host);
	for (size_t i = 0; i < lists->count; i++) {
		const struct dns_list *list = &lists->item[i];

		if (surbl_list_tell(
			mail, &state->hosts, list, shared != NULL ? shared->guards[i] : NULL))
			evidence_finish(mail->evidence, "surbl", list->id);
		else
			is_whole = false;
	}
	if (!is_whole)
		return WAIT;
	surbl_tell_hosts(mail, &state->hosts);
	surbl_tell_tricks(mail, &state->hosts);
	return NEXT;
}

/* ---- the section ---- */

static void *
surbl_open(const struct filter_host *host, const void *arg)
{
	const struct surbl_options *options = arg;
	const struct dns_lists *lists = &options->made.asked;
	const struct list_guard_host lent = {
		.arena = host->arena, .loop = host->loop, .tasks = host->tasks, .dns = host->dns
	};
	struct surbl_shared *shared = arena_alloc(host->arena, sizeof(*shared));

	for (size_t i = 0; i < lists->count; i++)
		shared->guards[i] = list_guard_new(&lent, &lists->item[i], &options->guard);
	return shared;
}

/* A file that comes with postern, or stands beside the configuration. */
static struct name_set
surbl_read_set(struct option_reader *reader, const struct node *at, const char *name)
{
	const char *beside =
	    file_directory(reader->arena, at != NULL && at->file != NULL ? at->file : "");
	const char *path = file_find(reader->arena, beside, reader->data, name);
	struct name_set set = { 0 };
	struct file file;
	size_t bad;

	if (!file_read(reader->arena, path, FILE_MOST, &file)) {
		fault_add(reader->faults, at, "cannot read %s: %s", path, file.fault);
		return set;
	}
	set = name_set_read(reader->arena, file.bytes, &bad);
	if (bad > 0)
		fault_add(reader->faults, at, "%s:%zu: no name of a domain", path, bad);
	return set;
}

/* The domains of `never` in the form in which hosts are compared. */
static void
surbl_add_never(
    struct option_reader *reader, const struct node *section, struct surbl_options *options)
{
	struct name_set *never = &options->sets.never;
	size_t count = never->count + options->never.count, length = never->count;
	const char **names = arena_alloc(reader->arena, (count + 1) * sizeof(*names));

	if (length > 0)
		memcpy(names, never->item, length * sizeof(*names));
	for (size_t i = 0; i < options->never.count; i++) {
		struct host_form form;

		if (host_form_read(&form, slice_of(options->never.item[i])))
			names[length++] = arena_strdup(reader->arena, form.text);
		else
			fault_add(reader->faults, node_find(section, "never"),
			    "impossible value \"%.60s\": expected a domain such as example.com",
			    options->never.item[i]);
	}
	*never = name_set_of(reader->arena, names, length);
}

/* Keys of the filter's own are no ids. */
static void
surbl_check_ids(
    struct option_reader *reader, const struct node *section, const struct surbl_options *options)
{
	static const char *const own[] = { "hosts", "limit", "trick" };

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (dns_lists_find(&options->made.asked, own[i]) != NULL)
			fault_add(reader->faults, node_find(section, "lists"),
			    "a list cannot be called %s here", own[i]);
}

static void
surbl_complete(struct option_reader *reader, const struct node *section, void *arg)
{
	static const struct dns_lists_use use = {
		.kinds = 1u << DNS_LIST_IP4 | 1u << DNS_LIST_IP6 | 1u << DNS_LIST_BOTH |
		    1u << DNS_LIST_DOMAIN,
		.instead = "surbl does not ask about",
	};
	struct surbl_options *options = arg;
	size_t questions = 0;

	dns_lists_complete(
	    reader, node_find(section, "lists"), &options->lists, &use, &options->made);
	for (size_t i = 0; i < options->made.asked.count; i++)
		questions += options->made.asked.item[i].asks == DNS_LIST_ASKS_BOTH ? 2 : 1;
	options->most = options->hosts;
	if (questions * options->most > QUESTIONS_MOST)
		options->most = QUESTIONS_MOST / questions;
	if (section == NULL)
		return;
	options->sets.levels = surbl_read_set(reader, section, "defaults/uri-levels.txt");
	options->sets.shorteners = surbl_read_set(reader, section, "defaults/uri-shorteners.txt");
	options->sets.never = surbl_read_set(reader, section, "defaults/uri-never.txt");
	surbl_add_never(reader, section, options);
	surbl_check_ids(reader, section, options);
	public_suffix_open();
}

static const char *
surbl_values(const void *arg, const char *key)
{
	const struct surbl_options *options = arg;

	return dns_lists_words(&options->made, key);
}

static const struct dns_lists *
surbl_lists(const void *arg)
{
	const struct surbl_options *options = arg;

	return &options->made.asked;
}

const struct filter surbl_filter = {
	.name = "surbl",
	.summary = "what DNS lists say about the hosts in the message's addresses",
	.facts =
	    (const struct fact_kind[]) {
		{ "hosts", END, "*", "how many hosts the message's addresses lead to" },
		{ "limit", END, "yes no",
		    "whether there were more hosts than lists are asked about" },
		{ "trick", END, "misleading disguised mixed user redirector shortener none",
		    "what addresses do to be taken for others: link texts that name another host, "
		    "addresses in disguise, scripts that are mixed, user information, others "
		    "within "
		    "them, shorteners" },
		{ 0 },
	    },
	.options = surbl_options,
	.options_size = sizeof(struct surbl_options),
	.complete = surbl_complete,
	.lists = surbl_lists,
	.named_values = surbl_values,
	.named_stage = END,
	.stages = { [END] = surbl_end },
	.uri = surbl_uri,
	.state_size = sizeof(struct surbl_state),
	.open = surbl_open,
};
