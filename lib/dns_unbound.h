/*
 * dns_unbound: libunbound as a dns_source, in the worker's own loop and thread.
 *
 * Make it after the worker has forked, in the worker's arena and before any session; its
 * undo is the last thing that happens to a worker. No thread is started and no signal
 * handler set; nothing blocks. It needs up to open_limit + 32 descriptors, but no
 * more than half of RLIMIT_NOFILE; 3 MB and 1 KB per descriptor to begin with, its caches when they are full, and 33 KB per
 * question under way: hence open_limit. What is over it is DNS_FAILED at once.
 *
 * A question that nobody waits for any more goes on inside libunbound and is counted
 * (dns_stats.open) until it ends there, at the latest some 20 s after it was asked.
 */
#pragma once

#include "lib/dns_source.h"

/* One zone that is asked at its own authoritative server: a private list, say. */
struct dns_stub {
	const char *zone;   /* "bl.example" */
	const char *server; /* as a forwarder */
};

/* Everything may be left 0 or NULL: then the default counts. */
struct dns_options {
	const char *const *forwarders; /* "127.0.0.1:5353", ends with NULL; none: recurse */
	const struct dns_stub *stubs;  /* ends with a zone NULL */
	const char *trust_anchor;      /* a file of DS or DNSKEY records; NULL: no validation */
	double time_limit;             /* seconds per question: 5 */
	unsigned question_limit;       /* different questions per session: DNS_QUESTIONS_MOST */
	unsigned open_limit;           /* under way at once: 2000, 66 MB */
	uint64_t cache;                /* bytes of records and messages at the most: 48 MiB */
	unsigned negative_ttl;         /* seconds that "no such name" is believed at most: 300 */
	bool without_ip6;              /* the machine has no IPv6 route: do not try */

	/* Gets libunbound's own lines (errors and warnings), without a line end. NULL: nowhere. */
	void (*log)(void *arg, const char *line);
	void *log_arg;
};

/*
 * Is text an "address[:port]" that can be a forwarder: IPv4, or IPv6 in brackets or, where
 * no port follows, without; port 1 to 65535, else 53. If not, *why says it in words
 * (static).
 */
bool dns_unbound_is_server(const char *text, const char **why);

/*
 * NULL when an option cannot be used; *why then says which and why, in worker's memory.
 * libunbound's log lines are one per process: a second one takes them over.
 */
struct dns_source *dns_unbound_new(struct arena *worker, struct ev_loop *loop,
    const struct dns_options *options, const char **why);
