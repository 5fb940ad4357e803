#include "lib/watch.h"

#include <sys/stat.h>
#include <time.h>

/* Nanoseconds by which the clock that dates files may lag behind: a tick at 100 Hz, and some. */
enum { WATCH_TICK = 12 * 1000 * 1000 };

/* What tells one version of a file from another; all zero: there is no such file. */
struct version {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified;
};

struct watch_row {
	const char *path;
	struct version version;
};

struct watch {
	struct arena *arena;
	struct timespec begun;
	struct watch_row *rows;
	size_t count, room;
	bool is_doubtful; /* a file was modified while we read */
};

static bool
version_is_before(struct timespec a, struct timespec b)
{
	return a.tv_sec < b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec < b.tv_nsec);
}

/* Files are dated by the coarse clock, which lags behind by some ms, or by the fine one. */
static struct timespec
version_time(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now;
}

static struct version
version_of(const char *path)
{
	struct stat about;

	if (stat(path, &about) != 0)
		return (struct version) { 0 };
	return (struct version) { about.st_dev, about.st_ino, about.st_size, about.st_mtim };
}

static bool
version_equals(const struct version *a, const struct version *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	    a->modified.tv_sec == b->modified.tv_sec && a->modified.tv_nsec == b->modified.tv_nsec;
}

void
watch_settle(void)
{
	nanosleep(&(struct timespec) { .tv_nsec = WATCH_TICK }, NULL);
}

struct watch *
watch_new(struct arena *arena)
{
	struct watch *watch = arena_alloc(arena, sizeof(*watch));

	watch->arena = arena;
	watch->begun = version_time(CLOCK_REALTIME_COARSE);
	return watch;
}

static void
watch_grow(struct watch *watch)
{
	size_t room = watch->room > 0 ? 2 * watch->room : 8;
	struct watch_row *rows = arena_alloc(watch->arena, room * sizeof(*rows));

	if (watch->count > 0)
		memcpy(rows, watch->rows, watch->count * sizeof(*rows));
	watch->rows = rows;
	watch->room = room;
}

void
watch_add(struct watch *watch, const char *path)
{
	for (size_t i = 0; i < watch->count; i++)
		if (strcmp(watch->rows[i].path, path) == 0)
			return;
	if (watch->count == watch->room)
		watch_grow(watch);

	struct version version = version_of(path);

	watch->rows[watch->count++] = (struct watch_row) {
		.path = arena_strdup(watch->arena, path),
		.version = version,
	};
	if (!version_is_before(version.modified, watch->begun) &&
	    !version_is_before(version_time(CLOCK_REALTIME), version.modified))
		watch->is_doubtful = true;
}

bool
watch_has_changed(const struct watch *watch)
{
	if (watch->is_doubtful)
		return true;
	for (size_t i = 0; i < watch->count; i++) {
		struct version now = version_of(watch->rows[i].path);

		if (!version_equals(&now, &watch->rows[i].version))
			return true;
	}
	return false;
}

size_t
watch_count(const struct watch *watch)
{
	return watch->count;
}

const char *
watch_path(const struct watch *watch, size_t index)
{
	return watch->rows[index].path;
}
