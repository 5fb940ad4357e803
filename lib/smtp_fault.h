/*
 * smtp_fault: what is wrong with something a client said, as a value.
 *
 * The readers of commands return NULL when all is well, else one of these: constant, never
 * freed, never NULL in a field. The text is for the client; the enhanced code (RFC 3463) has
 * the class of the code. Nothing of the client's own text is in it.
 */
#pragma once

#include "lib/arena.h"
#include "lib/slice.h"

struct smtp_fault {
	int code;
	const char *enhanced;
	const char *text;
};

/* "501 5.1.7 Sender address syntax\r\n", in the arena. */
struct slice smtp_fault_format(struct arena *arena, const struct smtp_fault *fault);
