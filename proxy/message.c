#include "proxy/message.h"

#include "proxy/backend.h"
#include "proxy/delivery.h"
#include "rules/auth_results.h"

static enum step message_text(struct session *session);
static enum step message_judge(struct session *session);
static enum step message_deliver(struct session *session);

/* Is there anything to be put in front of a message that is known only at its end? */
static bool
message_needs_hold(const struct config *config)
{
	return policy_needs_hold(&config->policy) || pipeline_adds_header(&config->pipeline) ||
	    auth_results_are_wanted(config);
}

static bool
message_is_streamed(const struct config *config)
{
	return config->delivery.value == DELIVERY_STREAM ||
	    (config->delivery.value == DELIVERY_AUTO && !message_needs_hold(config));
}

static enum unframe_mode
message_mode(const struct session *session)
{
	const struct config *config = session->worker->config;

	if (config->bare_newline.value == BARE_NEWLINE_REJECT)
		return UNFRAME_REJECT;
	if (config->bare_newline.value == BARE_NEWLINE_PASS &&
	    networks_have(&config->bare_newline_peers, session->client.ip, NULL, 0))
		return UNFRAME_PASS;
	return UNFRAME_NORMALIZE;
}

void
message_begin(struct session *session, enum unframe_framing framing)
{
	struct transaction *t = session->mail;
	const struct config *config = session->worker->config;
	uint64_t size = session->worker->ehlo.size;

	if (config->limits.message_size.value > 0 &&
	    (size == 0 || config->limits.message_size.value < size))
		size = config->limits.message_size.value;
	body_begin(&t->body, t->scope, config, &session->worker->spool, size, framing,
	    message_mode(session));
	t->body.is_streamed = message_is_streamed(config);
	t->scope->mail.is_outgoing = transaction_is_outgoing(t);
	t->scope->mail.recipients = transaction_taken(t);
	/* A streamed header leaves in one go, into the connection's room. */
	if (t->body.is_streamed && t->body.header.limit > CONN_ROOM)
		t->body.header.limit = CONN_ROOM;
}

enum step
message_start(struct session *session)
{
	struct transaction *t = session->mail;
	struct answer answer = { .code = 354 };

	if (t->body.config == NULL)
		message_begin(session, UNFRAME_DATA);
	if (t->body.is_streamed && transaction_has_target(t) &&
	    delivery_start(session, &answer) == WAIT)
		return WAIT;
	if (answer.code != 354) {
		conn_write(session->front, answer.lines);
		session_end_mail(session);
		return NEXT;
	}
	session_reply(session, "354 end with CRLF.CRLF");
	conn_limit_input(session->front, CONN_INPUT_MOST);
	session->step = message_text;
	return NEXT;
}

static enum step
message_text(struct session *session)
{
	struct transaction *t = session->mail;
	struct slice input = conn_input(session->front);

	if (t->body.is_streamed && !delivery_has_room(session))
		return WAIT;
	if (input.length == 0) {
		if (session_is_deserted(session))
			return END_SESSION;
		session_await(session, session->worker->config->timeouts.data);
		return session->is_late ? session_is_late(session) : WAIT;
	}
	session_arrived(session);
	conn_take(session->front, body_feed(&t->body, input));
	if (body_is_done(&t->body)) {
		conn_limit_input(session->front, SESSION_INPUT);
		session->step = message_judge;
	}
	return NEXT;
}

/* The transaction is over: its answer is given. */
static enum step
message_end(struct session *session)
{
	session->messages++;
	session_end_mail(session);
	session->step = session_command;
	return NEXT;
}

static enum step
message_judge(struct session *session)
{
	struct transaction *t = session->mail;

	if (transaction_decide_message(t) == WAIT)
		return WAIT;
	if (t->reply != NULL) {
		session_reply(session, "%s", t->reply);
		transaction_record(t, NULL, NULL);
		return message_end(session);
	}
	if (t->verdict.action == REDIRECT && !t->verdict.is_shadow)
		delivery_redirect(session, t->verdict.rule->redirect);
	session->step = message_deliver;
	return NEXT;
}

/* The first line without its CRLF: for the record. */
static const char *
message_first_line(struct arena *arena, const struct answer *answer)
{
	const char *end = memchr(answer->lines.data, '\r', answer->lines.length);
	size_t length = end != NULL ? (size_t)(end - answer->lines.data) : answer->lines.length;

	return arena_copy(arena, (struct slice) { answer->lines.data, length });
}

static enum step
message_deliver(struct session *session)
{
	struct transaction *t = session->mail;
	struct answer answer;

	/* A client that has left does not hear the 250 and sends again: better not at all. */
	if (session_is_deserted(session) && !delivery_is_committed(t))
		return END_SESSION;
	if (delivery_finish(session, &answer) == WAIT)
		return WAIT;
	conn_write(session->front, answer.lines);
	if (answer.code < 400)
		atomic_fetch_add(&session->worker->shared->bytes, t->body.size);
	transaction_record(t, NULL, message_first_line(t->arena, &answer));
	return message_end(session);
}

bool
message_is_committed(const struct session *session)
{
	return session->step == message_deliver && delivery_is_committed(session->mail);
}
