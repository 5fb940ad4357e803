/* Opening and reading. */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "lib/store_private.h"

/*
 * In a gigabyte of pages there is room for all tables when they are full, so that their own
 * bounds are reached first. The file is as large as what was in it at most; the rest is address
 * space, a quarter of it more than may be in use, since to take out needs room, too.
 */
enum {
	BANS = 1500000,
	GREYLIST = 2000000,
	RECIPIENTS = 200000,
	BYTES_MOST = 1024 * 1024 * 1024,
	READERS = 1024
};

const struct store_kind store_kinds[STORE_TABLES] = {
	[STORE_BANS] = { "bans", BANS, false },
	[STORE_GREYLIST] = { "greylist", GREYLIST, true },
	[STORE_RECIPIENTS] = { "recipients", RECIPIENTS, true },
};

static const char store_ends[] = "ends";

/* ---- keys and rows ---- */

uint64_t
store_milliseconds(double seconds)
{
	return seconds > 0 && seconds < 1e15 ? (uint64_t)(seconds * 1000 + 0.5) : 0;
}

void
store_stamp(unsigned char *out, uint64_t value)
{
	for (int i = 7; i >= 0; i--, value >>= 8)
		out[i] = (unsigned char)value;
}

uint64_t
store_stamp_read(const unsigned char *in)
{
	uint64_t value = 0;

	for (int i = 0; i < 8; i++)
		value = value << 8 | in[i];
	return value;
}

MDB_val
store_val(struct slice slice)
{
	return (MDB_val) { slice.length, (void *)slice.data };
}

bool
store_entry_read(struct store_entry *entry, const MDB_val *key, const MDB_val *row)
{
	const unsigned char *stamps = row->mv_data;

	if (row->mv_size < STORE_STAMPS || row->mv_size > STORE_ROW_MOST ||
	    key->mv_size > STORE_KEY_MOST)
		return false;
	entry->since = (double)store_stamp_read(stamps) / 1000;
	entry->end = (double)store_stamp_read(stamps + 8) / 1000;
	entry->key = (struct slice) { entry->room, key->mv_size };
	entry->value = (struct slice) { entry->room + key->mv_size, row->mv_size - STORE_STAMPS };
	memcpy(entry->room, key->mv_data, key->mv_size);
	memcpy(entry->room + key->mv_size, stamps + STORE_STAMPS, entry->value.length);
	return true;
}

/* ---- opening ---- */

static void
store_undo(void *arg)
{
	struct store *store = arg;

	if (store->is_writer)
		store_commit(store);
	if (store->txn != NULL)
		mdb_txn_abort(store->txn);
	mdb_env_close(store->env);
}

static const char *
store_why(int code)
{
	switch (code) {
	case MDB_INVALID:
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_PANIC:
	case MDB_INCOMPATIBLE:
		return "the file is damaged";
	case MDB_VERSION_MISMATCH:
		return "the file was made by another version";
	default:
		return mdb_strerror(code);
	}
}

/* The tables' handles; the writer makes what is missing. */
static int
store_open_tables(struct store *store)
{
	unsigned flags = store->is_writer ? MDB_CREATE : 0;
	MDB_txn *txn;
	int code = mdb_txn_begin(store->env, NULL, store->is_writer ? 0 : MDB_RDONLY, &txn);

	if (code != 0)
		return code;
	for (size_t i = 0; i < STORE_TABLES && code == 0; i++)
		code = mdb_dbi_open(txn, store_kinds[i].name, flags, &store->tables[i]);
	if (code == 0)
		code = mdb_dbi_open(txn, store_ends, flags, &store->ends);
	if (code == 0)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return code;
}

static int
store_open(struct store *store, const char *folder)
{
	unsigned flags = store->is_writer ? MDB_NOTLS : MDB_NOTLS | MDB_RDONLY;
	int code = mdb_env_create(&store->env);

	if (code != 0)
		return code;
	mdb_env_set_maxdbs(store->env, STORE_TABLES + 1);
	mdb_env_set_maxreaders(store->env, READERS);
	mdb_env_set_mapsize(store->env, store->bytes_most + store->bytes_most / 4);
	code = mdb_env_open(store->env, folder, flags, S_IRUSR | S_IWUSR);
	if (code == 0)
		code = store_open_tables(store);
	return code;
}

static struct store *
store_new(struct arena *arena, const char *folder, const struct store_bounds *bounds,
    bool is_writer, const char **why)
{
	struct store *store = arena_alloc(arena, sizeof(*store));
	int code;

	*store = (struct store) { .arena = arena, .is_writer = is_writer };
	store->bytes_most = bounds != NULL && bounds->bytes > 0 ? bounds->bytes : BYTES_MOST;
	for (size_t i = 0; i < STORE_TABLES; i++)
		store->most[i] = bounds != NULL && bounds->entries[i] > 0 ? bounds->entries[i]
									  : store_kinds[i].most;
	code = store_open(store, folder);
	if (code == 0) {
		arena_defer(arena, store_undo, store);
		return store;
	}
	*why = store_why(code);
	if (store->env != NULL)
		mdb_env_close(store->env);
	return NULL;
}

/* Are all pages there? */
static bool
store_is_whole(struct store *store, const char *folder)
{
	char path[PATH_MAX];
	MDB_envinfo info;
	MDB_stat stat;
	struct stat file;

	snprintf(path, sizeof(path), "%s/data.mdb", folder);
	return mdb_env_info(store->env, &info) == 0 && mdb_env_stat(store->env, &stat) == 0 &&
	    lstat(path, &file) == 0 &&
	    (uint64_t)file.st_size >= (uint64_t)(info.me_last_pgno + 1) * stat.ms_psize;
}

/* Reads every entry. */
static bool
store_check(struct store *store, MDB_dbi table, bool is_ends)
{
	static struct store_entry entry;
	MDB_cursor *cursor;
	MDB_val key, row;
	int code = mdb_cursor_open(store->txn, table, &cursor);
	bool is_good = code == 0;

	if (code != 0)
		return false;
	while (is_good && (code = mdb_cursor_get(cursor, &key, &row, MDB_NEXT)) == 0)
		is_good = is_ends ? key.mv_size > 9 && key.mv_size <= STORE_END_KEY
				  : store_entry_read(&entry, &key, &row);
	mdb_cursor_close(cursor);
	return is_good && code == MDB_NOTFOUND;
}

struct store *
store_new_writer(
    struct arena *arena, const char *folder, const struct store_bounds *bounds, const char **why)
{
	struct store *store = store_new(arena, folder, bounds, true, why);
	bool is_good = store != NULL && store_is_whole(store, folder) && store_enter(store);

	for (size_t i = 0; is_good && i < STORE_TABLES; i++)
		is_good = store_check(store, store->tables[i], false);
	is_good = is_good && store_check(store, store->ends, true);
	if (store != NULL && !is_good)
		*why = store_why(MDB_CORRUPTED);
	return is_good ? store : NULL;
}

struct store *
store_new_reader(struct arena *arena, const char *folder, const char **why)
{
	return store_new(arena, folder, NULL, false, why);
}

/* ---- reading ---- */

static bool
store_enter_reader(struct store *store)
{
	int code = store->txn != NULL ? mdb_txn_renew(store->txn)
				      : mdb_txn_begin(store->env, NULL, MDB_RDONLY, &store->txn);

	if (code == MDB_MAP_RESIZED && mdb_env_set_mapsize(store->env, 0) == 0)
		code = store->txn != NULL
		    ? mdb_txn_renew(store->txn)
		    : mdb_txn_begin(store->env, NULL, MDB_RDONLY, &store->txn);
	return code == 0;
}

bool
store_enter(struct store *store)
{
	if (!store->is_writer)
		return store_enter_reader(store);
	return store->txn != NULL || mdb_txn_begin(store->env, NULL, 0, &store->txn) == 0;
}

/* An old snapshot would keep its pages from being used again. */
void
store_leave(struct store *store)
{
	if (!store->is_writer)
		mdb_txn_reset(store->txn);
}

static enum store_result
store_result(struct store_entry *entry, int code, const MDB_val *key, const MDB_val *row)
{
	if (code == MDB_NOTFOUND)
		return STORE_NONE;
	return code == 0 && store_entry_read(entry, key, row) ? STORE_HAS : STORE_FAILED;
}

enum store_result
store_get(struct store *store, enum store_table table, struct slice key, double now,
    struct store_entry *entry)
{
	MDB_val name = store_val(key), row;
	enum store_result result = STORE_FAILED;

	assert(key.length > 0 && key.length <= STORE_KEY_MOST);
	if (!store_enter(store))
		return STORE_FAILED;
	result = store_result(
	    entry, mdb_get(store->txn, store->tables[table], &name, &row), &name, &row);
	store_leave(store);
	return result == STORE_HAS && entry->end <= now ? STORE_NONE : result;
}

enum store_result
store_below(
    struct store *store, enum store_table table, struct slice key, struct store_entry *entry)
{
	MDB_val name = store_val(key), row;
	enum store_result result = STORE_FAILED;
	MDB_cursor *cursor;
	int code;

	assert(key.length > 0 && key.length <= STORE_KEY_MOST);
	if (!store_enter(store))
		return STORE_FAILED;
	if (mdb_cursor_open(store->txn, store->tables[table], &cursor) == 0) {
		code = mdb_cursor_get(cursor, &name, &row, MDB_SET_RANGE);
		if (code == 0 || code == MDB_NOTFOUND)
			code = mdb_cursor_get(cursor, &name, &row, code == 0 ? MDB_PREV : MDB_LAST);
		result = store_result(entry, code, &name, &row);
		mdb_cursor_close(cursor);
	}
	store_leave(store);
	return result;
}

enum store_result
store_above(
    struct store *store, enum store_table table, struct slice key, struct store_entry *entry)
{
	MDB_val name = store_val(key), row;
	enum store_result result = STORE_FAILED;
	MDB_cursor *cursor;
	int code;

	assert(key.length <= STORE_KEY_MOST);
	if (!store_enter(store))
		return STORE_FAILED;
	if (mdb_cursor_open(store->txn, store->tables[table], &cursor) == 0) {
		code =
		    mdb_cursor_get(cursor, &name, &row, key.length > 0 ? MDB_SET_RANGE : MDB_FIRST);
		if (code == 0 && slice_equals((struct slice) { name.mv_data, name.mv_size }, key))
			code = mdb_cursor_get(cursor, &name, &row, MDB_NEXT);
		result = store_result(entry, code, &name, &row);
		mdb_cursor_close(cursor);
	}
	store_leave(store);
	return result;
}

static size_t
store_count(struct store *store, MDB_dbi table)
{
	MDB_stat stat;

	return mdb_stat(store->txn, table, &stat) == 0 ? stat.ms_entries : 0;
}

void
store_statistics(struct store *store, struct store_statistics *statistics)
{
	MDB_envinfo info;
	MDB_stat stat;

	*statistics = store->statistics;
	statistics->bytes_most = store->bytes_most;
	if (mdb_env_info(store->env, &info) == 0 && mdb_env_stat(store->env, &stat) == 0)
		statistics->bytes = (info.me_last_pgno + 1) * stat.ms_psize;
	if (!store_enter(store))
		return;
	for (size_t i = 0; i < STORE_TABLES; i++)
		statistics->entries[i] = store_count(store, store->tables[i]);
	store_leave(store);
}
