/*
 * config_draft: the configuration while it is being read.
 *
 * A part of rules/config, which see. The option tables fill the draft; what its members
 * mean together is worked out afterwards:
 *
 *	config_table()     the rows of the whole file, those of the filters among them
 *	config_filters()   which filters run, in their order, with their options: the pipeline
 *	config_unify()     what several keys must agree upon
 *	config_contexts()  certificates, keys and authorities, opened
 *
 * Each adds its faults and goes on, so that one run shows them all.
 */
#pragma once

#include "filters/registry.h"
#include "rules/config.h"

/* What dns: trust_anchor: auto means. */
#define CONFIG_ANCHOR "/usr/share/dns/root.key"

struct config_thresholds {
	double tag, reject;
};

struct config_draft {
	struct config config;         /* first: its rows have its offsets */
	void *filters[PIPELINE_MOST]; /* per row of the registry: options, or NULL */
	void *relay;                  /* options of the filter relay, or NULL */
	const struct node *rules;     /* of `policy:`, or NULL */
	struct config_thresholds thresholds;
};

/* Ends with a key NULL; lives in the arena. */
const struct option *config_table(struct arena *arena);

/* Rows of `filters:` for struct config_draft's member of that name. */
const struct option *config_filters_table(struct arena *arena);

/* The row of `relay:`, for struct config_draft. */
struct option config_relay_row(void);

void config_filters(struct option_reader *reader, struct config_draft *draft);

/* Options of the filter relay in a pipeline: one of its fields by key, or NULL. */
const void *config_relay_field(const struct config *config, const char *key);

void config_unify(struct option_reader *reader, struct config_draft *draft);
/* trust_anchor: auto becomes a file, or NULL; always NULL where nothing is opened. */
void config_anchor_settle(struct config *config, bool opens);
void config_contexts(struct option_reader *reader, struct config_draft *draft);

/* Readers of single values (option_function). */
bool config_address_read(struct option_reader *reader, const struct node *value, void *field);
bool config_servers_read(struct option_reader *reader, const struct node *value, void *field);
bool config_host_read(struct option_reader *reader, const struct node *value, void *field);
bool config_anchor_read(struct option_reader *reader, const struct node *value, void *field);
