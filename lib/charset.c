#include "lib/charset.h"

#include <assert.h>
#include <errno.h>

#include "lib/utf8.h"

enum { CHARSET_ORDER_SNIFF = 64, CHARSET_MARK = 3, LABEL_MOST = 40, OUT_MOST = 2048 };

static const struct slice charset_bad = { "\xef\xbf\xbd", 3 };

/* windows-1252 from 0x80 to 0x9f; what is not in there is a control character. */
static const uint16_t charset_1252[] = { 0x20ac, 0x81, 0x201a, 0x192, 0x201e, 0x2026, 0x2020,
	0x2021, 0x2c6, 0x2030, 0x160, 0x2039, 0x152, 0x8d, 0x17d, 0x8f, 0x90, 0x2018, 0x2019,
	0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0x9d, 0x17e,
	0x178 };

static void
charset_give(struct charset *charset, const char *data, size_t length)
{
	if (length > 0)
		charset->sink(charset->arg, (struct slice) { data, length });
}

/* ---- what is UTF-8 already, more or less ---- */

static void
charset_give_byte(struct charset *charset, uint8_t byte)
{
	char out[UTF8_MOST];

	if (charset->kind == CHARSET_UTF8) {
		charset->is_broken = true;
		charset_give(charset, charset_bad.data, charset_bad.length);
		return;
	}
	uint32_t code = byte >= 0x80 && byte < 0xa0 ? charset_1252[byte - 0x80] : byte;

	charset_give(charset, out, utf8_write(out, code));
}

/* Could more bytes make a character of these? */
static bool
charset_is_cut(struct slice bytes)
{
	char whole[UTF8_MOST];

	if (bytes.length >= UTF8_MOST)
		return false;
	for (int next = 0x80; next < 0xc0; next += 0x10) {
		memset(whole, 0x80, sizeof(whole));
		memcpy(whole, bytes.data, bytes.length);
		whole[bytes.length] = (char)next;
		if (utf8_read((struct slice) { whole, sizeof(whole) }, NULL) > bytes.length)
			return true;
	}
	return false;
}

/* As far as it is decided; the rest is the beginning of a character. */
static size_t
charset_utf8(struct charset *charset, const char *data, size_t length)
{
	size_t good = 0, i = 0;

	while (i < length) {
		i += utf8_ascii((struct slice) { data + i, length - i });
		if (i == length)
			break;
		size_t size = utf8_read((struct slice) { data + i, length - i }, NULL);

		charset->is_broken |= charset->kind == CHARSET_ASCII;
		if (size == 0 && charset_is_cut((struct slice) { data + i, length - i }))
			break;
		if (size == 0) {
			charset_give(charset, data + good, i - good);
			charset_give_byte(charset, (uint8_t)data[i]);
			good = i + 1;
		}
		i += size > 0 ? size : 1;
	}
	charset_give(charset, data + good, i - good);
	return i;
}

/* ---- what is not ---- */

static size_t
charset_utf7(struct charset *charset, const char *data, size_t length)
{
	char out[OUT_MOST];
	size_t used = 0;

	for (size_t i = 0; i < length; i++) {
		used +=
		    utf7_read(&charset->utf7, (uint8_t)data[i], out + used, &charset->is_broken);
		if (used + UTF7_MOST <= sizeof(out))
			continue;
		charset_give(charset, out, used);
		used = 0;
	}
	charset_give(charset, out, used);
	return length;
}

static size_t
charset_iconv(struct charset *charset, const char *data, size_t length)
{
	char out[OUT_MOST];
	char *in = (char *)data;
	size_t left = length;

	while (left > 0) {
		char *to = out;
		size_t room = sizeof(out);
		size_t result = iconv(charset->iconv, &in, &left, &to, &room);
		int error = result == (size_t)-1 ? errno : 0;

		charset_give(charset, out, sizeof(out) - room);
		if (error == EINVAL && left < CHARSET_HELD / 2)
			break;
		if (error != EILSEQ && error != EINVAL)
			continue;
		charset->is_broken = true;
		charset_give(charset, charset_bad.data, charset_bad.length);
		in++;
		left--;
	}
	return length - left;
}

static size_t
charset_convert(struct charset *charset, const char *data, size_t length)
{
	if (charset->kind == CHARSET_ICONV)
		return charset_iconv(charset, data, length);
	if (charset->kind == CHARSET_UTF7)
		return charset_utf7(charset, data, length);
	return charset_utf8(charset, data, length);
}

static void
charset_hold(struct charset *charset, const char *data, size_t length)
{
	assert(charset->held_length + length <= sizeof(charset->held));
	memcpy(charset->held + charset->held_length, data, length);
	charset->held_length += length;
}

/* A character that was cut is made whole byte by byte, then all goes at once. */
static void
charset_pass(struct charset *charset, const char *data, size_t length)
{
	while (charset->held_length > 0 && length > 0) {
		charset_hold(charset, data++, 1);
		length--;
		size_t used = charset_convert(charset, charset->held, charset->held_length);

		charset->held_length -= used;
		memmove(charset->held, charset->held + used, charset->held_length);
	}
	if (length == 0)
		return;
	size_t used = charset_convert(charset, data, length);

	charset_hold(charset, data + used, length - used);
}

/* ---- which it is ---- */

static bool
charset_is_label(struct slice label)
{
	if (label.length == 0 || label.length > LABEL_MOST)
		return false;
	for (size_t i = 0; i < label.length; i++)
		if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:",
			label.data[i]) == NULL ||
		    label.data[i] == '\0')
			return false;
	return true;
}

static bool
charset_open(struct charset *charset, const char *name)
{
	charset_abandon(charset);
	charset->is_utf16 = false;
	if (strcmp(name, "UTF-8") == 0) {
		charset->kind = CHARSET_UTF8;
	} else if (strcmp(name, "ASCII") == 0) {
		charset->kind = CHARSET_ASCII;
	} else if (strcmp(name, "UTF-7") == 0) {
		charset->kind = CHARSET_UTF7;
		charset->utf7 = (struct utf7) { 0 };
	} else if (strcmp(name, "UTF-16") == 0) {
		charset->is_utf16 = true;
	} else {
		charset->iconv = iconv_open("UTF-8", name);
		if (charset->iconv == (iconv_t)-1)
			return false;
		charset->kind = CHARSET_ICONV;
	}
	return true;
}

static bool
charset_set(struct charset *charset, struct slice label)
{
	const char *name = charset_name(label);
	char own[LABEL_MOST + 1];

	if (name != NULL)
		return charset_open(charset, name);
	if (!charset_is_label(label))
		return false;
	memcpy(own, label.data, label.length);
	own[label.length] = '\0';
	return charset_open(charset, own);
}

/* Behind "charset=" in the first bytes: of a meta element, in either of its forms. */
static struct slice
charset_meta(const char *data, size_t length)
{
	static const char word[] = "charset";

	for (size_t i = 0; i + sizeof(word) < length; i++) {
		size_t begin = i + sizeof(word) - 1, end;

		if (strncasecmp(data + i, word, sizeof(word) - 1) != 0)
			continue;
		while (begin < length && strchr(" \t\r\n", data[begin]) != NULL)
			begin += data[begin] != '\0' ? 1 : length;
		if (begin >= length || data[begin] != '=')
			continue;
		for (begin++; begin < length && strchr(" \t\r\n\"'", data[begin]) != NULL; begin++)
			if (data[begin] == '\0')
				break;
		for (end = begin; end < length &&
		     charset_is_label((struct slice) { data + begin, end - begin + 1 });)
			end++;
		return (struct slice) { data + begin, end - begin };
	}
	return (struct slice) { "", 0 };
}

/* The order of UTF-16 without a mark: big-endian (RFC 2781 4.3), unless that gives no ASCII
 * where the other does. */
static const char *
charset_utf16_order(const struct charset *charset)
{
	size_t zeros[2] = { 0 };

	for (size_t i = 0; i < charset->sniff_length; i++)
		zeros[i & 1] += charset->sniff[i] == '\0';
	return zeros[1] > zeros[0] ? "UTF-16LE" : "UTF-16BE";
}

/* The length of a byte order mark, which wins. */
static size_t
charset_mark(struct charset *charset)
{
	static const struct {
		const char *mark, *name;
	} marks[] = { { "\xef\xbb\xbf", "UTF-8" }, { "\xff\xfe", "UTF-16LE" },
		{ "\xfe\xff", "UTF-16BE" } };

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		size_t length = strlen(marks[i].mark);

		if (charset->sniff_length < length ||
		    memcmp(charset->sniff, marks[i].mark, length) != 0)
			continue;
		charset_open(charset, marks[i].name);
		return length;
	}
	return 0;
}

/* The first bytes are in: now it is decided, and they are text. */
static void
charset_decide(struct charset *charset)
{
	size_t mark = charset_mark(charset);
	bool is_html = charset->is_html;

	charset->sniff_most = 0;
	if (mark == 0 && charset->is_utf16) {
		charset_open(charset, charset_utf16_order(charset));
	} else if (mark == 0 && is_html) {
		struct slice label = charset_meta(charset->sniff, charset->sniff_length);
		const char *name = charset_name(label);

		/* Who reads this line as ASCII has no UTF-16 before him. */
		if (label.length > 0 && (name == NULL || strncmp(name, "UTF-16", 6) != 0) &&
		    !charset_set(charset, label))
			charset->is_unknown = true;
	}
	charset_pass(charset, charset->sniff + mark, charset->sniff_length - mark);
}

/* ---- all of it ---- */

void
charset_begin(
    struct charset *charset, struct slice label, bool is_html, charset_sink sink, void *arg)
{
	charset->kind = CHARSET_GUESS;
	charset->is_unknown = charset->is_broken = charset->is_utf16 = false;
	charset->is_html = is_html && label.length == 0;
	charset->sink = sink;
	charset->arg = arg;
	charset->held_length = charset->sniff_length = 0;
	if (label.length > 0 && !charset_set(charset, label))
		charset->is_unknown = true;
	charset->sniff_most = charset->is_html ? CHARSET_SNIFF
	    : charset->is_utf16                ? CHARSET_ORDER_SNIFF
					       : CHARSET_MARK;
}

void
charset_feed(struct charset *charset, struct slice bytes)
{
	if (charset->sniff_most > 0) {
		size_t take = charset->sniff_most - charset->sniff_length;

		if (take > bytes.length)
			take = bytes.length;
		memcpy(charset->sniff + charset->sniff_length, bytes.data, take);
		charset->sniff_length += take;
		if (charset->sniff_length < charset->sniff_most)
			return;
		charset_decide(charset);
		bytes = (struct slice) { bytes.data + take, bytes.length - take };
	}
	charset_pass(charset, bytes.data, bytes.length);
}

void
charset_end(struct charset *charset)
{
	char out[CHARSET_HELD];
	char *to = out;
	size_t room = sizeof(out);

	if (charset->sniff_most > 0)
		charset_decide(charset);
	for (size_t i = 0; i < charset->held_length; i++)
		if (charset->kind == CHARSET_ICONV) {
			charset->is_broken = true;
			charset_give(charset, charset_bad.data, charset_bad.length);
		} else {
			charset_give_byte(charset, (uint8_t)charset->held[i]);
		}
	charset->held_length = 0;
	if (charset->kind == CHARSET_UTF7)
		charset_give(charset, out, utf7_end(&charset->utf7, out, &charset->is_broken));
	if (charset->kind != CHARSET_ICONV)
		return;
	iconv(charset->iconv, NULL, NULL, &to, &room);
	charset_give(charset, out, sizeof(out) - room);
	charset_abandon(charset);
}

void
charset_abandon(struct charset *charset)
{
	if (charset->kind == CHARSET_ICONV)
		iconv_close(charset->iconv);
	charset->kind = CHARSET_GUESS;
}
