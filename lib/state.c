#include "lib/state.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"

/* Milliseconds: in the year 9999, and exact as a double. */
static const uint64_t state_end_most = 253402300800000;

enum { HEAD = 12, WAITING_MOST = 256 * 1024 };

/* A store that could not be opened is not tried again at every look. */
static const double state_patience = 1;

struct state {
	struct arena *arena;
	struct ev_loop *loop;
	const char *folder;
	int link;
	struct state_board *board;
	struct store *store;
	double retry;       /* not before this, clock_seconds() */
	struct buf waiting; /* requests, each after its length in two bytes */
	ev_io writable;
	bool has_said_lost, has_said_closed;
};

/* ---- requests ---- */

/* change, table, length of the key, 0, end in eight bytes, key, value. */
size_t
state_request_write(char out[STATE_REQUEST_MOST], const struct state_request *request)
{
	uint64_t end = request->end > 0 ? (uint64_t)(request->end * 1000 + 0.5) : 0;

	assert(request->key.length > 0 && request->key.length <= STORE_KEY_MOST);
	assert(request->value.length <= STORE_VALUE_MOST);
	out[0] = (char)request->change;
	out[1] = (char)request->table;
	out[2] = (char)request->key.length;
	out[3] = 0;
	for (int i = 0; i < 8; i++)
		out[4 + i] = (char)(end >> (56 - 8 * i));
	memcpy(out + HEAD, request->key.data, request->key.length);
	if (request->value.length > 0)
		memcpy(
		    out + HEAD + request->key.length, request->value.data, request->value.length);
	return HEAD + request->key.length + request->value.length;
}

bool
state_request_read(struct state_request *request, struct slice bytes)
{
	const unsigned char *in = (const unsigned char *)bytes.data;
	uint64_t end = 0;

	if (bytes.length < HEAD || in[0] > STATE_FORGET || in[1] >= STORE_TABLES || in[2] == 0 ||
	    in[2] > STORE_KEY_MOST || in[3] != 0 || bytes.length < HEAD + (size_t)in[2] ||
	    bytes.length > HEAD + (size_t)in[2] + STORE_VALUE_MOST)
		return false;
	for (int i = 0; i < 8; i++)
		end = end << 8 | in[4 + i];
	*request = (struct state_request) {
		.change = (enum state_change)in[0],
		.table = (enum store_table)in[1],
		.key = { bytes.data + HEAD, in[2] },
		.value = { bytes.data + HEAD + in[2], bytes.length - HEAD - in[2] },
		.end = (double)end / 1000,
	};
	return end <= state_end_most &&
	    (request->change != STATE_FORGET || request->value.length == 0);
}

/* ---- telling the keeper ---- */

static void
state_lose(struct state *state)
{
	atomic_fetch_add(&state->board->lost, 1);
	if (!state->has_said_lost)
		log_line(LEVEL_WARNING, "state",
		    "more was to be remembered than could be taken in; some of it is lost");
	state->has_said_lost = true;
}

/* false: not now. What the socket never takes is lost. */
static bool
state_send(struct state *state, struct slice bytes)
{
	if (send(state->link, bytes.data, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return true;
	if (errno == EAGAIN || errno == ENOBUFS || errno == EINTR)
		return false;
	state_lose(state);
	return true;
}

static void
state_on_writable(struct ev_loop *loop, ev_io *io, int events)
{
	struct state *state = io->data;

	(void)events;
	while (state->waiting.length > 0) {
		const unsigned char *data = (const unsigned char *)state->waiting.data;
		size_t length = (size_t)data[0] << 8 | data[1];

		if (!state_send(state, (struct slice) { state->waiting.data + 2, length }))
			return;
		buf_take(&state->waiting, 2 + length);
	}
	ev_io_stop(loop, io);
	buf_release(&state->waiting);
}

static void
state_wait(struct state *state, struct slice bytes)
{
	const char length[2] = { (char)(bytes.length >> 8), (char)bytes.length };

	if (buf_room(&state->waiting) < sizeof(length) + bytes.length) {
		state_lose(state);
		return;
	}
	buf_append(&state->waiting, (struct slice) { length, sizeof(length) });
	buf_append(&state->waiting, bytes);
	ev_io_start(state->loop, &state->writable);
}

void
state_tell(struct state *state, const struct state_request *request)
{
	char room[STATE_REQUEST_MOST];

	if (state == NULL || state->link < 0)
		return;
	struct slice bytes = { room, state_request_write(room, request) };

	if (state->waiting.length > 0 || !state_send(state, bytes))
		state_wait(state, bytes);
}

/* ---- looking ---- */

static void
state_undo(void *arg)
{
	struct state *state = arg;

	if (state->loop != NULL)
		ev_io_stop(state->loop, &state->writable);
	buf_free(&state->waiting);
}

/* The file of locks must be there: made by another user, it would lock the keeper out. */
static bool
state_may_open(const char *folder)
{
	static const char *const names[] = { "data.mdb", "lock.mdb" };
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		if (access(path, R_OK | W_OK) != 0)
			return false;
	}
	return true;
}

/* NULL: it cannot be had. */
static struct store *
state_store(struct state *state)
{
	const char *why;

	if (state->board != NULL && !atomic_load(&state->board->is_open))
		return NULL;
	if (state->store != NULL || clock_seconds() < state->retry)
		return state->store;
	state->retry = clock_seconds() + state_patience;
	state->store = store_new_reader(state->arena, state->folder, &why);
	if (state->store == NULL && !state->has_said_closed) {
		log_line(LEVEL_ERROR, "state", "%s: %s; nothing is remembered", state->folder, why);
		state->has_said_closed = true;
	}
	return state->store;
}

struct state *
state_new(struct arena *arena, struct ev_loop *loop, const char *folder, int link,
    struct state_board *board)
{
	struct state *state = arena_alloc(arena, sizeof(*state));

	*state = (struct state) {
		.arena = arena,
		.loop = loop,
		.folder = arena_strdup(arena, folder),
		.link = link,
		.board = board,
	};
	buf_init(&state->waiting, WAITING_MOST);
	ev_io_init(&state->writable, state_on_writable, link, EV_WRITE);
	state->writable.data = state;
	arena_defer(arena, state_undo, state);
	if (board != NULL)
		state_store(state); /* now, if it is there: later may be too late for a sandbox */
	return state;
}

struct state *
state_new_looker(struct arena *arena, const char *folder)
{
	const char *why;
	struct store *store = state_may_open(folder) ? store_new_reader(arena, folder, &why) : NULL;
	struct state *state;

	if (store == NULL)
		return NULL;
	state = state_new(arena, NULL, folder, -1, NULL);
	state->store = store;
	return state;
}

enum store_result
state_get(struct state *state, enum store_table table, struct slice key, struct store_entry *entry)
{
	struct store *store = state != NULL ? state_store(state) : NULL;

	if (state == NULL)
		return STORE_NONE;
	return store != NULL ? store_get(store, table, key, clock_unix(), entry) : STORE_FAILED;
}

enum store_result
state_below(
    struct state *state, enum store_table table, struct slice key, struct store_entry *entry)
{
	struct store *store = state != NULL ? state_store(state) : NULL;

	if (state == NULL)
		return STORE_NONE;
	return store != NULL ? store_below(store, table, key, entry) : STORE_FAILED;
}
