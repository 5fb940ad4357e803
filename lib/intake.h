/*
 * intake: bytes that have been read and are not yet used, for conn.
 *
 * While bytes are read they lie in a wide block, so that one recv(2) takes what is there;
 * when the reading rests, few bytes move to a block of just their size. One wide block that
 * nobody holds is kept for all, so an ordinary command costs no wide allocation. Zeroed, an
 * intake is empty and holds no memory; intake_free() must be called before it goes.
 */
#pragma once

#include "lib/slice.h"

enum {
	INTAKE_WIDE = 64 * 1024, /* the most that can be held */
	INTAKE_REST = 4 * 1024   /* at rest only more than this keeps a wide block */
};

struct intake {
	char *block;
	unsigned begin, end, size;
};

/* Before reading: makes the block wide. Bytes held may move. */
void intake_widen(struct intake *intake);

/* Where to read to, so that no more than limit bytes are held; may be empty. */
char *intake_room(const struct intake *intake, size_t limit, size_t *size);
void intake_commit(struct intake *intake, size_t count);

/* After reading: a wide block for few bytes is given back. Bytes held may move. */
void intake_rest(struct intake *intake);

struct slice intake_slice(const struct intake *intake);
void intake_take(struct intake *intake, size_t count); /* the last byte takes the block along */
void intake_free(struct intake *intake);
