#include "proxy/explain_parts.h"

#include "filters/registry.h"
#include "filters/surbl.h"
#include "lib/json.h"
#include "lib/log.h"

enum { NAME_MOST = 40, TEXT_MOST = 120 };

/* What the filter surbl has of the message; NULL: it does not run, or there is no message. */
static const void *
explain_surbl(const struct explain *explain)
{
	const struct pipeline *pipeline = &explain->config->pipeline;
	const struct transaction *t = explain->session->mail;

	for (size_t i = 0; t != NULL && i < pipeline->count; i++)
		if (pipeline->rows[i].filter == &surbl_filter)
			return t->scope->states[i];
	return NULL;
}

void
explain_put_uris(const struct explain *explain, struct buf *object)
{
	const void *state = explain_surbl(explain);
	struct json json;

	if (state == NULL || object->overflowed || object->length == 0)
		return;
	buf_cut(object, object->length - 1);
	buf_append(object, slice_of(",\"uris\":"));
	json_init(&json, object);
	surbl_put_json(&json, state);
	buf_append_byte(object, '}');
}

void
explain_print_uris(const struct explain *explain)
{
	const struct surbl_hosts *hosts = surbl_hosts_of(explain_surbl(explain));
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
