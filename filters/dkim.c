/*
 * dkim: the signatures in the message's header (RFC 6376, 8301, 8463); and those of our own, in
 * the header of mail that leaves.
 *
 *	signature  one fact for each: is it right, whose is it, and with what was it made
 *	result     of the message: pass if one passes, else temperror if one is not known yet,
 *	           else the first one's; none without any
 *	partial    a signature that passes leaves the end of the body out (l=)
 *
 * Keys are asked for as soon as the header is whole, so their answers come while the body
 * does. Of more than DKIM_CHECK_MOST signatures the rest is not judged.
 */
#include "filters/dkim_check.h"
#include "filters/dkim_signer.h"
#include "filters/filter.h"
#include "lib/clock.h"
#include "lib/header.h"

enum { BITS_MOST = 16, ABOUT_MOST = 7 };

struct dkim_options {
	struct dkim_signers sign;
};

static const struct option dkim_options_rows[] = {
	OPTION_LIST(dkim_options, sign, dkim_signer, dkim_signer_options,
	    .help = "Mail that clients of relay: networks and authenticated users send is signed "
		    "with these keys. Two keys of one domain, one RSA and one Ed25519, make two "
		    "signatures."),
	{ 0 },
};

struct dkim_state {
	struct header_end header_end;
	bool has_header;
	struct dkim_check check;
	struct dkim_signature_making making;
};

static void *
dkim_open(const struct filter_host *host, const void *options)
{
	(void)options;
	return dkim_check_library(host->arena);
}

/* Asks for all keys; is any not there yet? */
static bool
dkim_waits(struct mail *mail)
{
	struct dkim_state *state = mail->state;
	bool waits = false;

	for (size_t i = 0; i < state->check.count; i++) {
		const struct dkim_check_one *one = &state->check.one[i];

		if (one->word == NULL && dns_ask(mail->dns, DNS_TXT, one->key_name) == NULL)
			waits = true;
	}
	return waits;
}

static void
dkim_begin(struct mail *mail, const struct dkim_options *options)
{
	struct dkim_state *state = mail->state;

	if (state->has_header)
		return;
	state->has_header = true;
	dkim_check_begin(&state->check, mail->shared, mail->arena, mail->header, clock_unix());
	if (mail->is_outgoing)
		dkim_signer_begin(&state->making, mail->arena, &options->sign, mail->header);
	(void)dkim_waits(mail);
}

static void
dkim_raw(struct mail *mail, const void *options, struct slice bytes)
{
	struct dkim_state *state = mail->state;

	if (!state->header_end.is_found) {
		size_t used = header_end_feed(&state->header_end, bytes);

		bytes = (struct slice) { bytes.data + used, bytes.length - used };
		if (!state->header_end.is_found)
			return;
		dkim_begin(mail, options);
	}
	dkim_check_body(&state->check, bytes);
	dkim_signer_body(&state->making, bytes);
}

/* A header that ended with the message has not come by in raw(). */
static enum step
dkim_headers(struct mail *mail, const void *options)
{
	dkim_begin(mail, options);
	return NEXT;
}

/* ---- the facts ---- */

static void
dkim_record_one(struct mail *mail, const struct dkim_check_one *one)
{
	const struct dkim_signature *signature = &one->signature;
	const char *why = one->why;
	struct about about[ABOUT_MOST] = { { "domain", signature->domain },
		{ "selector", signature->selector }, { "algorithm", signature->algorithm } };
	char bits[BITS_MOST];
	size_t count = 3;

	snprintf(bits, sizeof(bits), "%u", one->record.bits);
	if (one->record.bits > 0)
		about[count++] = (struct about) { "bits", bits };
	if (signature->identity[0] != '\0')
		about[count++] = (struct about) { "identity", signature->identity };
	if (one->record.is_test)
		about[count++] = (struct about) { "test", "yes" };
	evidence_add_about(mail->evidence, "dkim", "signature", one->word, why, about);
}

static void
dkim_record_surplus(struct mail *mail, size_t surplus)
{
	char detail[64];

	if (surplus == 0)
		return;
	snprintf(detail, sizeof(detail), "%zu more were not judged", surplus);
	evidence_add(mail->evidence, "dkim", "signature", "policy", detail);
}

/* The one that the message's result is taken from; NULL: there is no signature. */
static const struct dkim_check_one *
dkim_best(const struct dkim_check *check)
{
	static const char *const order[] = { "pass", "temperror" };

	for (size_t word = 0; word < sizeof(order) / sizeof(order[0]); word++)
		for (size_t i = 0; i < check->count; i++)
			if (strcmp(check->one[i].word, order[word]) == 0)
				return &check->one[i];
	return check->count > 0 ? &check->one[0] : NULL;
}

static bool
dkim_is_partial(const struct dkim_check *check)
{
	for (size_t i = 0; i < check->count; i++)
		if (strcmp(check->one[i].word, "pass") == 0 && check->one[i].signature.has_length &&
		    check->one[i].signature.length < check->size)
			return true;
	return false;
}

static void
dkim_record(struct mail *mail, const struct dkim_check *check)
{
	const struct dkim_check_one *best = dkim_best(check);

	for (size_t i = 0; i < check->count; i++)
		dkim_record_one(mail, &check->one[i]);
	dkim_record_surplus(mail, check->surplus);
	evidence_add(mail->evidence, "dkim", "partial", dkim_is_partial(check) ? "yes" : "no", "");
	if (best == NULL)
		evidence_add(mail->evidence, "dkim", "result", "none", "no signature");
	else
		evidence_add(mail->evidence, "dkim", "result", best->word,
		    strcmp(best->word, "pass") == 0 ? best->signature.domain : best->why);
}

static enum step
dkim_end(struct mail *mail, const void *options)
{
	struct dkim_state *state = mail->state;
	struct dkim_check *check = &state->check;

	(void)options;
	if (dkim_waits(mail))
		return WAIT;
	for (size_t i = 0; i < check->count; i++)
		if (check->one[i].word == NULL)
			dkim_check_key(check, &check->one[i],
			    dns_ask(mail->dns, DNS_TXT, check->one[i].key_name));
	dkim_check_end(check);
	dkim_record(mail, check);
	return NEXT;
}

static void
dkim_close(struct mail *mail, const void *options)
{
	struct dkim_state *state = mail->state;

	(void)options;
	dkim_check_free(&state->check);
}

/* ---- our own signatures ---- */

static void
dkim_add_header(struct mail *mail, const void *options, struct buf *out)
{
	struct dkim_state *state = mail->state;

	(void)options;
	buf_append(out,
	    slice_of(dkim_signer_fields(&state->making, mail->arena, mail->header, clock_unix())));
}

static bool
dkim_adds_header(const void *arg)
{
	const struct dkim_options *options = arg;

	return options->sign.count > 0;
}

const struct filter dkim_filter = {
	.name = "dkim",
	.summary = "who has signed the message, and whether that is right (RFC 6376)",
	.facts =
	    (const struct fact_kind[]) {
		{ "result", END, "pass fail none permerror temperror policy",
		    "of the message: the best of its signatures" },
		{ "signature", END, "pass fail permerror temperror policy",
		    "of each signature: domain, selector, algorithm, bits of the key, identity" },
		{ "partial", END, "yes no",
		    "a signature that passes leaves the end of the body out (l=)" },
		{ 0 },
	    },
	.options = dkim_options_rows,
	.options_size = sizeof(struct dkim_options),
	.stages = { [HEADERS] = dkim_headers, [END] = dkim_end },
	.raw = dkim_raw,
	.header = dkim_add_header,
	.adds_header = dkim_adds_header,
	.state_size = sizeof(struct dkim_state),
	.close = dkim_close,
	.open = dkim_open,
};
