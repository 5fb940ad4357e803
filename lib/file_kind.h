/*
 * file_kind: what sort of file it is, by its name and by its first bytes.
 *
 * By the name: the last ending counts, once dots and blanks behind it are cut off, as Windows
 * does. By the content: signatures at its beginning; it says more than the name, but scripts and
 * the like have none.
 */
#pragma once

#include "lib/slice.h"

enum file_kind {
	FILE_OTHER,
	FILE_EXECUTABLE, /* a program, an installer, a library of either */
	FILE_SCRIPT,     /* runs when it is opened */
	FILE_SHORTCUT,   /* leads to what is run */
	FILE_ARCHIVE,
	FILE_DISK, /* the image of a disk, which opens like a folder */
	FILE_DOCUMENT,
	FILE_MACRO, /* a document that is made to hold macros */
	FILE_PDF,
	FILE_IMAGE,
	FILE_MEDIA,
	FILE_HTML,
	FILE_TEXT,
	FILE_MESSAGE,
	FILE_KINDS
};

enum { FILE_HEAD = 4096 }; /* first bytes that are worth to be looked at */

/* "executable" */
const char *file_kind_word(enum file_kind kind);

/* Does to open it run what is in it? */
bool file_kind_runs(enum file_kind kind);

enum file_kind file_kind_of_name(struct slice name);

/* type: the media type goes there, NULL if there is no signature; may be NULL. */
enum file_kind file_kind_of_content(struct slice head, const char **type);

/* Named like a document, but something that runs: "invoice.pdf.exe", also with blanks between. */
bool file_name_is_double(struct slice name);

/* Are there characters in it that turn the direction of writing, so that another ending shows? */
bool file_name_is_turned(struct slice name);
