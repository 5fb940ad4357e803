#include "lib/buf.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { BUF_LEAST = 256, BUF_PIECE = 256 };

static void
buf_undo(void *arg)
{
	buf_free(arg);
}

struct buf *
buf_new(struct arena *arena, size_t limit)
{
	struct buf *buf = arena_alloc(arena, sizeof(*buf));

	buf_init(buf, limit);
	arena_defer(arena, buf_undo, buf);
	return buf;
}

void
buf_init(struct buf *buf, size_t limit)
{
	*buf = (struct buf) { .limit = limit };
}

void
buf_free(struct buf *buf)
{
	if (buf->data != NULL)
		free(buf->data - buf->gap);
	buf_init(buf, buf->limit);
}

static void
buf_close_gap(struct buf *buf)
{
	if (buf->gap == 0)
		return;
	assert(buf->data != NULL);
	memmove(buf->data - buf->gap, buf->data, buf->length);
	buf->data -= buf->gap;
	buf->gap = 0;
}

/* To hold `needed` bytes, counted from the beginning of the block as it is now. Up to twice the
 * limit, where a gap that is not yet worth closing stands before the bytes. */
static void
buf_grow(struct buf *buf, size_t needed)
{
	/* One more, for printf's NUL. */
	size_t most = buf->limit > SIZE_MAX / 4 ? SIZE_MAX / 2 : buf->limit + 1;
	size_t size = buf->size < BUF_LEAST / 2 ? BUF_LEAST : buf->size * 2;

	if (buf->gap > 0)
		most *= 2;
	while (size < needed && size < most)
		size *= 2;
	if (size > most)
		size = most;
	if (size < needed)
		size = needed;
	buf_close_gap(buf);
	buf->data = realloc(buf->data, size);
	if (buf->data == NULL)
		abort();
	buf->size = size;
}

static size_t
buf_left(const struct buf *buf)
{
	return buf->length < buf->limit ? buf->limit - buf->length : 0;
}

/* The gap is closed only when it is half of the block, else a byte taken and one appended, in
 * turn, would move all the others each time. */
char *
buf_reserve(struct buf *buf, size_t count)
{
	if (count > buf_left(buf))
		return NULL;
	if (buf->gap > 0 && buf->gap >= buf->size / 2 && buf->gap + buf->length + count > buf->size)
		buf_close_gap(buf);
	if (buf->gap + buf->length + count > buf->size || buf->data == NULL)
		buf_grow(buf, buf->gap + buf->length + count);
	return buf->data + buf->length;
}

void
buf_commit(struct buf *buf, size_t count)
{
	assert(buf->gap + buf->length + count <= buf->size);
	buf->length += count;
}

bool
buf_append(struct buf *buf, struct slice bytes)
{
	char *room = buf->overflowed ? NULL : buf_reserve(buf, bytes.length);

	if (room == NULL) {
		buf->overflowed = true;
		return false;
	}
	if (bytes.length > 0)
		memcpy(room, bytes.data, bytes.length);
	buf_commit(buf, bytes.length);
	return true;
}

bool
buf_append_byte(struct buf *buf, char byte)
{
	return buf_append(buf, (struct slice) { .data = &byte, .length = 1 });
}

bool
buf_print(struct buf *buf, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	bool fits = buf_vprint(buf, format, args);

	va_end(args);
	return fits;
}

/* Tried first into the room there is, or into a piece of the stack; printf wants a byte for its
 * NUL. That byte may lie beyond the limit but never counts. */
bool
buf_vprint(struct buf *buf, const char *format, va_list args)
{
	size_t room = buf->data == NULL ? 0 : buf->size - buf->gap - buf->length;
	char piece[BUF_PIECE];
	bool is_apart = room < sizeof(piece);
	va_list again;

	if (buf->overflowed)
		return false;
	va_copy(again, args);
	int wanted = vsnprintf(is_apart ? piece : buf->data + buf->length,
	    is_apart ? sizeof(piece) : room, format, again);

	va_end(again);
	assert(wanted >= 0);
	size_t length = (size_t)wanted;

	if (is_apart && length < sizeof(piece))
		return buf_append(buf, (struct slice) { .data = piece, .length = length });
	if (length > buf_left(buf)) {
		buf->overflowed = true;
		return false;
	}
	if (length >= room) {
		buf_grow(buf, buf->gap + buf->length + length + 1);
		vsnprintf(buf->data + buf->length, length + 1, format, args);
	}
	buf_commit(buf, length);
	return true;
}

void
buf_take(struct buf *buf, size_t count)
{
	assert(count <= buf->length);
	if (count == 0)
		return;
	buf->data += count;
	buf->gap += count;
	buf->length -= count;
	if (buf->length == 0)
		buf_close_gap(buf);
}

void
buf_cut(struct buf *buf, size_t length)
{
	assert(length <= buf->length);
	buf->length = length;
}

void
buf_clear(struct buf *buf)
{
	buf->length = 0;
	buf->overflowed = false;
	buf_close_gap(buf);
}

void
buf_release(struct buf *buf)
{
	bool overflowed = buf->overflowed;

	if (buf->length > 0)
		return;
	buf_free(buf);
	buf->overflowed = overflowed;
}

struct slice
buf_slice(const struct buf *buf)
{
	return (struct slice) { .data = buf->data == NULL ? "" : buf->data, .length = buf->length };
}

size_t
buf_room(const struct buf *buf)
{
	return buf->overflowed ? 0 : buf_left(buf);
}
