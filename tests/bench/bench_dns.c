/*
 * What asking costs, with libunbound in the loop and a name server in the same process: CPU
 * time with the server's share in it where it is asked, without where the cache answers.
 */
#include <arpa/inet.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/dns_unbound.h"

enum { ASKS = 200000, AGAIN = 400, BURST = 2000 };

static struct ev_loop *loop;
static struct task_queue queue;
static char server_address[32];

static double
bench_cpu(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void
bench_no_run(void *arg)
{
	(void)arg;
}

/* Every name has one address, one PTR record; "none..." does not exist, "silent..." is not answered. */
static void
server_on_packet(struct ev_loop *where, ev_io *io, int events)
{
	unsigned char packet[1024];
	struct sockaddr_in peer;
	socklen_t peer_size = sizeof(peer);

	(void)where, (void)events;
	while (recvfrom(io->fd, packet, sizeof(packet), MSG_DONTWAIT, (struct sockaddr *)&peer,
		   &peer_size) > 17) {
		size_t length = 12 + strlen((char *)packet + 12) + 5;
		bool is_none = packet[13] == 'n', is_ptr = packet[length - 3] == DNS_PTR;
		unsigned char record[] = { 0xc0, 0x0c, 0, packet[length - 3], 0, 1, 0, 0, 1, 44, 0,
			4, is_ptr ? 2 : 198, is_ptr ? 'm' : 51, is_ptr ? 'x' : 100,
			is_ptr ? 0 : 5 };

		packet[2] = 0x85;
		packet[3] = is_none ? 0x83 : 0x80;
		packet[7] = !is_none;
		packet[9] = packet[11] = 0;
		memcpy(packet + length, record, sizeof(record));
		if (packet[13] != 's')
			sendto(io->fd, packet, length + (is_none ? 0 : sizeof(record)), 0,
			    (struct sockaddr *)&peer, peer_size);
	}
}

static void
server_begin(ev_io *io)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&address, size) != 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &size) != 0)
		abort();
	snprintf(server_address, sizeof(server_address), "127.0.0.1:%u", ntohs(address.sin_port));
	ev_io_init(io, server_on_packet, fd, EV_READ);
	ev_io_start(loop, io);
}

static struct dns *
bench_dns(struct arena **arena, struct dns_source *source)
{
	*arena = arena_new(64 << 20);
	struct task *task = arena_alloc(*arena, sizeof(*task));

	task_init(task, *arena, &queue, bench_no_run, NULL);
	return dns_new(*arena, source, task);
}

static void
bench_wait(struct dns *dns, enum dns_type type, const char *name)
{
	while (dns_ask(dns, type, name) == NULL)
		ev_run(loop, EVRUN_ONCE);
}

/* A session of its own for each question, all answered by libunbound's cache. */
static void
bench_cached(struct dns_source *source, enum dns_type type, const char *name)
{
	struct arena *arena;

	bench_wait(bench_dns(&arena, source), type, name);
	arena_free(arena);
	double start = bench_cpu();

	for (int i = 0; i < ASKS; i++) {
		if (dns_ask(bench_dns(&arena, source), type, name) == NULL)
			abort();
		arena_free(arena);
	}
	printf("cached, a new session each   %6.2f us  %s\n", (bench_cpu() - start) / ASKS * 1e6,
	    name);
}

/* What a filter that is run again pays: one session with its questions, asked again. */
static void
bench_again(struct dns_source *source, int count)
{
	char names[AGAIN][64];
	struct arena *arena;
	struct dns *dns = bench_dns(&arena, source);
	size_t size = 0;

	for (int i = 0; i < count; i++) {
		snprintf(names[i], sizeof(names[i]), "none%d.100.51.198.bl.example", i);
		bench_wait(dns, DNS_A, names[i]);
	}
	size = arena_size(arena);
	double start = bench_cpu();

	for (int i = 0; i < ASKS; i++)
		if (dns_ask(dns, DNS_A, names[i % count]) == NULL)
			abort();
	printf("asked again, of %3d          %6.3f us  session's arena %zu bytes\n", count,
	    (bench_cpu() - start) / ASKS * 1e6, size);
	arena_free(arena);
}

static void
bench_burst(struct dns_source *source, const char *kind)
{
	struct arena *arena;
	struct dns *dns = bench_dns(&arena, source);
	char name[64];
	size_t heap = mallinfo2().uordblks;
	double start = clock_seconds(), cpu = bench_cpu(), asked, most = 0;

	source->question_limit = BURST;
	for (int i = 0; i < BURST; i++) {
		snprintf(name, sizeof(name), "%s%d.example", kind, i);
		dns_ask(dns, DNS_A, name);
	}
	asked = clock_seconds() - start;
	most = (double)(mallinfo2().uordblks - heap);
	for (int i = 0; i < BURST; i++) {
		snprintf(name, sizeof(name), "%s%d.example", kind, i);
		bench_wait(dns, DNS_A, name);
	}
	printf("%d at once, %-6s         %6.1f us CPU each; asked in %.0f ms, answered in %.0f ms, "
	       "%.1f KB each\n",
	    BURST, kind, (bench_cpu() - cpu) / BURST * 1e6, asked * 1e3,
	    (clock_seconds() - start) * 1e3, most / BURST / 1024);
	arena_free(arena);
}

int
main(void)
{
	const char *why, *const forwarders[] = { server_address, NULL };
	struct arena *worker = arena_new(1 << 20);
	ev_io io;

	loop = ev_loop_new(EVFLAG_AUTO);
	task_queue_init(&queue, loop);
	server_begin(&io);
	double start = clock_seconds();
	struct dns_source *source = dns_unbound_new(worker, loop,
	    &(struct dns_options) { .forwarders = forwarders, .time_limit = 2 }, &why);

	if (source == NULL) {
		fprintf(stderr, "%s\n", why);
		return EXIT_FAILURE;
	}
	printf("start                        %6.2f ms\n", (clock_seconds() - start) * 1e3);
	bench_cached(source, DNS_PTR, "5.100.51.198.in-addr.arpa");
	bench_cached(source, DNS_A, "mx.example");
	bench_cached(source, DNS_A, "none.example");
	bench_again(source, 6);
	bench_again(source, 30);
	bench_again(source, AGAIN);
	bench_burst(source, "a");
	bench_burst(source, "none");
	bench_burst(source, "silent");
	start = clock_seconds();
	arena_free(worker);
	printf("end, %d under way          %6.2f ms\n", BURST, (clock_seconds() - start) * 1e3);
	ev_io_stop(loop, &io);
	close(io.fd);
	ev_loop_destroy(loop);
	return EXIT_SUCCESS;
}
