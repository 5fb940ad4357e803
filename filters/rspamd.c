/*
 * rspamd: what rspamd thinks of the message.
 *
 * The message goes to rspamd while it comes in (lib/rspamd.h), with what is known of the client and
 * the envelope.
 *
 *	no_action greylist add_header rewrite_subject soft_reject reject discard quarantine
 *	           what rspamd would do; the detail is its score, and the one for a refusal
 *	other      an action that its administrator has made; the detail names it
 *	skipped    the message was too large to be looked at
 *	error      rspamd was not reached, did not answer in time, or said nonsense
 *
 * And its score, and the names of its symbols, those that count most, each with its score.
 */
#include "filters/filter.h"
#include "lib/rspamd.h"

enum { HEAD_MOST = 64 * 1024, RECIPIENTS_MOST = 100, SCORE_MOST = 32 };

struct rspamd_options {
	struct scanner_address address;
	struct seconds timeout;
	struct bytes max_size;
	const char *password;
};

static const struct option rspamd_options[] = {
	OPTION_CUSTOM(rspamd_options, address, scanner_address_read, .fallback = "127.0.0.1:11333",
	    .expected = SCANNER_ADDRESS_EXPECTED,
	    .help = "Where rspamd's normal worker listens: an address and port, or the path of a "
		    "Unix socket."),
	OPTION(rspamd_options, timeout, .fallback = "20s", .min = 1, .max = 600,
	    .help = "How long its answer may take when it has the whole message. A connection is "
		    "waited for 2 s. Keep it below timeouts: facts:, which ends all waiting."),
	OPTION(rspamd_options, max_size, .fallback = "25M", .min = 1,
	    .help = "Larger messages are not looked at (the fact skipped)."),
	OPTION(rspamd_options, password, .secret = true, .min = 1, .max = 200,
	    .help = "If the worker asks for one."),
	{ 0 },
};

struct rspamd_state {
	struct scanner *scanner;
	struct rspamd_answer answer;
};

/* ---- the section ---- */

static void
rspamd_terms(const void *arg, struct scanner_terms *terms)
{
	const struct rspamd_options *options = arg;

	*terms = (struct scanner_terms) {
		.name = "rspamd",
		.address = &options->address,
		.timeout = options->timeout.value,
		.size_most = options->max_size.value,
		.talk = &rspamd_talk,
		.ping = &rspamd_ping,
		.ping_text = rspamd_ping_text(),
	};
}

static void *
rspamd_open(const struct filter_host *host, const void *options)
{
	const struct scanner_host lent = {
		.arena = host->arena, .loop = host->loop, .tasks = host->tasks, .spool = host->spool
	};
	struct scanner_terms terms;

	rspamd_terms(options, &terms);
	return scanner_service_new(&lent, &terms);
}

/* A password is one line. */
static void
rspamd_complete(struct option_reader *reader, const struct node *section, void *arg)
{
	const struct rspamd_options *options = arg;

	for (const char *at = options->password; at != NULL && *at != '\0'; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f) {
			fault_add(reader->faults, node_find(section, "password"),
			    "a password is one line without control characters");
			return;
		}
}

/* ---- the message ---- */

static struct slice
rspamd_head(struct mail *mail, const struct rspamd_options *options)
{
	const struct client *client = mail->client;
	struct buf *head = buf_new(mail->arena, HEAD_MOST);

	buf_print(head,
	    "POST /checkv2 HTTP/1.1\r\nHost: rspamd\r\nConnection: close\r\n"
	    "Transfer-Encoding: chunked\r\nIP: %s\r\nHelo: %s\r\nFrom: <%s>\r\n",
	    client->text, client->helo, mail->from->text);
	for (size_t i = 0; i < RECIPIENTS_MOST && mail->recipients[i] != NULL; i++)
		buf_print(head, "Rcpt: <%s>\r\n", mail->recipients[i]->text);
	if (client->user != NULL)
		buf_print(head, "User: %s\r\n", client->user);
	if (options->password != NULL)
		buf_print(head, "Password: %s\r\n", options->password);
	buf_print(head, "\r\n");
	return buf_slice(head);
}

static struct scanner *
rspamd_scanner(struct mail *mail, const void *options)
{
	struct rspamd_state *state = mail->state;

	if (state->scanner == NULL)
		state->scanner = scanner_new(mail->shared, mail->arena, mail->task,
		    rspamd_head(mail, options), &state->answer);
	return state->scanner;
}

static void
rspamd_raw(struct mail *mail, const void *options, struct slice bytes)
{
	scanner_feed(rspamd_scanner(mail, options), bytes);
}

/* ---- the answer ---- */

static enum step
rspamd_record(struct mail *mail, const char *value, const char *detail)
{
	evidence_add(mail->evidence, "rspamd", "result", value, detail);
	return NEXT;
}

static void
rspamd_record_symbols(struct mail *mail, const struct symbols *symbols)
{
	for (size_t i = 0; i < symbols->count; i++) {
		char score[SCORE_MOST];
		const struct about about[] = { { "score", score }, { 0 } };

		snprintf(score, sizeof(score), "%.2f", symbols->item[i].score);
		evidence_add_about(
		    mail->evidence, "rspamd", "symbol", symbols->item[i].name, score, about);
	}
}

static enum step
rspamd_record_answer(struct mail *mail, const struct rspamd_answer *answer)
{
	static const char *const values[] = {
		[RSPAMD_NO_ACTION] = "no_action",
		[RSPAMD_GREYLIST] = "greylist",
		[RSPAMD_ADD_HEADER] = "add_header",
		[RSPAMD_REWRITE_SUBJECT] = "rewrite_subject",
		[RSPAMD_SOFT_REJECT] = "soft_reject",
		[RSPAMD_REJECT] = "reject",
		[RSPAMD_DISCARD] = "discard",
		[RSPAMD_QUARANTINE] = "quarantine",
		[RSPAMD_OTHER] = "other",
	};
	const char *of =
	    answer->has_required ? arena_format(mail->arena, " of %.2f", answer->required) : "";
	const char *name =
	    answer->action == RSPAMD_OTHER ? arena_format(mail->arena, "%s, ", answer->name) : "";

	rspamd_record_symbols(mail, &answer->symbols);
	evidence_add(mail->evidence, "rspamd", "score",
	    arena_format(mail->arena, "%.2f", answer->score), "");
	return rspamd_record(mail, values[answer->action],
	    arena_format(mail->arena, "%sscore %.2f%s", name, answer->score, of));
}

static enum step
rspamd_end(struct mail *mail, const void *options)
{
	struct scanner *scanner = rspamd_scanner(mail, options);
	const struct rspamd_state *state = mail->state;

	switch (scanner_end(scanner)) {
	case SCANNER_RUNS:
		break;
	case SCANNER_ANSWERED:
		return rspamd_record_answer(mail, &state->answer);
	case SCANNER_SKIPPED:
		return rspamd_record(mail, "skipped", scanner_why(scanner));
	case SCANNER_FAILED:
		return rspamd_record(mail, "error", scanner_why(scanner));
	}
	return WAIT;
}

const struct filter rspamd_filter = {
	.name = "rspamd",
	.summary = "what rspamd thinks of the message",
	.facts =
	    (const struct fact_kind[]) {
		{ "result", END,
		    "no_action greylist add_header rewrite_subject soft_reject reject discard "
		    "quarantine other skipped error",
		    "what rspamd would do with the message" },
		{ "score", END, "*", "its score, which a rule may add: score: rspamd.score", true },
		{ "symbol", END, "*",
		    "the symbols that count most, at most 30, with their scores" },
		{ 0 },
	    },
	.options = rspamd_options,
	.options_size = sizeof(struct rspamd_options),
	.complete = rspamd_complete,
	.scanner = rspamd_terms,
	.stages = { [END] = rspamd_end },
	.raw = rspamd_raw,
	.state_size = sizeof(struct rspamd_state),
	.open = rspamd_open,
};
