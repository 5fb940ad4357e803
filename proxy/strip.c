#include "proxy/strip.h"

#include "lib/author.h"
#include "lib/unframe.h"

enum { ID_MOST = 1023 };

/* What is left of a field's value, and the name it claims. */
struct strip_reading {
	const char *at, *end;
	char id[ID_MOST + 1];
	size_t length; /* of the name; what is longer is not kept, and is nobody's */
};

static bool
strip_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Blanks, folding and comments (RFC 5322 3.2.2). False: a comment does not end. */
static bool
strip_skip_comments(struct strip_reading *reading)
{
	size_t depth = 0;

	for (; reading->at < reading->end; reading->at++) {
		char c = *reading->at;

		if (c == '(')
			depth++;
		else if (depth == 0 && !strip_is_blank(c))
			return true;
		else if (c == ')')
			depth--;
		else if (c == '\\' && depth > 0 && reading->at + 1 < reading->end)
			reading->at++;
	}
	return depth == 0;
}

static void
strip_keep(struct strip_reading *reading, char c)
{
	if (reading->length < ID_MOST)
		reading->id[reading->length] = c;
	reading->length++;
}

/* The string behind a quote (RFC 2045 5.1). False: it does not end. */
static bool
strip_read_string(struct strip_reading *reading)
{
	for (; reading->at < reading->end && *reading->at != '"'; reading->at++) {
		if (*reading->at == '\r' || *reading->at == '\n')
			continue;
		if (*reading->at == '\\' && reading->at + 1 < reading->end)
			reading->at++;
		strip_keep(reading, *reading->at);
	}
	return reading->at++ < reading->end;
}

/* A token, with U-labels perhaps, or a quoted string. False: it is neither. */
static bool
strip_read_id(struct strip_reading *reading)
{
	bool is_read = true;

	if (reading->at < reading->end && *reading->at == '"') {
		reading->at++;
		is_read = strip_read_string(reading);
	} else {
		for (; reading->at < reading->end; reading->at++) {
			unsigned char c = (unsigned char)*reading->at;

			if (c <= ' ' || c == 0x7f || strchr("()<>@,;:\\\"/[]?=", c) != NULL)
				break;
			strip_keep(reading, (char)c);
		}
	}
	reading->id[reading->length <= ID_MOST ? reading->length : 0] = '\0';
	return is_read && reading->length > 0;
}

/* The same text, or the same domain, in U-labels or A-labels. */
static bool
strip_is_name(const char *id, const char *name)
{
	if (strcasecmp(id, name) == 0)
		return true;
	struct arena *arena = arena_new(SIZE_MAX);
	const char *one = author_domain(arena, slice_of(id));
	const char *other = author_domain(arena, slice_of(name));
	bool is_same = one != NULL && other != NULL && strcmp(one, other) == 0;

	arena_free(arena);
	return is_same;
}

static bool
strip_is_ours(const struct config *config, const char *id)
{
	bool is_ours = strip_is_name(id, config->authserv_id);

	for (size_t i = 0; i < config->authserv_aliases.count && !is_ours; i++)
		is_ours = strip_is_name(id, config->authserv_aliases.item[i]);
	return is_ours;
}

/* None, or 1, however it is written (RFC 8601 2.2). */
static bool
strip_version_is_known(const struct strip_reading *reading)
{
	const char *at = reading->at;

	while (at < reading->end && *at == '0')
		at++;
	const char *digits = at;

	while (at < reading->end && *at >= '0' && *at <= '9')
		at++;
	return at == reading->at || (at - digits == 1 && *digits == '1');
}

/*
 * Does this Authentication-Results claim to be of one of our names? One that cannot be read, or
 * has a version that we do not know, may say anything to anybody, and counts as such (RFC 8601
 * 2.2, 5). So does one whose name is followed by what cannot stand there: readers differ in what
 * they take for the name.
 */
static bool
strip_claims(const struct config *config, struct slice value)
{
	struct strip_reading reading = { .at = value.data, .end = value.data + value.length };

	if (memchr(value.data, '\0', value.length) != NULL || !strip_skip_comments(&reading) ||
	    !strip_read_id(&reading))
		return true;
	if (reading.id[0] != '\0' && strip_is_ours(config, reading.id))
		return true;
	if (reading.at < reading.end && !strip_is_blank(*reading.at) &&
	    strchr("(;=/", *reading.at) == NULL)
		return true;
	return !strip_skip_comments(&reading) || !strip_version_is_known(&reading);
}

static bool
strip_drops(const struct config *config, const struct header_field *field)
{
	return slice_matches(field->name, "X-Postern-Verdict") ||
	    (slice_matches(field->name, "Authentication-Results") &&
		strip_claims(config, field->value));
}

static void
strip_on_wire(void *arg, struct slice piece)
{
	buf_append(arg, piece);
}

bool
strip_header(const struct config *config, struct slice header, struct buf *out)
{
	struct unframe_sink sink = { .wire = strip_on_wire, .arg = out };
	struct header_field field;
	struct unframe stuffing;
	size_t offset = 0, dropped = 0;

	while (header_next(header, &offset, &field))
		dropped += strip_drops(config, &field);
	if (dropped == 0)
		return false;
	unframe_init(&stuffing, UNFRAME_CHUNKS, UNFRAME_PASS);
	for (offset = 0; header_next(header, &offset, &field);)
		if (!strip_drops(config, &field))
			unframe_feed(&stuffing, field.whole, &sink);
	unframe_finish(&stuffing, &sink);
	return true;
}

size_t
strip_wire_length(struct slice header)
{
	size_t length = header.length;
	const char *at = header.data, *end = header.data + header.length;

	length += header.length > 0 && header.data[0] == '.';
	while (at < end && (at = memmem(at, (size_t)(end - at), "\r\n.", 3)) != NULL) {
		length++;
		at += 2;
	}
	return length;
}
