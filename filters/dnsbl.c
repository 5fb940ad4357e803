/*
 * dnsbl: what DNS lists (RFC 5782) say about the client's address.
 *
 * For each list, under its id: the words that its answer stands for (several are possible),
 * `none`, or `error` with the reason. Allow lists are lists like others; what their words are
 * good for is said by the policy. What counts as a listing is decided in lib/dns_list.h, and
 * whether a list may be believed at present in lib/list_guard.h: a list that is suspended
 * gives `error`, and is not asked.
 *
 * All lists are asked at once, and each one's facts are told as soon as its own answer is in:
 * no later answer changes them.
 */
#include "filters/filter.h"
#include "lib/dns_lists.h"
#include "lib/list_guard.h"

struct dnsbl_options {
	struct dns_list_entries lists;
	struct list_guard_options guard;
	struct dns_lists_made made;
};

/* A worker's own: a guard for each list. */
struct dnsbl_shared {
	struct list_guard *guards[DNS_LISTS_MOST];
};

static const struct option dnsbl_options[] = {
	OPTION_LIST(dnsbl_options, lists, dns_list_entry, dns_list_options, .shorthand = "id",
	    .min = 1, .max = DNS_LISTS_MOST, .required = true,
	    .help = "The lists to ask about each client: ids of well-known lists of addresses "
		    "(see defaults/lists.yaml), refined where needed, and lists of one's own."),
	OPTION_SECTION(dnsbl_options, guard, list_guard_options,
	    .help = "When a list is checked by its test points. A list that fails counts for "
		    "nothing until it is good again."),
	{ 0 },
};

static void
dnsbl_tell(struct mail *mail, const struct dns_list *list, const char *word, const char *detail)
{
	evidence_add(mail->evidence, "dnsbl", list->id, word, detail);
}

static void
dnsbl_tell_result(
    struct mail *mail, const struct dns_list *list, const struct dns_list_result *result)
{
	for (size_t i = 0; i < result->count; i++)
		dnsbl_tell(mail, list, result->words[i].word, result->words[i].address);
	if (result->fault != DNS_LIST_GOOD)
		dnsbl_tell(mail, list, "error", result->why);
	if (result->state == DNS_LIST_NONE)
		dnsbl_tell(mail, list, "none", "");
}

/* Whether all that the list has to say is told. */
static bool
dnsbl_ask(struct mail *mail, const struct dns_list *list, struct list_guard *guard)
{
	char name[DNS_NAME_MOST];
	struct dns_list_result result;

	if (evidence_find(mail->evidence, "dnsbl", list->id) != NULL)
		return true;
	if (!dns_list_takes(list, &mail->client->ip)) {
		dnsbl_tell(mail, list, "none", "not about such addresses");
		return true;
	}
	if (guard != NULL && list_guard_state(guard) == LIST_SUSPENDED) {
		dnsbl_tell(mail, list, "error", list_guard_reason(guard));
		return true;
	}
	const struct dns_answer *answer =
	    dns_ask(mail->dns, DNS_A, dns_list_name(name, list, ip_slice(&mail->client->ip)));

	if (answer == NULL)
		return false;
	dns_list_judge(&result, list, answer);
	if (guard != NULL && list_guard_ask(guard, mail->arena, mail->task, &result) == LIST_WAITS)
		return false;
	dnsbl_tell_result(mail, list, &result);
	return true;
}

static enum step
dnsbl_connect(struct mail *mail, const void *arg)
{
	const struct dnsbl_options *options = arg;
	const struct dns_lists *lists = &options->made.asked;
	struct dnsbl_shared *shared = mail->shared;
	bool is_whole = true;

	for (size_t i = 0; i < lists->count; i++) {
		const struct dns_list *list = &lists->item[i];

		if (dnsbl_ask(mail, list, shared != NULL ? shared->guards[i] : NULL))
			evidence_finish(mail->evidence, "dnsbl", list->id);
		else
			is_whole = false;
	}
	return is_whole ? NEXT : WAIT;
}

static void *
dnsbl_open(const struct filter_host *host, const void *arg)
{
	const struct dnsbl_options *options = arg;
	const struct dns_lists *lists = &options->made.asked;
	const struct list_guard_host lent = {
		.arena = host->arena, .loop = host->loop, .tasks = host->tasks, .dns = host->dns
	};
	struct dnsbl_shared *shared = arena_alloc(host->arena, sizeof(*shared));

	for (size_t i = 0; i < lists->count; i++)
		shared->guards[i] = list_guard_new(&lent, &lists->item[i], &options->guard);
	return shared;
}

static void
dnsbl_complete(struct option_reader *reader, const struct node *section, void *arg)
{
	static const struct dns_lists_use use = {
		.kinds = 1u << DNS_LIST_IP4 | 1u << DNS_LIST_IP6 | 1u << DNS_LIST_BOTH,
		.instead = "dnsbl does not ask about",
	};
	struct dnsbl_options *options = arg;

	dns_lists_complete(
	    reader, node_find(section, "lists"), &options->lists, &use, &options->made);
}

static const char *
dnsbl_values(const void *arg, const char *key)
{
	const struct dnsbl_options *options = arg;

	return dns_lists_words(&options->made, key);
}

static const struct dns_lists *
dnsbl_lists(const void *arg)
{
	const struct dnsbl_options *options = arg;

	return &options->made.asked;
}

const struct filter dnsbl_filter = {
	.name = "dnsbl",
	.summary = "what DNS lists say about the client's address (RFC 5782)",
	.options = dnsbl_options,
	.options_size = sizeof(struct dnsbl_options),
	.complete = dnsbl_complete,
	.lists = dnsbl_lists,
	.named_values = dnsbl_values,
	.named_stage = CONNECT,
	.stages = { [CONNECT] = dnsbl_connect },
	.open = dnsbl_open,
};
