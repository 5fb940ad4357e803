#include "lib/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { SPOOL_FIRST = 8192 };

void
spool_init(struct spool *spool, struct spool_limits *limits)
{
	*spool = (struct spool) { .limits = limits, .file = -1 };
}

static void
spool_forget_memory(struct spool *spool)
{
	spool->limits->memory_used -= spool->size;
	free(spool->memory);
	spool->memory = NULL;
	spool->used = spool->size = 0;
}

void
spool_end(struct spool *spool)
{
	if (spool->limits == NULL)
		return;
	spool_forget_memory(spool);
	if (spool->file >= 0)
		close(spool->file);
	spool->file = -1;
	spool->written = 0;
}

static bool
spool_fails(struct spool *spool, const char *what)
{
	spool->why = what;
	spool_forget_memory(spool);
	return false;
}

static bool
spool_write(struct spool *spool, const char *data, size_t length)
{
	while (length > 0) {
		ssize_t done = write(spool->file, data, length);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return spool_fails(spool,
			    errno == ENOSPC ? "no space for the message"
					    : "cannot write the message");
		data += done;
		length -= (size_t)done;
		spool->written += (uint64_t)done;
	}
	return true;
}

static bool
spool_open(struct spool *spool)
{
	spool->file = open(spool->limits->folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (spool->file < 0)
		return spool_fails(spool, "cannot make a file for the message");
	if (!spool_write(spool, spool->memory, spool->used))
		return false;
	spool_forget_memory(spool);
	return true;
}

/* Room for more bytes in memory, doubling; false where they do not belong into memory. */
static bool
spool_grow(struct spool *spool, size_t more)
{
	struct spool_limits *limits = spool->limits;
	size_t size = spool->size > 0 ? spool->size : SPOOL_FIRST;

	if (more > limits->memory - spool->used)
		return false;
	while (size < spool->used + more)
		size *= 2;
	if (size > limits->memory)
		size = limits->memory;
	if (size - spool->size > limits->memory_all - limits->memory_used)
		return false;
	char *memory = realloc(spool->memory, size);

	if (memory == NULL)
		abort();
	limits->memory_used += size - spool->size;
	spool->memory = memory;
	spool->size = size;
	return true;
}

bool
spool_append(struct spool *spool, struct slice bytes)
{
	if (spool->why != NULL)
		return false;
	if (spool->file >= 0)
		return spool_write(spool, bytes.data, bytes.length);
	if (bytes.length > spool->size - spool->used && !spool_grow(spool, bytes.length))
		return spool_open(spool) && spool_write(spool, bytes.data, bytes.length);
	memcpy(spool->memory + spool->used, bytes.data, bytes.length);
	spool->used += bytes.length;
	return true;
}

uint64_t
spool_length(const struct spool *spool)
{
	return spool->file >= 0 ? spool->written : spool->used;
}

struct slice
spool_piece(struct spool *spool, uint64_t offset, char *room, size_t size, bool *is_broken)
{
	ssize_t got;

	if (offset >= spool_length(spool))
		return (struct slice) { "", 0 };
	if (spool->file < 0)
		return (struct slice) { spool->memory + offset, spool->used - (size_t)offset };
	do
		got = pread(spool->file, room, size, (off_t)offset);
	while (got < 0 && errno == EINTR);
	if (got <= 0) {
		*is_broken = true;
		return (struct slice) { "", 0 };
	}
	return (struct slice) { room, (size_t)got };
}
