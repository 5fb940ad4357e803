/*
 * arc: what those who passed the message on have found, and sealed (RFC 8617).
 *
 *	result  of the chain: pass (its seals and its newest signature are right), fail, none
 *	set     of each set: is its seal right, whose is it, and what did it say of the chain
 *
 * It is told and nothing more. Anybody can seal what he likes: a chain is worth as much as he
 * who sealed it, and whom to believe no filter knows. ARC fields are made by none of ours.
 *
 * Keys are asked for as soon as the header is whole, and only if the chain is right in form.
 */
#include "lib/arc.h"
#include "filters/filter.h"
#include "lib/clock.h"
#include "lib/header.h"

enum { NUMBER_MOST = 24 };

struct arc_state {
	struct header_end header_end;
	bool has_header;
	struct arc arc;
};

/* Asks for all keys; is any not there yet? */
static bool
arc_waits(struct mail *mail)
{
	struct arc_state *state = mail->state;
	bool waits = false;

	for (size_t i = 0; i < state->arc.count; i++)
		if (dns_ask(mail->dns, DNS_TXT, state->arc.key[i].name) == NULL)
			waits = true;
	return waits;
}

static void
arc_start(struct mail *mail)
{
	struct arc_state *state = mail->state;

	if (state->has_header)
		return;
	state->has_header = true;
	arc_begin(&state->arc, mail->arena, mail->header, clock_unix());
	(void)arc_waits(mail);
}

static void
arc_raw(struct mail *mail, const void *options, struct slice bytes)
{
	struct arc_state *state = mail->state;

	(void)options;
	if (!state->header_end.is_found) {
		size_t used = header_end_feed(&state->header_end, bytes);

		bytes = (struct slice) { bytes.data + used, bytes.length - used };
		if (!state->header_end.is_found)
			return;
		arc_start(mail);
	}
	arc_body(&state->arc, bytes);
}

/* A header that ended with the message has not come by in raw(). */
static enum step
arc_headers(struct mail *mail, const void *options)
{
	(void)options;
	arc_start(mail);
	return NEXT;
}

/* Of a chain that is wrong in form no seal is verified. */
static void
arc_record_set(struct mail *mail, const struct arc *arc, size_t i)
{
	const struct arc_set *set = &arc->sets->set[i];
	const struct arc_key *key = arc->count > 0 ? &arc->key[i + 1] : NULL;
	const char *word = key == NULL ? "unknown" : key->why == NULL ? "pass" : "fail";
	char number[NUMBER_MOST];
	const struct about about[] = { { "instance", number }, { "domain", set->seal.domain },
		{ "cv", set->cv }, { 0 } };

	if (set->field[ARC_SEAL].whole.data == NULL)
		return;
	snprintf(number, sizeof(number), "%zu", i + 1);
	evidence_add_about(mail->evidence, "arc", "set", word,
	    key != NULL && key->why != NULL ? key->why : "", about);
}

static enum step
arc_finish(struct mail *mail, const void *options)
{
	struct arc_state *state = mail->state;
	struct arc *arc = &state->arc;

	(void)options;
	if (arc_waits(mail))
		return WAIT;
	for (size_t i = 0; i < arc->count; i++)
		if (!arc->key[i].is_known)
			arc_key(arc, &arc->key[i], dns_ask(mail->dns, DNS_TXT, arc->key[i].name));
	arc_end(arc);
	for (size_t i = 0; arc->sets != NULL && i < arc->sets->count; i++)
		arc_record_set(mail, arc, i);
	evidence_add(mail->evidence, "arc", "result", arc->word, arc->why);
	return NEXT;
}

const struct filter arc_filter = {
	.name = "arc",
	.summary = "is the chain of those who passed the message on right (RFC 8617)",
	.facts =
	    (const struct fact_kind[]) {
		{ "result", END, "none pass fail",
		    "of the chain; how many sets, and what is wrong" },
		{ "set", END, "pass fail unknown",
		    "of each set: is its seal right; instance, domain, cv" },
		{ 0 },
	    },
	.stages = { [HEADERS] = arc_headers, [END] = arc_finish },
	.raw = arc_raw,
	.state_size = sizeof(struct arc_state),
};
