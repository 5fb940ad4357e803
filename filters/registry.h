/*
 * registry: the filters by name, made from list.h.
 */
#pragma once

#include "filters/filter.h"

#define FILTER(name) extern const struct filter name##_filter;
#include "filters/list.h"
#undef FILTER

/* All of them, in the order of list.h; ends with NULL. */
extern const struct filter *const registry[];

const struct filter *registry_find(const char *name); /* NULL: there is none */
