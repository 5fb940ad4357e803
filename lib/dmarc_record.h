/*
 * dmarc_record: the text of a DMARC policy record, read (RFC 9989 4.7 and 4.8).
 *
 * The text is one TXT record with its strings joined. What is no DMARC record at all (v= is
 * not first, or not exactly DMARC1) is DISCARD and counts as if it did not exist. A record
 * whose p, sp or np is missing or wrong asks for p=none where it has a usable rua, and for no
 * processing where it has none (4.10.1). Any other mistake costs its own tag only; unknown
 * tags, among them the withdrawn pct, rf and ri, are passed over. A tag that is known and
 * given twice makes the list invalid (RFC 6376 3.2): DISCARD.
 *
 * Slices point into the text.
 */
#pragma once

#include "lib/slice.h"

enum { DMARC_URIS_MOST = 32, DMARC_RECORD_MOST = 16 * 1024 };

enum dmarc_policy { DMARC_ABSENT, DMARC_NONE, DMARC_QUARANTINE, DMARC_REJECT };
enum dmarc_psd { DMARC_PSD_UNKNOWN, DMARC_PSD_YES, DMARC_PSD_NO };

enum dmarc_kind {
	DMARC_DISCARD,  /* no DMARC record */
	DMARC_UNUSABLE, /* one that permits no processing */
	DMARC_USABLE,
};

struct dmarc_uris {
	unsigned count;
	struct slice uri[DMARC_URIS_MOST]; /* without an obsolete size at the end */
};

struct dmarc_record {
	enum dmarc_policy p, sp, np; /* sp, np: ABSENT where not given */
	bool adkim_is_strict, aspf_is_strict;
	bool is_testing; /* t=y */
	enum dmarc_psd psd;
	struct slice fo; /* "0" where it does not say; empty without a usable ruf */
	struct dmarc_uris rua, ruf;
};

enum dmarc_kind dmarc_record_read(struct dmarc_record *record, struct slice text);

/* "none", "quarantine", "reject"; "" for ABSENT. */
const char *dmarc_policy_word(enum dmarc_policy policy);

/* What t=y makes of it (4.7): one level lower. */
enum dmarc_policy dmarc_policy_tested(enum dmarc_policy policy);
