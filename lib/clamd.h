/*
 * clamd: how one talks with ClamAV's daemon (clamd(8), INSTREAM).
 *
 * The message is sent in pieces, each behind its length (4 octets, network order); a piece of
 * length 0 ends it. The answer is a line that ends with NUL, since the command began with z:
 *
 *	stream: OK
 *	stream: Win.Test.EICAR_HDB-1 FOUND
 *	INSTREAM size limit exceeded. ERROR      before the message is whole (StreamMaxLength)
 *	... ERROR                                anything else that went wrong
 *
 * Whatever else comes is no answer.
 */
#pragma once

#include "lib/scanner.h"

enum { CLAMD_NAME_MOST = 160 };

struct clamd_answer {
	bool is_infected;
	char name[CLAMD_NAME_MOST]; /* of the signature, printable */
};

extern const struct scanner_talk clamd_talk; /* into: a struct clamd_answer */
extern const struct scanner_talk clamd_ping;

struct slice clamd_head(void);      /* the command before a message */
struct slice clamd_ping_text(void); /* and the one that asks whether it is there */

/* The reader of clamd_talk; into: struct clamd_answer. */
enum scanner_reading
clamd_read(void *into, struct slice answer, bool is_over, char why[SCANNER_WHY_MOST]);
