/*
 * dmarc_walk: from a domain to its DMARC records by the DNS tree walk (RFC 9989 4.10).
 *
 * The names of a walk are known beforehand: the domain; of a name of eight labels and more
 * then its last seven; then label by label to the top: eight questions at the most, asked
 * side by side. A record with psd=n or psd=y stops the walk; what lies above it is not
 * waited for. Where a name has more than one DMARC record, all are discarded.
 *
 * Organizational domain (4.10.2): the name with psd=n; else the one a label below the name
 * with psd=y, if that is not the start; else the name with the fewest labels that has a
 * record; without any the start itself.
 *
 * It asks again (lib/dns.h): the answers live with the session.
 */
#pragma once

#include "lib/dmarc_record.h"
#include "lib/dns.h"

enum { DMARC_NAMES_MOST = 8 };

enum dmarc_knowledge {
	DMARC_KNOWN,
	DMARC_WAITS,   /* answers are under way: call again */
	DMARC_UNKNOWN, /* a question that matters has failed */
};

struct dmarc_walk {
	size_t count;
	const char *name[DMARC_NAMES_MOST]; /* without "_dmarc."; suffixes of the domain */
	bool has_record[DMARC_NAMES_MOST];
	enum dmarc_kind kind[DMARC_NAMES_MOST];
	struct dmarc_record record[DMARC_NAMES_MOST];
	enum dmarc_knowledge own; /* of the domain's own record */
	enum dmarc_knowledge all; /* of the organizational domain */
	const char *organization; /* where `all` is KNOWN; a suffix of the domain */
	size_t top;               /* the name that has psd=y and stopped the walk; else count */
};

/* Begins all questions; fills walk with what is known by now. domain: A-labels in lower case,
 * and lives longer than the walk. */
void dmarc_walk(struct dmarc_walk *walk, struct dns *dns, const char *domain);

enum dmarc_source { DMARC_FROM_NONE, DMARC_FROM_AUTHOR, DMARC_FROM_ORGANIZATION, DMARC_FROM_PSD };

/* The policy for the domain that the walk began at. */
struct dmarc_choice {
	enum dmarc_source source;
	const struct dmarc_record *record; /* NULL: none */
	const char *domain;                /* where the record is */
	bool is_unusable;                  /* it permits no processing (4.10.1) */
	enum dmarc_policy policy;          /* p, sp or np; before t */
	const char *tag;                   /* "p", "sp", "np": which of them */
};

/* KNOWN: *choice is filled. It may ask whether the domain exists (3.2.13), where np counts. */
enum dmarc_knowledge
dmarc_choose(struct dmarc_choice *choice, const struct dmarc_walk *walk, struct dns *dns);

/*
 * Is `domain` aligned with the author domain of the walk (4.4)? KNOWN: *is_aligned. Identical
 * names are, and relaxed those of one organizational domain. A name that does not end in the
 * author's organizational domain cannot be, and costs no question.
 */
enum dmarc_knowledge dmarc_is_aligned(bool *is_aligned, const struct dmarc_walk *author,
    struct dns *dns, const char *domain, bool is_strict);
