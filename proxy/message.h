/*
 * message: the steps from DATA to the answer to the final dot.
 *
 * message_start() is DATA; then the text is taken in (held, or streamed to the backend),
 * the policy judges what is whole, and what passes is delivered. The client's 250 is the
 * backend's 250, passed on.
 */
#pragma once

#include "lib/unframe.h"
#include "proxy/session.h"

/* The command DATA; WAIT, or NEXT with its reply given. */
enum step message_start(struct session *session);

/* The text begins: its limits and line ends by the configuration. */
void message_begin(struct session *session, enum unframe_framing framing);

/* Must the session go on although its client has left? (The final dot is out.) */
bool message_is_committed(const struct session *session);
