/*
 * record: what is kept of a message or a refused session, as one JSON object.
 *
 * It is the same object in the log, in the history and from `postern explain --json`:
 * facts with their timings, the verdict with the rules that made it, the replies, the hash
 * of the policy; so that it can be explained, searched, and judged again under another
 * policy. record_text() is the same as one line for people.
 *
 * The struct only points; it is filled and written at the moment of the verdict's end.
 */
#pragma once

#include "lib/buf.h"
#include "lib/id.h"
#include "lib/json.h"
#include "rules/pipeline.h"
#include "rules/policy.h"

struct record {
	const char *id; /* the case number */
	double time;    /* Unix seconds */
	enum point point;
	const struct scope *scope;     /* the innermost: facts, client, envelope */
	const char *const *recipients; /* ends with NULL; NULL: none */
	uint64_t size;                 /* of the message; 0: there was none */
	struct slice subject;          /* the field as it came, or empty; it is told decoded */
	struct verdict verdict;
	const char *reply;              /* to the client, without CRLF; NULL: none */
	const char *backend;            /* "exchange:25"; NULL: not asked */
	const char *backend_reply;      /* NULL: none */
	const char *backend_tls;        /* "TLSv1.3"; NULL: plain or none */
	const char *ban;                /* what became of the rule's ban; NULL: it bans nobody */
	const char *body_in, *body_out; /* SHA-256, hexadecimal; NULL: none */
};

/* The members of the object that is open; others may follow. */
void record_put(struct json *json, const struct record *record, const struct policy *policy);

void record_json(struct buf *out, const struct record *record, const struct policy *policy);
void record_text(struct buf *out, const struct record *record, const struct policy *policy);

/* A line of the log, in the form that it has. */
void record_log(const struct record *record, const struct policy *policy);

/*
 * A rule's text for the client: {client} {name} {helo} {from} {recipient} {rule} {detail}
 * {case} filled in, cleaned of what does not belong into a reply line, cut to 400 bytes; always
 * with an enhanced status code of the class of `code` (550 or 451) at its front and
 * "(case ID)" at its end. Into the arena.
 */
const char *record_reply_text(struct arena *arena, const struct record *record, int code);
