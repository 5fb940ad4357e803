/* Changing. */
#include <assert.h>

#include "lib/clock.h"
#include "lib/store_private.h"

enum {
	GATHERED_MOST = 2000, /* changes between two commits */
	PURGE_FOR_ONE = 16,   /* that have ended, when one is to be put where no room is */
	EVICT_FOR_ONE = 2,    /* where the file is nearly full: pages become free only by and by */
	RECOVER = 20
};

/* Seconds until it is tried again after the file or the disk was full. */
static const double store_patience = 1;

/* ---- the batch ---- */

bool
store_has_changes(const struct store *store)
{
	return store->is_changed;
}

/* All that was gathered is lost. */
static void
store_lose(struct store *store)
{
	if (store->txn != NULL)
		mdb_txn_abort(store->txn);
	store->statistics.dropped += store->gathered;
	store->txn = NULL;
	store->is_changed = false;
	store->gathered = 0;
	store->is_full = true; /* whatever it was: to have more room does no harm */
}

bool
store_commit(struct store *store)
{
	MDB_txn *txn = store->txn;
	int code;

	assert(store->is_writer);
	if (txn == NULL)
		return true;
	if (!store->is_changed) {
		mdb_txn_abort(txn);
		store->txn = NULL;
		return true;
	}
	store->txn = NULL; /* gone, whatever comes of it */
	code = mdb_txn_commit(txn);
	if (code != 0)
		store_lose(store);
	store->is_changed = false;
	store->gathered = 0;
	return code == 0;
}

/* ---- entries and their ends ---- */

static size_t
store_end_key(
    unsigned char out[STORE_END_KEY], enum store_table table, uint64_t end, struct slice key)
{
	out[0] = (unsigned char)table;
	store_stamp(out + 1, end);
	memcpy(out + 9, key.data, key.length);
	return 9 + key.length;
}

static int
store_end(struct store *store, enum store_table table, uint64_t end, struct slice key, bool is_new)
{
	unsigned char room[STORE_END_KEY];
	MDB_val name = { store_end_key(room, table, end, key), room }, none = { 0, room };

	if (is_new)
		return mdb_put(store->txn, store->ends, &name, &none, 0);
	int code = mdb_del(store->txn, store->ends, &name, NULL);

	return code == MDB_NOTFOUND ? 0 : code;
}

/* The present row's end; false: there is none. */
static bool
store_find(struct store *store, enum store_table table, struct slice key, uint64_t *end)
{
	MDB_val name = store_val(key), row;

	if (mdb_get(store->txn, store->tables[table], &name, &row) != 0 ||
	    row.mv_size < STORE_STAMPS)
		return false;
	*end = store_stamp_read((const unsigned char *)row.mv_data + 8);
	return true;
}

static int
store_remove(struct store *store, enum store_table table, struct slice key)
{
	MDB_val name = store_val(key);
	uint64_t end;
	int code = 0;

	if (store_find(store, table, key, &end))
		code = store_end(store, table, end, key, false);
	if (code == 0)
		code = mdb_del(store->txn, store->tables[table], &name, NULL);
	return code == MDB_NOTFOUND ? 0 : code;
}

/* The place in `ends` of this table's entry that ends first, if that is by `limit`; 0: none. */
static size_t
store_first_end(
    struct store *store, enum store_table table, uint64_t limit, unsigned char found[STORE_END_KEY])
{
	unsigned char from[1] = { (unsigned char)table };
	MDB_val name = { 1, from }, none;
	MDB_cursor *cursor;
	size_t length = 0;

	if (mdb_cursor_open(store->txn, store->ends, &cursor) != 0)
		return 0;
	if (mdb_cursor_get(cursor, &name, &none, MDB_SET_RANGE) == 0 && name.mv_size > 9 &&
	    name.mv_size <= STORE_END_KEY) {
		memcpy(found, name.mv_data, name.mv_size);
		if (found[0] == table && store_stamp_read(found + 1) <= limit)
			length = name.mv_size;
	}
	mdb_cursor_close(cursor);
	return length;
}

/* Takes out up to `most` entries of a table that end by `limit`, in that order; how many.
 * *code: 0, or why it ended early. */
static size_t
store_take_out(struct store *store, enum store_table table, uint64_t limit, size_t most, int *code)
{
	unsigned char end[STORE_END_KEY];
	size_t count = 0, length;

	*code = 0;
	while (count < most && (length = store_first_end(store, table, limit, end)) > 0) {
		MDB_val place = { length, end }, name = { length - 9, end + 9 };

		*code = mdb_del(store->txn, store->ends, &place, NULL);
		if (*code == 0)
			*code = mdb_del(store->txn, store->tables[table], &name, NULL);
		if (*code == MDB_NOTFOUND)
			*code = 0;
		if (*code != 0)
			break;
		store->is_changed = true;
		count++;
	}
	return count;
}

/* ---- room ---- */

/* Pages that wait to be used again. */
static size_t
store_free_pages(struct store *store)
{
	size_t pages = 0, some;
	MDB_cursor *cursor;
	MDB_val name, list;
	MDB_txn *txn;

	if (mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn) != 0)
		return 0;
	if (mdb_cursor_open(txn, 0, &cursor) == 0) {
		while (mdb_cursor_get(cursor, &name, &list, MDB_NEXT) == 0) {
			memcpy(&some, list.mv_data, sizeof(some));
			pages += some;
		}
		mdb_cursor_close(cursor);
	}
	mdb_txn_abort(txn);
	return pages;
}

/* Is nine tenths of what may be in use? Counted only when the file has grown so far. */
static bool
store_is_tight(struct store *store)
{
	MDB_envinfo info;
	MDB_stat stat;

	if (mdb_env_info(store->env, &info) != 0 || mdb_env_stat(store->env, &stat) != 0)
		return false;
	size_t pages = info.me_last_pgno + 1, most = store->bytes_most / stat.ms_psize / 10 * 9;

	return pages > most && pages - store_free_pages(store) > most;
}

/* Up to `most` entries that may be lost, of `first` if it has any; how many. */
static size_t
store_evict(struct store *store, enum store_table first, size_t most, int *code)
{
	size_t count = 0;

	*code = 0;
	if (store_kinds[first].may_lose)
		count = store_take_out(store, first, UINT64_MAX, most, code);
	for (size_t i = 0; i < STORE_TABLES && count < most && *code == 0; i++)
		if (store_kinds[i].may_lose)
			count += store_take_out(store, i, UINT64_MAX, most - count, code);
	store->statistics.evicted += count;
	return count;
}

/* After the file or the disk was full: does it go again, when a little is taken out? (That
 * needs some room as well.) */
static bool
store_recover(struct store *store)
{
	double now = clock_seconds();
	int code;

	if (now < store->retry)
		return false;
	store->retry = now + store_patience;
	if (!store_enter(store))
		return false;
	store_evict(store, STORE_GREYLIST, RECOVER, &code);
	if (code != 0) {
		store_lose(store);
		return false;
	}
	store->is_full = false;
	return store_commit(store);
}

/* For one new entry. 0: there is; MDB_KEYEXIST: refused; else what failed. */
static int
store_room_for_one(struct store *store, enum store_table table, double now)
{
	MDB_stat stat;
	int code = mdb_stat(store->txn, store->tables[table], &stat);
	bool is_full = stat.ms_entries >= store->most[table];

	if (code != 0 || (!is_full && !store->is_tight))
		return code;
	if (store_take_out(store, table, store_milliseconds(now), PURGE_FOR_ONE, &code) > 0 ||
	    code != 0)
		return code;
	if (is_full && !store_kinds[table].may_lose)
		return MDB_KEYEXIST;
	return store_evict(store, table, is_full ? 1 : EVICT_FOR_ONE, &code) > 0 || code != 0
	    ? code
	    : MDB_KEYEXIST;
}

/* ---- changes ---- */

static bool
store_begin(struct store *store)
{
	assert(store->is_writer);
	if (store->gathered >= GATHERED_MOST)
		store_commit(store);
	if (store->txn == NULL)
		store->is_tight = store_is_tight(store);
	return store_enter(store);
}

static int
store_write(struct store *store, enum store_table table, struct slice key, struct slice value,
    double since, double end)
{
	unsigned char room[STORE_ROW_MOST];
	MDB_val name = store_val(key), row = { STORE_STAMPS + value.length, room };
	uint64_t old, last = store_milliseconds(end);
	int code = 0;

	store_stamp(room, store_milliseconds(since));
	store_stamp(room + 8, last);
	memcpy(room + STORE_STAMPS, value.data, value.length);
	if (store_find(store, table, key, &old))
		code = store_end(store, table, old, key, false);
	if (code == 0)
		code = store_end(store, table, last, key, true);
	if (code == 0)
		code = mdb_put(store->txn, store->tables[table], &name, &row, 0);
	return code;
}

bool
store_put(struct store *store, enum store_table table, struct slice key, struct slice value,
    double now, double end)
{
	uint64_t old;
	int code;

	assert(key.length > 0 && key.length <= STORE_KEY_MOST);
	assert(value.length <= STORE_VALUE_MOST);
	if ((store->is_full && !store_recover(store)) || !store_begin(store)) {
		store->statistics.dropped++;
		return false;
	}
	store->gathered++;
	code = store_find(store, table, key, &old) ? 0 : store_room_for_one(store, table, now);
	if (code == MDB_KEYEXIST) {
		store->gathered--;
		store->statistics.refused++;
		return false;
	}
	if (code == 0)
		code = store_write(store, table, key, value, now, end);
	if (code != 0)
		store_lose(store);
	else
		store->is_changed = true;
	return code == 0;
}

bool
store_forget(struct store *store, enum store_table table, struct slice key)
{
	uint64_t end;
	int code;

	assert(key.length > 0 && key.length <= STORE_KEY_MOST);
	if (!store_begin(store) || !store_find(store, table, key, &end))
		return false;
	store->gathered++;
	code = store_remove(store, table, key);
	if (code != 0)
		store_lose(store);
	else
		store->is_changed = true;
	return code == 0;
}

size_t
store_purge(struct store *store, double now, size_t most)
{
	size_t count = 0;
	int code = 0;

	if (!store_begin(store))
		return 0;
	for (size_t i = 0; i < STORE_TABLES && code == 0; i++)
		count += store_take_out(store, i, store_milliseconds(now), most - count, &code);
	if (code == 0)
		return count;
	store_lose(store);
	return 0;
}

void
store_tidy(struct store *store)
{
	int dead;

	mdb_reader_check(store->env, &dead);
}
