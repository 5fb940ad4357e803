#include "lib/spf_macro.h"

#include <assert.h>
#include <stdio.h>

enum { PARTS_MOST = 512, DIGITS_MOST = 1000 };

/* One macro, "%{d2r-}", or "%%", "%_", "%-": then that second byte is the letter. */
struct spf_macro {
	char letter;     /* in lower case */
	bool is_escaped; /* it was in upper case */
	bool is_reversed;
	unsigned digits; /* 0: all parts */
	struct slice delimiters;
	size_t length;
};

static bool
spf_macro_is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

static bool
spf_macro_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
spf_macro_is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Is there one at the front of text, which begins with '%'? */
static bool
spf_macro_read(struct spf_macro *macro, struct slice text)
{
	size_t at = 3;

	*macro = (struct spf_macro) { 0 };
	if (text.length >= 2 && spf_macro_is_one_of(text.data[1], "%_-")) {
		macro->letter = text.data[1];
		macro->length = 2;
		return true;
	}
	if (text.length < 4 || text.data[1] != '{' || !spf_macro_is_letter(text.data[2]))
		return false;
	macro->letter = (char)(text.data[2] | 0x20);
	macro->is_escaped = macro->letter != text.data[2];
	if (!spf_macro_is_one_of(macro->letter, "slodiphcrtv"))
		return false;
	for (; at < text.length && spf_macro_is_digit(text.data[at]); at++)
		if (macro->digits < DIGITS_MOST)
			macro->digits = macro->digits * 10 + (unsigned)(text.data[at] - '0');
	if (at > 3 && macro->digits == 0)
		return false;
	if (at < text.length && (text.data[at] | 0x20) == 'r') {
		macro->is_reversed = true;
		at++;
	}
	macro->delimiters.data = text.data + at;
	for (; at < text.length && spf_macro_is_one_of(text.data[at], ".-+,/_="); at++)
		macro->delimiters.length++;
	macro->length = at + 1;
	return at < text.length && text.data[at] == '}';
}

/* Letters, digits and inner hyphens, and not digits alone. */
static bool
spf_macro_is_top_label(struct slice label)
{
	bool is_number = true;

	for (size_t i = 0; i < label.length; i++) {
		char c = label.data[i];
		bool is_inside = i > 0 && i + 1 < label.length;

		if (!spf_macro_is_letter(c) && !spf_macro_is_digit(c) && !(c == '-' && is_inside))
			return false;
		is_number = is_number && spf_macro_is_digit(c);
	}
	return label.length > 0 && !is_number;
}

/* text is a macro-string, of which the part after `end` holds no macro. */
static bool
spf_macro_ends_well(struct slice text, size_t end)
{
	size_t length = text.length;

	if (length > 0 && end == length)
		return true;
	if (length > end && text.data[length - 1] == '.')
		length--;
	size_t dot = length;

	while (dot > end && text.data[dot - 1] != '.')
		dot--;
	return dot > end &&
	    spf_macro_is_top_label((struct slice) { text.data + dot, length - dot });
}

bool
spf_macro_is(struct slice text, enum spf_macro_kind kind)
{
	char least = kind == SPF_MACRO_EXPLANATION ? ' ' : '!';
	size_t at = 0, end = 0;

	while (at < text.length) {
		struct spf_macro macro;

		if (text.data[at] != '%') {
			if (text.data[at] < least || text.data[at] > '~')
				return false;
			at++;
			continue;
		}
		if (!spf_macro_read(&macro, (struct slice) { text.data + at, text.length - at }))
			return false;
		if (kind == SPF_MACRO_DOMAIN && spf_macro_is_one_of(macro.letter, "crt"))
			return false;
		end = at += macro.length;
	}
	return kind != SPF_MACRO_DOMAIN || spf_macro_ends_well(text, end);
}

bool
spf_macro_has_name(struct slice text)
{
	for (size_t at = 0; at < text.length; at++) {
		struct spf_macro macro;

		if (text.data[at] != '%' ||
		    !spf_macro_read(&macro, (struct slice) { text.data + at, text.length - at }))
			continue;
		if (macro.letter == 'p')
			return true;
		at += macro.length - 1;
	}
	return false;
}

/* The nibbles of an IPv6 address with dots between; IPv4 as always. */
static void
spf_macro_address(struct buf *out, const struct ip *ip)
{
	char text[IP_TEXT_MOST];

	if (ip->length == 4)
		buf_append(out, slice_of(ip_text(text, ip)));
	for (size_t i = 0; i < 16 && ip->length == 16; i++)
		buf_print(out, "%s%X.%X", i > 0 ? "." : "", ip->bytes[i] >> 4, ip->bytes[i] & 15u);
}

/* What the letter stands for, untransformed. */
static void
spf_macro_value(struct buf *out, char letter, const struct spf_values *values)
{
	char text[IP_TEXT_MOST];

	switch (letter) {
	case 's':
		buf_print(out, "%s@%s", values->local, values->sender_domain);
		break;
	case 'l':
		buf_append(out, slice_of(values->local));
		break;
	case 'o':
		buf_append(out, slice_of(values->sender_domain));
		break;
	case 'd':
		buf_append(out, slice_of(values->domain));
		break;
	case 'i':
		spf_macro_address(out, values->client);
		break;
	case 'p':
		buf_append(out, slice_of(values->name));
		break;
	case 'v':
		buf_append(out, slice_of(values->client->length == 4 ? "in-addr" : "ip6"));
		break;
	case 'h':
		buf_append(out, slice_of(values->helo));
		break;
	case 'c':
		buf_append(out, slice_of(ip_text(text, values->client)));
		break;
	case 'r':
		buf_append(out, slice_of(values->receiver));
		break;
	default:
		assert(letter == 't');
		buf_print(out, "%.0f", values->now);
	}
}

/* The parts between delimiters; false: too many. */
static bool
spf_macro_split(
    struct slice parts[PARTS_MOST], size_t *count, struct slice value, struct slice delimiters)
{
	size_t begin = 0;

	*count = 0;
	for (size_t at = 0; at <= value.length; at++) {
		if (at < value.length &&
		    memchr(delimiters.data, value.data[at], delimiters.length) == NULL)
			continue;
		if (*count == PARTS_MOST)
			return false;
		parts[(*count)++] = (struct slice) { value.data + begin, at - begin };
		begin = at + 1;
	}
	return true;
}

static void
spf_macro_append(struct buf *out, struct slice part, bool is_escaped)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-._~";

	for (size_t i = 0; i < part.length; i++)
		if (!is_escaped || spf_macro_is_one_of(part.data[i], plain))
			buf_append_byte(out, part.data[i]);
		else
			buf_print(out, "%%%02X", (unsigned char)part.data[i]);
}

static enum spf_expansion
spf_macro_transform(struct buf *out, const struct spf_macro *macro, struct slice value)
{
	struct slice parts[PARTS_MOST];
	size_t count;

	if (!spf_macro_split(parts, &count, value,
		macro->delimiters.length > 0 ? macro->delimiters : slice_of(".")))
		return SPF_EXPANDS_TOO_FAR;
	size_t first = macro->digits > 0 && macro->digits < count ? count - macro->digits : 0;

	for (size_t i = first; i < count; i++) {
		if (i > first)
			buf_append_byte(out, '.');
		spf_macro_append(
		    out, parts[macro->is_reversed ? count - 1 - i : i], macro->is_escaped);
	}
	return out->overflowed ? SPF_EXPANDS_TOO_FAR : SPF_EXPANDED;
}

static bool
spf_macro_is_ascii(const char *text)
{
	while (*text != '\0' && (unsigned char)*text < 0x80)
		text++;
	return *text == '\0';
}

static enum spf_expansion
spf_macro_one(struct buf *out, const struct spf_macro *macro, const struct spf_values *values)
{
	struct buf value;

	if (spf_macro_is_one_of(macro->letter, "%_-")) {
		buf_append(out,
		    slice_of(macro->letter == '%'  ? "%"
			    : macro->letter == '_' ? " "
						   : "%20"));
		return out->overflowed ? SPF_EXPANDS_TOO_FAR : SPF_EXPANDED;
	}
	if (spf_macro_is_one_of(macro->letter, "sl") && !spf_macro_is_ascii(values->local))
		return SPF_EXPANDS_NEVER;
	buf_init(&value, SPF_EXPANDED_MOST);
	spf_macro_value(&value, macro->letter, values);
	enum spf_expansion expansion = value.overflowed
	    ? SPF_EXPANDS_TOO_FAR
	    : spf_macro_transform(out, macro, buf_slice(&value));

	buf_free(&value);
	return expansion;
}

enum spf_expansion
spf_macro_expand(struct buf *out, struct slice text, const struct spf_values *values)
{
	for (size_t at = 0; at < text.length;) {
		struct slice rest = { text.data + at, text.length - at };
		const char *percent = memchr(rest.data, '%', rest.length);
		struct spf_macro macro;

		if (percent != rest.data) {
			if (percent != NULL)
				rest.length = (size_t)(percent - rest.data);
			if (!buf_append(out, rest))
				return SPF_EXPANDS_TOO_FAR;
			at += rest.length;
			continue;
		}
		bool is_macro = spf_macro_read(&macro, rest);

		assert(is_macro);
		enum spf_expansion expansion = spf_macro_one(out, &macro, values);

		if (expansion != SPF_EXPANDED)
			return expansion;
		at += macro.length;
	}
	return SPF_EXPANDED;
}

const char *
spf_macro_name(struct arena *arena, struct slice expanded)
{
	if (expanded.length > 0 && expanded.data[expanded.length - 1] == '.')
		expanded.length--;
	while (expanded.length > SPF_NAME_MOST) {
		const char *dot = memchr(expanded.data, '.', expanded.length);

		if (dot == NULL)
			break;
		expanded.length -= (size_t)(dot + 1 - expanded.data);
		expanded.data = dot + 1;
	}
	return arena_copy(arena, expanded);
}
