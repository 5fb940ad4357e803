/*
 * delivery: a transaction, said to the backend.
 *
 * The envelope is a list of lines (a RSET where an older transaction was left, MAIL, the
 * recipients that passed); the backend's present session has been told a part of it, and
 * delivery brings it up to date, all in one packet where the backend has PIPELINING. So a
 * session that ended meanwhile (a slow client, an impatient backend) is renewed by
 * forgetting what was told: once per transaction, before any text was sent, and if an
 * answer then differs from what the client was told, the client gets 451.
 *
 * Never is anything said again after text was sent; and nothing is believed that came
 * before the final dot was sent. The answer is always a whole reply for the client.
 */
#pragma once

#include "proxy/transaction.h"

/* WAIT, or NEXT with the answer to RCPT: the backend's, or 451. */
enum step
delivery_recipient(struct session *session, struct recipient *recipient, struct answer *answer);

/* stream: DATA is said; the answer is 354 (then the text may be written to body.sink, its
 * first lines are out), or the refusal. */
enum step delivery_start(struct session *session, struct answer *answer);

/* stream: may more text be taken in? Notices an early refusal or a lost backend. */
bool delivery_has_room(struct session *session);

/* The whole way (hold), or the end of the text (stream); the answer to the final dot. */
enum step delivery_finish(struct session *session, struct answer *answer);

/* hold: the message goes to this address instead of its recipients. */
void delivery_redirect(struct session *session, const char *address);

/* Has the final dot been sent, so that the answer must be waited for? */
bool delivery_is_committed(const struct transaction *transaction);

/* The session's backend is to be used for commands: WAIT, NEXT: it is open, or END_SESSION
 * with the answer to give. */
enum step delivery_backend(struct session *session, struct answer *answer);
