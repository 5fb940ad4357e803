#include "proxy/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { MODE_FOLDER = 0755, MODE_SOCKET = 0600, PATIENCE_MASTER = 1, PATIENCE_COMMAND = 60 };

static bool
control_address(const char *run_dir, struct sockaddr_un *address)
{
	*address = (struct sockaddr_un) { .sun_family = AF_UNIX };
	int length = snprintf(address->sun_path, sizeof(address->sun_path), "%s/control", run_dir);

	return length > 0 && (size_t)length < sizeof(address->sun_path);
}

static void
control_patience(int fd, int seconds)
{
	struct timeval limit = { .tv_sec = seconds };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

static int
control_connect(const char *run_dir)
{
	struct sockaddr_un address;
	int fd = -1;

	if (control_address(run_dir, &address))
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

int
control_listen(const char *run_dir, const char **why)
{
	struct sockaddr_un address;
	int fd = control_connect(run_dir);

	if (fd >= 0) {
		close(fd);
		*why = "another postern is running with this run_dir";
		return -1;
	}
	mkdir(run_dir, MODE_FOLDER);
	if (!control_address(run_dir, &address)) {
		*why = "the path of run_dir is too long for a socket";
		return -1;
	}
	unlink(address.sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	    chmod(address.sun_path, MODE_SOCKET) == 0 && listen(fd, 8) == 0)
		return fd;
	*why = strerror(errno);
	if (fd >= 0)
		close(fd);
	return -1;
}

void
control_end(const char *run_dir, int listener)
{
	struct sockaddr_un address;

	close(listener);
	if (control_address(run_dir, &address))
		unlink(address.sun_path);
}

int
control_accept(int listener, char line[CONTROL_LINE])
{
	int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	size_t length = 0;

	if (client < 0)
		return -1;
	control_patience(client, PATIENCE_MASTER);
	while (length < CONTROL_LINE - 1 && (length == 0 || line[length - 1] != '\n')) {
		ssize_t got = recv(client, line + length, CONTROL_LINE - 1 - length, 0);

		if (got <= 0)
			break;
		length += (size_t)got;
	}
	line[length] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return client;
}

static bool
control_send(int fd, struct slice text)
{
	while (text.length > 0) {
		ssize_t sent = send(fd, text.data, text.length, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		text = (struct slice) { text.data + sent, text.length - (size_t)sent };
	}
	return true;
}

void
control_answer(int client, int status, struct slice text)
{
	char number[16];

	snprintf(number, sizeof(number), "%d\n", status);
	if (control_send(client, slice_of(number)))
		control_send(client, text);
	/* Workers that were forked meanwhile have the descriptor, too: closing ends nothing. */
	shutdown(client, SHUT_RDWR);
	close(client);
}

int
control_ask(const char *run_dir, const char *line, struct buf *answer, const char **why)
{
	int fd = control_connect(run_dir), status = -1;
	char *room;
	ssize_t got;

	if (fd < 0) {
		*why = errno == EACCES ? "not permitted" : "postern is not running here";
		return -1;
	}
	control_patience(fd, PATIENCE_COMMAND);
	*why = "no answer";
	if (control_send(fd, slice_of(line)) && control_send(fd, slice_of("\n"))) {
		while ((room = buf_reserve(answer, 4096)) != NULL &&
		    (got = recv(fd, room, 4096, 0)) > 0)
			buf_commit(answer, (size_t)got);
	}
	close(fd);
	const char *end = answer->length > 0 ? memchr(answer->data, '\n', answer->length) : NULL;

	if (end != NULL) {
		status = atoi(answer->data);
		buf_take(answer, (size_t)(end - answer->data) + 1);
	}
	return status;
}
