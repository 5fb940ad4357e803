/*
 * What the master hands over, checked by it; fields are divided by tabs:
 *
 *	ban NETWORK END REASON NOTE    NOTE: a line for the answer, or empty
 *	unban NETWORK
 *	bans FORMAT AFTER              FORMAT: text or json; AFTER: a network, or empty
 */
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "lib/ban.h"
#include "lib/clock.h"
#include "lib/json.h"
#include "lib/log.h"
#include "proxy/keeper.h"

enum { FIELDS = 5, BANS_AT_ONCE = 1000 };

static const char keeper_command_name[] = "postern ban";

static int
keeper_ban(struct store *store, char **fields, struct buf *answer)
{
	char key[BAN_KEY_MOST] = "", value[BAN_VALUE_MOST] = "";
	char text[NETWORK_TEXT_MOST], time[TIME_ISO_MOST];
	struct ban ban = { .end = strtod(fields[2], NULL) };

	if (!network_read(&ban.network, slice_of(fields[1]), NULL))
		return EX_USAGE;
	snprintf(ban.who, sizeof(ban.who), "%s", keeper_command_name);
	snprintf(ban.reason, sizeof(ban.reason), "%s", fields[3]);
	struct slice name = { key, ban_key(key, &ban.network) };

	network_text(text, &ban.network);
	if (!store_put(store, STORE_BANS, name, (struct slice) { value, ban_value(value, &ban) },
		clock_unix(), ban.end)) {
		buf_print(answer, "%s could not be banned: no room, or the disk does not take it\n",
		    text);
		return EX_IOERR;
	}
	time_iso(time, ban.end);
	log_line(LEVEL_INFO, "ban", "%s is banned until %s%s%s", text, time,
	    ban.reason[0] != '\0' ? ": " : "", ban.reason);
	buf_print(answer, "%s is banned until %s\n", text, time);
	if (fields[4][0] != '\0')
		buf_print(answer, "%s\n", fields[4]);
	return EX_OK;
}

/* A smaller network within a ban, or one around bans, is none that was banned. */
static int
keeper_unban(struct store *store, char **fields, struct buf *answer)
{
	char key[BAN_KEY_MOST] = "", text[NETWORK_TEXT_MOST];
	struct network network;

	if (!network_read(&network, slice_of(fields[1]), NULL))
		return EX_USAGE;
	network_text(text, &network);
	if (!store_forget(store, STORE_BANS, (struct slice) { key, ban_key(key, &network) })) {
		buf_print(answer, "%s is not among the bans (see postern bans)\n", text);
		return EX_DATAERR;
	}
	log_line(LEVEL_INFO, "ban", "%s is not banned any more", text);
	buf_print(answer, "%s is not banned any more\n", text);
	return EX_OK;
}

static void
keeper_print_text(struct buf *answer, const struct ban *ban)
{
	char network[NETWORK_TEXT_MOST], time[TIME_ISO_MOST];

	buf_print(answer, "%-20s until %.19sZ  by %s%s%s\n", network_text(network, &ban->network),
	    time_iso(time, ban->end), ban->who, ban->reason[0] != '\0' ? ": " : "", ban->reason);
}

static void
keeper_print_json(struct buf *answer, const struct ban *ban)
{
	char network[NETWORK_TEXT_MOST], time[TIME_ISO_MOST];
	struct json json;

	json_init(&json, answer);
	json_open_object(&json);
	json_text(json_key(&json, "network"), network_text(network, &ban->network));
	json_text(json_key(&json, "since"), time_iso(time, ban->since));
	json_text(json_key(&json, "until"), time_iso(time, ban->end));
	json_text(json_key(&json, "by"), ban->who);
	json_text(json_key(&json, "reason"), ban->reason);
	json_close_object(&json);
	buf_append_byte(answer, '\n');
}

/* A page of them. "after NETWORK" as the last line says that there are more. */
static int
keeper_bans(struct store *store, char **fields, struct buf *answer)
{
	bool is_json = strcmp(fields[1], "json") == 0;
	struct store_entry entry;
	struct network after;
	struct ban ban;
	char key[BAN_KEY_MOST] = "", text[NETWORK_TEXT_MOST];
	struct slice place = { key, 0 };
	double now = clock_unix();
	int count = 0;

	if (fields[2][0] != '\0' && network_read(&after, slice_of(fields[2]), NULL))
		place.length = ban_key(key, &after);
	while (count < BANS_AT_ONCE && store_above(store, STORE_BANS, place, &entry) == STORE_HAS &&
	    ban_read(&ban, &entry)) {
		place.length = ban_key(key, &ban.network);
		count++;
		if (ban.end > now)
			(is_json ? keeper_print_json : keeper_print_text)(answer, &ban);
	}
	if (count == BANS_AT_ONCE)
		buf_print(answer, "after %s\n", network_text(text, &ban.network));
	return EX_OK;
}

static const struct keeper_row {
	const char *name;
	size_t fields;
	int (*run)(struct store *store, char **fields, struct buf *answer);
} keeper_rows[] = {
	{ "ban", 5, keeper_ban },
	{ "unban", 2, keeper_unban },
	{ "bans", 3, keeper_bans },
};

int
keeper_command(struct store *store, char *line, struct buf *answer)
{
	char *fields[FIELDS] = { line }, *rest = line;
	size_t count = 0;

	while (count < FIELDS && rest != NULL)
		fields[count++] = strsep(&rest, "\t");
	for (size_t i = 0; i < sizeof(keeper_rows) / sizeof(*keeper_rows); i++)
		if (strcmp(keeper_rows[i].name, fields[0]) == 0 && keeper_rows[i].fields == count &&
		    rest == NULL)
			return keeper_rows[i].run(store, fields, answer);
	return EX_USAGE;
}
