#include "tests/unit/sides.h"

static void
test_a_line_and_its_reply(void **state)
{
	struct world *world = *state;
	struct side side;
	int fds[2];

	tcp_pair(fds, 0);
	side_init(&side, world, fds[0]);
	put(fds[1], "EHLO there\r\n");
	WAIT_UNTIL(world, side.received == 12);
	assert_string_equal(side.text, "EHLO there\r\n");
	conn_print(side.conn, "250-%s\r\n", "mx.example.net");
	conn_write(side.conn, slice_of("250 HELP\r\n"));
	assert_int_equal(conn_queued(side.conn), 30);
	conn_flush(side.conn);
	assert_int_equal(conn_queued(side.conn), 0);
	expect_text(world, fds[1], "250-mx.example.net\r\n250 HELP\r\n");
	assert_int_equal(conn_bytes_in(side.conn), 12);
	assert_int_equal(conn_bytes_out(side.conn), 30);
	assert_string_equal(conn_why(side.conn), "");
	assert_null(conn_tls_version(side.conn));
	assert_int_equal(conn_tls_verified(side.conn), -1);
	close(fds[1]);
	WAIT_UNTIL(world, side_state(&side) == CONN_CLOSED);
	side_end(&side);
}

static void
test_byte_by_byte(void **state)
{
	struct world *world = *state;
	const char *text = "MAIL FROM:<a@example.org>\r\n";
	struct side side;
	int fds[2];

	tcp_pair(fds, 0);
	side_init(&side, world, fds[0]);
	side.is_deaf = true;
	for (size_t i = 0; text[i] != '\0'; i++) {
		assert_int_equal(write(fds[1], text + i, 1), 1);
		WAIT_UNTIL(world, conn_input(side.conn).length == i + 1);
		assert_memory_equal(conn_input(side.conn).data, text, i + 1);
	}
	conn_take(side.conn, 5);
	assert_memory_equal(conn_input(side.conn).data, "FROM:", 5);
	assert_int_equal(conn_discard(side.conn), strlen(text) - 5);
	assert_int_equal(conn_input(side.conn).length, 0);
	assert_int_equal(conn_discard(side.conn), 0);
	side_end(&side);
	close(fds[1]);
}

/* Full: nothing more is read, and the loop does not spin. */
static void
test_input_has_a_limit(void **state)
{
	struct world *world = *state;
	static char much[200 * 1000];
	struct side side;
	int fds[2];

	tcp_pair(fds, 0);
	side_init(&side, world, fds[0]);
	side.is_deaf = true;
	for (size_t i = 0; i < sizeof(much); i++)
		much[i] = pattern_at(i);
	assert_true(send(fds[1], much, sizeof(much), 0) == sizeof(much));
	WAIT_UNTIL(world, conn_input_is_full(side.conn));
	assert_int_equal(conn_input(side.conn).length, CONN_INPUT_LEAST);
	unsigned runs = side.runs;

	world_run(world, 0.05);
	assert_int_equal(side.runs, runs);
	conn_limit_input(side.conn, CONN_INPUT_MOST);
	assert_false(conn_input_is_full(side.conn));
	WAIT_UNTIL(world, conn_input_is_full(side.conn));
	assert_int_equal(conn_input(side.conn).length, CONN_INPUT_MOST);
	assert_true(side.runs <= runs + 3);
	conn_limit_input(side.conn, CONN_INPUT_LEAST);
	assert_int_equal(conn_input(side.conn).length, CONN_INPUT_MOST);
	conn_take(side.conn, 1); /* still far above the limit */
	runs = side.runs;
	world_run(world, 0.05);
	assert_int_equal(side.runs, runs);
	side.received = 1;
	side.is_deaf = false;
	task_wake(&side.task);
	WAIT_UNTIL(world, side.received == sizeof(much));
	assert_false(side.is_garbled);
	side_end(&side);
	close(fds[1]);
}

static void
test_takes_of_every_size(void **state)
{
	struct world *world = *state;
	static const size_t sizes[] = { 1000, 3, 5000, 30000, 1 << 20 };
	struct side sender, taker;
	int fds[2];

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		tcp_pair(fds, 0);
		set_nonblocking(fds[1]);
		side_init(&sender, world, fds[1]);
		side_init(&taker, world, fds[0]);
		taker.take_most = sizes[i];
		conn_limit_input(taker.conn, i % 2 ? CONN_INPUT_LEAST : CONN_INPUT_MOST);
		sender.to_send = sizes[i] < 100 ? 50000 : 1000 * 1000;
		task_wake(&sender.task);
		WAIT_UNTIL(world, taker.received == sender.to_send);
		assert_false(taker.is_garbled);
		side_end(&sender);
		side_end(&taker);
	}
}

/* Half closed: what was sent before is read, replies still go out. */
static void
test_peer_ends_its_side(void **state)
{
	struct world *world = *state;
	struct side side;
	int fds[2];

	tcp_pair(fds, 0);
	side_init(&side, world, fds[0]);
	side.is_deaf = true;
	put(fds[1], "QUIT\r\n");
	shutdown(fds[1], SHUT_WR);
	WAIT_UNTIL(world, side_state(&side) == CONN_CLOSED);
	assert_int_equal(conn_input(side.conn).length, 6);
	unsigned runs = side.runs;

	world_run(world, 0.05);
	assert_int_equal(side.runs, runs);
	conn_take(side.conn, 6);
	conn_print(side.conn, "221 bye\r\n");
	conn_flush(side.conn);
	expect_text(world, fds[1], "221 bye\r\n");
	side_end(&side);
	close(fds[1]);
}

static void
test_reset(void **state)
{
	struct world *world = *state;
	struct side side;
	int fds[2];

	tcp_pair(fds, 0);
	side_init(&side, world, fds[0]);
	world_run(world, 0.01);
	reset_peer(fds[1]);
	WAIT_UNTIL(world, side_state(&side) == CONN_BROKEN);
	assert_string_equal(conn_why(side.conn), "read: Connection reset by peer");
	conn_print(side.conn, "421 too late\r\n");
	conn_flush(side.conn);
	conn_pull(side.conn);
	assert_int_equal(conn_queued(side.conn), 0);
	side_end(&side);
}

/* What came since the loop has told of input is seen by a look; nothing is sent by it. */
static void
test_look(void **state)
{
	struct world *world = *state;
	struct side side;
	int fds[2];

	tcp_pair(fds, 0);
	side_init(&side, world, fds[0]);
	side.is_deaf = true;
	world_run(world, 0.01);
	conn_print(side.conn, "the end\r\n");
	conn_look(side.conn);
	assert_int_equal(conn_input(side.conn).length, 0);
	put(fds[1], "250 already\r\n");
	usleep(10000);
	conn_look(side.conn);
	assert_int_equal(conn_input(side.conn).length, strlen("250 already\r\n"));
	assert_int_equal(conn_queued(side.conn), strlen("the end\r\n"));
	close(fds[1]);
	usleep(10000);
	conn_look(side.conn);
	assert_int_equal(conn_state(side.conn), CONN_CLOSED);
	conn_look(side.conn);
	side_end(&side);
}

/* The peer says why, leaves, and answers our next line with a reset: its words are not lost. */
static void
test_last_words_are_read(void **state)
{
	struct world *world = *state;
	struct side side;
	int fds[2];

	tcp_pair(fds, 0);
	side_init(&side, world, fds[0]);
	side.is_deaf = true;
	world_run(world, 0.01);
	put(fds[1], "421 busy\r\n");
	close(fds[1]);
	assert_int_equal(send(fds[0], "x", 1, 0), 1); /* the reset comes back for this */
	usleep(10000);
	conn_print(side.conn, "DATA\r\n");
	conn_flush(side.conn);
	assert_int_equal(conn_queued(side.conn), 0);
	conn_print(side.conn, "to nobody\r\n");
	assert_int_equal(conn_queued(side.conn), 0);
	WAIT_UNTIL(world, side_state(&side) == CONN_BROKEN); /* the task has been told */
	assert_non_null(strstr(conn_why(side.conn), "write: "));
	assert_int_equal(conn_input(side.conn).length, 10);
	assert_memory_equal(conn_input(side.conn).data, "421 busy\r\n", 10);
	side_end(&side);
}

/* Input that nobody has read must not make the kernel destroy the reply. */
static void
test_last_reply_survives_the_close(void **state)
{
	struct world *world = *state;
	struct side side;
	static char much[50000];
	char reply[64] = "";
	int fds[2];

	tcp_pair(fds, 0);
	side_init(&side, world, fds[0]);
	side.is_deaf = true;
	assert_true(write(fds[1], much, sizeof(much)) == sizeof(much));
	WAIT_UNTIL(world, conn_input_is_full(side.conn));
	conn_print(side.conn, "421 enough\r\n");
	conn_flush(side.conn);
	side_end(&side);
	usleep(10000);
	assert_int_equal(read(fds[1], reply, sizeof(reply)), 12);
	assert_int_equal(read(fds[1], reply, sizeof(reply)), 0);
	close(fds[1]);
}

/* The direction is shut down only when the slow reader has got all. */
static void
test_finish(void **state)
{
	struct world *world = *state;
	struct side sender, taker;
	int fds[2];

	tcp_pair(fds, 8192);
	set_nonblocking(fds[1]);
	side_init(&sender, world, fds[0]);
	side_init(&taker, world, fds[1]);
	taker.is_deaf = true;
	sender.to_send = CONN_ROOM;
	side_send(&sender);
	conn_finish(sender.conn);
	world_run(world, 0.05);
	assert_true(conn_queued(sender.conn) > 0);
	assert_int_equal(side_state(&sender), CONN_OPEN);
	taker.is_deaf = false;
	taker.to_send = 1000;
	task_wake(&taker.task);
	WAIT_UNTIL(world, side_state(&taker) == CONN_CLOSED && taker.received == CONN_ROOM);
	WAIT_UNTIL(world, sender.received == 1000); /* the other direction lives */
	side_end(&taker);
	WAIT_UNTIL(world, side_state(&sender) == CONN_CLOSED);
	side_end(&sender);
}

static void
test_close_twice(void **state)
{
	struct world *world = *state;
	struct side side;
	char byte;
	int fds[2];

	tcp_pair(fds, 0);
	side_init(&side, world, fds[0]);
	put(fds[1], "x");
	conn_print(side.conn, "not flushed");
	conn_close(side.conn);
	conn_close(side.conn);
	assert_int_equal(side_state(&side), CONN_BROKEN);
	assert_string_equal(conn_why(side.conn), "closed");
	assert_int_equal(read(fds[1], &byte, 1), 0);
	conn_pull(side.conn);
	conn_limit_input(side.conn, CONN_INPUT_MOST);
	assert_int_equal(conn_input(side.conn).length, 0);
	side_end(&side);
	close(fds[1]);
}

/* Ten megabytes to a peer that reads slowly: the queue stays within its bounds. */
static void
test_slow_reader(void **state)
{
	struct world *world = *state;
	struct side sender, taker;
	int fds[2];

	tcp_pair(fds, 8192);
	set_nonblocking(fds[1]);
	side_init(&sender, world, fds[0]);
	side_init(&taker, world, fds[1]);
	sender.to_send = 10 * 1000 * 1000;
	taker.is_deaf = true;
	task_wake(&sender.task);
	world_run(world, 0.05);
	unsigned runs = sender.runs;

	world_run(world, 0.05); /* blocked, and at rest */
	assert_int_equal(sender.runs, runs);
	assert_int_equal(conn_room(sender.conn), 0);
	assert_int_equal(conn_bytes_in(taker.conn), CONN_INPUT_LEAST);
	taker.is_deaf = false;
	task_wake(&taker.task);
	WAIT_UNTIL(world, taker.received == sender.to_send);
	assert_false(taker.is_garbled);
	assert_true(taker.most_held <= CONN_INPUT_LEAST);
	assert_true(sender.most_queued < CONN_ROOM + 16 * 1024 + 1);
	assert_int_equal(conn_queued(sender.conn), 0);
	assert_int_equal(conn_bytes_out(sender.conn), sender.to_send);
	side_end(&sender);
	side_end(&taker);
}

static void
test_peer_that_never_reads_is_broken_off(void **state)
{
	struct world *world = *state;
	struct side side;
	int fds[2];

	tcp_pair(fds, 8192);
	side_init(&side, world, fds[0]);
	for (int i = 0; i < 100 * 1000 && side_state(&side) == CONN_OPEN; i++) {
		conn_print(side.conn, "250 %s\r\n", "a reply of ordinary length to some command");
		conn_flush(side.conn);
		assert_true(conn_queued(side.conn) <= CONN_OUTPUT_MOST);
	}
	assert_int_equal(side_state(&side), CONN_BROKEN);
	assert_string_equal(conn_why(side.conn), "the peer does not read what it is sent");
	WAIT_UNTIL(world, side.runs > 0);
	side_end(&side);
	close(fds[1]);
}

/* One write of more than the queue may hold is fine while the peer reads. */
static void
test_one_large_write(void **state)
{
	struct world *world = *state;
	struct side side, taker;
	static char much[600 * 1000];
	int fds[2], size = 4 * 1024 * 1024;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	setsockopt(fds[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	side_init(&side, world, fds[0]);
	side_init(&taker, world, fds[1]);
	for (size_t i = 0; i < sizeof(much); i++)
		much[i] = pattern_at(i);
	conn_write(side.conn, (struct slice) { much, 300 * 1000 });
	conn_flush(side.conn);
	WAIT_UNTIL(world, taker.received == 300 * 1000);
	conn_write(side.conn, (struct slice) { much, 0 });
	assert_int_equal(conn_queued(side.conn), 0);
	assert_false(taker.is_garbled);
	side_end(&side);
	side_end(&taker);
}

static void
test_connect(void **state)
{
	struct world *world = *state;
	struct sockaddr_in address, source = { .sin_family = AF_INET };
	int waiting = listener(&address, 8);
	struct side side;

	inet_pton(AF_INET, "127.0.0.9", &source.sin_addr);
	for (int i = 0; i < 2; i++) {
		struct sockaddr_in from;
		socklen_t size = sizeof(from);

		side_begin(&side, world);
		side.conn = conn_connect(side.arena, world->loop, (struct sockaddr *)&address,
		    i == 1 ? (struct sockaddr *)&source : NULL, &side.task);
		assert_int_equal(side_state(&side), CONN_CONNECTING);
		conn_print(side.conn, "EHLO early\r\n"); /* waits */
		conn_flush(side.conn);
		assert_int_equal(conn_queued(side.conn), 12);
		WAIT_UNTIL(world, side_state(&side) == CONN_OPEN);

		int fd = accept(waiting, (struct sockaddr *)&from, &size);

		expect_text(world, fd, "EHLO early\r\n");
		if (i == 1)
			assert_int_equal(from.sin_addr.s_addr, source.sin_addr.s_addr);
		put(fd, "220 hello\r\n");
		WAIT_UNTIL(world, side.received == 11);
		close(fd);
		side_end(&side);
	}
	close(waiting);
}

static void
test_connect_refused(void **state)
{
	struct world *world = *state;
	struct sockaddr_in address;
	struct side side;

	close(listener(&address, 1));
	side_begin(&side, world);
	side.conn =
	    conn_connect(side.arena, world->loop, (struct sockaddr *)&address, NULL, &side.task);
	WAIT_UNTIL(world, side_state(&side) == CONN_BROKEN);
	assert_string_equal(conn_why(side.conn), "cannot connect: Connection refused");
	side_end(&side);
}

static void
test_connect_fails_at_once(void **state)
{
	struct world *world = *state;
	struct sockaddr_in address, source;
	struct sockaddr nonsense = { .sa_family = 250 };
	int waiting = listener(&source, 1); /* so this port is taken */
	struct side side;

	close(listener(&address, 1));
	for (int i = 0; i < 3; i++) {
		side_begin(&side, world);
		side.conn = conn_connect(side.arena, world->loop,
		    i == 0 ? &nonsense : (struct sockaddr *)&address,
		    i == 1       ? (struct sockaddr *)&source
			: i == 2 ? &nonsense
				 : NULL,
		    &side.task);
		assert_int_equal(side_state(&side), CONN_BROKEN);
		assert_non_null(
		    strstr(conn_why(side.conn), i == 0 ? "no socket: " : "source address: "));
		WAIT_UNTIL(world, side.runs > 0);
		side_end(&side);
	}
	close(waiting);
}

/* Freed at every stage; AddressSanitizer and the descriptors tell whether all was undone. */
static void
test_freed_at_every_stage(void **state)
{
	struct world *world = *state;
	struct sockaddr_in address;
	int waiting = listener(&address, 8), fds[2], lowest = dup(0);
	struct side side;

	close(lowest);
	side_begin(&side, world);
	side.conn =
	    conn_connect(side.arena, world->loop, (struct sockaddr *)&address, NULL, &side.task);
	side_end(&side);
	for (int stage = 0; stage < 4; stage++) {
		tcp_pair(fds, 4096);
		side_init(&side, world, fds[0]);
		side.is_deaf = true;
		put(fds[1], "some input\r\n");
		if (stage > 0)
			WAIT_UNTIL(world, conn_input(side.conn).length > 0);
		if (stage > 1)
			side.to_send = 10 * 1000 * 1000;
		task_wake(&side.task);
		if (stage > 2)
			world_run(world, 0.02);
		side_end(&side);
		world_run(world, 0.01);
		close(fds[1]);
	}
	fds[0] = dup(0);
	assert_int_equal(fds[0], lowest);
	close(fds[0]);
	close(waiting);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_line_and_its_reply),
		TEST(test_byte_by_byte),
		TEST(test_input_has_a_limit),
		TEST(test_takes_of_every_size),
		TEST(test_peer_ends_its_side),
		TEST(test_reset),
		TEST(test_look),
		TEST(test_last_words_are_read),
		TEST(test_last_reply_survives_the_close),
		TEST(test_finish),
		TEST(test_close_twice),
		TEST(test_slow_reader),
		TEST(test_peer_that_never_reads_is_broken_off),
		TEST(test_one_large_write),
		TEST(test_connect),
		TEST(test_connect_refused),
		TEST(test_connect_fails_at_once),
		TEST(test_freed_at_every_stage),
	};

	return cmocka_run_group_tests_name("conn", tests, NULL, NULL);
}
