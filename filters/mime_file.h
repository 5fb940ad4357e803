/*
 * mime_file: one attachment, looked at while it passes by: what it is, what is in it, and
 * whether it hides that.
 *
 * A part of filters/mime, which see. Its first bytes are held, and of archives that cannot be
 * read as they pass the first MiB, as long as the worker holds no more than MIME_FILE_ARCHIVES
 * of them.
 */
#pragma once

#include <magic.h>

#include "filters/filter.h"
#include "lib/file_kind.h"
#include "lib/needle.h"
#include "lib/zip_scan.h"

enum {
	MIME_FILE_ARCHIVES = 16,
	MIME_FILE_ARCHIVE = 1024 * 1024,
	MIME_FILE_INNER = 128,
	MIME_FILE_MAGIC = 20 /* attachments of a message that libmagic is asked about */
};

/* A worker's. */
struct mime_host {
	magic_t magic; /* NULL: its table is not there */
	unsigned archives;
};

/* What it was found to be. Strings are the mail's. */
struct mime_found {
	const char *name, *type, *content_type, *part;
	uint64_t size;
	enum file_kind kind;
	bool is_executable, is_double, is_turned, has_macro, is_encrypted, is_unread;
	const char *executable, *disguise; /* the name of what runs, or hides what it is; "" */
};

struct mime_file {
	struct mime_host *host;
	struct mime_found found;
	enum file_kind kind_of_name, kind_of_content;
	bool is_archive_read; /* by the options */
	bool is_decided;      /* what it is, and so what is done with what follows */
	char head[FILE_HEAD];
	size_t head_length;
	bool is_zip;
	struct zip_scan zip;
	struct needle needle;
	bool is_held;
	struct buf held;
	char executable[MIME_FILE_INNER], disguise[MIME_FILE_INNER];
};

void mime_file_begin(
    struct mime_file *file, struct mime_host *host, const struct part *part, bool is_archive_read);
void mime_file_feed(struct mime_file *file, struct slice bytes);

/* is_magic: ask libmagic, too. */
void
mime_file_end(struct mime_file *file, struct arena *arena, const struct part *part, bool is_magic);

/* However it ends; may be said again. */
void mime_file_free(struct mime_file *file);
