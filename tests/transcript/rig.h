/*
 * rig: a whole postern in one process and without a network, for tests.
 *
 * A worker with its loop, a client that is played, and the mail server behind, which is played
 * too. Each connection is a pair of Unix sockets: rig_client() hands one end to session_new();
 * connect(2), which stands here in front of libc's, hands one end to whoever connects. The
 * other ends are struct rig_end. So does clock_gettime(): the monotonic clock, by which all
 * timers go, stands still but for rig_pass().
 *
 * rig_settle() lets the loop turn until nothing moves any more, and takes in meanwhile what
 * postern says. A loop that never comes to rest ends the test.
 *
 * One rig at a time. The configuration is borrowed.
 */
#pragma once

#include <ev.h>

#include "lib/buf.h"
#include "lib/dns_fake.h"
#include "proxy/worker.h"

enum {
	RIG_BACKS = 16,               /* connections to the backend; those over it are refused */
	RIG_BUFFER = 64 * 1024 * 1024 /* bytes in each direction that the test has not taken */
};

struct rig_end {
	int fd;          /* -1: not connected yet, or closed */
	bool is_over;    /* postern has ended its direction */
	bool is_deaf;    /* what postern says is left in the socket */
	bool is_closing; /* fd is closed when `out` has left */
	struct buf got;  /* said by postern, not taken yet */
	struct buf out;  /* to be said to it, as fast as it reads */
};

struct rig {
	struct arena *arena;
	struct ev_loop *loop;
	struct worker *worker;
	struct dns_fake *dns;
	struct rig_end front;
	struct rig_end backs[RIG_BACKS]; /* in the order in which postern connected */
	size_t count;                    /* of backs */
	unsigned refusals;               /* so many connections to come are refused */
	void (*on_turn)(void *arg);      /* after each turn of the loop; NULL: nothing */
	void *arg;
};

/* rows: of DNS, none of them answered yet; what is no row does not exist. */
void rig_begin(struct rig *rig, const struct config *config, const struct dns_row *rows);
void rig_end(struct rig *rig); /* with sessions or without */

/* A client connects; the one before, if any, is closed and forgotten. */
void rig_client(struct rig *rig, const char *address);

void rig_say(struct rig_end *end, struct slice bytes);
void rig_close(struct rig_end *end);
bool rig_is_gone(const struct rig_end *end); /* closed by either side */

void rig_settle(struct rig *rig);
void rig_pass(double seconds);
