/*
 * arena: memory and duties that end together.
 *
 * Everything in postern lives in an arena: a worker's, a session's or a mail's. Nothing
 * is freed alone; arena_free() ends all of it. What is no memory (a socket, a timer, a
 * query under way) is handed to arena_defer() on the line after it is made; arena_free()
 * undoes these in reverse order, before any memory goes, so that an undo may still look
 * at what it undoes.
 *
 * No memory: the arena ends the worker, nobody checks. A peer must never bring that
 * about, so an arena has a limit: allocation goes on beyond it (a caller in the middle of
 * its work is not disturbed), but arena_is_full() says so, and the session, which asks
 * between two steps, answers 421 4.3.1 and ends.
 *
 * Cost: the first chunk is 1 KiB, each further one twice the last, up to 16 KiB.
 */
#pragma once

#include "lib/slice.h"

typedef void (*arena_undo)(void *arg);

struct arena;

struct arena *arena_new(size_t limit);

/* Undo everything, newest first, then give all memory back. An undo may not allocate here. */
void arena_free(struct arena *arena);

/* Zeroed memory, aligned for every type. */
void *arena_alloc(struct arena *arena, size_t size);

char *arena_copy(struct arena *arena, struct slice text); /* with a NUL at its end */
char *arena_strdup(struct arena *arena, const char *text);
char *
arena_format(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* On arena_free(), call undo(arg). */
void arena_defer(struct arena *arena, arena_undo undo, void *arg);

bool arena_is_full(const struct arena *arena);
size_t arena_size(const struct arena *arena); /* bytes taken from malloc */
