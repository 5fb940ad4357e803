/*
 * spamassassin: is the message spam, by SpamAssassin?
 *
 * The message goes to spamd while it comes in (lib/spamd.h). In front of it stands what a mail server
 * that takes a message puts there, Return-Path and Received, since SpamAssassin finds client and
 * sender nowhere else. Only spamd sees these two.
 *
 *	ham spam   the detail is its score, and the one from which it is spam
 *	skipped    the message was too large to be looked at
 *	error      spamd was not reached, did not answer in time, or said nonsense
 *
 * And the names of the tests that hit.
 */
#include <ctype.h>
#include <time.h>

#include "filters/filter.h"
#include "lib/clock.h"
#include "lib/spamd.h"

enum { HEAD_MOST = 8 * 1024, WORD_MOST = 256, DATE_MOST = 64 };

struct spamassassin_options {
	struct scanner_address address;
	struct seconds timeout;
	struct bytes max_size;
};

static const struct option spamassassin_options[] = {
	OPTION_CUSTOM(spamassassin_options, address, scanner_address_read,
	    .fallback = "127.0.0.1:783", .expected = SCANNER_ADDRESS_EXPECTED,
	    .help = "Where spamd listens: an address and port, or the path of a Unix socket."),
	OPTION(spamassassin_options, timeout, .fallback = "20s", .min = 1, .max = 600,
	    .help = "How long its answer may take when it has the whole message. A connection is "
		    "waited for 2 s. Keep it below timeouts: facts:, which ends all waiting."),
	OPTION(spamassassin_options, max_size, .fallback = "512K", .min = 1,
	    .help = "Larger messages are not looked at (the fact skipped). SpamAssassin is slow "
		    "with large ones, and spam is rarely large."),
	{ 0 },
};

struct spamassassin_state {
	struct scanner *scanner;
	struct spamd_answer answer;
};

static void
spamassassin_terms(const void *arg, struct scanner_terms *terms)
{
	const struct spamassassin_options *options = arg;

	*terms = (struct scanner_terms) {
		.name = "spamassassin",
		.address = &options->address,
		.timeout = options->timeout.value,
		.size_most = options->max_size.value,
		.talk = &spamd_talk,
		.ping = &spamd_ping,
		.ping_text = spamd_ping_text(),
	};
}

static void *
spamassassin_open(const struct filter_host *host, const void *options)
{
	const struct scanner_host lent = {
		.arena = host->arena, .loop = host->loop, .tasks = host->tasks, .spool = host->spool
	};
	struct scanner_terms terms;

	spamassassin_terms(options, &terms);
	return scanner_service_new(&lent, &terms);
}

/* ---- the message ---- */

/* The name that the client gave, without what could be read as further parts of the field. */
static const char *
spamassassin_word(char word[WORD_MOST], const char *text)
{
	size_t length = 0;

	for (; text[length] != '\0' && length + 1 < WORD_MOST; length++) {
		bool is_plain =
		    isalnum((unsigned char)text[length]) || strchr(".-_:[]", text[length]) != NULL;

		word[length] = is_plain ? text[length] : '?';
	}
	word[length] = '\0';
	return word;
}

static const char *
spamassassin_date(char date[DATE_MOST])
{
	time_t now = (time_t)clock_unix();
	struct tm parts;

	gmtime_r(&now, &parts);
	strftime(date, DATE_MOST, "%a, %d %b %Y %H:%M:%S +0000", &parts);
	return date;
}

/* The form of Postfix, which SpamAssassin knows; a client's name is its own to find out. */
static struct slice
spamassassin_head(struct mail *mail)
{
	const struct client *client = mail->client;
	struct buf *head = buf_new(mail->arena, HEAD_MOST);
	char helo[WORD_MOST], date[DATE_MOST];

	buf_print(head,
	    "SYMBOLS SPAMC/1.5\r\n\r\nReturn-Path: <%s>\r\n"
	    "Received: from %s (unknown [%s%s])\r\n\tby %s (postern) with %s%s%s; %s\r\n",
	    mail->from->text, spamassassin_word(helo, client->helo),
	    client->ip.length == 16 ? "IPv6:" : "", client->text, mail->host->hostname,
	    client->is_esmtp ? "ESMTP" : "SMTP", client->tls != NULL ? "S" : "",
	    client->user != NULL ? "A" : "", spamassassin_date(date));
	return buf_slice(head);
}

static struct scanner *
spamassassin_scanner(struct mail *mail)
{
	struct spamassassin_state *state = mail->state;

	if (state->scanner == NULL)
		state->scanner = scanner_new(
		    mail->shared, mail->arena, mail->task, spamassassin_head(mail), &state->answer);
	return state->scanner;
}

static void
spamassassin_raw(struct mail *mail, const void *options, struct slice bytes)
{
	(void)options;
	scanner_feed(spamassassin_scanner(mail), bytes);
}

/* ---- the answer ---- */

static enum step
spamassassin_record(struct mail *mail, const char *value, const char *detail)
{
	evidence_add(mail->evidence, "spamassassin", "result", value, detail);
	return NEXT;
}

static enum step
spamassassin_record_answer(struct mail *mail, const struct spamd_answer *answer)
{
	for (size_t i = 0; i < answer->symbols.count; i++)
		evidence_add(
		    mail->evidence, "spamassassin", "symbol", answer->symbols.item[i].name, "");
	evidence_add(mail->evidence, "spamassassin", "score",
	    arena_format(mail->arena, "%.1f", answer->score), "");
	return spamassassin_record(mail, answer->is_spam ? "spam" : "ham",
	    arena_format(mail->arena, "score %.1f of %.1f", answer->score, answer->required));
}

static enum step
spamassassin_end(struct mail *mail, const void *options)
{
	struct scanner *scanner = spamassassin_scanner(mail);
	const struct spamassassin_state *state = mail->state;

	(void)options;
	switch (scanner_end(scanner)) {
	case SCANNER_RUNS:
		break;
	case SCANNER_ANSWERED:
		return spamassassin_record_answer(mail, &state->answer);
	case SCANNER_SKIPPED:
		return spamassassin_record(mail, "skipped", scanner_why(scanner));
	case SCANNER_FAILED:
		return spamassassin_record(mail, "error", scanner_why(scanner));
	}
	return WAIT;
}

const struct filter spamassassin_filter = {
	.name = "spamassassin",
	.summary = "is the message spam, by SpamAssassin?",
	.facts =
	    (const struct fact_kind[]) {
		{ "result", END, "ham spam skipped error", "what spamd says" },
		{ "score", END, "*", "its score, which a rule may add: score: spamassassin.score",
		    true },
		{ "symbol", END, "*", "the tests that hit, at most 30" },
		{ 0 },
	    },
	.options = spamassassin_options,
	.options_size = sizeof(struct spamassassin_options),
	.scanner = spamassassin_terms,
	.stages = { [END] = spamassassin_end },
	.raw = spamassassin_raw,
	.state_size = sizeof(struct spamassassin_state),
	.open = spamassassin_open,
};
