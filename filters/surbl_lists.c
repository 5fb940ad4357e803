#include "filters/surbl_lists.h"

enum { NAMES_MOST = 2 }; /* that one list is asked about one host */

/* ---- questions ---- */

/* Names that are too long for the zone lose labels at their front. */
static void
surbl_name_fitting(char name[DNS_NAME_MOST], const struct dns_list *list, const char *host)
{
	while (host != NULL && dns_list_domain(name, list, host)[0] == '\0') {
		host = strchr(host, '.');
		host += host != NULL;
	}
}

/* What the list is asked about the host; how many names. */
static size_t
surbl_names(char names[NAMES_MOST][DNS_NAME_MOST], const struct dns_list *list,
    const struct surbl_host *host)
{
	size_t count = 0;

	if (host->kind != HOST_NAME) {
		bool takes = list->kind == DNS_LIST_DOMAIN
		    ? list->has_addresses && host->ip.length == 4
		    : dns_list_takes(list, &host->ip);

		if (takes)
			dns_list_name(names[count++], list, ip_slice(&host->ip));
		return count;
	}
	if (list->kind != DNS_LIST_DOMAIN)
		return 0;
	if (list->asks != DNS_LIST_ASKS_REGISTERED)
		surbl_name_fitting(names[count++], list, host->name);
	if (list->asks == DNS_LIST_ASKS_REGISTERED ||
	    (list->asks == DNS_LIST_ASKS_BOTH && strcmp(host->name, host->registered) != 0))
		surbl_name_fitting(names[count++], list, host->registered);
	return count;
}

static bool
surbl_is_suspended(const struct mail *mail, size_t list)
{
	const struct surbl_shared *shared = mail->shared;

	return shared != NULL && list_guard_state(shared->guards[list]) == LIST_SUSPENDED;
}

void
surbl_ask(struct mail *mail, struct surbl_hosts *hosts, const struct surbl_options *options,
    struct surbl_host *host)
{
	const struct dns_lists *lists = &options->made.asked;
	char names[NAMES_MOST][DNS_NAME_MOST];

	host->is_asked = true;
	hosts->asked++;
	for (size_t i = 0; i < lists->count; i++) {
		size_t count =
		    surbl_is_suspended(mail, i) ? 0 : surbl_names(names, &lists->item[i], host);

		for (size_t name = 0; name < count; name++)
			(void)dns_ask(mail->dns, DNS_A, names[name]);
	}
}

/* ---- facts ---- */

static void
surbl_tell(struct mail *mail, const char *key, const char *word, const char *detail,
    const struct surbl_host *host)
{
	struct about about[5] = { { 0 } };

	if (host == NULL) {
		evidence_add(mail->evidence, "surbl", key, word, detail);
		return;
	}
	about[0] = (struct about) { "uri", host->uri };
	about[1] = (struct about) { "host", host->name };
	about[2] = (struct about) { "part", host->part };
	about[3] = (struct about) { "where", uri_where_name(host->where) };
	evidence_add_about(mail->evidence, "surbl", key, word, detail, about);
}

static bool
surbl_has_trick(const struct surbl_host *host, const char *trick)
{
	if (strcmp(trick, "misleading") == 0)
		return host->flags & URI_MISLEADS;
	if (strcmp(trick, "disguised") == 0)
		return host->disguise & (HOST_IS_DISGUISED | HOST_IS_WIDE | HOST_IS_ESCAPED);
	if (strcmp(trick, "mixed") == 0)
		return host->disguise & HOST_IS_MIXED;
	if (strcmp(trick, "user") == 0)
		return host->flags & URI_HAS_USER;
	if (strcmp(trick, "redirector") == 0)
		return host->flags & URI_REDIRECTS && !(host->flags & URI_IS_NESTED);
	return host->is_shortener;
}

/* Each with the first host that plays it. */
void
surbl_tell_tricks(struct mail *mail, const struct surbl_hosts *hosts)
{
	static const char *const tricks[] = { "misleading", "disguised", "mixed", "user",
		"redirector", "shortener" };
	bool has_any = false;

	for (size_t trick = 0; trick < sizeof(tricks) / sizeof(tricks[0]); trick++)
		for (size_t i = 0; i < hosts->count; i++)
			if (surbl_has_trick(hosts->item[i], tricks[trick])) {
				surbl_tell(mail, "trick", tricks[trick], "", hosts->item[i]);
				has_any = true;
				break;
			}
	if (!has_any)
		surbl_tell(mail, "trick", "none", "", NULL);
}

void
surbl_tell_hosts(struct mail *mail, const struct surbl_hosts *hosts)
{
	bool has_more = surbl_hosts_has_more(hosts);
	char number[24], detail[64];

	snprintf(number, sizeof(number), "%zu", hosts->count);
	snprintf(detail, sizeof(detail), "%zu asked about", hosts->asked);
	surbl_tell(mail, "hosts", number, detail, NULL);
	surbl_tell(mail, "limit", has_more ? "yes" : "no", has_more ? detail : "", NULL);
}

/* ---- answers ---- */

/* What one list has said, of all hosts. */
struct surbl_sum {
	struct dns_list_result result; /* of all together */
	size_t questions;
	bool is_whole; /* nothing is still to come */
};

/* False: an answer is still to come. */
static bool
surbl_answer(struct mail *mail, const struct dns_list *list, const struct surbl_host *host,
    struct dns_list_result results[NAMES_MOST], size_t *count)
{
	char names[NAMES_MOST][DNS_NAME_MOST];
	bool is_whole = true;

	*count = surbl_names(names, list, host);
	for (size_t i = 0; i < *count; i++) {
		const struct dns_answer *answer = dns_ask(mail->dns, DNS_A, names[i]);

		if (answer == NULL)
			is_whole = false;
		else
			dns_list_judge(&results[i], list, answer);
	}
	return is_whole;
}

static void
surbl_sum_up(struct mail *mail, const struct surbl_hosts *hosts, const struct dns_list *list,
    struct surbl_sum *sum)
{
	struct dns_list_result results[NAMES_MOST];
	size_t count;

	*sum = (struct surbl_sum) { .result = { .state = DNS_LIST_NONE }, .is_whole = true };
	for (size_t i = 0; i < hosts->count; i++) {
		if (!hosts->item[i]->is_asked)
			continue;
		if (!surbl_answer(mail, list, hosts->item[i], results, &count)) {
			sum->is_whole = false;
			continue;
		}
		sum->questions += count;
		for (size_t name = 0; name < count; name++)
			if (results[name].state == DNS_LIST_LISTED ||
			    sum->result.state == DNS_LIST_NONE)
				sum->result = results[name];
	}
}

/* All answers are there. */
static void
surbl_tell_listings(struct mail *mail, const struct surbl_hosts *hosts, const struct dns_list *list)
{
	struct dns_list_result results[NAMES_MOST];
	size_t count;

	for (size_t i = 0; i < hosts->count; i++) {
		if (!hosts->item[i]->is_asked)
			continue;
		(void)surbl_answer(mail, list, hosts->item[i], results, &count);
		for (size_t name = 0; name < count; name++)
			for (size_t word = 0; word < results[name].count; word++)
				surbl_tell(mail, list->id, results[name].words[word].word,
				    results[name].words[word].address, hosts->item[i]);
	}
}

bool
surbl_list_tell(struct mail *mail, const struct surbl_hosts *hosts, const struct dns_list *list,
    struct list_guard *guard)
{
	struct surbl_sum sum;

	if (evidence_find(mail->evidence, "surbl", list->id) != NULL)
		return true;
	if (guard != NULL && list_guard_state(guard) == LIST_SUSPENDED) {
		surbl_tell(mail, list->id, "error", list_guard_reason(guard), NULL);
		return true;
	}
	surbl_sum_up(mail, hosts, list, &sum);
	if (!sum.is_whole)
		return false;
	if (guard != NULL && sum.questions > 0 &&
	    list_guard_ask(guard, mail->arena, mail->task, &sum.result) == LIST_WAITS)
		return false;
	if (sum.result.state == DNS_LIST_LISTED)
		surbl_tell_listings(mail, hosts, list);
	else if (sum.result.state == DNS_LIST_ERROR)
		surbl_tell(mail, list->id, "error", sum.result.why, NULL);
	else
		surbl_tell(mail, list->id, "none", "", NULL);
	return true;
}
