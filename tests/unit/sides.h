/*
 * sides: sessions in miniature around a conn, for tests.
 *
 * A side pulls in each run, takes what has come (unless it is deaf) and writes what it is to
 * send, as far as there is room. What is sent is a pattern by which the other side sees that
 * nothing was lost, doubled or changed.
 */
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/conn.h"

#define PATIENCE 20.0 /* seconds until a test that waits has failed */

struct world {
	struct ev_loop *loop;
	struct task_queue queue;
	ev_timer tick; /* so that the loop always comes back */
};

struct side {
	struct world *world;
	struct arena *arena;
	struct task task;
	struct conn *conn;
	bool is_deaf;
	size_t take_most; /* per run; 0: all */
	uint64_t to_send, sent, received;
	bool is_garbled; /* what came was not the pattern */
	char text[512];  /* the first of what came */
	unsigned runs;
	size_t most_held, most_queued;
};

static inline void
world_on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop, (void)timer, (void)events;
}

static inline int
world_setup(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	signal(SIGPIPE, SIG_IGN);
	world->loop = ev_loop_new(EVFLAG_AUTO);
	task_queue_init(&world->queue, world->loop);
	ev_timer_init(&world->tick, world_on_tick, 0.005, 0.005);
	ev_timer_start(world->loop, &world->tick);
	*state = world;
	return 0;
}

static inline int
world_teardown(void **state)
{
	struct world *world = *state;

	ev_loop_destroy(world->loop);
	free(world);
	return 0;
}

static inline void
world_run(struct world *world, double seconds)
{
	ev_now_update(world->loop);
	for (double end = ev_time() + seconds; ev_time() < end;)
		ev_run(world->loop, EVRUN_ONCE);
}

#define WAIT_UNTIL(world, condition)                                                               \
	do {                                                                                       \
		double give_up = ev_time() + PATIENCE;                                             \
		while (!(condition) && ev_time() < give_up)                                        \
			ev_run((world)->loop, EVRUN_ONCE);                                         \
		assert_true(condition);                                                            \
	} while (0)

static inline char
pattern_at(uint64_t at)
{
	return (char)(at * 131 + at / 251);
}

static inline void
side_take(struct side *side)
{
	struct slice input = conn_input(side->conn);
	size_t count = input.length;

	if (input.length > side->most_held)
		side->most_held = input.length;
	if (side->is_deaf || count == 0)
		return;
	if (side->take_most > 0 && count > side->take_most)
		count = side->take_most;
	for (size_t i = 0; i < count; i++, side->received++) {
		if (input.data[i] != pattern_at(side->received))
			side->is_garbled = true;
		if (side->received < sizeof(side->text) - 1)
			side->text[side->received] = input.data[i];
	}
	conn_take(side->conn, count);
	if (conn_input(side->conn).length > 0)
		task_wake(&side->task);
}

static inline void
side_send(struct side *side)
{
	char bytes[16 * 1024];

	while (side->sent < side->to_send && conn_room(side->conn) > 0) {
		size_t count = side->sent % 7 == 0 ? sizeof(bytes) : 1000;

		if (count > side->to_send - side->sent)
			count = (size_t)(side->to_send - side->sent);
		for (size_t i = 0; i < count; i++)
			bytes[i] = pattern_at(side->sent++);
		conn_write(side->conn, (struct slice) { bytes, count });
		if (conn_queued(side->conn) > side->most_queued)
			side->most_queued = conn_queued(side->conn);
		if (conn_state(side->conn) == CONN_BROKEN)
			return;
	}
}

static inline void
side_run(void *arg)
{
	struct side *side = arg;

	side->runs++;
	conn_pull(side->conn);
	side_take(side);
	if (conn_state(side->conn) == CONN_OPEN || conn_state(side->conn) == CONN_CLOSED)
		side_send(side);
	conn_flush(side->conn);
}

static inline void
side_begin(struct side *side, struct world *world)
{
	*side = (struct side) { .world = world, .arena = arena_new(1 << 20) };
	task_init(&side->task, side->arena, &world->queue, side_run, side);
}

static inline void
side_init(struct side *side, struct world *world, int fd)
{
	side_begin(side, world);
	side->conn = conn_new(side->arena, world->loop, fd, &side->task);
}

static inline void
side_end(struct side *side)
{
	if (side->arena != NULL)
		arena_free(side->arena);
	side->arena = NULL;
}

static inline enum conn_state
side_state(const struct side *side)
{
	return conn_state(side->conn);
}

/* Loopback */

static inline int
listener(struct sockaddr_in *address, int backlog)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t size = sizeof(*address);

	*address = (struct sockaddr_in) { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	assert_int_equal(bind(fd, (struct sockaddr *)address, size), 0);
	assert_int_equal(listen(fd, backlog), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)address, &size), 0);
	return fd;
}

static inline void
set_nonblocking(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

/* fds[0] is nonblocking, for a conn; fds[1] blocks; small buffers in the kernel if wanted. */
static inline void
tcp_pair(int fds[2], int buffer)
{
	struct sockaddr_in address;
	int waiting = listener(&address, 1);

	fds[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (buffer > 0) {
		setsockopt(waiting, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
		setsockopt(waiting, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
		setsockopt(fds[1], SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
		setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
	}
	assert_int_equal(connect(fds[1], (struct sockaddr *)&address, sizeof(address)), 0);
	fds[0] = accept4(waiting, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_true(fds[0] >= 0);
	close(waiting);
}

/* Closes so that the other end gets a reset. */
static inline void
reset_peer(int fd)
{
	struct linger now = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}

static inline void
put(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* Reads until the text has come, turning the loop meanwhile. */
static inline void
expect_text(struct world *world, int fd, const char *text)
{
	char got[256] = "";
	size_t length = 0;

	for (double end = ev_time() + PATIENCE; length < strlen(text) && ev_time() < end;) {
		ssize_t count = recv(fd, got + length, strlen(text) - length, MSG_DONTWAIT);

		if (count == 0 || (count < 0 && errno != EAGAIN))
			break;
		if (count > 0)
			length += (size_t)count;
		else
			ev_run(world->loop, EVRUN_ONCE);
	}
	assert_string_equal(got, text);
}
