#include "proxy/recipients.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/ban.h"
#include "lib/clock.h"
#include "lib/hash.h"
#include "proxy/session.h"

enum { KNOWN = 'k', UNKNOWN = 'u' }; /* the first byte of a value */

bool
recipients_is_unknown(const struct answer *answer)
{
	static const char *const words[] = { "5.1.1 ", "5.1.2 ", "5.1.3 ", "5.1.6 ", "5.1.10 " };
	const char *text = answer->lines.data + 4;

	if ((answer->code != 550 && answer->code != 551 && answer->code != 553) ||
	    answer->lines.length < 12)
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strncmp(text, words[i], strlen(words[i])) == 0)
			return true;
	/* Without an enhanced code 550 and 551 speak of the mailbox (RFC 5321 4.2.3). */
	return answer->code != 553 && !(text[0] == '5' && text[1] == '.');
}

/* ---- counting ---- */

/* By addresses as bans are. */
static uint64_t
recipients_tally_name(const struct worker *worker, struct ip client)
{
	struct network network = ban_network(client);
	char text[NETWORK_TEXT_MOST];

	return tally_name(
	    &worker->all->tally, slice_of("smtp.harvest"), slice_of(network_text(text, &network)));
}

unsigned
recipients_harvest(const struct worker *worker, struct ip client)
{
	return tally_look(&worker->all->tally, recipients_tally_name(worker, client),
	    worker->config->limits.harvest_within.value, clock_seconds());
}

static void
recipients_count(struct session *session)
{
	struct worker *worker = session->worker;

	session->unknown++;
	tally_add(&worker->all->tally, recipients_tally_name(worker, session->client.ip),
	    worker->config->limits.harvest_within.value, clock_seconds());
}

/* ---- remembering ---- */

/* Whom the mail server is told, the domain in lower case. */
static void
recipients_key(unsigned char out[HASH_DIGEST], const struct recipient *recipient)
{
	char text[SMTP_COMMAND_MOST];
	int length = snprintf(text, sizeof(text), "%.*s", (int)recipient->path.text.length,
	    recipient->path.text.data);
	char *at = strrchr(text, '@');

	for (char *c = at; c != NULL && *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	hash_digest(out, (struct slice) { text, (size_t)length });
}

bool
recipients_recall(struct session *session, struct recipient *recipient)
{
	unsigned char key[HASH_DIGEST];
	struct store_entry entry;

	if (session->worker->config->recipients.unknown.value <= 0)
		return false;
	recipients_key(key, recipient);
	if (state_get(session->worker->filters.host.state, STORE_RECIPIENTS,
		(struct slice) { (const char *)key, sizeof(key) }, &entry) != STORE_HAS ||
	    entry.value.length < 7 || entry.value.data[0] != UNKNOWN || entry.value.data[1] != '5')
		return false;
	struct slice lines = { entry.value.data + 1, entry.value.length - 1 };
	const char *copy = arena_copy(session->mail->arena, lines);

	recipient->answer = (struct answer) { atoi(copy), { copy, lines.length } };
	recipients_count(session);
	return true;
}

static void
recipients_put(struct session *session, const struct recipient *recipient, char kind,
    struct slice lines, struct seconds time)
{
	unsigned char key[HASH_DIGEST];
	char value[STORE_VALUE_MOST];

	if (time.value <= 0 || lines.length >= sizeof(value))
		return;
	recipients_key(key, recipient);
	value[0] = kind;
	memcpy(value + 1, lines.data, lines.length);
	state_tell(session->worker->filters.host.state,
	    &(struct state_request) { .change = STATE_PUT,
		.table = STORE_RECIPIENTS,
		.key = { (const char *)key, sizeof(key) },
		.value = { value, lines.length + 1 },
		.end = clock_unix() + time.value });
}

/* Is it known to be known, for longer than `least` from now? */
static bool
recipients_is_known(struct session *session, const struct recipient *recipient, double least)
{
	unsigned char key[HASH_DIGEST];
	struct store_entry entry;

	recipients_key(key, recipient);
	return state_get(session->worker->filters.host.state, STORE_RECIPIENTS,
		   (struct slice) { (const char *)key, sizeof(key) }, &entry) == STORE_HAS &&
	    entry.value.length > 0 && entry.value.data[0] == KNOWN &&
	    entry.end > clock_unix() + least;
}

void
recipients_learn(struct session *session, const struct recipient *recipient)
{
	const struct config_recipients *memory = &session->worker->config->recipients;
	const struct answer *answer = &recipient->told.answer;
	bool is_good = answer->code >= 200 && answer->code <= 299;

	/* A refusal of MAIL, or a lost session, says nothing of the recipient. */
	if (session->mail->told.answer.code / 100 != 2 || answer->code != recipient->answer.code)
		return;
	if (recipients_is_unknown(answer)) {
		recipients_count(session);
		if (memory->unknown.value > 0 && !recipients_is_known(session, recipient, 0))
			recipients_put(session, recipient, UNKNOWN, answer->lines, memory->unknown);
	} else if (is_good && memory->remember.value > 0 &&
	    !recipients_is_known(session, recipient, memory->remember.value / 2)) {
		recipients_put(
		    session, recipient, KNOWN, (struct slice) { "", 0 }, memory->remember);
	}
}
