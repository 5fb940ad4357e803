/*
 * archive_names: the names in an archive that lies in memory, by libarchive.
 *
 * For what needs to be unpacked to be listed, or is written in ways of its own: 7z, RAR, tar (as
 * it is, or in gzip, bzip2 or xz), CAB, LHA, ISO 9660; of ZIP see lib/zip_scan.h. No more is read
 * than headers; the data of files is skipped. Bounds: 1000 names, 50 ms.
 */
#pragma once

#include "lib/slice.h"

enum archive_names_result {
	ARCHIVE_NAMES_NONE,  /* it is none of these */
	ARCHIVE_NAMES_WHOLE, /* all of them were told */
	ARCHIVE_NAMES_PART   /* damaged, encrypted, cut off, or beyond a bound */
};

/* name: UTF-8, if it is known how it was written. */
typedef void (*archive_on_name)(void *arg, struct slice name, bool is_encrypted);

enum archive_names_result
archive_names_list(struct slice bytes, archive_on_name on_name, void *arg, bool *is_encrypted);
