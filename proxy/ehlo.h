/*
 * ehlo: what the backend can do, as far as a worker knows, and our EHLO reply made of it.
 *
 * Each real session with the backend teaches it (ehlo_learn); where none came by for a while,
 * probe.h asks. Our reply announces what the backend announced and postern can carry, plus
 * STARTTLS of its own; AUTH only where it may be used. What a client then uses is checked
 * once more against the session that its message really goes to.
 */
#pragma once

#include "lib/smtp_extension.h"

enum { EHLO_AUTH_MOST = 256 };

struct ehlo_memory {
	bool is_known;
	double learnt; /* clock_seconds() */
	uint32_t extensions;
	uint64_t size;
	char auth[EHLO_AUTH_MOST];
};

void ehlo_learn(struct ehlo_memory *memory, const struct smtp_ehlo *ehlo);

/* What we announce: to a client with or without TLS, on a listener that offers STARTTLS and
 * AUTH or not. size: the least of the backend's limit and ours; 0: none. */
struct ehlo_offer {
	uint32_t extensions;
	uint64_t size;
};
struct ehlo_offer
ehlo_offer(const struct ehlo_memory *memory, bool has_starttls, bool has_auth, uint64_t size_limit);

/* The lines "250-..." with CRLF. */
struct slice ehlo_format(struct arena *arena, const char *hostname,
    const struct ehlo_memory *memory, const struct ehlo_offer *offer);

/* Is this one of the backend's mechanisms? */
bool ehlo_has_mechanism(const struct ehlo_memory *memory, struct slice mechanism);
