/*
 * store_private: what the parts of lib/store share: store.c opens and reads, store_write.c
 * changes.
 */
#pragma once

#include <lmdb.h>

#include "lib/store.h"

enum {
	STORE_STAMPS = 16,                               /* since and end, before the value */
	STORE_END_KEY = 1 + 8 + STORE_KEY_MOST,          /* table, end, key */
	STORE_ROW_MOST = STORE_STAMPS + STORE_VALUE_MOST /* as it lies in the file */
};

struct store {
	struct arena *arena;
	MDB_env *env;
	MDB_dbi tables[STORE_TABLES], ends; /* ends: by the time, for purging */
	MDB_txn *txn;                       /* reader: reset in between; writer: NULL or open */
	bool is_writer, is_changed;
	bool is_tight; /* the file is nearly full: something goes for what comes */
	bool is_full;  /* the file or the disk was */
	double retry;  /* then not before this, clock_seconds() */
	size_t gathered;
	size_t most[STORE_TABLES], bytes_most;
	struct store_statistics statistics; /* the counts only */
};

/* Ready to look or change; false: STORE_FAILED. Each success of a reader's is followed by
 * store_leave(). */
bool store_enter(struct store *store);
void store_leave(struct store *store);

uint64_t store_milliseconds(double seconds);
void store_stamp(unsigned char *out, uint64_t value);
uint64_t store_stamp_read(const unsigned char *in);
MDB_val store_val(struct slice slice);

/* false: it does not look like an entry of ours. */
bool store_entry_read(struct store_entry *entry, const MDB_val *key, const MDB_val *row);

extern const struct store_kind {
	const char *name;
	size_t most;
	bool may_lose; /* an entry to make room for another */
} store_kinds[STORE_TABLES];
