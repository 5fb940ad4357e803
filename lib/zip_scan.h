/*
 * zip_scan: the names in a ZIP file, while it passes by (APPNOTE 6.3, 4.3.7 and 4.3.12).
 *
 * Each header of a file is found by its signature, in the directory at the end and before each
 * file's data, wherever it stands: programs differ in which of them they believe, in what they
 * do with several archives in a row, and with what stands before and behind. So a name may be
 * told several times, and those in a ZIP that lies uncompressed in another one too. Nothing is
 * unpacked or held; the length of the file does not matter.
 */
#pragma once

#include "lib/slice.h"

enum { ZIP_HEADER = 46, ZIP_NAME = 512 };

typedef void (*zip_on_name)(void *arg, struct slice name, bool is_encrypted);

/* All zero but on_name and arg to begin with. */
struct zip_scan {
	zip_on_name on_name; /* of a name of more than ZIP_NAME bytes the last ones; any bytes */
	void *arg;
	char header[ZIP_HEADER];
	size_t header_length; /* what is there of a header, its signature first */
	size_t name_left;     /* of the name, still to come */
	char name[ZIP_NAME];
	size_t name_length;
};

void zip_scan_feed(struct zip_scan *scan, struct slice bytes);
