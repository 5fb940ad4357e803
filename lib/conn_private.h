/*
 * conn_private: what conn.c and conn_tls.c share.
 */
#pragma once

#include "lib/buf.h"
#include "lib/conn.h"
#include "lib/intake.h"
#include "lib/tls_session.h"

struct conn {
	ev_io io;
	struct ev_loop *loop;
	struct task *task;
	struct arena *arena;
	struct tls_session *tls;
	const char *why;
	struct intake input;
	struct buf output;
	uint64_t bytes_in, bytes_out;
	unsigned limit;
	enum conn_state state;
	int error;        /* of a write that failed, until conn_pull() has read what is left */
	bool is_readable; /* reading may bring something; false after it brought too little */
	bool is_ending;   /* our direction is to be shut down when the output is empty */
	bool was_busy;    /* conn_was_busy() */
	bool is_blocked;  /* the socket took less than was offered */
};

/* Watches for the events that state and buffers have use for now. */
void conn_watch(struct conn *conn);

/* CONN_BROKEN, from what came from outside: wakes the task. why is kept, not copied. */
void conn_end(struct conn *conn, const char *why);

/* CONN_HANDSHAKE: carries it on, if something has come. */
void conn_tls_shake(struct conn *conn);
