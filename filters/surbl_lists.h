/*
 * surbl_lists: what the filter surbl asks its lists, and what it tells of the answers.
 */
#pragma once

#include "filters/filter.h"
#include "filters/surbl.h"
#include "lib/dns_lists.h"
#include "lib/list_guard.h"

struct surbl_options {
	struct dns_list_entries lists;
	struct list_guard_options guard;
	uint32_t hosts;
	bool mail_addresses;
	struct texts headers, never;
	struct dns_lists_made made;
	struct surbl_sets sets;
	size_t most; /* hosts that are asked about */
};

/* A worker's own: a guard for each list. */
struct surbl_shared {
	struct list_guard *guards[DNS_LISTS_MOST];
};

/* Asks all lists about the host, and does not wait. */
void surbl_ask(struct mail *mail, struct surbl_hosts *hosts, const struct surbl_options *options,
    struct surbl_host *host);

/* Tells all that the list has to say, once. False: an answer is still to come. guard: NULL: none. */
bool surbl_list_tell(struct mail *mail, const struct surbl_hosts *hosts,
    const struct dns_list *list, struct list_guard *guard);

/* What the hosts themselves show. */
void surbl_tell_hosts(struct mail *mail, const struct surbl_hosts *hosts);
void surbl_tell_tricks(struct mail *mail, const struct surbl_hosts *hosts);
