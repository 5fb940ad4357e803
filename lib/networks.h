/*
 * networks: a list of networks in the configuration, as an ipset.
 *
 *	networks: [ 10.0.0.0/8, "2001:db8::/32", file: more.txt ]
 *
 * `file:` names a text file with one network a line (see lib/ipset.h); relative names are
 * relative to the configuration file. A bad line is a fault with the list's file and line.
 * The field's type is struct networks; its option row is OPTION_NETWORKS.
 */
#pragma once

#include "lib/ipset.h"
#include "lib/option.h"

struct networks {
	const struct ipset *set; /* NULL: empty */
};

#define OPTION_NETWORKS(type, field, ...) OPTION_CUSTOM(type, field, networks_read, __VA_ARGS__)

bool networks_read(struct option_reader *reader, const struct node *value, void *field);

/* where: NULL, or gets "block.txt:17" or "postern.yaml:12" in a buffer of size. */
bool networks_have(const struct networks *networks, struct ip ip, char *where, size_t size);
