/*
 * option_table: what the parts of lib/option know of each other.
 */
#pragma once

#include "lib/option.h"

/* What the field of OPTION_LIST looks like, whatever its items are. */
struct option_items {
	size_t count;
	const void *item;
};

/* The map that an item of a list stands for (shorthand); else the item as it is. */
const struct node *
option_item(const struct option *row, const struct node *item, struct node space[3]);
