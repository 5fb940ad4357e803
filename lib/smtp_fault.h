/*
 * smtp_fault: what is wrong with something a client said, as a value.
 *
 * The readers of commands return NULL when all is well, else one of these: constant, never
 * freed, never NULL in a field. The text is for the client; the enhanced code (RFC 3463) has
 * the class of the code. Nothing of the client's own text is in it.
 */
#pragma once

struct smtp_fault {
	int code;
	const char *enhanced;
	const char *text;
};

enum { SMTP_FAULT_MOST = 300 };

/* "501 5.1.7 Sender address syntax", without CRLF; returns `text`. */
const char *smtp_fault_format(char text[SMTP_FAULT_MOST], const struct smtp_fault *fault);
