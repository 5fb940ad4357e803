/* The master's side. */
#include "proxy/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/handover.h"
#include "lib/log.h"

enum { MODE_STATE = 0755, MODE_STORE = 0700, BUFFER = 4 * 1024 * 1024 };

/* Seconds. */
static const double keeper_pause_most = 30, keeper_long = 10, keeper_end_most = 10;

static const char keeper_without[] =
    "nothing is remembered: no bans, no greylist (postern reload tries again)";

/* ---- folder and sockets ---- */

/* A folder that was there belongs to whom it belongs; a new one of root's is given to the user.
 * What lies in a folder of that user's is not followed if it is a link. */
static void
keeper_make_folder(const char *path, mode_t mode, const char *user)
{
	struct passwd *entry;
	int fd;

	if (mkdir(path, mode) != 0 || geteuid() != 0 || user[0] == '\0')
		return;
	entry = getpwnam(user);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (entry != NULL && fd >= 0 && fchown(fd, entry->pw_uid, entry->pw_gid) != 0)
		log_line(LEVEL_ERROR, "state", "%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

void
keeper_init(struct keeper *keeper, struct arena *arena, const struct config *config,
    struct state_board *board)
{
	const int size = BUFFER;

	*keeper = (struct keeper) { .board = board,
		.folder = arena_format(arena, "%s/state", config->state_dir),
		.user = arena_strdup(arena, config->user),
		.link = { -1, -1 },
		.commands = -1 };
	keeper_make_folder(config->state_dir, MODE_STATE, config->user);
	keeper_make_folder(keeper->folder, MODE_STORE, config->user);
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, keeper->link) != 0)
		log_line(LEVEL_ERROR, "state", "no socket: %s", strerror(errno));
	else if (setsockopt(keeper->link[1], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) != 0)
		setsockopt(keeper->link[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

/* ---- the process ---- */

static void
keeper_lost(struct keeper *keeper)
{
	if (keeper->commands >= 0)
		close(keeper->commands);
	keeper->commands = -1;
	keeper->pid = 0;
}

/* The store cannot be had; the next reload may try again. */
static void
keeper_give_up(struct keeper *keeper, const char *why)
{
	log_line(LEVEL_ERROR, "state", "%s: %s; %s", keeper->folder, why, keeper_without);
	atomic_store(&keeper->board->is_open, false);
	keeper->is_given_up = true;
}

enum keeper_fork
keeper_fork(struct keeper *keeper)
{
	char name[16];
	int pair[2];

	if (keeper->pid != 0 || keeper->is_given_up || clock_seconds() < keeper->not_before)
		return KEEPER_PARENT;
	keeper->started = clock_seconds();
	keeper->not_before = keeper->started + 1;
	if (keeper->link[0] < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return KEEPER_PARENT;
	keeper->is_ready = false;
	prctl(PR_GET_NAME, name);
	prctl(PR_SET_NAME, "postern-keeper"); /* the child is never seen under another one */
	keeper->pid = fork();
	if (keeper->pid == 0) {
		close(pair[0]);
		close(keeper->link[1]);
		keeper->commands = pair[1];
		return KEEPER_CHILD;
	}
	prctl(PR_SET_NAME, name);
	close(pair[1]);
	keeper->commands = pair[0];
	if (keeper->pid < 0)
		keeper_lost(keeper);
	return KEEPER_PARENT;
}

void
keeper_hear(struct keeper *keeper, double seconds)
{
	struct pollfd fd = { .fd = keeper->commands, .events = POLLIN };
	char line[KEEPER_LINE];
	int spare;

	if (keeper->pid == 0 || keeper->is_ready)
		return;
	if (poll(&fd, 1, (int)(seconds * 1000)) <= 0 ||
	    handover_receive(keeper->commands, line, sizeof(line), &spare) != 1)
		return; /* if it is dead, it will be reaped */
	keeper->is_ready = true;
	if (line[0] != '-')
		atomic_store(&keeper->board->is_open, true);
	else
		keeper_give_up(keeper, line + 1);
}

/* What reads a file that is damaged under way is ended by such a signal. */
static bool
keeper_is_damage(int how)
{
	int number = WIFSIGNALED(how) ? WTERMSIG(how) : 0;

	return number == SIGBUS || number == SIGSEGV || number == SIGABRT;
}

static void
keeper_crashed(struct keeper *keeper, int how)
{
	char why[80];
	double pause = clock_seconds() - keeper->started > keeper_long ? 0 : 1u << keeper->crashes;

	snprintf(why, sizeof(why), "the keeper was ended by %s %d",
	    WIFSIGNALED(how) ? "signal" : "status",
	    WIFSIGNALED(how) ? WTERMSIG(how) : WEXITSTATUS(how));
	if (WIFEXITED(how) && WEXITSTATUS(how) == KEEPER_DAMAGED) {
		keeper_give_up(keeper, "the file is damaged");
		return;
	}
	log_line(LEVEL_ERROR, "state", "%s: %s", keeper->folder, why);
	if (keeper_is_damage(how))
		atomic_store(&keeper->board->is_open, false);
	keeper->crashes = pause > 0 && keeper->crashes < 8 ? keeper->crashes + 1 : 0;
	keeper->not_before =
	    clock_seconds() + (pause < keeper_pause_most ? pause : keeper_pause_most);
}

bool
keeper_reap(struct keeper *keeper, pid_t pid, int how)
{
	if (pid <= 0 || pid != keeper->pid)
		return false;
	keeper_hear(keeper, 0); /* its last words */
	keeper_lost(keeper);
	if (!keeper->is_given_up)
		keeper_crashed(keeper, how);
	return true;
}

void
keeper_reload(struct keeper *keeper, const struct config *config)
{
	size_t length = strlen(config->state_dir);

	if (strncmp(keeper->folder, config->state_dir, length) != 0 ||
	    strcmp(keeper->folder + length, "/state") != 0 ||
	    strcmp(keeper->user, config->user) != 0)
		log_line(LEVEL_WARNING, "state",
		    "what is remembered stays in %s until postern is started again",
		    keeper->folder);
	if (keeper->is_given_up)
		keeper->not_before = 0;
	keeper->is_given_up = false;
}

const char *
keeper_pass(struct keeper *keeper, const char *line, int client)
{
	if (keeper->pid == 0 || !atomic_load(&keeper->board->is_open))
		return "the store of what is remembered is not open; the log says why";
	if (!handover_send(keeper->commands, slice_of(line), client))
		return "the keeper is busy, please try again";
	return NULL;
}

void
keeper_forget(struct keeper *keeper)
{
	if (keeper->link[0] >= 0)
		close(keeper->link[0]);
	if (keeper->commands >= 0)
		close(keeper->commands);
}

void
keeper_end(struct keeper *keeper)
{
	double limit = clock_seconds() + keeper_end_most;
	pid_t pid = keeper->pid;

	keeper_lost(keeper);
	for (int i = 0; i < 2; i++)
		if (keeper->link[i] >= 0)
			close(keeper->link[i]);
	while (pid > 0 && waitpid(pid, NULL, WNOHANG) == 0) {
		if (clock_seconds() > limit)
			kill(pid, SIGKILL);
		usleep(5000);
	}
}
