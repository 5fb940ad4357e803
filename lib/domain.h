/*
 * domain: names of DNS, compared.
 *
 * A pattern is what an administrator wrote: "example.com" is that name and no other,
 * ".example.com" every name below it and not itself. ASCII letters of either case are the same;
 * one dot at the end of the domain counts for nothing. The octets are compared: U-labels do not
 * match A-labels. A literal in brackets matches no pattern but the same text.
 */
#pragma once

#include "lib/slice.h"

bool domain_matches(struct slice domain, const char *pattern);
