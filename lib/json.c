#include "lib/json.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/utf8.h"

void
json_init(struct json *json, struct buf *buf)
{
	*json = (struct json) { .buf = buf };
}

bool
json_is_complete(const struct json *json)
{
	return json->is_done;
}

/* What stands before each value: a comma where one is due. */
static void
json_begin(struct json *json)
{
	assert(!json->is_done);
	if (json->depth == 0)
		return;
	int level = json->depth - 1;

	assert(json->is_object[level] == json->has_key);
	if (json->has_key)
		json->has_key = false; /* the comma stands before the key */
	else if (json->has_values[level])
		buf_append_byte(json->buf, ',');
	json->has_values[level] = true;
}

static void
json_end(struct json *json)
{
	if (json->depth == 0)
		json->is_done = true;
}

static void
json_value(struct json *json, struct slice text)
{
	json_begin(json);
	buf_append(json->buf, text);
	json_end(json);
}

static void
json_open(struct json *json, bool is_object)
{
	json_begin(json);
	assert(json->depth < JSON_DEPTH_MOST);
	json->is_object[json->depth] = is_object;
	json->has_values[json->depth] = false;
	json->depth++;
	buf_append_byte(json->buf, is_object ? '{' : '[');
}

static void
json_close(struct json *json, bool is_object)
{
	assert(json->depth > 0 && json->is_object[json->depth - 1] == is_object);
	assert(!json->has_key);
	json->depth--;
	buf_append_byte(json->buf, is_object ? '}' : ']');
	json_end(json);
}

void
json_open_object(struct json *json)
{
	json_open(json, true);
}

void
json_close_object(struct json *json)
{
	json_close(json, true);
}

void
json_open_array(struct json *json)
{
	json_open(json, false);
}

void
json_close_array(struct json *json)
{
	json_close(json, false);
}

static void
json_escape(struct buf *buf, uint32_t code)
{
	static const char shorts[32] = {
		['\b'] = 'b',
		['\t'] = 't',
		['\n'] = 'n',
		['\f'] = 'f',
		['\r'] = 'r',
	};

	if (code == '"' || code == '\\')
		buf_print(buf, "\\%c", (int)code);
	else if (code < 32 && shorts[code] != 0)
		buf_print(buf, "\\%c", shorts[code]);
	else
		buf_print(buf, "\\u%04" PRIx32, code);
}

/* Text that needs no change is appended in one piece. */
static void
json_quote(struct buf *buf, struct slice text)
{
	size_t begin = 0, at = 0;

	buf_append_byte(buf, '"');
	while (at < text.length) {
		char byte = text.data[at];

		if (byte >= ' ' && byte <= '~' && byte != '"' && byte != '\\') {
			at++;
			continue;
		}
		struct slice rest = { .data = text.data + at, .length = text.length - at };
		uint32_t code = 0;
		size_t length = utf8_read(rest, &code);
		bool is_special = code < 32 || code == '"' || code == '\\' || code == 0x7f ||
		    code == 0x2028 || code == 0x2029;

		if (length > 0 && !is_special) {
			at += length;
			continue;
		}
		buf_append(buf, (struct slice) { .data = text.data + begin, .length = at - begin });
		if (length == 0)
			buf_append(buf, slice_of("\xef\xbf\xbd"));
		else
			json_escape(buf, code);
		at += length == 0 ? 1 : length;
		begin = at;
	}
	if (at > begin)
		buf_append(buf, (struct slice) { .data = text.data + begin, .length = at - begin });
	buf_append_byte(buf, '"');
}

struct json *
json_key(struct json *json, const char *key)
{
	return json_key_slice(json, slice_of(key));
}

struct json *
json_key_slice(struct json *json, struct slice key)
{
	int level = json->depth - 1;

	assert(level >= 0 && json->is_object[level] && !json->has_key);
	if (json->has_values[level])
		buf_append_byte(json->buf, ',');
	json_quote(json->buf, key);
	buf_append_byte(json->buf, ':');
	json->has_key = true;
	return json;
}

void
json_string(struct json *json, struct slice text)
{
	json_begin(json);
	json_quote(json->buf, text);
	json_end(json);
}

void
json_text(struct json *json, const char *text)
{
	if (text == NULL)
		json_null(json);
	else
		json_string(json, slice_of(text));
}

void
json_integer(struct json *json, int64_t value)
{
	json_begin(json);
	buf_print(json->buf, "%" PRId64, value);
	json_end(json);
}

void
json_unsigned(struct json *json, uint64_t value)
{
	json_begin(json);
	buf_print(json->buf, "%" PRIu64, value);
	json_end(json);
}

/* 15 digits are enough for what people write, 17 for every double. */
void
json_double(struct json *json, double value)
{
	char text[32];

	if (!isfinite(value)) {
		json_null(json);
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	char *comma = strchr(text, ','); /* some locales' point */

	if (comma != NULL)
		*comma = '.';
	json_value(json, slice_of(text));
}

void
json_bool(struct json *json, bool value)
{
	json_value(json, slice_of(value ? "true" : "false"));
}

void
json_null(struct json *json)
{
	json_value(json, slice_of("null"));
}

void
json_raw(struct json *json, struct slice value)
{
	json_value(json, value);
}
