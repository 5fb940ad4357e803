/*
 * patterns: a list of regular expressions in the configuration.
 *
 *	generic: [ '\bdyn\d', "(dsl|cable)[.-]", file: generic.re ]
 *
 * `file:` names a text file with one pattern a line; a line that begins with # and one of
 * blanks only say nothing. A relative name starts where the configuration's own file lies.
 * Letters of either case are the same. What is no pattern (lib/regex.h) is a fault, with
 * file, line and column.
 *
 * The field's type is struct patterns; its option row is OPTION_PATTERNS.
 */
#pragma once

#include "lib/option.h"
#include "lib/regex.h"

enum { PATTERNS_FILE_MOST = 4 * 1024 * 1024 };

struct patterns {
	const struct regex *set; /* NULL: empty */
};

#define OPTION_PATTERNS(type, field, ...) OPTION_CUSTOM(type, field, patterns_read, __VA_ARGS__)

bool patterns_read(struct option_reader *reader, const struct node *value, void *field);

/* One pattern that stands in the configuration itself, flags of enum regex_flag. False: there is a
 * fault. */
bool patterns_add_text(
    struct option_reader *reader, struct regex *set, const struct node *text, unsigned flags);
