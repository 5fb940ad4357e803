#include "proxy/strip.h"

#include "lib/unframe.h"

enum { VALUE_MOST = 1000 };

/* Blanks and comments (RFC 5322 3.2.2): what stands behind them; a comment that does not end
 * leads to the end. */
static const char *
strip_skip_comments(const char *at)
{
	int depth = 0;

	for (; *at != '\0' && (depth > 0 || *at == ' ' || *at == '\t' || *at == '('); at++) {
		if (*at == '\\' && depth > 0 && at[1] != '\0')
			at++;
		else if (*at == '(')
			depth++;
		else if (*at == ')')
			depth--;
	}
	return at;
}

/* A token or a quoted string (RFC 2045 5.1) into id; what stands behind it. An empty id: it is
 * neither, or the string does not end. */
static const char *
strip_read_id(char id[VALUE_MOST + 1], const char *at)
{
	bool is_quoted = *at == '"';
	size_t length = 0;

	if (!is_quoted) {
		length = strcspn(at, " \t()<>@,;:\\\"/[]?=");
		memcpy(id, at, length);
		id[length] = '\0';
		return at + length;
	}
	for (at++; *at != '\0' && *at != '"'; at++) {
		at += *at == '\\' && at[1] != '\0';
		id[length++] = *at;
	}
	id[*at == '"' ? length : 0] = '\0';
	return at + (*at == '"');
}

/*
 * Does this Authentication-Results claim to be of the host `name`? One that cannot be read, or
 * has a version that we do not know, may say anything to anybody, and counts as such (RFC 8601
 * 2.2, 5).
 */
static bool
strip_claims(const struct header_field *field, const char *name)
{
	char value[VALUE_MOST + 1], id[VALUE_MOST + 1];

	value[header_unfold(field->value, value, VALUE_MOST)] = '\0';
	const char *at = strip_read_id(id, strip_skip_comments(value));

	if (id[0] == '\0' || strcasecmp(id, name) == 0)
		return true;
	at = strip_skip_comments(at);
	size_t digits = strspn(at, "0123456789");

	return digits > 0 && (digits != 1 || *at != '1');
}

static bool
strip_drops(const struct config *config, const struct header_field *field)
{
	return slice_matches(field->name, "X-Postern-Verdict") ||
	    (slice_matches(field->name, "Authentication-Results") &&
		strip_claims(field, config->authserv_id));
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
