#include "lib/dmarc_walk.h"

#include <stdio.h>

enum { LABELS_JUMP = 8 };

static size_t
dmarc_labels(const char *name)
{
	size_t labels = 1;

	for (; *name != '\0'; name++)
		labels += *name == '.';
	return labels;
}

/* The last `labels` labels of a name that has at least so many. */
static const char *
dmarc_suffix(const char *name, size_t labels)
{
	for (size_t more = dmarc_labels(name) - labels; more > 0; more--)
		name = strchr(name, '.') + 1;
	return name;
}

static void
dmarc_names(struct dmarc_walk *walk, const char *domain)
{
	size_t labels = dmarc_labels(domain);

	walk->name[walk->count++] = domain;
	labels = labels >= LABELS_JUMP ? LABELS_JUMP - 1 : labels - 1;
	for (; labels > 0; labels--)
		walk->name[walk->count++] = dmarc_suffix(domain, labels);
}

/* The question for a name; NULL: under way. What is too long for "_dmarc." has no record. */
static const struct dns_answer *
dmarc_ask(struct dns *dns, const char *name)
{
	char question[DNS_NAME_MOST];

	snprintf(question, sizeof(question), "_dmarc.%s", name);
	return dns_ask(dns, DNS_TXT, question);
}

/* The one DMARC record of an answer; of several all are discarded. */
static void
dmarc_pick(struct dmarc_walk *walk, size_t i, const struct dns_answer *answer)
{
	struct dmarc_record record;
	size_t found = 0;

	for (size_t n = 0; n < answer->count; n++) {
		enum dmarc_kind kind = dmarc_record_read(&record, answer->records[n]);

		if (kind == DMARC_DISCARD)
			continue;
		found++;
		walk->kind[i] = kind;
		walk->record[i] = record;
	}
	walk->has_record[i] = found == 1;
}

/* The rules of 4.10.2, over what lies below and at `stop`. */
static void
dmarc_organize(struct dmarc_walk *walk, size_t stop)
{
	const char *start = walk->name[0];

	walk->organization = start;
	for (size_t i = 0; i < walk->count && i <= stop; i++)
		if (walk->has_record[i])
			walk->organization = walk->name[i];
	if (stop == walk->count || walk->record[stop].psd != DMARC_PSD_YES)
		return;
	walk->top = stop;
	if (stop > 0)
		walk->organization = dmarc_suffix(start, dmarc_labels(walk->name[stop]) + 1);
}

void
dmarc_walk(struct dmarc_walk *walk, struct dns *dns, const char *domain)
{
	*walk = (struct dmarc_walk) { .own = DMARC_KNOWN, .all = DMARC_KNOWN };
	dmarc_names(walk, domain);
	walk->top = walk->count;
	for (size_t i = 0; i < walk->count; i++)
		(void)dmarc_ask(dns, walk->name[i]);
	size_t stop = walk->count;

	for (size_t i = 0; i < walk->count && stop == walk->count; i++) {
		const struct dns_answer *answer = dmarc_ask(dns, walk->name[i]);
		enum dmarc_knowledge is = answer == NULL ? DMARC_WAITS
		    : answer->state == DNS_FAILED        ? DMARC_UNKNOWN
							 : DMARC_KNOWN;

		if (i == 0)
			walk->own = is;
		if (is != DMARC_KNOWN) {
			walk->all = is;
			return;
		}
		dmarc_pick(walk, i, answer);
		if (walk->has_record[i] && walk->record[i].psd != DMARC_PSD_UNKNOWN)
			stop = i;
	}
	dmarc_organize(walk, stop);
}

/* ---- which policy ---- */

/*
 * Does the domain exist? Not if DNS says so of the name itself (3.2.13). An answer for
 * "_dmarc." below it, even without data, proves that it does (RFC 8020).
 */
static enum dmarc_knowledge
dmarc_exists(bool *exists, const struct dmarc_walk *walk, struct dns *dns)
{
	const struct dns_answer *below = dmarc_ask(dns, walk->name[0]);

	*exists = true;
	if (below != NULL && (below->state == DNS_OK || below->state == DNS_NO_DATA))
		return DMARC_KNOWN;
	const struct dns_answer *answer = dns_ask(dns, DNS_A, walk->name[0]);

	if (answer == NULL)
		return DMARC_WAITS;
	*exists = answer->state != DNS_NO_NAME;
	return answer->state == DNS_FAILED ? DMARC_UNKNOWN : DMARC_KNOWN;
}

static void
dmarc_set(struct dmarc_choice *choice, const char *tag, enum dmarc_policy policy)
{
	choice->tag = tag;
	choice->policy = policy;
}

/* An inherited record: sp for names that exist, np for those that do not. */
static enum dmarc_knowledge
dmarc_inherit(struct dmarc_choice *choice, const struct dmarc_walk *walk, struct dns *dns)
{
	const struct dmarc_record *record = choice->record;
	bool exists;

	if (record->sp != DMARC_ABSENT)
		dmarc_set(choice, "sp", record->sp);
	if (record->np == DMARC_ABSENT || record->np == choice->policy)
		return DMARC_KNOWN;
	enum dmarc_knowledge is = dmarc_exists(&exists, walk, dns);

	if (is == DMARC_KNOWN && !exists)
		dmarc_set(choice, "np", record->np);
	return is;
}

/* The index of the organizational domain among the names of the walk; count: not there. */
static size_t
dmarc_organization_at(const struct dmarc_walk *walk)
{
	size_t i = 0;

	while (i < walk->count && strcmp(walk->name[i], walk->organization) != 0)
		i++;
	return i;
}

static void
dmarc_take(
    struct dmarc_choice *choice, const struct dmarc_walk *walk, size_t i, enum dmarc_source source)
{
	choice->source = source;
	choice->record = &walk->record[i];
	choice->domain = walk->name[i];
	choice->is_unusable = walk->kind[i] == DMARC_UNUSABLE;
	dmarc_set(choice, "p", walk->record[i].p);
}

enum dmarc_knowledge
dmarc_choose(struct dmarc_choice *choice, const struct dmarc_walk *walk, struct dns *dns)
{
	*choice = (struct dmarc_choice) { .tag = "" };
	if (walk->own != DMARC_KNOWN)
		return walk->own;
	if (walk->has_record[0]) {
		dmarc_take(choice, walk, 0, DMARC_FROM_AUTHOR);
		return DMARC_KNOWN;
	}
	if (walk->all != DMARC_KNOWN)
		return walk->all;
	size_t organization = dmarc_organization_at(walk);

	if (organization < walk->count && walk->has_record[organization])
		dmarc_take(choice, walk, organization, DMARC_FROM_ORGANIZATION);
	else if (walk->top < walk->count)
		dmarc_take(choice, walk, walk->top, DMARC_FROM_PSD);
	if (choice->record == NULL || choice->is_unusable)
		return DMARC_KNOWN;
	return dmarc_inherit(choice, walk, dns);
}

/* ---- alignment ---- */

/* Is it the name itself, or below it? */
static bool
dmarc_is_within(const char *name, const char *domain)
{
	size_t length = strlen(name), outer = strlen(domain);

	return length >= outer && strcmp(name + length - outer, domain) == 0 &&
	    (length == outer || name[length - outer - 1] == '.');
}

enum dmarc_knowledge
dmarc_is_aligned(bool *is_aligned, const struct dmarc_walk *author, struct dns *dns,
    const char *domain, bool is_strict)
{
	struct dmarc_walk walk;

	*is_aligned = strcmp(domain, author->name[0]) == 0;
	if (*is_aligned || is_strict)
		return DMARC_KNOWN;
	if (author->all != DMARC_KNOWN)
		return author->all;
	if (!dmarc_is_within(domain, author->organization))
		return DMARC_KNOWN;
	dmarc_walk(&walk, dns, domain);
	if (walk.all == DMARC_KNOWN)
		*is_aligned = strcmp(walk.organization, author->organization) == 0;
	return walk.all;
}
