/*
 * smtp_load: many clients that send the same message again and again.
 *
 *	smtp_load PORT MESSAGES SESSIONS PER_SESSION SIZE|FILE
 *
 * sends MESSAGES messages of about SIZE bytes, or the one in FILE (as it goes over the wire, with
 * CRLF and stuffed dots, without the last one), to 127.0.0.1:PORT by SESSIONS clients at a time,
 * PER_SESSION through each connection. A client says one command, waits for the reply, says the
 * next. It prints one line:
 *
 *	messages refused seconds first next
 *
 * first: the median time in milliseconds from connect() to the reply to the message, of the
 * first message of a session; next: from MAIL to that reply, of the others (0: there are none).
 * It is built by the scripts beside it.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SESSIONS_MOST = 1000, REPLY_MOST = 4096 };

enum state { GREETING, EHLO, MAIL, RCPT, DATA, TEXT, QUIT };

/* What is said when the reply to the state before has come. */
static const char *const lines[] = {
	[EHLO] = "EHLO client.example.org\r\n",
	[MAIL] = "MAIL FROM:<a@example.org>\r\n",
	[RCPT] = "RCPT TO:<c@example.com>\r\n",
	[DATA] = "DATA\r\n",
	[QUIT] = "QUIT\r\n",
};

struct client {
	int fd;
	enum state state; /* whose reply is awaited */
	int sent;         /* messages in this session */
	double begun;
	char reply[REPLY_MOST];
	size_t length;
};

struct times {
	double *item;
	size_t count;
};

static struct client clients[SESSIONS_MOST];
static struct times first, next;
static char *text;
static size_t text_length;
static int epoll, port, messages, per_session, begun, done, refused;

static double
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static void
die(const char *what)
{
	fprintf(stderr, "smtp_load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
say(const struct client *client, const char *data, size_t length)
{
	while (length > 0) {
		ssize_t count = send(client->fd, data, length, MSG_NOSIGNAL);

		if (count < 0)
			die("send");
		data += count;
		length -= (size_t)count;
	}
}

/* Blocking, but never for long: a client reads only when something has come. */
static void
client_connect(struct client *client)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons((unsigned short)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = client };
	int yes = 1;

	*client = (struct client) { .fd = socket(AF_INET, SOCK_STREAM, 0), .begun = now() };
	if (connect(client->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		die("connect");
	setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	epoll_ctl(epoll, EPOLL_CTL_ADD, client->fd, &event);
}

static void
client_go(struct client *client, enum state state)
{
	client->state = state;
	if (state == MAIL) {
		begun++;
		client->begun = client->sent == 0 ? client->begun : now();
	}
	if (state == TEXT)
		say(client, text, text_length);
	else
		say(client, lines[state], strlen(lines[state]));
}

static void
client_message_over(struct client *client, int code)
{
	struct times *times = client->sent == 0 ? &first : &next;

	times->item[times->count++] = now() - client->begun;
	done++;
	refused += code != 250;
	client->sent++;
	client_go(client, client->sent < per_session && begun < messages ? MAIL : QUIT);
}

static void
client_quit(struct client *client)
{
	close(client->fd);
	client->fd = -1;
	if (begun < messages)
		client_connect(client);
}

static void
client_hear(struct client *client, int code)
{
	static const int wanted[] = { 220, 250, 250, 250, 354, 250, 221 };

	if (client->state != TEXT && code != wanted[client->state]) {
		fprintf(stderr, "smtp_load: %s\n", client->reply);
		exit(1);
	}
	switch (client->state) {
	case EHLO:
		client_go(client, begun < messages ? MAIL : QUIT);
		break;
	case TEXT:
		client_message_over(client, code);
		break;
	case QUIT:
		client_quit(client);
		break;
	case GREETING:
	case MAIL:
	case RCPT:
	case DATA:
		client_go(client, client->state + 1);
		break;
	}
}

/* The code of the whole reply that stands in the buffer, or 0. */
static int
client_code(const struct client *client)
{
	const char *line = client->reply, *end;

	while ((end = strchr(line, '\n')) != NULL) {
		if (strlen(line) >= 4 && line[3] != '-')
			return atoi(line);
		line = end + 1;
	}
	return 0;
}

static void
client_read(struct client *client)
{
	ssize_t count =
	    recv(client->fd, client->reply + client->length, REPLY_MOST - 1 - client->length, 0);

	if (count <= 0)
		die("the server has gone");
	client->length += (size_t)count;
	client->reply[client->length] = '\0';

	int code = client_code(client);

	if (code == 0)
		return;
	client->length = 0;
	client_hear(client, code);
}

static void
text_make(size_t size)
{
	static const char header[] = "From: A <a@example.org>\r\nTo: C <c@example.com>\r\n"
				     "Date: Tue, 24 Nov 2026 05:00:00 +0000\r\n"
				     "Message-ID: <1@example.org>\r\nSubject: a message\r\n"
				     "MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n";
	static const char line[] = "The quick brown fox jumps over the lazy dog, and again.\r\n";

	text = malloc(size + sizeof(header) + sizeof(line) + 4);
	if (text == NULL)
		die("malloc");
	text_length = (size_t)sprintf(text, "%s", header);
	while (text_length < size)
		text_length += (size_t)sprintf(text + text_length, "%s", line);
	text_length += (size_t)sprintf(text + text_length, ".\r\n");
}

static void
text_read(const char *path)
{
	FILE *file = fopen(path, "rb");
	long size;

	if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0)
		die(path);
	text_length = (size_t)size;
	text = malloc(text_length + 4);
	rewind(file);
	if (text == NULL || fread(text, 1, text_length, file) != text_length)
		die(path);
	text_length += (size_t)sprintf(text + text_length, ".\r\n");
	fclose(file);
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
median(struct times *times)
{
	if (times->count == 0)
		return 0;
	qsort(times->item, times->count, sizeof(double), compare);
	return times->item[times->count / 2];
}

static void
run(void)
{
	struct epoll_event events[64];

	while (done < messages) {
		int count = epoll_wait(epoll, events, 64, 30000);

		if (count == 0)
			errno = ETIMEDOUT;
		if (count <= 0)
			die("waiting");
		for (int i = 0; i < count; i++)
			client_read(events[i].data.ptr);
	}
}

int
main(int argc, char **argv)
{
	if (argc != 6) {
		fprintf(stderr, "usage: smtp_load PORT MESSAGES SESSIONS PER_SESSION SIZE|FILE\n");
		return 64;
	}
	port = atoi(argv[1]);
	messages = atoi(argv[2]);
	int sessions = atoi(argv[3]);

	per_session = atoi(argv[4]);
	if (argv[5][0] >= '0' && argv[5][0] <= '9')
		text_make((size_t)atoi(argv[5]));
	else
		text_read(argv[5]);
	first.item = malloc(sizeof(double) * (size_t)messages);
	next.item = malloc(sizeof(double) * (size_t)messages);
	epoll = epoll_create1(0);
	if (first.item == NULL || next.item == NULL || sessions > SESSIONS_MOST)
		die("too much");

	double start = now();

	for (int i = 0; i < sessions; i++)
		client_connect(&clients[i]);
	run();
	printf("%d %d %.6f %.4f %.4f\n", done, refused, (now() - start) / 1e3, median(&first),
	    median(&next));
	return 0;
}
