#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SPACE_LEAST = 4096 }; /* what /proc and /sys have says it is empty */

static bool
file_fails(struct file *file, const char *fault)
{
	file->fault = fault;
	return false;
}

static bool
file_fill(struct file *file, int fd, char *space, size_t size)
{
	size_t used = 0;

	while (used < size) {
		ssize_t got = read(fd, space + used, size - used);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return file_fails(file, strerror(errno));
		if (got == 0)
			break;
		used += (size_t)got;
	}
	if (used == size)
		return file_fails(file, "it grew while it was read");
	space[used] = '\0';
	file->bytes = (struct slice) { .data = space, .length = used };
	return true;
}

static bool
file_take(struct arena *arena, int fd, size_t max, struct file *file)
{
	struct stat about;

	if (fstat(fd, &about) != 0)
		return file_fails(file, strerror(errno));
	if (!S_ISREG(about.st_mode))
		return file_fails(file, "not a regular file");
	if ((uintmax_t)about.st_size > max)
		return file_fails(file, arena_format(arena, "larger than %zu bytes", max));
	file->device = (uint64_t)about.st_dev;
	file->inode = (uint64_t)about.st_ino;

	size_t size = (size_t)about.st_size + 1;

	if (size < SPACE_LEAST)
		size = max < SPACE_LEAST ? max + 1 : SPACE_LEAST;
	return file_fill(file, fd, arena_alloc(arena, size), size);
}

bool
file_read(struct arena *arena, const char *path, size_t max, struct file *file)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	*file = (struct file) { .bytes = { "", 0 } };
	if (fd < 0)
		return file_fails(file, strerror(errno));

	bool done = file_take(arena, fd, max, file);

	close(fd);
	return done;
}

const char *
file_directory(struct arena *arena, const char *path)
{
	const char *end = strrchr(path, '/');

	if (end == NULL)
		return ".";
	if (end == path)
		return "/";
	return arena_copy(arena, (struct slice) { .data = path, .length = (size_t)(end - path) });
}

static const char *
file_join(struct arena *arena, const char *directory, const char *name)
{
	if (strcmp(directory, ".") == 0)
		return arena_strdup(arena, name);
	if (strcmp(directory, "/") == 0)
		return arena_format(arena, "/%s", name);
	return arena_format(arena, "%s/%s", directory, name);
}

const char *
file_find(struct arena *arena, const char *directory, const char *data, const char *name)
{
	if (*name == '/')
		return arena_strdup(arena, name);

	const char *here = file_join(arena, directory, name);

	if (data == NULL || access(here, F_OK) == 0)
		return here;

	const char *shipped = file_join(arena, data, name);

	return access(shipped, F_OK) == 0 ? shipped : here;
}
