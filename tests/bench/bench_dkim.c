/* Messages of 20 KB with one signature, per second, through the filter as a worker would have
 * it; keys of several kinds. And the same, signed. */
#include <assert.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "filters/dkim_check.h"
#include "filters/dkim_signer.h"

enum { BODY = 20 * 1024, CHUNK = 4096, SECONDS = 1 };

static const char header[] =
    "Received: from mail.example.org (mail.example.org [192.0.2.1])\r\n"
    "\tby mx.example.com with ESMTPS id 7F3K2Q\r\n\tfor <c@example.com>; Tue, 24 Nov 2026\r\n"
    "From: A Sender <a@example.org>\r\nTo: C <c@example.com>\r\nSubject: words of a subject\r\n"
    "Date: Tue, 24 Nov 2026 05:00:00 +0000\r\nMessage-ID: <7F3K2Q@example.org>\r\n"
    "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    "X-Mailer: something\r\nX-Priority: 3\r\nReply-To: a@example.org\r\n";

static double
bench_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct slice
bench_body(struct arena *arena)
{
	static const char line[] = "The quick brown fox jumps over the lazy dog, and again.\r\n";
	char *text = arena_alloc(arena, BODY + sizeof(line));
	size_t length = 0;

	for (; length < BODY; length += sizeof(line) - 1)
		memcpy(text + length, line, sizeof(line) - 1);
	return (struct slice) { text, length };
}

static void
bench_feed(struct dkim_check *check, struct slice body)
{
	for (size_t at = 0; at < body.length; at += CHUNK)
		dkim_check_body(check,
		    (struct slice) {
			body.data + at, body.length - at < CHUNK ? body.length - at : CHUNK });
}

static void
bench_verify(const char *name, struct dkim_lib *library, EVP_PKEY *key, struct slice body)
{
	struct arena *outer = arena_new(SIZE_MAX);
	const struct dkim_signers signers = { 1,
		&(struct dkim_signer) { "example.org", "s1", key } };
	struct dkim_signature_making making = { 0 };
	struct slice record = slice_of(dkim_record_text(outer, key));
	const struct dns_answer answer = {
		.state = DNS_OK, .why = "", .count = 1, .records = &record
	};
	double start = bench_now(), seconds = 0;
	unsigned count = 0;

	dkim_signer_begin(&making, outer, &signers, slice_of(header));
	dkim_signer_body(&making, body);
	const char *head = arena_format(outer, "%s%s",
	    dkim_signer_fields(&making, outer, slice_of(header), (double)time(NULL)), header);

	for (start = bench_now(); seconds < SECONDS; seconds = bench_now() - start, count++) {
		struct arena *arena = arena_new(SIZE_MAX);
		struct dkim_check check = { 0 };

		dkim_check_begin(&check, library, arena, slice_of(head), (double)time(NULL));
		bench_feed(&check, body);
		dkim_check_key(&check, &check.one[0], &answer);
		dkim_check_end(&check);
		assert(strcmp(check.one[0].word, "pass") == 0);
		dkim_check_free(&check);
		arena_free(arena);
	}
	printf("verify %-10s %7.0f messages/s %7.3f ms each\n", name, count / seconds,
	    seconds * 1000 / count);
	arena_free(outer);
}

static void
bench_sign(const char *name, EVP_PKEY *key, struct slice body)
{
	const struct dkim_signers signers = { 1,
		&(struct dkim_signer) { "example.org", "s1", key } };
	double start = bench_now(), seconds = 0;
	unsigned count = 0;

	for (; seconds < SECONDS; seconds = bench_now() - start, count++) {
		struct arena *arena = arena_new(SIZE_MAX);
		struct dkim_signature_making making = { 0 };

		dkim_signer_begin(&making, arena, &signers, slice_of(header));
		dkim_signer_body(&making, body);
		assert(dkim_signer_fields(&making, arena, slice_of(header), 1800000000)[0] != '\0');
		arena_free(arena);
	}
	printf("sign   %-10s %7.0f messages/s %7.3f ms each\n", name, count / seconds,
	    seconds * 1000 / count);
}

int
main(void)
{
	struct arena *arena = arena_new(SIZE_MAX);
	struct dkim_lib *library = dkim_check_library(arena);
	struct slice body = bench_body(arena);
	EVP_PKEY *rsa2048 = EVP_RSA_gen(2048), *rsa4096 = EVP_RSA_gen(4096);
	EVP_PKEY *ed25519 = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

	bench_verify("rsa 2048", library, rsa2048, body);
	bench_verify("rsa 4096", library, rsa4096, body);
	bench_verify("ed25519", library, ed25519, body);
	bench_sign("rsa 2048", rsa2048, body);
	bench_sign("ed25519", ed25519, body);
	EVP_PKEY_free(rsa2048);
	EVP_PKEY_free(rsa4096);
	EVP_PKEY_free(ed25519);
	arena_free(arena);
	return 0;
}
