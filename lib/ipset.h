/*
 * ipset: a set of IPv4 and IPv6 networks that knows where each came from.
 *
 * Made in two steps. A builder takes networks, ranges and whole files; ipset_finish() turns them
 * into a set that never changes:
 *
 *	struct ipset_builder *builder = ipset_builder_new(scratch);
 *	int source = ipset_builder_source(builder, "block.txt");
 *
 *	if (!ipset_builder_file(builder, source, "/etc/postern/block.txt", &report) ||
 *	    report.bad > 0)
 *		...
 *	const struct ipset *set = ipset_finish(builder, arena);
 *
 * Files: one address, network (192.0.2.0/24) or range (192.0.2.1-192.0.2.9) per line; comments
 * from # or ; to the end of the line; blank lines; LF or CRLF; a UTF-8 byte order mark. A bad
 * line is left out, counted, and the first IPSET_FAULTS_MOST are kept with their reasons; whether
 * a list with bad lines is used is the caller's decision.
 *
 * The most specific entry (the one of the fewest addresses) is the one reported; of equal ones
 * the first added. IPv4 inside IPv6 counts as IPv4; an IPv6 network never matches an IPv4
 * address, not even ::/0.
 *
 * The set is one flat block without pointers, ipset_size() bytes, and may be copied or lie in a
 * mapping shared between processes. At most 16 bytes for an IPv4 entry and 43 for an IPv6 entry,
 * whatever overlaps. Lookup is a search by halves or eighths; no allocation, no locks.
 *
 * Limits: IPSET_SOURCES_MOST sources, IPSET_LINE_MOST lines in each, files of IPSET_FILE_MOST
 * bytes. Reading a file blocks; it is done in the master or when a worker starts.
 */
#pragma once

#include "lib/arena.h"
#include "lib/ip.h"

enum {
	IPSET_SOURCES_MOST = 256,
	IPSET_LINE_MOST = 0xffffff,
	IPSET_FILE_MOST = 256 * 1024 * 1024,
	IPSET_FAULTS_MOST = 20,
	IPSET_WHY_MOST = 256,
};

struct ipset;
struct ipset_builder;

struct ipset_fault {
	uint32_t line;
	char why[IPSET_WHY_MOST]; /* one printable line */
};

struct ipset_report {
	size_t entries;                               /* lines that went into the set */
	size_t bad;                                   /* lines that did not */
	struct ipset_fault faults[IPSET_FAULTS_MOST]; /* the first of them */
	char why[IPSET_WHY_MOST];                     /* where the call returned false */
};

struct ipset_match {
	const char *source; /* the name given to ipset_builder_source(); lives as long as the set */
	uint32_t line;
};

struct ipset_builder *ipset_builder_new(struct arena *arena);

/* name is copied. -1: there are IPSET_SOURCES_MOST already. */
int ipset_builder_source(struct ipset_builder *builder, const char *name);

/* line: 1 ... IPSET_LINE_MOST. */
void ipset_builder_add(
    struct ipset_builder *builder, int source, uint32_t line, const struct network *network);

/* One entry as it may stand on a line of a file or in a configuration, without comment. */
bool ipset_builder_add_text(struct ipset_builder *builder, int source, uint32_t line,
    struct slice text, char why[IPSET_WHY_MOST]);

/* A file's text. false: too many lines (report->why); nothing of it has been added then. */
bool ipset_builder_read(
    struct ipset_builder *builder, int source, struct slice text, struct ipset_report *report);

/* The same for a file. false: also unreadable, too large, no plain file. */
bool ipset_builder_file(
    struct ipset_builder *builder, int source, const char *path, struct ipset_report *report);

/* The builder is empty afterwards (its sources too) and may not be used again. */
const struct ipset *ipset_finish(struct ipset_builder *builder, struct arena *arena);

/* match may be NULL. */
bool ipset_find(const struct ipset *set, const struct ip *ip, struct ipset_match *match);

/* Is any address of the network in the set? */
bool ipset_touches(const struct ipset *set, const struct network *network);

size_t ipset_count(const struct ipset *set); /* entries added */
size_t ipset_size(const struct ipset *set);  /* bytes of the block */
