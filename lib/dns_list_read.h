/*
 * dns_list_read: one list, as an entry in a YAML file.
 *
 *	{ id: local, zone: bl.example.com, codes: { 127.0.0.2: bad } }
 *
 * dns_list_options are the rows of an entry, for option_read() and OPTION_LIST. A key of
 * `codes:` and `errors:` is an address (127.0.0.2), one with ranges or stars in some octets
 * (127.0.0.4-7, 127.0.*.3), or `bit 4`: that bit of the last octet, whatever the others are.
 * The value is a word for policy rules; in `errors:` what it means, for people.
 *
 * Several entries, and the well-known lists: lib/dns_lists.h.
 */
#pragma once

#include "lib/dns_list.h"
#include "lib/option.h"

/* As it was written; what was not is NULL or empty. */
struct dns_list_entry {
	const char *id, *zone, *keyed_zone, *key, *kind, *asks, *addresses, *terms;
	struct dns_list_codes codes, errors;
	struct texts listed, unlisted;
};

extern const struct option dns_list_options[];

enum { DNS_LIST_CODES_MOST = 200 };

/* An entry laid over another one of the same list: what it says counts. */
struct dns_list_entry
dns_list_lay_over(const struct dns_list_entry *below, const struct dns_list_entry *above);

/* The list that it means. at: the entry, where faults are. A list that is not asked may lack
 * its key. The id must be there. */
struct dns_list dns_list_make(struct option_reader *reader, const struct node *at,
    const struct dns_list_entry *entry, bool is_asked);

/* Readers of single values (option_function). */
bool dns_list_codes_read(struct option_reader *reader, const struct node *value, void *field);
bool dns_list_errors_read(struct option_reader *reader, const struct node *value, void *field);

/* All words of the table, then none and error. */
const char *dns_list_codes_words(struct arena *arena, const struct dns_list_codes *codes);

/* From what is written, or by RFC 5782; NULL: good, else what is wrong. */
const char *dns_list_points_make(struct arena *arena, struct dns_list_points *points,
    enum dns_list_kind kind, const struct texts *texts, bool is_listed);

/* Labels of letters, digits, - and _, with dots between. {key} stands for a label as often as
 * is said. */
bool dns_list_is_zone(const char *zone, unsigned keys);
