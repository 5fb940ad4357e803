/*
 * handover: a line of text and a descriptor, given to another process over a Unix socket of
 * the kind SOCK_SEQPACKET. The receiver has a descriptor of its own of the same thing.
 */
#pragma once

#include "lib/slice.h"

/* fd: -1: only the line. Never waits. Whether it was sent; fd stays the caller's. */
bool handover_send(int socket, struct slice line, int fd);

/* Never waits. 1: a line, with a NUL behind it, cut to its room, and *fd, -1: none came; 0: nothing
 * has come; -1: the other end is gone. */
int handover_receive(int socket, char *line, size_t size, int *fd);
