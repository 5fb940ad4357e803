/*
 * Answers of clamd, rspamd and spamd. The first octet says whose, and whether the connection has
 * ended behind it. What begins a good answer must not be one itself; what is read out of it must be
 * fit for a log.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "lib/clamd.h"
#include "lib/rspamd.h"
#include "lib/spamd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

union answer {
	struct clamd_answer clamd;
	struct rspamd_answer rspamd;
	struct spamd_answer spamd;
};

static void
check_printable(const char *text, size_t most)
{
	size_t length = strnlen(text, most);

	assert(length < most);
	for (size_t i = 0; i < length; i++)
		assert((unsigned char)text[i] >= ' ' && text[i] != 0x7f);
}

static void
check_symbols(const struct symbols *symbols)
{
	assert(symbols->count <= SYMBOLS_MOST);
	for (size_t i = 0; i < symbols->count; i++) {
		check_printable(symbols->item[i].name, SYMBOL_NAME_MOST);
		assert(symbols_is_score(symbols->item[i].score));
	}
}

static void
check_clamd(const union answer *answer)
{
	check_printable(answer->clamd.name, CLAMD_NAME_MOST);
	assert(answer->clamd.is_infected == (answer->clamd.name[0] != '\0'));
}

static void
check_rspamd(const union answer *answer)
{
	check_printable(answer->rspamd.name, RSPAMD_ACTION_MOST);
	check_symbols(&answer->rspamd.symbols);
	assert(symbols_is_score(answer->rspamd.score));
}

static void
check_spamd(const union answer *answer)
{
	check_symbols(&answer->spamd.symbols);
	assert(symbols_is_score(answer->spamd.score));
}

static const struct {
	scanner_reader read;
	void (*check)(const union answer *answer);
} peers[] = {
	{ clamd_read, check_clamd },
	{ rspamd_read, check_rspamd },
	{ spamd_read, check_spamd },
};

/* A block of just the size, so that a look behind it is seen. */
static enum scanner_reading
read_copy(scanner_reader read, union answer *answer, struct slice text, bool is_over)
{
	char *copy = malloc(text.length > 0 ? text.length : 1);
	char why[SCANNER_WHY_MOST] = "";

	memcpy(copy, text.data, text.length);
	memset(answer, 0, sizeof(*answer));
	enum scanner_reading reading =
	    read(answer, (struct slice) { copy, text.length }, is_over, why);

	free(copy);
	check_printable(why, sizeof(why));
	assert((reading == SCANNER_BAD || reading == SCANNER_TOO_LARGE) == (why[0] != '\0'));
	assert(reading != SCANNER_MORE || !is_over);
	return reading;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	union answer answer;

	if (size == 0)
		return 0;
	size_t peer = data[0] / 2 % 3;
	struct slice text = { (const char *)data + 1, size - 1 };

	if (read_copy(peers[peer].read, &answer, text, data[0] & 1) != SCANNER_GOOD)
		return 0;
	peers[peer].check(&answer);
	for (size_t cut = 1; cut <= text.length; cut = cut * 2 + 1) {
		struct slice begun = { text.data, text.length - cut };

		assert(read_copy(peers[peer].read, &answer, begun, false) == SCANNER_MORE);
	}
	return 0;
}
