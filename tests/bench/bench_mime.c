/*
 * How fast a message is taken apart, in chunks as they come from a socket, and what that takes of
 * memory while it passes.
 */
#include <assert.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/mime.h"

enum { TEXT = 16 * 1024 * 1024, CHUNK = 16 * 1024, ROUNDS = 6 };

static uint64_t bench_bytes;

static void
bench_take(void *arg, const struct part *part, struct slice bytes)
{
	(void)arg;
	(void)part;
	bench_bytes += bytes.length;
}

static double
bench_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static size_t
bench_heap(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

/* One message: its header, and the line over and over. What it took of memory at its worst. */
static size_t
bench_message(const char *header, const char *text)
{
	const struct mime_sink sink = { .data = bench_take, .text = bench_take };
	struct arena *arena = arena_new(SIZE_MAX);
	size_t before = bench_heap(), most = 0;
	struct mime *mime = mime_new(arena, &sink);

	mime_feed(mime, slice_of(header));
	for (size_t at = 0; at < TEXT; at += CHUNK) {
		mime_feed(mime, (struct slice) { text + at, CHUNK });
		if (at % (1024 * 1024) == 0 && bench_heap() - before > most)
			most = bench_heap() - before;
	}
	mime_end(mime);
	arena_free(arena);
	return most;
}

static void
bench_run(const char *name, const char *header, const char *line)
{
	char *text = malloc(TEXT);
	size_t length = strlen(line), most = 0;
	double best = 1e9;

	assert(text != NULL);
	for (size_t i = 0; i < TEXT; i++)
		text[i] = line[i % length];
	for (int round = 0; round < ROUNDS; round++) {
		double start = bench_now();

		most = bench_message(header, text);
		if (bench_now() - start < best)
			best = bench_now() - start;
	}
	printf("%-40s %8.0f MB/s %6zu KiB\n", name, TEXT / best / 1e6, most / 1024);
	free(text);
}

#define BASE64 "TWFueSBoYW5kcyBtYWtlIGxpZ2h0IHdvcmsuIE1hbnkgaGFuZHMgbWFrZSBsaWdodCB3b3JrLk1h\r\n"
#define MIXED "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"

int
main(void)
{
	static const char octets[] = MIXED "Content-Type: application/octet-stream\r\n"
					   "Content-Transfer-Encoding: base64\r\n\r\n";
	static const char encoded[] = MIXED "Content-Type: text/html; charset=utf-8\r\n"
					    "Content-Transfer-Encoding: base64\r\n\r\n";
	static const char quoted[] = MIXED "Content-Type: text/html; charset=utf-8\r\n"
					   "Content-Transfer-Encoding: quoted-printable\r\n\r\n";

	bench_run("a file in base64", octets, BASE64);
	bench_run("HTML in base64", encoded, BASE64);
	bench_run("HTML in quoted-printable", quoted,
	    "<p style=3D\"color: red\">A few words in it, caf=C3=A9 too, and so =\r\non.</p>\r\n");
	bench_run("plain text", MIXED "Content-Type: text/plain\r\n\r\n",
	    "A few words in each of its lines, as people write.\r\n");
	bench_run("plain text, one part", "Content-Type: text/plain\r\n\r\n",
	    "A few words in each of its lines, as people write.\r\n");
	bench_run("plain text, flowed", MIXED "Content-Type: text/plain; format=flowed\r\n\r\n",
	    "A few words in each of its lines, as people write \r\n");
	bench_run("plain text, iso-8859-1",
	    MIXED "Content-Type: text/plain; charset=latin1\r\n\r\n",
	    "A few words in each of its lines, caf\xe9 too.\r\n");
	bench_run("plain text, GB 18030", MIXED "Content-Type: text/plain; charset=gb2312\r\n\r\n",
	    "\xc4\xe3\xba\xc3\xca\xc0\xbd\xe7\r\n");
	bench_run("lines that look like delimiters", MIXED "\r\n", "--b-\r\n");
	bench_run("lines of one byte", MIXED "\r\n", "-\r\n");
	bench_run("parts without end", MIXED "\r\n", "--b\r\n\r\n");
	bench_run("header without end", "", "Content-Type: text/plain; charset=utf-8\r\n");
	bench_run("one field without end", "Content-Type: text/plain;\r\n", " a=b;\r\n");
	return 0;
}
