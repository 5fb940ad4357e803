/*
 * regex_relax: a pattern that matches wherever another one does, and is cheaper to compile.
 *
 * Vectorscan unrolls repeats: of {0,500} over many characters it makes so many states that it does
 * not come to an end, and so it does of {8} around {8} around {8}. Where PCRE2 has the last word, at
 * least eight times is as good as twenty, and at least once nearly so: a repeat of more than
 * REGEX_RELAX_MOST becomes one without an end, and one of something that is large already, too.
 *
 * How large is a guess: a letter counts 1, a class of few characters 4, one of many 16.
 */
#pragma once

#include "lib/arena.h"

enum {
	REGEX_RELAX_MOST = 8,
	REGEX_RELAX_REPEAT = 512, /* what comes of a repeat */
	REGEX_RELAX_WHOLE = 4096  /* what comes of a pattern */
};

/*
 * In the arena. NULL: there is none, as
 *
 *	- something in it hangs on what does not match (a negative assertion, an atomic group),
 *	- it is too large all the same,
 *	- it speaks of properties of characters (\p{L}, \X, (*UCP)), of which Vectorscan knows those of
 *	  an older Unicode, or has comments, (?x) or groups too deep for this reader.
 */
const char *regex_relax(struct arena *arena, const char *pattern);
