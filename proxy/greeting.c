#include "proxy/greeting.h"

#include "lib/clock.h"
#include "proxy/auto_ban.h"

/* Too many sessions already? The reply, or NULL. */
static const char *
greeting_limit(const struct session *session)
{
	const struct config_limits *limits = &session->worker->config->limits;
	const struct shared *all = session->worker->all;

	if (shared_sessions(all) > limits->sessions)
		return "421 4.3.2 too many sessions, please try again later";
	if (shared_sessions_of(all, session->place) > limits->sessions_per_client)
		return "421 4.7.0 too many sessions from your address, please try again later";
	return NULL;
}

enum step
greeting_decide(struct session *session, struct record *record)
{
	const struct policy *policy = &session->worker->config->policy;
	struct arena *arena = session->arena;
	struct verdict verdict;

	*record = (struct record) { .point = POINT_CONNECT, .scope = session->connection };
	scope_reach(session->connection, CONNECT);
	scope_run(session->connection);
	switch (policy_judge(policy, session->connection->mail.evidence, POINT_CONNECT, NULL,
	    session->listen->address, &verdict)) {
	case JUDGE_WAIT:
		return WAIT;
	case JUDGE_LATER:
		return NEXT;
	case JUDGED:
		break;
	}
	if (verdict.is_shadow || (verdict.action != REJECT && verdict.action != DEFER))
		return NEXT;
	bool is_deferred = verdict.action == DEFER;

	record->id = id_make(arena_alloc(arena, ID_SIZE));
	record->time = clock_unix();
	record->verdict = verdict;
	record->reply = arena_format(arena, "%d %s", is_deferred ? 421 : 554,
	    record_reply_text(arena, record, is_deferred ? 451 : 550));
	return NEXT;
}

/* A refusal spoken at once: instead of the greeting. */
static enum step
greeting_refuse(struct session *session, struct record *record)
{
	const struct policy *policy = &session->worker->config->policy;

	record->ban = auto_ban(session, record);
	record_log(record, policy);
	session->has_record = true;
	session_reply(session, "%s", record->reply);
	session->lingers = true;
	return END_SESSION;
}

/* With greet_delay: who speaks in the meantime is early. Without: who has spoken already. */
static bool
greeting_has_waited(struct session *session)
{
	struct seconds delay = session->worker->config->greet_delay;

	if (delay.value <= 0 || session->client.is_early)
		return true;
	if (conn_input(session->front).length > 0)
		session->client.is_early = true;
	session_await(session, delay);
	return session->is_late || session->client.is_early;
}

enum step
greeting(struct session *session)
{
	const struct config *config = session->worker->config;
	const char *limit = greeting_limit(session);
	struct record record;

	if (limit != NULL) {
		session_reply(session, "%s", limit);
		session->lingers = true;
		return END_SESSION;
	}
	if (conn_state(session->front) != CONN_OPEN)
		return END_SESSION;
	if (!greeting_has_waited(session))
		return WAIT;
	if (conn_input(session->front).length > 0 && session->client.tls == NULL)
		session->client.is_early = true;
	if (greeting_decide(session, &record) == WAIT)
		return WAIT;
	if (record.reply != NULL)
		return greeting_refuse(session, &record);
	session_arrived(session);
	session_reply(session, "220 %s ESMTP postern", config->hostname);
	session->step = session_command;
	return NEXT;
}
