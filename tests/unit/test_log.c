#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"

#define STAMP "2026-11-24T05:00:00.123Z"

static const double moment = 1795496400.123;
static double monotonic = 1000;

/* The clock stands still. */
int
clock_gettime(clockid_t clock, struct timespec *now)
{
	double seconds = clock == CLOCK_REALTIME ? moment : monotonic;

	now->tv_sec = (time_t)seconds;
	now->tv_nsec = (long)((seconds - (double)now->tv_sec) * 1e9 + 0.5);
	return 0;
}

static int stderr_kept;
static char caught[1 << 20]; /* what was read of the log, a NUL behind it */
static struct log_options options;
static int ends[2]; /* of a pipe or a pair of sockets: what is read, what is written */
static char directory[64];

static int
begin(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/test_log.XXXXXX");
	options = (struct log_options) { .level = LEVEL_INFO };
	ends[0] = ends[1] = -1;
	stderr_kept = dup(STDERR_FILENO);
	return mkdtemp(directory) == NULL;
}

static int
finish(void **state)
{
	(void)state;
	char path[128];

	log_close();
	dup2(stderr_kept, STDERR_FILENO);
	close(stderr_kept);
	for (int i = 0; i < 2; i++)
		if (ends[i] >= 0)
			close(ends[i]);
	snprintf(path, sizeof(path), "%s/log", directory);
	unlink(path);
	return rmdir(directory);
}

static void
redirect(int fd)
{
	assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
}

static void
use_pipe(void)
{
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	assert_true(fcntl(ends[1], F_SETPIPE_SZ, 4096) >= 4096);
	redirect(ends[1]);
}

static void
use_sockets(int type)
{
	int size = 4096;

	assert_int_equal(socketpair(AF_UNIX, type, 0, ends), 0);
	assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	redirect(ends[1]);
}

static const char *
catch_all(void)
{
	size_t length = 0;
	ssize_t count;

	while ((count = read(ends[0], caught + length, sizeof(caught) - 1 - length)) > 0)
		length += (size_t)count;
	caught[length] = '\0';
	return caught;
}

static void
test_text(void **state)
{
	(void)state;
	use_pipe();
	assert_true(log_open(&options));
	log_line(LEVEL_INFO, "start", "%d workers", 2);
	log_line(LEVEL_ERROR, "bind", "cannot bind");
	log_line(LEVEL_WARNING, "list", "old");
	log_line(LEVEL_DEBUG, "detail", "never seen");
	assert_string_equal(catch_all(),
	    STAMP " info  2 workers\n" STAMP " error cannot bind\n" STAMP " warning old\n");
}

static void
test_json(void **state)
{
	(void)state;
	char want[256];

	use_pipe();
	options.format = LOG_AS_JSON;
	options.level = LEVEL_DEBUG;
	assert_true(log_open(&options));
	log_line(LEVEL_DEBUG, "detail", "say \"%s\"", "a\\b");
	snprintf(want, sizeof(want),
	    "{\"time\":\"" STAMP "\",\"level\":\"debug\",\"event\":\"detail\",\"message\":"
	    "\"say \\\"a\\\\b\\\"\",\"pid\":%d}\n",
	    (int)getpid());
	assert_string_equal(catch_all(), want);
}

static void
test_without_open(void **state)
{
	(void)state;
	use_pipe();
	log_close();
	log_line(LEVEL_INFO, "early", "early");
	log_line(LEVEL_DEBUG, "early", "no");
	assert_string_equal(catch_all(), STAMP " info  early\n");
}

static void
test_levels(void **state)
{
	(void)state;
	use_pipe();
	for (int chosen = LEVEL_ERROR; chosen <= LEVEL_DEBUG; chosen++) {
		options.level = (enum log_level)chosen;
		assert_true(log_open(&options));
		for (int level = LEVEL_ERROR; level <= LEVEL_DEBUG; level++) {
			assert_int_equal(log_has_level((enum log_level)level), level <= chosen);
			log_line((enum log_level)level, "x", "words");
			assert_int_equal(catch_all()[0] != '\0', level <= chosen);
		}
		log_record(slice_of("{}"), slice_of("record"));
		assert_int_equal(catch_all()[0] != '\0', chosen >= LEVEL_INFO);
	}
	assert_string_equal(log_level_name(LEVEL_WARNING), "warning");
	assert_null(log_level_name((enum log_level)4));
}

static void
test_record(void **state)
{
	(void)state;
	use_pipe();
	assert_true(log_open(&options));
	log_record(slice_of("{\"case\":\"7F3K2QAB\"}"), slice_of("7F3K2QAB reject\nx\\n"));
	assert_string_equal(catch_all(), STAMP " info  7F3K2QAB reject\\x0ax\\n\n");
	options.format = LOG_AS_JSON;
	assert_true(log_open(&options));
	log_record(slice_of("{\"case\":\"7F3K2QAB\"}"), slice_of("not this"));
	assert_string_equal(catch_all(), "{\"case\":\"7F3K2QAB\"}\n");
}

static void
test_record_too_long(void **state)
{
	(void)state;
	char path[128];
	size_t length = LOG_RECORD_MOST;
	char *record = malloc(length + 1);

	snprintf(path, sizeof(path), "%s/log", directory);
	ends[1] = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	ends[0] = open(path, O_RDONLY);
	redirect(ends[1]);
	options.format = LOG_AS_JSON;
	assert_true(log_open(&options));
	memset(record, '1', length + 1);
	log_record((struct slice) { .data = record, .length = length }, slice_of(""));
	assert_int_equal(strlen(catch_all()), length + 1);
	log_record((struct slice) { .data = record, .length = length + 1 }, slice_of(""));
	assert_non_null(strstr(catch_all(), "a record was too long"));
	free(record);
}

static void
test_message_is_one_line(void **state)
{
	(void)state;
	static char text[2 * LOG_LINE_MOST], want[2 * LOG_LINE_MOST];

	use_pipe();
	assert_true(log_open(&options));
	log_line(LEVEL_INFO, "x", "a\r\nb\x1b[31m \xff \xc3\xa4 \\x41");
	assert_string_equal(
	    catch_all(), STAMP " info  a\\x0d\\x0ab\\x1b[31m \\xff \xc3\xa4 \\x41\n");
	for (size_t length = LOG_LINE_MOST - 5; length < LOG_LINE_MOST + 20; length++) {
		bool fits = length < LOG_LINE_MOST;

		memset(text, 'y', length);
		text[length] = '\0';
		log_line(LEVEL_INFO, "x", "%s", text);
		snprintf(want, sizeof(want), STAMP " info  %.*s%s\n",
		    fits ? (int)length : LOG_LINE_MOST - 4, text, fits ? "" : "...");
		assert_string_equal(catch_all(), want);
	}
}

/* Lines of one length until one is lost; how many were taken. */
static unsigned
fill(unsigned *number)
{
	unsigned long lost = log_lost();
	unsigned taken = 0;

	while (log_lost() == lost) {
		log_line(LEVEL_INFO, "x", "line %06u %0100d", (*number)++, 0);
		taken++;
		assert_true(taken < 100000);
	}
	return taken - 1;
}

static void
check_whole_lines(unsigned first, unsigned count)
{
	char *line = caught;

	for (unsigned i = 0; i < count; i++) {
		char want[200];
		size_t length = (size_t)snprintf(
		    want, sizeof(want), STAMP " info  line %06u %0100d\n", first + i, 0);

		assert_memory_equal(line, want, length);
		line += length;
	}
	assert_string_equal(line, "");
}

/* What is dropped is whole lines; then it is said how many they were. */
static void
check_full(void)
{
	unsigned number = 0, taken = fill(&number);
	unsigned long lost = log_lost();

	assert_true(taken > 10);
	log_line(LEVEL_INFO, "x", "lost as well");
	log_line(LEVEL_INFO, "x", "this too");
	assert_int_equal(log_lost(), lost + 2);
	catch_all();
	log_line(LEVEL_INFO, "x", "heard");
	char *rest = strstr(caught, "line 000000");

	assert_non_null(rest);
	/* A line of which a beginning had been taken is completed first. */
	size_t length = strlen(caught);
	ssize_t count;

	while ((count = read(ends[0], caught + length, sizeof(caught) - 1 - length)) > 0)
		length += (size_t)count;
	caught[length] = '\0';
	char *said = strstr(caught, STAMP " warning ");

	assert_non_null(said);
	assert_string_equal(said,
	    STAMP " warning 3 lines of the log were lost, it could not take them\n" STAMP
		  " info  heard\n");
	*said = '\0';
	check_whole_lines(0, taken);
	assert_int_equal(log_lost(), lost + 2);
	assert_int_equal(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK, 0);
}

static void
test_full_pipe(void **state)
{
	(void)state;
	use_pipe();
	assert_true(log_open(&options));
	check_full();
}

static void
test_full_pipe_without_open(void **state)
{
	(void)state;
	use_pipe(); /* poll(2) calls a pipe writable only while it has an empty page */
	assert_true(fcntl(ends[1], F_SETPIPE_SZ, 65536) >= 65536);
	check_full();
}

static void
test_full_stream_socket(void **state)
{
	(void)state;
	use_sockets(SOCK_STREAM);
	assert_true(log_open(&options));
	check_full();
}

static void
test_full_datagram_socket(void **state)
{
	(void)state;
	use_sockets(SOCK_DGRAM);
	assert_true(log_open(&options));
	check_full();
}

/* A line longer than the pipe: a part is taken, the rest comes before the next line. */
static void
test_rest_of_a_line(void **state)
{
	(void)state;
	enum { LENGTH = 10000 };
	static char record[LENGTH + 1];
	char *got = NULL;

	use_pipe();
	options.format = LOG_AS_JSON;
	assert_true(log_open(&options));
	memset(record, '7', LENGTH);
	log_record(slice_of(record), slice_of(""));
	unsigned long lost = log_lost();

	log_record(slice_of("{\"second\":1}"), slice_of("")); /* no room: lost */
	assert_int_equal(log_lost(), lost + 1);
	size_t length = 0;

	for (int i = 0; i < 10; i++) {
		got = strdup(catch_all());
		length += strspn(got, "7");
		free(got);
		log_record(slice_of("{\"later\":1}"), slice_of(""));
	}
	assert_int_equal(length, LENGTH);
}

static void
test_reader_is_gone(void **state)
{
	(void)state;
	use_sockets(SOCK_STREAM);
	assert_true(log_open(&options));
	close(ends[0]);
	ends[0] = -1;
	unsigned long lost = log_lost();

	log_line(LEVEL_INFO, "x", "to nobody");
	assert_int_equal(log_lost(), lost + 1);
}

static void
listen_as_syslog(char path[128])
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(path, 128, "%s/log", directory);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	unlink(path);
	ends[0] = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(ends[0], (struct sockaddr *)&address, sizeof(address)), 0);
}

static void
test_syslog(void **state)
{
	(void)state;
	char path[128], want[256];

	setenv("TZ", "UTC", 1);
	listen_as_syslog(path);
	options.target = LOG_TO_SYSLOG;
	options.syslog_path = path;
	assert_true(log_open(&options));
	log_line(LEVEL_INFO, "x", "words");
	snprintf(want, sizeof(want), "<22>Nov 24 05:00:00 postern[%d]: words", (int)getpid());
	assert_string_equal(catch_all(), want);
	options.format = LOG_AS_JSON;
	options.name = "gate";
	assert_true(log_open(&options));
	log_record(slice_of("{\"a\":1}"), slice_of("no"));
	snprintf(want, sizeof(want), "<22>Nov 24 05:00:00 gate[%d]: {\"a\":1}", (int)getpid());
	assert_string_equal(catch_all(), want);
	options.format = LOG_AS_TEXT;
	assert_true(log_open(&options));
	log_line(LEVEL_ERROR, "x", "bad");
	assert_memory_equal(catch_all(), "<19>", 4);
}

static void
test_syslog_restarts(void **state)
{
	(void)state;
	char path[128];

	listen_as_syslog(path);
	options.target = LOG_TO_SYSLOG;
	options.syslog_path = path;
	assert_true(log_open(&options));
	close(ends[0]);
	unsigned long lost = log_lost();

	log_line(LEVEL_INFO, "x", "lost");
	assert_int_equal(log_lost(), lost + 1);
	listen_as_syslog(path);
	log_line(LEVEL_INFO, "x", "not tried again within a second");
	assert_int_equal(log_lost(), lost + 2);
	monotonic += 1.5;
	log_line(LEVEL_INFO, "x", "back");
	assert_int_equal(log_lost(), lost + 2);
	catch_all();
	assert_non_null(strstr(caught, "2 lines of the log were lost"));
	assert_non_null(strstr(caught, "back"));
}

static void
test_syslog_is_absent(void **state)
{
	(void)state;
	char path[128];

	snprintf(path, sizeof(path), "%s/log", directory);
	options.target = LOG_TO_SYSLOG;
	options.syslog_path = path;
	assert_false(log_open(&options));
	unsigned long lost = log_lost();

	log_line(LEVEL_INFO, "x", "lost");
	assert_int_equal(log_lost(), lost + 1);
	listen_as_syslog(path);
	monotonic += 2;
	log_line(LEVEL_INFO, "x", "found");
	assert_non_null(strstr(catch_all(), "found"));
}

struct printable_case {
	const char *text;
	size_t length;
	const char *want;
};

#define PRINTABLE(text, want)                                                                      \
	{                                                                                          \
		text, sizeof(text) - 1, want                                                       \
	}

static const struct printable_case printable_cases[] = {
	PRINTABLE("", ""),
	PRINTABLE("plain text ~", "plain text ~"),
	PRINTABLE("a\\b", "a\\x5cb"),
	PRINTABLE("a\0b\r\n\t\x7f", "a\\x00b\\x0d\\x0a\\x09\\x7f"),
	PRINTABLE(
	    "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x93\xa7", "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x93\xa7"),
	PRINTABLE("\x80\xc3\xff", "\\x80\\xc3\\xff"),
	PRINTABLE("\xc0\xaf", "\\xc0\\xaf"),
	PRINTABLE("\xc2\x85", "\\xc2\\x85"),          /* C1: next line */
	PRINTABLE("\xe2\x80\xa8", "\\xe2\\x80\\xa8"), /* line separator */
	PRINTABLE("\xe2\x80\xae", "\\xe2\\x80\\xae"), /* right-to-left override */
	PRINTABLE("\x1b[2J", "\\x1b[2J"),
};

static void
test_printable(void **state)
{
	(void)state;
	char out[200];

	for (size_t i = 0; i < sizeof(printable_cases) / sizeof(printable_cases[0]); i++) {
		struct slice text = { printable_cases[i].text, printable_cases[i].length };

		assert_ptr_equal(log_printable(out, sizeof(out), text), out);
		assert_string_equal(out, printable_cases[i].want);
	}
	assert_string_equal(log_printable(out, sizeof(out), (struct slice) { 0 }), "");
}

/* In a block of exactly `size`. Cut text is the beginning of the whole, between characters. */
static void
test_printable_at_every_size(void **state)
{
	(void)state;
	static const char text[] = "ab\x01\xc3\xa4\xff\xe2\x82\xac"
				   "cd\\\xf0\x9f\x93\xa7"
				   "efgh";
	char whole[200];

	log_printable(whole, sizeof(whole), slice_of(text));
	for (size_t size = 8; size < strlen(whole) + 4; size++) {
		char *out = malloc(size);

		log_printable(out, size, slice_of(text));
		size_t length = strlen(out);

		if (size > strlen(whole)) {
			assert_string_equal(out, whole);
		} else {
			assert_true(length < size && length >= size - 8);
			assert_string_equal(out + length - 3, "...");
			assert_memory_equal(out, whole, length - 3);
			char next = whole[length - 3];

			assert_true((next & 0xc0) != 0x80);
			assert_true(length < 4 || whole[length - 4] != '\\');
		}
		free(out);
	}
}

static void
test_time(void **state)
{
	(void)state;
	static const struct {
		double seconds;
		const char *want;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ 1795496400.123, STAMP },
		{ 1795496400, "2026-11-24T05:00:00.000Z" },
		{ 1795496399.9996, "2026-11-24T05:00:00.000Z" },
		{ 1709164800, "2024-02-29T00:00:00.000Z" },
		{ 253402300799.0, "9999-12-31T23:59:59.000Z" },
		{ 1e300, "9999-12-31T23:59:59.999Z" },
		{ -1, "1970-01-01T00:00:00.000Z" },
		{ -1e300, "1970-01-01T00:00:00.000Z" },
		{ 0.0 / 0.0, "1970-01-01T00:00:00.000Z" },
	};
	char out[TIME_ISO_MOST];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(time_iso(out, cases[i].seconds), cases[i].want);
	assert_true(clock_unix() > 1795496400.12 && clock_unix() < 1795496400.13);
	assert_true(clock_seconds() == monotonic);
}

#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, begin, finish)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LOG_TEST(test_text),
		LOG_TEST(test_json),
		LOG_TEST(test_without_open),
		LOG_TEST(test_levels),
		LOG_TEST(test_record),
		LOG_TEST(test_record_too_long),
		LOG_TEST(test_message_is_one_line),
		LOG_TEST(test_full_pipe),
		LOG_TEST(test_full_pipe_without_open),
		LOG_TEST(test_full_stream_socket),
		LOG_TEST(test_full_datagram_socket),
		LOG_TEST(test_rest_of_a_line),
		LOG_TEST(test_reader_is_gone),
		LOG_TEST(test_syslog),
		LOG_TEST(test_syslog_restarts),
		LOG_TEST(test_syslog_is_absent),
		cmocka_unit_test(test_printable),
		cmocka_unit_test(test_printable_at_every_size),
		cmocka_unit_test(test_time),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
