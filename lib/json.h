/*
 * json: writes JSON (RFC 8259) onto a buf.
 *
 *	struct json json;
 *
 *	json_init(&json, buf);
 *	json_open_object(&json);
 *	json_text(json_key(&json, "event"), "started");
 *	json_integer(json_key(&json, "workers"), 2);
 *	json_close_object(&json);			{"event":"started","workers":2}
 *
 * Commas come by themselves. The output is one line of valid UTF-8 without NUL, CR, LF, U+2028
 * and U+2029, so it can go into a log, a script and an SSE stream as it is; valid UTF-8 is kept,
 * each byte that is none becomes U+FFFD.
 *
 * Misuse (a value without key inside an object, a key in an array, the wrong close, nesting
 * beyond JSON_DEPTH_MOST) is a bug and asserted. What does not fit the buf is the buf's
 * overflowed; then throw the text away. Nothing is allocated but by the buf.
 */
#pragma once

#include <stdint.h>

#include "lib/buf.h"

enum { JSON_DEPTH_MOST = 16 };

struct json {
	struct buf *buf;
	int depth;
	bool has_key;                     /* a key was written, its value is due */
	bool is_done;                     /* the outermost value is complete */
	bool has_values[JSON_DEPTH_MOST]; /* the next one needs a comma */
	bool is_object[JSON_DEPTH_MOST];
};

void json_init(struct json *json, struct buf *buf); /* writes behind what buf holds */
bool json_is_complete(const struct json *json);     /* one whole value has been written */

void json_open_object(struct json *json);
void json_close_object(struct json *json);
void json_open_array(struct json *json);
void json_close_array(struct json *json);

/* Both return json, for the value that follows. */
struct json *json_key(struct json *json, const char *key);
struct json *json_key_slice(struct json *json, struct slice key);

void json_string(struct json *json, struct slice text);
void json_text(struct json *json, const char *text); /* NULL: null */
void json_integer(struct json *json, int64_t value);
void json_unsigned(struct json *json, uint64_t value);
void json_double(struct json *json, double value); /* shortest that reads back; not finite: null */
void json_bool(struct json *json, bool value);
void json_null(struct json *json);
void json_raw(struct json *json, struct slice value); /* one valid JSON value, taken as it is */
