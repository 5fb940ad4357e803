/*
 * dkim_check: the DKIM signatures of one message, verified as it passes.
 *
 *	dkim_check_begin()   the header is whole: its signatures are read and judged
 *	dkim_check_body()    a piece of the body, as it came
 *	dkim_check_key()     a key's record is there, or is not
 *	dkim_check_end()     the body is whole and each key is known: the results
 *	dkim_check_free()    at any time
 *
 * The hashing and the arithmetic are libopendkim's; whether a signature and its key are what
 * RFC 6376 wants is decided before (lib/dkim_signature.h, lib/dkim_record.h), and only what is
 * right in form gets so far. The first DKIM_CHECK_MOST signatures are judged; what there is
 * more is counted. Beyond DKIM_CHECK_FIELDS fields, or behind a line without a blank of more
 * than DKIM_CHECK_LINE octets, nothing is judged: `policy`.
 *
 * The words are those of RFC 8601 2.7.1: pass fail permerror temperror policy.
 */
#pragma once

#include "lib/dkim_record.h"
#include "lib/dns.h"

enum {
	DKIM_CHECK_MOST = 8,
	DKIM_CHECK_FIELDS = 1000,
	DKIM_CHECK_LINE = 1024 * 1024,
};

/* Of a process: what libopendkim wants to be made once. Ends with the arena. */
struct dkim_lib;
struct dkim_lib *dkim_check_library(struct arena *arena);

struct dkim_check_one {
	struct dkim_signature signature;
	struct dkim_record record;
	const char *key_name; /* where its key is asked for: "s1._domainkey.example.org" */
	const char *word;     /* NULL: not known yet */
	const char *why;      /* in words; may be "" */
	struct dkim_siginfo *info;
};

struct dkim_check {
	struct arena *arena;
	struct dkim_check_one one[DKIM_CHECK_MOST];
	size_t count;   /* of one: in the order of the fields, from the top */
	size_t surplus; /* signatures that nobody has looked at */
	struct dkim *dkim;
	size_t line;   /* octets since the last blank or line end */
	char last[2];  /* of the body */
	uint64_t size; /* of the body */
};

/* check: all zero. header: borrowed for the call. */
void dkim_check_begin(struct dkim_check *check, struct dkim_lib *library, struct arena *arena,
    struct slice header, double now);

void dkim_check_body(struct dkim_check *check, struct slice piece);

/* For one without a word: the answer for its key_name (TXT). */
void dkim_check_key(
    struct dkim_check *check, struct dkim_check_one *one, const struct dns_answer *answer);

void dkim_check_end(struct dkim_check *check);
void dkim_check_free(struct dkim_check *check);
