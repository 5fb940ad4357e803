/*
 * status_answer: an answer that begins with a line of protocol, code and words, has fields, an
 * empty line and a body: HTTP's (RFC 9112 4) and spamd's (spamd/PROTOCOL of SpamAssassin).
 *
 *	HTTP/1.1 200 OK				SPAMD/1.1 0 EX_OK
 *	Content-Length: 4			Content-length: 11
 *						Spam: True ; 15.0 / 5.0
 *	body
 *						GTUBE,BULKY
 *
 * It is whole with the body's last byte where a Content-Length says how long that is, else when the
 * peer closes. An answer that ends after its first line, or within its fields, is whole where
 * has_body is false. Transfer encodings are refused: nobody asked here uses them. What stands behind
 * a whole answer makes it none.
 *
 * Pure: all that has come is given each time. Slices point into it.
 */
#pragma once

#include "lib/scanner.h"

enum { STATUS_ANSWER_HEAD_MOST = 16 * 1024 };

struct status_answer {
	unsigned code;
	struct slice words;  /* behind the code */
	struct slice fields; /* for header_find() */
	struct slice body;
};

/* protocol: "HTTP/". has_body: without an empty line it is cut off. most: bytes of the body. Never
 * SCANNER_TOO_LARGE. */
enum scanner_reading status_answer_read(struct status_answer *answer, const char *protocol,
    bool has_body, size_t most, struct slice bytes, bool is_over, char why[SCANNER_WHY_MOST]);

/* SCANNER_BAD, with what the first line says as the reason. */
enum scanner_reading
status_answer_refuse(const struct status_answer *answer, char why[SCANNER_WHY_MOST]);
