/* How fast the text of a message passes, in chunks as they come from a socket. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/unframe.h"

enum { TEXT = 8 * 1024 * 1024, CHUNK = 16 * 1024, ROUNDS = 25 };

struct bench_sums {
	uint64_t octets, pieces;
};

static void
bench_piece(void *arg, struct slice piece)
{
	struct bench_sums *sums = arg;

	sums->octets += piece.length;
	sums->pieces++;
}

static char *
bench_text(const char *line)
{
	char *text = malloc(TEXT);
	size_t length = strlen(line);

	assert(text != NULL);
	for (size_t i = 0; i < TEXT; i++)
		text[i] = line[i % length];
	return text;
}

static double
bench_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
bench_run(const char *name, const char *line)
{
	char *text = bench_text(line);
	struct bench_sums sums = { .octets = 0 };
	struct unframe_sink sink = { bench_piece, bench_piece, &sums };
	double start = bench_now();

	for (int round = 0; round < ROUNDS; round++) {
		struct unframe unframe;

		unframe_init(&unframe, UNFRAME_DATA, UNFRAME_NORMALIZE);
		for (size_t at = 0; at < TEXT; at += CHUNK)
			unframe_feed(&unframe, (struct slice) { text + at, CHUNK }, &sink);
	}
	double seconds = bench_now() - start;

	printf("%-28s %6.2f GB/s %8.1f octets a piece\n", name,
	    (double)TEXT * ROUNDS / seconds / 1e9, (double)sums.octets / (double)sums.pieces);
	free(text);
}

int
main(void)
{
	bench_run("base64, lines of 76",
	    "TWFueSBoYW5kcyBtYWtlIGxpZ2h0IHdvcmsuIE1hbnkgaGFuZHMgbWFrZSBsaWdodCB3b3JrLk1h\r\n");
	bench_run("short lines", "a few words in it\r\n");
	bench_run("empty lines", "\r\n");
	bench_run("stuffed lines", "..\r\n");
	bench_run("one line without end", "x");
	bench_run("bare LF, lines of 20", "a few words and LF.\n");
	bench_run("bare CR only", "\r");
	bench_run("bare LF only", "\n");
	return 0;
}
