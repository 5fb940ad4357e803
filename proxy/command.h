/*
 * command: what each SMTP verb does; one row of a table per verb.
 *
 * command_run() is given a line without its CRLF and may be given the same line again: a
 * command that has to wait (for facts, for the backend) returns WAIT and has replied
 * nothing. RFC 5321 4.1, 4.3.2.
 */
#pragma once

#include "proxy/session.h"

enum step command_run(struct session *session, struct slice line);
