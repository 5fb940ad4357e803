/*
 * witness: watches a session from outside, and ends the test when postern breaks a promise.
 *
 *	The client is told 2yz after a message only when the backend has said 2yz after its
 *	final dot, once for each. (Not where the policy may discard: may_discard.)
 *	What the client hears are replies: three digits, a line, CRLF, no control characters.
 *	Between 354 and the final dot the backend sees CRLF only, no bare CR or LF (but for
 *	may_be_bare), and each line that begins with a dot has one more; outside it sees
 *	nothing but commands that postern says.
 *	A backend that spoke unasked gets no final dot any more.
 *	After the client has left, with nothing behind the message, none is finished.
 *
 * It is told what is said before postern can have it, and what is heard after each turn.
 */
#pragma once

#include "lib/reply.h"
#include "tests/transcript/rig.h"

/* What the backend owes an answer to. */
enum witness_event {
	WITNESS_GREETING,
	WITNESS_HELLO,
	WITNESS_AUTH, /* or a line of its exchange */
	WITNESS_COMMAND,
	WITNESS_DATA,
	WITNESS_DOT
};

struct witness_back {
	struct buf owed; /* one octet each, enum witness_event */
	struct buf said; /* of a reply that is not whole */
	struct buf line; /* of a command that is not whole */
	struct reply_reader reader;
	bool is_begun;
	bool is_tainted; /* it spoke unasked, or nonsense */
	bool is_in_text, is_in_auth, has_quit;
	unsigned char last[5]; /* of the text */
};

struct witness {
	struct arena *arena;
	struct witness_back backs[RIG_BACKS];
	struct buf line; /* of a reply to the client that is not whole */
	bool may_discard, may_be_bare;
	bool is_answering; /* the next reply is that to a message */
	bool has_left;     /* the client */
	unsigned texts;    /* 354 said to the client */
	unsigned dots;     /* final dots that the backend got */
	unsigned accepts;  /* 2yz that it said after them */
	unsigned taken;    /* 2yz that the client was told */
};

void witness_begin(struct witness *witness);
void witness_end(struct witness *witness);

void witness_back_says(struct witness *witness, size_t back, struct slice bytes);
void witness_back_hears(struct witness *witness, size_t back, struct slice bytes);
void witness_front_hears(struct witness *witness, struct slice bytes);
void witness_front_leaves(struct witness *witness); /* when all has settled */

/* Which answers are owed by this connection of the backend: octets of enum witness_event. */
struct slice witness_owed(struct witness *witness, size_t back);
