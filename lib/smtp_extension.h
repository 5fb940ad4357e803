/*
 * smtp_extension: the service extensions that postern knows, and the EHLO reply as data.
 *
 * A set of extensions is a uint32_t of SMTP_EXT_ bits: what a backend has, what was announced
 * to a client, what a message needs. The bits are in the order in which postern announces.
 *
 * smtp_ehlo_read() takes the backend's reply: keywords in any case; what is malformed counts
 * for as much as can be understood (an empty AUTH, the old "AUTH=LOGIN", a SIZE that is no
 * number); unknown keywords are dropped. The first line is the server's name and greeting.
 * Slices point into the reply and live as long as it does.
 *
 * RFC 5321 4.1.1.1, 1870, 2034, 2920, 3030, 3207, 3461, 4954, 6152, 6531, 8689, 9422.
 */
#pragma once

#include <stdint.h>

#include "lib/reply.h"

enum smtp_extension {
	SMTP_EXT_PIPELINING = 1 << 0,
	SMTP_EXT_SIZE = 1 << 1,
	SMTP_EXT_STARTTLS = 1 << 2,
	SMTP_EXT_AUTH = 1 << 3,
	SMTP_EXT_ENHANCEDSTATUSCODES = 1 << 4,
	SMTP_EXT_8BITMIME = 1 << 5,
	SMTP_EXT_DSN = 1 << 6,
	SMTP_EXT_SMTPUTF8 = 1 << 7,
	SMTP_EXT_CHUNKING = 1 << 8,
	SMTP_EXT_BINARYMIME = 1 << 9,
	SMTP_EXT_LIMITS = 1 << 10,
	SMTP_EXT_REQUIRETLS = 1 << 11,
	SMTP_EXT_XCLIENT = 1 << 12
};

struct smtp_ehlo {
	uint32_t extensions;
	uint64_t size;        /* octets; 0: SIZE without a limit, or no SIZE */
	struct slice auth;    /* "PLAIN LOGIN", as said; the old form's, where only that was said */
	struct slice xclient; /* attribute names that XCLIENT may carry */
	uint64_t rcpt_max;    /* LIMITS RCPTMAX; 0: not said */
	uint64_t mail_max;    /* LIMITS MAILMAX; 0: not said */
};

/* Of a reply with code 250; with any other nothing is announced. */
void smtp_ehlo_read(struct smtp_ehlo *ehlo, const struct reply *reply);

/* "PIPELINING"; of exactly one bit. */
const char *smtp_extension_name(enum smtp_extension extension);

/* Whether mechanism is one of the words of ehlo->auth, in any case. */
bool smtp_ehlo_has_auth(const struct smtp_ehlo *ehlo, struct slice mechanism);
