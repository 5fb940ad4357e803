#include "proxy/control_commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "lib/ban.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "proxy/never_ban.h"
#include "proxy/status.h"

static int
control_reload(const struct control_view *view, const char *arguments, struct buf *answer)
{
	(void)arguments;
	return view->is_ending ? EX_UNAVAILABLE : view->reload(view->master, answer);
}

static int
control_status(const struct control_view *view, const char *arguments, struct buf *answer)
{
	(void)arguments;
	status_write(answer, view->shared, view->newest);
	return EX_OK;
}

/* ---- bans ---- */

static int
control_pass(const struct control_view *view, const char *line, struct buf *answer)
{
	const char *why = keeper_pass(view->keeper, line, view->client);

	if (why == NULL)
		return CONTROL_PASSED;
	buf_print(answer, "%s\n", why);
	return EX_UNAVAILABLE;
}

/* "NETWORK SECONDS REASON" */
static int
control_ban(const struct control_view *view, const char *arguments, struct buf *answer)
{
	const struct config *config = view->newest->config;
	char text[NETWORK_TEXT_MOST], name[NETWORK_TEXT_MOST], why[NETWORK_WHY_MOST];
	char line[KEEPER_LINE], reason[BAN_REASON_MOST];
	struct network network;
	double seconds;
	int used = 0;

	if (sscanf(arguments, "%49s %lf %n", text, &seconds, &used) < 2 || used == 0)
		return EX_USAGE;
	const char *never =
	    network_read(&network, slice_of(text), why) ? never_ban_network(config, &network) : why;

	if (never != NULL) {
		buf_print(answer, "%s\n", never);
		return EX_DATAERR;
	}
	log_printable(reason, sizeof(reason), slice_of(arguments + used));
	snprintf(line, sizeof(line), "ban\t%s\t%.3f\t%s\t%s", network_text(name, &network),
	    clock_unix() + seconds, reason,
	    policy_heeds(&config->policy, "ip_list", "result", "block")
		? ""
		: "but no rule of the policy refuses who is banned (when: { ip_list: block })");
	return control_pass(view, line, answer);
}

static int
control_unban(const struct control_view *view, const char *arguments, struct buf *answer)
{
	char why[NETWORK_WHY_MOST], name[NETWORK_TEXT_MOST], line[KEEPER_LINE];
	struct network network;

	if (!network_read(&network, slice_of(arguments), why)) {
		buf_print(answer, "%s\n", why);
		return EX_DATAERR;
	}
	snprintf(line, sizeof(line), "unban\t%s", network_text(name, &network));
	return control_pass(view, line, answer);
}

/* "text" or "json", and after which network */
static int
control_bans(const struct control_view *view, const char *arguments, struct buf *answer)
{
	char format[8] = "", after[NETWORK_TEXT_MOST] = "", line[KEEPER_LINE];

	if (sscanf(arguments, "%7s %49s", format, after) < 1)
		return EX_USAGE;
	snprintf(line, sizeof(line), "bans\t%s\t%s", format, after);
	return control_pass(view, line, answer);
}

static const struct control_row {
	const char *name;
	int (*run)(const struct control_view *view, const char *arguments, struct buf *answer);
} control_rows[] = {
	{ "ban", control_ban },
	{ "bans", control_bans },
	{ "reload", control_reload },
	{ "status", control_status },
	{ "unban", control_unban },
};

int
control_run(const struct control_view *view, const char *line, struct buf *answer)
{
	size_t length = strcspn(line, " ");
	const char *arguments = line[length] != '\0' ? line + length + 1 : "";

	for (size_t i = 0; i < sizeof(control_rows) / sizeof(*control_rows); i++)
		if (slice_equals((struct slice) { line, length }, slice_of(control_rows[i].name)))
			return control_rows[i].run(view, arguments, answer);
	return EX_USAGE;
}
