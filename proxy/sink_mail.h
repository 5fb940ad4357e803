/*
 * sink_mail: a transaction of the sink: envelope and message.
 *
 * The text is unframed and written to the Maildir as it comes, nothing of it is held. What goes
 * wrong with it does not stop the reading: the rest is swallowed, and then the answer is given,
 * so that client and sink stay in step.
 */
#pragma once

#include "proxy/sink_session.h"

struct sink_address {
	struct sink_address *next;
	const char *text; /* without brackets */
};

struct sink_mail {
	struct arena *arena; /* bounded by SINK_RECIPIENTS_MOST */
	const char *from;
	bool is_utf8; /* MAIL had SMTPUTF8 */
	struct sink_address *recipients, **last;
	unsigned count;
	struct unframe unframe;
	struct maildir_file file;
	uint64_t prefix;   /* bytes of the file that are not the message's */
	const char *fault; /* the reply that the message gets; NULL: none */
	uint64_t size_most;
};

struct sink_mail *
sink_mail_new(struct sink_session *session, const struct smtp_path *from, bool is_utf8);
void sink_mail_add(struct sink_mail *mail, const struct smtp_path *recipient);

/* After DATA: says 354, or why not; the step that follows reads the text. */
enum sink_step sink_mail_start(struct sink_session *session);

/* Forgets the session's transaction, if there is one. */
void sink_mail_end(struct sink_session *session);
