/*
 * answer: a reply as it goes to the client, whether the backend gave it or we.
 */
#pragma once

#include "lib/reply.h"

/* A reply for the client: whole lines with CRLF; code 0: none yet. */
struct answer {
	int code;
	struct slice lines;
};

/* The backend's reply, but for what cannot be passed on as it is: 421 and 3yz are 451. */
struct answer answer_of(struct arena *arena, const struct reply *reply);

/* One line of ours: "451 4.4.1 words". */
struct answer answer_text(struct arena *arena, const char *line);

bool answer_is_good(const struct answer *answer);  /* 2yz */
bool answer_is_refusal(const struct reply *reply); /* 4yz or 5yz */
