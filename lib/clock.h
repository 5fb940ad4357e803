/*
 * clock: the clocks, in seconds.
 *
 * Inside a running loop ev_now() is the time. These are for what has no loop, and for stamps.
 * Tests put their own clock_gettime() in front of libc's.
 */
#pragma once

enum { TIME_ISO_MOST = 32 };

double clock_seconds(void); /* CLOCK_MONOTONIC: for durations */
double clock_unix(void);    /* CLOCK_REALTIME: for stamps */
double clock_work(void);    /* CLOCK_THREAD_CPUTIME_ID: what this thread has worked */

/* "2026-11-24T05:00:00.123Z", nearest millisecond, UTC; returns out. What lies before 1970 or
 * after 9999 becomes the nearest time within. */
const char *time_iso(char out[TIME_ISO_MOST], double unix_seconds);
