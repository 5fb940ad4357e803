/*
 * diary: what postern logs, and in it the records of messages and refusals.
 *
 * The log goes to a socket of ours as if to syslog's, in the JSON format. Who plays calls
 * diary_pull() often: the kernel keeps few lines.
 */
#pragma once

#include <stdio.h>

#include "lib/buf.h"

struct diary {
	int fd;
	char path[64];
	struct buf lines;  /* all of them */
	struct buf record; /* the last one */
	unsigned records;  /* so many */
};

void diary_open(struct diary *diary);
void diary_pull(struct diary *diary);
void diary_close(struct diary *diary);

/*
 * Does the last record say so? "verdict.rule=blocked", "facts.ptr.result=none"; `...` in the
 * value is any text. "none": there must be no record yet. false: printed to complaints.
 */
bool diary_says(const struct diary *diary, struct slice claim, FILE *complaints);
