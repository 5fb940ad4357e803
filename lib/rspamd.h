/*
 * rspamd: how one talks with rspamd (its own protocol, POST /checkv2 over HTTP).
 *
 * What is known of the envelope stands in fields of the request; the body is the message, in
 * chunks (RFC 9112 7.1), for its length is not known when the first of it comes. The answer is
 * HTTP with an object of JSON: action, score, required_score, symbols by name with their scores.
 * It holds a list of the message's addresses, too, which no field of the request turns off: with
 * rspamd 3.4 a message of 20,000 long ones brings 1 MB. Hence the bound.
 */
#pragma once

#include "lib/scanner.h"
#include "lib/symbols.h"

enum { RSPAMD_ANSWER_MOST = 4 * 1024 * 1024, RSPAMD_ACTION_MOST = 40 };

/* What rspamd would do with the message; OTHER: an action of the administrator's own. */
enum rspamd_action {
	RSPAMD_NO_ACTION,
	RSPAMD_GREYLIST,
	RSPAMD_ADD_HEADER,
	RSPAMD_REWRITE_SUBJECT,
	RSPAMD_SOFT_REJECT,
	RSPAMD_REJECT,
	RSPAMD_DISCARD,
	RSPAMD_QUARANTINE,
	RSPAMD_OTHER
};

struct rspamd_answer {
	enum rspamd_action action;
	char name[RSPAMD_ACTION_MOST]; /* of the action, printable */
	double score, required;
	bool has_required;
	struct symbols symbols;
};

extern const struct scanner_talk rspamd_talk; /* into: a struct rspamd_answer */
extern const struct scanner_talk rspamd_ping;

struct slice rspamd_ping_text(void);

/* The reader of rspamd_talk; into: struct rspamd_answer. */
enum scanner_reading
rspamd_read(void *into, struct slice bytes, bool is_over, char why[SCANNER_WHY_MOST]);
