/*
 * smtp: what a client says, read.
 *
 * smtp_line_find() cuts lines out of the input; smtp_command_read() makes a verb and an argument
 * of one; the other readers take the argument of one verb each. All slices are borrowed from the
 * input. A fault is a value (NULL: none): say it, and go on.
 *
 * A line ends with CRLF and nothing else (RFC 5321 2.3.8). One with a bare CR or LF in it, and
 * one that is too long, is reported once, as soon as it is seen; the rest of it up to its CRLF
 * is then dropped without a further answer. The results are the same however the input is cut.
 * A client that never sends CRLF is held back by the command time-out only, and by the caller
 * who may look at smtp_line.dropped.
 */
#pragma once

#include <stdint.h>

#include "lib/smtp_param.h"
#include "lib/smtp_path.h"

enum {
	SMTP_COMMAND_MOST = 2048,    /* a command with its CRLF (RFC 5321 4.5.3.1.4 has 512, the
	                               * parameters of the extensions known here come on top) */
	SMTP_AUTH_LINE_MOST = 12288, /* a line of an AUTH exchange (RFC 4954 4) */
	SMTP_VERB_MOST = 12
};

enum smtp_line_result {
	SMTP_LINE_NONE,        /* not yet; give the same input again when there is more of it */
	SMTP_LINE_HAS,         /* line is set, without its CRLF */
	SMTP_LINE_TOO_LONG,    /* answer once (500 5.5.6): smtp_fault_long_line */
	SMTP_LINE_BARE_NEWLINE /* answer once (500 5.5.2): smtp_fault_bare_newline */
};

/* Kept by the caller; all zero at first, and again when input was thrown away (STARTTLS). */
struct smtp_line {
	bool is_dropping; /* within the rest of a faulty line */
	uint64_t dropped; /* octets dropped of it so far */
};

extern const struct smtp_fault smtp_fault_long_line, smtp_fault_bare_newline;

/*
 * Looks for a line at the beginning of input. limit counts the CRLF. *used is what is to be
 * taken off the input, with every result (with NONE it is 0 but for dropped octets); line
 * points into the input and is good until then.
 */
enum smtp_line_result smtp_line_find(
    struct smtp_line *state, struct slice input, size_t limit, struct slice *line, size_t *used);

struct smtp_command {
	char verb[SMTP_VERB_MOST + 1]; /* in upper case */
	struct slice argument;         /* without blanks at its ends; empty: none */
};

/*
 * A verb of letters and digits, then a blank or tab, then the argument. Faults (500 5.5.2): an
 * empty line, a blank before the verb, anything else in the verb, control characters anywhere
 * but tabs. Octets from 128 are allowed in the argument; each reader judges them. The verb is
 * empty with a fault.
 */
const struct smtp_fault *smtp_command_read(struct smtp_command *command, struct slice line)
    __attribute__((warn_unused_result));

/*
 * HELO and EHLO: one word of 1 to 255 graphic ASCII octets without <>()\",;\\ (which have a
 * meaning in a Received field), else 501 5.5.4. Whether it is a name or an address, and whose, is
 * for filters to judge.
 */
const struct smtp_fault *
smtp_helo_read(struct slice *name, struct slice argument) __attribute__((warn_unused_result));

/*
 * MAIL and RCPT, path and parameters together. extensions: what was announced to this client.
 * size_limit: octets, 0 for none. is_utf8: MAIL had SMTPUTF8. A UTF-8 address without it is
 * 553 5.6.7 (RFC 6531 3.5).
 */
const struct smtp_fault *
smtp_mail_read(struct smtp_path *path, struct smtp_params *params, struct slice argument,
    uint32_t extensions, uint64_t size_limit) __attribute__((warn_unused_result));
const struct smtp_fault *smtp_rcpt_read(struct smtp_path *path, struct smtp_params *params,
    struct slice argument, uint32_t extensions, bool is_utf8) __attribute__((warn_unused_result));

/* "MAIL FROM:<a@b> SIZE=100\r\n" for a server that has these extensions. */
struct slice smtp_mail_format(struct arena *arena, const struct smtp_path *path,
    const struct smtp_params *params, uint32_t extensions);
struct slice smtp_rcpt_format(struct arena *arena, const struct smtp_path *path,
    const struct smtp_params *params, uint32_t extensions);

/*
 * BDAT: decimal octets, and LAST or nothing; else 501 5.5.4. A fault leaves it unknown how many
 * octets follow: the caller must end the session after its answer (RFC 3030 2).
 */
const struct smtp_fault *smtp_bdat_read(uint64_t *size, bool *is_last, struct slice argument)
    __attribute__((warn_unused_result));

/*
 * AUTH: the mechanism and the initial response; initial.data NULL: none was said; "=" is an
 * empty one and stays "=" (RFC 4954 4). Faults: 501 5.5.4, broken base64 501 5.5.2.
 */
const struct smtp_fault *smtp_auth_read(struct slice *mechanism, struct slice *initial,
    struct slice argument) __attribute__((warn_unused_result));

/* A client's further line in an AUTH exchange: base64 or empty. "*" (cancel) is the caller's. */
bool smtp_auth_line_is_valid(struct slice line);
