#include "lib/conn_private.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/socket.h"

enum { CONN_PIECE = 64 * 1024 }; /* queued output that does not wait for conn_flush() */

/* The events for which the state and the buffers have use. */
static int
conn_wanted(const struct conn *conn)
{
	const struct tls_session *tls = conn->tls;
	int wanted = 0;

	switch (conn->state) {
	case CONN_CONNECTING:
		return EV_WRITE;
	case CONN_HANDSHAKE:
		return tls->waits_shake;
	case CONN_BROKEN:
		return 0;
	case CONN_OPEN:
		if (!conn_input_is_full(conn))
			wanted |= tls != NULL ? tls->waits_read : EV_READ;
		break;
	case CONN_CLOSED:
		break;
	}
	if (conn->output.length > 0 && conn->is_blocked)
		wanted |= tls != NULL ? tls->waits_write : EV_WRITE;
	return wanted;
}

void
conn_watch(struct conn *conn)
{
	int wanted = conn_wanted(conn);

	if (ev_is_active(&conn->io) && (conn->io.events & (EV_READ | EV_WRITE)) == wanted)
		return;
	ev_io_stop(conn->loop, &conn->io);
	if (wanted == 0)
		return;
	ev_io_modify(&conn->io, wanted);
	ev_io_start(conn->loop, &conn->io);
}

/* TLS may read to write and write to read, so there any event lets it try both. */
static void
conn_on_event(struct ev_loop *loop, ev_io *io, int events)
{
	struct conn *conn = io->data;

	(void)loop;
	if ((events & EV_READ) || conn->tls != NULL)
		conn->is_readable = true;
	if ((events & EV_WRITE) || conn->tls != NULL)
		conn->is_blocked = false;
	task_wake(conn->task);
}

/* Closing a socket with unread input makes the kernel send a reset, which may overtake our last
 * reply and destroy it at the peer. So what is there is thrown away first. */
static void
conn_shut(struct conn *conn, const char *why)
{
	if (conn->state == CONN_BROKEN)
		return;
	ev_io_stop(conn->loop, &conn->io);
	if (conn->tls != NULL)
		tls_session_end(conn->tls);
	if (conn->state == CONN_OPEN)
		socket_drain(conn->io.fd);
	if (conn->io.fd >= 0)
		close(conn->io.fd);
	buf_free(&conn->output);
	conn->state = CONN_BROKEN;
	conn->why = why;
}

void
conn_end(struct conn *conn, const char *why)
{
	conn_shut(conn, why);
	task_wake(conn->task);
}

static void
conn_break(struct conn *conn, const char *what, int error)
{
	bool knows_better = conn->tls != NULL && conn->tls->is_dead;

	conn_end(conn,
	    knows_better ? conn->tls->why
			 : arena_format(conn->arena, "%s: %s", what, strerror(error)));
}

void
conn_close(struct conn *conn)
{
	conn_shut(conn, "closed");
	intake_free(&conn->input);
}

static void
conn_undo(void *arg)
{
	conn_close(arg);
}

static struct conn *
conn_make(struct arena *arena, struct ev_loop *loop, int fd, struct task *task)
{
	struct conn *conn = arena_alloc(arena, sizeof(*conn));

	conn->loop = loop;
	conn->task = task;
	conn->arena = arena;
	conn->why = "";
	conn->limit = CONN_INPUT_LEAST;
	buf_init(&conn->output, CONN_OUTPUT_MOST);
	ev_io_init(&conn->io, conn_on_event, fd, EV_READ);
	conn->io.data = conn;
	arena_defer(arena, conn_undo, conn);
	if (fd >= 0)
		socket_set_no_delay(fd);
	return conn;
}

struct conn *
conn_new(struct arena *arena, struct ev_loop *loop, int fd, struct task *task)
{
	struct conn *conn = conn_make(arena, loop, fd, task);

	conn->state = CONN_OPEN;
	conn->is_readable = true;
	conn_watch(conn);
	return conn;
}

struct conn *
conn_connect(struct arena *arena, struct ev_loop *loop, const struct sockaddr *address,
    const struct sockaddr *source, struct task *task)
{
	const char *what;
	int fd;
	enum io_outcome outcome = socket_connect(&fd, address, source, &what);
	int error = errno;
	struct conn *conn = conn_make(arena, loop, fd, task);

	conn->state = CONN_CONNECTING;
	conn->is_blocked = outcome != IO_DONE;
	conn->was_busy = outcome == IO_BROKEN && error == EAGAIN;
	if (outcome == IO_BROKEN)
		conn_break(conn, what, error);
	if (outcome == IO_DONE)
		task_wake(task);
	conn_watch(conn);
	return conn;
}

bool
conn_was_busy(const struct conn *conn)
{
	return conn->was_busy;
}

static void
conn_finish_connect(struct conn *conn)
{
	if (conn->is_blocked)
		return;

	int error = socket_error(conn->io.fd);

	if (error != 0) {
		conn_break(conn, "cannot connect", error);
		return;
	}
	conn->state = CONN_OPEN;
	conn->is_readable = true;
}

static bool
conn_is_up(const struct conn *conn)
{
	return conn->state == CONN_OPEN || conn->state == CONN_CLOSED;
}

/* From a plain socket as much as was asked for: there may be more, else not. */
static enum io_outcome
conn_receive_piece(struct conn *conn, char *room, size_t size, size_t *count)
{
	if (conn->tls != NULL)
		return tls_session_read(conn->tls, room, size, count);

	enum io_outcome outcome = socket_receive(conn->io.fd, room, size, count);

	conn->is_readable = outcome != IO_DONE || *count == size;
	return outcome;
}

/* Until the input is full or there is no more for now. */
static void
conn_receive(struct conn *conn)
{
	enum io_outcome outcome = IO_DONE;

	while (outcome == IO_DONE && conn->is_readable && !conn_input_is_full(conn)) {
		size_t size, count = 0;

		intake_widen(&conn->input);
		char *room = intake_room(&conn->input, conn->limit, &size);

		outcome = conn_receive_piece(conn, room, size, &count);
		intake_commit(&conn->input, count);
		conn->bytes_in += count;
	}
	switch (outcome) {
	case IO_DONE:
		break;
	case IO_WAIT:
		conn->is_readable = false;
		break;
	case IO_CLOSED:
		conn->state = CONN_CLOSED;
		break;
	case IO_BROKEN:
		conn_break(conn, "read", errno);
		break;
	}
	intake_rest(&conn->input);
}

static enum io_outcome
conn_send_piece(struct conn *conn, struct slice bytes, size_t *count)
{
	if (conn->tls != NULL)
		return tls_session_write(conn->tls, bytes, count);

	enum io_outcome outcome = socket_send(conn->io.fd, bytes, count);

	conn->is_blocked = outcome == IO_DONE && *count < bytes.length;
	return outcome;
}

/*
 * A peer that has left may have said why: "421 ..." is then still to be read, which the next
 * conn_pull() does before it breaks the connection. Not here, for the caller may still look at
 * the input; and not with TLS, where nothing may be done after a failure.
 */
static void
conn_send_failed(struct conn *conn)
{
	conn->error = errno;
	if (conn->tls != NULL)
		conn_break(conn, "write", conn->error);
	conn->is_readable = true;
	buf_free(&conn->output);
	task_wake(conn->task);
}

static void
conn_send(struct conn *conn)
{
	while (conn->output.length > 0 && !conn->is_blocked) {
		struct slice bytes = buf_slice(&conn->output);
		size_t count = 0;
		enum io_outcome outcome = conn_send_piece(conn, bytes, &count);

		if (outcome == IO_BROKEN) {
			conn_send_failed(conn);
			return;
		}
		if (outcome == IO_WAIT)
			conn->is_blocked = true;
		buf_take(&conn->output, count);
		conn->bytes_out += count;
	}
}

/* Before the task may wait. */
static void
conn_settle(struct conn *conn)
{
	buf_release(&conn->output);
	if (conn->is_ending && conn_is_up(conn) && conn->output.length == 0) {
		if (conn->tls != NULL)
			tls_session_say_end(conn->tls);
		shutdown(conn->io.fd, SHUT_WR);
		conn->is_ending = false;
	}
	conn_watch(conn);
}

void
conn_pull(struct conn *conn)
{
	if (conn->tls != NULL)
		tls_session_turn(conn->tls);
	if (conn->state == CONN_CONNECTING)
		conn_finish_connect(conn);
	if (conn->state == CONN_HANDSHAKE)
		conn_tls_shake(conn);
	if (conn_is_up(conn))
		conn_send(conn);
	if (conn->state == CONN_OPEN)
		conn_receive(conn);
	if (conn->error != 0 && conn->state != CONN_BROKEN)
		conn_break(conn, "write", conn->error);
	conn_settle(conn);
}

void
conn_look(struct conn *conn)
{
	if (conn->state != CONN_OPEN)
		return;
	conn->is_readable = true;
	conn_receive(conn);
	conn_watch(conn);
}

enum conn_state
conn_state(const struct conn *conn)
{
	return conn->state;
}

const char *
conn_why(const struct conn *conn)
{
	return conn->why;
}

/* What the input was too full for can be read now. The loop does not know of bytes that
 * OpenSSL has already taken from the socket. */
static void
conn_resume(struct conn *conn, bool was_full)
{
	if (!was_full || conn_input_is_full(conn) || conn->state != CONN_OPEN)
		return;
	conn->is_readable = true;
	if (conn->tls != NULL && tls_session_has_pending(conn->tls))
		task_wake(conn->task);
	conn_watch(conn);
}

void
conn_limit_input(struct conn *conn, size_t limit)
{
	bool was_full = conn_input_is_full(conn);

	assert(limit >= 1 && limit <= CONN_INPUT_MOST);
	conn->limit = (unsigned)limit;
	conn_resume(conn, was_full);
}

struct slice
conn_input(const struct conn *conn)
{
	return intake_slice(&conn->input);
}

bool
conn_input_is_full(const struct conn *conn)
{
	return intake_slice(&conn->input).length >= conn->limit;
}

void
conn_take(struct conn *conn, size_t count)
{
	bool was_full = conn_input_is_full(conn);

	intake_take(&conn->input, count);
	conn_resume(conn, was_full);
}

size_t
conn_discard(struct conn *conn)
{
	size_t count = intake_slice(&conn->input).length;

	conn_take(conn, count);
	return count;
}

size_t
conn_room(const struct conn *conn)
{
	return conn->output.length < CONN_ROOM ? CONN_ROOM - conn->output.length : 0;
}

size_t
conn_queued(const struct conn *conn)
{
	return conn->output.length;
}

static void
conn_overflow(struct conn *conn)
{
	conn_end(conn, "the peer does not read what it is sent");
}

void
conn_write(struct conn *conn, struct slice bytes)
{
	while (bytes.length > 0 && conn->error == 0 && conn->state != CONN_BROKEN) {
		size_t length = bytes.length < CONN_PIECE ? bytes.length : CONN_PIECE;

		if (!buf_append(&conn->output, (struct slice) { bytes.data, length })) {
			conn_overflow(conn);
			return;
		}
		bytes = (struct slice) { bytes.data + length, bytes.length - length };
		if (conn->output.length >= CONN_PIECE && conn_is_up(conn))
			conn_send(conn);
	}
}

void
conn_print(struct conn *conn, const char *format, ...)
{
	va_list args;

	if (conn->error != 0 || conn->state == CONN_BROKEN)
		return;
	va_start(args, format);
	bool fits = buf_vprint(&conn->output, format, args);
	va_end(args);
	if (!fits)
		conn_overflow(conn);
}

void
conn_flush(struct conn *conn)
{
	if (conn_is_up(conn))
		conn_send(conn);
	conn_settle(conn);
}

void
conn_finish(struct conn *conn)
{
	conn->is_ending = true;
	conn_flush(conn);
}

uint64_t
conn_bytes_in(const struct conn *conn)
{
	return conn->bytes_in;
}

uint64_t
conn_bytes_out(const struct conn *conn)
{
	return conn->bytes_out;
}
