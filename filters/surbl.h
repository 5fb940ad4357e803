/*
 * surbl: the hosts that a message's addresses lead to, as filters/surbl.c has found them.
 */
#pragma once

#include "lib/arena.h"
#include "lib/ip.h"
#include "lib/name_set.h"
#include "lib/uri.h"

enum {
	SURBL_HOSTS_MOST = 500,
	SURBL_FOUND_MOST = 20000, /* addresses that are looked at; then it is full */
	SURBL_URI_MOST = 200
};

struct surbl_host {
	const char *name;       /* lib/host_form.h */
	const char *registered; /* the domain that lists are asked about; of addresses the name */
	const char *uri;        /* as it stood there, its beginning */
	const char *part;       /* "1.2"; "header" */
	enum host_kind kind;
	struct ip ip;
	enum uri_where where;  /* the most telling place */
	unsigned int flags;    /* enum uri_flag */
	unsigned int disguise; /* enum host_flag; of all places */
	uint32_t hash;
	uint8_t rank;    /* 0: the most telling */
	bool is_asked;   /* the lists are */
	bool is_no_name; /* no list can know it */
	bool is_never;   /* and shall not be asked */
	bool is_shortener;
};

/* What a filter has for all messages. */
struct surbl_sets {
	struct name_set levels, shorteners, never;
};

/* Each host once, in the order in which they came. All zero but for the first two at first. */
struct surbl_hosts {
	struct arena *arena;
	const struct surbl_sets *sets;
	struct surbl_host **item;
	size_t count, asked;
	uint64_t found; /* with those that were there already */
	bool is_full;   /* more were found than are kept */
};

/* A host that is new, or that was there and may now stand at a more telling place; NULL: it is
 * not kept. Strings are copied. */
struct surbl_host *
surbl_hosts_add(struct surbl_hosts *hosts, const struct uri *uri, const char *part);

/* Shall it be asked about at once, before the message is over? `most` hosts are asked about. */
bool
surbl_hosts_is_urgent(const struct surbl_hosts *hosts, const struct surbl_host *host, size_t most);

/* At the end: of those that are left the most telling, of new domains first; NULL: there is none,
 * or `most` are asked about. */
struct surbl_host *surbl_hosts_next(const struct surbl_hosts *hosts, size_t most);

/* Are there any that nobody was asked about, though somebody could be? */
bool surbl_hosts_has_more(const struct surbl_hosts *hosts);

struct json;

/* For `explain`: what was found, as a JSON array. */
void surbl_hosts_json(struct json *json, const struct surbl_hosts *hosts);

/* What the filter has found in a message. state: its own; NULL, then: none. */
const struct surbl_hosts *surbl_hosts_of(const void *state);
