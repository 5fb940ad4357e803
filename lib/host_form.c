#include "lib/host_form.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "lib/host_idn.h"

enum { HOST_RAW_MOST = 1024, LABEL_MOST = 63 };

/* ---- names ---- */

static int
host_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent escapes undone, once, and letters made small. 0: too long, or nothing there. */
static size_t
host_unescape(struct host_form *form, char out[HOST_RAW_MOST], struct slice host)
{
	size_t length = 0;

	for (size_t i = 0; i < host.length; i++) {
		char c = host.data[i];

		if (c == '%' && i + 2 < host.length && host_hex(host.data[i + 1]) >= 0 &&
		    host_hex(host.data[i + 2]) >= 0) {
			c = (char)(host_hex(host.data[i + 1]) << 4 | host_hex(host.data[i + 2]));
			i += 2;
			form->flags |= HOST_IS_ESCAPED;
		}
		if (length == HOST_RAW_MOST - 1)
			return 0;
		out[length++] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
	}
	out[length] = '\0';
	return length;
}

/* The dot at the end goes; are the others between labels that DNS takes? */
static bool
host_is_name(char *name, size_t length)
{
	size_t label = 0;

	if (length > 0 && name[length - 1] == '.')
		name[--length] = '\0';
	if (length == 0 || length >= HOST_TEXT_MOST)
		return false;
	for (size_t i = 0; i <= length; i++) {
		char c = name[i];

		if (c == '.' || c == '\0') {
			if (label == 0 || label > LABEL_MOST)
				return false;
			label = 0;
			continue;
		}
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
			return false;
		label++;
	}
	return true;
}

/* ---- IPv4 ---- */

/* Digits of base 8, 10 or 16 as its beginning says; "0x" is 0. False: it is no number. */
static bool
host_number(struct slice text, uint64_t *number)
{
	uint64_t base = 10;
	size_t i = 0;

	if (text.length == 0)
		return false;
	if (text.length >= 2 && text.data[0] == '0' && text.data[1] == 'x')
		base = 16, i = 2;
	else if (text.length >= 2 && text.data[0] == '0')
		base = 8, i = 1;
	for (*number = 0; i < text.length; i++) {
		int digit = host_hex(text.data[i]);

		if (digit < 0 || (uint64_t)digit >= base)
			return false;
		if (*number <= UINT32_MAX)
			*number = *number * base + (uint64_t)digit;
	}
	return true;
}

static struct slice
host_last_label(struct slice name)
{
	const char *dot = memrchr(name.data, '.', name.length);

	if (dot == NULL)
		return name;
	return (struct slice) { dot + 1, (size_t)(name.data + name.length - dot - 1) };
}

static bool
host_ends_in_number(struct slice name)
{
	struct slice last = host_last_label(name);
	uint64_t number;
	size_t digits = 0;

	while (digits < last.length && last.data[digits] >= '0' && last.data[digits] <= '9')
		digits++;
	return last.length > 0 && (digits == last.length || host_number(last, &number));
}

/* The last number fills the bytes that are left. */
static bool
host_read_ip4(struct host_form *form, struct slice name)
{
	uint64_t numbers[4], value;
	uint8_t *bytes = form->ip.bytes;
	size_t count = 0;

	for (struct slice rest = name; rest.data != NULL; count++) {
		const char *dot = memchr(rest.data, '.', rest.length);
		struct slice part = { rest.data,
			dot != NULL ? (size_t)(dot - rest.data) : rest.length };

		if (count == 4 || !host_number(part, &numbers[count]))
			return false;
		rest = dot == NULL ? (struct slice) { NULL, 0 }
				   : (struct slice) { dot + 1, rest.length - part.length - 1 };
	}
	value = numbers[count - 1];
	if (value >= 1ull << (8 * (5 - count)))
		return false;
	for (size_t i = 0; i + 1 < count; i++) {
		if (numbers[i] > 255)
			return false;
		value |= numbers[i] << (8 * (3 - i));
	}
	for (size_t i = 0; i < 4; i++)
		bytes[i] = (uint8_t)(value >> (8 * (3 - i)));
	form->kind = HOST_IP4;
	form->ip.length = 4;
	snprintf(
	    form->text, sizeof(form->text), "%u.%u.%u.%u", bytes[0], bytes[1], bytes[2], bytes[3]);
	return true;
}

/* ---- IPv6 ---- */

/* As the URL Standard writes them: the longest run of zeros is left out, nothing is dotted. */
static void
host_write_ip6(struct host_form *form, const uint8_t bytes[16])
{
	unsigned words[8];
	int best = -1, best_length = 1;
	size_t length = 0;

	for (int i = 0; i < 8; i++)
		words[i] = (unsigned)bytes[2 * i] << 8 | bytes[2 * i + 1];
	for (int i = 0; i < 8; i++) {
		int end = i;

		while (end < 8 && words[end] == 0)
			end++;
		if (end - i > best_length)
			best = i, best_length = end - i;
	}
	for (int i = 0; i < 8; i++) {
		if (i == best) {
			length += (size_t)sprintf(form->text + length, i == 0 ? "::" : ":");
			i += best_length - 1;
			continue;
		}
		length += (size_t)sprintf(form->text + length, "%x%s", words[i], i < 7 ? ":" : "");
	}
}

static bool
host_read_ip6(struct host_form *form, struct slice host)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	char text[INET6_ADDRSTRLEN + 1];
	uint8_t bytes[16];

	if (host.length < 4 || host.length - 2 > INET6_ADDRSTRLEN ||
	    host.data[host.length - 1] != ']' || memchr(host.data, '\0', host.length) != NULL)
		return false;
	memcpy(text, host.data + 1, host.length - 2);
	text[host.length - 2] = '\0';
	if (inet_pton(AF_INET6, text, bytes) != 1)
		return false;
	form->kind = HOST_IP6;
	host_write_ip6(form, bytes);
	form->ip.length = 16;
	memcpy(form->ip.bytes, bytes, sizeof(bytes));
	if (memcmp(bytes, mapped, sizeof(mapped)) == 0) {
		form->ip.length = 4;
		memcpy(form->ip.bytes, bytes + 12, 4);
	}
	return true;
}

/* ---- all of it ---- */

static bool
host_is_ascii(struct slice text)
{
	for (size_t i = 0; i < text.length; i++)
		if ((unsigned char)text.data[i] >= 0x80)
			return false;
	return true;
}

/* Is it written as it means: so much that nobody takes it for something else? */
static void
host_note_disguise(struct host_form *form, struct slice host)
{
	if (host.length > 0 && host.data[host.length - 1] == '.')
		host.length--;
	if (form->kind == HOST_IP4 && !slice_matches(host, form->text))
		form->flags |= HOST_IS_DISGUISED;
	if (strncmp(form->text, "xn--", 4) == 0 || strstr(form->text, ".xn--") != NULL)
		form->flags |= HOST_IS_IDN;
}

bool
host_form_read(struct host_form *form, struct slice host)
{
	char raw[HOST_RAW_MOST];
	size_t length;

	form->kind = HOST_NAME;
	form->flags = 0;
	form->ip = (struct ip) { .length = 0 };
	form->text[0] = '\0';
	if (host.length > 0 && host.data[0] == '[')
		return host_read_ip6(form, host);
	length = host_unescape(form, raw, host);
	if (length == 0 || memchr(raw, '\0', length) != NULL)
		return false;
	if (!host_is_ascii((struct slice) { raw, length })) {
		length = host_idn_convert(raw, sizeof(raw), &form->flags);
		if (length == 0)
			return false;
	}
	if (!host_is_name(raw, length))
		return false;
	struct slice name = slice_of(raw);

	if (host_ends_in_number(name)) {
		if (!host_read_ip4(form, name))
			return false;
	} else {
		memcpy(form->text, name.data, name.length + 1);
	}
	host_note_disguise(form, host);
	return true;
}
