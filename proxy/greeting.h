/*
 * greeting: the first step of a session, from the connection to 220 or a refusal.
 *
 * Limits on sessions are looked at, the client is made to wait where `greet_delay` says so
 * (who speaks meanwhile is early), the filters' CONNECT stage begins, and the policy may end
 * the matter at once.
 */
#pragma once

#include "proxy/session.h"

enum step greeting(struct session *session);

/*
 * The decision at connect: WAIT, or NEXT with the record of a refusal to be spoken at once
 * (record->reply is NULL: there is none).
 */
enum step greeting_decide(struct session *session, struct record *record);
