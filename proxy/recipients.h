/*
 * recipients: what the mail server behind says of recipients, counted and remembered.
 *
 * Counted is who names recipients that it does not know (550 5.1.1 and the like): within the
 * session, for limits: unknown_recipients:, and within a window for each client, over sessions
 * and workers, for the fact smtp.harvest.
 *
 * Remembered, if the configuration wants it (recipients:), is its refusal of an unknown
 * recipient: for a while the same refusal is given without asking it again, so that a flood of
 * made-up names costs it nothing.
 *
 * That a recipient was taken is never a reason to take it again: a 250 of ours is the mail
 * server's, and each RCPT goes there. It is remembered for the sake of the other memory: who
 * was known lately and is unknown now is refused, as the mail server says, but that is not
 * remembered. For a mail server whose directory is out of order for a minute knows nobody, and
 * to go on refusing after it is mended would make a small fault a great one.
 */
#pragma once

#include "proxy/transaction.h"
#include "proxy/worker.h"

/* Into recipient->answer: what is remembered of an unknown one. */
bool recipients_recall(struct session *session, struct recipient *recipient);

/* The mail server has answered. */
void recipients_learn(struct session *session, const struct recipient *recipient);

/* Is this answer to RCPT about a mailbox that does not exist? */
bool recipients_is_unknown(const struct answer *answer);

/* How many unknown ones this client has named within limits: harvest_within:. */
unsigned recipients_harvest(const struct worker *worker, struct ip client);
