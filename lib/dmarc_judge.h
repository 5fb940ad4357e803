/*
 * dmarc_judge: the last step of DMARC, said by libopendmarc.
 *
 * Records, discovery and alignment are read and decided by us (dmarc_record.h, dmarc_walk.h).
 * The library is given an author domain, whether an aligned identifier passed, and a record
 * written anew of our own words; it says what is to be done. Nothing of a peer's text
 * reaches it, and it asks no DNS.
 */
#pragma once

#include "lib/dmarc_record.h"

enum dmarc_outcome {
	DMARC_PASSES,
	DMARC_FAILS_NONE,
	DMARC_FAILS_QUARANTINE,
	DMARC_FAILS_REJECT,
	DMARC_IS_OUT_OF_ORDER, /* the library refused; a fault of ours */
};

/* author: A-labels in lower case. policy: what applies, as a word of the record's. */
enum dmarc_outcome dmarc_judge(
    const char *author, enum dmarc_policy policy, bool spf_is_aligned, bool dkim_is_aligned);
