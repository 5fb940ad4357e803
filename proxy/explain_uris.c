#include "proxy/explain_parts.h"

#include "filters/registry.h"
#include "filters/surbl.h"
#include "lib/log.h"

enum { NAME_MOST = 40, TEXT_MOST = 120 };

static const struct surbl_hosts *
explain_hosts(const struct explain *explain)
{
	const struct pipeline *pipeline = &explain->config->pipeline;
	const struct transaction *t = explain->session->mail;

	for (size_t i = 0; t != NULL && i < pipeline->count; i++)
		if (pipeline->rows[i].filter == &surbl_filter)
			return surbl_hosts_of(t->scope->states[i]);
	return explain->tree != NULL ? explain_tree_hosts(explain->tree) : NULL;
}

void
explain_put_uris(struct json *json, const struct explain *explain)
{
	const struct surbl_hosts *hosts = explain_hosts(explain);
	const struct surbl_hosts none = { 0 };

	surbl_hosts_json(json, hosts != NULL ? hosts : &none);
}

void
explain_print_uris(const struct explain *explain)
{
	const struct surbl_hosts *hosts = explain_hosts(explain);
	char clean[TEXT_MOST];
	int width = 0;

	if (hosts == NULL || hosts->count == 0)
		return;
	for (size_t i = 0; i < hosts->count; i++) {
		int length = (int)strlen(hosts->item[i]->name);

		if (length > width)
			width = length < NAME_MOST ? length : NAME_MOST;
	}
	printf("\nHosts in addresses (* asked about)\n");
	for (size_t i = 0; i < hosts->count; i++) {
		const struct surbl_host *host = hosts->item[i];

		printf("  %c %-*s  part %-6s %-7s %s\n", host->is_asked ? '*' : ' ', width,
		    host->name, host->part, uri_where_name(host->where),
		    log_printable(clean, sizeof(clean), slice_of(host->uri)));
	}
}
