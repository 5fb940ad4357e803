#include "lib/log.h"
#include "rules/record_parts.h"

enum { TEXT_MOST = 256, DETAIL_MOST = 80, REPLY_MOST = 400, RECIPIENTS_MOST = 20 };

/* before, then the text made harmless, then after; nothing at all for NULL. */
static void
record_print(struct buf *out, const char *before, const char *text, const char *after, size_t most)
{
	char clean[REPLY_MOST];

	if (text == NULL)
		return;
	buf_append(out, slice_of(before));
	buf_append(out, slice_of(log_printable(clean, most, slice_of(text))));
	buf_append(out, slice_of(after));
}

static void
record_print_recipients(struct buf *out, const struct record *record)
{
	const char *const *recipient = record->recipients;
	size_t count = 0;

	for (; recipient != NULL && *recipient != NULL; recipient++, count++)
		if (count < RECIPIENTS_MOST)
			record_print(out, count == 0 ? " to=<" : ",<", *recipient, ">", TEXT_MOST);
	if (count > RECIPIENTS_MOST)
		buf_print(out, ",+%zu", count - RECIPIENTS_MOST);
}

static void
record_print_facts(struct buf *out, const struct record *record)
{
	struct evidence_place place = { 0 };
	const char *before = " facts=";
	const struct fact *fact;

	while ((fact = evidence_next(record->scope->mail.evidence, &place)) != NULL) {
		buf_append(out, slice_of(before));
		buf_append(out, slice_of(fact->filter));
		buf_append(out, slice_of("."));
		buf_append(out, slice_of(fact->key));
		record_print(out, "=", fact->value, "", DETAIL_MOST);
		if (fact->detail[0] != '\0')
			record_print(out, "(", fact->detail, ")", DETAIL_MOST);
		before = ",";
	}
}

/* The rule that decided; with mode: shadow what it would have done, too. */
static void
record_print_verdict(struct buf *out, const struct record *record, const struct policy *policy)
{
	const struct verdict *verdict = &record->verdict;
	const char *rule = verdict->rule != NULL ? verdict->rule->name : NULL;
	const struct rule *shadow = NULL;
	const char *before = " shadow=";

	if (!verdict->is_shadow)
		record_print(out, " rule=", rule, "", TEXT_MOST);
	record_print(out, " ban=", record->ban, "", TEXT_MOST);
	if (verdict->score < 0 || verdict->score > 0)
		buf_print(out, " score=%g", verdict->score);
	if (verdict->is_shadow && verdict->action != ACCEPT) {
		record_print(out, before, rule != NULL ? rule : "thresholds", "", TEXT_MOST);
		buf_print(out, ":%s", record_action(verdict));
		before = ",";
	}
	while ((shadow = record_shadow(record, policy, shadow)) != NULL) {
		record_print(out, before, shadow->name, "", TEXT_MOST);
		buf_print(out, ":%s", rule_action(shadow));
		before = ",";
	}
}

void
record_text(struct buf *out, const struct record *record, const struct policy *policy)
{
	const struct mail *mail = &record->scope->mail;
	const struct client *client = mail->client;
	enum action action = record->verdict.is_shadow ? ACCEPT : record->verdict.action;

	buf_print(out, "%s %s", record->id, action_name(action));
	record_print_verdict(out, record, policy);
	record_print(out, " client=", client->text, "", TEXT_MOST);
	record_print(out, " name=", record_client_name(record), "", TEXT_MOST);
	record_print(out, " helo=", client->helo, "", TEXT_MOST);
	record_print(out, " user=", client->user, "", TEXT_MOST);
	record_print(out, " from=<", mail->from != NULL ? mail->from->text : NULL, ">", TEXT_MOST);
	record_print_recipients(out, record);
	if (record->size > 0)
		buf_print(out, " size=%llu", (unsigned long long)record->size);
	record_print(out, " tls=", client->tls, "", TEXT_MOST);
	record_print_facts(out, record);
	record_print(out, " reply=\"", record->reply, "\"", REPLY_MOST);
	record_print(out, " server=", record->backend, "", TEXT_MOST);
	record_print(out, " server_tls=", record->backend_tls, "", TEXT_MOST);
	record_print(out, " backend=\"", record->backend_reply, "\"", REPLY_MOST);
}
