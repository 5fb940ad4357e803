/*
 * control: the socket by which the administrator's commands reach the running master.
 *
 * A Unix stream socket, run_dir/control, for root and the master's user. A client sends one
 * line ("reload", "status"), gets the answer as text, and the connection is closed; the first
 * line of the answer is a number, the exit status for the command (sysexits).
 */
#pragma once

#include <stddef.h>

#include "lib/buf.h"

enum { CONTROL_LINE = 256, CONTROL_ANSWER_MOST = 1024 * 1024 };

/* The master's end. -1: *why; also when another master answers there already. */
int control_listen(const char *run_dir, const char **why);
void control_end(const char *run_dir, int listener);

/* One waiting client's line, read with a short time-out; the connection's descriptor or -1. */
int control_accept(int listener, char line[CONTROL_LINE]);
void control_answer(int client, int status, struct slice text);

/* The command's end: sends the line, fills answer; the status, or -1 and *why. */
int control_ask(const char *run_dir, const char *line, struct buf *answer, const char **why);
