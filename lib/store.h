/*
 * store: what is remembered for a while, over sessions and restarts: tables whose entries end
 * by themselves.
 *
 * An LMDB environment, the two files data.mdb and lock.mdb in a folder of its own. One process
 * writes, as many as like read; readers see what was committed, never wait for the writer, and
 * never make it wait. All of them run as the same user, for readers, too, write the lock file.
 * A store is opened after the fork, by each process for itself.
 *
 * An entry has a time at which it ends (Unix seconds, kept in milliseconds). What has ended is
 * not found any more; store_purge() takes it out.
 *
 * The writer's changes are gathered and committed together by store_commit(), which waits for
 * the disk: a cut of power takes the changes since the last one, and nothing else.
 *
 * Each table has a bound on its entries. When it is reached, what has ended goes first; then,
 * where the table may lose entries (what is greylisted comes again), the one that would have
 * ended first; else the new entry is refused. The file has a bound, too: near it, entries that may be
 * lost go, and without any the changes are dropped. When the disk is full, all that was gathered
 * since the last commit is dropped, and it is tried again a second later.
 *
 * Errors are values: a line of plain text in *why, STORE_FAILED, or a count in the statistics.
 */
#pragma once

#include <stdint.h>

#include "lib/arena.h"

enum store_table { STORE_BANS, STORE_GREYLIST, STORE_RECIPIENTS, STORE_TABLES };

enum { STORE_KEY_MOST = 64, STORE_VALUE_MOST = 1024 };

enum store_result { STORE_HAS, STORE_NONE, STORE_FAILED };

struct store_entry {
	struct slice key, value; /* in room */
	double since, end;       /* Unix seconds */
	char room[STORE_KEY_MOST + STORE_VALUE_MOST];
};

struct store_statistics {
	size_t entries[STORE_TABLES]; /* those that have ended and are not purged, too */
	size_t bytes, bytes_most;     /* of the file: in use, and at most */
	uint64_t refused;             /* entries, by a full table */
	uint64_t evicted;             /* entries that had to end early */
	uint64_t dropped;             /* changes that were lost */
};

struct store;

/* Bounds other than the usual ones; for tests. 0: the usual one. */
struct store_bounds {
	size_t entries[STORE_TABLES], bytes;
};

/* Both NULL: *why. The writer makes the files if they are not there, and reads all there is
 * once, so that what is damaged does its harm now: by *why, or by a signal to this process. */
struct store *store_new_writer(
    struct arena *arena, const char *folder, const struct store_bounds *bounds, const char **why);
struct store *store_new_reader(struct arena *arena, const char *folder, const char **why);

/* The entry of this key, if it has not ended by `now`. */
enum store_result store_get(struct store *store, enum store_table table, struct slice key,
    double now, struct store_entry *entry);

/* The entry with the greatest key below this one; with the smallest key above it (an empty key
 * is below all). Also those that have ended. */
enum store_result store_below(
    struct store *store, enum store_table table, struct slice key, struct store_entry *entry);
enum store_result store_above(
    struct store *store, enum store_table table, struct slice key, struct store_entry *entry);

/* ---- for the writer ---- */

/* Puts it in place of an older one. false: refused or failed, and counted. */
bool store_put(struct store *store, enum store_table table, struct slice key, struct slice value,
    double now, double end);

/* Whether there was one. */
bool store_forget(struct store *store, enum store_table table, struct slice key);

bool store_has_changes(const struct store *store); /* that are not committed */
bool store_commit(struct store *store);

/* Takes out up to `most` entries that have ended; how many. */
size_t store_purge(struct store *store, double now, size_t most);

/* Frees what readers that have died still hold. */
void store_tidy(struct store *store);

void store_statistics(struct store *store, struct store_statistics *statistics);
