/*
 * Requests of the workers, and bans as they lie in the store: what is read is written back as it
 * was.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/ban.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
fuzz_request(struct slice bytes)
{
	char again[STATE_REQUEST_MOST];
	struct state_request request;

	if (!state_request_read(&request, bytes))
		return;
	assert(request.key.length > 0 && request.key.length <= STORE_KEY_MOST);
	assert(request.value.length <= STORE_VALUE_MOST);
	assert(slice_equals(bytes, (struct slice) { again, state_request_write(again, &request) }));
}

/* The first byte is the length of the key. */
static void
fuzz_ban(struct slice bytes)
{
	char key[BAN_KEY_MOST], value[BAN_VALUE_MOST], text[NETWORK_TEXT_MOST];
	struct store_entry entry = { .since = 1, .end = 2 };
	struct ban ban;
	size_t length = (unsigned char)bytes.data[0] % (STORE_KEY_MOST + 1);

	if (length > bytes.length - 1)
		length = bytes.length - 1;
	entry.key = (struct slice) { bytes.data + 1, length };
	entry.value = (struct slice) { bytes.data + 1 + length, bytes.length - 1 - length };
	if (entry.value.length > STORE_VALUE_MOST || !ban_read(&ban, &entry))
		return;
	assert(slice_equals(entry.key, (struct slice) { key, ban_key(key, &ban.network) }));
	assert(ban_value(value, &ban) < sizeof(value));
	network_text(text, &ban.network);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice bytes = { (const char *)data, size };

	fuzz_request(bytes);
	if (size > 0)
		fuzz_ban(bytes);
	return 0;
}
