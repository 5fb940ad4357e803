#include "lib/smtp_path.h"

#include "lib/ip.h"
#include "lib/utf8.h"

/* What differs between the two directions. */
struct path_kind {
	const char *keyword;
	bool may_be_null;
	struct smtp_fault missing, syntax, no_domain, too_long;
};

static const struct path_kind path_reverse = {
	.keyword = "FROM:",
	.may_be_null = true,
	.missing = { 501, "5.5.4", "Syntax: MAIL FROM:<address>" },
	.syntax = { 501, "5.1.7", "Bad sender address syntax" },
	.no_domain = { 553, "5.1.7", "Sender address needs a domain" },
	.too_long = { 501, "5.1.7", "Path too long" },
};

static const struct path_kind path_forward = {
	.keyword = "TO:",
	.may_be_null = false,
	.missing = { 501, "5.5.4", "Syntax: RCPT TO:<address>" },
	.syntax = { 501, "5.1.3", "Bad recipient address syntax" },
	.no_domain = { 553, "5.1.3", "Recipient address needs a domain" },
	.too_long = { 501, "5.1.3", "Path too long" },
};

static bool
path_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool
path_is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* atext of RFC 5322 3.2.3, and the dot, wherever it stands. */
static bool
path_is_atext(char c)
{
	return path_is_alnum(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~.", c) != NULL);
}

static void
path_skip(struct slice *in, size_t count)
{
	in->data += count;
	in->length -= count;
}

static bool
path_take(struct slice *in, char c)
{
	if (in->length == 0 || in->data[0] != c)
		return false;
	path_skip(in, 1);
	return true;
}

/* A character beyond ASCII, C1 controls apart; 0: there is none. */
static size_t
path_utf8(struct slice in, uint32_t *code)
{
	size_t length = utf8_read(in, code);

	return length > 1 && *code >= 0xa0 ? length : 0;
}

/* Behind the opening quote, up to and with the closing one (RFC 5321 4.1.2). */
static bool
path_take_quoted(struct smtp_path *path, struct slice *in)
{
	uint32_t code;

	while (in->length > 0) {
		unsigned char c = (unsigned char)in->data[0];
		size_t length = 1;

		if (c == '"') {
			path_skip(in, 1);
			return true;
		}
		if (c == '\\') {
			path_skip(in, 1);
			if (in->length == 0 || in->data[0] < 32 || in->data[0] > 126)
				return false;
		} else if (c >= 128) {
			length = path_utf8(*in, &code);
			path->is_utf8 = true;
		} else if (c < 32 || c > 126) {
			return false;
		}
		if (length == 0)
			return false;
		path_skip(in, length);
	}
	return false;
}

static bool
path_take_local(struct smtp_path *path, struct slice *in)
{
	const char *start = in->data;
	uint32_t code;

	path->is_quoted = path_take(in, '"');
	if (path->is_quoted) {
		if (!path_take_quoted(path, in))
			return false;
	} else {
		while (in->length > 0) {
			size_t length = path_is_atext(in->data[0]) ? 1 : path_utf8(*in, &code);

			if (length == 0)
				break;
			path->is_utf8 |= length > 1;
			path_skip(in, length);
		}
	}
	path->local = (struct slice) { .data = start, .length = (size_t)(in->data - start) };
	return path->local.length > 0;
}

/* "[192.0.2.1]" or "[IPv6:2001:db8::1]". */
static bool
path_take_literal(struct slice *in)
{
	static const char tag[] = "IPv6:";
	const char *close = memchr(in->data, ']', in->length);
	struct ip ip;

	if (close == NULL)
		return false;
	struct slice text = { in->data + 1, (size_t)(close - in->data) - 1 };
	bool is_ipv6 = text.length > strlen(tag) && strncasecmp(text.data, tag, strlen(tag)) == 0;

	if (is_ipv6)
		path_skip(&text, strlen(tag));
	if (!ip_read(&ip, text) || is_ipv6 != (memchr(text.data, ':', text.length) != NULL))
		return false;
	path_skip(in, (size_t)(close - in->data) + 1);
	return true;
}

/* One label. Full stops of other scripts would end it elsewhere after mapping (UTS 46). */
static bool
path_take_label(struct slice *in, bool *is_utf8)
{
	const char *start = in->data;
	bool is_ascii = true;
	uint32_t code;

	while (in->length > 0) {
		char c = in->data[0];
		size_t length =
		    path_is_alnum(c) || c == '-' || c == '_' ? 1 : path_utf8(*in, &code);

		if (length == 0)
			break;
		if (length > 1 && (code == 0x3002 || code == 0xff0e || code == 0xff61))
			return false;
		is_ascii &= length == 1;
		path_skip(in, length);
	}
	size_t length = (size_t)(in->data - start);

	*is_utf8 |= !is_ascii;
	if (length == 0 || start[0] == '-' || start[length - 1] == '-')
		return false;
	return !is_ascii || length <= SMTP_LABEL_MOST;
}

static bool
path_take_name(struct slice *in, bool *is_utf8)
{
	const char *start = in->data;

	do {
		if (!path_take_label(in, is_utf8))
			return false;
	} while (path_take(in, '.'));
	return in->data - start <= SMTP_DOMAIN_MOST;
}

static bool
path_take_domain(struct smtp_path *path, struct slice *in)
{
	const char *start = in->data;

	path->is_literal = in->length > 0 && in->data[0] == '[';
	if (path->is_literal ? !path_take_literal(in) : !path_take_name(in, &path->is_utf8))
		return false;
	path->domain = (struct slice) { .data = start, .length = (size_t)(in->data - start) };
	return true;
}

/* A local part, and a domain where there is one. */
static bool
path_take_mailbox(struct smtp_path *path, struct slice *in)
{
	const char *start = in->data;

	if (!path_take_local(path, in))
		return false;
	path->domain = (struct slice) { .data = in->data, .length = 0 };
	if (path_take(in, '@') && !path_take_domain(path, in))
		return false;
	path->text = (struct slice) { .data = start, .length = (size_t)(in->data - start) };
	path->is_postmaster = slice_matches(path->local, "postmaster");
	return true;
}

/* "@a.example,@b.example:" (RFC 5321 4.1.2, A-d-l). */
static bool
path_take_route(struct slice *in)
{
	bool is_utf8 = false;

	do {
		if (!path_take(in, '@') || !path_take_name(in, &is_utf8))
			return false;
	} while (path_take(in, ','));
	return path_take(in, ':');
}

/* Behind the opening bracket, up to and with the closing one. */
static bool
path_take_bracketed(struct smtp_path *path, struct slice *in)
{
	path->has_route = in->length > 0 && in->data[0] == '@';
	if (path->has_route && !path_take_route(in))
		return false;
	if (!path->has_route && in->length > 0 && in->data[0] == '>') {
		path->is_null = true;
		path->text = path->local = path->domain = (struct slice) { in->data, 0 };
		return path_take(in, '>');
	}
	return path_take_mailbox(path, in) && path_take(in, '>');
}

static const struct smtp_fault *
path_read(
    struct smtp_path *path, const struct path_kind *kind, struct slice argument, struct slice *rest)
{
	size_t length = strlen(kind->keyword);

	*path = (struct smtp_path) { .is_null = false };
	if (argument.length < length || strncasecmp(argument.data, kind->keyword, length) != 0)
		return &kind->missing;
	path_skip(&argument, length);
	struct slice in = slice_trim(argument, path_is_blank);

	if (in.length == 0)
		return &kind->missing;
	bool is_good =
	    path_take(&in, '<') ? path_take_bracketed(path, &in) : path_take_mailbox(path, &in);

	if (!is_good || (in.length > 0 && !path_is_blank(in.data[0])))
		return &kind->syntax;
	*rest = slice_trim(in, path_is_blank);
	if (path->text.length + strlen("<>") > SMTP_PATH_MOST)
		return &kind->too_long;
	if (path->is_null)
		return kind->may_be_null ? NULL : &kind->syntax;
	if (path->domain.length == 0 && (kind->may_be_null || !path->is_postmaster))
		return &kind->no_domain;
	return NULL;
}

const struct smtp_fault *
smtp_path_read_reverse(struct smtp_path *path, struct slice argument, struct slice *rest)
{
	return path_read(path, &path_reverse, argument, rest);
}

const struct smtp_fault *
smtp_path_read_forward(struct smtp_path *path, struct slice argument, struct slice *rest)
{
	return path_read(path, &path_forward, argument, rest);
}

bool
smtp_path_read_mailbox(struct smtp_path *path, struct slice text)
{
	*path = (struct smtp_path) { .is_null = false };
	if (!path_take_mailbox(path, &text) || text.length > 0 || path->domain.length == 0)
		return false;
	return path->text.length + strlen("<>") <= SMTP_PATH_MOST;
}

bool
smtp_path_is_routing(const struct smtp_path *path)
{
	static const char *const signs[] = { "%", "!", "@", "\uff05", "\uff01", "\uff20", "\ufe6a",
		"\ufe57", "\ufe6b" };
	struct slice local = path->local;

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (memmem(local.data, local.length, signs[i], strlen(signs[i])) != NULL)
			return true;
	path_take(&local, '"');
	path_take(&local, '\\');
	return local.length > 0 && (local.data[0] == '/' || local.data[0] == '|');
}

struct smtp_path
smtp_path_copy(struct arena *arena, const struct smtp_path *path)
{
	struct smtp_path copy = *path;

	copy.text.data = arena_copy(arena, path->text);
	copy.local.data = copy.text.data + (path->local.data - path->text.data);
	copy.domain.data = copy.text.data + (path->domain.data - path->text.data);
	return copy;
}
