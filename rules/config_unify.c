/* What several keys must agree upon, and what the rows alone cannot say. */
#include <stdlib.h>
#include <unistd.h>

#include "lib/dns_unbound.h"
#include "rules/config_draft.h"
#include "rules/domain_pattern.h"
#include "rules/policy_read.h"

enum { HOST_MOST = 256 };

/* The value at a path of keys, or what is nearest to it: the map where it is missing. */
static const struct node *
config_place(const struct config *config, const char *section, const char *key)
{
	const struct node *outer = node_find(config->root, section);
	const struct node *inner = key != NULL ? node_find(outer, key) : NULL;

	if (inner != NULL)
		return inner;
	return outer != NULL ? outer : config->root;
}

/* The item of a list; a single value stands for a list of one. */
static const struct node *
config_item(const struct node *list, size_t index)
{
	const struct node *item = list->kind == NODE_LIST ? list->child : NULL;

	for (; item != NULL && index > 0; index--)
		item = item->next;
	return item != NULL ? item : list;
}

/* Has something been said about this value already? One fault is enough. */
static bool
config_is_blamed(const struct faults *faults, const struct node *value)
{
	for (size_t i = 0; value != NULL && i < faults->count && i < FAULTS_KEPT; i++)
		if (faults->kept[i].line == value->line && faults->kept[i].column == value->column)
			return true;
	return false;
}

static void
config_unify_names(struct option_reader *reader, struct config *config)
{
	char host[HOST_MOST] = "";

	if (config->hostname == NULL) {
		if (gethostname(host, sizeof(host) - 1) != 0 ||
		    !domain_pattern_is_name(slice_of(host)))
			fault_add(reader->faults, config->root,
			    "key missing: hostname, for the machine's name \"%s\" is none", host);
		config->hostname = arena_strdup(reader->arena, host);
	}
	if (config->authserv_id == NULL)
		config->authserv_id = config->hostname;
	if (config->workers == 0) {
		long processors = sysconf(_SC_NPROCESSORS_ONLN);

		config->workers = processors > 0 ? (uint32_t)processors : 1;
	}
}

static void
config_unify_listeners(struct option_reader *reader, const struct config *config)
{
	const struct node *list = config_place(config, "listen", NULL);

	for (size_t i = 0; i < config->listen.count; i++) {
		const struct config_listen *listen = &config->listen.item[i];
		const struct node *item = config_item(list, i);
		const struct node *tls = node_find(item, "tls");

		for (size_t j = 0; j < i; j++)
			if (listen->endpoint.port > 0 &&
			    listen->endpoint.port == config->listen.item[j].endpoint.port &&
			    ip_equals(&listen->endpoint.ip, &config->listen.item[j].endpoint.ip))
				fault_add(reader->faults, item, "%s is listened on already",
				    listen->address);
		if (listen->tls.value != LISTEN_TLS_OFF && config->tls.certificates.count == 0 &&
		    !config_is_blamed(reader->faults, tls))
			fault_add(reader->faults, tls != NULL ? tls : item,
			    "tls: %s needs a certificate under tls: certificates: (or say "
			    "tls: off)",
			    tls != NULL && tls->kind == NODE_TEXT ? tls->text : "starttls");
	}
}

/* "*:25", "0.0.0.0:25", "[::]:25" */
static bool
config_is_anywhere(const struct config_listen *listen)
{
	static const struct ip zero = { .length = 0 };

	return memcmp(listen->endpoint.ip.bytes, zero.bytes, sizeof(zero.bytes)) == 0;
}

/* Does the server's address lead back to one of our own listeners? */
static const char *
config_loops(const struct config *config, const struct config_server *server)
{
	static const struct ip loopback = { .length = 4, .bytes = { 127, 0, 0, 1 } };
	static const struct ip loopback6 = { .length = 16, .bytes = { [15] = 1 } };

	for (size_t i = 0; i < config->listen.count; i++) {
		const struct config_listen *listen = &config->listen.item[i];
		bool is_own = config_is_anywhere(listen) &&
		    (ip_equals(&server->ip, &loopback) || ip_equals(&server->ip, &loopback6));

		if (server->ip.length > 0 && server->port == listen->endpoint.port &&
		    (is_own || ip_equals(&server->ip, &listen->endpoint.ip)))
			return listen->address;
	}
	return NULL;
}

static void
config_unify_backend(struct option_reader *reader, const struct config *config)
{
	const struct config_servers *servers = &config->backend.servers;
	const struct node *list = config_place(config, "backend", "servers");

	for (size_t i = 0; i < servers->count; i++) {
		const char *own = config_loops(config, &servers->item[i]);

		if (own != NULL)
			fault_add(reader->faults, config_item(list, i),
			    "postern would speak to itself: it listens on %s", own);
	}
}

static void
config_unify_dns(struct option_reader *reader, const struct config *config)
{
	const struct node *list = config_place(config, "dns", "servers");

	for (size_t i = 0; i < config->dns.servers.count; i++) {
		const char *why = NULL;

		if (!dns_unbound_is_server(config->dns.servers.item[i], &why))
			fault_add(reader->faults, config_item(list, i), "\"%.60s\": %s",
			    config->dns.servers.item[i], why);
	}
}

/* In lower case, and nothing that never matches. */
static void
config_unify_domains(struct option_reader *reader, const struct config *config)
{
	const struct texts *domains = config_relay_field(config, "domains");
	const struct node *list = config_place(config, "relay", "domains");

	for (size_t i = 0; domains != NULL && i < domains->count; i++) {
		const struct node *item = config_item(list, i);
		const char *lower = NULL;

		if (!config_is_blamed(reader->faults, item))
			lower = domain_pattern_read(reader, item, domains->item[i]);
		if (lower != NULL)
			domains->item[i] = lower;
	}
}

/* Networks that hold everything, in one piece or in several: an open relay. */
static void
config_unify_networks(struct option_reader *reader, const struct config *config)
{
	static const char *const anywhere[][8] = {
		{ "1.1.1.1", "9.9.9.9", "64.4.4.4", "100.0.0.1", "130.1.1.1", "185.1.1.1",
		    "212.1.1.1", "223.1.1.1" },
		{ "2001:4860::1", "2400:1::1", "2600:1::1", "2800:1::1", "2a00:1::1", "2c00:1::1",
		    "2001:500::1", "2003:1::1" },
	};
	const struct networks *networks = config_relay_field(config, "networks");

	for (size_t family = 0; networks != NULL && family < 2; family++) {
		size_t count = 0;

		for (size_t i = 0; i < 8; i++) {
			struct ip ip;

			count += ip_read(&ip, slice_of(anywhere[family][i])) &&
			    networks_have(networks, ip, NULL, 0);
		}
		if (count == 8)
			fault_add(reader->faults, config_place(config, "relay", "networks"),
			    "an open relay: this is every client of the Internet");
	}
}

static void
config_unify_policy(struct option_reader *reader, struct config_draft *draft)
{
	struct config *config = &draft->config;
	size_t count = config->listen.count;
	const char **listeners = arena_alloc(reader->arena, (count + 1) * sizeof(*listeners));
	const struct policy_terms terms = { &config->pipeline, listeners };

	for (size_t i = 0, used = 0; i < count; i++)
		if (config->listen.item[i].address != NULL)
			listeners[used++] = config->listen.item[i].address;
	config->policy.tag = draft->thresholds.tag;
	config->policy.reject = draft->thresholds.reject;
	config->policy.is_shadow = config->mode.value == 1;
	if (config->policy.reject > 0 && config->policy.tag >= config->policy.reject)
		fault_add(reader->faults, config_place(config, "thresholds", "tag"),
		    "nothing would ever be tagged: what reaches tag: %g is rejected by reject: %g",
		    config->policy.tag, config->policy.reject);
	policy_read(reader, draft->rules, &terms, &config->policy);
}

/* The first rule with which the policy cannot do without the whole message, or NULL. */
static const struct rule *
config_holding_rule(struct arena *arena, const struct policy *policy)
{
	struct policy part = *policy;
	size_t count = 0;

	while (policy->rules[count].name != NULL)
		count++;

	struct rule *rules = arena_alloc(arena, (count + 1) * sizeof(*rules));

	part.rules = rules;
	for (size_t i = 0; i < count; i++) {
		rules[i] = policy->rules[i];
		part.tag = 0;
		if (policy_needs_hold(&part))
			return &policy->rules[i];
		part.tag = policy->tag;
		if (policy_needs_hold(&part))
			return &policy->rules[i];
	}
	return NULL;
}

static void
config_unify_delivery(struct option_reader *reader, struct config *config)
{
	const struct rule *rule = NULL;

	if (config->delivery.value == DELIVERY_STREAM && policy_needs_hold(&config->policy))
		rule = config_holding_rule(reader->arena, &config->policy);
	if (rule != NULL)
		fault_add(reader->faults, config_place(config, "delivery", NULL),
		    "stream cannot be: by the rule \"%s\" a message may be changed after its end "
		    "is known; say hold or auto",
		    rule->name);
	if (config->delivery.value == DELIVERY_STREAM && pipeline_adds_header(&config->pipeline))
		fault_add(reader->faults, config_place(config, "delivery", NULL),
		    "stream cannot be: a message that gets a field of a filter (dkim: sign:, "
		    "spf: received_spf:) must be whole first; say hold or auto");
	if (config->bare_newline.value == BARE_NEWLINE_PASS &&
	    config->bare_newline_peers.set == NULL)
		fault_add(reader->faults, config_place(config, "bare_newline", NULL),
		    "pass needs bare_newline_peers:, the clients that may do so");
}

void
config_unify(struct option_reader *reader, struct config_draft *draft)
{
	struct config *config = &draft->config;

	config_unify_names(reader, config);
	config_unify_listeners(reader, config);
	config_unify_backend(reader, config);
	config_unify_dns(reader, config);
	config_unify_domains(reader, config);
	config_unify_networks(reader, config);
	config_unify_policy(reader, draft);
	config_unify_delivery(reader, config);
}
