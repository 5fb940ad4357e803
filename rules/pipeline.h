/*
 * pipeline: which filters run, and how far each is.
 *
 * A session's knowledge grows in scopes, one inside the other: the connection (stage
 * CONNECT), the HELO (HELO), the transaction (MAIL, HEADERS, END), each recipient (RCPT).
 * scope_new() opens one; it ends with its arena.
 *
 * scope_reach() says that a stage is reached (saying it again is harmless). scope_run()
 * calls, from the outermost scope inwards, each stage function that has begun and has not
 * yet returned NEXT; a filter's later stage is not begun before its earlier ones are over.
 * Both are cheap and may be called at every turn. scope_waits() says whether any filter of
 * this scope or those around it waits for an answer.
 */
#pragma once

#include "filters/filter.h"
#include "lib/mime.h"

struct pipeline_row {
	const struct filter *filter;
	const void *options;
	bool is_shadow; /* its facts are kept, but no rule sees them decide */
};

enum { PIPELINE_MOST = 32 };

/* Constant once read. */
struct pipeline {
	struct pipeline_row rows[PIPELINE_MOST];
	size_t count;
};

/* May a filter put fields in front of a message, once it is whole? */
bool pipeline_adds_header(const struct pipeline *pipeline);

/* The filters of a worker: what each open() made. */
struct pipeline_host {
	struct filter_host host;
	void *shared[PIPELINE_MOST];
};

/* Calls open() of each filter. host is borrowed and must last as long as any scope. */
void pipeline_open(struct pipeline_host *host, const struct pipeline *pipeline);

typedef void (*scope_watch_uri)(void *arg, const struct part *part, const struct uri *uri);

enum scope_kind { SCOPE_CONNECTION, SCOPE_HELO, SCOPE_TRANSACTION, SCOPE_RECIPIENT };

struct scope {
	struct scope *parent;
	enum scope_kind kind;
	const struct pipeline *pipeline;
	const struct pipeline_host *host; /* NULL: none was set */
	struct mail mail;                 /* given to the filters; the owner fills its members */
	struct mime *mime;                /* the message taken apart; rules/parts.h */
	struct part_reader *readers;      /* of its text, by is_raw; NULL: nobody wants to know */
	const struct mime_sink *watch;    /* who wants to see that too; NULL: nobody */
	scope_watch_uri watch_uri;        /* NULL: not the addresses */
	void **states;                    /* per row; the transaction's scope only */
	uint32_t reached[STAGES], over[STAGES]; /* a bit per row */
	bool has_work;                          /* a reached stage is not over */
	bool is_open;                           /* close() is owed */
};

/*
 * parent: NULL for the connection. The new scope's mail is a copy of the parent's (state
 * apart), with arena, dns and a new evidence inside the parent's. For a transaction
 * arena_defer() sees to the filters' close().
 */
struct scope *scope_new(struct arena *arena, struct dns *dns, struct scope *parent,
    enum scope_kind kind, const struct pipeline *pipeline);

/* For the connection's scope, before it is run; the scopes inside it have the same. task:
 * what filters that wait for something of their own wake. */
void scope_set_host(struct scope *scope, const struct pipeline_host *host, struct task *task);

void scope_reach(struct scope *scope, enum stage stage);
void scope_run(struct scope *scope);
bool scope_waits(const struct scope *scope);

/* Shows the parts of the message to one who is no filter, too, behind the filters; and the addresses
 * in them, by uri (NULL: not these), with watch's arg. watch lasts as long as the scope, has all
 * functions but text(), and is told before the first byte. */
void scope_watch(struct scope *transaction, const struct mime_sink *watch, scope_watch_uri uri);

/* For a call of the row's filter: the mail, with what is the filter's own. */
struct mail *scope_lend(struct scope *scope, size_t row);

/* Bytes of the message for the taps. */
bool scope_has_taps(const struct scope *scope);
void scope_raw(struct scope *transaction, struct slice bytes);

/* After the verdict: the fields that filters put in front of a message that passes. */
void scope_headers(struct scope *transaction, struct buf *out);
