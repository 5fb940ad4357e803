/* Tables of codes and test points, as they are written. */
#include "lib/dns_list_read.h"

#include <arpa/inet.h>
#include <stdio.h>

enum { WORD_MOST = 40 };

/* 0 ... most, without leading zeros; false: it is none. */
static bool
dns_list_number(const char **text, unsigned most, unsigned *number)
{
	const char *at = *text;
	bool is_zero = *at == '0';

	for (*number = 0; *at >= '0' && *at <= '9' && *number <= most; at++)
		*number = *number * 10 + (unsigned)(*at - '0');
	if (at == *text || *number > most || (is_zero && at - *text > 1))
		return false;
	*text = at;
	return true;
}

/* "4", "4-7", "*" */
static bool
dns_list_octet(const char **text, uint8_t *first, uint8_t *last)
{
	unsigned low, high;

	if (**text == '*') {
		++*text;
		*first = 0, *last = 255;
		return true;
	}
	if (!dns_list_number(text, 255, &low))
		return false;
	high = low;
	if (**text == '-') {
		++*text;
		if (!dns_list_number(text, 255, &high) || high < low)
			return false;
	}
	*first = (uint8_t)low, *last = (uint8_t)high;
	return true;
}

static bool
dns_list_code_read(struct dns_list_code *code, const char *text)
{
	unsigned bit;

	if (strncmp(text, "bit ", 4) == 0) {
		text += 4;
		if (!dns_list_number(&text, 128, &bit) || bit == 0 || (bit & (bit - 1)) != 0)
			return false;
		code->bit = (uint8_t)bit;
		return *text == '\0';
	}
	for (int i = 0; i < 4; i++) {
		if (i > 0 && *text++ != '.')
			return false;
		if (!dns_list_octet(&text, &code->first[i], &code->last[i]))
			return false;
	}
	return *text == '\0' && code->first[0] == 127 && code->last[0] == 127;
}

/* What is an error everywhere cannot be a listing here. */
static bool
dns_list_is_never(const struct dns_list_code *code)
{
	static const uint8_t loopback[4] = { 127, 0, 0, 1 };

	return code->bit == 0 &&
	    ((memcmp(code->first, loopback, 4) == 0 && memcmp(code->last, loopback, 4) == 0) ||
		(code->first[1] == 255 && code->first[2] == 255));
}

static bool
dns_list_is_word(const char *word)
{
	size_t length = strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789_-");

	return length > 0 && length <= WORD_MOST && word[length] == '\0' &&
	    strcmp(word, "none") != 0 && strcmp(word, "error") != 0;
}

static void
dns_list_row_read(
    struct option_reader *reader, const struct node *key, struct dns_list_code *code, bool is_error)
{
	const struct node *value = key->next;

	if (!dns_list_code_read(code, key->text))
		fault_add(reader->faults, key,
		    "impossible code \"%.60s\": expected an address such as 127.0.0.2, "
		    "127.0.0.4-7 or 127.0.*.3, or bit 4",
		    key->text);
	else if (!is_error && dns_list_is_never(code))
		fault_add(reader->faults, key, "%s is an error of every list, never a listing",
		    key->text);
	if (value->kind != NODE_TEXT || node_is_empty(value) ||
	    (!is_error && !dns_list_is_word(value->text)))
		option_impossible(reader, value,
		    is_error ? "what it means, in words"
			     : "a word of a-z 0-9 _ - other than none and error");
	else
		code->word = arena_strdup(reader->arena, value->text);
	if (code->word == NULL)
		code->word = "";
}

static bool
dns_list_table_read(
    struct option_reader *reader, const struct node *value, void *field, bool is_error)
{
	struct dns_list_codes *codes = field;
	size_t count = value->kind == NODE_MAP ? node_count(value) : 0;
	struct dns_list_code *rows = arena_alloc(reader->arena, (count + 1) * sizeof(*rows));
	const struct node *key = count > 0 ? value->child : NULL;

	if (count == 0 || count > DNS_LIST_CODES_MOST)
		return false;
	for (size_t i = 0; i < count; i++, key = key->next->next)
		dns_list_row_read(reader, key, &rows[i], is_error);
	*codes = (struct dns_list_codes) { count, rows };
	return true;
}

bool
dns_list_codes_read(struct option_reader *reader, const struct node *value, void *field)
{
	return dns_list_table_read(reader, value, field, false);
}

bool
dns_list_errors_read(struct option_reader *reader, const struct node *value, void *field)
{
	return dns_list_table_read(reader, value, field, true);
}

const char *
dns_list_codes_words(struct arena *arena, const struct dns_list_codes *codes)
{
	const char *words = "";

	for (size_t i = 0; i < codes->count; i++) {
		bool is_new = codes->item[i].word[0] != '\0';

		for (size_t j = 0; j < i; j++)
			is_new &= strcmp(codes->item[i].word, codes->item[j].word) != 0;
		if (is_new)
			words = arena_format(arena, "%s%s ", words, codes->item[i].word);
	}
	return arena_format(arena, "%snone error", words);
}

/* ---- test points ---- */

static const char *const points_ip4[2][2] = { { "127.0.0.1", "240.0.0.0/4" },
	{ "127.0.0.2", NULL } };
static const char *const points_ip6[2][2] = { { "::ffff:7f00:1", "100::/64" },
	{ "::ffff:7f00:2", NULL } };
static const char *const points_domain[2][2] = { { "INVALID", "*.invalid" }, { "TEST", NULL } };

/* RFC 5782 5, and what nobody lists: reserved addresses, the reserved domain invalid. They
 * are drawn anew each time, so no cache can answer for the list. */
static const char *const *
dns_list_points_usual(enum dns_list_kind kind, bool is_listed)
{
	switch (kind) {
	case DNS_LIST_IP4:
	case DNS_LIST_BOTH:
		return points_ip4[is_listed];
	case DNS_LIST_IP6:
		return points_ip6[is_listed];
	case DNS_LIST_DOMAIN:
		return points_domain[is_listed];
	case DNS_LIST_HASH:
		break;
	}
	return NULL;
}

static bool
dns_list_point_address(struct dns_list_point *point, const char *text, bool is_listed)
{
	char address[INET6_ADDRSTRLEN];
	size_t length = strcspn(text, "/");
	const char *rest = text + length;
	int family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;

	if (length >= sizeof(address))
		return false;
	memcpy(address, text, length);
	address[length] = '\0';
	if (inet_pton(family, address, point->bytes) != 1)
		return false;
	point->length = family == AF_INET ? 4 : 16;
	point->bits = point->length * 8u;
	if (*rest == '\0')
		return true;
	rest++;
	return !is_listed && dns_list_number(&rest, point->bits, &point->bits) && *rest == '\0';
}

static bool
dns_list_point_make(
    struct dns_list_point *point, enum dns_list_kind kind, const char *text, bool is_listed)
{
	bool is_name = kind == DNS_LIST_DOMAIN || kind == DNS_LIST_HASH;

	*point = (struct dns_list_point) { .text = text };
	if (!is_name)
		return dns_list_point_address(point, text, is_listed);
	if (!is_listed && strncmp(text, "*.", 2) == 0) {
		point->is_random = true;
		text += 2;
	}
	return strlen(text) <= 60 && dns_list_is_zone(text, 0);
}

const char *
dns_list_points_make(struct arena *arena, struct dns_list_points *points, enum dns_list_kind kind,
    const struct texts *texts, bool is_listed)
{
	const char *const *usual = dns_list_points_usual(kind, is_listed);
	size_t count = texts->count;

	if (count == 1 && strcmp(texts->item[0], "none") == 0)
		return NULL;
	for (size_t i = 0; count == 0 && usual != NULL && i < 2 && usual[i] != NULL; i++)
		dns_list_point_make(&points->item[points->count++], kind, usual[i], is_listed);
	for (size_t i = 0; i < count && i < DNS_LIST_POINTS_MOST; i++) {
		if (!dns_list_point_make(&points->item[i], kind, texts->item[i], is_listed))
			return arena_format(arena,
			    "impossible test point \"%.60s\" of a list of kind %s", texts->item[i],
			    dns_list_kind_name(kind));
		points->count++;
	}
	return NULL;
}
