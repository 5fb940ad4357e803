/*
 * control_commands: what the running master does for a line that reached its control socket;
 * one row of a table per command.
 */
#pragma once

#include "proxy/generation.h"
#include "proxy/keeper.h"

/* What the commands may look at. */
struct control_view {
	const struct generation *newest;
	const struct shared *shared;
	struct keeper *keeper;
	bool is_ending;
	int client; /* for who hands it over */
	int (*reload)(void *master, struct buf *answer);
	void *master;
};

enum { CONTROL_PASSED = -1 }; /* somebody else answers */

/* "NAME ARGUMENTS": the status for the client, with the answer; or CONTROL_PASSED. */
int control_run(const struct control_view *view, const char *line, struct buf *answer);
