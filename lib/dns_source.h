/*
 * dns_source: what stands behind dns_ask(); for those who write a resolver, not for
 * filters.
 *
 * start() is called once per question. It may answer at once (a cache does), by ending
 * the question before it returns. stop() is called for a question that nobody waits for
 * any more (session gone, time limit); after it the source must not touch the question.
 * stop() is never called for a question that has ended, nor while the source ends one:
 * dns_end() only wakes a task, and tasks run later.
 *
 * The time limit is kept by dns.c for every source, with a timer per question.
 */
#pragma once

#include "lib/dns.h"

struct dns_question {
	struct dns_question *next; /* of the same hash */
	struct dns *dns;
	const char *name; /* a name by the rules of dns.h, in lower case, without a last dot */
	uint32_t hash;
	enum dns_type type;
	bool is_starting, is_answered;
	void *handle; /* the source's own */
	struct dns_answer answer;
	ev_timer limit;
	double asked; /* clock_seconds() */
};

/* Since the worker began. Read by the status; nobody sets anything back. */
struct dns_stats {
	uint64_t asked;      /* questions handed to the source */
	uint64_t at_once;    /* of these: answered before dns_ask() returned (cache) */
	uint64_t failed;     /* DNS_FAILED for whatever reason, the next two included */
	uint64_t timeouts;   /* the time limit */
	uint64_t over_limit; /* too many in a session, too many under way in the worker */
	double ms;           /* sum over all that ended and were not at once */
	unsigned waiting;    /* now: sessions wait for these */
	unsigned open;       /* now: in the resolver, those included that nobody waits for */
};

struct dns_source {
	void (*start)(struct dns_source *source, struct dns_question *question);
	void (*stop)(struct dns_source *source, struct dns_question *question);
	struct ev_loop *loop;
	double time_limit;       /* seconds per question */
	unsigned question_limit; /* per session */
	unsigned turn, woken;    /* of the loop; sessions that the time limit woke in it */
	struct dns_stats stats;  /* `open` is the source's, the rest is kept by dns.c */
};

const struct dns_stats *dns_source_stats(const struct dns_source *source);

/*
 * The question's end, with what the source has put into question->answer (records and
 * their kin in dns_arena()). why: static, or in that arena; NULL for "".
 */
void dns_end(struct dns_question *question, enum dns_state state, const char *why);

/* Its end with a whole DNS message; a broken one becomes DNS_FAILED. Nothing of packet is kept. */
void dns_end_packet(struct dns_question *question, struct slice packet, bool is_secure);

/* Its end because a limit of the source's is reached: DNS_FAILED, counted. why: static. */
void dns_end_over_limit(struct dns_question *question, const char *why);

struct arena *dns_arena(struct dns_question *question);

/*
 * dns_wire.c: fill answer from packet (RFC 1035 4.1); false if it is broken, and then
 * answer is DNS_FAILED and has no records.
 */
bool dns_wire_read(
    struct dns_answer *answer, struct arena *arena, struct slice packet, enum dns_type type);

/*
 * name (by the rules of dns.h) as a name in a zone file: every byte but letters, digits,
 * '-', '_' and the dots is written \DDD, so that whatever a peer has put there is a byte
 * of the name and nothing else. Returns text.
 */
enum { DNS_ESCAPED_MOST = 4 * DNS_NAME_MOST };
const char *dns_escape(char text[DNS_ESCAPED_MOST], const char *name);
