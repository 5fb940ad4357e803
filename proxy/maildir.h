/*
 * maildir: a folder that keeps messages, one file each.
 *
 * A message is written below DIR/tmp while it comes in, and becomes one of DIR/new by a rename
 * when it is whole; so who looks into new/ never sees a part of one. What is not kept leaves
 * nothing behind. Bytes are stored as they are, with the line ends that they came with (CRLF).
 *
 * Names: seconds.MmicrosecondsPpidQnumber.host, each used once.
 *
 * Writing goes to the page cache, and nothing is fsync'ed: this is for trying things out. A
 * full disk or a folder that has gone is a value: false, and `why` says it in words.
 *
 * Everything is undone with the arenas that are given.
 */
#pragma once

#include <stdint.h>

#include "lib/arena.h"

enum { MAILDIR_NAME_MOST = 160, MAILDIR_WHY_MOST = 400 };

struct maildir {
	const char *path;
	const char *host; /* as it stands in names */
	int tmp, new;     /* the folders */
	unsigned count;   /* of names given out */
	char why[MAILDIR_WHY_MOST];
};

/* Makes path (its parent must be there), and tmp, new and cur in it, where they are missing. */
__attribute__((warn_unused_result)) bool
maildir_open(struct maildir *maildir, struct arena *arena, const char *path, const char *host);

struct maildir_file {
	struct maildir *maildir;
	int fd;        /* -1: kept, dropped, or failed */
	uint64_t size; /* bytes written */
	char name[MAILDIR_NAME_MOST];
	char why[MAILDIR_WHY_MOST]; /* of the first failure; "": good */
};

/* A new, empty file. Ended by the arena, if by nothing before; file must live as long. */
__attribute__((warn_unused_result)) bool
maildir_begin(struct maildir *maildir, struct arena *arena, struct maildir_file *file);

/* After a failure the file has gone, and all further calls return false. */
__attribute__((warn_unused_result)) bool
maildir_append(struct maildir_file *file, struct slice bytes);
__attribute__((warn_unused_result)) bool maildir_keep(struct maildir_file *file);

void maildir_drop(struct maildir_file *file); /* may be called twice, and after keep */
