/*
 * dkim_sign, dkim_canon: the relaxed form, in pieces of every size; the author's domain; the
 * fields that are signed; how the field is folded.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <openssl/rsa.h>

#include "lib/dkim_sign.h"

struct canon_case {
	const char *body, *relaxed;
};

static const struct canon_case bodies[] = {
	{ "", "" },
	{ "\r\n", "" },
	{ "\r\n\r\n", "" },
	{ " \t\r\n \r\n", "" },
	{ " ", "" },
	{ "a", "a\r\n" },
	{ "a\r\n", "a\r\n" },
	{ "a\r\n\r\n \r\n", "a\r\n" },
	{ " C \r\nD \t E\r\n\r\n\r\n", " C\r\nD E\r\n" }, /* RFC 6376 3.4.5 */
	{ "\r\n\r\na", "\r\n\r\na\r\n" },
	{ "a \t \tb", "a b\r\n" },
	{ "a\r\n b", "a\r\n b\r\n" },
	{ "a\r", "a\r\r\n" },
	{ "a\rb\nc\r\r\n", "a\rb\nc\r\r\n" },
	{ "a \r\r\nb", "a \r\r\nb\r\n" },
	{ "\n", "\n\r\n" },
};

static void
hash_in_pieces(unsigned char hash[DKIM_CANON_HASH], struct slice text, size_t piece)
{
	struct arena *arena = arena_new(SIZE_MAX);
	struct dkim_canon canon;

	dkim_canon_begin(&canon, arena);
	for (size_t i = 0; i < text.length; i += piece)
		dkim_canon_feed(&canon,
		    (struct slice) {
			text.data + i, text.length - i < piece ? text.length - i : piece });
	dkim_canon_end(&canon, hash);
	arena_free(arena);
}

static void
assert_body(struct slice body, struct slice relaxed)
{
	unsigned char got[DKIM_CANON_HASH], want[DKIM_CANON_HASH];

	assert_int_equal(
	    EVP_Digest(relaxed.data, relaxed.length, want, NULL, EVP_sha256(), NULL), 1);
	for (size_t piece = 1; piece <= body.length + 1; piece += 1 + body.length / 50) {
		hash_in_pieces(got, body, piece);
		assert_memory_equal(got, want, sizeof(want));
	}
}

static void
test_bodies(void **state)
{
	char long_body[5000], long_relaxed[5002];

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		assert_body(slice_of(bodies[i].body), slice_of(bodies[i].relaxed));
	assert_body((struct slice) { "a\0 b", 4 }, (struct slice) { "a\0 b\r\n", 6 });
	memset(long_body, 'x', sizeof(long_body));
	memcpy(long_relaxed, long_body, sizeof(long_body));
	memcpy(long_relaxed + sizeof(long_body), "\r\n", 2);
	assert_body((struct slice) { long_body, sizeof(long_body) },
	    (struct slice) { long_relaxed, sizeof(long_relaxed) });
}

static void
test_fields(void **state)
{
	static const char *const cases[][3] = {
		{ "A", " X", "a:X" },
		{ "B", " Y\t\r\n\tZ  ", "b:Y Z" },
		{ "Subject", "", "subject:" },
		{ "Subject", " \r\n ", "subject:" },
		{ "SUBJECT", "a\tb", "subject:a b" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf out = { .limit = 100 };

		dkim_canon_field(&out, slice_of(cases[i][0]), slice_of(cases[i][1]));
		assert_true(slice_equals(buf_slice(&out), slice_of(cases[i][2])));
		buf_free(&out);
	}
}

struct author_case {
	const char *header;
	const char *domain; /* NULL: none */
};

static const struct author_case authors[] = {
	{ "From: a@example.org\r\n", "example.org" },
	{ "from:a@EXAMPLE.Org\r\n", "example.org" },
	{ "From: <a@example.org>\r\n", "example.org" },
	{ "From: A B <a@example.org>\r\n", "example.org" },
	{ "From:\r\n A\r\n <a@example.org>\r\n", "example.org" },
	{ "From: \"A, B <x@y.test>\" <a@example.org>\r\n", "example.org" },
	{ "From: \"A \\\" <x@y.test>\" <a@example.org>\r\n", "example.org" },
	{ "From: \"A \\\\\" <a@example.org>\r\n", "example.org" },
	{ "From: \"a b@c\"@example.org\r\n", "example.org" },
	{ "From: a@example.org (x@y.test)\r\n", "example.org" },
	{ "From: a (x (y) <z@z.test>) @ example.org\r\n", "example.org" },
	{ "From: (\\)) <a@example.org> (b)\r\n", "example.org" },
	{ "From: =?utf-8?Q?=C3=A4?= <a@example.org>\r\n", "example.org" },
	{ "Subject: x\r\nFrom: a@example.org\r\nTo: b@c.test\r\n", "example.org" },
	{ "Subject: x\r\n", NULL },
	{ "From: a@example.org\r\nFrom: a@example.org\r\n", NULL },
	{ "From: a@example.org, b@example.org\r\n", NULL },
	{ "From: <a@example.org> <b@example.org>\r\n", NULL },
	{ "From: <a@example.org> b\r\n", NULL },
	{ "From: a@b.test <a@example.org>\r\n", NULL },
	{ "From: group: a@example.org;\r\n", NULL },
	{ "From: <@b.test:a@example.org>\r\n", NULL },
	{ "From: <a@b@example.org>\r\n", NULL },
	{ "From: <<a@example.org>>\r\n", NULL },
	{ "From: <a@example.org\r\n", NULL },
	{ "From: a@example.org>\r\n", NULL },
	{ "From: \"a@example.org\r\n", NULL },
	{ "From: (a@example.org\r\n", NULL },
	{ "From: \"a\\\r\n", NULL },
	{ "From: a@[192.0.2.1]\r\n", NULL },
	{ "From: a@example.org.\r\n", NULL },
	{ "From: a@ex\xc3\xa4mple.org\r\n", NULL },
	{ "From: a@\r\n", NULL },
	{ "From: <>\r\n", NULL },
	{ "From:\r\n", NULL },
	{ "From : a@example.org\r\n", NULL },
};

static void
test_authors(void **state)
{
	struct arena *arena = arena_new(SIZE_MAX);

	(void)state;
	for (size_t i = 0; i < sizeof(authors) / sizeof(authors[0]); i++) {
		const char *domain = dkim_sign_author(arena, slice_of(authors[i].header));
		const char *want = authors[i].domain;

		if ((domain == NULL) != (want == NULL) ||
		    (domain != NULL && strcmp(domain, want) != 0))
			fail_msg("%s: %s", authors[i].header, domain != NULL ? domain : "none");
	}
	char *long_name = arena_format(arena, "From: %02000d <a@example.org>\r\n", 0);

	assert_null(dkim_sign_author(arena, slice_of(long_name)));
	arena_free(arena);
}

static const char *
sign(struct arena *arena, EVP_PKEY *key, const char *header)
{
	static const unsigned char body[DKIM_CANON_HASH] = { 1, 2, 3 };

	return dkim_sign_field(arena, key, "example.org", "s1", slice_of(header), body, 1800000000);
}

/* The names in h=. */
static const char *
names_of(struct arena *arena, const char *field)
{
	const char *from = strstr(field, "h=") + 2, *to = strchr(from, ';');
	char *names = arena_alloc(arena, (size_t)(to - from) + 1), *end = names;

	for (; from < to; from++)
		if (strchr(" \t\r\n", *from) == NULL)
			*end++ = *from;
	return names;
}

static void
test_names(void **state)
{
	static const char *const cases[][2] = {
		{ "From: a\r\n", "From:From:To:Subject" },
		{ "From: a\r\nTo: b\r\nSubject: c\r\n", "From:From:To:To:Subject:Subject" },
		{ "SUBJECT: c\r\nfrom: a\r\n", "From:From:To:Subject:Subject" },
		{ "From: a\r\nReceived: x\r\nX-Y: z\r\nCc: d\r\nDate: e\r\nMessage-ID: f\r\n"
		  "Reply-To: g\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n",
		    "From:From:To:Cc:Subject:Date:Message-ID:Reply-To:MIME-Version:Content-Type" },
		{ "From: a\r\nCc: 1\r\nCc: 2\r\n", "From:From:To:Cc:Cc:Subject" },
	};
	struct arena *arena = arena_new(SIZE_MAX);
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(names_of(arena, sign(arena, key, cases[i][0])), cases[i][1]);

	char *many = arena_strdup(arena, "From: a\r\n");

	for (int i = 0; i < 50; i++)
		many = arena_format(arena, "%sCc: %d\r\n", many, i);
	assert_string_equal(names_of(arena, sign(arena, key, many)),
	    "From:From:To:Cc:Cc:Cc:Cc:Cc:Cc:Cc:Cc:Cc:Cc:Subject");
	EVP_PKEY_free(key);
	arena_free(arena);
}

static void
test_folding(void **state)
{
	struct arena *arena = arena_new(SIZE_MAX);
	EVP_PKEY *key = EVP_RSA_gen(4096);
	const char *text = sign(arena, key, "From: a\r\nTo: b\r\nSubject: c\r\n"), *line, *end;

	(void)state;
	assert_int_equal(strncmp(text, "DKIM-Signature: v=1;", 20), 0);
	assert_non_null(strstr(text, " t=1800000000; x=1800604800;"));
	assert_non_null(strstr(text, "d=example.org;"));
	for (line = text; (end = strstr(line, "\r\n")) != NULL; line = end + 2) {
		assert_true(end - line <= 76);
		assert_true(line == text || *line == '\t');
		assert_true(end > line + 1);
	}
	assert_string_equal(line, "");
	EVP_PKEY_free(key);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_authors),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_folding),
	};

	return cmocka_run_group_tests_name("dkim_sign", tests, NULL, NULL);
}
