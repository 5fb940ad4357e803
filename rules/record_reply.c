#include <stdio.h>

#include "rules/record_parts.h"

enum { VALUE_MOST = 100, REPLY_MOST = 400, CASE_MOST = 32 };

static const char *
record_recipient(const struct record *record)
{
	const struct address *recipient = record->scope->mail.recipient;

	if (recipient != NULL)
		return recipient->text;
	return record->recipients != NULL ? record->recipients[0] : NULL;
}

static const char *
record_sender(const struct record *record)
{
	const struct address *from = record->scope->mail.from;

	if (from == NULL)
		return NULL;
	return from->text[0] != '\0' ? from->text : "<>";
}

static bool
record_is_met(const struct condition *condition, const struct fact *fact)
{
	if (strcmp(fact->filter, condition->filter) != 0 || strcmp(fact->key, condition->key) != 0)
		return false;
	for (const char *const *value = condition->values; *value != NULL; value++)
		if (strcmp(*value, fact->value) == 0)
			return true;
	return false;
}

/* The detail of the fact that the rule's first condition asks for. */
static const char *
record_detail(const struct record *record)
{
	const struct rule *rule = record->verdict.rule;
	struct evidence_place place = { 0 };
	const struct fact *fact;

	if (rule == NULL || rule->when == NULL || rule->when->filter == NULL)
		return NULL;
	while ((fact = evidence_next(record->scope->mail.evidence, &place)) != NULL)
		if (record_is_met(rule->when, fact))
			return fact->detail;
	return NULL;
}

/* What {word} stands for; NULL: no such word. */
static const char *
record_value(const struct record *record, struct slice word)
{
	const struct client *client = record->scope->mail.client;
	const struct rule *rule = record->verdict.rule;
	const struct {
		const char *word, *value;
	} values[] = {
		{ "client", client->text },
		{ "name", record_client_name(record) },
		{ "helo", client->helo },
		{ "from", record_sender(record) },
		{ "recipient", record_recipient(record) },
		{ "rule", rule != NULL ? rule->name : "thresholds" },
		{ "detail", record_detail(record) },
		{ "case", record->id },
	};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (slice_equals(word, slice_of(values[i].word)))
			return values[i].value != NULL ? values[i].value : "unknown";
	return NULL;
}

/* textstring of RFC 5321 4.2, that is printable ASCII. */
static void
record_append(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.length; i++) {
		unsigned char byte = (unsigned char)text.data[i];

		buf_append_byte(out, byte >= ' ' && byte <= '~' ? (char)byte : '?');
	}
}

static void
record_fill_in(struct buf *out, const struct record *record, const char *text)
{
	while (*text != '\0') {
		size_t plain = strcspn(text + 1, "{") + 1;
		const char *end = text[0] == '{' ? strchr(text, '}') : NULL;
		struct slice word = { text + 1, end != NULL ? (size_t)(end - text) - 1 : 0 };
		const char *value = end != NULL ? record_value(record, word) : NULL;

		if (value != NULL) {
			record_append(out, (struct slice) { value, strnlen(value, VALUE_MOST) });
			text = end + 1;
		} else {
			record_append(out, (struct slice) { text, plain });
			text += plain;
		}
	}
}

/* How long "5.7.1 " at the text's front is (RFC 3463 2), with the blanks; 0: there is none. */
static size_t
record_status_length(const char *text)
{
	char class[2], subject[4], detail[4];
	int end = 0;

	if (sscanf(text, "%1[245].%3[0-9].%3[0-9]%n", class, subject, detail, &end) != 3)
		return 0;
	if (text[end] != ' ' && text[end] != '\0')
		return 0;
	return (size_t)end + strspn(text + end, " ");
}

/* A rule's own status keeps its meaning, but its class is that of the reply. */
const char *
record_reply_text(struct arena *arena, const struct record *record, int code)
{
	const struct rule *rule = record->verdict.rule;
	const char *text = rule != NULL && rule->text != NULL ? rule->text : NULL;
	const char *end = arena_format(arena, " (case %.*s)", CASE_MOST, record->id);
	struct buf out;

	if (text == NULL)
		text = code / 100 == 4 ? "Please try again later" : "Refused by local policy";
	size_t status = record_status_length(text);

	buf_init(&out, REPLY_MOST - strlen(end));
	buf_print(&out, "%d", code / 100);
	record_append(
	    &out, status > 0 ? (struct slice) { text + 1, status - 1 } : slice_of(".7.1 "));
	record_fill_in(&out, record, text + status);
	while (out.length > 0 && out.data[out.length - 1] == ' ')
		buf_cut(&out, out.length - 1);
	const char *reply = arena_format(arena, "%.*s%s", (int)out.length, out.data, end);

	buf_free(&out);
	return reply;
}
