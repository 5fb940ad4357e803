/*
 * sink_command: what a client of the sink may say, a row per verb.
 */
#pragma once

#include "proxy/sink_session.h"

/* A whole line, without its CRLF. */
enum sink_step sink_command_run(struct sink_session *session, struct slice line);
