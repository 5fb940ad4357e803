/*
 * smtp: how the client speaks SMTP.
 *
 *	early_talker      it spoke before our greeting (RFC 5321 3.1 has it wait)
 *	harvest           the client has lately named many recipients that do not exist; how many
 *	tls               the session is encrypted; version and cipher
 *	auth              the backend has authenticated it; as whom
 *	bare_newline      the message held a CR or LF that is no CRLF (RFC 5321 2.3.8)
 *	errors            bad commands so far; how many
 *	pipelining_abuse  it sent commands where it had to wait for a reply (RFC 2920 3.1)
 */
#include "filters/filter.h"

enum { ERRORS_MANY = 5, DETAIL_MOST = 128 };

static void
smtp_record(struct mail *mail, const char *key, bool value, const char *detail)
{
	evidence_add(mail->evidence, "smtp", key, value ? "yes" : "no", detail);
}

static enum step
smtp_connect(struct mail *mail, const void *options)
{
	char detail[DETAIL_MOST] = "";

	(void)options;
	smtp_record(mail, "early_talker", mail->client->is_early, "");
	if (mail->client->unknown > 0)
		snprintf(detail, sizeof(detail), "%u", mail->client->unknown);
	smtp_record(mail, "harvest", mail->client->is_harvester, detail);
	return NEXT;
}

static enum step
smtp_mail(struct mail *mail, const void *options)
{
	const struct client *client = mail->client;
	char detail[DETAIL_MOST] = "";

	(void)options;
	if (client->tls != NULL)
		snprintf(detail, sizeof(detail), "%s%s%s", client->tls,
		    client->cipher != NULL ? " " : "",
		    client->cipher != NULL ? client->cipher : "");
	smtp_record(mail, "tls", client->tls != NULL, detail);
	smtp_record(mail, "auth", client->user != NULL, client->user);
	return NEXT;
}

static const char *
smtp_errors(unsigned count)
{
	if (count == 0)
		return "none";
	return count < ERRORS_MANY ? "some" : "many";
}

static enum step
smtp_end(struct mail *mail, const void *options)
{
	const struct client *client = mail->client;
	char detail[DETAIL_MOST];

	(void)options;
	snprintf(detail, sizeof(detail), "%u", client->errors);
	smtp_record(mail, "bare_newline", mail->had_bare_newline, "");
	evidence_add(mail->evidence, "smtp", "errors", smtp_errors(client->errors), detail);
	smtp_record(mail, "pipelining_abuse", client->pipelines_too_early, "");
	return NEXT;
}

const struct filter smtp_filter = {
	.name = "smtp",
	.summary = "how the client speaks SMTP",
	.facts =
	    (const struct fact_kind[]) {
		{ "early_talker", CONNECT, "yes no", "it spoke before the greeting" },
		{ "harvest", CONNECT, "yes no",
		    "it has lately named many recipients that do not exist; how many" },
		{ "tls", MAIL, "yes no", "the session is encrypted; version and cipher" },
		{ "auth", MAIL, "yes no", "the backend has authenticated it; as whom" },
		{ "bare_newline", END, "yes no", "the message held a bare CR or LF" },
		{ "errors", END, "none some many", "bad commands: 0, 1 to 4, more; how many" },
		{ "pipelining_abuse", END, "yes no", "it sent commands without waiting its turn" },
		{ 0 },
	    },
	.is_always_on = true,
	.stages = { [CONNECT] = smtp_connect, [MAIL] = smtp_mail, [END] = smtp_end },
};
