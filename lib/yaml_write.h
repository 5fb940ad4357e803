/*
 * yaml_write: texts and nodes as YAML that lib/yaml reads back.
 *
 * Secret nodes come out as "(secret)". ${ is written $${, so that nothing is substituted.
 */
#pragma once

#include <stdio.h>

#include "lib/node.h"

void yaml_write_text(FILE *to, const char *text); /* quoted only if it must be */

/* On the rest of a line: [a, {b: c}]. */
void yaml_write_flow(FILE *to, const struct node *node);

/*
 * Behind `key:`, with the newline at the end: a text on the same line, a list or a map with
 * one line for each item, indented.
 */
void yaml_write_block(FILE *to, const struct node *node, unsigned indent);
