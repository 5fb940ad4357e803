#include "proxy/sink_mail.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/buf.h"
#include "lib/log.h"

enum { ADDRESS_TEXT_MOST = 1200, LINE_MOST = 512 * 1024 };

struct sink_mail *
sink_mail_new(struct sink_session *session, const struct smtp_path *from, bool is_utf8)
{
	struct arena *arena = arena_new(SIZE_MAX);
	struct sink_mail *mail = arena_alloc(arena, sizeof(*mail));

	*mail = (struct sink_mail) {
		.arena = arena,
		.from = arena_copy(arena, from->text),
		.is_utf8 = is_utf8,
		.last = &mail->recipients,
		.size_most = session->sink->options.size.value,
	};
	return mail;
}

void
sink_mail_add(struct sink_mail *mail, const struct smtp_path *recipient)
{
	struct sink_address *address = arena_alloc(mail->arena, sizeof(*address));

	address->text = arena_copy(mail->arena, recipient->text);
	*mail->last = address;
	mail->last = &address->next;
	mail->count++;
}

void
sink_mail_end(struct sink_session *session)
{
	if (session->mail == NULL)
		return;
	arena_free(session->mail->arena);
	session->mail = NULL;
}

/* The file does not take it; the administrator hears why, the client that it may come again. */
static void
sink_mail_fails(struct sink_mail *mail)
{
	log_line(LEVEL_ERROR, "sink", "%s", mail->file.why);
	if (mail->fault == NULL)
		mail->fault = "452 4.3.1 the message cannot be kept now";
}

/* The addresses are one line each: the reader of commands lets no control characters in. */
static bool
sink_mail_write_envelope(struct sink_mail *mail)
{
	struct buf text = { .limit = LINE_MOST };

	buf_print(&text, "X-Sink-From: <%s>\r\n", mail->from);
	for (const struct sink_address *to = mail->recipients; to != NULL; to = to->next)
		buf_print(&text, "X-Sink-To: <%s>\r\n", to->text);
	bool is_written = maildir_append(&mail->file, buf_slice(&text));

	mail->prefix = mail->file.size;
	buf_free(&text);
	return is_written;
}

/* ---- the text ---- */

static void
sink_mail_on_content(void *arg, struct slice piece)
{
	struct sink_mail *mail = arg;

	if (mail->fault != NULL)
		return;
	if (mail->size_most > 0 && mail->unframe.content_length > mail->size_most) {
		mail->fault = "552 5.3.4 the message is too large";
		maildir_drop(&mail->file);
	} else if (!maildir_append(&mail->file, piece)) {
		sink_mail_fails(mail);
	}
}

/* One line for whoever watches. */
static void
sink_mail_tell(const struct sink_session *session)
{
	const struct sink_mail *mail = session->mail;
	struct buf line = { .limit = LINE_MOST };
	char text[ADDRESS_TEXT_MOST];
	const char *before = " to=";

	buf_print(&line, "kept %s from=<%s>", mail->file.name,
	    log_printable(text, sizeof(text), slice_of(mail->from)));
	for (const struct sink_address *to = mail->recipients; to != NULL; to = to->next) {
		buf_print(
		    &line, "%s<%s>", before, log_printable(text, sizeof(text), slice_of(to->text)));
		before = ",";
	}
	buf_print(&line, " size=%" PRIu64 " tls=%s\n", mail->file.size - mail->prefix,
	    session->tls != NULL ? session->tls : "no");
	fwrite(line.data, 1, line.length, stdout);
	fflush(stdout);
	buf_free(&line);
}

static enum sink_step
sink_mail_finish(struct sink_session *session)
{
	struct sink_mail *mail = session->mail;

	if (mail->fault == NULL && !maildir_keep(&mail->file))
		sink_mail_fails(mail);
	if (mail->fault != NULL) {
		sink_session_reply(session, "%s", mail->fault);
	} else {
		sink_mail_tell(session);
		sink_session_reply(session, "250 2.0.0 kept as %s", mail->file.name);
	}
	sink_mail_end(session);
	conn_limit_input(session->front, CONN_INPUT_LEAST);
	session->step = sink_session_command;
	return SINK_NEXT;
}

static enum sink_step
sink_mail_text(struct sink_session *session)
{
	struct sink_mail *mail = session->mail;
	struct unframe_sink out = { .content = sink_mail_on_content, .arg = mail };
	struct slice input = conn_input(session->front);

	if (input.length == 0)
		return sink_session_await(session);
	sink_session_arrived(session);
	conn_take(session->front, unframe_feed(&mail->unframe, input, &out));
	return unframe_is_done(&mail->unframe) ? sink_mail_finish(session) : SINK_NEXT;
}

enum sink_step
sink_mail_start(struct sink_session *session)
{
	struct sink_mail *mail = session->mail;
	struct sink *sink = session->sink;

	if (!maildir_begin(&sink->maildir, mail->arena, &mail->file) ||
	    (sink->options.envelope && !sink_mail_write_envelope(mail))) {
		sink_mail_fails(mail);
		sink_session_reply(session, "%s", mail->fault);
		sink_mail_end(session);
		return SINK_NEXT;
	}
	unframe_init(&mail->unframe, UNFRAME_DATA, UNFRAME_PASS);
	sink_session_reply(session, "354 end with CRLF.CRLF");
	conn_limit_input(session->front, CONN_INPUT_MOST);
	session->step = sink_mail_text;
	return SINK_NEXT;
}
