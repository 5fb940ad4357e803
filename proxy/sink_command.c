#include "proxy/sink_command.h"

#include "proxy/sink_mail.h"

/* ---- EHLO, HELO, STARTTLS ---- */

static uint32_t
sink_command_extensions(const struct sink_session *session)
{
	uint32_t extensions = SMTP_EXT_PIPELINING | SMTP_EXT_SIZE | SMTP_EXT_8BITMIME |
	    SMTP_EXT_SMTPUTF8 | SMTP_EXT_ENHANCEDSTATUSCODES | SMTP_EXT_DSN;

	if (session->sink->tls != NULL && session->tls == NULL)
		extensions |= SMTP_EXT_STARTTLS;
	return extensions;
}

/* A line per extension; the last one is always there. */
static void
sink_command_announce(struct sink_session *session)
{
	uint32_t extensions = sink_command_extensions(session);
	const struct sink_options *options = &session->sink->options;

	sink_session_reply(session, "250-%s", options->hostname);
	for (uint32_t bit = 1; bit < SMTP_EXT_SMTPUTF8; bit <<= 1) {
		if (bit == SMTP_EXT_SIZE && options->size.value > 0)
			sink_session_reply(
			    session, "250-SIZE %llu", (unsigned long long)options->size.value);
		else if (extensions & bit)
			sink_session_reply(
			    session, "250-%s", smtp_extension_name((enum smtp_extension)bit));
	}
	sink_session_reply(session, "250 %s", smtp_extension_name(SMTP_EXT_SMTPUTF8));
}

static enum sink_step
sink_command_hello(struct sink_session *session, struct slice argument, bool is_esmtp)
{
	struct slice name;
	const struct smtp_fault *fault = smtp_helo_read(&name, argument);

	if (fault != NULL)
		return sink_session_fault(session, fault);
	sink_mail_end(session);
	session->has_hello = true;
	if (is_esmtp)
		sink_command_announce(session);
	else
		sink_session_reply(session, "250 %s", session->sink->options.hostname);
	return SINK_NEXT;
}

static enum sink_step
sink_command_ehlo(struct sink_session *session, struct slice argument)
{
	return sink_command_hello(session, argument, true);
}

static enum sink_step
sink_command_helo(struct sink_session *session, struct slice argument)
{
	return sink_command_hello(session, argument, false);
}

static enum sink_step
sink_command_starttls(struct sink_session *session, struct slice argument)
{
	if (argument.length > 0)
		return sink_session_error(session, "501 5.5.4 STARTTLS takes no argument");
	if (session->tls != NULL)
		return sink_session_error(session, "503 5.5.1 TLS is on already");
	if (session->sink->tls == NULL)
		return sink_session_error(session, "502 5.5.1 there is no TLS here");
	sink_session_reply(session, "220 2.0.0 begin TLS");
	sink_session_start_tls(session);
	return SINK_NEXT;
}

/* ---- the transaction ---- */

static enum sink_step
sink_command_mail(struct sink_session *session, struct slice argument)
{
	struct smtp_path from;
	struct smtp_params params;
	const struct smtp_fault *fault = smtp_mail_read(&from, &params, argument,
	    sink_command_extensions(session), session->sink->options.size.value);

	if (fault != NULL)
		return sink_session_fault(session, fault);
	session->mail =
	    sink_mail_new(session, &from, smtp_params_has(&params, SMTP_PARAM_SMTPUTF8));
	sink_session_reply(session, "250 2.1.0 sender noted");
	return SINK_NEXT;
}

static enum sink_step
sink_command_rcpt(struct sink_session *session, struct slice argument)
{
	struct sink_mail *mail = session->mail;
	struct smtp_path to;
	struct smtp_params params;
	const struct smtp_fault *fault =
	    smtp_rcpt_read(&to, &params, argument, sink_command_extensions(session), mail->is_utf8);

	if (fault != NULL)
		return sink_session_fault(session, fault);
	if (mail->count >= SINK_RECIPIENTS_MOST) {
		sink_session_reply(session, "452 4.5.3 too many recipients");
		return SINK_NEXT;
	}
	sink_mail_add(mail, &to);
	sink_session_reply(session, "250 2.1.5 recipient noted");
	return SINK_NEXT;
}

static enum sink_step
sink_command_data(struct sink_session *session, struct slice argument)
{
	if (argument.length > 0)
		return sink_session_error(session, "501 5.5.4 DATA takes no argument");
	if (session->mail->count == 0)
		return sink_session_error(session, "554 5.5.1 no valid recipients");
	return sink_mail_start(session);
}

/* ---- the small ones ---- */

static enum sink_step
sink_command_rset(struct sink_session *session, struct slice argument)
{
	if (argument.length > 0)
		return sink_session_error(session, "501 5.5.4 RSET takes no argument");
	sink_mail_end(session);
	sink_session_reply(session, "250 2.0.0 forgotten");
	return SINK_NEXT;
}

static enum sink_step
sink_command_noop(struct sink_session *session, struct slice argument)
{
	(void)argument;
	sink_session_reply(session, "250 2.0.0 here");
	return SINK_NEXT;
}

static enum sink_step
sink_command_vrfy(struct sink_session *session, struct slice argument)
{
	if (argument.length == 0)
		return sink_session_error(session, "501 5.5.4 VRFY needs an address");
	sink_session_reply(session, "252 2.5.0 everything is kept here");
	return SINK_NEXT;
}

static enum sink_step
sink_command_quit(struct sink_session *session, struct slice argument)
{
	if (argument.length > 0)
		return sink_session_error(session, "501 5.5.4 QUIT takes no argument");
	sink_session_reply(session, "221 2.0.0 goodbye");
	return SINK_END;
}

enum sink_when {
	SINK_ALWAYS,
	SINK_BEFORE_MAIL, /* no transaction, but a HELO */
	SINK_IN_MAIL
};

static const struct sink_command {
	const char *verb;
	enum sink_when when;
	enum sink_step (*run)(struct sink_session *session, struct slice argument);
} sink_commands[] = {
	{ "EHLO", SINK_ALWAYS, sink_command_ehlo },
	{ "HELO", SINK_ALWAYS, sink_command_helo },
	{ "STARTTLS", SINK_BEFORE_MAIL, sink_command_starttls },
	{ "MAIL", SINK_BEFORE_MAIL, sink_command_mail },
	{ "RCPT", SINK_IN_MAIL, sink_command_rcpt },
	{ "DATA", SINK_IN_MAIL, sink_command_data },
	{ "RSET", SINK_ALWAYS, sink_command_rset },
	{ "NOOP", SINK_ALWAYS, sink_command_noop },
	{ "VRFY", SINK_ALWAYS, sink_command_vrfy },
	{ "QUIT", SINK_ALWAYS, sink_command_quit },
};

static const char *
sink_command_misplaced(const struct sink_session *session, enum sink_when when)
{
	switch (when) {
	case SINK_ALWAYS:
		break;
	case SINK_BEFORE_MAIL:
		if (!session->has_hello)
			return "503 5.5.1 say EHLO first";
		if (session->mail != NULL)
			return "503 5.5.1 not within a transaction";
		break;
	case SINK_IN_MAIL:
		if (session->mail == NULL)
			return "503 5.5.1 MAIL comes first";
		break;
	}
	return NULL;
}

enum sink_step
sink_command_run(struct sink_session *session, struct slice line)
{
	struct smtp_command command;
	const struct smtp_fault *fault = smtp_command_read(&command, line);

	if (fault != NULL)
		return sink_session_fault(session, fault);
	for (size_t i = 0; i < sizeof(sink_commands) / sizeof(sink_commands[0]); i++) {
		const struct sink_command *row = &sink_commands[i];

		if (strcmp(command.verb, row->verb) != 0)
			continue;
		const char *misplaced = sink_command_misplaced(session, row->when);

		return misplaced != NULL ? sink_session_error(session, misplaced)
					 : row->run(session, command.argument);
	}
	return sink_session_error(session, "500 5.5.1 this command is not known here");
}
