/*
 * starttls: TLS towards the client, after STARTTLS (RFC 3207) or from the first byte.
 */
#pragma once

#include "proxy/session.h"

/* After STARTTLS' 220: TLS begins as soon as what is queued has left; what was known of the
 * client's HELO, user and transaction is forgotten. */
void starttls_start(struct session *session);

/* The step that ends the handshake. */
enum step starttls_handshake(struct session *session);
