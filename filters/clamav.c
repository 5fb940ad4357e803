/*
 * clamav: does ClamAV find a virus in the message?
 *
 * The message goes to clamd while it comes in (lib/clamd.h), its header included, since clamd takes
 * it apart by itself.
 *
 *	clean      it found nothing
 *	infected   the detail is the signature's name
 *	skipped    the message was too large to be looked at; the detail says for whom
 *	error      clamd was not reached, did not answer in time, or said nonsense
 */
#include "filters/filter.h"
#include "lib/clamd.h"

struct clamav_options {
	struct scanner_address address;
	struct seconds timeout;
	struct bytes max_size;
};

static const struct option clamav_options[] = {
	OPTION_CUSTOM(clamav_options, address, scanner_address_read,
	    .fallback = "/run/clamav/clamd.ctl", .expected = SCANNER_ADDRESS_EXPECTED,
	    .help = "Where clamd listens: the path of its Unix socket (LocalSocket), or an address "
		    "such as 127.0.0.1:3310 (TCPSocket)."),
	OPTION(clamav_options, timeout, .fallback = "20s", .min = 1, .max = 600,
	    .help = "How long its answer may take when it has the whole message. A connection is "
		    "waited for 2 s. Keep it below timeouts: facts:, which ends all waiting."),
	OPTION(clamav_options, max_size, .fallback = "25M", .min = 1,
	    .help =
		"Larger messages are not looked at (the fact skipped). clamd has a limit of its "
		"own, StreamMaxLength, 25M where nothing else is configured."),
	{ 0 },
};

struct clamav_state {
	struct scanner *scanner;
	struct clamd_answer answer;
};

static void
clamav_terms(const void *arg, struct scanner_terms *terms)
{
	const struct clamav_options *options = arg;

	*terms = (struct scanner_terms) {
		.name = "clamav",
		.address = &options->address,
		.timeout = options->timeout.value,
		.size_most = options->max_size.value,
		.talk = &clamd_talk,
		.ping = &clamd_ping,
		.ping_text = clamd_ping_text(),
	};
}

static void *
clamav_open(const struct filter_host *host, const void *options)
{
	const struct scanner_host lent = {
		.arena = host->arena, .loop = host->loop, .tasks = host->tasks, .spool = host->spool
	};
	struct scanner_terms terms;

	clamav_terms(options, &terms);
	return scanner_service_new(&lent, &terms);
}

static struct scanner *
clamav_scanner(struct mail *mail)
{
	struct clamav_state *state = mail->state;

	if (state->scanner == NULL)
		state->scanner = scanner_new(
		    mail->shared, mail->arena, mail->task, clamd_head(), &state->answer);
	return state->scanner;
}

static void
clamav_raw(struct mail *mail, const void *options, struct slice bytes)
{
	(void)options;
	scanner_feed(clamav_scanner(mail), bytes);
}

static enum step
clamav_record(struct mail *mail, const char *value, const char *detail)
{
	evidence_add(mail->evidence, "clamav", "result", value, detail);
	return NEXT;
}

static enum step
clamav_end(struct mail *mail, const void *options)
{
	struct scanner *scanner = clamav_scanner(mail);
	const struct clamav_state *state = mail->state;

	(void)options;
	switch (scanner_end(scanner)) {
	case SCANNER_RUNS:
		break;
	case SCANNER_ANSWERED:
		if (state->answer.is_infected)
			return clamav_record(mail, "infected", state->answer.name);
		return clamav_record(mail, "clean", "");
	case SCANNER_SKIPPED:
		return clamav_record(mail, "skipped", scanner_why(scanner));
	case SCANNER_FAILED:
		return clamav_record(mail, "error", scanner_why(scanner));
	}
	return WAIT;
}

const struct filter clamav_filter = {
	.name = "clamav",
	.summary = "does ClamAV find a virus in the message?",
	.facts =
	    (const struct fact_kind[]) {
		{ "result", END, "clean infected skipped error", "what clamd says" },
		{ 0 },
	    },
	.options = clamav_options,
	.options_size = sizeof(struct clamav_options),
	.scanner = clamav_terms,
	.stages = { [END] = clamav_end },
	.raw = clamav_raw,
	.state_size = sizeof(struct clamav_state),
	.open = clamav_open,
};
