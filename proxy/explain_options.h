/*
 * explain_options: the words behind `postern explain`, read and checked.
 */
#pragma once

#include "lib/ip.h"
#include "lib/smtp_path.h"

struct explain_options {
	const char *file; /* "-": the standard input */
	struct ip ip;
	const char *helo, *user, *tls; /* helo: never NULL */
	struct smtp_path from;
	struct smtp_path *recipients; /* at least one */
	size_t count;
	bool is_json;
};

/* False: what is wrong has been said on stderr. All of it lives in the arena or in argv. */
__attribute__((warn_unused_result)) bool
explain_options_read(struct explain_options *options, struct arena *arena, int argc, char **argv);
