/*
 * fault: what is wrong with the administrator's files, collected.
 *
 * Whoever reads a configuration adds each mistake it meets and goes on, so that one run
 * shows all of them. The first FAULTS_KEPT are kept, in the order they were added, the
 * rest is counted. A fault is one line: control characters become '?', and a long line is
 * cut. Everything kept lives in the arena.
 */
#pragma once

#include <stdio.h>

#include "lib/arena.h"

struct node;

enum { FAULTS_KEPT = 20 };

struct fault {
	const char *file; /* NULL: no place is known */
	unsigned line, column;
	const char *words;
};

struct faults {
	struct arena *arena;
	size_t count; /* all of them; 0: good */
	struct fault kept[FAULTS_KEPT];
};

void faults_init(struct faults *faults, struct arena *arena);

/* One line each, `file:line:column: words`; then how many more there were. */
void faults_print(const struct faults *faults, FILE *to);

/* At NULL, or at a node that was not read from a file: a fault without a place. */
void fault_add(struct faults *faults, const struct node *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Line 0: the whole file. */
void fault_add_place(struct faults *faults, const char *file, unsigned line, unsigned column,
    const char *format, ...) __attribute__((format(printf, 5, 6)));
