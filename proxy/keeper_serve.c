/* The keeper's own life. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/handover.h"
#include "lib/log.h"
#include "proxy/control.h"
#include "proxy/keeper.h"
#include "proxy/privileges.h"

enum { REQUESTS_AT_ONCE = 1000, PURGE_AT_ONCE = 1000 };

/* Seconds. */
static const double keeper_gather = 0.2, keeper_tick = 1, keeper_tidy = 60;

struct keeping {
	struct keeper *keeper;
	struct store *store;
	double changed; /* since when changes wait for their commit */
	double looked, tidied;
	bool has_said_full;
};

/* ---- requests of the workers ---- */

static void
keeper_change(struct store *store, const struct state_request *request)
{
	static struct store_entry entry;
	double now = clock_unix();

	if (request->change == STATE_FORGET)
		store_forget(store, request->table, request->key);
	else if (request->change == STATE_PUT ||
	    store_get(store, request->table, request->key, now, &entry) == STORE_NONE)
		store_put(store, request->table, request->key, request->value, now, request->end);
}

/* false: no more has come. */
static bool
keeper_take(struct keeping *keeping)
{
	char bytes[STATE_REQUEST_MOST + 1];
	struct state_request request;
	ssize_t got = recv(keeping->keeper->link[0], bytes, sizeof(bytes), MSG_DONTWAIT);

	if (got < 0)
		return errno == EINTR;
	if (state_request_read(&request, (struct slice) { bytes, (size_t)got }))
		keeper_change(keeping->store, &request);
	return true;
}

static void
keeper_take_all(struct keeping *keeping)
{
	for (int i = 0; i < REQUESTS_AT_ONCE && keeper_take(keeping); i++)
		;
	if (keeping->changed <= 0 && store_has_changes(keeping->store))
		keeping->changed = clock_seconds();
}

/* ---- commands ---- */

/* What was changed is on the disk before the answer says so. 0: the master is gone. */
static bool
keeper_obey(struct keeping *keeping)
{
	struct buf answer = { .limit = CONTROL_ANSWER_MOST };
	char line[KEEPER_LINE];
	int client, status, came;

	came = handover_receive(keeping->keeper->commands, line, sizeof(line), &client);
	if (came != 1)
		return came == 0;
	status = keeper_command(keeping->store, line, &answer);
	if (!store_commit(keeping->store)) {
		buf_clear(&answer);
		buf_print(&answer, "it could not be written\n");
		status = EX_IOERR;
	}
	keeping->changed = 0;
	if (client >= 0)
		control_answer(client, status, buf_slice(&answer));
	buf_free(&answer);
	return true;
}

/* ---- what is due from time to time ---- */

static void
keeper_post(struct keeping *keeping)
{
	struct state_board *board = keeping->keeper->board;
	struct store_statistics now;

	store_statistics(keeping->store, &now);
	for (size_t i = 0; i < STORE_TABLES; i++)
		atomic_store(&board->entries[i], now.entries[i]);
	atomic_store(&board->bytes, now.bytes);
	atomic_store(&board->refused, now.refused);
	atomic_store(&board->evicted, now.evicted);
	atomic_store(&board->dropped, now.dropped);
	if (keeping->has_said_full || now.refused + now.dropped == 0)
		return;
	log_line(LEVEL_ERROR, "state", "%s: full, or it cannot be written; what is new is lost",
	    keeping->keeper->folder);
	keeping->has_said_full = true;
}

static void
keeper_look(struct keeping *keeping)
{
	double now = clock_seconds();

	if (keeping->changed > 0 && now - keeping->changed >= keeper_gather) {
		store_commit(keeping->store);
		keeping->changed = 0;
	}
	if (now - keeping->looked < keeper_tick)
		return;
	keeping->looked = now;
	if (store_purge(keeping->store, clock_unix(), PURGE_AT_ONCE) > 0 && keeping->changed <= 0)
		keeping->changed = now;
	keeper_post(keeping);
	if (now - keeping->tidied < keeper_tidy)
		return;
	keeping->tidied = now;
	store_tidy(keeping->store);
}

static void
keeper_loop(struct keeping *keeping)
{
	struct pollfd fds[2] = { { .fd = keeping->keeper->link[0], .events = POLLIN },
		{ .fd = keeping->keeper->commands, .events = POLLIN } };
	bool is_over = false;

	while (!is_over) {
		double wait = keeping->changed > 0 ? keeper_gather : keeper_tick;

		if (poll(fds, 2, (int)(wait * 1000)) > 0) {
			if (fds[0].revents != 0)
				keeper_take_all(keeping);
			if (fds[1].revents != 0)
				is_over = !keeper_obey(keeping);
		}
		keeper_look(keeping);
		if (!store_has_changes(keeping->store))
			store_commit(keeping->store); /* lets go of the snapshot */
	}
	while (keeper_take(keeping))
		;
}

/* To read a damaged file ends in such a signal. */
static const int keeper_harm[] = { SIGBUS, SIGSEGV, SIGABRT };

static void
keeper_on_harm(int number)
{
	(void)number;
	_exit(KEEPER_DAMAGED);
}

static struct store *
keeper_open(struct arena *arena, const char *folder, const char **why)
{
	struct store *store;

	for (size_t i = 0; i < sizeof(keeper_harm) / sizeof(*keeper_harm); i++)
		signal(keeper_harm[i], keeper_on_harm);
	store = store_new_writer(arena, folder, NULL, why);
	for (size_t i = 0; i < sizeof(keeper_harm) / sizeof(*keeper_harm); i++)
		signal(keeper_harm[i], SIG_DFL);
	return store;
}

int
keeper_serve(struct keeper *keeper)
{
	struct arena *arena = arena_new(SIZE_MAX);
	struct keeping keeping = { .keeper = keeper, .tidied = clock_seconds() };
	const char *why = "";

	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a limit on files is as a full disk */
	if (!privileges_drop(keeper->user, "keeper"))
		why = "there is no such user";
	else
		keeping.store = keeper_open(arena, keeper->folder, &why);
	handover_send(keeper->commands,
	    slice_of(keeping.store != NULL ? "+" : arena_format(arena, "-%s", why)), -1);
	if (keeping.store != NULL)
		keeper_loop(&keeping);
	arena_free(arena);
	return EX_OK;
}
