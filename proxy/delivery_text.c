#include "proxy/delivery_text.h"

#include "proxy/backend.h"
#include "proxy/session.h"

enum { TURN_MOST = 512 * 1024 };

static const char delivery_text_lost[] =
    "451 4.4.2 the mail server's session broke off, please try again";

/* The backend spoke in the middle of the text: a refusal is kept for the client. */
static void
delivery_text_hear_early(struct session *session)
{
	struct transaction *t = session->mail;
	struct slice input = conn_input(backend_conn(session->backend));
	struct reply_reader reader;
	size_t used;

	reply_reader_init(&reader, t->arena);
	if (reply_read(&reader, input, &used) == REPLY_DONE && answer_is_refusal(&reader.reply))
		t->early = answer_of(t->arena, &reader.reply);
	backend_drop(session->backend, "it answered before the end of the text");
}

bool
delivery_text_is_sound(struct session *session)
{
	struct backend *backend = session->backend;

	if (backend_is_lost(backend))
		return false;
	if (!backend_is_quiet(backend))
		delivery_text_hear_early(session);
	else if (conn_state(backend_conn(backend)) != CONN_OPEN)
		backend_drop(backend, "it closed the connection in the middle of the text");
	else if (backend_is_late(backend))
		backend_drop(backend, "it did not take the text in time");
	return !backend_is_lost(backend);
}

bool
delivery_text_is_silent(struct session *session)
{
	conn_look(backend_conn(session->backend));
	return delivery_text_is_sound(session);
}

struct answer
delivery_text_failure(struct session *session)
{
	struct transaction *t = session->mail;

	return t->early.code != 0 ? t->early : answer_text(t->arena, delivery_text_lost);
}

enum step
delivery_text_pump(struct session *session)
{
	struct transaction *t = session->mail;
	struct conn *conn = backend_conn(session->backend);
	uint64_t turn = t->sent + TURN_MOST;
	bool is_broken = false;

	while (t->sent < spool_length(&t->body.spool)) {
		size_t most = conn_room(conn);

		if (t->sent >= turn) {
			task_wake(&session->task);
			return WAIT;
		}
		if (most == 0)
			return WAIT;
		struct slice piece = spool_piece(&t->body.spool, t->sent, session->worker->piece,
		    sizeof(session->worker->piece), &is_broken);

		if (is_broken) {
			backend_drop(session->backend, "the held message cannot be read");
			return END_SESSION;
		}
		if (piece.length > most)
			piece.length = most;
		conn_write(conn, piece);
		t->sent += piece.length;
		backend_progress(session->backend, session->worker->config->timeouts.data_block);
	}
	return NEXT;
}
