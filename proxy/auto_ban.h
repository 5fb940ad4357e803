/*
 * auto_ban: a rule with do: ban has refused a client, which is now kept out.
 *
 * The ban is of the address, of IPv6 its /64. Who is not banned, whatever a rule says: this
 * machine, the mail servers behind, relay: networks: (nor one in the same /64) and the list of the allowed (never_ban.h).
 */
#pragma once

#include "proxy/session.h"

/* Once per session. What became of it, for the record; NULL: the verdict bans nobody. */
const char *auto_ban(struct session *session, const struct record *record);
