/*
 * log: the process's log, a line per event.
 *
 * text:  2026-11-24T05:00:00.123Z info  words
 * json:  {"time":"2026-11-24T05:00:00.123Z","level":"info","event":"reload","message":"words",
 *        "pid":4711}	(in one line)
 *
 * Levels: error, an administrator must act; warning, one should look; info, one line per mail
 * and per life event of a process; debug, the rest. What is above the chosen level costs a
 * comparison.
 *
 * A line is one write(2), so lines of several processes do not mix (in a pipe: up to PIPE_BUF,
 * 4096 bytes; in a file opened with O_APPEND: any). Nobody waits for a slow reader: a line that
 * cannot be written at once is dropped and counted, and the next line that can is preceded by
 * one that says how many were lost. stderr's file description is shared with whoever started
 * the program and is never made nonblocking.
 *
 * syslog: the datagram socket /dev/log, facility mail; the line carries neither time nor level
 * in text format, for syslog has its own. Opened by log_open(), that is before a sandbox; a
 * restarted syslog daemon is found again, at most one attempt a second.
 *
 * Without log_open() the log is stderr, text, info. Everything may be called from several
 * threads. Not from signal handlers. Workers keep the master's log over fork().
 */
#pragma once

#include "lib/slice.h"

enum log_level { LEVEL_ERROR, LEVEL_WARNING, LEVEL_INFO, LEVEL_DEBUG };
enum log_target { LOG_TO_STDERR, LOG_TO_SYSLOG };
enum log_format { LOG_AS_TEXT, LOG_AS_JSON };

enum {
	LOG_LINE_MOST = 4000,         /* of a line by log_line(); longer ones end in "..." */
	LOG_RECORD_MOST = 256 * 1024, /* a longer record is dropped, and that is said */
};

struct log_options {
	enum log_target target;
	enum log_format format;
	enum log_level level;
	const char *name;        /* in syslog; NULL: "postern" */
	const char *syslog_path; /* NULL: "/dev/log" */
};

/* May be called again (reload). false: syslog cannot be reached now; lines are tried there
 * anyway, and counted as lost until it can. Strings are copied. */
bool log_open(const struct log_options *options);
void log_close(void); /* back to stderr, text, info */

bool log_has_level(enum log_level level); /* is it worth to make the line? */

/* event: a word for programs to select by, such as "reload"; only in json. The message is one
 * line; control characters in it become \xNN. Peer's text passes log_printable() first. */
void log_line(enum log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* At info: json (one object without line ends) is the line in json format; in text format the
 * line is time, "info" and text. The one that log_format() is not may be left empty. */
void log_record(struct slice json, struct slice text);
enum log_format log_format(void);

unsigned long log_lost(void); /* lines dropped so far, for the counters */

/* For options: "error" ... "debug", "stderr" ... NULL: no such level. */
const char *log_level_name(enum log_level level);

/*
 * Text of a peer, fit for a log, a reply or a terminal: control characters (C1, line and
 * direction marks of Unicode too), bytes that are no valid UTF-8, and the backslash become
 * \xNN. What does not fit ends in "...", never within a character. size: 8 at least.
 * Returns out.
 */
const char *log_printable(char *out, size_t size, struct slice text);
