#include "proxy/master.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "proxy/control.h"
#include "proxy/control_commands.h"
#include "proxy/generation.h"
#include "proxy/serve.h"

/* Seconds. */
static const double master_tick = 1, master_watch = 5, master_pause_most = 30,
		    master_stop_most = 60, master_keeper_most = 10;

struct master {
	const char *file;
	struct arena *arena;
	struct shared *shared;
	struct generation *newest;
	struct keeper keeper;
	bool is_slot_used[SHARED_WORKERS];
	int signals, control;
	bool is_ending;
	double ending_since, looked;
	int status;
};

/* ---- workers ---- */

static void
master_close_others(const struct master *master, const struct generation *mine, size_t worker)
{
	for (const struct generation *g = master->newest; g != NULL; g = g->older) {
		size_t row = g->config->listen.count;

		for (size_t i = 0; i < g->count * row; i++)
			if (g != mine || i / row != worker)
				close(g->sockets[i]);
	}
	close(master->signals);
	close(master->control);
}

static size_t
master_take_slot(struct master *master)
{
	size_t slot = 0;

	while (slot < SHARED_WORKERS && master->is_slot_used[slot])
		slot++;
	if (slot < SHARED_WORKERS)
		master->is_slot_used[slot] = true;
	return slot;
}

static void
master_fork(struct master *master, struct generation *generation, size_t worker)
{
	struct process *process = &generation->processes[worker];
	size_t slot = master_take_slot(master);
	sigset_t none;

	if (slot == SHARED_WORKERS)
		return; /* older generations still end: the next tick tries again */
	process->slot = slot;
	process->started = clock_seconds();
	process->pid = fork();
	if (process->pid == 0) {
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		master_close_others(master, generation, worker);
		keeper_forget(&master->keeper);
		exit(serve(generation->config, master->shared, slot,
		    generation->sockets + worker * generation->config->listen.count,
		    &master->keeper));
	}
	if (process->pid > 0)
		return;
	log_line(LEVEL_ERROR, "master", "cannot fork a worker: %s", strerror(errno));
	process->pid = 0;
	process->not_before = clock_seconds() + master_tick;
	master->is_slot_used[slot] = false;
}

/* seconds: how long the others wait for what a new one finds. It leaves signals blocked. */
static void
master_start_keeper(struct master *master, double seconds)
{
	if (keeper_fork(&master->keeper) == KEEPER_CHILD) {
		master_close_others(master, NULL, 0);
		exit(keeper_serve(&master->keeper));
	}
	keeper_hear(&master->keeper, seconds);
}

/* Whatever of the newest generation does not run, and may, is started. */
static void
master_start_missing(struct master *master)
{
	struct generation *generation = master->newest;

	for (size_t i = 0; i < generation->count && !generation->is_ending; i++)
		if (generation->processes[i].pid == 0 &&
		    generation->processes[i].not_before <= clock_seconds())
			master_fork(master, generation, i);
}

static void
master_end_generation(struct generation *generation, int signal)
{
	generation->is_ending = true;
	for (size_t i = 0; i < generation->count; i++)
		if (generation->processes[i].pid > 0)
			kill(generation->processes[i].pid, signal);
}

static struct process *
master_find(struct master *master, pid_t pid, struct generation **whose)
{
	for (struct generation *g = master->newest; g != NULL; g = g->older)
		for (size_t i = 0; i < g->count; i++)
			if (g->processes[i].pid == pid) {
				*whose = g;
				return &g->processes[i];
			}
	return NULL;
}

static void
master_crashed(struct master *master, struct process *process, int how)
{
	double pause = clock_seconds() - process->started > 10 ? 0 : 1u << process->crashes;

	atomic_fetch_add(&master->shared->crashes, 1);
	if (pause > master_pause_most)
		pause = master_pause_most;
	process->crashes = pause > 0 && process->crashes < 8 ? process->crashes + 1 : 0;
	process->not_before = clock_seconds() + (process->crashes > 1 ? pause : 0);
	if (WIFSIGNALED(how))
		log_line(LEVEL_ERROR, "master", "worker %d was ended by signal %d (%s)",
		    (int)process->pid, WTERMSIG(how), strsignal(WTERMSIG(how)));
	else
		log_line(LEVEL_ERROR, "master", "worker %d ended with status %d", (int)process->pid,
		    WEXITSTATUS(how));
}

static void
master_reap(struct master *master)
{
	struct generation *generation;
	int how;
	pid_t pid;

	while ((pid = waitpid(-1, &how, WNOHANG)) > 0) {
		struct process *process = keeper_reap(&master->keeper, pid, how)
		    ? NULL
		    : master_find(master, pid, &generation);

		if (process == NULL)
			continue;
		shared_clear(&master->shared->workers[process->slot]);
		master->is_slot_used[process->slot] = false;
		if (!WIFEXITED(how) || WEXITSTATUS(how) != 0)
			master_crashed(master, process, how);
		if (WIFEXITED(how) && WEXITSTATUS(how) == SERVE_CANNOT && !master->is_ending) {
			master->is_ending = true;
			master->ending_since = clock_seconds();
			master->status = EX_CONFIG;
			master_end_generation(generation, SIGTERM);
		}
		process->pid = 0;
	}
}

static bool
master_has_processes(const struct generation *generation)
{
	for (size_t i = 0; i < generation->count; i++)
		if (generation->processes[i].pid > 0)
			return true;
	return false;
}

/* Older generations whose last worker has left are freed. */
static void
master_free_ended(struct master *master)
{
	for (struct generation **link = &master->newest->older; *link != NULL;) {
		struct generation *generation = *link;

		if (master_has_processes(generation)) {
			link = &generation->older;
			continue;
		}
		*link = generation->older;
		generation_free(generation);
	}
}

/* ---- reload ---- */

static void
master_open_log(const struct config *config)
{
	log_open(&(struct log_options) { .target = (enum log_target)config->log.target.value,
	    .format = (enum log_format)config->log.format.value,
	    .level = (enum log_level)config->log.level.value });
}

static void
master_tell(struct buf *answer, const struct faults *faults)
{
	for (size_t i = 0; i < faults->count && i < FAULTS_KEPT; i++) {
		const struct fault *fault = &faults->kept[i];

		log_line(LEVEL_ERROR, "reload", "%s:%u:%u: %s",
		    fault->file != NULL ? fault->file : "-", fault->line, fault->column,
		    fault->words);
		buf_print(answer, "%s:%u:%u: %s\n", fault->file != NULL ? fault->file : "-",
		    fault->line, fault->column, fault->words);
	}
}

static int
master_reload(void *arg, struct buf *answer)
{
	struct master *master = arg;
	struct arena *arena = arena_new(SIZE_MAX);
	struct faults faults;

	faults_init(&faults, arena);
	struct generation *next = generation_new(master->file, master->newest, &faults);

	if (next == NULL) {
		master_tell(answer, &faults);
		log_line(LEVEL_ERROR, "reload", "the configuration stays as it was");
		buf_print(answer, "the configuration stays as it was\n");
		arena_free(arena);
		return EX_CONFIG;
	}
	arena_free(arena);
	atomic_fetch_add(&master->shared->reloads, 1);
	next->older = master->newest;
	master->newest = next;
	master_open_log(next->config);
	keeper_reload(&master->keeper, next->config);
	master_start_keeper(master, master_keeper_most);
	master_start_missing(master);
	master_end_generation(next->older, SIGTERM);
	log_line(LEVEL_INFO, "reload", "a new configuration is in force");
	buf_print(answer, "the new configuration is in force\n");
	return EX_OK;
}

static void
master_reload_logged(struct master *master)
{
	struct buf answer = { .limit = CONTROL_ANSWER_MOST };

	master_reload(master, &answer);
	buf_free(&answer);
}

/* A file that the configuration names has changed: as a reload. A bad one is read again only
 * when it changes again, for the report is given once. */
static void
master_look(struct master *master)
{
	if (master->is_ending || clock_seconds() - master->looked < master_watch)
		return;
	master->looked = clock_seconds();
	if (!config_has_changed(master->newest->config))
		return;
	log_line(LEVEL_INFO, "reload", "a file of the configuration has changed");
	master_reload_logged(master);
}

/* ---- events ---- */

/* The sockets are closed at once: a client that waited in a queue until the end would be lost. */
static void
master_end(struct master *master)
{
	for (struct generation *g = master->newest; g != NULL; g = g->older) {
		master_end_generation(g, SIGTERM);
		generation_close(g);
	}
	if (!master->is_ending)
		master->ending_since = clock_seconds();
	master->is_ending = true;
}

static void
master_on_signal(struct master *master)
{
	struct signalfd_siginfo info;

	while (read(master->signals, &info, sizeof(info)) == sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGHUP:
			if (!master->is_ending)
				master_reload_logged(master);
			break;
		case SIGTERM:
		case SIGINT:
			master_end(master);
			break;
		default:
			break; /* SIGCHLD: reaped in each round */
		}
	}
}

static void
master_on_control(struct master *master)
{
	char line[CONTROL_LINE];
	int client = control_accept(master->control, line), status;
	struct buf answer = { .limit = CONTROL_ANSWER_MOST };

	if (client < 0)
		return;
	const struct control_view view = { .newest = master->newest,
		.shared = master->shared,
		.keeper = &master->keeper,
		.is_ending = master->is_ending,
		.client = client,
		.reload = master_reload,
		.master = master };

	status = control_run(&view, line, &answer);
	if (status == CONTROL_PASSED)
		close(client);
	else
		control_answer(client, status, buf_slice(&answer));
	buf_free(&answer);
}

static bool
master_is_done(const struct master *master)
{
	if (!master->is_ending)
		return false;
	for (const struct generation *g = master->newest; g != NULL; g = g->older)
		if (master_has_processes(g))
			return false;
	return true;
}

static void
master_loop(struct master *master)
{
	struct pollfd fds[2] = { { .fd = master->signals, .events = POLLIN },
		{ .fd = master->control, .events = POLLIN } };

	while (!master_is_done(master)) {
		if (poll(fds, 2, (int)(master_tick * 1000)) > 0) {
			if (fds[0].revents != 0)
				master_on_signal(master);
			if (fds[1].revents != 0)
				master_on_control(master);
		}
		master_reap(master);
		master_free_ended(master);
		master_look(master);
		master_start_keeper(master, 0);
		if (!master->is_ending)
			master_start_missing(master);
		else if (clock_seconds() - master->ending_since > master_stop_most)
			for (struct generation *g = master->newest; g != NULL; g = g->older)
				master_end_generation(g, SIGKILL);
	}
}

static bool
master_block_signals(struct master *master)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	master->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return master->signals >= 0;
}

/* Until it is to end; why it cannot begin is told on stderr. */
static int
master_serve(struct master *master)
{
	struct faults faults;
	const char *why;

	faults_init(&faults, master->arena);
	master->newest = generation_new(master->file, NULL, &faults);
	if (master->newest == NULL) {
		faults_print(&faults, stderr);
		return EX_CONFIG;
	}
	const struct config *config = master->newest->config;

	master_open_log(config);
	master->control = control_listen(config->run_dir, &why);
	if (master->control < 0) {
		fprintf(stderr, "postern: %s/control: %s\n", config->run_dir, why);
		return EX_CANTCREAT;
	}
	if (!master_block_signals(master))
		return EX_OSERR;
	master->shared = shared_new(master->arena);
	keeper_init(&master->keeper, master->arena, config, &master->shared->state);
	master_start_keeper(master, master_keeper_most);
	master_start_missing(master);
	for (size_t i = 0; i < config->listen.count; i++)
		log_line(LEVEL_INFO, "start", "listening on %s", config->listen.item[i].address);
	master_loop(master);
	keeper_end(&master->keeper);
	log_line(LEVEL_INFO, "stop", "ended");
	control_end(master->newest->config->run_dir, master->control);
	return master->status;
}

int
master_run(const char *file)
{
	struct master master = {
		.file = file, .arena = arena_new(SIZE_MAX), .looked = clock_seconds()
	};
	int status = master_serve(&master);

	if (master.newest != NULL)
		generation_free(master.newest);
	arena_free(master.arena);
	log_close();
	return status;
}
