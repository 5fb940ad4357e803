/*
 * dkim: which mail is signed, with which keys, and that the filter finds it good; bad options.
 */
#include "tests/unit/dkim_messages.h"

#include <openssl/pem.h>
#include <stdlib.h>
#include <unistd.h>

struct signing {
	struct arena *arena;
	char folder[64];
	const char *options;
};

static void
write_key(const char *path, EVP_PKEY *key)
{
	FILE *to = fopen(path, "w");

	assert_non_null(to);
	assert_int_equal(PEM_write_PrivateKey(to, key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(to);
}

/* Two keys of example.org, one of example.net. */
static struct signing
signing_begin(void)
{
	struct signing signing = { arena_new(SIZE_MAX), "/tmp/test_dkim_XXXXXX", NULL };

	assert_non_null(mkdtemp(signing.folder));
	const char *rsa = arena_format(signing.arena, "%s/rsa.pem", signing.folder);
	const char *ed25519 = arena_format(signing.arena, "%s/ed.pem", signing.folder);

	write_key(rsa, keys.rsa);
	write_key(ed25519, keys.ed25519);
	signing.options = arena_format(signing.arena,
	    "sign:\n  - { domain: example.org, selector: r, key: %s }\n"
	    "  - { domain: Example.ORG, selector: e, key: %s }\n"
	    "  - { domain: example.net, selector: r, key: %s }\n",
	    rsa, ed25519, rsa);
	return signing;
}

static void
signing_end(struct signing *signing)
{
	unlink(arena_format(signing->arena, "%s/rsa.pem", signing->folder));
	unlink(arena_format(signing->arena, "%s/ed.pem", signing->folder));
	rmdir(signing->folder);
	arena_free(signing->arena);
}

/* The fields that are put in front of the message. */
static const char *
signed_by_filter(
    const struct signing *signing, struct slice message, size_t piece, bool is_outgoing)
{
	struct buf out = { .limit = 65536 }, again = { .limit = 65536 };
	struct play play;

	dkim_play_begin(&play, signing->options, NULL);
	dns_fake_allow_unknown(play.fake);
	play.scope->mail.is_outgoing = is_outgoing;
	assert_true(pipeline_adds_header(&play.pipeline));
	dkim_play_feed(&play, message, piece);
	scope_headers(play.scope, &out);
	scope_headers(play.scope, &again);
	assert_true(slice_equals(buf_slice(&out), buf_slice(&again)));
	const char *text = arena_copy(signing->arena, buf_slice(&out));

	buf_free(&out);
	buf_free(&again);
	play_end(&play);
	return text;
}

static void
test_signing(void **state)
{
	struct signing signing = signing_begin();
	struct arena *arena = signing.arena;

	(void)state;
	for (size_t piece = 1; piece <= 1000; piece = piece * 3 + 1) {
		struct slice message = message_of(arena, (const char *const[]) { NULL });
		const char *added = signed_by_filter(&signing, message, piece, true);
		const char *facts =
		    facts_of(arena, slice_of(arena_format(arena, "%s%s", added, message.data)));

		assert_int_equal(count_of(added, "DKIM-Signature:"), 2);
		assert_int_equal(count_of(facts, "dkim.signature=pass()"), 2);
		assert_string_equal(signed_by_filter(&signing, message, piece, false), "");
		assert_string_equal(added + strlen(added) - 2, "\r\n");
	}
	signing_end(&signing);
}

static void
test_signed_authors(void **state)
{
	static const struct {
		const char *header;
		size_t signatures;
	} cases[] = {
		{ "From: a@example.org\r\n", 2 },
		{ "From: a@EXAMPLE.org\r\n", 2 },
		{ "From: a@example.net\r\n", 1 },
		{ "From: a@sub.example.org\r\n", 0 },
		{ "From: a@example.com\r\n", 0 },
		{ "From: a@example.org\r\nFrom: a@example.org\r\n", 0 },
		{ "To: a@example.org\r\n", 0 },
	};
	struct signing signing = signing_begin();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *text = arena_format(signing.arena, "%s\r\nx\r\n", cases[i].header);
		const char *added = signed_by_filter(&signing, slice_of(text), 10, true);

		assert_int_equal(count_of(added, "DKIM-Signature:"), cases[i].signatures);
	}
	signing_end(&signing);
}

static void
assert_fault(const char *yaml, unsigned line, unsigned column, const char *words)
{
	struct arena *arena = arena_new(1 << 20);
	struct faults faults;

	assert_null(play_options(arena, &dkim_filter, yaml, &faults));
	if (strstr(faults.kept[0].words, words) == NULL)
		fail_msg("%s: %s", yaml, faults.kept[0].words);
	assert_int_equal(faults.kept[0].line, line);
	assert_int_equal(faults.kept[0].column, column);
	arena_free(arena);
}

static void
test_bad_options(void **state)
{
	struct signing signing = signing_begin();
	const char *bad = arena_format(signing.arena, "%s/rsa.pem", signing.folder);
	static const char ec[] = "sign: [ { domain: a.test, selector: s, key: %s } ]\n";
	EVP_PKEY *key = EVP_EC_gen("P-256"), *small = EVP_RSA_gen(768);
	FILE *to;

	(void)state;
	assert_fault("sign: [ { domain: a.test, selector: s } ]\n", 1, 9, "key");
	assert_fault("sign: [ { domain: a b, selector: s, key: x } ]\n", 1, 19, "domain");
	assert_fault("sign: [ { domain: a.test, selector: s/, key: x } ]\n", 1, 37, "selector");
	assert_fault(
	    "sign: [ { domain: a.test, selector: s, key: /nothing } ]\n", 1, 45, "/nothing: ");
	assert_fault(
	    "sign: [ { domain: a.test, selector: s, key: /dev/null } ]\n", 1, 45, "/dev/null: ");
	assert_fault("sign:\n  - domain: a.test\n    selector: s\n    kei: x\n", 2, 5, "key");
	write_key(bad, key);
	assert_fault(arena_format(signing.arena, ec, bad), 1, 45, "neither an RSA nor an Ed25519");
	write_key(bad, small);
	assert_fault(arena_format(signing.arena, ec, bad), 1, 45, "fewer than 1024 bits");
	to = fopen(bad, "w");
	PEM_write_PrivateKey(
	    to, keys.rsa, EVP_aes_128_cbc(), (unsigned char *)"secret", 6, NULL, NULL);
	fclose(to);
	assert_fault(arena_format(signing.arena, ec, bad), 1, 45, "encrypted with a passphrase");
	to = fopen(bad, "w");
	fputs(keys.rsa_record, to);
	fclose(to);
	assert_fault(arena_format(signing.arena, ec, bad), 1, 45, "no private key, as PEM");
	EVP_PKEY_free(key);
	EVP_PKEY_free(small);
	signing_end(&signing);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signing),
		cmocka_unit_test(test_signed_authors),
		cmocka_unit_test(test_bad_options),
	};

	return cmocka_run_group_tests_name("dkim_signer", tests, keys_begin, keys_end);
}
