/*
 * rule_match: one message, looked at by the rules of a set.
 *
 * What a message has is told piece by piece, in any order; rule_match_judge() says at the end which
 * rules hold. Memory: a byte a pattern, and some 8 KiB for each kind of text that is being read.
 *
 * Text is folded (lib/text_fold.h); addresses, names and the values of fields are, too. In text
 * what a pattern matches may be TEXT_FOLD_OVERLAP bytes long; longer matches are found only where
 * they happen to lie in one piece.
 */
#pragma once

#include "filters/rule_set.h"
#include "lib/header.h"
#include "lib/text_fold.h"

/* What is being read: text is fed in pieces, for the open leaf and for what is_raw beside it. */
struct rule_reading {
	struct rule_match *match;
	const struct rule_stream *stream;
	const char *part;
	struct text_fold fold;
};

/* The members are rule_match's own. */
struct rule_match {
	struct arena *arena;
	const struct rule_set *set;
	uint8_t *results;   /* an enum regex_result for each pattern */
	const char **parts; /* where each was found; NULL: nothing was so far */
	struct rule_reading *value;
	struct rule_reading *texts[2][2]; /* by is_html, is_raw */
};

/* All zero before. */
void rule_match_init(struct rule_match *match, struct arena *arena, const struct rule_set *set);

/* A whole value: of any place but RULE_IN_BODY, RULE_IN_HTML and RULE_IN_HEADER. part: NULL: in
 * none. */
void rule_match_value(
    struct rule_match *match, enum rule_place place, struct slice text, const char *part);

/* A field of the header, as it stands there. */
void rule_match_field(struct rule_match *match, const struct header_field *field);

/* Text of RULE_IN_BODY or RULE_IN_HTML in a part; it goes on until the part ends. */
void rule_match_text(struct rule_match *match, enum rule_place place, bool is_raw, const char *part,
    struct slice text);
void rule_match_part_end(struct rule_match *match, bool is_raw);

/* How each rule stands: an enum regex_result for each; REGEX_LIMIT: it hangs on a pattern that took
 * too long. */
void rule_match_judge(const struct rule_match *match, uint8_t *standing);

/* Where the first pattern was found that a rule which holds hangs on: the place's name, and in *part
 * the part, or NULL. standing: what was judged. */
const char *rule_match_where(const struct rule_match *match, const uint8_t *standing,
    const struct rule_entry *rule, const char **part);
