#include "lib/uri.h"

#include "lib/public_suffix.h"

/* What stands behind the colon. */
enum uri_scheme_kind {
	SCHEME_NONE,    /* there is no scheme */
	SCHEME_WEB,     /* of the URL Standard's special ones: slashes as one likes */
	SCHEME_FILE,    /* //host/path */
	SCHEME_MAIL,    /* an address */
	SCHEME_HOLDS,   /* something that may hold an address of the web */
	SCHEME_NOTHING, /* nothing that is asked about */
	SCHEME_OTHER,
};

struct uri_scheme {
	const char *name;
	enum uri_scheme_kind kind;
};

static const struct uri_scheme uri_schemes[] = {
	{ "http", SCHEME_WEB },
	{ "https", SCHEME_WEB },
	{ "ftp", SCHEME_WEB },
	{ "ws", SCHEME_WEB },
	{ "wss", SCHEME_WEB },
	{ "file", SCHEME_FILE },
	{ "mailto", SCHEME_MAIL },
	{ "javascript", SCHEME_HOLDS },
	{ "vbscript", SCHEME_HOLDS },
	{ "data", SCHEME_HOLDS },
	{ "view-source", SCHEME_HOLDS },
	{ "about", SCHEME_NOTHING },
	{ "cid", SCHEME_NOTHING },
	{ "mid", SCHEME_NOTHING },
	{ "tel", SCHEME_NOTHING },
	{ "sms", SCHEME_NOTHING },
	{ "callto", SCHEME_NOTHING },
	{ "facetime", SCHEME_NOTHING },
	{ "skype", SCHEME_NOTHING },
	{ "sip", SCHEME_NOTHING },
	{ "sips", SCHEME_NOTHING },
	{ "xmpp", SCHEME_NOTHING },
	{ "urn", SCHEME_NOTHING },
	{ "news", SCHEME_NOTHING },
};

const char *
uri_where_name(enum uri_where where)
{
	static const char *const names[] = { "link", "form", "refresh", "source", "style", "text",
		"header" };

	return names[where];
}

bool
uri_has_top(const struct host_form *host)
{
	const char *dot = strrchr(host->text, '.');

	return host->kind == HOST_NAME && dot != NULL && public_suffix_is_top(dot + 1);
}

/* ---- parts of an address ---- */

static bool
uri_is_slash(char c)
{
	return c == '/' || c == '\\';
}

static size_t
uri_slashes(struct slice text)
{
	size_t count = 0;

	while (count < text.length && uri_is_slash(text.data[count]))
		count++;
	return count;
}

static struct slice
uri_from(struct slice text, size_t offset)
{
	return (struct slice) { text.data + offset, text.length - offset };
}

/* Up to the path, the query or the fragment. */
static size_t
uri_authority_length(struct slice text)
{
	size_t length = 0;

	while (length < text.length && !uri_is_slash(text.data[length]) &&
	    text.data[length] != '?' && text.data[length] != '#')
		length++;
	return length;
}

struct slice
uri_authority_host(struct slice authority, unsigned int *flags)
{
	const char *at = memrchr(authority.data, '@', authority.length);
	struct slice host = authority;
	const char *end;

	if (at != NULL) {
		host = uri_from(authority, (size_t)(at + 1 - authority.data));
		*flags |= at > authority.data ? URI_HAS_USER : 0;
	}
	if (host.length > 0 && host.data[0] == '[') {
		end = memchr(host.data, ']', host.length);
		return (struct slice) { host.data,
			end != NULL ? (size_t)(end + 1 - host.data) : host.length };
	}
	end = memchr(host.data, ':', host.length);
	return (struct slice) { host.data, end != NULL ? (size_t)(end - host.data) : host.length };
}

/* Control characters and blanks at the ends go, and tabs and line ends anywhere. */
static struct slice
uri_clean(char out[URI_MOST], struct slice value)
{
	size_t length = 0;

	while (value.length > 0 && (unsigned char)value.data[0] <= ' ')
		value = uri_from(value, 1);
	while (value.length > 0 && (unsigned char)value.data[value.length - 1] <= ' ')
		value.length--;
	for (size_t i = 0; i < value.length && length < URI_MOST; i++) {
		char c = value.data[i];

		if (c != '\t' && c != '\r' && c != '\n')
			out[length++] = c;
	}
	return (struct slice) { out, length };
}

/* The letters in front of the colon, in lower case; "" and SCHEME_NONE: there is no scheme. */
static enum uri_scheme_kind
uri_scheme_read(struct slice text, char scheme[URI_SCHEME_MOST], size_t *length)
{
	size_t i = 0;

	scheme[0] = '\0';
	for (; i < text.length; i++) {
		char c = text.data[i], lower = (char)(c | 0x20);
		bool is_letter = lower >= 'a' && lower <= 'z';

		if (c == ':' && i > 0)
			break;
		if (!is_letter &&
		    (i == 0 || !((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.')))
			return SCHEME_NONE;
	}
	if (i == text.length)
		return SCHEME_NONE;
	*length = i + 1;
	for (size_t row = 0; row < sizeof(uri_schemes) / sizeof(uri_schemes[0]); row++)
		if (slice_matches((struct slice) { text.data, i }, uri_schemes[row].name)) {
			strcpy(scheme, uri_schemes[row].name);
			return uri_schemes[row].kind;
		}
	return SCHEME_OTHER;
}

/* ---- what is told ---- */

/* An address on its way: all of it, its place, and who is told. */
struct uri_reading {
	struct slice text;
	enum uri_where where;
	struct uri_base *base;
	const struct uri_sink *sink;
	struct uri uri;
};

/* The host, if it is one, and those within the rest. */
static bool
uri_tell(struct uri_reading *reading, struct slice host, struct slice rest, bool needs_top)
{
	struct uri *uri = &reading->uri;
	bool is_host = host_form_read(&uri->host, host) && (!needs_top || uri_has_top(&uri->host));

	uri->text = reading->text;
	uri->where = reading->where;
	if (rest.length > 0 && uri_tell_nested(rest, uri, reading->sink) > 0)
		uri->flags |= URI_REDIRECTS;
	if (is_host)
		reading->sink->found(reading->sink->arg, uri);
	return is_host;
}

static bool
uri_tell_authority(struct uri_reading *reading, struct slice text, bool needs_top)
{
	size_t length = uri_authority_length(text);
	struct slice host =
	    uri_authority_host((struct slice) { text.data, length }, &reading->uri.flags);

	return uri_tell(reading, host, uri_from(text, length), needs_top);
}

static void
uri_tell_base(struct uri_base *base, const struct uri_sink *sink)
{
	struct uri uri = { .host = base->host,
		.flags = URI_IS_BASE,
		.where = URI_IN_LINK,
		.text = slice_of(base->host.text) };

	base->is_wanted = true;
	if (!base->is_set || base->is_told)
		return;
	base->is_told = true;
	sink->found(sink->arg, &uri);
}

static void
uri_read_relative(struct uri_reading *reading, struct slice text)
{
	reading->uri.where = reading->where;
	reading->uri.text = reading->text;
	uri_tell_nested(text, &reading->uri, reading->sink);
	if (reading->base != NULL)
		uri_tell_base(reading->base, reading->sink);
}

/* Behind the scheme: with the base's own scheme and without two slashes it is relative. */
static void
uri_read_web(struct uri_reading *reading, const char *scheme, struct slice rest)
{
	const struct uri_base *base = reading->base;
	size_t slashes = uri_slashes(rest);

	if (base != NULL && base->is_set && strcmp(base->scheme, scheme) == 0 && slashes < 2)
		uri_read_relative(reading, rest);
	else
		uri_tell_authority(reading, uri_from(rest, slashes), false);
}

static void
uri_read_mail(struct uri_reading *reading, struct slice rest)
{
	struct slice address = uri_from(rest, uri_slashes(rest));
	size_t length = uri_authority_length(address);
	const char *at = memrchr(address.data, '@', length);

	reading->uri.flags |= URI_IS_MAIL;
	if (at != NULL) {
		size_t offset = (size_t)(at + 1 - address.data);
		size_t end = offset;

		while (end < length && memchr(",;%>", address.data[end], 4) == NULL)
			end++;
		uri_tell(reading, (struct slice) { address.data + offset, end - offset },
		    (struct slice) { "", 0 }, true);
	}
	reading->uri.flags = 0;
	uri_tell_nested(uri_from(address, length), &reading->uri, reading->sink);
}

/*
 * A scheme that is none of the known ones, or a name with a port, or a user's name with a
 * password: where a name of a known top level follows, it is taken.
 */
static void
uri_read_other(struct uri_reading *reading, struct slice text, struct slice rest)
{
	size_t slashes = uri_slashes(rest);
	size_t length = uri_authority_length(rest);
	bool is_port = rest.length > 0 && rest.data[0] >= '0' && rest.data[0] <= '9';

	if (slashes >= 2)
		uri_tell_authority(reading, uri_from(rest, slashes), true);
	else if (is_port || memchr(rest.data, '@', length) != NULL)
		reading->uri.flags |= URI_IS_BARE, uri_tell_authority(reading, text, true);
	else
		uri_tell_nested(rest, &reading->uri, reading->sink);
}

static void
uri_read_schemeless(struct uri_reading *reading, struct slice text)
{
	const struct uri_base *base = reading->base;
	size_t slashes = uri_slashes(text);

	if (slashes >= 2) {
		uri_tell_authority(reading, uri_from(text, slashes), false);
	} else if (base != NULL && base->is_set) {
		uri_read_relative(reading, text);
	} else {
		reading->uri.flags |= URI_IS_BARE;
		if (text.length == 0 || memchr("/\\?#", text.data[0], 4) != NULL ||
		    !uri_tell_authority(reading, text, true))
			uri_read_relative(reading, text);
	}
}

void
uri_read(
    struct slice value, enum uri_where where, struct uri_base *base, const struct uri_sink *sink)
{
	char clean[URI_MOST], scheme[URI_SCHEME_MOST];
	size_t length = 0;
	struct slice text = uri_clean(clean, value);
	struct uri_reading reading = { text, where, base, sink, { .where = where, .text = text } };
	enum uri_scheme_kind kind = uri_scheme_read(text, scheme, &length);
	struct slice rest = uri_from(text, length);

	switch (kind) {
	case SCHEME_NONE:
		uri_read_schemeless(&reading, text);
		break;
	case SCHEME_WEB:
		uri_read_web(&reading, scheme, rest);
		break;
	case SCHEME_FILE:
		if (uri_slashes(rest) == 2)
			uri_tell_authority(&reading, uri_from(rest, 2), false);
		break;
	case SCHEME_MAIL:
		uri_read_mail(&reading, rest);
		break;
	case SCHEME_HOLDS:
		uri_tell_nested(rest, &reading.uri, sink);
		uri_tell_base64(rest, &reading.uri, sink);
		break;
	case SCHEME_OTHER:
		uri_read_other(&reading, text, rest);
		break;
	case SCHEME_NOTHING:
		break;
	}
}

void
uri_set_base(struct slice value, struct uri_base *base, const struct uri_sink *sink)
{
	char clean[URI_MOST], scheme[URI_SCHEME_MOST];
	unsigned int flags = 0;
	size_t length = 0;
	struct slice text = uri_clean(clean, value);
	enum uri_scheme_kind kind = uri_scheme_read(text, scheme, &length);
	struct slice rest = uri_from(text, length);

	if (base->is_set || (kind != SCHEME_WEB && (kind != SCHEME_NONE || uri_slashes(rest) < 2)))
		return;
	rest = uri_from(rest, uri_slashes(rest));
	rest.length = uri_authority_length(rest);
	if (!host_form_read(&base->host, uri_authority_host(rest, &flags)))
		return;
	base->is_set = true;
	strcpy(base->scheme, scheme);
	if (base->is_wanted)
		uri_tell_base(base, sink);
}
