/*
 * ban: networks that are kept out for a while, in the store's table of bans.
 *
 * The key is the length of the prefix, then the address, so that all networks of one length
 * lie together: to find an address costs two looks for each length that is in use, whatever
 * the number of bans.
 */
#pragma once

#include "lib/ip.h"
#include "lib/state.h"

enum { BAN_WHO_MOST = 80, BAN_REASON_MOST = 128 }; /* with their NULs */

struct ban {
	struct network network;
	double since, end;            /* Unix seconds */
	char who[BAN_WHO_MOST];       /* "postern ban", "rule no-name" */
	char reason[BAN_REASON_MOST]; /* "": none was given */
};

/* Whose ban it would be: the address, of IPv6 its /64. */
struct network ban_network(struct ip client);

/* The ban that the address is under; of several, that of the smallest network. */
enum store_result ban_find(struct state *state, struct ip ip, struct ban *ban);

/* Tells the keeper. who and reason are cut to their room. */
void ban_tell(struct state *state, const struct ban *ban);

/* ---- for the keeper, and who lists ---- */

enum { BAN_KEY_MOST = 17, BAN_VALUE_MOST = BAN_WHO_MOST + BAN_REASON_MOST };

/* How long it is in `out`. */
size_t ban_key(char out[BAN_KEY_MOST], const struct network *network);
size_t ban_value(char out[BAN_VALUE_MOST], const struct ban *ban);

/* false: it is none. */
bool ban_read(struct ban *ban, const struct store_entry *entry);
