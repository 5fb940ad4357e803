/*
 * rule_set: rules by regular expression, read from files (docs/guide-rules.md).
 *
 * A file is a list of rules in YAML:
 *
 *	- name: lottery
 *	  reason: somebody has won a lottery that he never played
 *	  all:
 *	    - { field: Subject, match: '\b(prize|lottery|award)\b' }
 *	    - { in: body, match: 'you (have )?won' }
 *	  score: 2.5
 *	  examples:
 *	    match: [ { Subject: Lottery award, body: You have won 5 million } ]
 *	    no_match: [ { Subject: Lottery award, body: Nobody has won } ]
 *
 * A term is a pattern at a place, or the name of a rule above. Each rule's own examples are tried
 * when it is read; one that comes out otherwise is a fault, like a pattern that is none.
 *
 * A set is constant once read. It is used by one thread of one process at a time (lib/regex.h).
 */
#pragma once

#include "lib/option.h"
#include "lib/regex_scan.h"

enum {
	RULES_MOST = 5000,
	RULE_FILE_MOST = 256, /* files */
	RULE_TERMS_MOST = 200 /* of one rule */
};

/* Where a pattern is looked for. */
enum rule_place {
	RULE_IN_BODY,       /* what a reader sees: plain text, and HTML as it is shown */
	RULE_IN_HTML,       /* the source of HTML */
	RULE_IN_URI,        /* each address, as it is written */
	RULE_IN_HOST,       /* its host, as a name of DNS */
	RULE_IN_ATTACHMENT, /* each file's name */
	RULE_IN_HELO,
	RULE_IN_MAIL_FROM,
	RULE_IN_RCPT_TO,
	RULE_IN_HEADER, /* each field, "Name: value" */
	RULE_PLACES,
	RULE_IN_FIELD = RULE_PLACES /* the value of one that is named */
};

extern const char *const rule_places[]; /* "body" ...; ends with NULL */

/* All patterns of one place. */
struct rule_stream {
	enum rule_place place;
	const char *field; /* RULE_IN_FIELD: its name */
	size_t first, count;
	const struct regex_scan *scan;
};

struct rule_term {
	bool is_rule;
	uint32_t number; /* of the pattern, or of the rule */
};

struct rule_terms {
	size_t count;
	struct rule_term *item;
};

/* It holds if all of `all` do, any of `any` (if there are any), none of `none`, and at least so
 * many of `of`. */
struct rule_entry {
	const char *name, *reason;
	double score;
	bool is_quiet; /* only for other rules */
	struct rule_terms all, any, none, of;
	uint32_t least;
};

struct rule_set {
	size_t patterns;
	const struct rule_stream *streams;
	size_t stream_count;
	size_t stream_of[RULE_PLACES]; /* plus 1; 0: no pattern looks there */
	const struct rule_entry *rules;
	size_t count;
	const char *names; /* of those that are not quiet, with blanks between */
};

/*
 * The files that `names` (a text or a list of texts) stands for; * ? and [ in a name stand for
 * what there is. NULL: there are faults. is_plain: without Vectorscan (tests).
 */
const struct rule_set *
rule_set_read(struct option_reader *reader, const struct node *names, bool is_plain);

/* Where the pattern of this number looks. */
const struct rule_stream *rule_set_stream(const struct rule_set *set, size_t pattern);

/* The rules of one tree that has been read already, for tests. */
const struct rule_set *
rule_set_of(struct option_reader *reader, const struct node *list, bool is_plain);
