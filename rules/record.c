#include "rules/record_parts.h"

#include <stdlib.h>

#include "lib/clock.h"
#include "lib/encoded_word.h"
#include "lib/log.h"

enum { SUBJECT_MOST = 1000 };

static void
record_put_client(struct json *json, const struct record *record)
{
	const struct client *client = record->scope->mail.client;

	json_open_object(json_key(json, "client"));
	json_text(json_key(json, "ip"), client->text);
	json_text(json_key(json, "name"), record_client_name(record));
	json_text(json_key(json, "helo"), client->helo);
	json_text(json_key(json, "tls"), client->tls);
	json_text(json_key(json, "user"), client->user);
	json_close_object(json);
}

static void
record_put_recipients(struct json *json, const struct record *record)
{
	const char *const *recipient = record->recipients;

	json_open_array(json_key(json, "recipients"));
	for (; recipient != NULL && *recipient != NULL; recipient++)
		json_text(json, *recipient);
	json_close_array(json);
}

static void
record_put_subject(struct json *json, struct slice subject)
{
	char text[SUBJECT_MOST];

	if (subject.data == NULL)
		json_null(json_key(json, "subject"));
	else
		json_string(json_key(json, "subject"),
		    (struct slice) { text, encoded_word_field(subject, text, sizeof(text)) });
}

/*
 * What counts something is a number in JSON, in the form that no reader will change: no leading
 * zero, below 2^53. A name stays a text, also one that is all digits (a selector).
 */
static bool
record_is_number(const struct about *about)
{
	static const char *const counts[] = { "bits", "instance", "size" };
	const char *text = about->value;
	size_t length = strspn(text, "0123456789");
	bool is_count = false;

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		is_count |= strcmp(about->name, counts[i]) == 0;
	return is_count && length > 0 && length <= 15 && text[length] == '\0' &&
	    (text[0] != '0' || length == 1);
}

static void
record_put_about(struct json *json, const struct about *about)
{
	if (about == NULL)
		return;
	json_open_object(json_key(json, "about"));
	for (; about->name != NULL; about++) {
		json_key(json, about->name);
		if (record_is_number(about))
			json_raw(json, slice_of(about->value));
		else
			json_text(json, about->value);
	}
	json_close_object(json);
}

/* Three digits below 10 ms, else one behind the point. */
static void
record_put_ms(struct json *json, double ms)
{
	char text[32];

	snprintf(text, sizeof(text), ms < 10 ? "%.3g" : "%.1f", ms > 0.001 ? ms : 0);
	json_raw(json_key(json, "ms"), slice_of(text));
}

static void
record_put_facts(struct json *json, const struct record *record)
{
	struct evidence_place place = { 0 };
	const struct fact *fact;

	json_open_array(json_key(json, "facts"));
	while ((fact = evidence_next(record->scope->mail.evidence, &place)) != NULL) {
		json_open_object(json);
		json_text(json_key(json, "filter"), fact->filter);
		json_text(json_key(json, "key"), fact->key);
		json_text(json_key(json, "value"), fact->value);
		record_put_about(json, fact->about);
		json_text(json_key(json, "detail"), fact->detail);
		record_put_ms(json, (double)fact->ms);
		json_close_object(json);
	}
	json_close_array(json);
}

/* One digit behind the point, where that is all of it. */
static void
record_put_score(struct json *json, double score)
{
	char text[32];

	snprintf(text, sizeof(text), "%.1f", score);
	double rest = strtod(text, NULL) - score;

	json_key(json, "score");
	if (rest < 1e-9 && rest > -1e-9)
		json_raw(json, slice_of(text));
	else
		json_double(json, score);
}

static void
record_put_shadow(struct json *json, const char *rule, const char *action)
{
	json_open_object(json);
	json_text(json_key(json, "rule"), rule);
	json_text(json_key(json, "action"), action);
	json_close_object(json);
}

/* With mode: shadow everything was accepted, and the verdict is what would have been. */
static void
record_put_verdict(struct json *json, const struct record *record, const struct policy *policy)
{
	const struct verdict *verdict = &record->verdict;
	const char *rule = verdict->rule != NULL ? verdict->rule->name : NULL;
	const struct rule *shadow = NULL;

	json_open_object(json_key(json, "verdict"));
	json_text(
	    json_key(json, "action"), action_name(verdict->is_shadow ? ACCEPT : verdict->action));
	json_text(json_key(json, "rule"), verdict->is_shadow ? NULL : rule);
	record_put_score(json, verdict->score);
	if (record->ban != NULL)
		json_text(json_key(json, "ban"), record->ban);
	json_open_array(json_key(json, "shadow"));
	if (verdict->is_shadow && verdict->action != ACCEPT)
		record_put_shadow(json, rule, record_action(verdict));
	while ((shadow = record_shadow(record, policy, shadow)) != NULL)
		record_put_shadow(json, shadow->name, rule_action(shadow));
	json_close_array(json);
	json_close_object(json);
}

static void
record_put_backend(struct json *json, const struct record *record)
{
	json_open_object(json_key(json, "backend"));
	json_text(json_key(json, "server"), record->backend);
	json_text(json_key(json, "reply"), record->backend_reply);
	json_close_object(json);
}

static void
record_put_body(struct json *json, const struct record *record)
{
	json_open_object(json_key(json, "body"));
	json_text(json_key(json, "in"), record->body_in);
	json_text(json_key(json, "out"), record->body_out);
	json_close_object(json);
}

const char *
record_client_name(const struct record *record)
{
	const struct fact *fact = evidence_find(record->scope->mail.evidence, "ptr", "result");

	if (fact == NULL ||
	    (strcmp(fact->value, "pass") != 0 && strcmp(fact->value, "generic") != 0))
		return NULL;
	return fact->detail;
}

const struct rule *
record_shadow(const struct record *record, const struct policy *policy, const struct rule *after)
{
	const struct mail *mail = &record->scope->mail;

	return policy_shadow(
	    policy, mail->evidence, mail->recipient, mail->client->listener, after);
}

const char *
record_action(const struct verdict *verdict)
{
	return verdict->rule != NULL ? rule_action(verdict->rule) : action_name(verdict->action);
}

static const char *
record_point(enum point point)
{
	static const char *const names[] = {
		[POINT_CONNECT] = "connect",
		[POINT_RCPT] = "rcpt",
		[POINT_MESSAGE] = "message",
	};

	return names[point];
}

void
record_put(struct json *json, const struct record *record, const struct policy *policy)
{
	const struct mail *mail = &record->scope->mail;
	char time[TIME_ISO_MOST];

	json_text(json_key(json, "case"), record->id);
	json_text(json_key(json, "time"), time_iso(time, record->time));
	json_text(json_key(json, "point"), record_point(record->point));
	json_text(json_key(json, "listener"), mail->client->listener);
	record_put_client(json, record);
	json_text(json_key(json, "from"), mail->from != NULL ? mail->from->text : NULL);
	record_put_recipients(json, record);
	json_unsigned(json_key(json, "size"), record->size);
	record_put_subject(json, record->subject);
	record_put_facts(json, record);
	record_put_verdict(json, record, policy);
	json_text(json_key(json, "reply"), record->reply);
	record_put_backend(json, record);
	record_put_body(json, record);
	json_text(json_key(json, "policy"), policy->hash);
}

void
record_json(struct buf *out, const struct record *record, const struct policy *policy)
{
	struct json json;

	json_init(&json, out);
	json_open_object(&json);
	record_put(&json, record, policy);
	json_close_object(&json);
}

void
record_log(const struct record *record, const struct policy *policy)
{
	bool is_json = log_format() == LOG_AS_JSON;
	struct buf line = { .limit = LOG_RECORD_MOST };
	struct slice none = { "", 0 };

	if (!log_has_level(LEVEL_INFO))
		return;
	if (is_json)
		record_json(&line, record, policy);
	else
		record_text(&line, record, policy);
	if (is_json && line.overflowed)
		log_line(LEVEL_WARNING, "record", "the record of %s is too long for the log",
		    record->id);
	else
		log_record(is_json ? buf_slice(&line) : none, is_json ? none : buf_slice(&line));
	buf_free(&line);
}
