/*
 * delivery_text: the text of a message on its way to the backend, between 354 and the final dot.
 *
 * A part of proxy/delivery, which see.
 */
#pragma once

#include "proxy/delivery.h"

/* Is the backend still there and silent, as it must be during the text? Else it is dropped. */
bool delivery_text_is_sound(struct session *session);

/* The same, with a last look at the socket before the final dot: an answer that is there before it
 * is none to the message. */
bool delivery_text_is_silent(struct session *session);

/* What the client hears of a backend that is not sound. */
struct answer delivery_text_failure(struct session *session);

/* hold: from the spool into the connection, as far as it has room and one turn may last. NEXT: all
 * of it. END_SESSION: the backend was dropped. */
enum step delivery_text_pump(struct session *session);
