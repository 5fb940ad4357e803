/*
 * sink_options: the words behind `postern sink`.
 */
#pragma once

#include "lib/ip.h"
#include "lib/option.h"

struct sink_options {
	const char *listen, *maildir;
	const char *cert, *key; /* both or neither */
	const char *hostname;
	struct bytes size; /* 0: no limit */
	double idle;       /* seconds */
	bool envelope;
	struct endpoint endpoint; /* of listen */
};

/* False: what is wrong, and with what, is on stderr. Texts are those of argv, or the arena's. */
__attribute__((warn_unused_result)) bool
sink_options_read(struct sink_options *options, struct arena *arena, int argc, char **argv);
