#include "proxy/auto_ban.h"

#include <stdio.h>

#include "lib/ban.h"
#include "lib/clock.h"
#include "proxy/never_ban.h"

static const char *
auto_ban_client(struct session *session, const struct record *record)
{
	struct worker *worker = session->worker;
	const char *never = never_ban_client(worker->config, session->client.ip);
	struct ban ban = { .network = ban_network(session->client.ip),
		.end = clock_unix() + record->verdict.rule->ban };
	char network[NETWORK_TEXT_MOST], time[TIME_ISO_MOST];

	if (never != NULL)
		return arena_format(session->arena, "not banned: %s", never);
	snprintf(ban.who, sizeof(ban.who), "rule %s", record->verdict.rule->name);
	snprintf(ban.reason, sizeof(ban.reason), "case %s", record->id);
	ban_tell(worker->filters.host.state, &ban);
	return arena_format(session->arena, "%s until %s", network_text(network, &ban.network),
	    time_iso(time, ban.end));
}

const char *
auto_ban(struct session *session, const struct record *record)
{
	const struct verdict *verdict = &record->verdict;

	if (verdict->rule == NULL || verdict->rule->ban <= 0 || verdict->is_shadow)
		return NULL;
	if (session->ban == NULL)
		session->ban = auto_ban_client(session, record);
	return session->ban;
}
