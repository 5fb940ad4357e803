#include "lib/clock.h"

#include <stdio.h>
#include <time.h>

static double
clock_read(clockid_t clock)
{
	struct timespec now = { 0 };

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

double
clock_seconds(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

double
clock_unix(void)
{
	return clock_read(CLOCK_REALTIME);
}

double
clock_work(void)
{
	return clock_read(CLOCK_THREAD_CPUTIME_ID);
}

const char *
time_iso(char out[TIME_ISO_MOST], double unix_seconds)
{
	const double last = 253402300799.999; /* 9999-12-31T23:59:59.999Z */
	struct tm tm;

	if (!(unix_seconds > 0))
		unix_seconds = 0;
	if (unix_seconds > last)
		unix_seconds = last;
	long long milliseconds = (long long)(unix_seconds * 1000 + 0.5);
	time_t seconds = (time_t)(milliseconds / 1000);

	gmtime_r(&seconds, &tm);
	size_t length = strftime(out, TIME_ISO_MOST, "%Y-%m-%dT%H:%M:%S", &tm);

	snprintf(out + length, TIME_ISO_MOST - length, ".%03dZ", (int)(milliseconds % 1000));
	return out;
}
