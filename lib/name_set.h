/*
 * name_set: domain names, looked up.
 *
 * A file has one name a line, lower case A-labels; # begins a comment. A set is constant once
 * read, and lives in the arena that it was read into.
 */
#pragma once

#include "lib/arena.h"

struct name_set {
	size_t count;
	const char **item; /* sorted */
};

enum { NAME_SET_MOST = 200000 };

/* The names of the text; what is in it twice is there once. *bad: the first line that holds no
 * name, counted from 1; 0: all do. text has a NUL behind it. */
struct name_set name_set_read(struct arena *arena, struct slice text, size_t *bad);
struct name_set name_set_of(struct arena *arena, const char *const *names, size_t count);

bool name_set_has(const struct name_set *set, const char *name);

/* The name itself or one that it lies below: "a.b.example.com" where example.com is in it. */
bool name_set_covers(const struct name_set *set, const char *name);
