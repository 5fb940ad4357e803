/*
 * host_idn: names beyond ASCII as A-labels, as browsers make them (UTS 46, not transitional).
 *
 * Label by label: what is ASCII stays as it is. libidn2 refuses names that browsers open (symbols,
 * a hyphen at the front); such labels are mapped by it in its other mode, or written as they are.
 */
#pragma once

#include <stddef.h>

/* In place; the new length, or 0: it is no name, or does not fit. flags: enum host_flag, added. */
size_t host_idn_convert(char *name, size_t room, unsigned int *flags);
