#include "proxy/explain.h"

#include <assert.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <sysexits.h>
#include <unistd.h>

#include "proxy/explain_parts.h"
#include "proxy/greeting.h"
#include "proxy/message.h"
#include "proxy/resolver.h"

enum { JSON_MOST = 16 * 1024 * 1024 };

static enum step explain_envelope(struct explain *explain);
static enum step explain_recipient(struct explain *explain);
static enum step explain_read(struct explain *explain);
static enum step explain_message(struct explain *explain);
static enum step explain_gather(struct explain *explain);

/* ---- the session, step by step; each is entered again until it has no more to wait for ---- */

static enum step
explain_connect(struct explain *explain)
{
	struct session *session = explain->session;

	session_await(session, explain->config->timeouts.facts);
	if (greeting_decide(session, &explain->refusal) == WAIT && !session->is_late)
		return WAIT;
	session_arrived(session);
	explain->step = explain->refusal.reply != NULL ? explain_gather : explain_envelope;
	return NEXT;
}

static enum step
explain_envelope(struct explain *explain)
{
	const struct explain_options *options = explain->options;
	struct session *session = explain->session;
	const struct smtp_params params = { 0 };

	session->client.tls = options->tls;
	session_hello(session, slice_of(options->helo), true);
	session->client.user = options->user;
	session->mail = transaction_new(session, &options->from, &params);
	explain->step = explain_recipient;
	return NEXT;
}

static enum step
explain_recipient(struct explain *explain)
{
	const struct explain_options *options = explain->options;
	const struct smtp_params params = { 0 };
	struct transaction *t = explain->session->mail;

	if (t->asked == NULL && explain->named == options->count) {
		message_begin(explain->session, UNFRAME_CHUNKS);
		t->body.is_streamed = true; /* to nobody */
		explain->tree = explain_tree_new(t->scope);
		explain->step = explain_read;
		return NEXT;
	}
	if (t->asked == NULL)
		transaction_recipient(t, &options->recipients[explain->named++], &params);
	struct recipient *recipient = t->asked;

	if (transaction_decide_recipient(t, recipient) == WAIT)
		return WAIT;
	transaction_settle(t, recipient, recipient->reply == NULL || recipient->is_discarded);
	return NEXT;
}

/* A piece per turn of the loop, so that answers are taken in as they come. */
static enum step
explain_read(struct explain *explain)
{
	struct session *session = explain->session;
	struct body *body = &session->mail->body;
	struct slice piece = explain_text_next(explain->text);

	if (piece.length > 0) {
		body_feed(body, piece);
		task_wake(&session->task);
		return WAIT;
	}
	body_finish(body);
	explain->step = explain_message;
	return NEXT;
}

static enum step
explain_message(struct explain *explain)
{
	struct transaction *t = explain->session->mail;

	if (t->taken > 0 && transaction_decide_message(t) == WAIT)
		return WAIT;
	explain->step = explain_gather;
	return NEXT;
}

/* Is any fact still to come? */
static bool
explain_waits(struct session *session)
{
	struct transaction *t = session->mail;
	bool waits = false;

	if (t == NULL)
		return scope_waits(session->connection);
	if (t->body.fault == NULL)
		scope_reach(t->scope, END);
	for (const struct recipient *r = t->recipients; r != NULL; r = r->next) {
		scope_run(r->scope);
		waits |= scope_waits(r->scope);
	}
	return waits;
}

/* All is decided; what no decision has waited for is still worth to be seen. */
static enum step
explain_gather(struct explain *explain)
{
	struct session *session = explain->session;

	session_await(session, explain->config->timeouts.facts);
	if (explain_waits(session) && !session->is_late)
		return WAIT;
	explain->is_late = session->is_late;
	session_arrived(session);
	return END_SESSION;
}

static void
explain_run(void *arg)
{
	struct explain *explain = arg;
	enum step step = NEXT;

	scope_run(session_scope(explain->session));
	while (step == NEXT)
		step = explain->step(explain);
	if (step != END_SESSION)
		return;
	explain->is_over = true;
	ev_break(explain->worker->loop, EVBREAK_ALL);
}

/* ---- what comes out ---- */

/* The message's record; if it came to no decision of its own, that of the first refusal. */
static struct record
explain_record(const struct explain *explain)
{
	struct transaction *t = explain->session->mail;

	if (t == NULL)
		return explain->refusal;
	return transaction_make_record(t, t->taken > 0 ? NULL : t->recipients);
}

static void
explain_print_json(const struct explain *explain)
{
	struct record record = explain_record(explain);
	struct buf text = { .limit = JSON_MOST };
	struct json json;

	json_init(&json, &text);
	json_open_object(&json);
	record_put(&json, &record, &explain->config->policy);
	explain_tree_put(json_key(&json, "parts"), explain->tree);
	explain_put_uris(json_key(&json, "uris"), explain);
	json_close_object(&json);
	assert(!text.overflowed);
	fwrite(text.data, 1, text.length, stdout);
	putchar('\n');
	buf_free(&text);
}

static bool
explain_is_unicode(void)
{
	locale_t locale = isatty(STDOUT_FILENO) ? newlocale(LC_CTYPE_MASK, "", NULL) : NULL;
	bool is_unicode = locale != NULL && strcmp(nl_langinfo_l(CODESET, locale), "UTF-8") == 0;

	if (locale != NULL)
		freelocale(locale);
	return is_unicode;
}

/* ---- begin and end ---- */

static void
explain_session(struct explain *explain)
{
	struct ev_loop *loop = explain->worker->loop;
	struct sockaddr_storage peer;

	ip_to_sockaddr(&explain->options->ip, 0, &peer);
	explain->session = session_make(explain->worker, &explain->config->listen.item[0],
	    (const struct sockaddr *)&peer, explain_run, explain);
	explain->step = explain_connect;
	task_wake(&explain->session->task);
	while (!explain->is_over)
		ev_run(loop, 0);
	if (explain->options->is_json)
		explain_print_json(explain);
	else
		explain_print(explain, explain_is_unicode());
	fflush(stdout);
	arena_free(explain->session->arena);
}

static int
explain_file(struct arena *arena, struct explain *explain)
{
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
	struct arena *inner = arena_new(SIZE_MAX);
	struct dns_source *dns = resolver_new(inner, loop, &explain->config->dns);

	signal(SIGPIPE, SIG_IGN);
	if (dns != NULL) {
		explain->worker =
		    worker_new(inner, loop, explain->config, dns, shared_new(arena), 0);
		explain->worker->filters.host.state = state_new_looker(
		    inner, arena_format(arena, "%s/state", explain->config->state_dir));
		explain_session(explain);
	}
	arena_free(inner);
	ev_loop_destroy(loop);
	return dns != NULL ? EX_OK : EX_UNAVAILABLE;
}

/* The configuration, then the message: what is wrong with either is said. */
static int
explain_open(struct arena *arena, struct explain *explain, const char *file)
{
	struct faults faults;
	const char *why;

	faults_init(&faults, arena);
	explain->config = config_read(arena, file, &faults);
	if (explain->config == NULL) {
		faults_print(&faults, stderr);
		return EX_CONFIG;
	}
	explain->text = explain_text_open(arena, explain->options->file, &why);
	if (explain->text == NULL) {
		fprintf(stderr, "postern explain: %s: %s\n", explain->options->file, why);
		return EX_NOINPUT;
	}
	return EX_OK;
}

int
explain_main(const char *file, int argc, char **argv)
{
	struct arena *arena = arena_new(SIZE_MAX);
	struct explain_options options;
	struct explain explain = { .options = &options };
	int status = EX_USAGE;

	if (explain_options_read(&options, arena, argc, argv))
		status = explain_open(arena, &explain, file);
	if (status == EX_OK)
		status = explain_file(arena, &explain);
	arena_free(arena);
	return status;
}
