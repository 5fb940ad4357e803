#include "proxy/status.h"

#include "lib/json.h"

static uint64_t
status_sum(const struct shared *shared, size_t offset)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < SHARED_WORKERS; i++)
		sum += atomic_load(
		    (const atomic_uint_least64_t *)((const char *)&shared->workers[i] + offset));
	return sum;
}

/* What is remembered; the counts of its tables as the keeper has posted them. */
static void
status_state(struct json *json, const struct state_board *board)
{
	static const char *const tables[STORE_TABLES] = {
		[STORE_BANS] = "bans",
		[STORE_GREYLIST] = "greylist",
		[STORE_RECIPIENTS] = "recipients",
	};

	json_open_object(json_key(json, "state"));
	json_bool(json_key(json, "open"), atomic_load(&board->is_open));
	for (size_t i = 0; i < STORE_TABLES; i++)
		json_unsigned(json_key(json, tables[i]), atomic_load(&board->entries[i]));
	json_unsigned(json_key(json, "bytes"), atomic_load(&board->bytes));
	json_unsigned(json_key(json, "evicted"), atomic_load(&board->evicted));
	json_unsigned(json_key(json, "lost"),
	    atomic_load(&board->lost) + atomic_load(&board->refused) +
		atomic_load(&board->dropped));
	json_close_object(json);
}

void
status_write(struct buf *out, const struct shared *shared, const struct generation *newest)
{
	static const struct {
		const char *key;
		size_t offset;
	} rows[] = {
		{ "sessions", offsetof(struct shared_worker, sessions) },
		{ "sessions_total", offsetof(struct shared_worker, sessions_total) },
		{ "messages_accepted", offsetof(struct shared_worker, messages_accepted) },
		{ "messages_refused", offsetof(struct shared_worker, messages_refused) },
		{ "messages_deferred", offsetof(struct shared_worker, messages_deferred) },
		{ "recipients_refused", offsetof(struct shared_worker, recipients_refused) },
		{ "backend_failures", offsetof(struct shared_worker, backend_failures) },
		{ "bytes", offsetof(struct shared_worker, bytes) },
	};
	struct json json;
	unsigned workers = 0;

	for (const struct generation *g = newest; g != NULL; g = g->older)
		for (size_t i = 0; i < g->count; i++)
			workers += g->processes[i].pid > 0;
	json_init(&json, out);
	json_open_object(&json);
	json_text(json_key(&json, "policy"), newest->config->policy.hash);
	json_unsigned(json_key(&json, "workers"), workers);
	json_unsigned(json_key(&json, "reloads"), atomic_load(&shared->reloads));
	json_unsigned(json_key(&json, "crashes"), atomic_load(&shared->crashes));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_unsigned(json_key(&json, rows[i].key), status_sum(shared, rows[i].offset));
	}
	status_state(&json, &shared->state);
	json_close_object(&json);
	buf_append_byte(out, '\n');
}
