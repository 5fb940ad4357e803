/*
 * html_entity: character references of HTML by their names.
 *
 * All of the standard that stand for one character; the table is lib/html_entities.c.
 */
#pragma once

#include <stdint.h>

#include "lib/slice.h"

struct html_entity {
	const char *name;
	uint32_t code;
};

extern const struct html_entity html_entities[];
extern const size_t html_entities_count;
extern const char *const html_entities_short[];
extern const size_t html_entities_short_count;

/* Without & and ;. 0: there is none. */
uint32_t html_entity_find(struct slice name);

/* The longest beginning of the text that is a name which needs no semicolon; *code is its
 * character. 0: there is none. */
size_t html_entity_find_short(struct slice text, uint32_t *code);

/* What the number stands for: some are read as if of windows-1252 (HTML 13.2.5.80). */
uint32_t html_entity_number(uint32_t number);
