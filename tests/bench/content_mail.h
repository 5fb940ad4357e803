/*
 * content_mail: for benchmarks, mails as they are met: a file, HTML, text; of any size.
 *
 * content_mail() makes one of about `size` bytes, in an arena. Its content stands in parts of a few
 * MB, of which none is so long that its end would not be looked at (lib/mime.h). What stands in it
 * does not repeat word for word: addresses lead to two dozen hosts, and files are noise.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "lib/buf.h"

enum content_kind {
	CONTENT_FILE,    /* base64, with a signature at its beginning */
	CONTENT_NOISE,   /* base64, of no known type */
	CONTENT_ENCODED, /* base64, HTML */
	CONTENT_HTML,
	CONTENT_QUOTED, /* quoted-printable, HTML */
	CONTENT_TEXT,
	CONTENT_KINDS
};

enum { CONTENT_PART = 8 * 1000 * 1000, CONTENT_HOSTS = 8, CONTENT_LINE = 57, CONTENT_PIECE = 4096 };

static const struct {
	const char *title, *fields;
} content_kinds[CONTENT_KINDS] = {
	[CONTENT_FILE] = { "a file, base64",
	    "Content-Type: application/pdf; name=\"paper.pdf\"\r\n"
	    "Content-Transfer-Encoding: base64\r\n"
	    "Content-Disposition: attachment; filename=\"paper.pdf\"\r\n" },
	[CONTENT_NOISE] = { "noise, base64",
	    "Content-Type: application/octet-stream; name=\"data.bin\"\r\n"
	    "Content-Transfer-Encoding: base64\r\n"
	    "Content-Disposition: attachment; filename=\"data.bin\"\r\n" },
	[CONTENT_ENCODED] = { "HTML, base64",
	    "Content-Type: text/html; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: base64\r\n" },
	[CONTENT_HTML] = { "HTML",
	    "Content-Type: text/html; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n" },
	[CONTENT_QUOTED] = { "HTML, quoted-printable",
	    "Content-Type: text/html; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n" },
	[CONTENT_TEXT] = { "text",
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n" },
};

static const char content_header[] =
    "Received: from mail.example.org (mail.example.org [192.0.2.1])\r\n"
    "\tby mx.example.com with ESMTPS id 7F3K2Q; Tue, 24 Nov 2026 05:00:00 +0000\r\n"
    "From: A Sender <a@example.org>\r\nTo: C <c@example.com>\r\n"
    "Subject: words of a subject\r\nDate: Tue, 24 Nov 2026 05:00:00 +0000\r\n"
    "Message-ID: <7F3K2Q@example.org>\r\nMIME-Version: 1.0\r\n"
    "Content-Type: multipart/mixed; boundary=\"=_7F3K2Q\"\r\n\r\n";

/* A piece of a newsletter: %u is a number that each has of its own. */
static const char content_newsletter[] =
    "<tr><td align=\"center\" style=\"padding:20px 10px;font-family:Arial,sans-serif;\r\n"
    "font-size:14px;color:#333333\"><a href=\"https://click%u.example.com/u/?qs=8f3a1c2b9d\r\n"
    "&amp;id=%u\" target=\"_blank\" style=\"color:#0066cc;text-decoration:none\"><img\r\n"
    "src=\"https://img%u.example.net/2026/11/header_600x200.png\" width=\"600\" height=\"200\"\r\n"
    "alt=\"This week\" style=\"display:block;border:0\"></a></td></tr>\r\n"
    "<tr><td style=\"padding:0 30px\"><h2>What happened this week</h2><p>Lorem ipsum dolor\r\n"
    "sit amet, consetetur sadipscing elitr, sed diam nonumy eirmod tempor invidunt ut\r\n"
    "labore et dolore magna aliquyam erat, sed diam voluptua. At vero eos et accusam et\r\n"
    "justo duo dolores et ea rebum. Stet clita kasd gubergren, no sea takimata sanctus est.\r\n"
    "More at www.example.org/news/%u, caf\xc3\xa9 and all, or write to\r\n"
    "news%u@example.com.&nbsp;&copy; 2026</p></td></tr>\r\n";

static const char content_prose[] =
    "Lorem ipsum dolor sit amet, consetetur sadipscing elitr, sed diam nonumy eirmod\r\n"
    "tempor invidunt ut labore et dolore magna aliquyam erat, sed diam voluptua. At vero\r\n"
    "eos et accusam et justo duo dolores et ea rebum (%u). Stet clita kasd gubergren, no\r\n"
    "sea takimata sanctus est; more at https://www%u.example.com/article?id=%u\r\n"
    "and at example.org/%u. Lorem ipsum dolor sit amet, consetetur sadipscing elitr,\r\n"
    "sed diam nonumy eirmod tempor invidunt, caf\xc3\xa9 and all. Yours, news%u@example.com\r\n";

/* The same at each run. */
static inline uint32_t
content_random(void)
{
	static uint64_t state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32);
}

/* ---- the ways to write it ---- */

static inline void
content_write_base64(struct buf *out, struct slice bytes)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i + 3 <= bytes.length; i += 3) {
		const uint8_t *at = (const uint8_t *)bytes.data + i;
		uint32_t bits = (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2];
		const char four[] = { digits[bits >> 18], digits[bits >> 12 & 63],
			digits[bits >> 6 & 63], digits[bits & 63] };

		buf_append(out, (struct slice) { four, sizeof(four) });
		if ((i + 3) % CONTENT_LINE == 0)
			buf_append(out, slice_of("\r\n"));
	}
}

static inline void
content_write_quoted(struct buf *out, struct slice bytes)
{
	size_t column = 0;

	for (size_t i = 0; i < bytes.length; i++) {
		uint8_t byte = (uint8_t)bytes.data[i];

		if (byte == '=' || byte >= 0x80) {
			buf_print(out, "=%02X", byte);
			column += 3;
		} else {
			buf_append_byte(out, bytes.data[i]);
			column = byte == '\n' ? 0 : column + 1;
		}
		if (column >= 73) {
			buf_append(out, slice_of("=\r\n"));
			column = 0;
		}
	}
}

/* The next piece of the content, decoded: noise, or words with numbers in them. */
static inline size_t
content_piece(char piece[CONTENT_PIECE], enum content_kind kind)
{
	uint32_t host = content_random() % CONTENT_HOSTS, id = content_random();

	if (kind == CONTENT_TEXT)
		return (size_t)snprintf(
		    piece, CONTENT_PIECE, content_prose, id, host, id, id, host);
	if (kind != CONTENT_FILE && kind != CONTENT_NOISE)
		return (size_t)snprintf(
		    piece, CONTENT_PIECE, content_newsletter, host, id, host, id, host);
	for (size_t i = 0; i < CONTENT_LINE; i++)
		piece[i] = (char)content_random();
	return CONTENT_LINE;
}

static inline void
content_write_part(struct buf *out, enum content_kind kind, size_t end)
{
	char room[CONTENT_PIECE + CONTENT_LINE];
	size_t length = 0, whole;

	buf_print(out, "\r\n--=_7F3K2Q\r\n%s\r\n", content_kinds[kind].fields);
	if (kind == CONTENT_FILE)
		length = (size_t)snprintf(room, sizeof(room), "%%PDF-1.7\n");
	do {
		length += content_piece(room + length, kind);
		whole = kind <= CONTENT_ENCODED ? length - length % CONTENT_LINE : length;
		if (kind <= CONTENT_ENCODED)
			content_write_base64(out, (struct slice) { room, whole });
		else if (kind == CONTENT_QUOTED)
			content_write_quoted(out, (struct slice) { room, whole });
		else
			buf_append(out, (struct slice) { room, whole });
		length -= whole;
		memmove(room, room + whole, length);
	} while (out->length < end);
}

static inline struct slice
content_mail(struct arena *arena, enum content_kind kind, size_t size)
{
	struct buf *out = buf_new(arena, 2 * size + 2 * CONTENT_PIECE);

	buf_append(out, slice_of(content_header));
	buf_print(out, "--=_7F3K2Q\r\nContent-Type: text/plain\r\n\r\nIt is below.\r\n");
	while (out->length < size) {
		size_t left = size - out->length;

		content_write_part(
		    out, kind, out->length + (left < CONTENT_PART ? left : CONTENT_PART));
	}
	buf_print(out, "\r\n--=_7F3K2Q--\r\n");
	return buf_slice(out);
}
