/*
 * libspf2, as the evaluator of records that are written anew (spf_rewrite.c). It goes through
 * the terms, into include and redirect, compares addresses and names, and asks us for records
 * (on_record) and answers (on_lookup). What ends the run early, an answer that is not there or
 * a limit, is noted in the run, and told to libspf2 as a failure of DNS: then it ends at once.
 */
#include "lib/spf_run.h"

#include <assert.h>
#include <netdb.h>
#include <netinet/in.h>
#include <spf2/spf.h>
#include <spf2/spf_dns.h>
#include <stdio.h>

enum { DEPTH_MOST = 1000, NAME_ROOM = 64 }; /* more terms and hosts than we ever let it see */

static const char *
spf_evaluate_text(const struct spf_alias *alias, struct spf_run *run)
{
	return arena_format(run->arena, "%.*s of %s", (int)alias->term->text.length,
	    alias->term->text.data, alias->owner->domain);
}

/* The evaluation has a result of which libspf2 knows nothing. */
static void
spf_evaluate_stop(struct spf_run *run, enum spf_result result, const char *why)
{
	if (run->is_over)
		return;
	run->is_over = true;
	run->result = result;
	run->why = why;
}

static bool
spf_evaluate_has_ended(const struct spf_run *run)
{
	return run->waits || run->is_over;
}

/* A term is reached. false: it is one too many. */
static bool
spf_evaluate_reach(struct spf_run *run, const struct spf_alias *alias)
{
	run->reached = alias;
	if (alias->depth == 0)
		run->decides = alias;
	if (alias->term->kind == SPF_TERM_ALL || alias->term->kind == SPF_TERM_IP4 ||
	    alias->term->kind == SPF_TERM_IP6 || run->terms++ < run->query->terms)
		return true;
	spf_evaluate_stop(run, SPF_PERMERROR,
	    arena_format(run->arena, "%s is one more than the %u terms that may ask DNS",
		spf_evaluate_text(alias, run), run->query->terms));
	return false;
}

/* What never was a name was not looked up. */
static void
spf_evaluate_count_void(struct spf_run *run, const struct dns_answer *answer, const char *name)
{
	bool is_void = (answer->state == DNS_NO_NAME && answer->why[0] == '\0') ||
	    answer->state == DNS_NO_DATA;

	if (!is_void || run->voids++ < run->query->voids)
		return;
	spf_evaluate_stop(run, SPF_PERMERROR,
	    arena_format(run->arena, "%s: %s is one more than the %u names that may have no record",
		spf_evaluate_text(run->reached, run), name, run->query->voids));
}

/* ---- answers ---- */

static void
spf_evaluate_put(SPF_dns_rr_t *rr, struct slice data)
{
	SPF_errcode_t error = SPF_dns_rr_buf_realloc(rr, rr->num_rr, data.length + 1);

	assert(error == SPF_E_SUCCESS);
	memcpy(rr->rr[rr->num_rr], data.data, data.length);
	rr->rr[rr->num_rr++]->txt[data.length] = '\0';
}

/* A prefix of no bits: whatever address there is, it is the client's. */
static bool
spf_evaluate_is_any(const struct spf_run *run)
{
	const struct spf_term *term = run->reached->term;

	return (term->kind == SPF_TERM_A || term->kind == SPF_TERM_MX) &&
	    (run->query->client.length == 4 ? term->bits4 : term->bits6) == 0;
}

static void
spf_evaluate_addresses(const struct spf_run *run, SPF_dns_rr_t *rr, const struct dns_answer *answer)
{
	if (answer->count > 0 && spf_evaluate_is_any(run))
		spf_evaluate_put(rr, ip_slice(&run->query->client));
	for (size_t i = 0; i < answer->count; i++)
		spf_evaluate_put(rr, answer->records[i]);
}

static void
spf_evaluate_hosts(struct spf_run *run, SPF_dns_rr_t *rr, const struct spf_alias *mx,
    const struct dns_answer *answer)
{
	const struct slice *names = spf_ask_hosts(run, answer);
	struct spf_alias host = *mx;
	char text[NAME_ROOM];

	for (size_t i = 0; i < answer->count && i <= SPF_HOSTS_MOST; i++) {
		host.kind = i < SPF_HOSTS_MOST ? SPF_ALIAS_HOST : SPF_ALIAS_HOST_MORE;
		host.name = names[i].data;
		snprintf(text, sizeof(text), "t%zu.x", spf_rewrite_alias(run, &host)->number);
		spf_evaluate_put(rr, slice_of(text));
	}
}

/* Is it the domain, or below it? */
static bool
spf_evaluate_is_within(const char *name, const char *domain)
{
	size_t length = strlen(name), most = strlen(domain);

	if (length < most || strcasecmp(name + length - most, domain) != 0)
		return false;
	return length == most || name[length - most - 1] == '.';
}

/* ptr: "t8.t7.x" for what is within the domain of t7.x, "t8.y" for what is not. */
static void
spf_evaluate_names(struct spf_run *run, SPF_dns_rr_t *rr, const struct dns_answer *answer)
{
	struct spf_alias name = *run->reached;
	const char *domain = run->aliases[name.number + 1]->name; /* behind its marker */
	char text[NAME_ROOM];

	for (size_t i = 0; i < answer->count && i < SPF_HOSTS_MOST; i++) {
		name.kind = SPF_ALIAS_NAME;
		name.name = answer->records[i].data;
		size_t number = spf_rewrite_alias(run, &name)->number;

		if (spf_evaluate_is_within(name.name, domain))
			snprintf(
			    text, sizeof(text), "t%zu.t%zu.x", number, run->reached->number + 1);
		else
			snprintf(text, sizeof(text), "t%zu.y", number);
		spf_evaluate_put(rr, slice_of(text));
	}
}

/* ---- questions ---- */

/* The answer to a question on which the result hangs. NULL: the run has ended. */
static const struct dns_answer *
spf_evaluate_ask(struct spf_run *run, enum dns_type type, const char *name)
{
	static const char *const words[] = {
		[DNS_A] = "A",
		[DNS_MX] = "MX",
		[DNS_AAAA] = "AAAA",
	};
	const struct dns_answer *answer = dns_ask(run->dns, type, name);

	if (answer == NULL)
		run->waits = true;
	else if (answer->state == DNS_FAILED)
		spf_evaluate_stop(run, SPF_TEMPERROR,
		    arena_format(run->arena, "%s: %s of %s: %s",
			spf_evaluate_text(run->reached, run), words[type], name, answer->why));
	else
		spf_evaluate_count_void(run, answer, name);
	return spf_evaluate_has_ended(run) ? NULL : answer;
}

/* For ptr: one that failed is as if it had no record (5.5). */
static void
spf_evaluate_pointers(struct spf_run *run, SPF_dns_rr_t *rr)
{
	const struct dns_answer *answer = spf_ask_names(run);

	run->waits = answer == NULL;
	if (answer == NULL)
		return;
	spf_evaluate_count_void(run, answer, "the client's address");
	if (!run->is_over)
		spf_evaluate_names(run, rr, answer);
}

static void
spf_evaluate_name(struct spf_run *run, SPF_dns_rr_t *rr, const char *name)
{
	const struct dns_answer *answer = dns_ask(run->dns, spf_ask_type(run), name);

	run->waits = answer == NULL;
	if (answer != NULL)
		spf_evaluate_addresses(run, rr, answer);
}

static void
spf_evaluate_term(struct spf_run *run, SPF_dns_rr_t *rr, const struct spf_alias *alias)
{
	const struct dns_answer *answer;
	enum dns_type type = alias->term->kind == SPF_TERM_MX ? DNS_MX
	    : alias->term->kind == SPF_TERM_EXISTS            ? DNS_A
							      : spf_ask_type(run);

	if (!spf_evaluate_reach(run, alias))
		return;
	answer = spf_evaluate_ask(run, type, alias->name);
	if (answer == NULL)
		return;
	if (type == DNS_MX)
		spf_evaluate_hosts(run, rr, alias, answer);
	else
		spf_evaluate_addresses(run, rr, answer);
}

static void
spf_evaluate_host(struct spf_run *run, SPF_dns_rr_t *rr, const struct spf_alias *alias)
{
	const struct dns_answer *answer = spf_evaluate_ask(run, spf_ask_type(run), alias->name);

	if (answer != NULL)
		spf_evaluate_addresses(run, rr, answer);
}

static void
spf_evaluate_lookup(struct spf_run *run, SPF_dns_rr_t *rr, const struct spf_alias *alias)
{
	switch (alias->kind) {
	case SPF_ALIAS_TERM:
		spf_evaluate_term(run, rr, alias);
		break;
	case SPF_ALIAS_MARKER:
		spf_evaluate_reach(run, alias);
		break;
	case SPF_ALIAS_HOST:
		spf_evaluate_host(run, rr, alias);
		break;
	case SPF_ALIAS_HOST_MORE:
		spf_evaluate_stop(run, SPF_PERMERROR,
		    arena_format(run->arena, "%s has more than %d hosts",
			spf_evaluate_text(alias, run), SPF_HOSTS_MOST));
		break;
	case SPF_ALIAS_NAME:
		spf_evaluate_name(run, rr, alias->name);
		break;
	case SPF_ALIAS_LATER:
	case SPF_ALIAS_TOO_LONG:
		assert(!"an alias of include");
	}
}

/* Never NULL: libspf2 takes that for a bug. */
static SPF_dns_rr_t *
on_lookup(SPF_dns_server_t *layer, const char *name, ns_type type, int cache)
{
	struct spf_run *run = layer->hook;
	SPF_dns_rr_t *rr = SPF_dns_rr_new_init(layer, name, type, 0, NO_DATA);

	(void)cache;
	assert(rr != NULL);
	if (spf_evaluate_has_ended(run))
		;
	else if (type == ns_t_ptr)
		spf_evaluate_pointers(run, rr);
	else
		spf_evaluate_lookup(run, rr, spf_rewrite_find(run, name));
	if (spf_evaluate_has_ended(run)) {
		rr->num_rr = 0;
		rr->herrno = TRY_AGAIN;
	} else if (rr->num_rr > 0) {
		rr->herrno = NETDB_SUCCESS;
	}
	return rr;
}

/* ---- records ---- */

static SPF_record_t *
spf_evaluate_compile(SPF_server_t *server, SPF_response_t *response, const char *text)
{
	SPF_record_t *record = NULL;
	SPF_errcode_t error = SPF_record_compile(server, response, &record, text);

	assert(error == SPF_E_SUCCESS && record != NULL);
	return record;
}

/* Where an include or a redirect leads; NULL: the run has ended. */
static const struct spf_found *
spf_evaluate_follow(struct spf_run *run, const struct spf_alias *alias)
{
	if (!spf_evaluate_reach(run, alias))
		return NULL;
	const struct spf_found *found = spf_ask_record(run, alias->name);

	switch (found->state) {
	case SPF_HAS_RECORD:
		return found;
	case SPF_WAITS:
		run->waits = true;
		break;
	case SPF_NOT_KNOWN:
		spf_evaluate_stop(run, SPF_TEMPERROR, found->why);
		break;
	case SPF_HAS_NONE:
	case SPF_IS_WRONG:
		spf_evaluate_stop(run, SPF_PERMERROR,
		    arena_format(run->arena, "%s: %s", spf_evaluate_text(alias, run), found->why));
		break;
	}
	return NULL;
}

static const struct spf_found *
spf_evaluate_open(struct spf_run *run, const struct spf_alias *alias)
{
	if (spf_evaluate_has_ended(run))
		return NULL;
	if (alias->kind == SPF_ALIAS_LATER) {
		run->waits = true;
		return NULL;
	}
	if (alias->kind == SPF_ALIAS_TOO_LONG) {
		spf_evaluate_stop(run, SPF_PERMERROR,
		    arena_format(run->arena, "%s expands to more than %d bytes",
			spf_evaluate_text(alias, run), SPF_EXPANDED_MOST));
		return NULL;
	}
	return spf_evaluate_follow(run, alias);
}

/* For include and redirect; cur_dom is its alias. */
static SPF_errcode_t
on_record(
    SPF_server_t *server, SPF_request_t *request, SPF_response_t *response, SPF_record_t **record)
{
	struct spf_run *run = server->resolver->hook;
	const struct spf_alias *alias = spf_rewrite_find(run, request->cur_dom);
	const struct spf_found *found = spf_evaluate_open(run, alias);
	bool is_redirect = alias->term->kind == SPF_TERM_REDIRECT;

	if (found == NULL)
		return SPF_E_DNS_ERROR;
	if (is_redirect && alias->depth == 0) {
		run->explained = found;
		run->decides = NULL;
	}
	*record = spf_evaluate_compile(
	    server, response, spf_rewrite(run, found, alias->depth + (is_redirect ? 0 : 1)));
	return SPF_E_SUCCESS;
}

/* ---- the whole ---- */

static void
spf_evaluate_result(struct spf_run *run, SPF_response_t *response)
{
	static const enum spf_result results[] = {
		[SPF_RESULT_INVALID] = SPF_PERMERROR,
		[SPF_RESULT_NEUTRAL] = SPF_NEUTRAL,
		[SPF_RESULT_PASS] = SPF_PASS,
		[SPF_RESULT_FAIL] = SPF_FAIL,
		[SPF_RESULT_SOFTFAIL] = SPF_SOFTFAIL,
		[SPF_RESULT_NONE] = SPF_PERMERROR,
		[SPF_RESULT_TEMPERROR] = SPF_PERMERROR,
		[SPF_RESULT_PERMERROR] = SPF_PERMERROR,
	};

	if (spf_evaluate_has_ended(run))
		return;
	run->result = results[SPF_response_result(response)];
	if (SPF_response_reason(response) == SPF_REASON_MECH)
		return;
	run->decides = NULL;
	run->why = arena_format(run->arena,
	    run->result == SPF_NEUTRAL ? "no term of %s matches" : "%s was not evaluated",
	    run->explained->domain);
}

/* The client's address and a sender of no meaning: the true one is in the text already. */
static SPF_request_t *
spf_evaluate_request(SPF_server_t *server, const struct ip *client)
{
	SPF_request_t *request = SPF_request_new(server);
	struct in_addr ip4;
	struct in6_addr ip6;

	assert(request != NULL);
	if (client->length == 4) {
		memcpy(&ip4, client->bytes, sizeof(ip4));
		SPF_request_set_ipv4(request, ip4);
	} else {
		memcpy(&ip6, client->bytes, sizeof(ip6));
		SPF_request_set_ipv6(request, ip6);
	}
	SPF_request_set_env_from(request, "p@s.x");
	request->cur_dom = "s.x";
	return request;
}

static SPF_server_t *
spf_evaluate_server(SPF_dns_server_t *layer)
{
	SPF_server_t *server = SPF_server_new_dns(layer, 0);
	SPF_response_t *response = NULL;

	assert(server != NULL);
	SPF_server_set_max_dns_mech(server, DEPTH_MOST);
	SPF_server_set_max_dns_mx(server, DEPTH_MOST);
	SPF_server_set_max_dns_ptr(server, DEPTH_MOST);
	SPF_server_set_rec_dom(server, "x");
	SPF_server_set_explanation(server, "x", &response);
	if (response != NULL)
		SPF_response_free(response);
	return server;
}

void
spf_evaluate(struct spf_run *run, const struct spf_found *found)
{
	SPF_dns_server_t layer = {
		.lookup = on_lookup,
		.get_spf = on_record,
		.name = "postern",
		.hook = run,
	};
	SPF_server_t *server = spf_evaluate_server(&layer);
	SPF_request_t *request = spf_evaluate_request(server, &run->query->client);
	SPF_response_t *response = SPF_response_new(request);

	assert(response != NULL);
	run->explained = found;
	SPF_record_t *record = spf_evaluate_compile(server, response, spf_rewrite(run, found, 0));

	response->spf_record_exp = record;
	SPF_record_interpret(record, request, response, 0);
	spf_evaluate_result(run, response);
	SPF_record_free(record);
	SPF_response_free(response);
	SPF_request_free(request);
	SPF_server_free(server);
}
