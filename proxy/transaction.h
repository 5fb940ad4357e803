/*
 * transaction: one mail transaction (RFC 5321 3.3), from MAIL to the answer to its message.
 *
 * It holds the envelope, the message's text (body.h) and the scopes of the filters' facts:
 * its own and one per recipient. It asks the policy at its two decision points and writes
 * the record of what was decided. It says nothing to anybody: the commands reply, delivery.h
 * speaks to the backend.
 *
 * Everything lives in the transaction's arena; transaction_end() frees it.
 */
#pragma once

#include "lib/id.h"
#include "lib/smtp.h"
#include "proxy/answer.h"
#include "proxy/body.h"
#include "rules/record.h"

struct session;

/* A line of the envelope, on its way to the backend's present session. */
struct told {
	bool is_said;
	struct answer answer;
};

enum recipient_state {
	RECIPIENT_ASKED, /* filters or the backend have not answered yet */
	RECIPIENT_TAKEN, /* the client was told 2yz */
	RECIPIENT_REFUSED
};

struct recipient {
	struct recipient *next;
	struct address address;
	struct smtp_path path; /* whom the backend is told: the same, or by `redirect` */
	struct smtp_params params;
	struct scope *scope;
	enum recipient_state state;
	bool is_discarded; /* by the verdict at RCPT: the backend hears nothing */
	struct told told;
	struct answer answer; /* to RCPT, for the client; code 0: not yet */

	bool is_decided;
	struct verdict verdict; /* at RCPT */
	const char *reply;      /* of ours; NULL: the backend's is passed on */
	char id[ID_SIZE];       /* of a refusal by the policy, which is recorded; else empty */
};

/* How far the message is on its way to the backend. */
enum delivery_stage { DELIVERY_ENVELOPE, DELIVERY_START, DELIVERY_TEXT, DELIVERY_DOT };

struct transaction {
	struct session *session;
	struct arena *arena;
	struct dns *dns;
	struct scope *scope;
	char id[ID_SIZE]; /* the case number of its message */
	struct address from;
	struct smtp_path path; /* of MAIL */
	struct smtp_params params;
	struct told told, reset; /* MAIL, and a RSET before it */
	struct recipient *recipients, **last;
	struct recipient *asked; /* the one that RCPT works on; NULL: none */
	unsigned count, taken;   /* of recipients: named, taken */
	struct body body;

	bool is_decided;
	struct verdict verdict; /* at the end of the message */
	const char *reply;      /* of ours; NULL: the message goes to the backend */

	enum delivery_stage stage;
	uint64_t sent;       /* of the spool */
	bool is_renewed;     /* the backend's session was opened again */
	struct answer early; /* the backend's refusal in the middle of the text */
};

struct transaction *transaction_new(
    struct session *session, const struct smtp_path *from, const struct smtp_params *params);
void transaction_end(struct transaction *transaction);

/* A recipient more, RECIPIENT_ASKED, with its stage begun. */
struct recipient *transaction_recipient(
    struct transaction *transaction, const struct smtp_path *to, const struct smtp_params *params);

/*
 * WAIT, or NEXT: decided, with verdict, reply and (of a refusal) id. A verdict that leaves the
 * matter to the message is ACCEPT without a rule. The reply is 452 4.5.3 where the recipient
 * must come in a transaction of its own, 250 where it is discarded, else the policy's refusal.
 */
enum step
transaction_decide_recipient(struct transaction *transaction, struct recipient *recipient);

/* It is one of the message's, or is not; `asked` is free again. */
void
transaction_settle(struct transaction *transaction, struct recipient *recipient, bool is_taken);

/* Is there anybody to whom the message goes? (Not when each recipient is discarded.) */
bool transaction_has_target(const struct transaction *transaction);

/* The addresses of those that were taken so far; ends with NULL. */
const struct address *const *transaction_taken(const struct transaction *transaction);

/* May it pass because of who the client is (network, user, certificate), to one recipient at
 * least? So it is mail of our people on its way out. */
bool transaction_is_outgoing(const struct transaction *transaction);

/* After the last byte: WAIT, or NEXT: decided, with verdict and reply (a fault of the message
 * itself, the policy's refusal, 250 where it is discarded). */
enum step transaction_decide_message(struct transaction *transaction);

/* Which header fields go in front of the message: Authentication-Results, those of filters,
 * Received, and the verdict's. Into out. */
void transaction_header(const struct transaction *transaction, struct buf *out);

/* Writes the record to the log and counts it. recipient: whose refusal it is, at
 * POINT_RCPT; else NULL. backend_reply: what the client was told, where the reply is not
 * ours; else NULL. */
void transaction_record(
    struct transaction *transaction, const struct recipient *recipient, const char *backend_reply);

/* The record of a decided recipient, or (NULL) of the decided message; it points to what lives
 * with the transaction. The backend's reply is left out. */
struct record
transaction_make_record(struct transaction *transaction, const struct recipient *recipient);
