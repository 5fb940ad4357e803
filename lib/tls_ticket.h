/*
 * tls_ticket: session tickets whose keys all workers share (RFC 5077, RFC 8446 4.6.1).
 *
 * A client that comes again resumes whatever worker it meets. The keys are copied into the
 * context and wiped when it goes. They never change: new ones come with a reload or restart.
 */
#pragma once

#include <openssl/ssl.h>
#include <stdbool.h>

enum { TLS_TICKET_KEYS = 80 }; /* bytes: 16 of name, 32 of AES, 32 of HMAC */

/* False: no memory. Must be called for a context that SNI may choose as well. */
bool tls_ticket_use(SSL_CTX *context, const unsigned char keys[TLS_TICKET_KEYS]);
