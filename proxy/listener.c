#include "proxy/listener.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/log.h"
#include "proxy/session.h"

enum { BACKLOG = 1024, ACCEPT_AT_ONCE = 16 };

/* How long to wait when the process has no descriptors left. */
static const double listener_pause = 0.2;

static int
listener_fails(int fd, char why[LISTENER_WHY], const char *address, const char *what)
{
	snprintf(why, LISTENER_WHY, "cannot listen on %s: %s: %s", address, what, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* "*" is an IPv6 socket that takes IPv4 as well, or IPv4 where the machine has no IPv6. */
static int
listener_socket(
    const struct config_listen *listen, struct sockaddr_storage *address, socklen_t *size)
{
	struct ip any = { .length = 16 };
	int fd;

	if (!listen->is_any) {
		*size = ip_to_sockaddr(&listen->endpoint.ip, listen->endpoint.port, address);
		return socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	}
	*size = ip_to_sockaddr(&any, listen->endpoint.port, address);
	fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		return fd;
	any.length = 4;
	*size = ip_to_sockaddr(&any, listen->endpoint.port, address);
	return socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

int
listener_bind(const struct config_listen *where, bool is_shared, char why[LISTENER_WHY])
{
	struct sockaddr_storage address;
	socklen_t size;
	int fd = listener_socket(where, &address, &size), yes = 1, no = 0;

	if (fd < 0)
		return listener_fails(fd, why, where->address, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (address.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, where->is_any ? &no : &yes, sizeof(no));
	if (is_shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof(yes)) != 0)
		return listener_fails(fd, why, where->address, "SO_REUSEPORT");
	if (bind(fd, (struct sockaddr *)&address, size) != 0)
		return listener_fails(fd, why, where->address, "bind");
	if (listen(fd, BACKLOG) != 0)
		return listener_fails(fd, why, where->address, "listen");
	return fd;
}

struct listener_socket {
	struct listener *listener;
	const struct config_listen *config;
	ev_io io;
};

struct listener {
	struct worker *worker;
	struct listener_socket *sockets;
	size_t count;
	ev_timer pause;
	bool is_stopped;
};

static void
listener_watch(struct listener *listener, bool is_on)
{
	for (size_t i = 0; i < listener->count; i++) {
		if (is_on)
			ev_io_start(listener->worker->loop, &listener->sockets[i].io);
		else
			ev_io_stop(listener->worker->loop, &listener->sockets[i].io);
	}
}

static void
listener_on_pause_over(struct ev_loop *loop, ev_timer *pause, int events)
{
	(void)loop, (void)events;
	listener_watch(pause->data, true);
}

/* No descriptors left: the clients wait in the queue, instead of the loop spinning. */
static void
listener_rest(struct listener *listener, const char *why)
{
	log_line(LEVEL_ERROR, "listener", "cannot accept: %s; waiting", why);
	listener_watch(listener, false);
	ev_timer_set(&listener->pause, listener_pause, 0);
	ev_timer_start(listener->worker->loop, &listener->pause);
}

static void
listener_on_client(struct ev_loop *loop, ev_io *io, int events)
{
	struct listener_socket *socket = io->data;

	(void)loop, (void)events;
	for (int i = 0; i < ACCEPT_AT_ONCE; i++) {
		struct sockaddr_storage peer;
		socklen_t size = sizeof(peer);
		int fd =
		    accept4(io->fd, (struct sockaddr *)&peer, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0)
			session_new(
			    socket->listener->worker, fd, socket->config, (struct sockaddr *)&peer);
		else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			return listener_rest(socket->listener, strerror(errno));
		else if (errno != ECONNABORTED && errno != EINTR)
			return;
	}
}

static void
listener_undo(void *arg)
{
	listener_stop(arg);
}

struct listener *
listener_start(struct worker *worker, const int *fds)
{
	struct listener *listener = arena_alloc(worker->arena, sizeof(*listener));

	listener->worker = worker;
	listener->count = worker->config->listen.count;
	listener->sockets =
	    arena_alloc(worker->arena, listener->count * sizeof(*listener->sockets));
	ev_timer_init(&listener->pause, listener_on_pause_over, 0, 0);
	listener->pause.data = listener;
	for (size_t i = 0; i < listener->count; i++) {
		struct listener_socket *socket = &listener->sockets[i];

		socket->listener = listener;
		socket->config = &worker->config->listen.item[i];
		ev_io_init(&socket->io, listener_on_client, fds[i], EV_READ);
		socket->io.data = socket;
	}
	listener_watch(listener, true);
	arena_defer(worker->arena, listener_undo, listener);
	return listener;
}

void
listener_stop(struct listener *listener)
{
	if (listener->is_stopped)
		return;
	listener->is_stopped = true;
	listener_watch(listener, false);
	ev_timer_stop(listener->worker->loop, &listener->pause);
	for (size_t i = 0; i < listener->count; i++)
		close(listener->sockets[i].io.fd);
}
