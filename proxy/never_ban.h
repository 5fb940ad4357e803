/*
 * never_ban: what must not be kept out, whoever asks for it: the machine itself, the mail
 * servers behind, and who may relay or is on the list of the allowed.
 */
#pragma once

#include "rules/config.h"

/* By a person's command: NULL: it may be; else why not, in words for that person. The mail
 * servers are known here only by their addresses, not by names. */
const char *never_ban_network(const struct config *config, const struct network *network);

/* By a rule, a client of ours: NULL, or why not. */
const char *never_ban_client(const struct config *config, struct ip client);
