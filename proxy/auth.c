#include "proxy/auth.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "lib/log.h"
#include "proxy/backend.h"
#include "proxy/delivery.h"
#include "proxy/tarpit.h"

static enum step auth_answer(struct session *session);
static enum step auth_line(struct session *session);

enum { DECODED_MOST = SMTP_AUTH_LINE_MOST };

/* base64 text decoded; 0 where it is none. The decoder gives whole threes, padding as NULs. */
static size_t
auth_decode(unsigned char out[DECODED_MOST], struct slice text)
{
	size_t padding = 0;

	if (text.length == 0 || text.length % 4 != 0 || text.length / 4 * 3 > DECODED_MOST)
		return 0;
	while (padding < 2 && text.data[text.length - 1 - padding] == '=')
		padding++;
	int length = EVP_DecodeBlock(out, (const unsigned char *)text.data, (int)text.length);

	return length > 0 ? (size_t)length - padding : 0;
}

/* The user's name out of PLAIN's "authzid NUL authcid NUL password", or LOGIN's first line. */
static void
auth_note_user(struct session *session, struct slice response)
{
	unsigned char decoded[DECODED_MOST];
	size_t length = auth_decode(decoded, response), begin = 0;
	char name[256];

	if (session->auth.mechanism == AUTH_PLAIN) {
		const unsigned char *nul = memchr(decoded, 0, length);

		begin = nul != NULL ? (size_t)(nul - decoded) + 1 : length;
	}
	struct slice user = { (const char *)decoded + begin, length - begin };
	const char *end = memchr(user.data, 0, user.length);

	if (end != NULL)
		user.length = (size_t)(end - user.data);
	if (user.length > 0 && session->auth.mechanism != AUTH_OTHER && session->auth.user == NULL)
		session->auth.user =
		    arena_strdup(session->arena, log_printable(name, sizeof(name), user));
	OPENSSL_cleanse(decoded, sizeof(decoded));
}

/* Is AUTH offered in this session as it now is? NULL: yes; else the reply. */
static const char *
auth_refusal(const struct session *session)
{
	if (session->listen->auth.value == LISTEN_AUTH_OFF ||
	    (session->worker->ehlo.extensions & SMTP_EXT_AUTH) == 0)
		return "502 5.5.1 there is no AUTH here";
	if (session->client.tls == NULL && !session->listen->auth_without_tls)
		return "538 5.7.11 AUTH needs TLS: say STARTTLS first";
	if (session->client.user != NULL)
		return "503 5.5.1 authenticated already";
	return NULL;
}

static enum auth_mechanism
auth_mechanism(struct slice name)
{
	return slice_matches(name, "PLAIN") ? AUTH_PLAIN
	    : slice_matches(name, "LOGIN")  ? AUTH_LOGIN
					    : AUTH_OTHER;
}

enum step
auth_start(struct session *session, struct slice argument)
{
	struct config_timeouts limits = session->worker->config->timeouts;
	const char *refusal = auth_refusal(session);
	struct slice mechanism, initial;
	struct answer answer;

	if (refusal != NULL)
		return session_error(session, refusal);
	if (smtp_auth_read(&mechanism, &initial, argument) != NULL)
		return session_error(session, "501 5.5.4 AUTH mechanism [initial-response]");
	if (!ehlo_has_mechanism(&session->worker->ehlo, mechanism))
		return session_error(session, "504 5.5.4 this mechanism is not offered");
	switch (delivery_backend(session, &answer)) {
	case WAIT:
		return WAIT;
	case END_SESSION:
		session_reply(session, "454 4.7.0 the mail server cannot be asked now");
		return NEXT;
	case NEXT:
		break;
	}
	session->auth = (struct auth) { .mechanism = auth_mechanism(mechanism) };
	if (initial.data != NULL)
		auth_note_user(session, initial);
	backend_say(session->backend, slice_of("AUTH "), limits.envelope);
	conn_write(backend_conn(session->backend), argument);
	conn_write(backend_conn(session->backend), slice_of("\r\n"));
	session->step = auth_answer;
	return NEXT;
}

/* Whoever guesses passwords waits longer with each. */
static enum step
auth_refuse(struct session *session)
{
	if (tarpit(session) == WAIT)
		return WAIT;
	session->step = session_command;
	conn_write(session->front, session->auth.refusal);
	if (++session->errors < session->worker->config->limits.errors)
		return NEXT;
	session_reply(session, "421 4.7.0 too many errors");
	session->lingers = true;
	return END_SESSION;
}

static enum step
auth_answer(struct session *session)
{
	const struct reply *reply;

	switch (backend_hear(session->backend, session->arena, &reply)) {
	case WAIT:
		return WAIT;
	case END_SESSION:
		session_reply(session, "454 4.7.0 the mail server broke off, please try again");
		session->step = session_command;
		return NEXT;
	case NEXT:
		break;
	}
	if (reply->code == 334) {
		conn_write(session->front, reply_format(session->arena, reply));
		session->step = auth_line;
		return NEXT;
	}
	struct answer answer = answer_of(session->arena, reply);

	session->auth.refusal = answer.lines;
	session->step = reply->code == 235 ? session_command : auth_refuse;
	if (reply->code != 235)
		return NEXT;
	conn_write(session->front, answer.lines);
	session->client.user = session->auth.user != NULL ? session->auth.user : "(unnamed)";
	session->is_tied = true;
	return NEXT;
}

/* A line of the client's, on to the backend; what is no base64 cancels the exchange. */
static enum step
auth_line(struct session *session)
{
	struct slice line;
	enum step step = session_line(session, SMTP_AUTH_LINE_MOST, &line);

	if (step != NEXT)
		return step;
	if (line.data == NULL || !smtp_auth_line_is_valid(line))
		line = slice_of("*");
	else if (session->auth.mechanism == AUTH_LOGIN || session->auth.mechanism == AUTH_PLAIN)
		auth_note_user(session, line);
	backend_say(session->backend, line, session->worker->config->timeouts.envelope);
	conn_write(backend_conn(session->backend), slice_of("\r\n"));
	session_line_done(session);
	session->step = auth_answer;
	return NEXT;
}
