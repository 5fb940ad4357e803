/*
 * rig_libc: the functions that a rig puts in front of libc's, and what they are told.
 */
#pragma once

/* The monotonic clock, in seconds. */
extern double rig_clock;

/* Takes over a connection of postern's: the descriptor of its other end, or -1: refused. NULL:
 * connect(2) is libc's. Unix sockets always are. */
extern int (*rig_accept)(int fd);
