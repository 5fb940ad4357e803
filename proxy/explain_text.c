#include "proxy/explain_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void
explain_text_close(void *arg)
{
	struct explain_text *text = arg;

	if (text->file >= 0)
		close(text->file);
}

/* As read(2), but once more after a signal. */
static ssize_t
explain_text_read(int file, char *out, size_t size)
{
	ssize_t count;

	do
		count = read(file, out, size);
	while (count < 0 && errno == EINTR);
	return count;
}

static void
explain_text_look(struct explain_text *text, const char *data, size_t length)
{
	char before = text->size > 0 ? text->last : '\0';

	for (size_t i = 0; i < length; before = data[i++]) {
		if (data[i] == '\n' && before == '\r')
			text->has_crlf = true;
		else if (data[i] == '\n')
			text->has_bare_lf = true;
		else if (before == '\r')
			text->has_bare_cr = true;
	}
	text->size += length;
	text->last = before;
}

static bool
explain_text_copy(int file, const char *data, size_t length)
{
	while (length > 0) {
		ssize_t count = write(file, data, length);

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			return false;
		data += count;
		length -= (size_t)count;
	}
	return true;
}

/* All of it, once; into the file `copy` too, if that is one. NULL, or what is wrong. */
static const char *
explain_text_scan(struct explain_text *text, int copy)
{
	ssize_t count;

	while ((count = explain_text_read(text->file, text->piece, sizeof(text->piece))) > 0) {
		explain_text_look(text, text->piece, (size_t)count);
		if (text->size > EXPLAIN_TEXT_MOST)
			return "more than 256 MiB";
		if (copy >= 0 && !explain_text_copy(copy, text->piece, (size_t)count))
			return "the temporary copy cannot be written";
	}
	text->has_bare_cr |= text->size > 0 && text->last == '\r';
	return count < 0 ? strerror(errno) : NULL;
}

/* From then on text->file is a file at its beginning. */
static const char *
explain_text_prepare(struct explain_text *text, const char *folder)
{
	struct stat status;

	if (fstat(text->file, &status) != 0)
		return strerror(errno);
	bool is_regular = S_ISREG(status.st_mode);
	int copy = is_regular ? -1 : open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (!is_regular && copy < 0)
		return "no temporary file can be made for it";
	if (is_regular && lseek(text->file, 0, SEEK_SET) != 0)
		return strerror(errno);
	const char *why = explain_text_scan(text, copy);

	if (copy >= 0) {
		close(text->file);
		text->file = copy;
	}
	if (why == NULL && lseek(text->file, 0, SEEK_SET) != 0)
		why = strerror(errno);
	return why;
}

struct explain_text *
explain_text_open(struct arena *arena, const char *path, const char **why)
{
	struct explain_text *text = arena_alloc(arena, sizeof(*text));
	const char *folder = getenv("TMPDIR");

	text->file = strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
					    : open(path, O_RDONLY | O_CLOEXEC);
	arena_defer(arena, explain_text_close, text);
	*why = text->file < 0 ? strerror(errno)
			      : explain_text_prepare(text, folder != NULL ? folder : "/tmp");
	return *why == NULL ? text : NULL;
}

bool
explain_text_is_unix(const struct explain_text *text)
{
	return text->has_bare_lf && !text->has_crlf && !text->has_bare_cr;
}

static struct slice
explain_text_convert(struct explain_text *text, size_t length)
{
	size_t used = 0;

	for (size_t i = 0; i < length; i++) {
		if (text->piece[i] == '\n')
			text->room[used++] = '\r';
		text->room[used++] = text->piece[i];
	}
	return (struct slice) { text->room, used };
}

struct slice
explain_text_next(struct explain_text *text)
{
	ssize_t count =
	    text->has_ended ? 0 : explain_text_read(text->file, text->piece, sizeof(text->piece));

	if (count > 0)
		return explain_text_is_unix(text) ? explain_text_convert(text, (size_t)count)
						  : (struct slice) { text->piece, (size_t)count };
	bool lacks_end = !text->has_ended && text->size > 0 && text->last != '\n';

	text->has_ended = true;
	return lacks_end ? slice_of("\r\n") : (struct slice) { "", 0 };
}
