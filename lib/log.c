#include "lib/log.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/json.h"
#include "lib/log_sink.h"
#include "lib/utf8.h"

enum {
	LOG_FACILITY = 2 << 3, /* mail */
	LOG_KEEP = 16 * 1024,  /* a larger block is given back after its line */
};

static struct {
	pthread_mutex_t lock;
	enum log_target target;
	enum log_format format;
	enum log_level level;
	char name[32];
	unsigned long lost, lost_said;
	struct buf line; /* under way, at most a record and what stands around it */
	char clean[LOG_LINE_MOST];
} log_state = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.level = LEVEL_INFO,
	.line = { .limit = LOG_RECORD_MOST + 1024 },
};

const char *
log_level_name(enum log_level level)
{
	switch (level) {
	case LEVEL_ERROR:
		return "error";
	case LEVEL_WARNING:
		return "warning";
	case LEVEL_INFO:
		return "info";
	case LEVEL_DEBUG:
		return "debug";
	}
	return NULL;
}

static int
log_syslog_priority(enum log_level level)
{
	switch (level) {
	case LEVEL_ERROR:
		return LOG_FACILITY + 3;
	case LEVEL_WARNING:
		return LOG_FACILITY + 4;
	case LEVEL_INFO:
		return LOG_FACILITY + 6;
	case LEVEL_DEBUG:
		break;
	}
	return LOG_FACILITY + 7;
}

bool
log_open(const struct log_options *options)
{
	const char *path = options->syslog_path;
	bool is_open = true;

	pthread_mutex_lock(&log_state.lock);
	log_state.target = options->target;
	log_state.format = options->format;
	log_state.level = options->level;
	snprintf(log_state.name, sizeof(log_state.name), "%s",
	    options->name == NULL ? "postern" : options->name);
	if (options->target == LOG_TO_SYSLOG)
		is_open = log_sink_open_syslog(path == NULL ? "/dev/log" : path);
	else
		log_sink_open_stderr();
	pthread_mutex_unlock(&log_state.lock);
	return is_open;
}

void
log_close(void)
{
	pthread_mutex_lock(&log_state.lock);
	log_sink_close();
	log_state.target = LOG_TO_STDERR;
	log_state.format = LOG_AS_TEXT;
	log_state.level = LEVEL_INFO;
	log_state.lost_said = log_state.lost;
	buf_free(&log_state.line);
	pthread_mutex_unlock(&log_state.lock);
}

bool
log_has_level(enum log_level level)
{
	return level <= log_state.level;
}

enum log_format
log_format(void)
{
	return log_state.format;
}

unsigned long
log_lost(void)
{
	return log_state.lost;
}

/* Characters that would change how the rest of the line is shown. */
static bool
log_is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x200e && code <= 0x200f) ||
	    (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) ||
	    code == 0xfeff;
}

/* Writes what is shown for the first `length` bytes of text; returns its length, 0: too long. */
static size_t
log_show(char *out, size_t room, const char *text, size_t length, bool is_escaped)
{
	static const char digits[] = "0123456789abcdef";
	size_t shown = is_escaped ? length * 4 : length;

	if (shown > room)
		return 0;
	for (size_t i = 0; i < length && is_escaped; i++) {
		uint8_t byte = (uint8_t)text[i];

		memcpy(
		    out + i * 4, (char[]) { '\\', 'x', digits[byte >> 4], digits[byte & 15] }, 4);
	}
	if (!is_escaped)
		memcpy(out, text, length);
	return shown;
}

/* How many bytes at the beginning of text are shown as they are: most text is nothing else. */
static size_t
log_plain(struct slice text)
{
	size_t length = 0;

	while (length < text.length && text.data[length] >= ' ' && text.data[length] <= '~' &&
	    text.data[length] != '\\')
		length++;
	return length;
}

/* fallback: where "..." goes, if not all will fit: the last place that leaves room for it. */
static const char *
log_clean(char *out, size_t size, struct slice text, bool keeps_backslash)
{
	size_t plain = log_plain(text), at = 0, end = 0, fallback = 0;

	assert(size >= 8);
	if (plain > 0 && plain + 4 <= size) {
		memcpy(out, text.data, plain);
		at = end = fallback = plain;
	}
	while (at < text.length) {
		struct slice rest = { .data = text.data + at, .length = text.length - at };
		uint32_t code = 0;
		size_t length = utf8_read(rest, &code);
		bool is_escaped =
		    length == 0 || log_is_control(code) || (code == '\\' && !keeps_backslash);

		if (length == 0)
			length = 1;
		size_t shown = log_show(out + end, size - 1 - end, rest.data, length, is_escaped);

		if (shown == 0) {
			memcpy(out + fallback, "...", 4);
			return out;
		}
		at += length;
		end += shown;
		if (end + 4 <= size)
			fallback = end;
	}
	out[end] = '\0';
	return out;
}

const char *
log_printable(char *out, size_t size, struct slice text)
{
	return log_clean(out, size, text, false);
}

/* What syslogd wants before each message (RFC 3164). */
static void
log_begin_syslog(struct buf *line, enum log_level level)
{
	time_t now = (time_t)clock_unix();
	char stamp[32] = "";
	struct tm tm;

	if (localtime_r(&now, &tm) != NULL)
		strftime(stamp, sizeof(stamp), "%b %e %H:%M:%S", &tm);
	buf_print(line, "<%d>%s %s[%d]: ", log_syslog_priority(level), stamp, log_state.name,
	    (int)getpid());
}

static void
log_put_json(struct buf *line, enum log_level level, const char *event, const char *message)
{
	char time[TIME_ISO_MOST];
	struct json json;

	json_init(&json, line);
	json_open_object(&json);
	json_text(json_key(&json, "time"), time_iso(time, clock_unix()));
	json_text(json_key(&json, "level"), log_level_name(level));
	json_text(json_key(&json, "event"), event);
	json_text(json_key(&json, "message"), message);
	json_integer(json_key(&json, "pid"), getpid());
	json_close_object(&json);
}

static void
log_put_text(struct buf *line, enum log_level level, const char *message)
{
	char time[TIME_ISO_MOST];

	if (log_state.target == LOG_TO_STDERR)
		buf_print(line, "%s %-5s ", time_iso(time, clock_unix()), log_level_name(level));
	buf_append(line, slice_of(message));
}

static bool
log_send(struct buf *line)
{
	if (log_state.target == LOG_TO_STDERR)
		buf_append_byte(line, '\n');
	bool is_written = !line->overflowed && log_sink_write(buf_slice(line));

	buf_clear(line);
	if (line->size > LOG_KEEP)
		buf_release(line);
	return is_written;
}

static bool
log_write(enum log_level level, const char *event, const char *message, struct slice json)
{
	struct buf *line = &log_state.line;

	if (log_state.target == LOG_TO_SYSLOG)
		log_begin_syslog(line, level);
	if (log_state.format == LOG_AS_TEXT)
		log_put_text(line, level, message);
	else if (json.length > 0)
		buf_append(line, json);
	else
		log_put_json(line, level, event, message);
	return log_send(line);
}

static bool
log_write_lost(void)
{
	unsigned long lost = log_state.lost - log_state.lost_said;
	char message[80];

	snprintf(message, sizeof(message), "%lu lines of the log were lost, it could not take them",
	    lost);
	return log_write(LEVEL_WARNING, "log", message, (struct slice) { 0 });
}

/* With the lock held. */
static void
log_write_or_count(enum log_level level, const char *event, struct slice message, struct slice json)
{
	if (log_state.lost != log_state.lost_said && log_write_lost())
		log_state.lost_said = log_state.lost;
	if (log_state.lost != log_state.lost_said ||
	    !log_write(level, event,
		log_clean(log_state.clean, sizeof(log_state.clean), message, true), json))
		log_state.lost++;
}

void
log_line(enum log_level level, const char *event, const char *format, ...)
{
	char message[LOG_LINE_MOST + 8]; /* enough for log_clean() to see that it is too long */
	int saved = errno;
	va_list args;

	if (!log_has_level(level))
		return;
	va_start(args, format);
	int length = vsnprintf(message, sizeof(message), format, args);

	va_end(args);
	assert(length >= 0);
	pthread_mutex_lock(&log_state.lock);
	log_write_or_count(level, event, slice_of(message), (struct slice) { 0 });
	pthread_mutex_unlock(&log_state.lock);
	errno = saved;
}

void
log_record(struct slice json, struct slice text)
{
	int saved = errno;

	assert(json.length > 0 || log_state.format == LOG_AS_TEXT);
	assert(json.length == 0 || memchr(json.data, '\n', json.length) == NULL);
	if (!log_has_level(LEVEL_INFO))
		return;
	pthread_mutex_lock(&log_state.lock);
	if (json.length > LOG_RECORD_MOST && log_state.format == LOG_AS_JSON)
		log_write_or_count(LEVEL_WARNING, "log",
		    slice_of("a record was too long for the log and is left out"),
		    (struct slice) { 0 });
	else
		log_write_or_count(LEVEL_INFO, "record", text, json);
	pthread_mutex_unlock(&log_state.lock);
	errno = saved;
}
