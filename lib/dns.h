/*
 * dns: ask, and ask again.
 *
 *	const struct dns_answer *answer = dns_ask(dns, DNS_PTR, name);
 *
 *	if (answer == NULL)
 *		return WAIT;
 *
 * dns_ask() returns the answer, or NULL: the question is under way, and the session's
 * task will be woken when its answer is in. Whoever asks the same question again, in
 * whatever letter case, with or without the last dot, gets the same answer (the same
 * pointer): a function that waits is simply run again from its first line. Asking again
 * is cheap and uses no memory. Ask all you will need before you return WAIT, so that
 * questions run side by side. An answer may be there at once (a cache's): the task is not
 * woken for an answer that dns_ask() returns.
 *
 * Answers live as long as the arena given to dns_new(). When that ends, questions under
 * way are forgotten; the resolver still puts their answers into its cache.
 *
 * Names are raw text, as a client or a macro gave it: only '.' has a meaning, it separates
 * labels. A blank, a backslash or a byte above 126 is a byte like any other; nothing acts
 * as an escape. International names come as A-labels (RFC 5890). What cannot be a name
 * (nothing at all, the root, an empty label, a label over 63 bytes, over 253 in all) is
 * DNS_NO_NAME and never sent.
 *
 * Every question ends: after the time limit as DNS_FAILED. A session may ask a bounded
 * number of different questions, a worker may have a bounded number under way; what is
 * over either is DNS_FAILED at once. DNSSEC bogus is DNS_FAILED (RFC 4035 5.5). CNAME
 * chains are followed before you see the answer.
 */
#pragma once

#include <ev.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/task.h"

enum dns_type {
	DNS_A = 1,
	DNS_CNAME = 5, /* is followed; nobody needs to ask for it */
	DNS_PTR = 12,
	DNS_MX = 15,
	DNS_TXT = 16,
	DNS_AAAA = 28
};

enum dns_state {
	DNS_OK,      /* at least one record */
	DNS_NO_NAME, /* NXDOMAIN: the name does not exist, or cannot be a name */
	DNS_NO_DATA, /* the name exists, but not with this type */
	DNS_FAILED   /* not known: time limit, SERVFAIL, REFUSED, bogus, over a limit */
};

enum {
	DNS_NAME_MOST = 256,       /* room for a name and its NUL */
	DNS_RECORDS_MOST = 64,     /* of one answer; what is over is left out, see is_cut */
	DNS_TEXT_MOST = 64 * 1024, /* bytes of all TXT records of one answer, likewise */
	DNS_QUESTIONS_MOST = 400   /* different questions per session, by default */
};

/*
 * records: A 4 bytes and AAAA 16, in network order; PTR and MX the name in lower case
 * without the last dot, "" for the root (null MX, RFC 7505), in it '?' for what is not
 * printable ASCII and for a dot inside a label; TXT the record's strings joined (RFC 7208
 * 3.3), any bytes. Each has a NUL behind it, so a name may be handed to dns_ask(). Their
 * order is the server's and means nothing.
 */
struct dns_answer {
	enum dns_state state;
	bool is_secure;        /* validated by DNSSEC */
	bool is_cut;           /* there were more records than fit */
	const char *why;       /* for DNS_FAILED, in words; else "", or why it is no name */
	uint32_t ttl;          /* seconds, the least of the chain; 0 without records */
	double ms;             /* how long it took */
	size_t count;          /* 0 unless DNS_OK */
	struct slice *records; /* [count] */
	uint16_t *preferences; /* MX: [count], side by side with records; else NULL */
};

struct dns;
struct dns_source;

/*
 * One per session. source: dns_unbound.h for the network, dns_fake.h for tests; it lives
 * longer than arena. task lives in the same arena and is made before.
 */
struct dns *dns_new(struct arena *arena, struct dns_source *source, struct task *task);

/* The answer, or NULL: wait. name is borrowed for the call. */
const struct dns_answer *dns_ask(struct dns *dns, enum dns_type type, const char *name);

/* As dns_ask(), but only looks: NULL also where nobody has asked. Starts nothing. */
const struct dns_answer *dns_find(const struct dns *dns, enum dns_type type, const char *name);

/*
 * The name under which zone keeps something about address (4 or 16 bytes): its bytes
 * backwards, "5.100.51.198." + zone, or the nibbles of an IPv6 address (RFC 5782 2.1,
 * 2.4). zone "" or NULL: the zone of reverse names (in-addr.arpa, ip6.arpa). Written into
 * name, which is returned; a zone that does not fit gives "", which is no name.
 */
const char *dns_reverse(char name[DNS_NAME_MOST], struct slice address, const char *zone);
