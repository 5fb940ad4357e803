#include "proxy/transaction.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/clock.h"
#include "proxy/auto_ban.h"
#include "proxy/backend.h"
#include "proxy/session.h"
#include "rules/auth_results.h"

enum { ARENA_MOST = 1024 * 1024 };

static char *
transaction_lower(struct arena *arena, struct slice text)
{
	char *copy = arena_copy(arena, text);

	for (char *c = copy; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	return copy;
}

static struct address
transaction_address(struct arena *arena, const struct smtp_path *path)
{
	return (struct address) {
		.text = arena_copy(arena, path->text),
		.local = arena_copy(arena, path->local),
		.domain = transaction_lower(arena, path->domain),
		.is_routing = smtp_path_is_routing(path),
	};
}

struct transaction *
transaction_new(
    struct session *session, const struct smtp_path *from, const struct smtp_params *params)
{
	struct arena *arena = arena_new(ARENA_MOST);
	struct transaction *t = arena_alloc(arena, sizeof(*t));
	struct worker *worker = session->worker;

	*t = (struct transaction) { .session = session,
		.arena = arena,
		.dns = dns_new(arena, worker->dns, &session->task),
		.path = smtp_path_copy(arena, from),
		.params = smtp_params_copy(arena, params) };
	id_make(t->id);
	t->last = &t->recipients;
	t->from = transaction_address(arena, from);
	t->scope =
	    scope_new(arena, t->dns, session->hello, SCOPE_TRANSACTION, &worker->config->pipeline);
	t->scope->mail.from = &t->from;
	scope_reach(t->scope, MAIL);
	return t;
}

void
transaction_end(struct transaction *transaction)
{
	arena_free(transaction->arena);
}

struct recipient *
transaction_recipient(
    struct transaction *t, const struct smtp_path *to, const struct smtp_params *params)
{
	struct recipient *recipient = arena_alloc(t->arena, sizeof(*recipient));

	*recipient = (struct recipient) {
		.address = transaction_address(t->arena, to),
		.path = smtp_path_copy(t->arena, to),
		.params = smtp_params_copy(t->arena, params),
		.scope = scope_new(t->arena, t->dns, t->scope, SCOPE_RECIPIENT,
		    &t->session->worker->config->pipeline),
	};
	recipient->scope->mail.recipient = &recipient->address;
	*t->last = recipient;
	t->last = &recipient->next;
	t->asked = recipient;
	t->count++;
	scope_reach(recipient->scope, RCPT);
	return recipient;
}

/* Facts that do not come in time defer the matter: neither good nor bad mail is lost by it. */
static const struct rule transaction_late_rule = { .name = "facts-late",
	.action = DEFER,
	.text = "4.4.3 answers that this decision needs did not come in time, please try again" };

static enum step
transaction_wait(struct session *session, const struct evidence *evidence, struct verdict *verdict)
{
	bool may_pass = evidence_find(evidence, "relay", "result") != NULL;

	session_await(session, session->worker->config->timeouts.facts);
	if (!session->is_late)
		return WAIT;
	session_arrived(session);
	*verdict = (struct verdict) { .action = DEFER,
		.rule = &transaction_late_rule,
		.is_shadow = may_pass && session->worker->config->policy.is_shadow };
	return NEXT;
}

static enum step
transaction_judge_recipient(struct transaction *t, struct recipient *recipient)
{
	const struct evidence *evidence = recipient->scope->mail.evidence;
	struct session *session = t->session;

	scope_run(recipient->scope);
	switch (policy_judge(&session->worker->config->policy, evidence, POINT_RCPT,
	    &recipient->address, session->listen->address, &recipient->verdict)) {
	case JUDGE_WAIT:
		return transaction_wait(session, evidence, &recipient->verdict);
	case JUDGE_LATER:
		recipient->verdict = (struct verdict) { .action = ACCEPT };
		break;
	case JUDGED:
		break;
	}
	session_arrived(session);
	return NEXT;
}

static struct recipient *
transaction_first_taken(const struct transaction *t)
{
	struct recipient *r = t->recipients;

	while (r != NULL && r->state != RECIPIENT_TAKEN)
		r = r->next;
	return r;
}

/* Must this recipient come in a transaction of its own? (RFC 5321 4.5.3.1.10) */
static bool
transaction_differs(const struct transaction *t, const struct recipient *recipient)
{
	const struct recipient *first = transaction_first_taken(t);

	return first != NULL &&
	    policy_differs(&t->session->worker->config->policy, first->scope->mail.evidence,
		&first->address, recipient->scope->mail.evidence, &recipient->address,
		t->session->listen->address);
}

const struct address *const *
transaction_taken(const struct transaction *t)
{
	const struct address **taken = arena_alloc(t->arena, (t->taken + 1) * sizeof(*taken));
	size_t count = 0;

	for (const struct recipient *r = t->recipients; r != NULL; r = r->next)
		if (r->state == RECIPIENT_TAKEN && count < t->taken)
			taken[count++] = &r->address;
	return taken;
}

/* The reply of a refusal, by which the client's people find its case. */
static const char *
transaction_refusal(struct transaction *t, const struct recipient *recipient)
{
	struct record record = transaction_make_record(t, recipient);
	int code = record.verdict.action == DEFER ? 451 : 550;

	return arena_format(t->arena, "%d %s", code, record_reply_text(t->arena, &record, code));
}

/* `discard` and `redirect` are the administrator's own rules; the client hears 2yz. */
static void
transaction_forward(struct transaction *t, struct recipient *recipient)
{
	const struct verdict *verdict = &recipient->verdict;
	struct smtp_path path;

	if (verdict->is_shadow)
		return;
	recipient->is_discarded = verdict->action == DISCARD;
	if (verdict->action == REDIRECT &&
	    smtp_path_read_mailbox(&path, slice_of(verdict->rule->redirect)))
		recipient->path = smtp_path_copy(t->arena, &path);
}

static bool
transaction_is_refusal(const struct verdict *verdict)
{
	return (verdict->action == REJECT || verdict->action == DEFER) && !verdict->is_shadow;
}

enum step
transaction_decide_recipient(struct transaction *t, struct recipient *recipient)
{
	if (recipient->is_decided)
		return NEXT;
	if (transaction_judge_recipient(t, recipient) == WAIT)
		return WAIT;
	recipient->is_decided = true;
	if (transaction_is_refusal(&recipient->verdict)) {
		id_make(recipient->id);
		recipient->reply = transaction_refusal(t, recipient);
	} else if (transaction_differs(t, recipient)) {
		recipient->reply = "452 4.5.3 please send to this recipient separately";
	} else {
		transaction_forward(t, recipient);
		if (recipient->is_discarded)
			recipient->reply = "250 2.1.5 recipient noted";
	}
	return NEXT;
}

void
transaction_settle(struct transaction *t, struct recipient *recipient, bool is_taken)
{
	recipient->state = is_taken ? RECIPIENT_TAKEN : RECIPIENT_REFUSED;
	t->taken += is_taken;
	t->asked = NULL;
}

bool
transaction_has_target(const struct transaction *t)
{
	for (const struct recipient *r = t->recipients; r != NULL; r = r->next)
		if (r->state == RECIPIENT_TAKEN && !r->is_discarded)
			return true;
	return false;
}

bool
transaction_is_outgoing(const struct transaction *t)
{
	for (const struct recipient *r = t->recipients; r != NULL; r = r->next) {
		const struct fact *relay =
		    evidence_find(r->scope->mail.evidence, "relay", "result");

		if (r->state == RECIPIENT_TAKEN && relay != NULL &&
		    strcmp(relay->value, "domain") != 0 && strcmp(relay->value, "denied") != 0)
			return true;
	}
	return false;
}

/* What the message itself is wrong in: size, header, line ends, no space. */
static void
transaction_fault(struct transaction *t)
{
	static const struct rule rule = { .name = "limits", .action = REJECT };

	t->verdict = (struct verdict) { .action = atoi(t->body.fault) < 500 ? DEFER : REJECT,
		.rule = &rule };
	t->reply = arena_format(t->arena, "%s (case %s)", t->body.fault, t->id);
}

/* The policy has spoken, and the message passes: what belongs into its Authentication-Results is
 * waited for nevertheless, if it comes in time. */
static bool
transaction_results_wait(struct transaction *t)
{
	const struct config *config = t->session->worker->config;

	if (transaction_is_refusal(&t->verdict) || !auth_results_are_open(config, t->scope))
		return false;
	session_await(t->session, config->timeouts.facts);
	return !t->session->is_late;
}

static enum step
transaction_judge_message(struct transaction *t)
{
	const struct recipient *first = transaction_first_taken(t);
	const struct evidence *evidence = first->scope->mail.evidence;
	struct session *session = t->session;

	t->scope->mail.client = &session->client;
	scope_reach(t->scope, END);
	scope_run(t->scope);
	if (policy_judge(&session->worker->config->policy, evidence, POINT_MESSAGE, &first->address,
		session->listen->address, &t->verdict) == JUDGE_WAIT) {
		if (transaction_wait(session, evidence, &t->verdict) == WAIT)
			return WAIT;
	} else if (transaction_results_wait(t)) {
		return WAIT;
	}
	session_arrived(session);
	return NEXT;
}

enum step
transaction_decide_message(struct transaction *t)
{
	if (t->is_decided)
		return NEXT;
	if (t->body.fault != NULL)
		transaction_fault(t);
	else if (transaction_judge_message(t) == WAIT)
		return WAIT;
	else if (transaction_is_refusal(&t->verdict))
		t->reply = transaction_refusal(t, NULL);
	else if (!transaction_has_target(t) ||
	    (t->verdict.action == DISCARD && !t->verdict.is_shadow))
		t->reply = arena_format(t->arena, "250 2.0.0 taken (case %s)", t->id);
	t->is_decided = true;
	return NEXT;
}

/* ---- header fields ---- */

static const char *
transaction_date(char out[64])
{
	time_t now = (time_t)clock_unix();
	struct tm parts;

	localtime_r(&now, &parts);
	strftime(out, 64, "%a, %d %b %Y %H:%M:%S %z", &parts);
	return out;
}

/* RFC 5321 4.4; the protocol word by RFC 3848 and RFC 6531 4.3. */
static void
transaction_received(const struct transaction *t, struct buf *out)
{
	const struct client *client = &t->session->client;
	const struct fact *name = evidence_find(t->scope->mail.evidence, "ptr", "result");
	bool has_name = name != NULL && name->detail[0] != '\0' &&
	    (strcmp(name->value, "pass") == 0 || strcmp(name->value, "generic") == 0);
	char date[64];

	buf_print(out, "Received: from %s (%s[%s%s])\r\n", client->helo,
	    has_name ? arena_format(t->arena, "%s ", name->detail) : "",
	    client->ip.length == 16 ? "IPv6:" : "", client->text);
	if (client->tls != NULL)
		buf_print(out, "\t(using %s with cipher %s)\r\n", client->tls, client->cipher);
	buf_print(out, "\tby %s (postern) with %s%s%s%s id %s",
	    t->session->worker->config->hostname,
	    smtp_params_has(&t->params, SMTP_PARAM_SMTPUTF8) ? "UTF8" : "",
	    client->is_esmtp ? "ESMTP" : "SMTP", client->tls != NULL ? "S" : "",
	    client->user != NULL ? "A" : "", t->id);
	if (t->taken == 1)
		buf_print(out, "\r\n\tfor <%s>", transaction_first_taken(t)->address.text);
	buf_print(out, "; %s\r\n", transaction_date(date));
}

static void
transaction_verdict(const struct transaction *t, struct buf *out)
{
	const struct rule *rule = t->verdict.rule;

	buf_print(out, "X-Postern-Verdict: %s; score=%.1f; rule=%s; case=%s\r\n",
	    action_name(t->verdict.action), t->verdict.score,
	    rule != NULL ? rule->name : "thresholds", t->id);
}

void
transaction_header(const struct transaction *t, struct buf *out)
{
	const struct config *config = t->session->worker->config;

	if (auth_results_are_wanted(config))
		auth_results_field(config, t->scope, out);
	scope_headers(t->scope, out);
	if (config->received)
		transaction_received(t, out);
	if (t->is_decided && t->verdict.action == TAG && !t->verdict.is_shadow)
		transaction_verdict(t, out);
}

/* ---- the record ---- */

static const char **
transaction_recipients(const struct transaction *t, const struct recipient *only)
{
	const char **list = arena_alloc(t->arena, (t->count + 1) * sizeof(*list));
	size_t count = 0;

	for (const struct recipient *r = t->recipients; r != NULL; r = r->next)
		if (r == only || (only == NULL && r->state == RECIPIENT_TAKEN))
			list[count++] = r->address.text;
	return list;
}

/* In one line; what is longer than any honest one is cut. */
static struct slice
transaction_subject(const struct transaction *t)
{
	enum { MOST = 1000 };
	struct slice raw = body_field(&t->body, "Subject");
	char *text = arena_alloc(t->arena, MOST);

	return (struct slice) { text, header_unfold(raw, text, MOST) };
}

struct record
transaction_make_record(struct transaction *t, const struct recipient *recipient)
{
	const struct recipient *first = recipient != NULL ? recipient : transaction_first_taken(t);
	const struct backend *backend = t->session->backend;

	return (struct record) {
		.id = recipient != NULL ? recipient->id : t->id,
		.time = clock_unix(),
		.point = recipient != NULL ? POINT_RCPT : POINT_MESSAGE,
		.scope = first != NULL ? first->scope : t->scope,
		.recipients = transaction_recipients(t, recipient),
		.size = t->body.size,
		.subject = recipient != NULL ? (struct slice) { "", 0 } : transaction_subject(t),
		.verdict = recipient != NULL ? recipient->verdict : t->verdict,
		.reply = recipient != NULL ? recipient->reply : t->reply,
		.backend = backend != NULL ? backend_name(backend) : NULL,
		.backend_tls = backend != NULL ? backend_tls(backend) : NULL,
		.body_in = t->body.hash_text[0] != '\0' ? t->body.hash_text : NULL,
	};
}

static void
transaction_count(struct transaction *t, const struct recipient *recipient, int code)
{
	struct shared_worker *shared = t->session->worker->shared;

	if (recipient != NULL)
		atomic_fetch_add(&shared->recipients_refused, 1);
	else if (code < 400)
		atomic_fetch_add(&shared->messages_accepted, 1);
	else if (code < 500)
		atomic_fetch_add(&shared->messages_deferred, 1);
	else
		atomic_fetch_add(&shared->messages_refused, 1);
}

void
transaction_record(
    struct transaction *t, const struct recipient *recipient, const char *backend_reply)
{
	const struct policy *policy = &t->session->worker->config->policy;
	struct record record = transaction_make_record(t, recipient);

	if (backend_reply != NULL)
		record.reply = record.backend_reply = backend_reply;
	if (backend_reply != NULL && backend_reply[0] == '2')
		record.body_out = record.body_in;
	record.ban = auto_ban(t->session, &record);
	record_log(&record, policy);
	t->session->has_record = true;
	transaction_count(t, recipient, atoi(record.reply));
}
