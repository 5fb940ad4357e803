#include "lib/text_fold.h"

enum { CUT_LEAST = TEXT_FOLD_PIECE / 4 * 3, REPLACED = 0xfffd };

/* ---- pieces ---- */

/* The last `byte` in the piece that it may be cut at; 0: there is none. */
static size_t
text_fold_last(const struct text_fold *fold, char byte)
{
	const char *found = memrchr(fold->piece + CUT_LEAST, byte, fold->length - CUT_LEAST);

	return found != NULL ? (size_t)(found - fold->piece) : 0;
}

/* Where the next piece begins: behind a blank, or with a character. */
static size_t
text_fold_overlap(struct text_fold *fold, size_t end)
{
	size_t start = end - TEXT_FOLD_OVERLAP;

	for (size_t i = start; i > start - TEXT_FOLD_OVERLAP; i--)
		if (fold->piece[i - 1] == '\n' || fold->piece[i - 1] == ' ') {
			fold->edges = fold->piece[i - 1] == '\n' ? 0 : REGEX_CUT_BEFORE;
			return i;
		}
	while (((uint8_t)fold->piece[start] & 0xc0) == 0x80)
		start--;
	fold->edges = REGEX_CUT_BEFORE;
	return start;
}

/* It is full. */
static void
text_fold_cut(struct text_fold *fold)
{
	size_t line = text_fold_last(fold, '\n'), word = line > 0 ? 0 : text_fold_last(fold, ' ');
	size_t end = line > 0 ? line : word > 0 ? word : fold->length;
	unsigned behind = line > 0 ? 0 : REGEX_CUT_BEHIND;

	fold->sink(fold->arg, (struct slice) { fold->piece, end }, fold->edges | behind);

	size_t start = text_fold_overlap(fold, end);

	memmove(fold->piece, fold->piece + start, fold->length - start);
	fold->length -= start;
	fold->fresh = end - start;
}

/* A character, or ASCII of any length. */
static void
text_fold_put(struct text_fold *fold, const char *bytes, size_t length, bool is_whole)
{
	while (length > 0) {
		size_t room = TEXT_FOLD_PIECE - fold->length;
		size_t count = length < room ? length : room;

		if (room == 0 || (is_whole && room < length)) {
			text_fold_cut(fold);
			continue;
		}
		memcpy(fold->piece + fold->length, bytes, count);
		fold->length += count;
		bytes += count;
		length -= count;
	}
}

/* What is held before something that is seen; nothing at the beginning of the text. */
static void
text_fold_put_blank(struct text_fold *fold)
{
	if (!fold->has_blank)
		return;
	if (fold->length > 0)
		text_fold_put(fold, fold->newlines > 1 ? "\n" : " ", 1, true);
	fold->has_blank = false;
	fold->newlines = 0;
}

/* ---- characters ---- */

static void
text_fold_newline(struct text_fold *fold)
{
	if (fold->keeps_lines) {
		text_fold_put(fold, "\n", 1, true);
		return;
	}
	fold->has_blank = true;
	fold->newlines += fold->newlines < 2;
}

/* One that does not just pass: a control character or a blank. */
static void
text_fold_control(struct text_fold *fold, char byte)
{
	bool is_second = byte == '\n' && fold->had_cr;

	fold->had_cr = byte == '\r';
	if (is_second)
		return;
	if (byte == '\r' || byte == '\n')
		text_fold_newline(fold);
	else if (fold->keeps_lines)
		text_fold_put(fold, " ", 1, true);
	else
		fold->has_blank = true;
}

enum text_fold_kind { SEEN, BLANK, UNSEEN };

static enum text_fold_kind
text_fold_kind(uint32_t code)
{
	static const struct {
		uint32_t first, last;
		enum text_fold_kind kind;
	} ranges[] = {
		{ 0x80, 0xa0, BLANK },
		{ 0xad, 0xad, UNSEEN },
		{ 0x34f, 0x34f, UNSEEN },
		{ 0x61c, 0x61c, UNSEEN },
		{ 0x1680, 0x1680, BLANK },
		{ 0x180b, 0x180e, UNSEEN },
		{ 0x2000, 0x200a, BLANK },
		{ 0x200b, 0x200f, UNSEEN },
		{ 0x2028, 0x2029, BLANK },
		{ 0x202a, 0x202e, UNSEEN },
		{ 0x202f, 0x202f, BLANK },
		{ 0x205f, 0x205f, BLANK },
		{ 0x2060, 0x206f, UNSEEN },
		{ 0x3000, 0x3000, BLANK },
		{ 0xfe00, 0xfe0f, UNSEEN },
		{ 0xfeff, 0xfeff, UNSEEN },
		{ 0xe0000, 0xe0fff, UNSEEN },
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]) && ranges[i].first <= code; i++)
		if (code <= ranges[i].last)
			return ranges[i].kind;
	return SEEN;
}

static void
text_fold_character(struct text_fold *fold, uint32_t code, const char *bytes, size_t length)
{
	enum text_fold_kind kind = fold->keeps_lines ? SEEN : text_fold_kind(code);

	fold->had_cr = false;
	if (kind == BLANK)
		fold->has_blank = true;
	if (kind != SEEN)
		return;
	text_fold_put_blank(fold);
	text_fold_put(fold, bytes, length, true);
}

static void
text_fold_replace(struct text_fold *fold)
{
	char bytes[UTF8_MOST];

	fold->cut_length = 0;
	text_fold_character(fold, REPLACED, bytes, utf8_write(bytes, REPLACED));
}

/* How long a character is that begins so; 0: none does. */
static size_t
text_fold_size(uint8_t lead)
{
	if (lead < 0xc2 || lead > 0xf4)
		return 0;
	return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/* The next byte of a character beyond ASCII. False: it is no part of the one that was begun, which
 * has been replaced; the byte is still to be taken. */
static bool
text_fold_beyond(struct text_fold *fold, char byte)
{
	bool is_begin = ((uint8_t)byte & 0xc0) != 0x80;
	uint32_t code;

	if (fold->cut_length > 0 && is_begin) {
		text_fold_replace(fold);
		return false;
	}
	fold->cut[fold->cut_length++] = byte;

	size_t size = text_fold_size((uint8_t)fold->cut[0]);
	struct slice whole = { fold->cut, fold->cut_length };

	if (size != 0 && fold->cut_length < size)
		return true;
	if (size != 0 && utf8_read(whole, &code) == size) {
		fold->cut_length = 0;
		text_fold_character(fold, code, whole.data, size);
	} else {
		text_fold_replace(fold);
	}
	return true;
}

/* ---- the text ---- */

static bool
text_fold_is_plain(uint8_t byte)
{
	return byte > ' ' && byte < 0x7f;
}

/* The characters at its beginning that pass as they are, with the single blanks between them. */
static size_t
text_fold_run(struct slice text)
{
	size_t length = 0;

	for (;;) {
		while (length < text.length && text_fold_is_plain((uint8_t)text.data[length]))
			length++;
		if (length == 0 || text.length - length < 2 || text.data[length] != ' ' ||
		    !text_fold_is_plain((uint8_t)text.data[length + 1]))
			return length;
		length++;
	}
}

void
text_fold_feed(struct text_fold *fold, struct slice text)
{
	while (text.length > 0) {
		size_t run = fold->cut_length > 0 ? 0 : text_fold_run(text);

		if (run > 0) {
			fold->had_cr = false;
			text_fold_put_blank(fold);
			text_fold_put(fold, text.data, run, false);
		} else if ((uint8_t)text.data[0] >= 0x80) {
			run = text_fold_beyond(fold, text.data[0]);
		} else if (fold->cut_length > 0) {
			text_fold_replace(fold);
		} else {
			text_fold_control(fold, text.data[0]);
			run = 1;
		}
		text.data += run;
		text.length -= run;
	}
}

void
text_fold_end(struct text_fold *fold)
{
	if (fold->cut_length > 0)
		text_fold_replace(fold);
	if (fold->length > fold->fresh)
		fold->sink(fold->arg, (struct slice) { fold->piece, fold->length }, fold->edges);
	fold->length = fold->fresh = 0;
	fold->edges = fold->newlines = 0;
	fold->has_blank = fold->had_cr = false;
}
