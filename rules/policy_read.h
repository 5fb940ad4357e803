/*
 * policy_read: the list `policy:` of the configuration, as rules.
 *
 *	- name: no-name             unique, required
 *	  when: { ptr: none }       every entry must hold; a list of values is "any of";
 *	                            `ptr` alone means ptr.result
 *	  unless: { smtp.auth: yes }  no entry may hold
 *	  for: [ c@example.com, postmaster@, .example.com, "listener *:25" ]
 *	                            one of these recipients or domains, and one of these
 *	                            listeners, as far as any are named
 *	  do: reject                accept reject defer tag discard redirect ban; or
 *	  score: 2.5                instead of do:
 *	  text: "5.7.1 {client}"    with reject, defer and ban
 *	  to: abuse@example.com     with redirect
 *	  speak: at_once            with reject, defer, ban: already before the greeting
 *	  mode: shadow              is only recorded
 *
 * do: ban rejects, and keeps the client out for the time that `for:` says (an hour if it does
 * not), whoever it then writes to: with it `for:` narrows nothing.
 *
 * Names and values are checked against what the filters can tell (filters/filter.h). A
 * condition on a filter that is not configured is NO. One on a filter in shadow mode: in
 * `when`, the rule becomes a shadow rule; in `unless`, it is NO for rules that decide.
 */
#pragma once

#include "lib/option.h"
#include "rules/pipeline.h"
#include "rules/policy.h"

/* What a policy may speak of. */
struct policy_terms {
	const struct pipeline *pipeline;
	const char *const *listeners; /* their addresses as configured; ends with NULL */
};

/* Sets rules and hash; thresholds and is_shadow are there already. list NULL: no rules. */
void policy_read(struct option_reader *reader, const struct node *list,
    const struct policy_terms *terms, struct policy *policy);

/* The rows of one rule, for the manual. */
extern const struct option policy_rule_rows[];
