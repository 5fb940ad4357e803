#include "lib/decode.h"
#include "lib/uri.h"

/* Those that have been told of one address, so that each is told once. */
struct uri_nest {
	const struct uri *outer;
	const struct uri_sink *sink;
	uint32_t told[URI_NESTED_MOST];
	size_t count;
};

enum { ROUNDS_MOST = 3 };

static uint32_t
uri_nested_hash(const char *text)
{
	uint32_t hash = 2166136261u;

	for (; *text != '\0'; text++)
		hash = (hash ^ (uint8_t)*text) * 16777619u;
	return hash;
}

static void
uri_nested_tell(struct uri_nest *nest, struct slice authority)
{
	struct uri uri = { .where = nest->outer->where, .text = nest->outer->text };

	uri.flags = (nest->outer->flags & URI_IS_HIDDEN) | URI_IS_NESTED;
	if (!host_form_read(&uri.host, uri_authority_host(authority, &uri.flags)))
		return;
	uint32_t hash = uri_nested_hash(uri.host.text);

	for (size_t i = 0; i < nest->count; i++)
		if (nest->told[i] == hash)
			return;
	if (nest->count == URI_NESTED_MOST)
		return;
	nest->told[nest->count++] = hash;
	nest->sink->found(nest->sink->arg, &uri);
}

/* "http:/" or "https:/" and more slashes: where the host begins; 0: there is nothing of the kind. */
static size_t
uri_nested_begin(struct slice text)
{
	size_t at = text.length > 4 && (text.data[4] | 0x20) == 's' ? 5 : 4, slashes = at + 1;

	if (at >= text.length || text.data[at] != ':')
		return 0;
	while (slashes < text.length && (text.data[slashes] == '/' || text.data[slashes] == '\\'))
		slashes++;
	return slashes > at + 1 ? slashes : 0;
}

static void
uri_nested_plain(struct uri_nest *nest, struct slice text)
{
	static const char ends[] = "/\\?#&;\"'<>(),|!*+=`{}^ ";
	size_t length = 0;

	while (length < text.length && (unsigned char)text.data[length] >= ' ' &&
	    memchr(ends, text.data[length], sizeof(ends) - 1) == NULL)
		length++;
	uri_nested_tell(nest, (struct slice) { text.data, length });
}

/* "https-3A__evil.example_path": - stands for % and _ for / (a mail gateway's way of writing). */
static void
uri_nested_rewritten(struct uri_nest *nest, struct slice text)
{
	char host[HOST_TEXT_MOST];
	size_t length = 0;

	while (length < text.length && length < sizeof(host) &&
	    memchr("_&?#/", text.data[length], 5) == NULL) {
		host[length] = text.data[length] == '-' ? '%' : text.data[length];
		length++;
	}
	uri_nested_tell(nest, (struct slice) { host, length });
}

static void
uri_nested_round(struct uri_nest *nest, struct slice text)
{
	static const char rewritten[] = "-3A__";
	size_t at = 0;

	for (; at + 8 < text.length && nest->count < URI_NESTED_MOST; at++) {
		struct slice rest = { text.data + at, text.length - at };

		if ((rest.data[0] | 0x20) != 'h' || strncasecmp(rest.data, "http", 4) != 0)
			continue;
		size_t begin = uri_nested_begin(rest), s = 4 + ((rest.data[4] | 0x20) == 's');

		if (begin > 0)
			uri_nested_plain(
			    nest, (struct slice) { rest.data + begin, rest.length - begin });
		else if (rest.length > s + 5 && strncasecmp(rest.data + s, rewritten, 5) == 0)
			uri_nested_rewritten(
			    nest, (struct slice) { rest.data + s + 5, rest.length - s - 5 });
	}
}

static int
uri_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In place. False: nothing was escaped. */
static bool
uri_unescape(char *text, size_t *length)
{
	size_t from = 0, to = 0;

	while (from < *length) {
		if (text[from] == '%' && from + 2 < *length && uri_hex(text[from + 1]) >= 0 &&
		    uri_hex(text[from + 2]) >= 0) {
			text[to++] = (char)(uri_hex(text[from + 1]) << 4 | uri_hex(text[from + 2]));
			from += 3;
		} else {
			text[to++] = text[from++];
		}
	}
	bool was_escaped = to < *length;

	*length = to;
	return was_escaped;
}

size_t
uri_tell_nested(struct slice text, const struct uri *outer, const struct uri_sink *sink)
{
	struct uri_nest nest = { .outer = outer, .sink = sink };
	char decoded[URI_MOST];
	size_t length = text.length < URI_MOST ? text.length : URI_MOST;

	if (length < 9)
		return 0;
	uri_nested_round(&nest, text);
	if (memchr(text.data, '%', length) == NULL)
		return nest.count;
	memcpy(decoded, text.data, length);
	for (int round = 0; round < ROUNDS_MOST && uri_unescape(decoded, &length); round++)
		uri_nested_round(&nest, (struct slice) { decoded, length });
	return nest.count;
}

void
uri_tell_base64(struct slice text, const struct uri *outer, const struct uri_sink *sink)
{
	static const char mark[] = ";base64,";
	struct decode decode = { .encoding = DECODE_BASE64 };
	char page[URI_MOST + DECODE_HELD];
	size_t head = 0;

	for (; head < text.length && text.data[head] != ','; head++)
		;
	if (head == text.length || head + 2 < sizeof(mark) ||
	    strncasecmp(text.data + head + 2 - sizeof(mark), mark, sizeof(mark) - 1) != 0)
		return;
	text = (struct slice) { text.data + head + 1, text.length - head - 1 };
	text.length = text.length < URI_MOST ? text.length : URI_MOST;
	uri_tell_nested((struct slice) { page, decode_feed(&decode, text, page) }, outer, sink);
}
