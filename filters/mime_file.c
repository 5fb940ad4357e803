#include "filters/mime_file.h"

#include "lib/archive_names.h"
#include "lib/utf8.h"

/* The names of streams and storages in OLE files are UTF-16. */
enum { OLE_VBA = 1 << 0, OLE_ENCRYPTED = 1 << 1, PDF_ENCRYPTED = 1 << 0 };

static const struct slice mime_file_ole[] = {
	{ "_\0V\0B\0A\0_\0P\0R\0O\0J\0E\0C\0T\0", 24 },
	{ "E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0", 32 },
};
static const struct slice mime_file_pdf[] = { { "/Encrypt", 8 } };

/* ---- names within ---- */

/* For people: what is no text becomes a question mark. */
static void
mime_file_note(char note[MIME_FILE_INNER], struct slice name)
{
	size_t length = 0;

	if (note[0] != '\0')
		return;
	while (name.length > 0) {
		size_t size = utf8_read(name, NULL);
		bool is_good =
		    size > 1 || (size == 1 && name.data[0] >= ' ' && name.data[0] != 0x7f);

		size += size == 0;
		if (length + size >= MIME_FILE_INNER)
			break;
		memcpy(note + length, is_good ? name.data : "?", size);
		length += size;
		name = (struct slice) { name.data + size, name.length - size };
	}
	note[length] = '\0';
}

/* A file's name, on its own. */
static void
mime_file_judge_name(struct mime_file *file, struct slice name)
{
	struct mime_found *found = &file->found;

	if (file_kind_runs(file_kind_of_name(name))) {
		found->is_executable = true;
		mime_file_note(file->executable, name);
	}
	if (file_name_is_double(name)) {
		found->is_double = true;
		mime_file_note(file->disguise, name);
	}
	if (file_name_is_turned(name)) {
		found->is_turned = true;
		mime_file_note(file->disguise, name);
	}
	if (file_kind_of_name(name) == FILE_MACRO)
		found->has_macro = true;
}

static struct slice
mime_file_base(struct slice path)
{
	size_t begin = path.length;

	while (begin > 0 && path.data[begin - 1] != '/' && path.data[begin - 1] != '\\')
		begin--;
	return (struct slice) { path.data + begin, path.length - begin };
}

static bool
mime_file_begins(struct slice path, const char *with)
{
	return path.length > strlen(with) && strncasecmp(path.data, with, strlen(with)) == 0;
}

/* The name of a file in the archive (or document, if that is one). */
static void
mime_file_on_name(void *arg, struct slice path, bool is_encrypted)
{
	struct mime_file *file = arg;
	struct slice name = mime_file_base(path);

	file->found.is_encrypted |= is_encrypted;
	if (slice_matches(name, "vbaProject.bin") || mime_file_begins(path, "xl/macrosheets/") ||
	    mime_file_begins(path, "Basic/Standard/"))
		file->found.has_macro = true;
	mime_file_judge_name(file, name);
}

/* ---- the content ---- */

static bool
mime_file_type_is(const struct mime_file *file, const char *type)
{
	return file->found.content_type != NULL && strcmp(file->found.content_type, type) == 0;
}

/* libarchive may know what has no signature at its beginning. */
static bool
mime_file_is_to_be_held(const struct mime_file *file)
{
	if (!file->is_archive_read || file->is_zip)
		return false;
	return file->kind_of_content == FILE_ARCHIVE ||
	    (file->kind_of_content == FILE_OTHER &&
		(file->kind_of_name == FILE_ARCHIVE || file->kind_of_name == FILE_DISK));
}

static void
mime_file_hold(struct mime_file *file)
{
	if (file->host->archives >= MIME_FILE_ARCHIVES) {
		file->found.is_unread = true;
		return;
	}
	file->host->archives++;
	file->is_held = true;
	buf_init(&file->held, MIME_FILE_ARCHIVE);
}

static void
mime_file_pass(struct mime_file *file, struct slice bytes)
{
	if (file->is_zip)
		zip_scan_feed(&file->zip, bytes);
	if (file->needle.count > 0)
		needle_feed(&file->needle, bytes);
	if (!file->is_held || file->held.overflowed)
		return;
	if (bytes.length > buf_room(&file->held)) {
		file->found.is_unread = true;
		buf_append(&file->held, (struct slice) { bytes.data, buf_room(&file->held) });
		file->held.overflowed = true;
		return;
	}
	buf_append(&file->held, bytes);
}

/* The first bytes are there. A ZIP may have other things before it, programs that unpack
 * themselves above all; in images, sounds and PDF files nobody looks for one. */
static void
mime_file_decide(struct mime_file *file)
{
	struct slice head = { file->head, file->head_length };
	enum file_kind kind = file_kind_of_content(head, &file->found.content_type);

	file->is_decided = true;
	file->kind_of_content = kind;
	file->is_zip = file->is_archive_read &&
	    (mime_file_type_is(file, "application/zip") || kind == FILE_EXECUTABLE ||
		kind == FILE_OTHER);
	file->zip = (struct zip_scan) { .on_name = mime_file_on_name, .arg = file };
	file->needle = (struct needle) { 0 };
	if (mime_file_type_is(file, "application/x-ole-storage")) {
		file->needle.patterns = mime_file_ole;
		file->needle.count = sizeof(mime_file_ole) / sizeof(mime_file_ole[0]);
	} else if (kind == FILE_PDF) {
		file->needle.patterns = mime_file_pdf;
		file->needle.count = sizeof(mime_file_pdf) / sizeof(mime_file_pdf[0]);
	}
	if (mime_file_is_to_be_held(file))
		mime_file_hold(file);
	mime_file_pass(file, head);
}

void
mime_file_begin(
    struct mime_file *file, struct mime_host *host, const struct part *part, bool is_archive_read)
{
	struct slice name = slice_of(part->name);

	mime_file_free(file);
	file->host = host;
	file->found = (struct mime_found) { 0 };
	file->kind_of_name = file_kind_of_name(name);
	file->is_archive_read = is_archive_read;
	file->is_decided = file->is_zip = false;
	file->head_length = 0;
	file->executable[0] = file->disguise[0] = '\0';
	mime_file_judge_name(file, name);
}

void
mime_file_feed(struct mime_file *file, struct slice bytes)
{
	if (!file->is_decided) {
		size_t take = sizeof(file->head) - file->head_length;

		if (take > bytes.length)
			take = bytes.length;
		memcpy(file->head + file->head_length, bytes.data, take);
		file->head_length += take;
		if (file->head_length < sizeof(file->head))
			return;
		mime_file_decide(file);
		bytes = (struct slice) { bytes.data + take, bytes.length - take };
	}
	if (bytes.length > 0)
		mime_file_pass(file, bytes);
}

/* ---- the end ---- */

static void
mime_file_list(struct mime_file *file)
{
	bool is_encrypted = false;
	enum archive_names_result result;

	if (!file->is_held)
		return;
	result = archive_names_list(buf_slice(&file->held), mime_file_on_name, file, &is_encrypted);
	file->found.is_encrypted |= is_encrypted;
	if (result == ARCHIVE_NAMES_PART ||
	    (result == ARCHIVE_NAMES_NONE && file->kind_of_content == FILE_ARCHIVE))
		file->found.is_unread = true;
}

/* What it says of itself by its name counts where the content may be many things. */
static enum file_kind
mime_file_kind(const struct mime_file *file)
{
	bool is_vague = file->kind_of_content == FILE_OTHER ||
	    mime_file_type_is(file, "application/zip") ||
	    mime_file_type_is(file, "application/x-ole-storage");

	if (file_kind_runs(file->kind_of_content) || file->kind_of_name == FILE_OTHER)
		return file->kind_of_content;
	return is_vague || file_kind_runs(file->kind_of_name) ? file->kind_of_name
							      : file->kind_of_content;
}

static const char *
mime_file_magic(struct mime_file *file, struct arena *arena)
{
	const char *type = NULL;

	if (file->host->magic != NULL && file->head_length > 0)
		type = magic_buffer(file->host->magic, file->head, file->head_length);
	return type != NULL ? arena_strdup(arena, type) : "";
}

void
mime_file_end(struct mime_file *file, struct arena *arena, const struct part *part, bool is_magic)
{
	struct mime_found *found = &file->found;

	if (!file->is_decided)
		mime_file_decide(file);
	mime_file_list(file);
	if (file_kind_runs(file->kind_of_content)) {
		found->is_executable = true;
		mime_file_note(file->executable, slice_of(part->name));
	}
	if (file->needle.patterns == mime_file_ole) {
		found->has_macro |= (file->needle.found & OLE_VBA) != 0;
		found->is_encrypted |= (file->needle.found & OLE_ENCRYPTED) != 0;
	} else if (file->needle.patterns == mime_file_pdf) {
		found->is_encrypted |= (file->needle.found & PDF_ENCRYPTED) != 0;
	}
	found->kind = mime_file_kind(file);
	found->size = part->size;
	found->name = arena_strdup(arena, part->name);
	found->type = arena_strdup(arena, part->type);
	found->part = arena_strdup(arena, part->path);
	if (found->content_type == NULL)
		found->content_type = is_magic ? mime_file_magic(file, arena) : "";
	found->executable = arena_strdup(arena, file->executable);
	found->disguise = arena_strdup(arena, file->disguise);
	mime_file_free(file);
}

void
mime_file_free(struct mime_file *file)
{
	if (!file->is_held)
		return;
	buf_free(&file->held);
	file->is_held = false;
	file->host->archives--;
}
