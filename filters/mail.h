/*
 * mail: what a filter may see of a session and its message.
 *
 * A member is there from the stage on that is named beside it and does not change any
 * more; before, it is NULL or 0. Strings are the peer's text: they hold no control
 * characters, but any other byte.
 */
#pragma once

#include "lib/arena.h"
#include "lib/dns.h"
#include "lib/ip.h"
#include "lib/mime.h"
#include "lib/spool.h"
#include "lib/state.h"
#include "lib/tally.h"
#include "lib/task.h"

enum stage { CONNECT, HELO, MAIL, RCPT, HEADERS, END, STAGES };

/* What is known of the connection. */
struct client {
	struct ip ip;             /* CONNECT */
	const char *text;         /* CONNECT: its address as text */
	uint16_t port;            /* CONNECT */
	const char *listener;     /* CONNECT: "*:25", as configured */
	bool is_early;            /* CONNECT: it spoke before our greeting */
	unsigned unknown;         /* CONNECT: unknown recipients that it named lately */
	bool is_harvester;        /* CONNECT: and these are too many */
	const char *helo;         /* HELO: the name it gave */
	bool is_esmtp;            /* HELO: it said EHLO */
	const char *tls;          /* HELO: "TLSv1.3", NULL: plain */
	const char *cipher;       /* HELO */
	const char *user;         /* MAIL: authenticated by the backend; NULL: not */
	bool pipelines_too_early; /* END: it sent commands where it had to wait for a reply */
	unsigned errors;          /* END: bad commands so far */
};

/* A mailbox of the envelope (RFC 5321 4.1.2). */
struct address {
	const char *text; /* without angle brackets; "" is the null sender */
	const char *local;
	const char *domain; /* lower case; "" for the null sender and postmaster */
	bool is_routing;    /* has a form by which the backend might route it further */
};

/* The worker, as a filter may use it. */
struct filter_host {
	const char *hostname; /* what we call ourselves */
	struct arena *arena;  /* ends with the worker */
	struct ev_loop *loop;
	struct task_queue *tasks;
	struct dns_source *dns;
	struct state *state;        /* what is remembered; NULL: nothing is (tests) */
	struct tally *tally;        /* counts within windows of time; NULL: there are none */
	struct spool_limits *spool; /* for text that has to wait; NULL: none (tests) */
};

struct mail {
	struct arena *arena; /* ends with the scope that is asked for */
	struct dns *dns;
	struct evidence *evidence;               /* where facts are told */
	const struct client *client;             /* CONNECT */
	const struct address *from;              /* MAIL */
	const struct address *recipient;         /* RCPT only */
	const struct address *const *recipients; /* raw(): those that were taken; ends with NULL */
	bool is_outgoing;               /* HEADERS: may pass because of who the client is */
	struct slice header;            /* HEADERS: the header fields, without the empty line */
	uint64_t size;                  /* END: of the message, in bytes */
	bool had_bare_newline;          /* END: it held a bare CR or LF */
	const struct mime *mime;        /* END: taken apart; NULL: no filter looks at parts */
	const struct filter_host *host; /* CONNECT; NULL where no worker is (tests) */
	struct task *task;              /* CONNECT: woken, the filters are run again */
	void *shared;                   /* CONNECT: the filter's own, of this worker */
	void *state;                    /* MAIL: the filter's own */
};
