/*
 * rate: the options of filters/rate.c.
 */
#pragma once

#include "lib/option.h"

enum rate_key { RATE_CLIENT, RATE_NETWORK, RATE_SENDER, RATE_SENDER_DOMAIN, RATE_USER };
enum rate_count { RATE_CONNECTIONS, RATE_MESSAGES, RATE_RECIPIENTS };

struct rate_limit {
	const char *name;      /* of the fact */
	struct choice key;     /* enum rate_key: whose are counted together */
	struct choice count;   /* enum rate_count: what is counted */
	uint32_t most;         /* that is still `under` */
	struct seconds within; /* of a window that slides */
};

struct rate_limits {
	size_t count;
	const struct rate_limit *item;
};

struct rate_options {
	struct rate_limits limits;
};
