/*
 * auth: AUTH (RFC 4954), passed through to the backend line by line, whatever the mechanism.
 *
 * postern keeps no passwords and knows no users: who the backend lets in is in, and from
 * then on the session is tied to that session of the backend. What is kept is the name, as
 * far as the mechanism shows it (PLAIN, LOGIN); what was decoded is wiped.
 */
#pragma once

#include "proxy/session.h"

enum step auth_start(struct session *session, struct slice argument);
