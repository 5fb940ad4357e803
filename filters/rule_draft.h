/*
 * rule_draft: the parts of filters/rule_set, while files are read.
 */
#pragma once

#include "filters/rule_set.h"

/* A pattern at its place. */
struct rule_pattern {
	enum rule_place place;
	const char *field; /* as it was first written */
	const struct node *text;
	uint32_t number; /* once all are sorted by place */
};

/* The examples of a rule, tried when all is read. */
struct rule_examples {
	const struct node *match, *no_match;
};

struct rule_draft {
	struct option_reader *reader;
	struct rule_pattern *patterns;
	size_t pattern_count, pattern_size;
	struct rule_entry *rules;
	const struct node **maps;       /* of each rule */
	struct rule_examples *examples; /* of each rule */
	size_t count;
	bool is_plain;
};

/* The rule that the map describes is added; what is wrong is a fault. */
void rule_draft_add(struct rule_draft *draft, const struct node *map);

/* Every rule's examples; what comes out otherwise is a fault. */
void rule_examples_try(const struct rule_draft *draft, const struct rule_set *set);
