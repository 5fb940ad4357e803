#include "lib/uri_word.h"

#include "lib/public_suffix.h"
#include "lib/utf8.h"

static const char *const uri_word_schemes[] = { "https", "http", "ftp" };

/* Last labels that are endings of files as well. */
static const char *const uri_word_files[] = { "ai", "app", "cc", "md", "mov", "pl", "ps", "py",
	"rs", "sh", "so", "zip" };

/* ---- characters ---- */

static bool
uri_is_word_end(uint32_t code)
{
	return code == 0xa0 || code == 0xab || code == 0xbb || code == 0x1680 ||
	    (code >= 0x2000 && code <= 0x200a) || (code >= 0x2018 && code <= 0x201f) ||
	    (code >= 0x2026 && code <= 0x202f) || code == 0x2039 || code == 0x203a ||
	    code == 0x205f || code == 0x3000 || code == 0x3001 ||
	    (code >= 0x3008 && code <= 0x3011) || (code >= 0x3014 && code <= 0x301f) ||
	    code == 0xff01 || code == 0xff08 || code == 0xff09 || code == 0xff0c ||
	    code == 0xff1a || code == 0xff1b || code == 0xff1f ||
	    (code >= 0xff5b && code <= 0xff64 && code != 0xff61);
}

/* How many bytes of a character beyond ASCII belong to the word; 0: it ends it. */
static size_t
uri_high_length(struct slice text)
{
	uint32_t code;
	size_t length = utf8_read(text, &code);

	if (length == 0)
		return 1;
	return uri_is_word_end(code) ? 0 : length;
}

static bool
uri_is_host_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	    c == '-' || c == '_' || c == '.';
}

static struct slice
uri_part(struct slice text, size_t from, size_t to)
{
	return (struct slice) { text.data + from, to - from };
}

/* Behind the characters of a host that begin at `at`; of an address with % too. */
static size_t
uri_host_end(struct slice text, size_t at, bool has_escapes)
{
	while (at < text.length) {
		size_t high = 0;

		if ((unsigned char)text.data[at] >= 0x80) {
			high = uri_high_length(uri_part(text, at, text.length));
			if (high == 0)
				return at;
		} else if (!uri_is_host_char(text.data[at]) &&
		    !(has_escapes && text.data[at] == '%')) {
			return at;
		}
		at += high > 0 ? high : 1;
	}
	return at;
}

/* Behind all that may belong to an address that begins at `at`. */
static size_t
uri_address_end(struct slice text, size_t at)
{
	while (at < text.length) {
		size_t length = 1;

		if ((unsigned char)text.data[at] >= 0x80)
			length = uri_high_length(uri_part(text, at, text.length));
		if (length == 0 || text.data[at] == '`')
			return at;
		at += length;
	}
	return at;
}

static struct slice
uri_trimmed(struct slice host)
{
	while (host.length > 0 && memchr(".-_", host.data[0], 3) != NULL)
		host.data++, host.length--;
	while (host.length > 0 && memchr(".-_", host.data[host.length - 1], 3) != NULL)
		host.length--;
	return host;
}

static size_t
uri_first_high(struct slice text)
{
	size_t at = 0;

	while (at < text.length && (unsigned char)text.data[at] < 0x80)
		at++;
	return at;
}

/* ---- hosts ---- */

static void
uri_word_begin(struct uri *uri, const struct uri_word *word, struct slice text, unsigned int flags)
{
	uri->flags = word->scan->flags | flags;
	uri->where = word->scan->where;
	uri->text = text;
}

/*
 * In scripts without blanks a sentence goes on right behind a host, or has its dot there: where
 * the whole is below no top level, what is ASCII at its front may be.
 */
static bool
uri_word_host(struct uri *uri, struct slice host, bool needs_top)
{
	bool is_host = host_form_read(&uri->host, host);
	size_t high = uri_first_high(host);

	if (is_host && (high == host.length || uri->host.kind != HOST_NAME) && !needs_top)
		return true;
	if (is_host && uri_has_top(&uri->host))
		return true;
	if (high > 0 && high < host.length) {
		struct host_form whole = uri->host;

		if (host_form_read(&uri->host, uri_trimmed(uri_part(host, 0, high))) &&
		    uri_has_top(&uri->host))
			return true;
		uri->host = whole;
	}
	return is_host && !needs_top;
}

static void
uri_word_tell(struct uri_word *word, struct uri *uri, struct slice rest)
{
	const struct uri_sink *sink = word->scan->sink;

	if (rest.length > 0 && uri_tell_nested(rest, uri, sink) > 0)
		uri->flags |= URI_REDIRECTS;
	sink->found(sink->arg, uri);
}

/* ---- addresses with a scheme ---- */

/* The beginning of the scheme that ends at `colon`; colon itself: it is none of the web. */
static size_t
uri_word_scheme(struct slice text, size_t from, size_t colon)
{
	for (size_t i = 0; i < sizeof(uri_word_schemes) / sizeof(uri_word_schemes[0]); i++) {
		size_t length = strlen(uri_word_schemes[i]);

		if (colon - from >= length &&
		    strncasecmp(text.data + colon - length, uri_word_schemes[i], length) == 0)
			return colon - length;
	}
	return colon;
}

/* Where the next "://" stands, or the text's end. */
static size_t
uri_word_colon(struct slice text, size_t from)
{
	const char *colon = memmem(text.data + from, text.length - from, "://", 3);

	return colon != NULL ? (size_t)(colon - text.data) : text.length;
}

/* Of what stands between // and the path; another scheme that is glued to it ends it. */
static size_t
uri_word_authority_end(struct slice text, size_t at)
{
	size_t stop = at, length;

	for (; stop < text.length && memchr("/\\?#{}|^`", text.data[stop], 9) == NULL;
	     stop += length) {
		length = 1;
		if ((unsigned char)text.data[stop] >= 0x80)
			length = uri_high_length(uri_part(text, stop, text.length));
		if (length == 0)
			break;
	}
	if (stop > at && stop + 1 < text.length && memcmp(text.data + stop - 1, "://", 3) == 0 &&
	    uri_word_scheme(text, at, stop - 1) < stop - 1)
		return uri_word_scheme(text, at, stop - 1);
	return stop;
}

static void
uri_word_note_cut(struct uri_word *word, size_t host, size_t end)
{
	struct uri_scan *scan = word->scan;

	if (end < word->text.length || end - host >= URI_SCAN_JOIN_MOST)
		return;
	scan->cut_length = end - host;
	memcpy(scan->cut, word->text.data + host, scan->cut_length);
}

/* The host in text[at, stop), which ends an address that begins at `from`. */
static void
uri_word_authority(struct uri_word *word, size_t from, size_t at, size_t stop, size_t end)
{
	struct slice text = word->text, host;
	struct uri uri;

	uri_word_begin(&uri, word, uri_part(text, from, end), 0);
	host = uri_authority_host(uri_part(text, at, stop), &uri.flags);
	if (host.length > 0 && host.data[0] != '[') {
		size_t begin = (size_t)(host.data - text.data);
		size_t host_end = uri_host_end(uri_part(text, 0, begin + host.length), begin, true);

		host.length = host_end - begin;
		uri_word_note_cut(word, begin, host_end);
		while (host.length > 0 && memchr(".-_", host.data[host.length - 1], 3) != NULL)
			host.length--;
	}
	if (uri_word_host(&uri, host, false))
		uri_word_tell(word, &uri, uri_part(text, stop, end));
}

/* An address whose scheme begins at `from`; where it ends. */
static size_t
uri_word_address(struct uri_word *word, size_t from, size_t colon)
{
	size_t at = colon + 3;
	size_t stop = uri_word_authority_end(word->text, at), end = stop;

	if (stop == word->text.length && !word->is_last) {
		word->ends_in_authority = true;
		return stop;
	}
	if (stop < word->text.length && memchr("/\\?#", word->text.data[stop], 4) != NULL)
		end = uri_address_end(word->text, stop);
	uri_word_authority(word, from, at, stop, end);
	return end;
}

/* ---- bare names and mail addresses ---- */

static bool
uri_word_is_file(const struct uri *uri)
{
	const char *dot = strrchr(uri->host.text, '.');

	for (size_t i = 0; i < sizeof(uri_word_files) / sizeof(uri_word_files[0]); i++)
		if (dot != NULL && strcmp(dot + 1, uri_word_files[i]) == 0)
			return strchr(uri->host.text, '.') == dot;
	return false;
}

/* "www." behind letters of a script without blanks begins a name. */
static struct slice
uri_word_www(struct slice name)
{
	for (size_t at = uri_first_high(name); at + 4 < name.length; at++)
		if ((unsigned char)name.data[at] >= 0x80 &&
		    strncasecmp(name.data + at + 1, "www.", 4) == 0)
			return uri_part(name, at + 1, name.length);
	return name;
}

/* Where the address ends that the name at [from, end) begins: it may have a port and a path. */
static size_t
uri_word_bare_end(const struct uri_word *word, size_t end, size_t limit)
{
	struct slice text = word->text;
	size_t at = end;

	if (at + 1 < limit && text.data[at] == ':')
		for (at++; at < limit && text.data[at] >= '0' && text.data[at] <= '9';)
			at++;
	if (at < limit && memchr("/?#", text.data[at], 3) != NULL)
		return uri_address_end(uri_part(text, 0, limit), at);
	return end;
}

/* A piece of a name without empty labels; rest: what follows in the same address. */
static void
uri_word_name(struct uri_word *word, struct slice name, struct slice rest, unsigned int flags)
{
	name = uri_word_www(uri_trimmed(name));
	if (memchr(name.data, '.', name.length) == NULL)
		return;
	struct uri uri;

	uri_word_begin(&uri, word, (struct slice) { name.data, name.length + rest.length },
	    flags | URI_IS_BARE);
	if (!uri_word_host(&uri, name, true))
		return;
	if (rest.length == 0 && !(flags & URI_IS_MAIL) && uri_word_is_file(&uri))
		uri.flags |= URI_IS_FILE;
	uri_word_tell(word, &uri, rest);
}

/* Two dots in a row are no name's: each piece on its own, the last with the rest behind it. */
static void
uri_word_names(struct uri_word *word, struct slice name, struct slice rest, unsigned int flags)
{
	const struct slice nothing = { "", 0 };
	const char *dots;

	while (name.length > 2 && (dots = memmem(name.data, name.length - 1, "..", 2)) != NULL) {
		size_t front = (size_t)(dots - name.data);

		uri_word_name(word, uri_part(name, 0, front), nothing, flags);
		name = uri_part(name, front + 2, name.length);
	}
	uri_word_name(word, name, rest, flags);
}

/* The name at [from, end) of a part of the word that ends at limit; where to go on. */
static size_t
uri_word_token(struct uri_word *word, size_t from, size_t end, size_t limit)
{
	struct slice text = word->text;
	bool has_at = from > 0 && text.data[from - 1] == '@';
	bool is_mail = has_at && from > 1 && memchr("([{,;:|'`=", text.data[from - 2], 10) == NULL;
	unsigned int flags = is_mail ? URI_IS_MAIL : 0;
	size_t next = end;

	if (memchr(text.data + from, '.', end - from) == NULL ||
	    (end < text.length && text.data[end] == '@') ||
	    (from == 0 && word->scan->is_torn && !word->scan->is_in_authority) ||
	    (end == text.length && !word->is_last))
		return end;
	if (is_mail && word->scan->is_in_authority)
		flags = URI_HAS_USER;
	if (!(flags & URI_IS_MAIL))
		next = uri_word_bare_end(word, end, limit);
	uri_word_names(word, uri_part(text, from, end), uri_part(text, end, next), flags);
	return next;
}

/* The names in a part of the word that holds no address. */
static void
uri_word_bare(struct uri_word *word, size_t from, size_t limit)
{
	struct slice text = uri_part(word->text, 0, limit);

	while (from < limit) {
		size_t end = uri_host_end(text, from, false);

		if (end > from)
			end = uri_word_token(word, from, end, limit);
		else
			end = from + 1;
		from = end;
	}
}

void
uri_word_read(struct uri_word *word)
{
	size_t from = 0, colon;

	while ((colon = uri_word_colon(word->text, from)) < word->text.length) {
		size_t scheme = uri_word_scheme(word->text, from, colon);

		uri_word_bare(word, from, scheme);
		from = scheme < colon ? uri_word_address(word, scheme, colon) : colon + 3;
	}
	uri_word_bare(word, from, word->text.length);
	if (word->scan->is_in_authority && !word->is_last &&
	    uri_word_authority_end(word->text, 0) == word->text.length)
		word->ends_in_authority = true;
}

void
uri_word_join(struct uri_word *word)
{
	struct uri_scan *scan = word->scan;
	size_t end = uri_host_end(word->text, 0, true);
	struct uri uri;

	uri_word_begin(&uri, word, (struct slice) { scan->cut, 0 }, URI_IS_JOINED);
	if (end == 0 || scan->cut_length + end > sizeof(scan->cut) ||
	    (end + 2 < word->text.length && memcmp(word->text.data + end, "://", 3) == 0))
		return;
	memcpy(scan->cut + scan->cut_length, word->text.data, end);
	uri.text.length = scan->cut_length + end;
	if (host_form_read(&uri.host, uri_trimmed(uri.text)) && uri_has_top(&uri.host))
		scan->sink->found(scan->sink->arg, &uri);
}
