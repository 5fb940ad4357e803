/*
 * socket: the system calls of a stream socket that never wait, for conn.
 *
 * IO_BROKEN leaves the reason in errno, which goes no further than conn.
 */
#pragma once

#include <sys/socket.h>

#include "lib/slice.h"

enum io_outcome {
	IO_DONE,   /* something was done */
	IO_WAIT,   /* nothing for now */
	IO_CLOSED, /* the peer has ended its side */
	IO_BROKEN
};

/*
 * A new socket that begins to connect to address (AF_INET, AF_INET6, AF_UNIX), from source
 * or from anywhere (NULL). IO_DONE: connected; IO_WAIT: under way, over when writable.
 * IO_BROKEN: *what says which step failed; *fd may be a socket all the same.
 */
enum io_outcome socket_connect(
    int *fd, const struct sockaddr *address, const struct sockaddr *source, const char **what);

/* How the connecting ended: 0 or the errno. */
int socket_error(int fd);

/* TCP_NODELAY; nothing happens to a socket that has no such thing. */
void socket_set_no_delay(int fd);

/* IO_DONE: *count bytes, which may be fewer than asked for. */
enum io_outcome socket_receive(int fd, char *room, size_t size, size_t *count);
enum io_outcome socket_send(int fd, struct slice bytes, size_t *count);

/* Throws away what has come and was not read, up to a bound. */
void socket_drain(int fd);
