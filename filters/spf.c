/*
 * spf: may the client send mail in the name of the domain that it gives? (RFC 7208)
 *
 *	pass       the domain says that it may
 *	fail       the domain says that it may not ("-all")
 *	softfail   the domain thinks that it may not, but does not want it refused ("~all")
 *	neutral    the domain says nothing about this client
 *	none       there is no record, or nothing that could have one
 *	temperror  not found out (a question failed)
 *	permerror  the record cannot be used: a fault in it, or it asks for too much
 *
 * `helo` is about the name given with HELO (2.3), `result` about the domain of the sender
 * (2.4), which for the null sender is the name given with HELO again. The detail is the term
 * that decided and whose it is, "-all of example.org", or why none did.
 *
 * `exp` is what a domain has to say about a fail (6.2): a stranger's words, of one line, and
 * said to be such.
 */
#include "lib/spf.h"

#include <stdio.h>

#include "filters/filter.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/spf_received.h"

enum { DETAIL_MOST = 320, EXPLANATION_MOST = 200 };

struct spf_options {
	bool exp, received_spf;
	uint32_t terms, void_lookups;
};

static const struct option spf_options[] = {
	OPTION(spf_options, exp, .fallback = "yes",
	    .help = "Whether the explanation is asked for that a domain may have for a fail. It is "
		    "recorded, nothing more."),
	OPTION(spf_options, terms, .fallback = "10", .min = 1, .max = SPF_LIMIT_MOST,
	    .help = "How many terms that ask DNS an evaluation may reach; one more is permerror. "
		    "RFC 7208 4.6.4 says 10, and domains arrange themselves with that."),
	OPTION(spf_options, void_lookups, .fallback = "2", .max = SPF_LIMIT_MOST,
	    .help = "How many names without a record an evaluation may meet; one more is "
		    "permerror. RFC 7208 4.6.4 says 2."),
	OPTION(spf_options, received_spf, .fallback = "no",
	    .help =
		"Whether a field Received-SPF (RFC 7208 9.1) is put in front of the message, for "
		"programs behind us that read no Authentication-Results. Messages are held then "
		"until they are whole."),
	{ 0 },
};

/* An identity that is checked, and the key of the fact about it. */
struct spf_identity {
	const char *key, *name;
	const char *local, *domain;
};

static void
spf_explain(
    struct mail *mail, const struct spf_identity *identity, const struct spf_verdict *verdict)
{
	const struct about about[] = { { "identity", identity->name }, { 0 } };
	char domain[EXPLANATION_MOST], words[EXPLANATION_MOST];
	char detail[2 * EXPLANATION_MOST + 16];

	if (verdict->explanation[0] == '\0')
		return;
	snprintf(detail, sizeof(detail), "%s explains: %s",
	    log_printable(domain, sizeof(domain), slice_of(verdict->domain)),
	    log_printable(words, sizeof(words), slice_of(verdict->explanation)));
	evidence_add_about(mail->evidence, "spf", "exp", "given", detail, about);
}

static void
spf_record(
    struct mail *mail, const struct spf_identity *identity, const struct spf_verdict *verdict)
{
	char text[DETAIL_MOST], detail[DETAIL_MOST], domain[DETAIL_MOST], term[DETAIL_MOST];
	bool is_decided = verdict->term[0] != '\0';
	const struct about about[] = { { "identity", identity->name },
		{ "domain", log_printable(domain, sizeof(domain), slice_of(identity->domain)) },
		{ is_decided ? "term" : NULL,
		    log_printable(term, sizeof(term), slice_of(verdict->term)) },
		{ 0 } };

	if (is_decided)
		snprintf(text, sizeof(text), "%.*s of %s", DETAIL_MOST / 2, verdict->term,
		    verdict->domain);
	else
		snprintf(text, sizeof(text), "%s", verdict->why);
	evidence_add_about(mail->evidence, "spf", identity->key, spf_word(verdict->result),
	    log_printable(detail, sizeof(detail), slice_of(text)), about);
}

static enum step
spf_check_identity(
    struct mail *mail, const struct spf_options *options, const struct spf_identity *identity)
{
	const struct spf_query query = {
		.client = mail->client->ip,
		.helo = mail->client->helo,
		.local = identity->local,
		.domain = identity->domain,
		.receiver = mail->host != NULL ? mail->host->hostname : NULL,
		.now = clock_unix(),
		.terms = options->terms,
		.voids = options->void_lookups,
		.wants_explanation = options->exp,
	};
	struct spf_verdict verdict;

	if (!spf_check(&verdict, mail->arena, mail->dns, &query))
		return WAIT;
	spf_record(mail, identity, &verdict);
	spf_explain(mail, identity, &verdict);
	return NEXT;
}

static enum step
spf_helo(struct mail *mail, const void *options)
{
	const struct spf_identity identity = { "helo", "helo", "postmaster", mail->client->helo };

	return spf_check_identity(mail, options, &identity);
}

static enum step
spf_mail(struct mail *mail, const void *options)
{
	const struct spf_identity identity = { "result", "mailfrom", mail->from->local,
		mail->from->domain };
	const struct fact *helo = evidence_find(mail->evidence, "spf", "helo");

	if (identity.domain[0] != '\0' || helo == NULL)
		return spf_check_identity(mail, options, &identity);
	evidence_add_about(mail->evidence, "spf", "result", helo->value, helo->detail, helo->about);
	return NEXT;
}

/* ---- Received-SPF ---- */

static void
spf_add_header(struct mail *mail, const void *options, struct buf *out)
{
	const struct fact *fact = evidence_find(mail->evidence, "spf", "result");
	const struct spf_options *spf = options;
	const char *identity = "mailfrom";

	if (!spf->received_spf || fact == NULL)
		return;
	for (const struct about *about = fact->about; about != NULL && about->name != NULL; about++)
		if (strcmp(about->name, "identity") == 0)
			identity = about->value;
	spf_received_field(
	    &(struct spf_received) {
		.result = fact->value,
		.comment = fact->detail,
		.client = mail->client->text,
		.from = mail->from->text,
		.helo = mail->client->helo,
		.identity = identity,
		.receiver = mail->host != NULL ? mail->host->hostname : NULL,
	    },
	    out);
}

static bool
spf_adds_header(const void *options)
{
	return ((const struct spf_options *)options)->received_spf;
}

const struct filter spf_filter = {
	.name = "spf",
	.summary = "may the client send mail for the domain that it gives (RFC 7208)",
	.facts =
	    (const struct fact_kind[]) {
		{ "result", MAIL, "pass fail softfail neutral none temperror permerror",
		    "whether the sender's domain lets the client send" },
		{ "helo", HELO, "pass fail softfail neutral none temperror permerror",
		    "the same of the name given with HELO" },
		{ "exp", MAIL, "given", "what a domain says about a fail" },
		{ 0 },
	    },
	.options = spf_options,
	.options_size = sizeof(struct spf_options),
	.stages = { [HELO] = spf_helo, [MAIL] = spf_mail },
	.header = spf_add_header,
	.adds_header = spf_adds_header,
};
