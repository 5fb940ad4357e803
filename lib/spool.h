/*
 * spool: a message held until its fate is decided.
 *
 * The text as it will go to the backend (dot-stuffed, without the final dot) is kept in
 * memory up to a limit, then in a file without a name, which the kernel takes away with the
 * descriptor, so that nothing is ever left behind or found by a restart: postern owns no
 * message. All spools of a worker together have a memory limit too; above it a new message
 * goes to the file sooner.
 *
 * Appending never waits for a peer; it writes to the page cache. When the disk is full or
 * the folder gone, spool_append() returns false and the spool stays failed: the client gets
 * 452 and keeps its message.
 */
#pragma once

#include <stdint.h>

#include "lib/slice.h"

struct spool_limits {
	const char *folder; /* where the files without a name are made */
	size_t memory;      /* bytes of one message in memory */
	size_t memory_all;  /* of all messages of this worker */
	size_t memory_used; /* at present */
};

struct spool {
	struct spool_limits *limits;
	char *memory;
	size_t used, size; /* of memory: filled, allocated */
	int file;          /* -1: all is in memory */
	uint64_t written;  /* bytes in the file */
	const char *why;   /* of a failure, in words; NULL: good */
};

void spool_init(struct spool *spool, struct spool_limits *limits);
void spool_end(struct spool *spool); /* gives memory and file back; may be called twice */

__attribute__((warn_unused_result)) bool spool_append(struct spool *spool, struct slice bytes);

uint64_t spool_length(const struct spool *spool);

/*
 * The piece at offset, as long as possible: in memory all of the rest, from the file up to
 * size bytes read into room. Empty at the end; *is_broken is set when the file cannot be read.
 */
struct slice
spool_piece(struct spool *spool, uint64_t offset, char *room, size_t size, bool *is_broken);
