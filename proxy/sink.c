#include "proxy/sink.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/tls.h"
#include "proxy/sink_session.h"

enum { BACKLOG = 1024, ACCEPT_AT_ONCE = 16 };

/* How long to wait when the process has no descriptors left. */
static const double sink_pause = 0.2;

static int
sink_socket(const struct endpoint *endpoint)
{
	struct ip ip = endpoint->ip;
	struct sockaddr_storage address;
	int yes = 1, no = 0, fd;

	if (ip.length == 0)
		ip.length = 16; /* any address, IPv4 too */
	socklen_t size = ip_to_sockaddr(&ip, endpoint->port, &address);

	fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (ip.length == 16)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, endpoint->ip.length == 0 ? &no : &yes,
		    sizeof(no));
	if (bind(fd, (struct sockaddr *)&address, size) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	int error = errno;

	close(fd);
	errno = error;
	return -1;
}

/* ---- the loop's events ---- */

static void
sink_on_pause_over(struct ev_loop *loop, ev_timer *pause, int events)
{
	struct sink *sink = pause->data;

	(void)events;
	ev_io_start(loop, &sink->io);
}

static void
sink_on_client(struct ev_loop *loop, ev_io *io, int events)
{
	struct sink *sink = io->data;

	(void)events;
	for (int i = 0; i < ACCEPT_AT_ONCE; i++) {
		int fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			sink_session_new(sink, fd);
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
		    errno == ENOMEM) {
			log_line(LEVEL_ERROR, "sink", "cannot accept: %s", strerror(errno));
			ev_io_stop(loop, io);
			ev_timer_set(&sink->pause, sink_pause, 0);
			ev_timer_start(loop, &sink->pause);
			return;
		} else if (errno != ECONNABORTED && errno != EINTR) {
			return;
		}
	}
}

static void
sink_on_signal(struct ev_loop *loop, ev_signal *signal, int events)
{
	(void)signal, (void)events;
	ev_break(loop, EVBREAK_ALL);
}

static void
sink_watch(struct sink *sink)
{
	static const int numbers[2] = { SIGTERM, SIGINT };

	task_queue_init(&sink->tasks, sink->loop);
	ev_timer_init(&sink->pause, sink_on_pause_over, 0, 0);
	sink->pause.data = sink;
	ev_io_init(&sink->io, sink_on_client, sink->fd, EV_READ);
	sink->io.data = sink;
	ev_io_start(sink->loop, &sink->io);
	for (int i = 0; i < 2; i++) {
		ev_signal_init(&sink->signals[i], sink_on_signal, numbers[i]);
		ev_signal_start(sink->loop, &sink->signals[i]);
	}
}

/* ---- beginning and end ---- */

/* EX_OK: everything is there; else what is wrong is on stderr. */
static int
sink_prepare(struct sink *sink)
{
	const struct sink_options *options = &sink->options;
	struct tls_pair pair = { options->cert, options->key };
	const char *why;
	size_t culprit;

	if (options->cert != NULL) {
		sink->tls = tls_server_new(
		    sink->arena, &pair, 1, TLS1_2_VERSION, NULL, NULL, &why, &culprit);
		if (sink->tls == NULL) {
			fprintf(stderr, "postern sink: %s\n", why);
			return EX_NOINPUT;
		}
	}
	if (!maildir_open(&sink->maildir, sink->arena, options->maildir, options->hostname)) {
		fprintf(stderr, "postern sink: %s\n", sink->maildir.why);
		return EX_CANTCREAT;
	}
	sink->fd = sink_socket(&options->endpoint);
	if (sink->fd < 0) {
		fprintf(stderr, "postern sink: cannot listen on %s: %s\n", options->listen,
		    strerror(errno));
		return EX_UNAVAILABLE;
	}
	return EX_OK;
}

/* What a signal would do to the process is a value instead: a write that fails. */
static void
sink_ready_process(void)
{
	struct rlimit files;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

static void
sink_serve(struct sink *sink)
{
	sink->loop = ev_loop_new(EVFLAG_AUTO);
	sink_watch(sink);
	fprintf(stderr, "postern sink: listens on %s%s, keeps mail in %s\n", sink->options.listen,
	    sink->tls != NULL ? " with STARTTLS" : "", sink->options.maildir);
	ev_run(sink->loop, 0);
	close(sink->fd);
	while (sink->sessions != NULL)
		sink_session_stop(sink->sessions);
	ev_loop_destroy(sink->loop);
}

int
sink_main(const char *file, int argc, char **argv)
{
	struct arena *arena = arena_new(SIZE_MAX);
	struct sink *sink = arena_alloc(arena, sizeof(*sink));
	int status = EX_USAGE;

	(void)file;
	sink->arena = arena;
	if (sink_options_read(&sink->options, arena, argc, argv)) {
		sink_ready_process();
		status = sink_prepare(sink);
	}
	if (status == EX_OK)
		sink_serve(sink);
	arena_free(arena);
	return status;
}
