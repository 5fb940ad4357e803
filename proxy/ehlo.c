#include "proxy/ehlo.h"

#include <stdio.h>

#include "lib/clock.h"

/* What postern can carry through; the rest of what a backend has is not announced. */
static const uint32_t ehlo_carried = SMTP_EXT_PIPELINING | SMTP_EXT_SIZE | SMTP_EXT_8BITMIME |
    SMTP_EXT_DSN | SMTP_EXT_ENHANCEDSTATUSCODES | SMTP_EXT_SMTPUTF8;

void
ehlo_learn(struct ehlo_memory *memory, const struct smtp_ehlo *ehlo)
{
	memory->is_known = true;
	memory->learnt = clock_seconds();
	memory->extensions = ehlo->extensions;
	memory->size = ehlo->size;
	snprintf(
	    memory->auth, sizeof(memory->auth), "%.*s", (int)ehlo->auth.length, ehlo->auth.data);
}

struct ehlo_offer
ehlo_offer(const struct ehlo_memory *memory, bool has_starttls, bool has_auth, uint64_t size_limit)
{
	struct ehlo_offer offer = { .extensions = memory->extensions & ehlo_carried,
		.size = memory->size };

	/* SMTPUTF8 needs 8BITMIME (RFC 6531 3.1); some servers forget to say so. */
	if ((offer.extensions & SMTP_EXT_8BITMIME) == 0)
		offer.extensions &= ~(uint32_t)SMTP_EXT_SMTPUTF8;
	if (has_starttls)
		offer.extensions |= SMTP_EXT_STARTTLS;
	if (has_auth && memory->auth[0] != '\0')
		offer.extensions |= memory->extensions & SMTP_EXT_AUTH;
	if (size_limit > 0 && (offer.size == 0 || size_limit < offer.size))
		offer.size = size_limit;
	return offer;
}

struct slice
ehlo_format(struct arena *arena, const char *hostname, const struct ehlo_memory *memory,
    const struct ehlo_offer *offer)
{
	char text[1024], *at = text + snprintf(text, sizeof(text), "250-%s\r\n", hostname);
	char *last = text;

	for (uint32_t bit = 1; bit <= SMTP_EXT_XCLIENT; bit <<= 1) {
		size_t room = (size_t)(text + sizeof(text) - at);

		if ((offer->extensions & bit) == 0)
			continue;
		last = at;
		at += snprintf(at, room, "250-%s", smtp_extension_name((enum smtp_extension)bit));
		room = (size_t)(text + sizeof(text) - at);
		if (bit == SMTP_EXT_SIZE && offer->size > 0)
			at += snprintf(at, room, " %llu", (unsigned long long)offer->size);
		if (bit == SMTP_EXT_AUTH)
			at += snprintf(at, room, " %s", memory->auth);
		at += snprintf(at, (size_t)(text + sizeof(text) - at), "\r\n");
	}
	/* A list of one line is legal, but some clients take it for HELO's answer. */
	if (last == text) {
		last = at;
		at += snprintf(at, (size_t)(text + sizeof(text) - at), "250-HELP\r\n");
	}
	last[3] = ' ';
	struct slice lines = { text, (size_t)(at - text) };

	return (struct slice) { arena_copy(arena, lines), lines.length };
}

bool
ehlo_has_mechanism(const struct ehlo_memory *memory, struct slice mechanism)
{
	struct smtp_ehlo ehlo = { .auth = slice_of(memory->auth) };

	return smtp_ehlo_has_auth(&ehlo, mechanism);
}
