#include "lib/host_idn.h"

#include <idn2.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/host_form.h"
#include "lib/utf8.h"

enum { LABELS_ROOM = 1024, LABEL_ROOM = 512, LABEL_MOST = 59 };

static bool
host_idn_is_dot(uint32_t code)
{
	return code == 0x3002 || code == 0xff0e || code == 0xff61;
}

/*
 * What UTS 46 says by now, and libidn2's older tables do not: characters that vanish, and some
 * that are mapped. 0: it vanishes.
 */
static uint32_t
host_idn_mend(uint32_t code)
{
	if (code == 0xad || code == 0x34f || (code >= 0x180b && code <= 0x180f) || code == 0x200b ||
	    (code >= 0x2060 && code <= 0x2064) || (code >= 0x206a && code <= 0x206f) ||
	    (code >= 0xfe00 && code <= 0xfe0f) || code == 0xfeff)
		return 0;
	if (code == 0x1e9e)
		return 0xdf;
	return code == 0x4c0 ? 0x4cf : code;
}

static unsigned int
host_idn_script(uint32_t code)
{
	if ((code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z') ||
	    (code >= 0xc0 && code <= 0x24f && code != 0xd7 && code != 0xf7))
		return 1;
	if (code >= 0x370 && code <= 0x3ff)
		return 2;
	return code >= 0x400 && code <= 0x52f ? 4 : 0;
}

static bool
host_idn_is_wide(uint32_t code)
{
	return (code >= 0xff00 && code <= 0xffef) || host_idn_is_dot(code) ||
	    (code >= 0x2460 && code <= 0x24ff) || (code >= 0x1d400 && code <= 0x1d7ff);
}

/* Dots become dots, and what is known better here is mapped. 0: no UTF-8, or too long. */
static size_t
host_idn_prepare(char out[LABELS_ROOM], const char *name, unsigned int *flags)
{
	struct slice rest = slice_of(name);
	unsigned int scripts = 0;
	size_t length = 0, used;
	uint32_t code;

	for (; rest.length > 0; rest = (struct slice) { rest.data + used, rest.length - used }) {
		used = utf8_read(rest, &code);
		if (used == 0 || length + UTF8_MOST >= LABELS_ROOM)
			return 0;
		*flags |= host_idn_is_wide(code) ? HOST_IS_WIDE : 0;
		if (host_idn_is_dot(code) || code == '.')
			code = '.', scripts = 0;
		scripts |= host_idn_script(code);
		if ((scripts & 1) && (scripts & 6))
			*flags |= HOST_IS_MIXED;
		code = host_idn_mend(code);
		if (code != 0)
			length += utf8_write(out + length, code);
	}
	out[length] = '\0';
	return length;
}

/* An error says that the name is none; others say that it is not to be registered. */
static bool
host_idn_is_final(int error)
{
	return error == IDN2_ENCODING_ERROR || error == IDN2_TOO_BIG_LABEL ||
	    error == IDN2_TOO_BIG_DOMAIN || error == IDN2_MALLOC ||
	    error == IDN2_PUNYCODE_BAD_INPUT;
}

/* By libidn2 alone. False: it refuses. */
static bool
host_idn_mapped(const char *label, char out[LABEL_ROOM])
{
	static const int modes[] = { IDN2_NONTRANSITIONAL, IDN2_TRANSITIONAL };
	char *converted = NULL;
	int error = IDN2_DISALLOWED;

	for (size_t i = 0; i < 2 && error != IDN2_OK && !host_idn_is_final(error); i++)
		error = idn2_to_ascii_8z(label, &converted, modes[i]);
	if (error != IDN2_OK)
		return false;
	size_t length = strlen(converted);
	bool fits = length < LABEL_ROOM;

	if (fits)
		memcpy(out, converted, length + 1);
	idn2_free(converted);
	return fits;
}

/* RFC 3492 6.1 */
static uint32_t
host_puny_adapt(uint32_t delta, uint32_t count, bool is_first)
{
	uint32_t k = 0;

	delta = is_first ? delta / 700 : delta / 2;
	delta += delta / count;
	for (; delta > 455; k += 36)
		delta /= 35;
	return k + 36 * delta / (delta + 38);
}

static size_t
host_puny_number(char *out, uint32_t delta, uint32_t bias)
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	size_t length = 0;

	for (uint32_t k = 36;; k += 36) {
		uint32_t t = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;

		if (delta < t)
			break;
		out[length++] = digits[t + (delta - t) % (36 - t)];
		delta = (delta - t) / (36 - t);
	}
	out[length++] = digits[delta];
	return length;
}

/* RFC 3492 6.3, of a label's characters; fits, since they are few and a number has 7 digits. */
static void
host_puny(char out[LABEL_ROOM], const uint32_t *codes, uint32_t count)
{
	uint32_t done = 0, basic, n = 0x80, delta = 0, bias = 72;
	size_t length = (size_t)sprintf(out, "xn--");

	for (uint32_t i = 0; i < count; i++)
		if (codes[i] < 0x80)
			out[length++] = (char)codes[i], done++;
	basic = done;
	if (basic > 0)
		out[length++] = '-';
	for (; done < count; delta++, n++) {
		uint32_t next = UINT32_MAX;

		for (uint32_t i = 0; i < count; i++)
			next = codes[i] >= n && codes[i] < next ? codes[i] : next;
		delta += (next - n) * (done + 1);
		n = next;
		for (uint32_t i = 0; i < count; i++) {
			delta += codes[i] < n;
			if (codes[i] != n)
				continue;
			length += host_puny_number(out + length, delta, bias);
			bias = host_puny_adapt(delta, done + 1, done == basic);
			delta = 0;
			done++;
		}
	}
	out[length] = '\0';
}

/* Hyphens at the ends, or third and fourth, are for registries to forbid, and libidn2 does: such
 * labels are written as they are. */
static bool
host_idn_hyphens(const char *label, char out[LABEL_ROOM])
{
	uint32_t codes[LABEL_MOST], code;
	size_t used;
	uint32_t count = 0;

	if (strchr(label, '-') == NULL)
		return false;
	for (struct slice rest = slice_of(label); rest.length > 0;
	     rest = (struct slice) { rest.data + used, rest.length - used }) {
		used = utf8_read(rest, &code);
		if (used == 0 || count == LABEL_MOST)
			return false;
		codes[count++] = code;
	}
	host_puny(out, codes, count);
	return true;
}

/* False: it is none. */
static bool
host_idn_label(const char *label, char out[LABEL_ROOM])
{
	return host_idn_mapped(label, out) || host_idn_hyphens(label, out);
}

static bool
host_idn_is_ascii(const char *label)
{
	while (*label != '\0' && (unsigned char)*label < 0x80)
		label++;
	return *label == '\0';
}

size_t
host_idn_convert(char *name, size_t room, unsigned int *flags)
{
	char prepared[LABELS_ROOM], converted[LABEL_ROOM];
	char *next = prepared, *label;
	size_t length = 0;

	if (host_idn_prepare(prepared, name, flags) == 0)
		return 0;
	while ((label = strsep(&next, ".")) != NULL) {
		const char *done = label;

		if (!host_idn_is_ascii(label)) {
			if (!host_idn_label(label, converted))
				return 0;
			done = converted;
		}
		size_t part = strlen(done);

		if (length + part + 2 > room)
			return 0;
		memcpy(name + length, done, part);
		length += part;
		if (next != NULL)
			name[length++] = '.';
	}
	name[length] = '\0';
	return length;
}
