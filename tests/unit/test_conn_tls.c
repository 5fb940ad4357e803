#include "tests/unit/sides.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "lib/tls.h"
#include "lib/tls_session.h"
#include "tests/unit/certificates.h"

static struct certificates made;
static struct arena *arena;
static struct tls_server *server;
static SSL_CTX *server_context, *client_context, *stranger_context;

static int
group_setup(void **state)
{
	static unsigned char keys[80] = { 1, 2, 3 };
	const char *why;
	size_t culprit;

	(void)state;
	arena = arena_new(1 << 20);
	certificates_open(&made);
	certificates_add(&made, "rsa", "rsa", "mx", "DNS:mx.example.com,IP:127.0.0.1", 30);
	certificates_add(&made, "ec", "ec", "mx", "DNS:mx.example.com,IP:127.0.0.1", 30);

	struct tls_pair pairs[] = {
		{ certificates_path(&made, "rsa.pem"), certificates_path(&made, "rsa.key") },
		{ certificates_path(&made, "ec.pem"), certificates_path(&made, "ec.key") },
	};
	server = tls_server_new(arena, pairs, 2, TLS1_2_VERSION, NULL, keys, &why, &culprit);
	assert_non_null(server);
	server_context = tls_server_context(server);
	client_context =
	    tls_client_new(arena, certificates_path(&made, "ca.pem"), true, TLS1_2_VERSION, &why);
	assert_non_null(client_context);
	stranger_context =
	    tls_client_new(arena, certificates_path(&made, "ec.pem"), true, TLS1_2_VERSION, &why);
	assert_non_null(stranger_context);
	/* It must trust neither certificate; a bundle that holds ec.pem trusts that one. */
	SSL_CTX_set_cert_store(stranger_context, X509_STORE_new());
	return 0;
}

static int
group_teardown(void **state)
{
	(void)state;
	arena_free(arena);
	certificates_close(&made);
	return 0;
}

/* Two sides of the same loop, the first as the server. */
struct both {
	struct side server, client;
};

static void
both_begin(struct both *both, struct world *world, int buffer)
{
	int fds[2];

	tcp_pair(fds, buffer);
	set_nonblocking(fds[1]);
	side_init(&both->server, world, fds[0]);
	side_init(&both->client, world, fds[1]);
}

static void
both_shake(struct both *both, SSL_CTX *context, const char *name, bool verify)
{
	conn_tls_accept(both->server.conn, server_context);
	conn_tls_connect(both->client.conn, context, name, verify);
	WAIT_UNTIL(both->server.world,
	    side_state(&both->server) != CONN_HANDSHAKE &&
		side_state(&both->client) != CONN_HANDSHAKE);
}

static void
both_open(struct both *both, struct world *world, int buffer)
{
	both_begin(both, world, buffer);
	both_shake(both, client_context, "mx.example.com", true);
	assert_string_equal(conn_why(both->client.conn), "");
	assert_int_equal(side_state(&both->server), CONN_OPEN);
	assert_int_equal(side_state(&both->client), CONN_OPEN);
}

static void
both_end(struct both *both)
{
	side_end(&both->server);
	side_end(&both->client);
}

static void
test_handshake_and_a_line(void **state)
{
	struct world *world = *state;
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct both both;

	for (int i = 0; i < 4; i++) {
		SSL_CTX_set_max_proto_version(client_context, versions[i / 2]);
		SSL_CTX_set1_sigalgs_list(client_context,
		    i % 2 ? "ECDSA+SHA256:RSA+SHA256" : "RSA-PSS+SHA256:RSA+SHA256");
		both_begin(&both, world, 0);
		both_shake(&both, client_context, "MX.example.com.", i < 2);
		assert_int_equal(side_state(&both.client), CONN_OPEN);
		assert_string_equal(
		    conn_tls_version(both.server.conn), i < 2 ? "TLSv1.2" : "TLSv1.3");
		assert_string_equal(
		    conn_tls_cipher(both.server.conn), conn_tls_cipher(both.client.conn));
		if (i < 2)
			assert_non_null(
			    strstr(conn_tls_cipher(both.server.conn), i % 2 ? "-ECDSA-" : "-RSA-"));
		assert_string_equal(conn_tls_server_name(both.server.conn), "MX.example.com");
		assert_null(conn_tls_server_name(both.client.conn));
		assert_int_equal(conn_tls_verified(both.client.conn), X509_V_OK);
		assert_int_equal(conn_tls_verified(both.server.conn), -1);
		both.client.to_send = 100;
		task_wake(&both.client.task);
		WAIT_UNTIL(world, both.server.received == 100);
		both.server.to_send = 1000;
		task_wake(&both.server.task);
		WAIT_UNTIL(world, both.client.received == 1000);
		assert_false(both.server.is_garbled || both.client.is_garbled);
		assert_int_equal(conn_bytes_in(both.server.conn), 100);
		assert_int_equal(conn_bytes_out(both.server.conn), 1000);
		side_end(&both.client); /* close_notify */
		WAIT_UNTIL(world, side_state(&both.server) == CONN_CLOSED);
		conn_print(both.server.conn, "to nobody");
		conn_flush(both.server.conn);
		assert_non_null(conn_tls_version(both.server.conn));
		both_end(&both);
	}
	SSL_CTX_set_max_proto_version(client_context, 0);
	SSL_CTX_set1_sigalgs_list(client_context, "ECDSA+SHA256:RSA-PSS+SHA256:RSA+SHA256");
}

static void
test_verify(void **state)
{
	struct world *world = *state;
	static const struct {
		const char *name;
		bool is_stranger;
		long found;
	} rows[] = {
		{ "mx.example.com", false, X509_V_OK },
		{ "127.0.0.1", false, X509_V_OK },
		{ "other.example.com", false, X509_V_ERR_HOSTNAME_MISMATCH },
		{ "example.com", false, X509_V_ERR_HOSTNAME_MISMATCH },
		{ "127.0.0.2", false, X509_V_ERR_IP_ADDRESS_MISMATCH },
		{ "mx.example.com", true, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY },
	};
	struct both both;

	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		bool verify = i % 2;
		long found = rows[i / 2].found;

		both_begin(&both, world, 0);
		both_shake(&both, rows[i / 2].is_stranger ? stranger_context : client_context,
		    rows[i / 2].name, verify);
		if (found == X509_V_OK || !verify) {
			assert_int_equal(side_state(&both.client), CONN_OPEN);
			assert_int_equal(conn_tls_verified(both.client.conn), found);
			if (rows[i / 2].name[0] == '1')
				assert_null(conn_tls_server_name(both.server.conn));
		} else {
			assert_int_equal(side_state(&both.client), CONN_BROKEN);
			if (!rows[i / 2].is_stranger)
				assert_int_equal(conn_tls_verified(both.client.conn), found);
			assert_true(conn_tls_verified(both.client.conn) > 0);
			assert_non_null(strstr(conn_why(both.client.conn),
			    X509_verify_cert_error_string(conn_tls_verified(both.client.conn))));
			WAIT_UNTIL(world, side_state(&both.server) != CONN_OPEN);
		}
		both_end(&both);
	}
}

/* The first byte that the peer may have sent before, in plain text, never reaches TLS. */
static void
test_what_is_no_handshake(void **state)
{
	struct world *world = *state;
	static const struct {
		const char *sent, *why;
	} rows[] = {
		{ "EHLO again\r\n", "TLS: wrong version number" },
		{ "\x16\x03\x01\xff\xff nonsense nonsense", "TLS: " },
		{ "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", "TLS: " },
		{ "GET / HTTP/1.0\r\n\r\n", "TLS: http request" },
		{ "\x16\x03", "TLS: the peer has gone" },
		{ "", "TLS: the peer has gone" },
	};
	struct side side;
	char bytes[64];
	int fds[2];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t length = i == 2 ? 10 : strlen(rows[i].sent);

		tcp_pair(fds, 0);
		side_init(&side, world, fds[0]);
		conn_tls_accept(side.conn, server_context);
		world_run(world, 0.02);
		assert_int_equal(side_state(&side), CONN_HANDSHAKE);
		assert_null(conn_tls_version(side.conn));
		assert_int_equal(write(fds[1], rows[i].sent, length), length);
		shutdown(fds[1], SHUT_WR);
		WAIT_UNTIL(world, side_state(&side) == CONN_BROKEN);
		assert_non_null(strstr(conn_why(side.conn), rows[i].why));
		assert_int_equal(ERR_peek_error(), 0);
		while (read(fds[1], bytes, sizeof(bytes)) > 0) /* an alert */
			;
		side_end(&side);
		close(fds[1]);
	}
}

static void
test_reset_in_handshake(void **state)
{
	struct world *world = *state;
	struct side side;
	int fds[2];

	tcp_pair(fds, 0);
	side_init(&side, world, fds[0]);
	conn_tls_accept(side.conn, server_context);
	put(fds[1], "\x16\x03\x01");
	world_run(world, 0.02);
	assert_int_equal(side_state(&side), CONN_HANDSHAKE);
	reset_peer(fds[1]);
	WAIT_UNTIL(world, side_state(&side) == CONN_BROKEN);
	assert_string_equal(conn_why(side.conn), "TLS: Connection reset by peer");
	side_end(&side);
}

/* The caller cannot know that the peer has left just now. */
static void
test_start_with_a_peer_that_has_left(void **state)
{
	struct world *world = *state;
	struct side side;
	int fds[2];

	for (int i = 0; i < 2; i++) {
		tcp_pair(fds, 0);
		side_init(&side, world, fds[0]);
		if (i == 0)
			close(fds[1]);
		else
			reset_peer(fds[1]);
		WAIT_UNTIL(world, side_state(&side) != CONN_OPEN);
		conn_tls_accept(side.conn, server_context);
		assert_int_equal(side_state(&side), CONN_BROKEN);
		assert_int_equal(conn_tls_verified(side.conn), -1);
		side_end(&side);
	}
}

/* A client in memory, of which each byte is carried to the socket by hand. */
struct raw {
	SSL *ssl;
	BIO *in, *out;
	int fd;
};

static void
raw_begin(struct raw *client, struct side *side, struct world *world)
{
	int fds[2];

	tcp_pair(fds, 0);
	side_init(side, world, fds[0]);
	*client = (struct raw) { SSL_new(client_context), BIO_new(BIO_s_mem()),
		BIO_new(BIO_s_mem()), fds[1] };
	SSL_set_bio(client->ssl, client->in, client->out);
	SSL_set_connect_state(client->ssl);
}

/* What has come goes in, up to `most` bytes go out. */
static void
raw_move(struct raw *client, int most)
{
	static char bytes[1 << 20];
	ssize_t got = recv(client->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (got > 0)
		BIO_write(client->in, bytes, (int)got);
	int count = BIO_read(client->out, bytes, most);

	if (count > 0)
		assert_int_equal(send(client->fd, bytes, (size_t)count, MSG_NOSIGNAL), count);
}

static void
raw_shake(struct raw *client, struct world *world, struct side *side, int most)
{
	conn_tls_accept(side->conn, server_context);
	for (double end = ev_time() + PATIENCE;
	     ev_time() < end && side_state(side) == CONN_HANDSHAKE;) {
		SSL_do_handshake(client->ssl);
		raw_move(client, most);
		ev_run(world->loop, EVRUN_NOWAIT);
	}
	assert_int_equal(side_state(side), CONN_OPEN);
}

static void
raw_write(struct raw *client, uint64_t from, int count)
{
	for (int i = 0; i < count; i++)
		assert_int_equal(
		    SSL_write(client->ssl, (char[]) { pattern_at(from + (uint64_t)i) }, 1), 1);
}

static void
raw_end(struct raw *client, struct side *side)
{
	SSL_free(client->ssl);
	if (client->fd >= 0)
		close(client->fd);
	side_end(side);
}

static void
test_byte_by_byte(void **state)
{
	struct world *world = *state;
	struct raw client;
	struct side side;
	char text[32] = "";

	raw_begin(&client, &side, world);
	raw_shake(&client, world, &side, 1);
	raw_write(&client, 0, 10);
	for (int i = 0; i < 1000 && side.received < 10; i++) {
		raw_move(&client, 1);
		ev_run(world->loop, EVRUN_NOWAIT);
	}
	WAIT_UNTIL(world, side.received == 10);
	assert_false(side.is_garbled);
	conn_print(side.conn, "250 ok\r\n");
	conn_flush(side.conn);
	usleep(1000);
	raw_move(&client, 1);
	assert_int_equal(SSL_read(client.ssl, text, sizeof(text)), 8);
	assert_string_equal(text, "250 ok\r\n");
	raw_end(&client, &side);
}

/* Mail peers leave without close_notify all day. */
static void
test_end_without_notice(void **state)
{
	struct world *world = *state;
	struct raw client;
	struct side side;

	for (int i = 0; i < 2; i++) {
		raw_begin(&client, &side, world);
		raw_shake(&client, world, &side, 1 << 20);
		world_run(world, 0.01);
		raw_move(&client, 1); /* what is unread would make the close a reset */
		if (i == 0)
			close(client.fd);
		else
			reset_peer(client.fd);
		client.fd = -1;
		WAIT_UNTIL(world, side_state(&side) != CONN_OPEN);
		assert_int_equal(side_state(&side), i == 0 ? CONN_CLOSED : CONN_BROKEN);
		if (i == 1)
			assert_string_equal(conn_why(side.conn), "TLS: Connection reset by peer");
		raw_end(&client, &side);
	}
}

/* Records without data bring no run to last: others have their turn between. */
static void
test_key_updates_without_end(void **state)
{
	struct world *world = *state;
	struct raw client;
	struct side side;

	raw_begin(&client, &side, world);
	raw_shake(&client, world, &side, 1 << 20);
	assert_string_equal(conn_tls_version(side.conn), "TLSv1.3");
	for (int i = 0; i < 6 * 1000; i++) {
		assert_int_equal(SSL_key_update(client.ssl, i % 2), 1);
		assert_int_equal(SSL_do_handshake(client.ssl), 1);
	}
	raw_write(&client, 0, 1);
	assert_true(BIO_pending(client.out) > 2 * 64 * 1024);
	unsigned runs = side.runs;

	for (int i = 0; i < 100; i++)
		raw_move(&client, 16 * 1024), ev_run(world->loop, EVRUN_NOWAIT);
	WAIT_UNTIL(world, side.received == 1);
	assert_true(side.runs > runs + 2);
	assert_false(side.is_garbled);
	raw_end(&client, &side);
}

/* Our last words, then theirs. */
static void
test_finish(void **state)
{
	struct world *world = *state;
	struct both both;

	both_open(&both, world, 0);
	both.client.is_deaf = true;
	conn_print(both.server.conn, "421 bye\r\n");
	conn_finish(both.server.conn);
	WAIT_UNTIL(world, side_state(&both.client) == CONN_CLOSED);
	assert_int_equal(conn_input(both.client.conn).length, 9);
	both.client.to_send = 50 * 1000;
	task_wake(&both.client.task);
	WAIT_UNTIL(world, both.server.received == 50 * 1000);
	side_end(&both.client);
	WAIT_UNTIL(world, side_state(&both.server) == CONN_CLOSED);
	both_end(&both);
}

static void
test_damaged_record(void **state)
{
	struct world *world = *state;
	struct raw client;
	struct side side;

	raw_begin(&client, &side, world);
	raw_shake(&client, world, &side, 1 << 20);
	put(client.fd,
	    "\x17\x03\x03"
	    "\x01\x01"
	    "plain text in the midst of it");
	for (int i = 0; i < 20; i++)
		put(client.fd, "and more of that");
	WAIT_UNTIL(world, side_state(&side) == CONN_BROKEN);
	assert_int_equal(side.received, 0);
	assert_non_null(strstr(conn_why(side.conn), "TLS: "));
	assert_int_equal(ERR_peek_error(), 0);
	raw_end(&client, &side);
}

/* STARTTLS as it goes: plain text, 220, handshake; what was typed ahead breaks it. */
static void
test_after_plain_text(void **state)
{
	struct world *world = *state;
	struct both both;

	for (int i = 0; i < 2; i++) {
		both_begin(&both, world, 0);
		both.server.is_deaf = both.client.is_deaf = true;
		conn_print(both.client.conn, "STARTTLS\r\n");
		conn_flush(both.client.conn);
		WAIT_UNTIL(world, conn_input(both.server.conn).length == 10);
		conn_take(both.server.conn, 10);
		conn_print(both.server.conn, "220 go\r\n");
		if (i == 1) {
			conn_print(both.client.conn, "RSET\r\n");
			conn_flush(both.client.conn);
		}
		conn_flush(both.server.conn);
		assert_int_equal(conn_discard(both.server.conn), 0);
		conn_tls_accept(both.server.conn, server_context);
		WAIT_UNTIL(world, conn_input(both.client.conn).length == 8);
		conn_take(both.client.conn, 8);
		conn_tls_connect(both.client.conn, client_context, "mx.example.com", true);
		conn_print(both.client.conn, "EHLO\r\n"); /* waits for the handshake */
		conn_flush(both.client.conn);
		WAIT_UNTIL(world, side_state(&both.server) != CONN_HANDSHAKE);
		assert_int_equal(side_state(&both.server), i == 0 ? CONN_OPEN : CONN_BROKEN);
		if (i == 0) {
			WAIT_UNTIL(world, conn_input(both.server.conn).length == 6);
			assert_memory_equal(conn_input(both.server.conn).data, "EHLO\r\n", 6);
		}
		both_end(&both);
	}
}

/* A handshake that comes in one packet with plain text that belongs before it. */
static void
test_after_a_proxy_line(void **state)
{
	struct world *world = *state;
	struct raw client;
	struct side side;
	char bytes[4096];

	raw_begin(&client, &side, world);
	conn_limit_input(side.conn, 15);
	side.is_deaf = true;
	SSL_do_handshake(client.ssl);
	memcpy(bytes, "PROXY UNKNOWN\r\n", 15);
	int count = BIO_read(client.out, bytes + 15, sizeof(bytes) - 15);

	assert_int_equal(write(client.fd, bytes, 15 + (size_t)count), 15 + count);
	WAIT_UNTIL(world, conn_input_is_full(side.conn));
	assert_memory_equal(conn_input(side.conn).data, "PROXY UNKNOWN\r\n", 15);
	conn_take(side.conn, 15);
	conn_limit_input(side.conn, CONN_INPUT_LEAST);
	raw_shake(&client, world, &side, 1 << 20);
	raw_end(&client, &side);
}

static void
test_freed_at_every_stage(void **state)
{
	struct world *world = *state;
	struct both both;

	for (int turns = 0; turns < 24; turns++) {
		both_begin(&both, world, 8192);
		conn_tls_accept(both.server.conn, server_context);
		conn_tls_connect(both.client.conn, client_context, "mx.example.com", true);
		both.client.to_send = both.server.to_send = 1000 * 1000;
		both.client.is_deaf = true;
		for (int i = 0; i < turns / 2; i++)
			ev_run(world->loop, EVRUN_NOWAIT);
		if (turns % 2)
			side_end(&both.client);
		else
			side_end(&both.server);
		world_run(world, 0.01);
		both_end(&both);
	}
}

/* Two places, taken by peers that say no more. */
static void
test_gate(void **state)
{
	struct world *world = *state;
	struct side stalled[3];
	struct both both;
	int fds[2], peers[3];

	tls_session_limit(2, 2);
	for (int i = 0; i < 3; i++) {
		tcp_pair(fds, 0);
		peers[i] = fds[1];
		side_init(&stalled[i], world, fds[0]);
		conn_tls_accept(stalled[i].conn, server_context);
		put(fds[1], "\x16");
		world_run(world, 0.01);
	}
	both_begin(&both, world, 0);
	conn_tls_accept(both.server.conn, server_context);
	conn_tls_connect(both.client.conn, client_context, "mx.example.com", true);
	world_run(world, 0.1);
	assert_int_equal(side_state(&both.server), CONN_HANDSHAKE);
	unsigned runs = both.server.runs;

	world_run(world, 0.05);
	assert_int_equal(both.server.runs, runs);
	side_end(&stalled[2]); /* which waited before us */
	side_end(&stalled[0]);
	WAIT_UNTIL(world, side_state(&both.server) == CONN_OPEN);
	both_end(&both);

	side_end(&stalled[1]);
	for (int i = 0; i < 3; i++)
		close(peers[i]);
}

/* A place counts for a while only, so peers that stall cannot keep others out. */
static void
test_gate_opens_by_itself(void **state)
{
	struct world *world = *state;
	struct side stalled[2];
	struct both both;
	int fds[2], peers[2];
	double begin = ev_time();

	tls_session_limit(2, 2);
	for (int i = 0; i < 2; i++) {
		tcp_pair(fds, 0);
		peers[i] = fds[1];
		side_init(&stalled[i], world, fds[0]);
		conn_tls_accept(stalled[i].conn, server_context);
		put(fds[1], "\x16");
		world_run(world, 0.01);
	}
	both_open(&both, world, 0);
	assert_true(ev_time() - begin > TLS_GATE_PATIENCE - 0.1);
	assert_true(ev_time() - begin < TLS_GATE_PATIENCE * 4);
	assert_int_equal(side_state(&stalled[0]), CONN_HANDSHAKE);
	both_end(&both);
	both_open(&both, world, 0); /* now without a wait */
	assert_true(ev_time() - begin < TLS_GATE_PATIENCE * 4);
	both_end(&both);
	for (int i = 0; i < 2; i++) {
		side_end(&stalled[i]);
		close(peers[i]);
	}
	tls_session_limit(TLS_SERVER_HANDSHAKES, TLS_CLIENT_HANDSHAKES);
}

/* Many records in OpenSSL's hands, of which the socket knows nothing more. */
static void
test_small_limit_and_read_ahead(void **state)
{
	struct world *world = *state;
	struct both both;

	for (int i = 0; i < 3; i++) {
		both_open(&both, world, 0);
		both.server.take_most = i == 0 ? 700 : 0;
		both.server.is_deaf = i == 2;
		both.client.to_send = 60 * 1000;
		task_wake(&both.client.task);
		if (i == 2) {
			WAIT_UNTIL(world, conn_input_is_full(both.server.conn));
			world_run(world, 0.03);
			unsigned runs = both.server.runs;

			world_run(world, 0.03);
			assert_int_equal(both.server.runs, runs);
			both.server.is_deaf = false;
			conn_limit_input(both.server.conn, CONN_INPUT_MOST);
		}
		WAIT_UNTIL(world, both.server.received == 60 * 1000);
		assert_false(both.server.is_garbled);
		assert_true(both.server.most_held <= (i == 2 ? CONN_INPUT_MOST : CONN_INPUT_LEAST));
		both_end(&both);
	}
}

/* Ten megabytes each way at once, with little room in the kernel and slow takers. */
static void
test_both_ways_under_pressure(void **state)
{
	struct world *world = *state;
	struct both both;

	both_open(&both, world, 8192);
	conn_limit_input(both.server.conn, CONN_INPUT_MOST);
	both.client.to_send = both.server.to_send = 10 * 1000 * 1000;
	both.client.is_deaf = both.server.is_deaf = true;
	task_wake(&both.client.task);
	task_wake(&both.server.task);
	world_run(world, 0.05);
	unsigned runs = both.client.runs + both.server.runs;

	world_run(world, 0.05); /* both are stuck, and at rest */
	assert_int_equal(both.client.runs + both.server.runs, runs);
	both.client.is_deaf = both.server.is_deaf = false;
	both.client.take_most = 3000;
	task_wake(&both.client.task);
	task_wake(&both.server.task);
	WAIT_UNTIL(world, both.server.received == 10 * 1000 * 1000);
	WAIT_UNTIL(world, both.client.received == 10 * 1000 * 1000);
	assert_false(both.server.is_garbled || both.client.is_garbled);
	assert_true(both.client.most_queued < CONN_ROOM + 16 * 1024 + 1);
	assert_true(both.client.most_held <= CONN_INPUT_LEAST);
	both_end(&both);
}

/* Another's error in OpenSSL's queue is not this connection's. */
static void
test_stale_errors(void **state)
{
	struct world *world = *state;
	struct both both;

	both_begin(&both, world, 0);
	conn_tls_accept(both.server.conn, server_context);
	conn_tls_connect(both.client.conn, client_context, "mx.example.com", true);
	both.client.to_send = both.server.to_send = 200 * 1000;
	for (double end = ev_time() + PATIENCE;
	     ev_time() < end && both.client.received + both.server.received < 400 * 1000;) {
		ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
		errno = ECONNRESET;
		ev_run(world->loop, EVRUN_NOWAIT);
	}
	assert_int_equal(both.client.received + both.server.received, 400 * 1000);
	ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
	both_end(&both);
	assert_int_equal(ERR_peek_error(), 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_handshake_and_a_line),
		TEST(test_verify),
		TEST(test_what_is_no_handshake),
		TEST(test_reset_in_handshake),
		TEST(test_start_with_a_peer_that_has_left),
		TEST(test_byte_by_byte),
		TEST(test_end_without_notice),
		TEST(test_key_updates_without_end),
		TEST(test_finish),
		TEST(test_damaged_record),
		TEST(test_after_plain_text),
		TEST(test_after_a_proxy_line),
		TEST(test_freed_at_every_stage),
		TEST(test_gate),
		TEST(test_gate_opens_by_itself),
		TEST(test_small_limit_and_read_ahead),
		TEST(test_both_ways_under_pressure),
		TEST(test_stale_errors),
	};

	return cmocka_run_group_tests_name("conn_tls", tests, group_setup, group_teardown);
}
