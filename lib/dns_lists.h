/*
 * dns_lists: the lists that a filter asks, of those that come with postern and of one's own.
 *
 *	lists:
 *	  - zen                                    a well-known list as it is
 *	  - { id: zen, key: "${env:DQS_KEY}" }     refined: asked with a key
 *	  - { id: local, zone: bl.example.com, codes: { 127.0.0.2: bad } }
 *
 * The well-known ones stand in defaults/lists.yaml, in the same form; the file is looked for
 * beside the configuration, then among the files that come with postern. An entry is laid
 * over the well-known list of its id; entries of one id are one list, the later ones over
 * the earlier.
 *
 * A filter has the entries as an OPTION_LIST with dns_list_options, and calls
 * dns_lists_complete() when its section has been read. All lives in the reader's arena.
 */
#pragma once

#include "lib/dns_list_read.h"

enum { DNS_LISTS_MOST = 64 }; /* that one filter may ask */

struct dns_list_entries {
	size_t count;
	const struct dns_list_entry *item;
};

/* What a filter can ask. */
struct dns_lists_use {
	unsigned kinds;      /* 1u << enum dns_list_kind, and so on */
	const char *instead; /* for the fault: where lists of other kinds belong */
};

struct dns_lists_made {
	struct dns_lists asked;
	struct dns_lists known; /* all well-known ones, for rules about lists that are not asked */
};

/* node: of the entries, or NULL. Faults go to the reader. */
void dns_lists_complete(struct option_reader *reader, const struct node *node,
    const struct dns_list_entries *entries, const struct dns_lists_use *use,
    struct dns_lists_made *made);

/* All lists of a file such as defaults/lists.yaml. */
struct dns_lists dns_lists_read(struct option_reader *reader, const struct node *root);

/* By its id; NULL: there is none. */
const struct dns_list *dns_lists_find(const struct dns_lists *lists, const char *id);

/* The words of a list that is asked or well-known; NULL: there is no such list. */
const char *dns_lists_words(const struct dns_lists_made *made, const char *id);
