/*
 * backend_private: what backend.c (the session and its dialogue) and backend_open.c (the way
 * to its first command) share.
 */
#pragma once

#include "proxy/backend.h"
#include "proxy/route.h"

typedef enum step (*backend_step)(struct backend *backend);

struct backend {
	struct worker *worker;
	struct arena *arena;
	struct task *task;
	struct route route; /* which server and address is tried now */
	struct conn *conn;
	backend_step step; /* of the opening; NULL: it is open */
	ev_timer limit;
	bool is_late; /* the limit has passed */
	bool is_lost, was_open;
	bool is_without_tls; /* opportunistic TLS has failed with this address */
	bool is_in_text;     /* between 354 and the final dot */
	unsigned owed;       /* replies */
	bool is_reading;     /* reader is within a reply */
	struct reply_reader reader;
	struct smtp_ehlo ehlo;
	double lost_at;
	char fault[200];
};

/* The first step of the opening. */
enum step backend_connect(struct backend *backend);

void backend_time(struct backend *backend, struct seconds limit); /* from now on */
void backend_no_time(struct backend *backend);

/* A reply from the input. END_SESSION: *why it cannot be had. */
enum step backend_read(
    struct backend *backend, struct arena *arena, const struct reply **reply, const char **why);

/* The session is lost: what the client is told, and why for the log. END_SESSION. */
enum step backend_lose(struct backend *backend, const char *fault, const char *why);
