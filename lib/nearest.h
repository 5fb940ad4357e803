/*
 * nearest: the name that a mistyped word was meant to be.
 *
 * Offer every name there is; what is nearest and near enough is kept:
 *
 *	struct nearest nearest = nearest_to("stirct");
 *	nearest_offer(&nearest, "sessions");
 *	nearest_offer(&nearest, "strict");
 *	nearest.name: "strict"
 *
 * Distance: letters added, lost, changed, and neighbours swapped, one each
 * (Damerau-Levenshtein). Near enough: 1 in words under five letters, else a third of the
 * word and 1. Words and names above NEAREST_LENGTH bytes are near nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { NEAREST_LENGTH = 40 };

struct nearest {
	const char *word;
	const char *name; /* NULL: none was near enough */
	size_t distance;  /* of name */
};

struct nearest nearest_to(const char *word);

/* Whether it is now the nearest; of names equally near the first one stays. */
bool nearest_offer(struct nearest *nearest, const char *name);

/* The nearest of a list that ends with NULL, or NULL. */
const char *nearest_of(const char *word, const char *const *names);

size_t nearest_distance(const char *a, const char *b); /* SIZE_MAX: too long */
