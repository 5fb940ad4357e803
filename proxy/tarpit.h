/*
 * tarpit: refusals take their time.
 *
 * With limits: tarpit: each reply to a bad command, a refused recipient or a failed AUTH is held
 * back, the second one twice as long as the first, and so on, up to TARPIT_TIMES that time and
 * TARPIT_SECONDS. What is held back is the session, by its timer: the command is looked at
 * again when the time is over, and meanwhile nothing is kept, and no other session waits.
 * Other replies are not held back, nor any to a client that has authenticated.
 *
 * Who waits here still counts as a session; limits: sessions_per_client: bounds how many.
 */
#pragma once

#include "proxy/session.h"

enum { TARPIT_TIMES = 10, TARPIT_SECONDS = 60 };

/* To be asked before a refusal is queued, as long as it says WAIT. It is NEXT once per refusal:
 * counts in errors and refusals come after. */
enum step tarpit(struct session *session);
