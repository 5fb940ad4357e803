#include "lib/file_kind.h"

#include <stdint.h>

#include "lib/utf8.h"

enum { WINDOWS_HEADER = 64 };

static const struct {
	const char *word, *endings; /* with a blank behind each */
} file_kinds[FILE_KINDS] = {
	[FILE_OTHER] = { "other", "" },
	[FILE_EXECUTABLE] = { "executable",
	    "apk app appx appxbundle application chm com cpl deb dll drv elf exe gadget hlp jar "
	    "mpkg msi msix msixbundle msp mst ocx pif pkg rpm run scr sys wll xbap xll " },
	[FILE_SCRIPT] = { "script",
	    "ade adp bat cmd hta inf ins isp jnlp js jse msc msh msh1 msh2 mshxml ps1 ps1xml "
	    "ps2 ps2xml psc1 psc2 psd1 psm1 reg sct vb vbe vbs wsc wsf wsh " },
	[FILE_SHORTCUT] = { "shortcut",
	    "appref-ms desktop library-ms lnk rdp scf search-ms searchconnector-ms "
	    "settingcontent-ms url website " },
	[FILE_ARCHIVE] = { "archive",
	    "7z ace alz arc arj bz2 cab gz lha lz lzh rar tar taz tbz tbz2 tgz txz xz z zip zipx "
	    "zst " },
	[FILE_DISK] = { "disk_image", "cue dmg img iso nrg udf vhd vhdx vmdk " },
	[FILE_DOCUMENT] = { "document",
	    "csv doc docx dot dotx odg odp ods odt one onepkg pot potx pps ppsx ppt pptx pub rtf "
	    "vsd vsdx wpd xls xlsb xlsx xlt xltx xps " },
	[FILE_MACRO] = { "macro_document",
	    "accde docm dotm mdb mde potm ppam ppsm pptm sldm xla xlam xlm xlsm xltm xlw " },
	[FILE_PDF] = { "pdf", "pdf " },
	[FILE_IMAGE] = { "image", "avif bmp emf gif heic ico jpe jpeg jpg png tif tiff webp wmf " },
	[FILE_MEDIA] = { "media",
	    "aac avi flac m4a m4v mkv mov mp3 mp4 mpeg mpg ogg wav webm wma "
	    "wmv " },
	[FILE_HTML] = { "html", "htm html mht mhtml shtml svg xht xhtml " },
	[FILE_TEXT] = { "text", "asc ics log md txt vcf xml " },
	[FILE_MESSAGE] = { "message", "eml msg " },
};

const char *
file_kind_word(enum file_kind kind)
{
	return file_kinds[kind].word;
}

bool
file_kind_runs(enum file_kind kind)
{
	return kind == FILE_EXECUTABLE || kind == FILE_SCRIPT || kind == FILE_SHORTCUT;
}

/* ---- names ---- */

static struct slice
file_name_trim(struct slice name)
{
	while (name.length > 0 &&
	    (name.data[name.length - 1] == '.' || name.data[name.length - 1] == ' '))
		name.length--;
	return name;
}

/* Behind the last dot; empty: there is none. before: what stands before that dot. */
static struct slice
file_name_ending(struct slice name, struct slice *before)
{
	const char *dot = memrchr(name.data, '.', name.length);

	*before = (struct slice) { name.data, 0 };
	if (dot == NULL)
		return *before;
	before->length = (size_t)(dot - name.data);
	return (struct slice) { dot + 1, name.length - before->length - 1 };
}

static enum file_kind
file_kind_of_ending(struct slice ending)
{
	if (ending.length == 0)
		return FILE_OTHER;
	for (enum file_kind kind = 0; kind < FILE_KINDS; kind++)
		for (const char *word = file_kinds[kind].endings; *word != '\0';) {
			size_t length = strcspn(word, " ");

			if (length == ending.length && strncasecmp(word, ending.data, length) == 0)
				return kind;
			word += length + 1;
		}
	return FILE_OTHER;
}

enum file_kind
file_kind_of_name(struct slice name)
{
	struct slice before;

	return file_kind_of_ending(file_name_ending(file_name_trim(name), &before));
}

bool
file_name_is_double(struct slice name)
{
	struct slice before, first;
	struct slice last = file_name_ending(file_name_trim(name), &before);

	if (!file_kind_runs(file_kind_of_ending(last)))
		return false;
	size_t length = before.length;

	before = file_name_trim(before);
	if (length - before.length >= 3) /* the ending is to be out of sight */
		return true;
	enum file_kind kind = file_kind_of_ending(file_name_ending(before, &first));

	return kind >= FILE_ARCHIVE && first.length > 0;
}

bool
file_name_is_turned(struct slice name)
{
	uint32_t code;
	size_t size;

	for (; name.length > 0; name = (struct slice) { name.data + size, name.length - size }) {
		size = utf8_read(name, &code);
		if (size == 0) {
			size = 1;
			continue;
		}
		if ((code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069))
			return true;
	}
	return false;
}

/* ---- content ---- */

static const struct {
	size_t offset;
	struct slice bytes;
	enum file_kind kind;
	const char *type;
} file_signatures[] = {
	{ 0,
	    { "\x7f"
	      "ELF",
		4 },
	    FILE_EXECUTABLE, "application/x-executable" },
	{ 0, { "\xcf\xfa\xed\xfe", 4 }, FILE_EXECUTABLE, "application/x-mach-binary" },
	{ 0, { "\xce\xfa\xed\xfe", 4 }, FILE_EXECUTABLE, "application/x-mach-binary" },
	{ 0, { "\xca\xfe\xba\xbe", 4 }, FILE_EXECUTABLE, "application/x-mach-binary" },
	{ 0, { "ITSF", 4 }, FILE_EXECUTABLE, "application/vnd.ms-htmlhelp" },
	{ 0, { "L\0\0\0\x01\x14\x02\0", 8 }, FILE_SHORTCUT, "application/x-ms-shortcut" },
	{ 0, { "[InternetShortcut]", 18 }, FILE_SHORTCUT, "application/x-mswinurl" },
	{ 0, { "PK\x03\x04", 4 }, FILE_ARCHIVE, "application/zip" },
	{ 0, { "PK\x05\x06", 4 }, FILE_ARCHIVE, "application/zip" },
	{ 0, { "PK00PK\x03\x04", 8 }, FILE_ARCHIVE, "application/zip" },
	{ 0, { "Rar!\x1a\x07", 6 }, FILE_ARCHIVE, "application/vnd.rar" },
	{ 0, { "7z\xbc\xaf\x27\x1c", 6 }, FILE_ARCHIVE, "application/x-7z-compressed" },
	{ 0, { "\x1f\x8b", 2 }, FILE_ARCHIVE, "application/gzip" },
	{ 0, { "BZh", 3 }, FILE_ARCHIVE, "application/x-bzip2" },
	{ 0,
	    { "\xfd"
	      "7zXZ\0",
		6 },
	    FILE_ARCHIVE, "application/x-xz" },
	{ 0, { "\x28\xb5\x2f\xfd", 4 }, FILE_ARCHIVE, "application/zstd" },
	{ 0, { "MSCF", 4 }, FILE_ARCHIVE, "application/vnd.ms-cab-compressed" },
	{ 7, { "**ACE**", 7 }, FILE_ARCHIVE, "application/x-ace-compressed" },
	{ 2, { "-lh", 3 }, FILE_ARCHIVE, "application/x-lzh-compressed" },
	{ 257, { "ustar", 5 }, FILE_ARCHIVE, "application/x-tar" },
	{ 0, { "conectix", 8 }, FILE_DISK, "application/x-virtualbox-vhd" },
	{ 0, { "vhdxfile", 8 }, FILE_DISK, "application/x-virtualbox-vhdx" },
	{ 0, { "%PDF-", 5 }, FILE_PDF, "application/pdf" },
	{ 0, { "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8 }, FILE_DOCUMENT,
	    "application/x-ole-storage" },
	{ 0, { "{\\rt", 4 }, FILE_DOCUMENT, "application/rtf" },
	{ 0, { "\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d", 8 }, FILE_DOCUMENT, "application/onenote" },
	{ 0, { "\x89PNG\r\n\x1a\n", 8 }, FILE_IMAGE, "image/png" },
	{ 0, { "\xff\xd8\xff", 3 }, FILE_IMAGE, "image/jpeg" },
	{ 0, { "GIF8", 4 }, FILE_IMAGE, "image/gif" },
	{ 8, { "WEBP", 4 }, FILE_IMAGE, "image/webp" },
	{ 8, { "WAVE", 4 }, FILE_MEDIA, "audio/x-wav" },
	{ 4, { "ftyp", 4 }, FILE_MEDIA, "video/mp4" },
	{ 0, { "OggS", 4 }, FILE_MEDIA, "application/ogg" },
	{ 0, { "ID3", 3 }, FILE_MEDIA, "audio/mpeg" },
};

/* HTML has no signature; a tag near the beginning is one to those who open it. */
static bool
file_is_html(struct slice head)
{
	static const char *const tags[] = { "<!doctype html", "<html", "<head", "<script", "<body",
		"<svg" };

	while (head.length > 0 && strchr(" \t\r\n\xef\xbb\xbf", head.data[0]) != NULL &&
	    head.data[0] != '\0')
		head = (struct slice) { head.data + 1, head.length - 1 };
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
		if (head.length >= strlen(tags[i]) &&
		    strncasecmp(head.data, tags[i], strlen(tags[i])) == 0)
			return true;
	return false;
}

/* Two letters say little; text has no NUL. */
static bool
file_is_windows_program(struct slice head)
{
	return head.length >= WINDOWS_HEADER && memcmp(head.data, "MZ", 2) == 0 &&
	    memchr(head.data, '\0', WINDOWS_HEADER) != NULL;
}

enum file_kind
file_kind_of_content(struct slice head, const char **type)
{
	const char *none;

	if (type == NULL)
		type = &none;
	*type = "application/vnd.microsoft.portable-executable";
	if (file_is_windows_program(head))
		return FILE_EXECUTABLE;
	for (size_t i = 0; i < sizeof(file_signatures) / sizeof(file_signatures[0]); i++) {
		struct slice bytes = file_signatures[i].bytes;
		size_t offset = file_signatures[i].offset;

		if (head.length < offset + bytes.length ||
		    memcmp(head.data + offset, bytes.data, bytes.length) != 0)
			continue;
		*type = file_signatures[i].type;
		return file_signatures[i].kind;
	}
	*type = file_is_html(head) ? "text/html" : NULL;
	return *type != NULL ? FILE_HTML : FILE_OTHER;
}
