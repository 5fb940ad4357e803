#include "lib/scanner.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/buf.h"
#include "lib/log.h"

enum { PIECE_MOST = 16 * 1024, WRAPPING = 64 };

/* Seconds until a full queue is tried again. */
static const double scanner_pause = 0.05;

struct scanner_service {
	struct scanner_host host;
	struct scanner_terms terms;
	bool is_down; /* that was logged */
};

struct scanner {
	struct scanner_service *service;
	const struct scanner_talk *talk;
	struct arena *arena;
	struct task *owner;
	struct task task;  /* its own: woken by the connection */
	struct conn *conn; /* NULL: not yet, or broken before the message was whole */
	ev_timer limit, again;
	struct slice head;
	struct spool spool;
	uint64_t sent; /* of the spool */
	uint64_t size; /* of the message so far */
	struct buf answer;
	void *into;
	enum scanner_state state;
	bool is_early;    /* the connection was made before the message was whole */
	bool is_broken;   /* such a one has failed; the next one has the whole message */
	bool is_open;     /* the connection was there, the head is on its way */
	bool is_ended;    /* the message is whole */
	bool is_finished; /* and so is what we say */
	char why[SCANNER_WHY_MOST];
};

/* ---- the service ---- */

struct scanner_service *
scanner_service_new(const struct scanner_host *host, const struct scanner_terms *terms)
{
	struct scanner_service *service = arena_alloc(host->arena, sizeof(*service));

	*service = (struct scanner_service) { .host = *host, .terms = *terms };
	return service;
}

static void
service_works(struct scanner_service *service)
{
	if (service->is_down && !service->host.is_silent)
		log_line(LEVEL_WARNING, "scanner", "%s at %s answers again", service->terms.name,
		    service->terms.address->text);
	service->is_down = false;
}

static void
service_fails(struct scanner_service *service, const char *why)
{
	if (!service->is_down && !service->host.is_silent)
		log_line(LEVEL_ERROR, "scanner", "%s at %s does not work: %s", service->terms.name,
		    service->terms.address->text, why);
	service->is_down = true;
}

/* ---- ends ---- */

static void
scanner_release(struct scanner *scanner)
{
	ev_timer_stop(scanner->service->host.loop, &scanner->limit);
	ev_timer_stop(scanner->service->host.loop, &scanner->again);
	spool_end(&scanner->spool);
	buf_free(&scanner->answer);
}

static void
scanner_undo(void *arg)
{
	scanner_release(arg);
}

static void
scanner_settle(struct scanner *scanner, enum scanner_state state)
{
	scanner->state = state;
	scanner_release(scanner);
	if (scanner->conn != NULL)
		conn_close(scanner->conn);
	task_wake(scanner->owner);
}

__attribute__((format(printf, 2, 3))) static void
scanner_fail(struct scanner *scanner, const char *format, ...)
{
	char why[SCANNER_WHY_MOST];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	memcpy(scanner->why, why, sizeof(why));
	service_fails(scanner->service, why);
	scanner_settle(scanner, SCANNER_FAILED);
}

static void scanner_connect(struct scanner *scanner);

/* The conversation has failed. If it began early, the whole message is a second chance. */
__attribute__((format(printf, 2, 3))) static void
scanner_lose(struct scanner *scanner, const char *format, ...)
{
	char why[SCANNER_WHY_MOST];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	if (!scanner->is_early) {
		scanner_fail(scanner, "%s", why);
		return;
	}
	ev_timer_stop(scanner->service->host.loop, &scanner->limit);
	ev_timer_stop(scanner->service->host.loop, &scanner->again);
	conn_close(scanner->conn);
	scanner->conn = NULL;
	scanner->sent = 0;
	scanner->is_broken = true;
	scanner->is_open = scanner->is_finished = false;
	buf_clear(&scanner->answer);
	if (scanner->is_ended)
		scanner_connect(scanner);
}

static void
scanner_skip(struct scanner *scanner, const char *why)
{
	snprintf(scanner->why, sizeof(scanner->why), "%s", why);
	scanner_settle(scanner, SCANNER_SKIPPED);
}

/* ---- what we say ---- */

static void
scanner_put(struct scanner *scanner, struct slice piece)
{
	if (scanner->talk->put != NULL)
		scanner->talk->put(scanner->conn, piece);
	else
		conn_write(scanner->conn, piece);
}

static bool
scanner_has_room(const struct scanner *scanner)
{
	return conn_room(scanner->conn) >= PIECE_MOST + WRAPPING;
}

/* The message, as far as the connection has room. */
static void
scanner_pump(struct scanner *scanner)
{
	char room[PIECE_MOST];
	bool is_broken = false;

	while (scanner->sent < spool_length(&scanner->spool) && scanner_has_room(scanner)) {
		struct slice piece =
		    spool_piece(&scanner->spool, scanner->sent, room, sizeof(room), &is_broken);

		if (is_broken) {
			scanner_fail(scanner, "what waits for the scanner cannot be read");
			return;
		}
		if (piece.length > PIECE_MOST)
			piece.length = PIECE_MOST;
		scanner_put(scanner, piece);
		scanner->sent += piece.length;
	}
	if (scanner->sent < spool_length(&scanner->spool) || !scanner->is_ended ||
	    scanner->is_finished)
		return;
	scanner->is_finished = true;
	conn_write(
	    scanner->conn, (struct slice) { scanner->talk->finish, scanner->talk->finish_length });
	if (scanner->talk->shuts)
		conn_finish(scanner->conn);
}

/* ---- what it says ---- */

static void
scanner_judge(struct scanner *scanner, bool is_over)
{
	char why[SCANNER_WHY_MOST] = "";

	switch (scanner->talk->read(scanner->into, buf_slice(&scanner->answer), is_over, why)) {
	case SCANNER_MORE:
		if (is_over)
			scanner_lose(scanner, "its answer is cut off");
		break;
	case SCANNER_GOOD:
		if (!scanner->is_finished) {
			scanner_fail(scanner, "it answers before it has the whole message");
			break;
		}
		service_works(scanner->service);
		scanner_settle(scanner, SCANNER_ANSWERED);
		break;
	case SCANNER_TOO_LARGE:
		service_works(scanner->service);
		scanner_skip(scanner, why);
		break;
	case SCANNER_BAD:
		scanner_lose(scanner, "%s", why);
		break;
	}
}

/* False: this connection is of no use any more. */
static bool
scanner_listen(struct scanner *scanner)
{
	struct slice input = conn_input(scanner->conn);
	enum conn_state state = conn_state(scanner->conn);
	bool is_over = state == CONN_CLOSED || state == CONN_BROKEN;
	bool fits = buf_append(&scanner->answer, input);

	conn_take(scanner->conn, input.length);
	if (!fits)
		scanner_lose(scanner, "its answer is too long");
	else if (scanner->answer.length == 0 && is_over)
		scanner_lose(scanner, "%s",
		    state == CONN_BROKEN ? conn_why(scanner->conn)
					 : "it closes the connection without an answer");
	else if (input.length > 0 || is_over)
		scanner_judge(scanner, is_over);
	return scanner->state == SCANNER_RUNS && !is_over && scanner->is_open;
}

/* ---- the connection ---- */

static void
scanner_limit(struct scanner *scanner, double seconds)
{
	struct ev_loop *loop = scanner->service->host.loop;

	ev_timer_stop(loop, &scanner->limit);
	ev_timer_set(&scanner->limit, seconds, 0);
	ev_timer_start(loop, &scanner->limit);
}

static void
scanner_try(struct scanner *scanner)
{
	const struct sockaddr_storage *where = &scanner->service->terms.address->where;

	scanner->conn = conn_connect(scanner->arena, scanner->service->host.loop,
	    (const struct sockaddr *)where, NULL, &scanner->task);
	conn_limit_input(scanner->conn, CONN_INPUT_MOST);
	task_wake(&scanner->task);
}

static void
scanner_connect(struct scanner *scanner)
{
	scanner->is_early = !scanner->is_ended;
	scanner_limit(scanner, SCANNER_CONNECT);
	scanner_try(scanner);
}

static void
scanner_on_limit(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct scanner *scanner = timer->data;

	(void)loop, (void)events;
	if (!scanner->is_open)
		scanner_lose(scanner, "no connection within %d s", SCANNER_CONNECT);
	else
		scanner_fail(scanner, "no answer within %g s", scanner->service->terms.timeout);
}

static void
scanner_on_again(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop, (void)events;
	scanner_try(timer->data);
}

/* The connection is there. */
static void
scanner_open(struct scanner *scanner)
{
	scanner->is_open = true;
	ev_timer_stop(scanner->service->host.loop, &scanner->limit);
	if (scanner->is_ended)
		scanner_limit(scanner, scanner->service->terms.timeout);
	conn_write(scanner->conn, scanner->head);
}

static void
scanner_run(void *arg)
{
	struct scanner *scanner = arg;

	if (scanner->state != SCANNER_RUNS || scanner->conn == NULL)
		return;
	conn_pull(scanner->conn);
	if (conn_was_busy(scanner->conn)) {
		ev_timer_start(scanner->service->host.loop, &scanner->again);
		return;
	}
	enum conn_state state = conn_state(scanner->conn);

	if (state == CONN_CONNECTING)
		return;
	if (!scanner->is_open && state != CONN_BROKEN)
		scanner_open(scanner);
	if (!scanner_listen(scanner))
		return;
	scanner_pump(scanner);
	if (scanner->state != SCANNER_RUNS)
		return;
	conn_flush(scanner->conn);
	if (scanner_has_room(scanner) && scanner->sent < spool_length(&scanner->spool))
		task_wake(&scanner->task);
}

/* ---- for the owner ---- */

static struct scanner *
scanner_make(struct scanner_service *service, struct arena *arena, struct task *owner,
    const struct scanner_talk *talk, struct slice head)
{
	struct scanner *scanner = arena_alloc(arena, sizeof(*scanner));

	scanner->service = service;
	scanner->talk = talk;
	scanner->arena = arena;
	scanner->owner = owner;
	scanner->head = (struct slice) { arena_copy(arena, head), head.length };
	spool_init(&scanner->spool, service->host.spool);
	buf_init(&scanner->answer, talk->answer_most);
	ev_timer_init(&scanner->limit, scanner_on_limit, 0, 0);
	ev_timer_init(&scanner->again, scanner_on_again, scanner_pause, 0);
	scanner->limit.data = scanner->again.data = scanner;
	arena_defer(arena, scanner_undo, scanner);
	task_init(&scanner->task, arena, service->host.tasks, scanner_run, scanner);
	return scanner;
}

struct scanner *
scanner_new(struct scanner_service *service, struct arena *arena, struct task *task,
    struct slice head, void *into)
{
	struct scanner *scanner = scanner_make(service, arena, task, service->terms.talk, head);

	assert(service->host.spool != NULL);
	scanner->into = into;
	return scanner;
}

struct scanner *
scanner_ping(struct scanner_service *service, struct arena *arena, struct task *task)
{
	struct scanner *scanner =
	    scanner_make(service, arena, task, service->terms.ping, service->terms.ping_text);

	scanner->is_ended = scanner->is_finished = true;
	scanner_connect(scanner);
	return scanner;
}

void
scanner_feed(struct scanner *scanner, struct slice bytes)
{
	uint64_t most = scanner->service->terms.size_most;

	if (scanner->state != SCANNER_RUNS)
		return;
	assert(!scanner->is_ended);
	scanner->size += bytes.length;
	if (most > 0 && scanner->size > most)
		scanner_skip(scanner, "the message is larger than max_size");
	else if (!spool_append(&scanner->spool, bytes))
		scanner_fail(scanner, "%s", scanner->spool.why);
	else if (scanner->conn != NULL)
		task_wake(&scanner->task);
	else if (scanner->size >= SCANNER_EAGER && !scanner->is_broken)
		scanner_connect(scanner);
}

enum scanner_state
scanner_end(struct scanner *scanner)
{
	if (scanner->state != SCANNER_RUNS || scanner->is_ended)
		return scanner->state;
	scanner->is_ended = true;
	if (scanner->conn == NULL)
		scanner_connect(scanner);
	else if (scanner->is_open)
		scanner_limit(scanner, scanner->service->terms.timeout);
	task_wake(&scanner->task);
	return scanner->state;
}

enum scanner_state
scanner_state(const struct scanner *scanner)
{
	return scanner->state;
}

const char *
scanner_why(const struct scanner *scanner)
{
	return scanner->why;
}
