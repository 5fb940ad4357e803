/*
 * regex_relax: a pattern that matches wherever another one does, and is cheaper to compile.
 *
 * Vectorscan unrolls repeats: of {0,500} over many characters it makes so many states that it does
 * not come to an end. Where PCRE2 has the last word, at least eight times is as good as twenty: a
 * repeat of more than REGEX_RELAX_MOST becomes one without an end.
 */
#pragma once

#include "lib/arena.h"

enum { REGEX_RELAX_MOST = 8 };

/* In the arena. NULL: it would not match wherever the pattern does, as something in it hangs on
 * what does not match (a negative assertion, an atomic group). */
const char *regex_relax(struct arena *arena, const char *pattern);
