/*
 * buf: bytes that grow, up to a limit.
 *
 * A buf holds bytes in one block of malloc and grows by doubling. It never holds more than
 * its limit: an append that would go beyond is left out entirely, sets overflowed, and every
 * further append is left out as well, so that what is held is always a true beginning of what
 * was meant. The owner looks at overflowed once, at the end. buf_clear() makes it good again.
 *
 * Taking bytes from the front is cheap: the bytes stay, data moves. The gap is closed when
 * room is needed and at least half of the block is gap, so each byte moves at most once or so
 * (and a block is never more than twice the limit).
 *
 * Ownership: buf_new() lives and ends in an arena. One made by buf_init() is ended by
 * buf_free(). An all-zero struct with a limit is a good empty buf. No memory: the process
 * ends, as with the arena.
 */
#pragma once

#include <stdarg.h>

#include "lib/arena.h"

struct buf {
	char *data;    /* the first byte held; NULL while there is no block */
	size_t length; /* bytes held */
	size_t size;   /* of the block */
	size_t gap;    /* bytes taken from the front: the block begins at data - gap */
	size_t limit;
	bool overflowed;
};

struct buf *buf_new(struct arena *arena, size_t limit);
void buf_init(struct buf *buf, size_t limit);
void buf_free(struct buf *buf); /* may be used again afterwards */

/* All three: false when it did not fit. The format's text is bounded only by the limit. */
bool buf_append(struct buf *buf, struct slice bytes);
bool buf_append_byte(struct buf *buf, char byte);
bool buf_print(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool
buf_vprint(struct buf *buf, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

/* Room for `count` bytes behind what is held, to read(2) into; then buf_commit() what came
 * (no more than was reserved). NULL: beyond the limit; nothing changes, not even overflowed. */
char *buf_reserve(struct buf *buf, size_t count);
void buf_commit(struct buf *buf, size_t count);

void buf_take(struct buf *buf, size_t count); /* drops from the front */
void buf_cut(struct buf *buf, size_t length); /* drops from the end, down to `length` */
void buf_clear(struct buf *buf);              /* empty, good again; keeps its block */
void buf_release(struct buf *buf);            /* gives the block back, if nothing is held */

struct slice buf_slice(const struct buf *buf); /* borrowed until the next change */
size_t buf_room(const struct buf *buf);        /* what may still be appended; 0 after overflow */
