#include "proxy/command.h"

#include "proxy/auth.h"
#include "proxy/delivery.h"
#include "proxy/message.h"
#include "proxy/recipients.h"
#include "proxy/starttls.h"
#include "proxy/tarpit.h"
#include "proxy/transaction.h"

static enum step
command_fault(struct session *session, const struct smtp_fault *fault)
{
	char reply[SMTP_FAULT_MOST];

	return session_error(session, smtp_fault_format(reply, fault));
}

/* ---- EHLO, HELO ---- */

static struct ehlo_offer
command_offer(const struct session *session)
{
	const struct config *config = session->worker->config;
	bool has_tls = session->client.tls != NULL;

	/* HELO has no extensions (RFC 5321 2.2.1), and so no parameters. */
	if (session->hello != NULL && !session->client.is_esmtp)
		return (struct ehlo_offer) { .size = config->limits.message_size.value };
	return ehlo_offer(&session->worker->ehlo,
	    !has_tls && config->tls_server != NULL && session->listen->tls.value != LISTEN_TLS_OFF,
	    session->listen->auth.value == LISTEN_AUTH_BACKEND &&
		(has_tls || session->listen->auth_without_tls),
	    config->limits.message_size.value);
}

static enum step
command_hello(struct session *session, struct slice argument, bool is_esmtp)
{
	const struct smtp_fault *fault;
	struct answer answer;
	struct slice name;

	/* What the backend can do is asked of it now, if nobody has asked before. */
	if (is_esmtp && !session->worker->ehlo.is_known &&
	    delivery_backend(session, &answer) == WAIT)
		return WAIT;
	fault = smtp_helo_read(&name, argument);
	if (fault != NULL)
		return command_fault(session, fault);
	session_hello(session, name, is_esmtp);
	if (is_esmtp) {
		struct ehlo_offer offer = command_offer(session);

		conn_write(session->front,
		    ehlo_format(session->arena, session->worker->config->hostname,
			&session->worker->ehlo, &offer));
	} else {
		session_reply(session, "250 %s", session->worker->config->hostname);
	}
	return NEXT;
}

static enum step
command_ehlo(struct session *session, struct slice argument)
{
	return command_hello(session, argument, true);
}

static enum step
command_helo(struct session *session, struct slice argument)
{
	return command_hello(session, argument, false);
}

static enum step
command_starttls(struct session *session, struct slice argument)
{
	if (argument.length > 0)
		return session_error(session, "501 5.5.4 STARTTLS takes no argument");
	if (session->client.tls != NULL)
		return session_error(session, "503 5.5.1 TLS is on already");
	if (session->worker->config->tls_server == NULL ||
	    session->listen->tls.value == LISTEN_TLS_OFF)
		return session_error(session, "502 5.5.1 there is no TLS here");
	session_reply(session, "220 2.0.0 begin TLS");
	starttls_start(session);
	return NEXT;
}

/* ---- the envelope ---- */

static uint64_t
command_size_limit(const struct session *session)
{
	return command_offer(session).size;
}

static enum step
command_mail(struct session *session, struct slice argument)
{
	const struct config_limits *limits = &session->worker->config->limits;
	struct ehlo_offer offer = command_offer(session);
	struct smtp_path path;
	struct smtp_params params;
	const struct smtp_fault *fault;

	if (session->mail != NULL)
		return session_error(session, "503 5.5.1 a transaction is under way already");
	if (session->listen->tls.value == LISTEN_TLS_REQUIRED && session->client.tls == NULL)
		return session_error(session, "530 5.7.0 say STARTTLS first");
	if (session->messages >= limits->messages || session->worker->is_ending) {
		session_reply(session, "421 4.3.2 enough for this session, please come again");
		session->lingers = true;
		return END_SESSION;
	}
	fault =
	    smtp_mail_read(&path, &params, argument, offer.extensions, command_size_limit(session));
	if (fault != NULL)
		return command_fault(session, fault);
	session->mail = transaction_new(session, &path, &params);
	session_reply(session, "250 2.1.0 sender noted");
	return NEXT;
}

/* Is it enough with those that are refused? */
static const char *
command_enough(const struct session *session)
{
	const struct config_limits *limits = &session->worker->config->limits;

	if (session->refusals >= limits->refusals)
		return "421 4.7.0 too many refused recipients";
	if (limits->unknown_recipients > 0 && session->unknown >= limits->unknown_recipients &&
	    session->client.user == NULL)
		return "421 4.7.0 too many unknown recipients";
	return NULL;
}

/* RCPT is settled: the recipient is one of the message's, or is not. */
static enum step
command_settle(struct session *session, struct recipient *recipient, bool is_taken)
{
	transaction_settle(session->mail, recipient, is_taken);
	session->refusals += !is_taken;
	const char *enough = is_taken ? NULL : command_enough(session);

	if (enough == NULL)
		return NEXT;
	session_reply(session, "%s", enough);
	session->lingers = true;
	return END_SESSION;
}

/* The mail server's answer, asked or remembered. */
static enum step
command_ask(struct session *session, struct recipient *recipient)
{
	struct answer answer;

	if (recipient->answer.code != 0 || recipients_recall(session, recipient))
		return NEXT;
	if (delivery_recipient(session, recipient, &answer) == WAIT)
		return WAIT;
	recipient->answer = answer;
	recipients_learn(session, recipient);
	return NEXT;
}

static enum step
command_judge(struct session *session, struct recipient *recipient)
{
	struct transaction *t = session->mail;

	if (transaction_decide_recipient(t, recipient) == WAIT)
		return WAIT;
	if (recipient->reply != NULL) {
		if (!recipient->is_discarded && tarpit(session) == WAIT)
			return WAIT;
		session_reply(session, "%s", recipient->reply);
		if (recipient->id[0] != '\0')
			transaction_record(t, recipient, NULL);
		return command_settle(session, recipient, recipient->is_discarded);
	}
	if (command_ask(session, recipient) == WAIT)
		return WAIT;
	bool is_taken = recipient->answer.code >= 200 && recipient->answer.code <= 299;

	if (!is_taken && tarpit(session) == WAIT)
		return WAIT;
	conn_write(session->front, recipient->answer.lines);
	return command_settle(session, recipient, is_taken);
}

static enum step
command_rcpt(struct session *session, struct slice argument)
{
	const struct smtp_fault *fault;
	struct smtp_path path;
	struct smtp_params params;
	struct transaction *t = session->mail;

	if (t->asked != NULL)
		return command_judge(session, t->asked);
	if (t->count >= session->worker->config->limits.recipients) {
		session_reply(session, "452 4.5.3 too many recipients");
		return NEXT;
	}
	fault = smtp_rcpt_read(&path, &params, argument, command_offer(session).extensions,
	    smtp_params_has(&t->params, SMTP_PARAM_SMTPUTF8));
	if (fault != NULL)
		return command_fault(session, fault);
	return command_judge(session, transaction_recipient(t, &path, &params));
}

static enum step
command_data(struct session *session, struct slice argument)
{
	if (argument.length > 0)
		return session_error(session, "501 5.5.4 DATA takes no argument");
	if (session->mail->taken == 0)
		return session_error(session, "554 5.5.1 no valid recipients");
	return message_start(session);
}

/* ---- the small ones ---- */

static enum step
command_rset(struct session *session, struct slice argument)
{
	if (argument.length > 0)
		return session_error(session, "501 5.5.4 RSET takes no argument");
	session_end_mail(session);
	session_reply(session, "250 2.0.0 forgotten");
	return NEXT;
}

static enum step
command_noop(struct session *session, struct slice argument)
{
	(void)argument;
	session_reply(session, "250 2.0.0 here");
	return NEXT;
}

static enum step
command_vrfy(struct session *session, struct slice argument)
{
	if (argument.length == 0)
		return session_error(session, "501 5.5.4 VRFY needs an address");
	session_reply(session, "252 2.5.0 send it, and the mail server will tell");
	return NEXT;
}

static enum step
command_help(struct session *session, struct slice argument)
{
	(void)argument;
	session_reply(
	    session, "214 2.0.0 EHLO HELO STARTTLS AUTH MAIL RCPT DATA RSET NOOP VRFY QUIT");
	return NEXT;
}

static enum step
command_quit(struct session *session, struct slice argument)
{
	if (argument.length > 0)
		return session_error(session, "501 5.5.4 QUIT takes no argument");
	session_reply(session, "221 2.0.0 goodbye");
	return END_SESSION;
}

enum command_when {
	ALWAYS,
	AFTER_HELLO, /* and MAIL needs it at the least */
	IN_MAIL,     /* a transaction is under way */
	BEFORE_MAIL  /* none is */
};

static const struct command {
	const char *verb;
	enum command_when when;
	enum step (*run)(struct session *session, struct slice argument);
	bool ends_group; /* its reply must be waited for, also with PIPELINING (RFC 2920 3.1) */
} commands[] = {
	{ "EHLO", ALWAYS, command_ehlo, .ends_group = true },
	{ "HELO", ALWAYS, command_helo, .ends_group = true },
	{ "STARTTLS", BEFORE_MAIL, command_starttls, .ends_group = true },
	{ "AUTH", BEFORE_MAIL, auth_start, .ends_group = true },
	{ "MAIL", AFTER_HELLO, command_mail },
	{ "RCPT", IN_MAIL, command_rcpt },
	{ "DATA", IN_MAIL, command_data, .ends_group = true },
	{ "RSET", ALWAYS, command_rset },
	{ "NOOP", ALWAYS, command_noop },
	{ "VRFY", ALWAYS, command_vrfy },
	{ "HELP", ALWAYS, command_help },
	{ "QUIT", ALWAYS, command_quit },
};

static const char *
command_misplaced(const struct session *session, enum command_when when)
{
	switch (when) {
	case ALWAYS:
		break;
	case BEFORE_MAIL:
		if (session->mail != NULL)
			return "503 5.5.1 not within a transaction";
		if (session->hello == NULL)
			return "503 5.5.1 say EHLO first";
		break;
	case AFTER_HELLO:
		if (session->hello == NULL)
			return "503 5.5.1 say EHLO first";
		break;
	case IN_MAIL:
		if (session->mail == NULL)
			return "503 5.5.1 MAIL comes first";
		break;
	}
	return NULL;
}

/* Has the client gone on where it had to wait for the reply? */
static bool
command_is_too_early(const struct session *session, const struct command *command)
{
	bool has_more = conn_input(session->front).length > session->line_used;

	return has_more &&
	    (command->ends_group || (command_offer(session).extensions & SMTP_EXT_PIPELINING) == 0);
}

enum step
command_run(struct session *session, struct slice line)
{
	struct smtp_command command;
	const struct smtp_fault *fault = smtp_command_read(&command, line);

	if (fault != NULL)
		return command_fault(session, fault);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(command.verb, commands[i].verb) != 0)
			continue;
		const char *misplaced = command_misplaced(session, commands[i].when);

		session->client.pipelines_too_early |= command_is_too_early(session, &commands[i]);
		if (misplaced != NULL)
			return session_error(session, misplaced);
		return commands[i].run(session, command.argument);
	}
	return session_error(session, "500 5.5.1 this command is not known here");
}
