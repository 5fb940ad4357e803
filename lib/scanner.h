/*
 * scanner: a conversation about one message with a program that judges messages (clamd, rspamd,
 * spamd), while the message comes in.
 *
 *	scanner_new()    nothing happens yet
 *	scanner_feed()   bytes of the message; never waits
 *	scanner_end()    the message is whole: from now on an answer is due. May be said again
 *	scanner_state()  how it stands; whenever it changes, the owner's task is woken
 *
 * It is connected to (TCP or a Unix socket, by the address) with the end of the message, or when
 * SCANNER_EAGER bytes of it are there: what is small comes at once, and a client that sends slowly
 * must not occupy a scanner, which serves few at a time. The message is kept in a spool until it is
 * settled: in memory up to the spool's limit, then in a file without a name. So a slow scanner slows
 * no client down and memory stays bounded; and where a conversation breaks before the message is
 * whole (clamd gives up on who pauses for its ReadTimeout, or was started anew), it is held once
 * more, from the beginning, with the whole message.
 *
 * Time: SCANNER_CONNECT seconds to connect, and terms.timeout from scanner_end(), or from the
 * connection's being there if that comes later, until the answer is whole. Between the two nothing
 * is awaited of the scanner. A Unix socket whose queue is full is tried again within the first.
 *
 * How one talks with it is a constant struct scanner_talk: what stands in front of the message,
 * how a piece of it is wrapped, what ends it, and a reader, which is given all that has come of the
 * answer, again whenever more has come, and says what it is. The reader is a pure function; it
 * believes nothing. Who answers well before the message is whole has not looked at it: FAILED.
 *
 * A message ends SKIPPED when it is larger than terms.size_most, or the scanner says that it is too
 * large; then nothing more is sent. FAILED: not reached, no answer in time, or none that can be
 * read. scanner_why() says it in a line of plain text, which may hold text of the scanner.
 *
 * Everything lives in the arena of the message: freed in the middle, it ends the conversation and
 * says nothing about it. The log has one line (error, event "scanner") when a scanner begins to
 * fail, and one (warning) when it answers again: that is what the service remembers, one per worker.
 */
#pragma once

#include <ev.h>
#include <sys/socket.h>

#include "lib/conn.h"
#include "lib/option.h"
#include "lib/spool.h"

enum { SCANNER_CONNECT = 2, SCANNER_EAGER = 64 * 1024, SCANNER_WHY_MOST = 200 };

/* Where it listens; an option's value: "127.0.0.1:3310", "[::1]:3310", "/run/clamav/clamd.ctl". */
struct scanner_address {
	const char *text;
	struct sockaddr_storage where;
};

/* For OPTION_CUSTOM. */
bool scanner_address_read(struct option_reader *reader, const struct node *value, void *field);
#define SCANNER_ADDRESS_EXPECTED "an address and port, or the path of a Unix socket"

enum scanner_reading {
	SCANNER_MORE,      /* it is not whole */
	SCANNER_GOOD,      /* the answer, read into `into` */
	SCANNER_TOO_LARGE, /* it does not take messages of this size; `why` */
	SCANNER_BAD        /* it failed, or this is no answer; `why` */
};

/* is_over: nothing more will come. why: a line of plain text. */
typedef enum scanner_reading (*scanner_reader)(
    void *into, struct slice answer, bool is_over, char why[SCANNER_WHY_MOST]);

struct scanner_talk {
	void (*put)(struct conn *conn, struct slice piece); /* NULL: as it is */
	const char *finish;                                 /* behind the message */
	size_t finish_length;
	bool shuts;         /* the end is said by shutting our direction down */
	size_t answer_most; /* bytes; more of it is FAILED */
	scanner_reader read;
};

/* What a filter agrees with its scanner; what it points to lasts as long as the service. */
struct scanner_terms {
	const char *name; /* "clamav", in the log */
	const struct scanner_address *address;
	double timeout;
	uint64_t size_most; /* of a message; 0: no limit */
	const struct scanner_talk *talk, *ping;
	struct slice ping_text;
};

/* What the worker lends; all of it lasts longer than the service. */
struct scanner_host {
	struct arena *arena;
	struct ev_loop *loop;
	struct task_queue *tasks;
	struct spool_limits *spool; /* NULL: for pings only */
	bool is_silent;             /* nothing is logged: somebody else tells */
};

struct scanner_service;
struct scanner_service *
scanner_service_new(const struct scanner_host *host, const struct scanner_terms *terms);

enum scanner_state { SCANNER_RUNS, SCANNER_ANSWERED, SCANNER_SKIPPED, SCANNER_FAILED };

struct scanner;

/*
 * head: what is said before the message, copied. into: for the reader; as old as arena. task:
 * woken when the state changes. A scanner of scanner_ping() is not fed and not ended.
 */
struct scanner *scanner_new(struct scanner_service *service, struct arena *arena, struct task *task,
    struct slice head, void *into);
struct scanner *
scanner_ping(struct scanner_service *service, struct arena *arena, struct task *task);

void scanner_feed(struct scanner *scanner, struct slice bytes);
enum scanner_state scanner_end(struct scanner *scanner);

enum scanner_state scanner_state(const struct scanner *scanner);
const char *scanner_why(const struct scanner *scanner); /* "" unless skipped or failed */
