/*
 * dmarc: is the author of the message who the From field says? (RFC 9989)
 *
 *	from         one author domain, many, none, or a field that cannot be read for certain
 *	result       pass: SPF or DKIM passes for a domain aligned with the author's; fail: none
 *	             does; none: there is no record to go by; error: it could not be found out
 *	aligned      which of them: spf, dkim, or none
 *	policy       what the domain's owner asks to do with mail that fails (p, sp or np)
 *	testing      the owner is still trying it out (t=y)
 *	disposition  what follows for this message: a failing one gets the policy, one level lower
 *	             when testing. A receiver must not reject because of p=reject alone (5.4,
 *	             7.4), so that is quarantine, unless the option enforce says as_published
 *	override     the client is a known forwarder
 *
 * It knows no other filter, but reads the facts spf.result, dkim.result and dkim.signature
 * as everybody may, and waits until they are in. All names of the tree walk are asked for as
 * soon as the header is whole.
 */
#include "filters/filter.h"
#include "lib/author.h"
#include "lib/dmarc_judge.h"
#include "lib/dmarc_walk.h"
#include "lib/log.h"
#include "lib/networks.h"

enum { DETAIL_MOST = 300, SIGNATURES_MOST = 10 };

struct dmarc_options {
	struct choice enforce;
	struct networks forwarders;
};

enum { ENFORCE_WITH_EVIDENCE, ENFORCE_AS_PUBLISHED };

static const struct option dmarc_options_rows[] = {
	OPTION(dmarc_options, enforce, .fallback = "with_evidence",
	    .words = (const char *const[]) { "with_evidence", "as_published", NULL },
	    .help = "What a published p=reject means for mail that fails: with_evidence, it is "
		    "treated as quarantine, and refusing needs a second fact; as_published, it is "
		    "to be refused."),
	OPTION_NETWORKS(dmarc_options, forwarders,
	    .help = "Hosts that are known to forward mail for your users: the fact "
		    "dmarc.override says so."),
	{ 0 },
};

struct dmarc_state {
	bool has_author;
	struct author author;
};

/* What is known of the identifiers that passed. */
struct dmarc_alignment {
	bool spf, dkim;
	bool is_unknown; /* one that failed to be found out could have been aligned */
	bool waits;
};

static const struct author *
dmarc_author(struct mail *mail)
{
	struct dmarc_state *state = mail->state;

	if (!state->has_author) {
		state->author = author_read(mail->arena, mail->header);
		state->has_author = true;
	}
	return &state->author;
}

static enum step
dmarc_headers(struct mail *mail, const void *options)
{
	const struct author *author = dmarc_author(mail);
	struct dmarc_walk walk;

	(void)options;
	if (author->kind == AUTHOR_ONE)
		dmarc_walk(&walk, mail->dns, author->domain[0]);
	return NEXT;
}

/* ---- alignment ---- */

/* May a passing (or unknown) identifier of this domain be aligned? Into *is. */
static void
dmarc_align(struct mail *mail, const struct dmarc_walk *walk, bool is_strict, const char *raw,
    bool has_passed, bool *is, struct dmarc_alignment *alignment)
{
	const char *domain = author_domain(mail->arena, slice_of(raw));
	bool is_aligned = false;

	if (domain == NULL)
		return;
	enum dmarc_knowledge known =
	    dmarc_is_aligned(&is_aligned, walk, mail->dns, domain, is_strict);

	if (known == DMARC_WAITS)
		alignment->waits = true;
	else if (known == DMARC_UNKNOWN || (is_aligned && !has_passed))
		alignment->is_unknown = true;
	else if (is_aligned)
		*is = true;
}

/* The MAIL FROM identity; with the null sender it is the HELO name (RFC 7208 2.4). */
static void
dmarc_align_spf(struct mail *mail, const struct dmarc_walk *walk, bool is_strict,
    struct dmarc_alignment *alignment)
{
	const struct fact *fact = evidence_find(mail->evidence, "spf", "result");
	const char *domain =
	    mail->from->domain[0] != '\0' ? mail->from->domain : mail->client->helo;
	bool has_passed = fact != NULL && strcmp(fact->value, "pass") == 0;

	if (fact != NULL && (has_passed || strcmp(fact->value, "temperror") == 0))
		dmarc_align(mail, walk, is_strict, domain, has_passed, &alignment->spf, alignment);
}

static const char *
dmarc_signer(const struct fact *fact)
{
	for (const struct about *about = fact->about; about != NULL && about->name != NULL; about++)
		if (strcmp(about->name, "domain") == 0)
			return about->value;
	return NULL;
}

static void
dmarc_align_dkim(struct mail *mail, const struct dmarc_walk *walk, bool is_strict,
    struct dmarc_alignment *alignment)
{
	struct evidence_place place = { 0 };
	const struct fact *fact;
	unsigned count = 0;

	while ((fact = evidence_next(mail->evidence, &place)) != NULL) {
		if (strcmp(fact->filter, "dkim") != 0 || strcmp(fact->key, "signature") != 0)
			continue;
		bool has_passed = strcmp(fact->value, "pass") == 0;
		const char *domain = dmarc_signer(fact);

		if (domain != NULL && (has_passed || strcmp(fact->value, "temperror") == 0) &&
		    count++ < SIGNATURES_MOST)
			dmarc_align(
			    mail, walk, is_strict, domain, has_passed, &alignment->dkim, alignment);
	}
}

/* ---- the facts ---- */

/* The result, with the words for it about `name`. policy: what applies to a failing message
 * (for Authentication-Results); NULL: none does. */
static void
dmarc_record_result(
    struct mail *mail, const char *value, const char *words, const char *name, const char *policy)
{
	const struct author *author = dmarc_author(mail);
	const struct about about[] = { { "domain", author->count > 0 ? author->domain[0] : "" },
		{ policy != NULL ? "policy" : NULL, policy }, { 0 } };
	char detail[DETAIL_MOST];

	snprintf(detail, sizeof(detail), "%s%s%s", name, words[0] != '\0' ? " " : "", words);
	evidence_add_about(mail->evidence, "dmarc", "result", value, detail,
	    author->kind == AUTHOR_ONE ? about : NULL);
}

static enum step
dmarc_record_author(struct mail *mail, const struct author *author)
{
	static const char *const words[] = { "one", "many", "none", "refused" };
	char names[DETAIL_MOST];
	size_t length = 0;

	names[0] = '\0';
	for (size_t i = 0; i < author->count && length < sizeof(names); i++)
		length += (size_t)snprintf(names + length, sizeof(names) - length, "%s%s",
		    i > 0 ? " " : "", author->domain[i]);
	evidence_add(mail->evidence, "dmarc", "from", words[author->kind],
	    author->kind == AUTHOR_MALFORMED ? author->why : names);
	if (author->kind != AUTHOR_ONE)
		dmarc_record_result(mail, "none", "",
		    author->kind == AUTHOR_MANY ? "several author domains" : "no author domain",
		    NULL);
	return NEXT;
}

/* What the record says; for the policy, and for reports to the domain's owner. */
static void
dmarc_record_policy(struct mail *mail, const struct dmarc_choice *choice)
{
	const struct dmarc_record *record = choice->record;
	const struct about about[] = { { "policy_domain", choice->domain }, { "tag", choice->tag },
		{ "p", dmarc_policy_word(record->p) },
		{ "sp", dmarc_policy_word(record->sp != DMARC_ABSENT ? record->sp : record->p) },
		{ "np",
		    dmarc_policy_word(record->np != DMARC_ABSENT ? record->np
			    : record->sp != DMARC_ABSENT         ? record->sp
								 : record->p) },
		{ "adkim", record->adkim_is_strict ? "s" : "r" },
		{ "aspf", record->aspf_is_strict ? "s" : "r" }, { "discovery", "treewalk" },
		{ 0 } };
	char detail[DETAIL_MOST];

	snprintf(detail, sizeof(detail), "%s= of %s", choice->tag, choice->domain);
	evidence_add_about(
	    mail->evidence, "dmarc", "policy", dmarc_policy_word(choice->policy), detail, about);
	evidence_add(mail->evidence, "dmarc", "testing", record->is_testing ? "yes" : "no", "");
}

static enum dmarc_policy
dmarc_disposition(const struct dmarc_options *options, enum dmarc_policy policy, bool is_testing,
    const char **why)
{
	*why = "";
	if (is_testing && policy > DMARC_NONE) {
		*why = "one level lower: the owner is testing";
		policy = dmarc_policy_tested(policy);
	}
	if (policy == DMARC_REJECT && options->enforce.value == ENFORCE_WITH_EVIDENCE) {
		*why = "p=reject alone does not refuse (RFC 9989 7.4)";
		policy = DMARC_QUARANTINE;
	}
	return policy;
}

static enum step
dmarc_record(struct mail *mail, const struct dmarc_options *options,
    const struct dmarc_choice *choice, const struct dmarc_alignment *alignment)
{
	const char *author = dmarc_author(mail)->domain[0], *why;
	const char *applied = dmarc_policy_word(
	    choice->record->is_testing ? dmarc_policy_tested(choice->policy) : choice->policy);
	enum dmarc_outcome outcome =
	    dmarc_judge(author, choice->policy, alignment->spf, alignment->dkim);

	dmarc_record_policy(mail, choice);
	if (alignment->spf)
		evidence_add(mail->evidence, "dmarc", "aligned", "spf", "");
	if (alignment->dkim)
		evidence_add(mail->evidence, "dmarc", "aligned", "dkim", "");
	if (!alignment->spf && !alignment->dkim)
		evidence_add(mail->evidence, "dmarc", "aligned", "none", "");
	if (outcome == DMARC_IS_OUT_OF_ORDER ||
	    (outcome != DMARC_PASSES && alignment->is_unknown)) {
		dmarc_record_result(
		    mail, "error", "might be aligned with what was not found out", author, applied);
		return NEXT;
	}
	bool has_passed = outcome == DMARC_PASSES;
	enum dmarc_policy disposition =
	    dmarc_disposition(options, choice->policy, choice->record->is_testing, &why);

	dmarc_record_result(mail, has_passed ? "pass" : "fail", "", author, applied);
	evidence_add(mail->evidence, "dmarc", "disposition",
	    has_passed ? "none" : dmarc_policy_word(disposition), has_passed ? "" : why);
	return NEXT;
}

/* Are the facts that DMARC stands on still to come? (Of filters that do not run none come.) */
static bool
dmarc_must_wait(const struct mail *mail)
{
	static const char *const any[] = { "", NULL };

	return evidence_ask(mail->evidence, "spf", "result", MAIL, any) == PENDING ||
	    evidence_ask(mail->evidence, "dkim", "result", END, any) == PENDING;
}

static enum step
dmarc_decide(struct mail *mail, const struct dmarc_options *options, const char *author)
{
	struct dmarc_alignment alignment = { 0 };
	struct dmarc_choice choice;
	struct dmarc_walk walk;

	dmarc_walk(&walk, mail->dns, author);
	enum dmarc_knowledge known = dmarc_choose(&choice, &walk, mail->dns);

	if (known == DMARC_WAITS)
		return WAIT;
	if (known == DMARC_KNOWN && choice.record != NULL && !choice.is_unusable) {
		dmarc_align_spf(mail, &walk, choice.record->aspf_is_strict, &alignment);
		dmarc_align_dkim(mail, &walk, choice.record->adkim_is_strict, &alignment);
		if (alignment.waits)
			return WAIT;
		return dmarc_record(mail, options, &choice, &alignment);
	}
	if (known == DMARC_UNKNOWN)
		dmarc_record_result(
		    mail, "error", "has a policy that was not found out", author, NULL);
	else if (choice.record == NULL)
		dmarc_record_result(mail, "none", "has no record", author, NULL);
	else
		dmarc_record_result(
		    mail, "none", "has a record that permits no processing", choice.domain, NULL);
	return NEXT;
}

static enum step
dmarc_end(struct mail *mail, const void *arg)
{
	const struct dmarc_options *options = arg;
	const struct author *author = dmarc_author(mail);

	if (author->kind == AUTHOR_ONE) {
		if (dmarc_must_wait(mail) || dmarc_decide(mail, options, author->domain[0]) == WAIT)
			return WAIT;
	}
	bool is_forwarder = networks_have(&options->forwarders, mail->client->ip, NULL, 0);

	evidence_add(mail->evidence, "dmarc", "override", is_forwarder ? "forwarder" : "none", "");
	return dmarc_record_author(mail, author);
}

const struct filter dmarc_filter = {
	.name = "dmarc",
	.summary = "is the author who the From field says (RFC 9989)",
	.facts =
	    (const struct fact_kind[]) {
		{ "result", END, "pass fail none error",
		    "whether SPF or DKIM passes for the author's domain" },
		{ "policy", END, "none quarantine reject",
		    "what the domain's owner asks to do with mail that fails" },
		{ "disposition", END, "none quarantine reject",
		    "what follows from it for this message" },
		{ "testing", END, "yes no", "the owner is still trying it out" },
		{ "aligned", END, "spf dkim none", "what passes for the author's domain" },
		{ "from", END, "one many none refused", "the author domains in the From field" },
		{ "override", END, "forwarder none", "the client is a known forwarder" },
		{ 0 },
	    },
	.options = dmarc_options_rows,
	.options_size = sizeof(struct dmarc_options),
	.stages = { [HEADERS] = dmarc_headers, [END] = dmarc_end },
	.state_size = sizeof(struct dmarc_state),
};
