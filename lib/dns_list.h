/*
 * dns_list: a list that is kept in DNS (RFC 5782), and what its answers mean.
 *
 * A list is asked for an A record of NAME.ZONE, where NAME is an address backwards, a domain
 * or a hash. No such name: not listed. Each address in the answer is looked up in the list's
 * table of codes and becomes a word. These are never a listing, whatever the table says:
 *
 *	outside 127.0.0.0/8     somebody else answers (a zone that was sold, a resolver that
 *	                        rewrites NXDOMAIN); the whole answer counts for nothing
 *	127.0.0.1               RFC 5782 2.1; likewise
 *	127.255.255.0/24        the list refuses to answer us; likewise
 *	the list's `errors:`    likewise
 *	not in the table        that address counts for nothing
 *	time limit, SERVFAIL    nothing is known
 *
 * All of them are the word `error`. A list that is to be trusted must also answer its test
 * points rightly: see lib/list_guard.h.
 *
 * A key (of a customer) stands in the name that is asked and nowhere else. `zone` holds it
 * and is for dns_list_name() only; what people see is `shown`, and texts from elsewhere that
 * might hold the name pass dns_list_hide().
 *
 * Lists are read by lib/dns_list_read.h; they are constant and live as long as the
 * configuration.
 */
#pragma once

#include "lib/dns.h"
#include "lib/ip.h"

enum dns_list_kind {
	DNS_LIST_IP4,    /* IPv4 addresses */
	DNS_LIST_IP6,    /* IPv6 addresses */
	DNS_LIST_BOTH,   /* either */
	DNS_LIST_DOMAIN, /* domains */
	DNS_LIST_HASH,   /* hashes of mail addresses or of other things */
};

/* Of a host in an address of the web: which names a list of domains is asked about. */
enum dns_list_asks {
	DNS_LIST_ASKS_BOTH,
	DNS_LIST_ASKS_HOST,       /* the whole */
	DNS_LIST_ASKS_REGISTERED, /* the domain that somebody has registered */
};

/* Addresses in answers: octet by octet from first to last, or by one bit of the last octet. */
struct dns_list_code {
	uint8_t first[4], last[4];
	uint8_t bit;      /* 0: none */
	const char *word; /* of an error: what it means, for people */
};

struct dns_list_codes {
	size_t count;
	const struct dns_list_code *item;
};

/* What must be listed, or must not be. With is_random it is only a beginning. */
struct dns_list_point {
	const char *text;  /* as written: "127.0.0.2", "240.0.0.0/4", "INVALID", "*.invalid" */
	uint8_t length;    /* 4 or 16: an address; 0: a name */
	uint8_t bytes[16]; /* ::ffff:7f00:2 stays the 16 bytes that it is */
	unsigned bits;     /* of the address that are given; the others are drawn */
	bool is_random;    /* "*.NAME": a label is drawn */
};

enum { DNS_LIST_POINTS_MOST = 4 };

struct dns_list_points {
	size_t count;
	struct dns_list_point item[DNS_LIST_POINTS_MOST];
};

struct dns_list {
	const char *id;
	const char *zone, *shown;
	const char *key; /* NULL: none */
	enum dns_list_kind kind;
	enum dns_list_asks asks; /* of domains */
	bool has_addresses;      /* of domains: it may be asked about IPv4 addresses, too */
	struct dns_list_codes codes, errors;
	struct dns_list_points listed, unlisted;
	const char *words; /* all that can be told of it: "sbl css none error" */
	const char *terms; /* of use, in a sentence; "" */
};

struct dns_lists {
	size_t count;
	const struct dns_list *item;
};

enum dns_list_state { DNS_LIST_NONE, DNS_LIST_LISTED, DNS_LIST_ERROR };

/* Why there is an error. */
enum dns_list_fault {
	DNS_LIST_GOOD,
	DNS_LIST_NO_ANSWER,
	DNS_LIST_OUTSIDE,  /* 127.0.0.0/8 */
	DNS_LIST_REFUSED,  /* 127.255.255.0/24 */
	DNS_LIST_CODE,     /* an error by the list's own table */
	DNS_LIST_LOOPBACK, /* 127.0.0.1 */
	DNS_LIST_UNKNOWN,  /* not in the table */
	DNS_LIST_TOO_MUCH, /* more addresses than anybody sends */
};

enum { DNS_LIST_WORDS_MOST = 16, DNS_LIST_WHY_MOST = 200 };

struct dns_list_word {
	const char *word;
	char address[INET_ADDRSTRLEN]; /* that stands for it */
};

struct dns_list_result {
	enum dns_list_state state;
	size_t count; /* of words; 0 unless listed; each once */
	struct dns_list_word words[DNS_LIST_WORDS_MOST];
	/* Of an error; beside DNS_LIST_LISTED: an address of the answer was not understood. */
	enum dns_list_fault fault;
	char why[DNS_LIST_WHY_MOST]; /* "" where there is no fault; holds no key */
};

void dns_list_judge(
    struct dns_list_result *result, const struct dns_list *list, const struct dns_answer *answer);

bool dns_list_takes(const struct dns_list *list, const struct ip *ip);

/* The name to ask; name is returned. What does not fit gives "", which is no name. */
const char *
dns_list_name(char name[DNS_NAME_MOST], const struct dns_list *list, struct slice address);
const char *
dns_list_domain(char name[DNS_NAME_MOST], const struct dns_list *list, const char *domain);

/* The same for a test point; what is random in it is drawn anew each time. text, if not NULL,
 * gets what is asked about, for people: "240.7.1.9". */
const char *dns_list_point(char name[DNS_NAME_MOST], const struct dns_list *list,
    const struct dns_list_point *point, char text[DNS_NAME_MOST]);

/* The text without the list's key, wherever and however it is written. Returns out. */
const char *
dns_list_hide(char out[DNS_LIST_WHY_MOST], const struct dns_list *list, const char *text);

const char *dns_list_kind_name(enum dns_list_kind kind); /* "ip4", "ip6", "both" ... */
