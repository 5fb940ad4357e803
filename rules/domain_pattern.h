/*
 * domain_pattern: names of domains in the configuration, read strictly.
 *
 *	example.com     this domain
 *	.example.com    every domain below it, and not itself (lib/domain.h compares)
 *
 * Labels of letters, digits, hyphens and underscores (RFC 1035 2.3.4 for the lengths), or
 * of UTF-8 (RFC 5890). "*.example.com" is a fault that names the right form.
 */
#pragma once

#include "lib/option.h"

/* The domain in lower case, or NULL: then there is a fault at the node. */
const char *
domain_pattern_read(struct option_reader *reader, const struct node *at, const char *text);

/* Is it the name of a host or domain? Without a dot at either end. */
bool domain_pattern_is_name(struct slice text);
