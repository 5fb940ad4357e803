#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/err.h>
#include <time.h>

#include "lib/tls.h"
#include "tests/unit/certificates.h"

static struct certificates made;
static const unsigned char keys[80] = "sixteen of name.thirty-two bytes of AES secret..";

static int
group_setup(void **state)
{
	(void)state;
	certificates_open(&made);
	certificates_add(&made, "rsa", "rsa", "mx", "DNS:mx.example.com,DNS:Mail.example.com", 30);
	certificates_add(&made, "ec", "ec", "mx", "DNS:mail.example.com,DNS:mx.example.com", 90);
	certificates_add(&made, "ec2", "ec", "mx", "DNS:mail.example.com,DNS:mx.example.com", 90);
	certificates_add(
	    &made, "wild", "ec", "wild", "DNS:*.example.net,IP:192.0.2.1,IP:2001:db8::1", 5);
	certificates_add(&made, "exact", "ec", "exact", "DNS:mx.example.net", 5);
	certificates_add(&made, "old", "ec", "Old.example.org", NULL, -3);
	return 0;
}

static int
group_teardown(void **state)
{
	(void)state;
	certificates_close(&made);
	return 0;
}

static struct tls_pair
pair_of(const char *cert, const char *key)
{
	return (struct tls_pair) {
		certificates_path(&made, arena_format(made.arena, "%s.pem", cert)),
		certificates_path(&made, arena_format(made.arena, "%s.key", key)),
	};
}

static void
write_file(const char *name, const char *text)
{
	FILE *file = fopen(certificates_path(&made, name), "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* Servers of "name name ...", each with the key of the same name. */
static struct tls_server *
server_of(struct arena *arena, const char *names, int least, const unsigned char *ticket_keys)
{
	struct tls_pair pairs[8];
	char *copy = arena_strdup(arena, names), *rest = NULL;
	size_t count = 0, culprit = 99;
	const char *why = "untouched";

	for (char *name = strtok_r(copy, " ", &rest); name; name = strtok_r(NULL, " ", &rest))
		pairs[count++] = pair_of(name, name);
	struct tls_server *server =
	    tls_server_new(arena, pairs, count, least, NULL, ticket_keys, &why, &culprit);

	assert_null(why);
	assert_non_null(server);
	return server;
}

/* Whole handshakes in memory. */

struct peers {
	SSL *server, *client;
	bool failed;
};

static void
peers_begin(struct peers *peers, SSL_CTX *server, SSL_CTX *client, const char *name)
{
	BIO *a, *b;

	*peers = (struct peers) { SSL_new(server), SSL_new(client), false };
	assert_int_equal(BIO_new_bio_pair(&a, 0, &b, 0), 1);
	SSL_set_bio(peers->server, a, a);
	SSL_set_bio(peers->client, b, b);
	SSL_set_accept_state(peers->server);
	SSL_set_connect_state(peers->client);
	if (name != NULL)
		SSL_set_tlsext_host_name(peers->client, name);
}

static void
peers_shake(struct peers *peers)
{
	char byte;

	for (int i = 0; i < 20 && !peers->failed; i++) {
		SSL *ssl = i % 2 ? peers->server : peers->client;

		ERR_clear_error();
		int result = SSL_do_handshake(ssl);

		if (result != 1 && SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ)
			peers->failed = true;
	}
	ERR_clear_error();
	if (!peers->failed)
		SSL_read(peers->client, &byte, 1); /* takes the ticket in */
	ERR_clear_error();
}

static void
peers_end(struct peers *peers)
{
	SSL_free(peers->server);
	SSL_free(peers->client);
}

static SSL_CTX *
client_of(int version, const char *algorithms)
{
	SSL_CTX *client = SSL_CTX_new(TLS_client_method());

	SSL_CTX_set_min_proto_version(client, version);
	SSL_CTX_set_max_proto_version(client, version);
	if (version < TLS1_2_VERSION)
		SSL_CTX_set_security_level(client, 0);
	if (algorithms != NULL)
		assert_int_equal(SSL_CTX_set1_sigalgs_list(client, algorithms), 1);
	return client;
}

/* "CN TYPE" of the certificate that this client gets. */
static const char *
shown(struct arena *arena, struct tls_server *server, SSL_CTX *client, const char *name)
{
	struct peers peers;
	char cn[64] = "";

	peers_begin(&peers, tls_server_context(server), client, name);
	peers_shake(&peers);
	if (peers.failed) {
		peers_end(&peers);
		return "failed";
	}
	X509 *certificate = SSL_get0_peer_certificate(peers.client);

	X509_NAME_get_text_by_NID(
	    X509_get_subject_name(certificate), NID_commonName, cn, sizeof(cn));
	const char *text = arena_format(
	    arena, "%s %s", cn, EVP_PKEY_get0_type_name(X509_get0_pubkey(certificate)));

	peers_end(&peers);
	return text;
}

static void
test_certificates(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	struct tls_server *server = server_of(arena, "rsa ec wild old", TLS1_2_VERSION, keys);
	const struct tls_certificate *all;

	(void)state;
	assert_int_equal(tls_server_certificates(server, &all), 4);
	assert_string_equal(all[0].file, certificates_path(&made, "rsa.pem"));
	assert_string_equal(all[0].names, "mail.example.com, mx.example.com");
	assert_string_equal(all[1].names, "mail.example.com, mx.example.com");
	assert_string_equal(all[2].names, "*.example.net, 192.0.2.1, 2001:db8::1");
	assert_string_equal(all[3].names, "old.example.org");
	assert_string_equal(all[0].key_type, "rsa 2048");
	assert_string_equal(all[1].key_type, "ec P-256");
	assert_true(llabs(all[0].not_after - (time(NULL) + 30 * 86400)) < 60);
	assert_true(all[3].not_after < time(NULL)); /* has ended, and is no error */
	arena_free(arena);
}

static void
test_what_is_wrong(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	struct tls_pair good = pair_of("ec", "ec");
	EVP_PKEY *key = certificates_key("ec");
	FILE *file = fopen(certificates_path(&made, "secret.key"), "w");
	struct {
		struct tls_pair pair;
		const char *ciphers, *why;
	} rows[] = {
		{ pair_of("none", "ec"), NULL, "none.pem: No such file or directory" },
		{ pair_of("wild", "none"), NULL, "none.key: No such file or directory" },
		{ pair_of("wild", "exact"), NULL, "exact.key: the key does not belong to " },
		{ pair_of("rsa", "ec"), NULL, "ec.key: the key does not belong to " },
		{ pair_of("empty", "ec"), NULL, "empty.pem: nothing of this kind in it" },
		{ pair_of("broken", "ec"), NULL, "broken.pem: " },
		{ pair_of("wild", "empty"), NULL, "empty.key: nothing of this kind in it" },
		{ pair_of("wild", "secret"), NULL, "secret.key: is encrypted" },
		{ pair_of("ec2", "ec2"), NULL,
		    "ec2.pem: another certificate before it has the same" },
		{ { "/", "/" }, NULL, "/: " },
		{ { certificates_path(&made, "wild.key"), certificates_path(&made, "wild.key") },
		    NULL, "wild.key: nothing of this kind in it" },
		{ { certificates_path(&made, "wild.pem"), certificates_path(&made, "wild.pem") },
		    NULL, "wild.pem: nothing of this kind in it" },
		{ pair_of("wild", "wild"), "NO-SUCH-CIPHER", "no cipher in \"NO-SUCH-CIPHER\"" },
	};

	(void)state;
	PEM_write_PrivateKey(file, key, EVP_aes_128_cbc(), (unsigned char *)"abc", 3, NULL, NULL);
	fclose(file);
	EVP_PKEY_free(key);
	write_file("empty.pem", "");
	write_file("empty.key", "");
	write_file("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tls_pair pairs[] = { good, rows[i].pair };
		bool of_ciphers = rows[i].ciphers != NULL;
		const char *why = NULL;
		size_t culprit = 99;

		assert_null(tls_server_new(
		    arena, pairs, 2, TLS1_2_VERSION, rows[i].ciphers, NULL, &why, &culprit));
		assert_non_null(strstr(why, rows[i].why));
		assert_int_equal(culprit, of_ciphers ? 0 : 1);
		assert_int_equal(ERR_peek_error(), 0);
	}
	const char *why;
	size_t culprit;

	assert_null(tls_server_new(arena, &good, 0, TLS1_2_VERSION, NULL, NULL, &why, &culprit));
	assert_string_equal(why, "no certificate");
	arena_free(arena);
}

static void
test_name_chooses(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	struct tls_server *server = server_of(arena, "ec wild exact old", TLS1_2_VERSION, keys);
	static const char *const rows[][2] = {
		{ NULL, "mx EC" },
		{ "mx.example.com", "mx EC" },
		{ "MAIL.example.COM", "mx EC" },
		{ "a.example.net", "wild EC" },
		{ "mx.example.net", "exact EC" },
		{ "a.b.example.net", "mx EC" },
		{ "old.example.org", "Old.example.org EC" },
		{ "unknown", "mx EC" },
		{ "..", "mx EC" },
		{ "mx_1.example.net-", "mx EC" },
	};

	(void)state;
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		SSL_CTX *client = client_of(version, NULL);

		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			assert_string_equal(shown(arena, server, client, rows[i][0]), rows[i][1]);
		SSL_CTX_free(client);
	}
	arena_free(arena);
}

static void
test_client_chooses_the_kind_of_key(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	struct tls_server *server = server_of(arena, "wild rsa ec", TLS1_2_VERSION, keys);

	(void)state;
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		SSL_CTX *rsa = client_of(version, "RSA-PSS+SHA256:RSA+SHA256");
		SSL_CTX *ec = client_of(version, "ECDSA+SHA256:RSA-PSS+SHA256");

		assert_string_equal(shown(arena, server, rsa, "mx.example.com"), "mx RSA");
		assert_string_equal(shown(arena, server, ec, "mx.example.com"), "mx EC");
		SSL_CTX_free(rsa);
		SSL_CTX_free(ec);
	}
	arena_free(arena);
}

static void
test_versions(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	static const int versions[] = { TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION,
		TLS1_3_VERSION };

	(void)state;
	for (size_t least = 0; least < 4; least++) {
		struct tls_server *server = server_of(arena, "rsa ec", versions[least], keys);

		for (size_t i = 0; i < 4; i++) {
			SSL_CTX *client = client_of(versions[i], NULL);
			const char *got = shown(arena, server, client, NULL);

			assert_true((strcmp(got, "failed") == 0) == (i < least));
			SSL_CTX_free(client);
		}
	}
	assert_int_equal(tls_version("1.0"), TLS1_VERSION);
	assert_int_equal(tls_version("1.3"), TLS1_3_VERSION);
	assert_int_equal(tls_version("1.4"), 0);
	assert_int_equal(tls_version(""), 0);
	arena_free(arena);
}

/* A handshake that offers the session; gives the next one, or NULL. */
static SSL_SESSION *
again(struct tls_server *server, SSL_CTX *client, const char *name, SSL_SESSION *session,
    bool resumes)
{
	struct peers peers;

	peers_begin(&peers, tls_server_context(server), client, name);
	if (session != NULL)
		SSL_set_session(peers.client, session);
	peers_shake(&peers);
	assert_false(peers.failed);
	assert_int_equal(SSL_session_reused(peers.client), resumes);
	SSL_SESSION *next = SSL_get1_session(peers.client);

	SSL_SESSION_free(session);
	if (next != NULL && !SSL_SESSION_is_resumable(next)) {
		SSL_SESSION_free(next);
		next = NULL;
	}
	SSL_shutdown(peers.client);
	peers_end(&peers);
	return next;
}

/* A worker resumes what another sealed, each time anew; other keys mean a full handshake. */
static void
test_tickets(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	static const unsigned char others[80] = "another name....";
	struct tls_server *one = server_of(arena, "ec wild", TLS1_2_VERSION, keys);
	struct tls_server *two = server_of(arena, "ec wild", TLS1_2_VERSION, keys);
	struct tls_server *three = server_of(arena, "ec wild", TLS1_2_VERSION, others);
	struct tls_server *none = server_of(arena, "ec wild", TLS1_2_VERSION, NULL);

	(void)state;
	for (int i = 0; i < 4; i++) {
		SSL_CTX *client = client_of(i % 2 ? TLS1_3_VERSION : TLS1_2_VERSION, NULL);
		const char *name = i < 2 ? "mx.example.com" : "a.example.net";
		SSL_SESSION *session = again(one, client, name, NULL, false);

		for (int times = 0; times < 3; times++) {
			assert_non_null(session);
			session = again(times % 2 ? one : two, client, name, session, true);
		}
		session = again(three, client, name, session, false);
		assert_non_null(session);
		session = again(one, client, name, session, false);
		SSL_SESSION_free(session);
		assert_null(again(none, client, name, NULL, false));
		SSL_CTX_free(client);
	}
	arena_free(arena);
}

/* A connection holds the context beyond the arena: a handshake that goes on then. */
static void
test_context_outlives_its_arena(void **state)
{
	struct arena *arena = arena_new(1 << 20), *other = arena_new(1 << 20);
	SSL_CTX *server = tls_server_context(server_of(arena, "ec wild", TLS1_2_VERSION, keys));
	SSL_CTX *client = client_of(TLS1_3_VERSION, NULL);
	struct peers peers;
	const char *why;

	(void)state;
	peers_begin(&peers, server, client, "a.example.net");
	arena_free(arena);
	peers_shake(&peers);
	assert_false(peers.failed);
	peers_end(&peers);
	SSL_CTX_free(client);

	client =
	    tls_client_new(other, certificates_path(&made, "ca.pem"), true, TLS1_VERSION, &why);
	assert_non_null(client);
	arena_free(other);
}

static void
test_client(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	const char *why = NULL, *missing = certificates_path(&made, "missing.pem");

	(void)state;
	write_file("empty.pem", "");
	assert_non_null(tls_client_new(arena, NULL, false, TLS1_2_VERSION, &why));
	assert_null(why);
	assert_null(tls_client_new(arena, missing, false, TLS1_2_VERSION, &why));
	assert_string_equal(why, arena_format(arena, "%s: No such file or directory", missing));
	assert_null(tls_client_new(
	    arena, certificates_path(&made, "empty.pem"), true, TLS1_2_VERSION, &why));
	assert_non_null(strstr(why, "empty.pem: "));
	assert_int_equal(ERR_peek_error(), 0);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_certificates),
		cmocka_unit_test(test_what_is_wrong),
		cmocka_unit_test(test_name_chooses),
		cmocka_unit_test(test_client_chooses_the_kind_of_key),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_tickets),
		cmocka_unit_test(test_context_outlives_its_arena),
		cmocka_unit_test(test_client),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("tls", tests, group_setup, group_teardown);
}
