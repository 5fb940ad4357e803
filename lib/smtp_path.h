/*
 * smtp_path: the address in MAIL and RCPT.
 *
 * Read leniently where Postfix and Exim both are: blanks after the colon, no angle brackets,
 * dots anywhere in the local part, a local part of more than 64 octets, an underscore in the
 * domain. All else that the grammar does not have is a fault: 501 with 5.1.7 (sender) or 5.1.3
 * (recipient).
 *
 * A source route is recognised and left out (RFC 5321 3.6.1 and appendix C): the text is the
 * mailbox alone, just as it was written, and is what the backend is to be told. UTF-8 (checked:
 * no overlong forms, surrogates, C1 controls) is read always; the caller refuses it where
 * SMTPUTF8 was not said, for that parameter stands behind the path (smtp_mail_read() does).
 *
 * All slices point into the argument given; smtp_path_copy() makes them last.
 *
 * Limits: the path with its brackets 256 octets (RFC 5321 4.5.3.1.3), the domain 255, a label
 * 63. Address literals are IPv4 or IPv6 and are checked.
 */
#pragma once

#include "lib/arena.h"
#include "lib/smtp_fault.h"

enum { SMTP_PATH_MOST = 256, SMTP_DOMAIN_MOST = 255, SMTP_LABEL_MOST = 63 };

struct smtp_path {
	struct slice text;   /* without brackets and route; empty: the null path */
	struct slice local;  /* as written, a quoted one with its quotes */
	struct slice domain; /* as written, a literal with its brackets; empty: none was said */
	bool is_null;        /* <> (reverse-path only) */
	bool is_postmaster;  /* the local part is "postmaster" in any case, domain or not */
	bool is_quoted;
	bool is_literal;
	bool is_utf8; /* not all of it is ASCII */
	bool has_route;
};

/*
 * Reads "FROM:<...>" (reverse) or "TO:<...>" (forward) and sets rest to what follows, without
 * blanks at its ends: the parameters. The null path is a reverse-path only; without a domain
 * only the forward-path <postmaster> is legal (RFC 5321 4.5.1).
 */
const struct smtp_fault *smtp_path_read_reverse(struct smtp_path *path, struct slice argument,
    struct slice *rest) __attribute__((warn_unused_result));
const struct smtp_fault *smtp_path_read_forward(struct smtp_path *path, struct slice argument,
    struct slice *rest) __attribute__((warn_unused_result));

/* An address alone, without brackets, route, blanks: of a configuration, of a test. */
bool smtp_path_read_mailbox(struct smtp_path *path, struct slice text)
    __attribute__((warn_unused_result));

/*
 * Whether the local part could make the backend send the mail on to somewhere else, or to a
 * program or file: % ! or @ anywhere in it (also quoted, also the full-width forms), or / or |
 * at its beginning. Who may not relay must be refused such a recipient at any domain.
 */
bool smtp_path_is_routing(const struct smtp_path *path);

/* The same path with slices that live in the arena. */
struct smtp_path smtp_path_copy(struct arena *arena, const struct smtp_path *path);
