#include "lib/archive_names.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <stdlib.h>

#include "lib/clock.h"

/* A piece is so small that what is unpacked of one, of any bomb, takes no longer than is bearable
 * between two looks at the clock. */
enum { NAMES_MOST = 1000, PIECE = 256 };

static const double seconds_most = 0.05;

struct archive_names {
	struct slice rest;
	double begun;
	bool is_late;
};

static la_ssize_t
archive_names_read(struct archive *archive, void *arg, const void **piece)
{
	struct archive_names *names = arg;
	size_t length = names->rest.length < PIECE ? names->rest.length : PIECE;

	if (clock_seconds() - names->begun > seconds_most) {
		names->is_late = true;
		archive_set_error(archive, ARCHIVE_FATAL, "it takes too long");
		return -1;
	}
	*piece = names->rest.data;
	names->rest = (struct slice) { names->rest.data + length, names->rest.length - length };
	return (la_ssize_t)length;
}

/* Skipping is no reading: what is left out need not be looked at. */
static la_int64_t
archive_names_skip(struct archive *archive, void *arg, la_int64_t count)
{
	struct archive_names *names = arg;
	size_t length = (size_t)count < names->rest.length ? (size_t)count : names->rest.length;

	(void)archive;
	names->rest = (struct slice) { names->rest.data + length, names->rest.length - length };
	return (la_int64_t)length;
}

static struct archive *
archive_names_open(struct archive_names *names)
{
	struct archive *archive = archive_read_new();

	if (archive == NULL)
		abort();
	archive_read_support_filter_gzip(archive);
	archive_read_support_filter_bzip2(archive);
	archive_read_support_filter_xz(archive);
	archive_read_support_format_7zip(archive);
	archive_read_support_format_rar(archive);
	archive_read_support_format_rar5(archive);
	archive_read_support_format_tar(archive);
	archive_read_support_format_cab(archive);
	archive_read_support_format_lha(archive);
	archive_read_support_format_iso9660(archive);
	if (archive_read_open2(
		archive, names, NULL, archive_names_read, archive_names_skip, NULL) == ARCHIVE_OK)
		return archive;
	archive_read_free(archive);
	return NULL;
}

static enum archive_names_result
archive_names_tell(struct archive *archive, archive_on_name on_name, void *arg, bool *is_encrypted)
{
	struct archive_entry *entry;
	size_t count = 0;
	int result;

	while ((result = archive_read_next_header(archive, &entry)) == ARCHIVE_OK ||
	    result == ARCHIVE_WARN) {
		const char *name = archive_entry_pathname_utf8(entry);
		bool is_secret = archive_entry_is_encrypted(entry) != 0;

		if (name == NULL)
			name = archive_entry_pathname(entry);
		*is_encrypted |= is_secret;
		if (name != NULL)
			on_name(arg, slice_of(name), is_secret);
		if (++count == NAMES_MOST)
			return ARCHIVE_NAMES_PART;
	}
	*is_encrypted |= archive_read_has_encrypted_entries(archive) > 0;
	if (result == ARCHIVE_EOF)
		return ARCHIVE_NAMES_WHOLE;
	return count > 0 || archive_format(archive) != 0 ? ARCHIVE_NAMES_PART : ARCHIVE_NAMES_NONE;
}

enum archive_names_result
archive_names_list(struct slice bytes, archive_on_name on_name, void *arg, bool *is_encrypted)
{
	struct archive_names names = { .rest = bytes, .begun = clock_seconds() };
	struct archive *archive = archive_names_open(&names);
	enum archive_names_result result = ARCHIVE_NAMES_NONE;
	/* Names are converted by the locale, and are lost where it has no such letters. */
	locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	locale_t before = locale != (locale_t)0 ? uselocale(locale) : (locale_t)0;

	*is_encrypted = false;
	if (archive != NULL) {
		result = archive_names_tell(archive, on_name, arg, is_encrypted);
		archive_read_free(archive);
	}
	if (locale != (locale_t)0) {
		uselocale(before);
		freelocale(locale);
	}
	return names.is_late ? ARCHIVE_NAMES_PART : result;
}
