/*
 * watch: files, and whether they have changed since they were read.
 *
 * A file is taken for changed when its device, inode, size or time of modification is
 * another, or when it has come or gone. What was modified while the files were being read
 * (between watch_new() and watch_add()) counts as changed, too: nobody can say which of the
 * two versions was read; better once too often.
 *
 * Made in an arena, filled once, then constant. Looking costs one stat(2) per file.
 */
#pragma once

#include "lib/arena.h"

struct watch;

/* Waits some ms, until what was written before cannot be told as written later: otherwise a
 * file that was changed just before it is read counts as changed while it was read. */
void watch_settle(void);

/* Before the first of the files is opened. */
struct watch *watch_new(struct arena *arena);

/* The path is copied. Twice is once. A file that is not there is waited for. */
void watch_add(struct watch *watch, const char *path);

bool watch_has_changed(const struct watch *watch);

size_t watch_count(const struct watch *watch);
const char *watch_path(const struct watch *watch, size_t index);
