/*
 * record_parts: what the JSON, the line and the reply of a record have in common.
 *
 * A part of rules/record, which see.
 */
#pragma once

#include "rules/record.h"

/* The client's name, if it leads back to its address; NULL: it has none, or nobody asked. */
const char *record_client_name(const struct record *record);

/* What a verdict would do, as the policy has it. */
const char *record_action(const struct verdict *verdict);

/* The shadow rules that hold, one after the other; see policy_shadow(). */
const struct rule *
record_shadow(const struct record *record, const struct policy *policy, const struct rule *after);
