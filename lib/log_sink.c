#include "lib/log_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/log.h"

enum log_sink_way { BY_POLL, BY_WRITE, BY_SEND };

static struct {
	int fd;
	enum log_sink_way way;
	bool is_own;   /* fd is to be closed */
	bool is_whole; /* a datagram: a line is taken entirely or not at all */
	struct buf rest;
	pid_t rest_of; /* a forked process does not send its parent's rest again */
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* of syslog; "": stderr */
	double tried;                                           /* to connect, clock_seconds() */
} log_sink = { .fd = STDERR_FILENO, .way = BY_POLL, .rest = { .limit = LOG_RECORD_MOST + 1024 } };

void
log_sink_close(void)
{
	if (log_sink.is_own && log_sink.fd >= 0)
		close(log_sink.fd);
	log_sink.fd = STDERR_FILENO;
	log_sink.way = BY_POLL;
	log_sink.is_own = log_sink.is_whole = false;
	log_sink.path[0] = '\0';
	buf_free(&log_sink.rest);
}

void
log_sink_open_stderr(void)
{
	struct stat stat;
	int type = SOCK_STREAM;
	socklen_t size = sizeof(type);

	log_sink_close();
	if (fstat(STDERR_FILENO, &stat) != 0)
		return;
	if (S_ISREG(stat.st_mode))
		log_sink.way = BY_WRITE;
	if (S_ISSOCK(stat.st_mode)) {
		getsockopt(STDERR_FILENO, SOL_SOCKET, SO_TYPE, &type, &size);
		log_sink.way = BY_SEND;
		log_sink.is_whole = type != SOCK_STREAM;
	}
	if (S_ISFIFO(stat.st_mode)) {
		int fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC);

		if (fd < 0)
			return;
		log_sink.fd = fd;
		log_sink.is_own = true;
		log_sink.way = BY_WRITE;
	}
}

static bool
log_sink_connect(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (log_sink.fd >= 0)
		close(log_sink.fd);
	log_sink.tried = clock_seconds();
	log_sink.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (log_sink.fd < 0)
		return false;
	memcpy(address.sun_path, log_sink.path, sizeof(log_sink.path));
	if (connect(log_sink.fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return true;
	close(log_sink.fd);
	log_sink.fd = -1;
	return false;
}

bool
log_sink_open_syslog(const char *path)
{
	log_sink_close();
	snprintf(log_sink.path, sizeof(log_sink.path), "%s", path);
	log_sink.fd = -1;
	log_sink.is_own = log_sink.is_whole = true;
	log_sink.way = BY_SEND;
	return log_sink_connect();
}

static ssize_t
log_sink_send(struct slice bytes)
{
	struct pollfd poll_fd = { .fd = log_sink.fd, .events = POLLOUT };
	ssize_t count = -1;

	do {
		switch (log_sink.way) {
		case BY_SEND:
			count = send(
			    log_sink.fd, bytes.data, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL);
			break;
		case BY_WRITE:
			count = write(log_sink.fd, bytes.data, bytes.length);
			break;
		case BY_POLL:
			if (poll(&poll_fd, 1, 0) != 1 || (poll_fd.revents & POLLOUT) == 0)
				return -1;
			count = write(log_sink.fd, bytes.data,
			    bytes.length < PIPE_BUF ? bytes.length : PIPE_BUF);
			break;
		}
	} while (count < 0 && errno == EINTR);
	return count;
}

/* How much was taken. */
static size_t
log_sink_send_all(struct slice bytes)
{
	size_t done = 0;

	while (done < bytes.length) {
		ssize_t count = log_sink_send(
		    (struct slice) { .data = bytes.data + done, .length = bytes.length - done });

		if (count <= 0)
			break;
		done += (size_t)count;
	}
	return done;
}

static bool
log_sink_send_rest(void)
{
	if (log_sink.rest.length == 0)
		return true;
	if (log_sink.rest_of != getpid()) {
		buf_clear(&log_sink.rest);
		return true;
	}
	buf_take(&log_sink.rest, log_sink_send_all(buf_slice(&log_sink.rest)));
	if (log_sink.rest.length > 0)
		return false;
	buf_release(&log_sink.rest);
	return true;
}

static bool
log_sink_write_datagram(struct slice line)
{
	if (log_sink.fd >= 0 && log_sink_send(line) >= 0)
		return true;
	bool is_gone =
	    log_sink.fd < 0 || (errno != EAGAIN && errno != EMSGSIZE && errno != ENOBUFS);

	if (!is_gone || log_sink.path[0] == '\0' || clock_seconds() - log_sink.tried < 1)
		return false;
	return log_sink_connect() && log_sink_send(line) >= 0;
}

bool
log_sink_write(struct slice line)
{
	if (log_sink.is_whole)
		return log_sink_write_datagram(line);
	if (!log_sink_send_rest())
		return false;
	size_t done = log_sink_send_all(line);

	if (done == 0)
		return false;
	if (done < line.length) {
		log_sink.rest_of = getpid();
		buf_append(&log_sink.rest,
		    (struct slice) { .data = line.data + done, .length = line.length - done });
	}
	return true;
}
