#include "proxy/delivery.h"

#include "lib/clock.h"
#include "proxy/backend.h"
#include "proxy/delivery_text.h"
#include "proxy/session.h"

enum { HEADER_MOST = 64 * 1024 };

/* A backend that could not be reached is not tried again for each recipient at once. */
static const double delivery_patience = 1.0;

/* ---- the backend's session ---- */

static void
delivery_forget(struct transaction *transaction)
{
	transaction->told = transaction->reset = (struct told) { 0 };
	for (struct recipient *r = transaction->recipients; r != NULL; r = r->next)
		r->told = (struct told) { 0 };
}

enum step
delivery_backend(struct session *session, struct answer *answer)
{
	struct arena *arena = session->mail != NULL ? session->mail->arena : session->arena;
	struct backend *backend = session->backend;

	if (backend != NULL && backend_is_lost(backend)) {
		bool is_recent = !backend_was_open(backend) &&
		    clock_seconds() - backend_lost_at(backend) < delivery_patience;

		if (is_recent || session->is_tied) {
			*answer = answer_text(arena, backend_fault(backend));
			return END_SESSION;
		}
		backend_free(backend);
		backend = session->backend = NULL;
	}
	if (backend == NULL) {
		session->backend = backend = backend_new(session->worker, &session->task);
		session->is_backend_dirty = false;
		if (session->mail != NULL)
			delivery_forget(session->mail);
	}
	enum step step = backend_open(backend);

	if (step == END_SESSION)
		*answer = answer_text(arena, backend_fault(backend));
	return step;
}

/* ---- the envelope ---- */

/* What the client used and this session of the backend cannot carry. */
static const char *
delivery_lacks(const struct transaction *transaction, uint32_t has)
{
	const struct smtp_params *params = &transaction->params;

	if (smtp_params_has(params, SMTP_PARAM_SMTPUTF8) && (has & SMTP_EXT_SMTPUTF8) == 0)
		return "451 4.6.7 the mail server takes no internationalized mail now";
	if (params->body == SMTP_BODY_8BITMIME && (has & SMTP_EXT_8BITMIME) == 0)
		return "451 4.6.3 the mail server takes no 8-bit mail now";
	if ((smtp_params_has(params, SMTP_PARAM_RET) ||
		smtp_params_has(params, SMTP_PARAM_ENVID)) &&
	    (has & SMTP_EXT_DSN) == 0)
		return "451 4.3.3 the mail server takes no requests for notifications now";
	return NULL;
}

static void
delivery_say(struct session *session, struct told *told, struct slice line)
{
	backend_say(session->backend, line, session->worker->config->timeouts.envelope);
	told->is_said = true;
}

/* Does this recipient belong into the envelope? */
static bool
delivery_wants(const struct transaction *transaction, const struct recipient *recipient)
{
	return !recipient->is_discarded &&
	    (recipient->state == RECIPIENT_TAKEN || recipient == transaction->asked);
}

/* Say what was not said yet; without PIPELINING one line, and only when no reply is owed. */
static void
delivery_say_more(struct session *session)
{
	struct transaction *t = session->mail;
	uint32_t has = backend_ehlo(session->backend)->extensions;
	bool is_pipelining = has & SMTP_EXT_PIPELINING;

	if (session->is_backend_dirty && !t->reset.is_said) {
		delivery_say(session, &t->reset, slice_of("RSET\r\n"));
		if (!is_pipelining)
			return;
	}
	if (!t->told.is_said) {
		delivery_say(
		    session, &t->told, smtp_mail_format(t->arena, &t->path, &t->params, has));
		if (!is_pipelining)
			return;
	}
	for (struct recipient *r = t->recipients; r != NULL; r = r->next) {
		if (!delivery_wants(t, r) || r->told.is_said)
			continue;
		delivery_say(
		    session, &r->told, smtp_rcpt_format(t->arena, &r->path, &r->params, has));
		if (!is_pipelining)
			return;
	}
}

/* The next line whose answer is still to come; NULL: the backend is up to date. */
static struct told *
delivery_awaited(struct session *session)
{
	struct transaction *t = session->mail;

	if (session->is_backend_dirty && t->reset.answer.code == 0)
		return &t->reset;
	if (t->told.answer.code == 0)
		return &t->told;
	for (struct recipient *r = t->recipients; r != NULL; r = r->next)
		if (delivery_wants(t, r) && r->told.answer.code == 0)
			return &r->told;
	return NULL;
}

/*
 * Bring the backend up to date with the envelope. NEXT: all lines have their answers;
 * END_SESSION: the session was lost in between, or cannot be had (*answer says it).
 */
static enum step
delivery_catch_up(struct session *session, struct answer *answer)
{
	struct transaction *t = session->mail;
	enum step step = delivery_backend(session, answer);
	const struct reply *reply;
	struct told *told;

	if (step != NEXT)
		return step;
	const char *lack = delivery_lacks(t, backend_ehlo(session->backend)->extensions);

	if (lack != NULL) {
		*answer = answer_text(t->arena, lack);
		return END_SESSION;
	}
	while ((told = delivery_awaited(session)) != NULL) {
		if (!told->is_said)
			delivery_say_more(session);
		step = backend_hear(session->backend, t->arena, &reply);
		if (step == END_SESSION)
			*answer = answer_text(t->arena, backend_fault(session->backend));
		if (step != NEXT)
			return step;
		told->answer = answer_of(t->arena, reply);
		if (told != &t->reset)
			continue;
		session->is_backend_dirty = false;
		if (!answer_is_good(&told->answer))
			backend_drop(session->backend, "the answer to RSET is not 250");
	}
	return NEXT;
}

/* One more try with a new session, where nothing but the envelope was said. */
static bool
delivery_may_renew(struct session *session)
{
	struct transaction *t = session->mail;

	if (t->is_renewed || session->is_tied || !backend_was_open(session->backend) ||
	    !backend_is_lost(session->backend))
		return false;
	t->is_renewed = true;
	t->stage = DELIVERY_ENVELOPE;
	return true;
}

enum step
delivery_recipient(struct session *session, struct recipient *recipient, struct answer *answer)
{
	struct transaction *t = session->mail;

	for (;;) {
		enum step step = delivery_catch_up(session, answer);

		if (step == WAIT)
			return WAIT;
		if (step == NEXT)
			break;
		if (!delivery_may_renew(session))
			return NEXT;
	}
	*answer = answer_is_good(&t->told.answer) ? recipient->told.answer : t->told.answer;
	return NEXT;
}

/* After a renewal: does the backend still take what the client was promised? */
static bool
delivery_still_holds(const struct transaction *transaction)
{
	if (!answer_is_good(&transaction->told.answer))
		return false;
	for (const struct recipient *r = transaction->recipients; r != NULL; r = r->next)
		if (delivery_wants(transaction, r) && !answer_is_good(&r->told.answer))
			return false;
	return true;
}

/* Does the message go to this address alone already, by the verdict at RCPT? */
static bool
delivery_is_redirected(const struct transaction *transaction, const struct smtp_path *path)
{
	size_t count = 0;

	for (const struct recipient *r = transaction->recipients; r != NULL; r = r->next) {
		if (r->state != RECIPIENT_TAKEN || r->is_discarded)
			continue;
		if (!slice_equals(r->path.text, path->text))
			return false;
		count++;
	}
	return count == 1;
}

void
delivery_redirect(struct session *session, const char *address)
{
	struct transaction *t = session->mail;
	struct smtp_path path;
	bool is_first = true;

	if (!smtp_path_read_mailbox(&path, slice_of(address)))
		return; /* never: the configuration has checked it */
	if (delivery_is_redirected(t, &path))
		return;
	for (struct recipient *r = t->recipients; r != NULL; r = r->next) {
		if (r->state != RECIPIENT_TAKEN)
			continue;
		r->path = smtp_path_copy(t->arena, &path);
		r->is_discarded = !is_first;
		is_first = false;
	}
	session->is_backend_dirty |= t->told.is_said;
	delivery_forget(t);
}

/* ---- the message ---- */

static void
delivery_header(struct session *session)
{
	struct buf header = { .limit = HEADER_MOST };

	transaction_header(session->mail, &header);
	conn_write(backend_conn(session->backend), buf_slice(&header));
	if (!session->mail->body.is_streamed) {
		conn_write(backend_conn(session->backend), buf_slice(&session->mail->body.kept));
		session->mail->sent = session->mail->body.skipped;
	}
	buf_free(&header);
}

/* The envelope, DATA and its 354; then the header fields of ours are queued. */
static enum step
delivery_begin(struct session *session, struct answer *answer)
{
	struct transaction *t = session->mail;
	const struct config_timeouts *timeouts = &session->worker->config->timeouts;
	const struct reply *reply;
	enum step step;

	if (t->stage == DELIVERY_ENVELOPE) {
		step = delivery_catch_up(session, answer);
		if (step != NEXT)
			return step;
		if (!delivery_still_holds(t)) {
			session->is_backend_dirty = true;
			*answer = answer_text(t->arena,
			    "451 4.4.2 the mail server has changed its mind, please try again");
			return END_SESSION;
		}
		backend_say(session->backend, slice_of("DATA\r\n"), timeouts->data_start);
		t->stage = DELIVERY_START;
	}
	step = backend_hear(session->backend, t->arena, &reply);
	if (step == END_SESSION)
		*answer = answer_text(t->arena, backend_fault(session->backend));
	if (step != NEXT)
		return step;
	if (reply->code != 354) {
		session->is_backend_dirty = true;
		*answer = answer_is_refusal(reply)
		    ? answer_of(t->arena, reply)
		    : answer_text(t->arena, "451 4.5.0 the mail server does not take the text now");
		return END_SESSION;
	}
	t->stage = DELIVERY_TEXT;
	backend_progress(session->backend, timeouts->data_block);
	delivery_header(session);
	return NEXT;
}

/* As delivery_begin(), with the one renewal. END_SESSION: the answer is final. */
static enum step
delivery_begin_or_renew(struct session *session, struct answer *answer)
{
	for (;;) {
		enum step step = delivery_begin(session, answer);

		if (step != END_SESSION || !delivery_may_renew(session))
			return step;
	}
}

enum step
delivery_start(struct session *session, struct answer *answer)
{
	struct transaction *t = session->mail;
	enum step step = delivery_begin_or_renew(session, answer);

	if (step == NEXT) {
		*answer = (struct answer) { .code = 354 };
		t->body.sink = backend_conn(session->backend);
	}
	return step == WAIT ? WAIT : NEXT;
}

bool
delivery_has_room(struct session *session)
{
	struct transaction *t = session->mail;

	if (t->body.sink == NULL)
		return true;
	if (!delivery_text_is_sound(session)) {
		t->body.sink = NULL;
		return true;
	}
	if (conn_room(t->body.sink) == 0)
		return false;
	backend_progress(session->backend, session->worker->config->timeouts.data_block);
	return true;
}

enum step
delivery_finish(struct session *session, struct answer *answer)
{
	struct transaction *t = session->mail;
	const struct reply *reply;
	enum step step = NEXT;

	if (t->stage < DELIVERY_TEXT)
		step = delivery_begin_or_renew(session, answer);
	if (step != NEXT)
		return step == WAIT ? WAIT : NEXT;
	if (t->stage == DELIVERY_TEXT) {
		step = delivery_text_is_sound(session) ? delivery_text_pump(session) : END_SESSION;
		if (step == END_SESSION)
			*answer = delivery_text_failure(session);
		if (step != NEXT)
			return step == WAIT ? WAIT : NEXT;
		if (!delivery_text_is_silent(session)) {
			*answer = delivery_text_failure(session);
			return NEXT;
		}
		conn_write(backend_conn(session->backend), slice_of(".\r\n"));
		backend_owes(session->backend, session->worker->config->timeouts.data_end);
		t->stage = DELIVERY_DOT;
	}
	step = backend_hear(session->backend, t->arena, &reply);
	if (step == END_SESSION)
		*answer = answer_text(t->arena, backend_fault(session->backend));
	else if (step == NEXT)
		*answer = answer_of(t->arena, reply);
	return step == WAIT ? WAIT : NEXT;
}

bool
delivery_is_committed(const struct transaction *transaction)
{
	return transaction->stage == DELIVERY_DOT;
}
