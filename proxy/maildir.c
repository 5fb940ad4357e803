#include "proxy/maildir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static bool
maildir_fails(struct maildir *maildir, const char *what, const char *folder)
{
	snprintf(maildir->why, sizeof(maildir->why), "cannot %s %s%s: %s", what, maildir->path,
	    folder, strerror(errno));
	return false;
}

static void
maildir_undo(void *arg)
{
	struct maildir *maildir = arg;

	if (maildir->tmp >= 0)
		close(maildir->tmp);
	if (maildir->new >= 0)
		close(maildir->new);
	maildir->tmp = maildir->new = -1;
}

/* A slash would lead into another folder, a colon begins the flags of a file in cur/. */
static const char *
maildir_host(struct arena *arena, const char *host)
{
	char *copy = arena_format(arena, "%.64s", host);

	for (char *at = copy; *at != '\0'; at++)
		if (*at == '/' || *at == ':' || *at <= ' ' || *at > '~')
			*at = '_';
	return copy;
}

bool
maildir_open(struct maildir *maildir, struct arena *arena, const char *path, const char *host)
{
	static const char *const folders[] = { "", "/tmp", "/new", "/cur" };
	static const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

	*maildir = (struct maildir) {
		.path = path, .host = maildir_host(arena, host), .tmp = -1, .new = -1
	};
	arena_defer(arena, maildir_undo, maildir);
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (mkdir(arena_format(arena, "%s%s", path, folders[i]), 0700) != 0 &&
		    errno != EEXIST)
			return maildir_fails(maildir, "make", folders[i]);
	maildir->tmp = open(arena_format(arena, "%s/tmp", path), flags);
	if (maildir->tmp < 0)
		return maildir_fails(maildir, "open", "/tmp");
	maildir->new = open(arena_format(arena, "%s/new", path), flags);
	return maildir->new >= 0 || maildir_fails(maildir, "open", "/new");
}

void
maildir_drop(struct maildir_file *file)
{
	if (file->fd < 0)
		return;
	close(file->fd);
	file->fd = -1;
	unlinkat(file->maildir->tmp, file->name, 0);
}

static void
maildir_file_undo(void *arg)
{
	maildir_drop(arg);
}

static bool
maildir_file_fails(struct maildir_file *file, const char *what)
{
	snprintf(file->why, sizeof(file->why), "cannot %s %s/tmp/%s: %s", what, file->maildir->path,
	    file->name, strerror(errno));
	maildir_drop(file);
	return false;
}

bool
maildir_begin(struct maildir *maildir, struct arena *arena, struct maildir_file *file)
{
	struct timespec now = { 0 };

	clock_gettime(CLOCK_REALTIME, &now);
	*file = (struct maildir_file) { .maildir = maildir };
	snprintf(file->name, sizeof(file->name), "%lld.M%06ldP%ldQ%u.%s", (long long)now.tv_sec,
	    now.tv_nsec / 1000, (long)getpid(), ++maildir->count, maildir->host);
	file->fd = openat(maildir->tmp, file->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (file->fd < 0)
		return maildir_file_fails(file, "make");
	arena_defer(arena, maildir_file_undo, file);
	return true;
}

bool
maildir_append(struct maildir_file *file, struct slice bytes)
{
	if (file->fd < 0)
		return false;
	while (bytes.length > 0) {
		ssize_t done = write(file->fd, bytes.data, bytes.length);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return maildir_file_fails(file, "write");
		bytes = (struct slice) { bytes.data + done, bytes.length - (size_t)done };
		file->size += (uint64_t)done;
	}
	return true;
}

/* Closed first, for with some file systems that is when they say that there was no room. */
bool
maildir_keep(struct maildir_file *file)
{
	struct maildir *maildir = file->maildir;
	int fd = file->fd;

	if (fd < 0)
		return false;
	file->fd = -1;
	if (close(fd) == 0 && renameat(maildir->tmp, file->name, maildir->new, file->name) == 0)
		return true;
	maildir_file_fails(file, "keep");
	unlinkat(maildir->tmp, file->name, 0);
	return false;
}
