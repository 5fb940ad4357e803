/*
 * public_suffix: where a name ends that somebody has registered (publicsuffix.org, by libpsl).
 *
 * Of the newer of the system's list and the one built into the library; it is read when it is
 * first wanted and stays. Names are lower case A-labels without a dot at the end, as
 * lib/host_form makes them; addresses are no names.
 */
#pragma once

#include "lib/slice.h"

/* "a.b.example.co.uk": "example.co.uk", a part of the name that was given. NULL: it is itself a
 * public suffix, or has one label. Hosters' names below which customers live count as suffixes. */
const char *public_suffix_registered(const char *name);

/* Is it a top level of the DNS, such as "com" or "xn--p1ai"? */
bool public_suffix_is_top(const char *label);

/* Reads the list now, before the file system is out of reach. */
void public_suffix_open(void);
