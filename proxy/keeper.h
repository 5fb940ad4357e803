/*
 * keeper: the process that writes what is remembered (lib/store.h).
 *
 * To write means to hold a lock and to wait for a disk, which no worker may do, and the files
 * can be spoiled by whoever writes them, so root does not. The keeper runs as the workers' user.
 * It takes the workers' requests (lib/state.h) from a datagram socket that they all share,
 * gathers them for a fifth of a second and commits them together; takes out what has ended, a
 * little each second; and answers the commands that are about bans: the master hands it the
 * line and the client.
 *
 * The master starts the keeper first, and waits for it to have read the store. When it cannot
 * (not writable, damaged) that is said once, loudly, and postern runs on without: what depends
 * on the store is the fact `error`, until a reload, which tries again. A keeper that dies later
 * is started anew; requests wait for it meanwhile. It ends when the master closes its socket, or
 * is no more, and ignores signals that are meant for all.
 */
#pragma once

#include <sys/types.h>

#include "lib/state.h"
#include "rules/config.h"

struct keeper {
	struct state_board *board;
	const char *folder, *user; /* do not change while postern runs */
	int link[2];               /* workers write into the second */
	int commands;              /* to the keeper; -1: none */
	pid_t pid;                 /* 0: it does not run */
	double started, not_before;
	unsigned crashes; /* in a row */
	bool is_ready;    /* the present one has told what it found */
	bool is_given_up; /* it cannot open the store */
};

enum { KEEPER_LINE = 512, KEEPER_DAMAGED = 65 /* exit status: the file, EX_DATAERR */ };

/* Makes the folder, if there is none, and the sockets. What cannot be made shows later. */
void keeper_init(struct keeper *keeper, struct arena *arena, const struct config *config,
    struct state_board *board);

/* 0: this is the child, which has nothing of the master's to close but what it had before,
 * and goes on with keeper_serve(). Else it runs, or need not, or cannot (logged). */
enum keeper_fork { KEEPER_CHILD, KEEPER_PARENT };
enum keeper_fork keeper_fork(struct keeper *keeper);

/* The child's life; its exit status. */
int keeper_serve(struct keeper *keeper);

/* Takes in what a new keeper found, waiting up to `seconds` for it. */
void keeper_hear(struct keeper *keeper, double seconds);

/* Was it the keeper that has ended? */
bool keeper_reap(struct keeper *keeper, pid_t pid, int how);

/* A reload: what was given up is tried again. Another folder or user is for the next start. */
void keeper_reload(struct keeper *keeper, const struct config *config);

/* Hands a command over, with the client that is to be answered. NULL: done; else why not. */
const char *keeper_pass(struct keeper *keeper, const char *line, int client);

/* In a worker: closes what is not its own. */
void keeper_forget(struct keeper *keeper);

/* After the last worker: what was asked for is written, and the keeper ends. */
void keeper_end(struct keeper *keeper);

/* ---- a part of the keeper ---- */

/* A command of the master's, its fields divided by tabs; the status for the client. */
int keeper_command(struct store *store, char *line, struct buf *answer);
