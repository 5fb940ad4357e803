#include "proxy/serve.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/log.h"
#include "proxy/listener.h"
#include "proxy/privileges.h"
#include "proxy/probe.h"
#include "proxy/resolver.h"
#include "proxy/session.h"

struct server {
	struct worker *worker;
	struct listener *listener;
	ev_signal signals[2];
};

static void
serve_on_signal(struct ev_loop *loop, ev_signal *signal, int events)
{
	struct server *server = signal->data;

	(void)loop, (void)events;
	if (server->worker->is_ending)
		return; /* told twice, by the master and by who tells all processes: once is enough */
	server->worker->is_ending = true;
	listener_stop(server->listener);
	session_wake_all(server->worker);
}

static void
serve_watch_signals(struct server *server, struct ev_loop *loop)
{
	static const int numbers[2] = { SIGTERM, SIGINT };

	for (int i = 0; i < 2; i++) {
		ev_signal_init(&server->signals[i], serve_on_signal, numbers[i]);
		server->signals[i].data = server;
		ev_signal_start(loop, &server->signals[i]);
	}
}

static void
serve_raise_limits(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

static void
serve_end_sessions(struct worker *worker)
{
	while (worker->sessions != NULL)
		arena_free(worker->sessions->arena);
}

int
serve(const struct config *config, struct shared *shared, size_t slot, const int *fds,
    struct keeper *keeper)
{
	pid_t master = getppid();

	if (!privileges_drop(config->user, "worker"))
		return SERVE_CANNOT;
	serve_raise_limits();
	signal(SIGPIPE, SIG_IGN);
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
	struct arena *arena = arena_new(SIZE_MAX);
	struct dns_source *dns = resolver_new(arena, loop, &config->dns);
	struct server server = { 0 };

	if (dns == NULL)
		return SERVE_CANNOT;
	server.worker = worker_new(arena, loop, config, dns, shared, slot);
	server.worker->filters.host.state =
	    state_new(arena, loop, keeper->folder, keeper->link[1], &shared->state);
	serve_watch_signals(&server, loop);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != master)
		return SERVE_ENDED;
	probe_start(server.worker);
	server.listener = listener_start(server.worker, fds);
	ev_run(loop, 0);
	serve_end_sessions(server.worker);
	arena_free(arena);
	ev_loop_destroy(loop);
	return SERVE_ENDED;
}
