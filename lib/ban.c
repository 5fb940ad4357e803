#include "lib/ban.h"

#include <stdio.h>

enum { FAMILY_6 = 64, NARROW_6 = 64, LENGTHS_MOST = 130 };

struct network
ban_network(struct ip client)
{
	return network_of(&client, client.length == 4 ? 32 : NARROW_6);
}

/* ---- keys and values ---- */

/* IPv4: 0 ... 32; IPv6: 64 ... 192. */
static unsigned char
ban_tag(const struct network *network)
{
	return (unsigned char)(network->bits + (network->ip.length == 4 ? 0 : FAMILY_6));
}

size_t
ban_key(char out[BAN_KEY_MOST], const struct network *network)
{
	out[0] = (char)ban_tag(network);
	memcpy(out + 1, network->ip.bytes, network->ip.length);
	return 1 + (size_t)network->ip.length;
}

static bool
ban_read_network(struct network *network, struct slice key)
{
	unsigned tag = key.length > 0 ? (unsigned char)key.data[0] : 0;
	bool is_6 = tag >= FAMILY_6;
	unsigned bits = is_6 ? tag - FAMILY_6 : tag;
	struct ip ip = { .length = is_6 ? 16 : 4 };

	if (key.length != 1 + (size_t)ip.length || bits > 8 * (unsigned)ip.length)
		return false;
	memcpy(ip.bytes, key.data + 1, ip.length);
	*network = network_of(&ip, bits);
	return ip_equals(&network->ip, &ip);
}

/* who, NUL, reason */
size_t
ban_value(char out[BAN_VALUE_MOST], const struct ban *ban)
{
	return (size_t)snprintf(out, BAN_VALUE_MOST, "%s%c%s", ban->who, '\0', ban->reason);
}

bool
ban_read(struct ban *ban, const struct store_entry *entry)
{
	const char *end = memchr(entry->value.data, '\0', entry->value.length);
	size_t who = end != NULL ? (size_t)(end - entry->value.data) : entry->value.length;
	size_t rest = end != NULL ? entry->value.length - who - 1 : 0;

	*ban = (struct ban) { .since = entry->since, .end = entry->end };
	if (who >= BAN_WHO_MOST || rest >= BAN_REASON_MOST)
		return false;
	memcpy(ban->who, entry->value.data, who);
	if (rest > 0)
		memcpy(ban->reason, end + 1, rest);
	return ban_read_network(&ban->network, entry->key);
}

/* ---- workers ---- */

/* Networks of one length after the other, from the longest in use to the shortest. */
enum store_result
ban_find(struct state *state, struct ip ip, struct ban *ban)
{
	struct network network = network_of(&ip, 8u * ip.length);
	struct store_entry entry;
	enum store_result result = STORE_NONE;
	char key[BAN_KEY_MOST];

	for (int i = 0; i < LENGTHS_MOST; i++) {
		size_t length = ban_key(key, &network);

		result = state_get(state, STORE_BANS, (struct slice) { key, length }, &entry);
		if (result == STORE_HAS)
			return ban_read(ban, &entry) ? STORE_HAS : STORE_FAILED;
		if (result == STORE_FAILED)
			return STORE_FAILED;
		/* Below all networks of this length: the next shorter length. */
		result = state_below(state, STORE_BANS, (struct slice) { key, 1 }, &entry);
		if (result != STORE_HAS || !ban_read(ban, &entry) ||
		    ban->network.ip.length != ip.length)
			break;
		network = network_of(&ip, ban->network.bits);
	}
	return result == STORE_FAILED ? STORE_FAILED : STORE_NONE;
}

void
ban_tell(struct state *state, const struct ban *ban)
{
	char key[BAN_KEY_MOST], value[BAN_VALUE_MOST];
	struct state_request request = {
		.change = STATE_PUT,
		.table = STORE_BANS,
		.key = { key, ban_key(key, &ban->network) },
		.value = { value, ban_value(value, ban) },
		.end = ban->end,
	};

	state_tell(state, &request);
}
