/*
 * regex_scan: which patterns of a set match anywhere in a text, all at once.
 *
 * PCRE2 says what matches. Where postern was built with Vectorscan (or Hyperscan), that is asked
 * first: in one pass over the text it finds the patterns that may match, and PCRE2 is asked about
 * those only. Patterns that it does not know (back references at the wrong place, and such) are
 * asked about each time. So the results are the same without it; but a pattern that would be cut
 * short by its limit of steps on a text where it cannot match comes out as a plain no.
 *
 * A text is looked at whole: a long one is cut by the caller, with an overlap (lib/text_fold.h).
 * That is why the streaming mode of Vectorscan is not used: PCRE2 wants to see the text again.
 *
 * Made when the configuration is read; belongs to one thread of one process at a time. All
 * patterns have the flag REGEX_CLEAN.
 */
#pragma once

#include <stdint.h>

#include "lib/regex.h"

enum { REGEX_SCAN_LIMITS = 8, REGEX_SCAN_SLOW = 10 /* ms */ };

struct regex_scan;

/* For `count` patterns from `first` on; the set lasts as long. is_plain: PCRE2 alone (tests). */
struct regex_scan *regex_scan_new(
    struct arena *arena, const struct regex *set, size_t first, size_t count, bool is_plain);

/* How many patterns the first pass can tell; 0: there is none. */
size_t regex_scan_known(const struct regex_scan *scan);

/*
 * results: an enum regex_result for each pattern of the scan. Those that are REGEX_NO are asked
 * about, and may become REGEX_YES or REGEX_LIMIT. When so many have reached their limit in one
 * call (REGEX_SCAN_LIMITS), the rest is not asked any more and becomes REGEX_LIMIT; so does one that
 * has worked for more than REGEX_SCAN_SLOW without a match, so that it is not asked about the next
 * piece of the same text. edges: of enum regex_edge. Returns how many have changed.
 */
size_t regex_scan_piece(
    const struct regex_scan *scan, struct slice piece, unsigned edges, uint8_t *results);
