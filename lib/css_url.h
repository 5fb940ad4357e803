/*
 * css_url: the addresses in CSS, fed in pieces: url(...) and @import "...".
 *
 * Escapes (\75 rl, \.) are decoded everywhere, comments dropped outside of addresses, strings
 * other than those of @import skipped (CSS Syntax Module Level 3, 4.3). Bounded by the struct.
 */
#pragma once

#include <stdint.h>

#include "lib/slice.h"

enum { CSS_URL_MOST = 2048 };

struct css_url {
	void (*found)(void *arg, struct slice value);
	void *arg;
	uint8_t state, back; /* back: where a comment or an escape stands */
	char quote;
	uint64_t last; /* the last eight characters, lower case */
	bool is_import;
	uint8_t digits; /* of an escape */
	uint32_t code;
	size_t length; /* of the value */
	char value[CSS_URL_MOST];
};

void css_url_init(struct css_url *css, void (*found)(void *arg, struct slice value), void *arg);
void css_url_feed(struct css_url *css, struct slice input);
void css_url_end(struct css_url *css); /* as after init, then */
