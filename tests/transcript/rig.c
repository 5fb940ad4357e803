#include "tests/transcript/rig.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/session.h"
#include "tests/transcript/rig_libc.h"

enum { TURNS_MOST = 200000 };

static struct rig *rig_present;

/* They are large, and each session undoes what it counts. */
static struct shared rig_counters = {
	.hash_key = { 0x9e3779b97f4a7c15, 0xc2b2ae3d27d4eb4f },
};

static void
rig_pair(int fds[2])
{
	int result = socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds);

	assert(result == 0);
}

static void
rig_end_init(struct rig_end *end)
{
	*end = (struct rig_end) { .fd = -1 };
	buf_init(&end->got, RIG_BUFFER);
	buf_init(&end->out, RIG_BUFFER);
}

static void
rig_end_free(struct rig_end *end)
{
	if (end->fd >= 0)
		close(end->fd);
	end->fd = -1;
	buf_free(&end->got);
	buf_free(&end->out);
}

/* Postern connects with fd, which becomes one end of a pair. */
static int
rig_on_connect(int fd)
{
	struct rig *rig = rig_present;
	int fds[2];

	if (rig->refusals > 0 || rig->count == RIG_BACKS) {
		rig->refusals -= rig->refusals > 0;
		return -1;
	}
	rig_pair(fds);
	dup3(fds[0], fd, O_CLOEXEC);
	close(fds[0]);
	rig->backs[rig->count++].fd = fds[1];
	return fds[1];
}

void
rig_begin(struct rig *rig, const struct config *config, const struct dns_row *rows)
{
	*rig = (struct rig) { .arena = arena_new(SIZE_MAX), .loop = ev_loop_new(EVBACKEND_POLL) };
	rig->dns = dns_fake_new(rig->arena, rig->loop, rows);
	dns_fake_allow_unknown(rig->dns);
	rig->worker =
	    worker_new(rig->arena, rig->loop, config, dns_fake_source(rig->dns), &rig_counters, 0);
	rig_end_init(&rig->front);
	for (size_t i = 0; i < RIG_BACKS; i++)
		rig_end_init(&rig->backs[i]);
	rig_present = rig;
	rig_accept = rig_on_connect;
}

void
rig_end(struct rig *rig)
{
	while (rig->worker->sessions != NULL)
		arena_free(rig->worker->sessions->arena);
	arena_free(rig->arena);
	ev_loop_destroy(rig->loop);
	rig_end_free(&rig->front);
	for (size_t i = 0; i < RIG_BACKS; i++)
		rig_end_free(&rig->backs[i]);
	rig_accept = NULL;
	rig_present = NULL;
}

void
rig_client(struct rig *rig, const char *address)
{
	struct sockaddr_storage peer;
	struct ip ip;
	int fds[2];

	rig_end_free(&rig->front);
	rig_end_init(&rig->front);
	rig_pair(fds);
	rig->front.fd = fds[1];
	ip_read(&ip, slice_of(address));
	ip_to_sockaddr(&ip, 40000, &peer);
	session_new(
	    rig->worker, fds[0], rig->worker->config->listen.item, (const struct sockaddr *)&peer);
}

void
rig_say(struct rig_end *end, struct slice bytes)
{
	buf_append(&end->out, bytes);
}

void
rig_close(struct rig_end *end)
{
	end->is_closing = true;
}

bool
rig_is_gone(const struct rig_end *end)
{
	return end->is_over || end->is_closing;
}

/* What cannot be sent any more is forgotten, as a peer's kernel does. */
static bool
rig_send(struct rig_end *end)
{
	bool has_moved = false;

	while (end->fd >= 0 && end->out.length > 0) {
		ssize_t sent = send(end->fd, end->out.data, end->out.length, MSG_NOSIGNAL);

		if (sent < 0 && errno == EAGAIN)
			return has_moved;
		buf_take(&end->out, sent > 0 ? (size_t)sent : end->out.length);
		has_moved = true;
	}
	if (end->fd >= 0 && end->is_closing) {
		close(end->fd);
		end->fd = -1;
		has_moved = true;
	}
	return has_moved;
}

static bool
rig_receive(struct rig_end *end)
{
	bool has_moved = false;

	while (end->fd >= 0 && !end->is_over && !end->is_deaf) {
		char *room = buf_reserve(&end->got, 64 * 1024);
		ssize_t count;

		assert(room != NULL);
		count = recv(end->fd, room, 64 * 1024, 0);
		if (count < 0 && errno == EAGAIN)
			break;
		has_moved = true;
		if (count <= 0)
			end->is_over = true;
		else
			buf_commit(&end->got, (size_t)count);
	}
	return has_moved;
}

/* Hears first: what postern has said is not lost by a close. */
static bool
rig_exchange(struct rig_end *end)
{
	bool has_received = rig_receive(end), has_sent = rig_send(end);

	return has_received || has_sent;
}

void
rig_settle(struct rig *rig)
{
	const struct task *queue = &rig->worker->tasks.head;
	bool moves = true;

	for (unsigned turns = 0; moves; turns++) {
		assert(turns < TURNS_MOST);
		ev_run(rig->loop, EVRUN_NOWAIT);
		moves = rig_exchange(&rig->front);
		for (size_t i = 0; i < rig->count; i++)
			moves |= rig_exchange(&rig->backs[i]);
		moves |= queue->next != queue;
		if (rig->on_turn != NULL)
			rig->on_turn(rig->arg);
	}
}

void
rig_pass(double seconds)
{
	rig_clock += seconds;
}
