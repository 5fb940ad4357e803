/* What is allowed and probably not meant. */
#include <time.h>

#include "rules/config_draft.h"

enum { DAY = 24 * 3600, SOON = 14 * DAY };

static bool
config_takes_auth(const struct config *config)
{
	for (size_t i = 0; i < config->listen.count; i++) {
		const struct config_listen *listen = &config->listen.item[i];

		if (listen->auth.value == LISTEN_AUTH_BACKEND &&
		    (listen->tls.value != LISTEN_TLS_OFF || listen->auth_without_tls))
			return true;
	}
	return false;
}

static void
config_warn_relay(const struct config *config, struct faults *warnings)
{
	const struct texts *domains = config_relay_field(config, "domains");
	const struct networks *networks = config_relay_field(config, "networks");
	const struct node *relay = node_find(config->root, "relay");

	if ((domains != NULL && domains->count > 0) || (networks != NULL && networks->set != NULL))
		return;
	fault_add(warnings, relay != NULL ? relay : config->root,
	    "no relay domain and no network: nothing will be relayed%s",
	    config_takes_auth(config) ? ", but for authenticated users" : "");
}

static void
config_warn_certificates(const struct config *config, struct faults *warnings)
{
	const struct tls_certificate *all = NULL;
	size_t count =
	    config->tls_server != NULL ? tls_server_certificates(config->tls_server, &all) : 0;
	long long now = (long long)time(NULL);

	for (size_t i = 0; i < count; i++) {
		long long left = all[i].not_after - now;

		if (left < 0)
			fault_add_place(warnings, all[i].file, 0, 0,
			    "the certificate for %s has expired", all[i].names);
		else if (left < SOON)
			fault_add_place(warnings, all[i].file, 0, 0,
			    "the certificate for %s ends in %lld days", all[i].names, left / DAY);
	}
}

static void
config_warn_policy(const struct config *config, struct faults *warnings)
{
	const struct policy *policy = &config->policy;
	const struct node *list = node_find(config->root, "policy");
	const struct rule *scoring = NULL;

	for (const struct rule *rule = policy->rules; rule->name != NULL; rule++)
		if (rule->action == SCORE && scoring == NULL)
			scoring = rule;
	if (policy->rules->name == NULL)
		fault_add(warnings, list != NULL ? list : config->root,
		    "the policy has no rules: only relaying is refused");
	if (scoring != NULL && policy->tag <= 0 && policy->reject <= 0)
		fault_add(warnings, list,
		    "without thresholds: scores, as of the rule \"%s\", change nothing",
		    scoring->name);
}

/* Waiting ends for all at timeouts: facts:, and then the policy is not asked what an error means. */
static void
config_warn_scanners(const struct config *config, struct faults *warnings)
{
	const struct node *filters = node_find(config->root, "filters");

	for (size_t i = 0; i < config->pipeline.count; i++) {
		const struct pipeline_row *row = &config->pipeline.rows[i];
		struct scanner_terms terms;

		if (row->filter->scanner == NULL)
			continue;
		row->filter->scanner(row->options, &terms);
		if (terms.timeout >= config->timeouts.facts.value)
			fault_add(warnings, node_find(filters, row->filter->name),
			    "the timeout of %s (%g s) is not below timeouts: facts: (%g s), which "
			    "defers the mail first",
			    terms.name, terms.timeout, config->timeouts.facts.value);
	}
}

void
config_warn(const struct config *config, struct faults *warnings)
{
	if (strchr(config->hostname, '.') == NULL)
		fault_add(warnings, node_find(config->root, "hostname"),
		    "the host name \"%s\" has no domain; other servers may distrust it",
		    config->hostname);
	config_warn_relay(config, warnings);
	config_warn_policy(config, warnings);
	config_warn_certificates(config, warnings);
	config_warn_scanners(config, warnings);
}
