/*
 * explain_parts: one run of `postern explain`, and what it prints.
 *
 * A part of proxy/explain, which see.
 */
#pragma once

#include <stdio.h>

#include "proxy/explain_options.h"
#include "proxy/explain_text.h"
#include "proxy/explain_tree.h"
#include "proxy/session.h"
#include "proxy/transaction.h"

struct explain {
	const struct explain_options *options;
	const struct config *config;
	struct explain_text *text;
	struct worker *worker;
	struct session *session; /* its mail is NULL after a refusal at connect */
	enum step (*step)(struct explain *explain);
	struct explain_tree *tree; /* of the message; NULL: it did not come so far */
	size_t named;              /* of the recipients */
	struct record refusal;     /* at connect; reply NULL: there is none */
	bool is_late;              /* facts are missing at the end */
	bool is_over;
};

/* For people, on stdout; the run is over. is_unicode: the terminal shows it. */
void explain_print(const struct explain *explain, bool is_unicode);

/* explain_facts.c: a row per fact, in the order of stages, with bars for the times. */
void explain_print_facts(const struct explain *explain, bool is_unicode);

/* explain_rules.c: how each rule stands, for each decision of ours. */
void explain_print_rules(const struct explain *explain);

/* explain_uris.c: the hosts that the message's addresses lead to: those of the filter surbl, with
 * which of them it has asked about; where it does not run, what explain has found itself. */
void explain_print_uris(const struct explain *explain);
void explain_put_uris(struct json *json, const struct explain *explain); /* an array */
