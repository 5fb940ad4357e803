/*
 * relay: the options of filters/relay.c, which the configuration has as `relay:`.
 *
 * With nothing in them, only authenticated users may send mail through us.
 */
#pragma once

#include "lib/networks.h"

struct relay_options {
	struct texts domains;     /* "example.com", ".example.com" (sub-domains only) */
	struct networks networks; /* whose mail goes anywhere */
};
