#include "lib/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>

enum { SOCKET_DRAIN = 1024 * 1024 };

static socklen_t
socket_address_size(const struct sockaddr *address)
{
	switch (address->sa_family) {
	case AF_INET:
		return sizeof(struct sockaddr_in);
	case AF_INET6:
		return sizeof(struct sockaddr_in6);
	case AF_UNIX:
		return sizeof(struct sockaddr_un);
	}
	return 0;
}

static void
socket_set(int fd, int level, int option)
{
	int yes = 1;

	(void)setsockopt(fd, level, option, &yes, sizeof(yes));
}

/* A source that is not this machine's (transparent mode) needs a right that we may not have;
 * then bind() says so. A port is chosen at connect(), which knows which are free for the peer. */
static bool
socket_bind(int fd, const struct sockaddr *source)
{
	socket_set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT);
	if (source->sa_family == AF_INET6)
		socket_set(fd, IPPROTO_IPV6, IPV6_TRANSPARENT);
	else
		socket_set(fd, IPPROTO_IP, IP_TRANSPARENT);
	return bind(fd, source, socket_address_size(source)) == 0;
}

enum io_outcome
socket_connect(
    int *fd, const struct sockaddr *address, const struct sockaddr *source, const char **what)
{
	*what = "no socket";
	*fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		return IO_BROKEN;
	*what = "cannot use the source address";
	if (source != NULL && !socket_bind(*fd, source))
		return IO_BROKEN;
	*what = "cannot connect";
	if (connect(*fd, address, socket_address_size(address)) == 0)
		return IO_DONE;
	return errno == EINPROGRESS || errno == EINTR ? IO_WAIT : IO_BROKEN;
}

int
socket_error(int fd)
{
	int error = 0;
	socklen_t size = sizeof(error);

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

void
socket_set_no_delay(int fd)
{
	socket_set(fd, IPPROTO_TCP, TCP_NODELAY);
}

enum io_outcome
socket_receive(int fd, char *room, size_t size, size_t *count)
{
	ssize_t got = recv(fd, room, size, 0);

	if (got == 0)
		return IO_CLOSED;
	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? IO_WAIT : IO_BROKEN;
	*count = (size_t)got;
	return IO_DONE;
}

enum io_outcome
socket_send(int fd, struct slice bytes, size_t *count)
{
	ssize_t sent = send(fd, bytes.data, bytes.length, MSG_NOSIGNAL);

	if (sent < 0)
		return errno == EAGAIN || errno == EINTR ? IO_WAIT : IO_BROKEN;
	*count = (size_t)sent;
	return IO_DONE;
}

void
socket_drain(int fd)
{
	(void)recv(fd, NULL, SOCKET_DRAIN, MSG_DONTWAIT | MSG_TRUNC);
}
