/*
 * log_sink: where the log's lines go, without waiting. For log.c alone.
 *
 * stderr may be a file, a terminal, a pipe or a socket (under systemd), and its file description
 * belongs to others too, so it may not be made nonblocking. A socket is asked not to wait by a
 * flag of send(2). A pipe is opened once more through /proc, which gives a description of our
 * own; where that is not allowed, and for terminals, poll(2) is asked before each write, of
 * PIPE_BUF bytes at most, which a pipe that polls as writable takes at once.
 *
 * A line of which only a beginning was taken counts as written; its rest goes first the next
 * time.
 */
#pragma once

#include "lib/slice.h"

void log_sink_open_stderr(void);

/* false: not reachable now; it is tried again by log_sink_write(). */
bool log_sink_open_syslog(const char *path);

/* To stderr, as it is when nothing was opened. */
void log_sink_close(void);

/* false: dropped. Not before log.c's lock is held. */
bool log_sink_write(struct slice line);
