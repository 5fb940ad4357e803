/*
 * option_value: single values of options, from text and to text.
 *
 * A part of lib/option, which see.
 */
#pragma once

#include "lib/option.h"

/* Kinds bool ... text. False: no such value, or out of the row's range; the field stays. */
bool option_value_read(const struct option *row, const char *text, void *field);

/* The same kinds, text excepted. */
void option_value_print(FILE *to, const struct option *row, const void *field);

/* "a time such as 30s, 5m, between 1s and 1d" */
void option_value_expected(FILE *to, const struct option *row);

/* The row of the key that `word` names ("--type"); NULL: there is none, or no dashes. */
const struct option *option_value_row(const struct option *table, const char *word);

/* Read the fallbacks of a table of single values into `section`; a wrong one is a bug: abort. */
void option_value_fallbacks(const struct option *table, void *section);

/* Whether a list may have so many items. */
bool option_value_allows(const struct option *row, size_t count);
