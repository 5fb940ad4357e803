#include "lib/zip_scan.h"

#include <stdint.h>

enum { SIGNATURE = 4, LOCAL_HEADER = 30 };

static bool
zip_scan_is_central(const struct zip_scan *scan)
{
	return scan->header[2] == 1;
}

static size_t
zip_scan_number(const struct zip_scan *scan, size_t offset)
{
	return (size_t)((uint8_t)scan->header[offset] | (uint8_t)scan->header[offset + 1] << 8);
}

/* One more byte of what may be a signature; a P in the wrong place may begin the right one. */
static void
zip_scan_signature(struct zip_scan *scan, char byte)
{
	static const char local[] = "PK\3\4", central[] = "PK\1\2";
	size_t i = scan->header_length;
	bool is_right = i < 2 ? byte == local[i]
	    : i == 2          ? byte == local[2] || byte == central[2]
			      : byte == (zip_scan_is_central(scan) ? central[3] : local[3]);

	if (is_right) {
		scan->header[scan->header_length++] = byte;
		return;
	}
	scan->header_length = byte == 'P';
	scan->header[0] = 'P';
}

static void
zip_scan_end_name(struct zip_scan *scan)
{
	bool is_central = zip_scan_is_central(scan);
	size_t flags = zip_scan_number(scan, is_central ? 8 : 6);
	struct slice name = { scan->name, scan->name_length };

	scan->header_length = 0;
	if (name.length > 0)
		scan->on_name(scan->arg, name, (flags & 1) != 0);
}

static void
zip_scan_end_header(struct zip_scan *scan)
{
	bool is_central = zip_scan_is_central(scan);

	scan->name_length = 0;
	scan->name_left = zip_scan_number(scan, is_central ? 28 : 26);
	if (scan->name_left == 0)
		zip_scan_end_name(scan);
}

/* How much was used. */
static size_t
zip_scan_name(struct zip_scan *scan, struct slice bytes)
{
	size_t take = bytes.length < scan->name_left ? bytes.length : scan->name_left;

	for (size_t i = 0; i < take; i++) {
		if (scan->name_length == sizeof(scan->name)) {
			scan->name_length /= 2;
			memmove(scan->name, scan->name + scan->name_length, scan->name_length);
		}
		scan->name[scan->name_length++] = bytes.data[i];
	}
	scan->name_left -= take;
	if (scan->name_left == 0)
		zip_scan_end_name(scan);
	return take;
}

static void
zip_scan_byte(struct zip_scan *scan, char byte)
{
	if (scan->header_length < SIGNATURE) {
		zip_scan_signature(scan, byte);
		return;
	}
	scan->header[scan->header_length++] = byte;
	if (scan->header_length == (zip_scan_is_central(scan) ? ZIP_HEADER : LOCAL_HEADER))
		zip_scan_end_header(scan);
}

void
zip_scan_feed(struct zip_scan *scan, struct slice bytes)
{
	while (bytes.length > 0) {
		size_t used = 1;

		if (scan->name_left > 0) {
			used = zip_scan_name(scan, bytes);
		} else if (scan->header_length == 0) {
			const char *at = memchr(bytes.data, 'P', bytes.length);

			used = at != NULL ? (size_t)(at - bytes.data) + 1 : bytes.length;
			if (at != NULL)
				zip_scan_signature(scan, 'P');
		} else {
			zip_scan_byte(scan, bytes.data[0]);
		}
		bytes = (struct slice) { bytes.data + used, bytes.length - used };
	}
}
