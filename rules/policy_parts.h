/*
 * policy_parts: conditions, scope and text of one rule.
 *
 * A part of rules/policy_read, which see. What is wrong becomes a fault.
 */
#pragma once

#include "rules/policy_read.h"

/* `when:` or `unless:`; node NULL: none. Ends with a filter NULL. */
struct condition *policy_conditions_read(
    struct option_reader *reader, const struct node *node, const struct policy_terms *terms);

/* Is its filter configured with mode: shadow? */
bool
policy_condition_is_shadow(const struct condition *condition, const struct policy_terms *terms);

/* `score: FACT`: a fact that is a number. No values: they are not asked for. */
struct condition policy_number_read(
    struct option_reader *reader, const struct node *node, const struct policy_terms *terms);

/* `for:`; node NULL: everybody. */
struct rule_scope policy_scope_read(
    struct option_reader *reader, const struct node *node, const struct policy_terms *terms);

/* An address that can receive mail; false: there is a fault. */
bool policy_address_check(struct option_reader *reader, const struct node *node);

/* `text:` of a reply of this class (5 or 4): words, {names}, an enhanced code if any. */
void policy_text_check(struct option_reader *reader, const struct node *node, char class);

/* SHA-256 of the rules, thresholds and mode, hexadecimal. */
const char *policy_hash(struct arena *arena, const struct policy *policy);
