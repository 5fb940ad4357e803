/*
 * What a connection costs: memory while it is idle, server's CPU per handshake and per byte.
 *
 * The clients are a process of their own, so that only the server's side is counted. Each
 * idle session has sent one line and has got one reply. bench/conn [SESSIONS]
 */
#include <assert.h>
#include <malloc.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "lib/conn.h"
#include "lib/tls.h"
#include "tests/unit/certificates.h"

enum { BULK = 400 * 1000 * 1000, PIECE = 64 * 1024 };

enum stage { PLAIN, TLS_WAITING, TLS_BEGUN, TLS_OPEN };

static struct bench {
	struct ev_loop *loop;
	struct task_queue queue;
	struct certificates made;
	struct arena *arena;
	SSL_CTX *server, *client;
	int waiting;
	struct sockaddr_in address;
	unsigned count, ready;
	uint64_t received;
} bench;

struct session {
	struct arena *arena;
	struct task task;
	struct conn *conn;
};

static void
session_run(void *arg)
{
	struct session *session = arg;

	conn_pull(session->conn);
	struct slice input = conn_input(session->conn);

	if (bench.count > 1 && input.length == 12) {
		bench.ready++;
		ev_break(bench.loop, EVBREAK_ONE);
		conn_print(session->conn, "250 mx.example.com at your service\r\n");
	}
	bench.received += input.length;
	conn_take(session->conn, input.length);
	conn_flush(session->conn);
}

static struct session *
session_new(int fd, bool tls)
{
	struct arena *arena = arena_new(1 << 20);
	struct session *session = arena_alloc(arena, sizeof(*session));

	session->arena = arena;
	task_init(&session->task, arena, &bench.queue, session_run, session);
	session->conn = conn_new(arena, bench.loop, fd, &session->task);
	if (tls)
		conn_tls_accept(session->conn, bench.server);
	return session;
}

/* The clients' process. */

static int
client_connect(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (struct sockaddr *)&bench.address, sizeof(bench.address)) != 0)
		exit(1);
	return fd;
}

static SSL *
client_shake(int fd)
{
	SSL *ssl = SSL_new(bench.client);

	SSL_set_fd(ssl, fd);
	if (SSL_connect(ssl) != 1)
		exit(1);
	return ssl;
}

static void
client_session(enum stage stage)
{
	char reply[128];
	int fd = client_connect();

	if (stage == PLAIN && (write(fd, "EHLO bench\r\n", 12) != 12 || read(fd, reply, 128) <= 0))
		exit(1);
	if (stage == TLS_BEGUN && write(fd, "\x16\x03\x01\x02\x00\x01", 6) != 6)
		exit(1);
	if (stage != TLS_OPEN)
		return;

	SSL *ssl = client_shake(fd);

	if (SSL_write(ssl, "EHLO bench\r\n", 12) != 12 || SSL_read(ssl, reply, 128) <= 0)
		exit(1);
}

static void
client_bulk(bool tls, unsigned record)
{
	static char bytes[PIECE];
	int fd = client_connect();
	SSL *ssl = tls ? client_shake(fd) : NULL;

	if (tls)
		SSL_set_max_send_fragment(ssl, record);
	for (long sent = 0; sent < BULK;) {
		long count = tls ? SSL_write(ssl, bytes, PIECE) : write(fd, bytes, PIECE);

		if (count <= 0)
			exit(1);
		sent += count;
	}
}

/* The server's figures. */

static double
cpu(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	    (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static double
resident(void)
{
	long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	if (file == NULL || fscanf(file, "%*d %ld", &pages) != 1)
		abort();
	fclose(file);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static void
measure_idle(const char *name, enum stage stage, unsigned count)
{
	struct session **sessions = calloc(count, sizeof(*sessions));
	int done[2];

	bench.count = count;
	bench.ready = 0;
	malloc_trim(0);
	if (pipe(done) != 0)
		abort();
	double used = (double)mallinfo2().uordblks, rss = resident(), spent = cpu();
	pid_t child = fork();

	if (child == 0) {
		for (unsigned i = 0; i < count; i++)
			client_session(stage);
		(void)!write(done[1], "x", 1);
		pause();
	}
	for (unsigned i = 0; i < count; i++) {
		sessions[i] =
		    session_new(accept4(bench.waiting, NULL, NULL, SOCK_NONBLOCK), stage != PLAIN);
		bool speaks = stage == PLAIN || stage == TLS_OPEN;

		while (speaks && bench.ready <= i)
			ev_run(bench.loop, EVRUN_ONCE);
	}
	for (int i = 0; i < 50; i++) {
		ev_run(bench.loop, EVRUN_NOWAIT);
		usleep(1000);
	}
	printf("%-40s %8.0f %8.0f %8.3f\n", name, ((double)mallinfo2().uordblks - used) / count,
	    (resident() - rss) / count, (cpu() - spent) * 1000 / count);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	for (unsigned i = 0; i < count; i++)
		arena_free(sessions[i]->arena);
	free(sessions);
	close(done[0]);
	close(done[1]);
}

static void
measure_bulk(const char *name, unsigned record, size_t limit)
{
	bool tls = record > 0;

	bench.count = 1;
	bench.received = 0;
	pid_t child = fork();

	if (child == 0) {
		client_bulk(tls, record);
		_exit(0);
	}
	struct session *session =
	    session_new(accept4(bench.waiting, NULL, NULL, SOCK_NONBLOCK), tls);
	double spent = cpu();

	conn_limit_input(session->conn, limit);
	while (bench.received < BULK && conn_state(session->conn) != CONN_BROKEN)
		ev_run(bench.loop, EVRUN_ONCE);
	printf("%-40s %8.0f\n", name, BULK / 1e6 / (cpu() - spent));
	arena_free(session->arena);
	waitpid(child, NULL, 0);
}

static void
bench_open(void)
{
	struct rlimit files = { 1 << 16, 1 << 16 };
	socklen_t size = sizeof(bench.address);

	signal(SIGPIPE, SIG_IGN);
	setrlimit(RLIMIT_NOFILE, &files);
	bench.loop = ev_default_loop(0);
	task_queue_init(&bench.queue, bench.loop);
	bench.arena = arena_new(1 << 20);
	certificates_open(&bench.made);
	certificates_add(&bench.made, "rsa", "rsa", "mx", "DNS:mx.example.com", 30);
	certificates_add(&bench.made, "ec", "ec", "mx", "DNS:mx.example.com", 30);
	bench.waiting = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bench.address = (struct sockaddr_in) { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	if (bind(bench.waiting, (struct sockaddr *)&bench.address, size) != 0 ||
	    listen(bench.waiting, 4096) != 0)
		abort();
	getsockname(bench.waiting, (struct sockaddr *)&bench.address, &size);
}

static void
bench_use(const char *kind, int version)
{
	static const unsigned char keys[80] = "name";
	struct tls_pair pair = {
		certificates_path(&bench.made, arena_format(bench.arena, "%s.pem", kind)),
		certificates_path(&bench.made, arena_format(bench.arena, "%s.key", kind)),
	};
	const char *why;
	size_t culprit;

	bench.server = tls_server_context(
	    tls_server_new(bench.arena, &pair, 1, TLS1_2_VERSION, NULL, keys, &why, &culprit));
	bench.client = tls_client_new(bench.arena, NULL, false, TLS1_2_VERSION, &why);
	SSL_CTX_set_max_proto_version(bench.client, version);
}

int
main(int argc, char **argv)
{
	unsigned count = argc > 1 ? (unsigned)atoi(argv[1]) : 2000;

	bench_open();
	bench_use("ec", TLS1_3_VERSION);
	printf(
	    "%-40s %8s %8s %8s\n", "idle session, with its arena", "malloc B", "RSS B", "CPU ms");
	measure_idle("(warming up)", TLS_OPEN, 50);
	measure_idle("plain", PLAIN, count);
	measure_idle("TLS wanted, client says nothing", TLS_WAITING, count);
	measure_idle("TLS begun, client stalls", TLS_BEGUN, count > 200 ? 200 : count);
	measure_idle("ECDSA P-256, TLS 1.3", TLS_OPEN, count);
	bench_use("ec", TLS1_2_VERSION);
	measure_idle("ECDSA P-256, TLS 1.2", TLS_OPEN, count);
	bench_use("rsa", TLS1_3_VERSION);
	measure_idle("RSA 2048, TLS 1.3", TLS_OPEN, count);
	bench_use("rsa", TLS1_2_VERSION);
	measure_idle("RSA 2048, TLS 1.2", TLS_OPEN, count);
	bench_use("ec", TLS1_3_VERSION);
	printf("\n%-40s %8s\n", "bulk, received", "MB/s CPU");
	measure_bulk("plain, limit 64 KiB", 0, CONN_INPUT_MOST);
	measure_bulk("plain, limit 4 KiB", 0, CONN_INPUT_LEAST);
	measure_bulk("TLS 1.3, limit 64 KiB", 16384, CONN_INPUT_MOST);
	measure_bulk("TLS 1.3, limit 4 KiB", 16384, CONN_INPUT_LEAST);
	measure_bulk("TLS 1.3, records of 1400 B, 64 KiB", 1400, CONN_INPUT_MOST);
	arena_free(bench.arena);
	certificates_close(&bench.made);
	return 0;
}
