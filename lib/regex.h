/*
 * regex: a set of numbered patterns, as PCRE2 has them.
 *
 * Patterns are compiled when the configuration is read, in the master and before any
 * sandbox (just-in-time code needs memory that is writable and executable, once); workers
 * inherit them. Where no such memory is to be had a pattern works all the same, several
 * times slower, and is counted by regex_slow_count().
 *
 * Text is taken as UTF-8; bytes that are none match nothing, and matches before and behind
 * them are found (REGEX_CLEAN: there are none, which is faster). \C is refused. There are no captures to be had; a lone question: does the
 * pattern match anywhere in this text?
 *
 * Each match has a limit of REGEX_STEPS (about 2 ms in a short text), so a pattern that explodes
 * on some text is cut short: REGEX_LIMIT, which means that nobody knows. Steps are tries, and each
 * may run over the whole text: in one of 8 KiB a match may take 100 ms and more. The worst case of a
 * whole set is the number of patterns times that.
 *
 * A set and what it needs while matching belong to one thread of one process at a time, and
 * are released with the arena. After the last regex_add() it is handed on as const.
 */
#pragma once

#include "lib/arena.h"

enum {
	REGEX_MOST = 10000,         /* patterns in a set */
	REGEX_PATTERN_MOST = 4096,  /* bytes of one */
	REGEX_STEPS = 100000,       /* match limit, in PCRE2's steps */
	REGEX_STACK_MOST = 1 << 20, /* bytes, of just-in-time code */
	REGEX_HEAP_MOST = 1024,     /* KiB, without it */
	REGEX_WHY_MOST = 160,
};

enum regex_result { REGEX_NO, REGEX_YES, REGEX_LIMIT };

enum regex_flag {
	REGEX_CASELESS = 1 << 0, /* letters of either case are the same, but for "(?-i)" */
	REGEX_LINES = 1 << 1,    /* ^ and $ are the ends of lines, which end with LF */
	REGEX_CLEAN = 1 << 2     /* text is promised to be valid UTF-8; else all is lost */
};

struct regex_fault {
	size_t at; /* byte of the pattern */
	char why[REGEX_WHY_MOST];
};

struct regex *regex_new(struct arena *arena);

/*
 * The first pattern has the number 0. place: where it stands, "generic.re:3", copied.
 * flags: of enum regex_flag. false: it is no pattern, or there are too many; fault says why, and the set is unchanged.
 */
__attribute__((warn_unused_result)) bool regex_add(struct regex *regex, struct slice pattern,
    const char *place, unsigned flags, struct regex_fault *fault);

size_t regex_count(const struct regex *regex); /* NULL: 0 */
size_t regex_slow_count(const struct regex *regex);
const char *regex_place(const struct regex *regex, size_t number);
const char *regex_text(const struct regex *regex, size_t number); /* the pattern */
unsigned regex_flags(const struct regex *regex, size_t number);

enum regex_result regex_match(const struct regex *regex, size_t number, struct slice text);

/* The same in a piece of a text: where it begins or ends within a line is no end for ^ and $. */
enum regex_edge { REGEX_CUT_BEFORE = 1 << 0, REGEX_CUT_BEHIND = 1 << 1 };
enum regex_result
regex_match_piece(const struct regex *regex, size_t number, struct slice piece, unsigned edges);

/* Does any of them match? *number: the first that does; with REGEX_LIMIT the first that was
 * cut short, none matching. regex NULL: an empty set. */
enum regex_result regex_find(const struct regex *regex, struct slice text, size_t *number);
