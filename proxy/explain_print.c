#include "proxy/explain_parts.h"

#include "lib/encoded_word.h"
#include "lib/log.h"

enum { TEXT_MOST = 300 };

/* A line of the head; value is a peer's text. */
static void
explain_line(const char *name, const char *value)
{
	char clean[TEXT_MOST];

	printf("%-10s %s\n", name, log_printable(clean, sizeof(clean), slice_of(value)));
}

static void
explain_print_message(const struct explain *explain)
{
	const struct explain_text *text = explain->text;
	const struct transaction *t = explain->session->mail;
	const char *ends = "no line end";
	char subject[TEXT_MOST], clean[TEXT_MOST];

	if (explain_text_is_unix(text))
		ends = "Unix line ends, sent as CRLF";
	else if (text->has_bare_lf || text->has_bare_cr)
		ends = "mixed line ends";
	else if (text->has_crlf)
		ends = "CRLF";
	printf("%-10s %s, %llu bytes, %s\n", "message",
	    strcmp(explain->options->file, "-") == 0 ? "standard input" : explain->options->file,
	    (unsigned long long)text->size, ends);
	if (t == NULL)
		return;
	struct slice raw = body_field(&t->body, "Subject");
	size_t length = encoded_word_field(raw, subject, sizeof(subject));

	printf("%-10s %s\n", "subject",
	    log_printable(clean, sizeof(clean), (struct slice) { subject, length }));
}

static void
explain_print_head(const struct explain *explain)
{
	const struct explain_options *options = explain->options;
	struct arena *arena = explain->session->arena;
	const struct client *client = &explain->session->client;

	explain_line("client",
	    arena_format(arena, "%s, says %s%s%s%s%s", client->text, options->helo,
		options->tls != NULL ? ", " : "", options->tls != NULL ? options->tls : "",
		options->user != NULL ? ", is " : "", options->user != NULL ? options->user : ""));
	explain_line("listener", client->listener);
	explain_line("from",
	    arena_format(arena, "<%.*s>", (int)options->from.text.length, options->from.text.data));
	for (size_t i = 0; i < options->count; i++)
		explain_line(i == 0 ? "to" : "",
		    arena_format(arena, "<%.*s>", (int)options->recipients[i].text.length,
			options->recipients[i].text.data));
	explain_print_message(explain);
}

/* ---- the verdicts ---- */

static void
explain_print_verdict(const char *whose, const char *what, const char *reply)
{
	char clean[TEXT_MOST];

	printf(
	    "  %-24s %-9s %s\n", log_printable(clean, sizeof(clean), slice_of(whose)), what, reply);
}

static const char *
explain_recipient_word(const struct recipient *recipient)
{
	if (recipient->id[0] != '\0' || recipient->is_discarded)
		return action_name(recipient->verdict.action);
	return recipient->reply != NULL ? "later" : "accept";
}

static void
explain_print_message_verdict(const struct explain *explain)
{
	const struct transaction *t = explain->session->mail;
	const struct verdict *verdict = &t->verdict;
	const char *by = verdict->rule != NULL ? verdict->rule->name : NULL;

	explain_print_verdict("the message",
	    action_name(verdict->is_shadow ? ACCEPT : verdict->action),
	    t->reply != NULL ? t->reply : "as the mail server answers");
	if (verdict->is_shadow && verdict->action != ACCEPT)
		printf("  %-24s would be  %s, if not for mode: shadow\n", "",
		    action_name(verdict->action));
	if (by != NULL)
		printf("  %-24s by        %s\n", "", by);
	if (verdict->score < 0 || verdict->score > 0)
		printf("  %-24s score     %g\n", "", verdict->score);
}

static void
explain_print_verdicts(const struct explain *explain)
{
	const struct transaction *t = explain->session->mail;

	printf("\nVerdict\n");
	if (t == NULL) {
		explain_print_verdict("the connection",
		    action_name(explain->refusal.verdict.action), explain->refusal.reply);
		return;
	}
	for (const struct recipient *r = t->recipients; r != NULL; r = r->next)
		explain_print_verdict(r->address.text, explain_recipient_word(r),
		    r->reply != NULL ? r->reply : "as the mail server answers");
	if (t->taken > 0)
		explain_print_message_verdict(explain);
}

void
explain_print(const struct explain *explain, bool is_unicode)
{
	explain_print_head(explain);
	explain_print_facts(explain, is_unicode);
	explain_print_uris(explain);
	explain_print_rules(explain);
	explain_print_verdicts(explain);
}
