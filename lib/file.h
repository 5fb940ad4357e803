/*
 * file: files that are read whole, and where the names in a configuration lead.
 *
 * For the time before sockets are bound and for reloads: these calls wait for the disk.
 * Only regular files are read, so that nothing can hang on a pipe or a terminal.
 */
#pragma once

#include <stdint.h>

#include "lib/arena.h"

struct file {
	struct slice bytes; /* in the arena, and a NUL behind it */
	uint64_t device, inode;
	const char *fault; /* NULL: good; else why not, in words */
};

/* Files of more than max bytes are a fault. */
__attribute__((warn_unused_result)) bool
file_read(struct arena *arena, const char *path, size_t max, struct file *file);

/* "/etc/postern/a.yaml": "/etc/postern"; "a.yaml": ".". */
const char *file_directory(struct arena *arena, const char *path);

/*
 * The path of a name that stands in a file of `directory`: a relative one is looked for
 * there, then among the data as shipped (NULL: none). If it is in neither: as if in the
 * first, so that the fault names that one.
 */
const char *
file_find(struct arena *arena, const char *directory, const char *data, const char *name);
