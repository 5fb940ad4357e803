#include "proxy/check.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "proxy/check_live.h"
#include "rules/config.h"

static const char *const listen_words[] = { "no TLS", "STARTTLS", "STARTTLS required", "TLS" };
static const char *const backend_words[] = { "no TLS", "TLS if offered", "TLS required",
	"TLS required and verified" };
static const char *const delivery_words[] = { "hold", "stream", "auto" };

static void
check_print_listeners(const struct config *config)
{
	for (size_t i = 0; i < config->listen.count; i++) {
		const struct config_listen *listen = &config->listen.item[i];
		bool takes_auth = listen->auth.value != LISTEN_AUTH_OFF &&
		    (listen->tls.value != LISTEN_TLS_OFF || listen->auth_without_tls);

		printf("listens on   %s, %s%s\n", listen->address, listen_words[listen->tls.value],
		    takes_auth ? ", AUTH of the backend" : "");
	}
}

static void
check_print_certificates(const struct config *config)
{
	const struct tls_certificate *all = NULL;
	size_t count =
	    config->tls_server != NULL ? tls_server_certificates(config->tls_server, &all) : 0;

	for (size_t i = 0; i < count; i++) {
		time_t end = (time_t)all[i].not_after;
		struct tm utc;
		char date[32] = "?";

		if (gmtime_r(&end, &utc) != NULL)
			strftime(date, sizeof(date), "%Y-%m-%d", &utc);
		printf("certificate  %s, %s, until %s (%s)\n", all[i].names, all[i].key_type, date,
		    all[i].file);
	}
}

static void
check_print_backend(const struct config *config)
{
	const struct config_servers *servers = &config->backend.servers;

	for (size_t i = 0; i < servers->count; i++)
		printf("%s %s, %s\n", i == 0 ? "backend     " : "  or        ",
		    servers->item[i].text, backend_words[config->backend.tls.value]);
	printf("delivery     %s\n", delivery_words[config->delivery.value]);
}

static void
check_print_filters(const struct config *config)
{
	printf("filters     ");
	for (size_t i = 0; i < config->pipeline.count; i++)
		printf(" %s%s", config->pipeline.rows[i].filter->name,
		    config->pipeline.rows[i].is_shadow ? " (shadow)" : "");
	printf("\n");
}

static void
check_print_policy(const struct config *config)
{
	const struct policy *policy = &config->policy;
	size_t count = 0, shadows = 0, idle = 0;

	for (const struct rule *rule = policy->rules; rule->name != NULL; rule++) {
		bool is_idle = false;

		for (const struct condition *one = rule->when; one->filter != NULL; one++)
			is_idle |= one->is_off;
		count++;
		shadows += rule->is_shadow;
		idle += is_idle;
	}
	printf("policy       %zu rule%s", count, count == 1 ? "" : "s");
	if (shadows > 0)
		printf(", %zu in shadow", shadows);
	if (idle > 0)
		printf(", %zu for filters that do not run", idle);
	if (policy->tag > 0)
		printf("; tag from %g", policy->tag);
	if (policy->reject > 0)
		printf("; reject from %g", policy->reject);
	printf("%s\n", policy->is_shadow ? "; all in shadow: nothing is refused but relaying" : "");
}

static void
check_print(const struct config *config)
{
	printf("%s: good\n", config->file);
	printf("hostname     %s, %u worker%s\n", config->hostname, config->workers,
	    config->workers == 1 ? "" : "s");
	check_print_listeners(config);
	check_print_certificates(config);
	check_print_backend(config);
	check_print_filters(config);
	check_print_policy(config);
}

static void
check_warn(struct arena *arena, const struct config *config)
{
	struct faults warnings;

	faults_init(&warnings, arena);
	config_warn(config, &warnings);
	if (warnings.count > 0)
		fprintf(stderr, "warnings:\n");
	faults_print(&warnings, stderr);
}

struct check_options {
	bool prints, is_live;
};

static int
check_file(const char *file, const struct check_options *options)
{
	int status = EX_OK;
	struct arena *arena = arena_new(SIZE_MAX);
	struct faults faults;
	const struct config *config;

	faults_init(&faults, arena);
	config = config_read(arena, file, &faults);
	if (config == NULL)
		faults_print(&faults, stderr);
	else if (options->prints)
		config_print(stdout, config);
	else
		check_print(config);
	fflush(stdout);
	if (config == NULL)
		status = EX_CONFIG;
	else
		check_warn(arena, config);
	if (config != NULL && options->is_live && !check_live(arena, config))
		status = EX_UNAVAILABLE;
	fflush(stdout);
	arena_free(arena);
	return status;
}

int
check_main(const char *file, int argc, char **argv)
{
	struct check_options options = { 0 };

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--print") == 0) {
			options.prints = true;
		} else if (strcmp(argv[i], "--live") == 0) {
			options.is_live = true;
		} else {
			fprintf(stderr, "usage: postern [-c FILE] check [--print] [--live]\n");
			return EX_USAGE;
		}
	}
	return check_file(file, &options);
}
