#include "lib/dns_list.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

/*
 * What every list may say of our asking, and none of an address. Spamhaus coined these
 * (docs.spamhaus.com, "DNSBL return codes"), and others use them.
 */
static const struct dns_list_code dns_list_refusals[] = {
	{ { 127, 255, 255, 252 }, { 127, 255, 255, 252 }, 0,
	    "the name of the zone is mistyped, says the list" },
	{ { 127, 255, 255, 254 }, { 127, 255, 255, 254 }, 0,
	    "asked through a public resolver, which the list does not serve" },
	{ { 127, 255, 255, 255 }, { 127, 255, 255, 255 }, 0,
	    "too many questions, or not registered with the list" },
	{ { 127, 255, 255, 0 }, { 127, 255, 255, 255 }, 0, "the list refuses to answer" },
};

static const char *const dns_list_kinds[] = { "ip4", "ip6", "both", "domain", "hash" };

const char *
dns_list_kind_name(enum dns_list_kind kind)
{
	return dns_list_kinds[kind];
}

/* ---- answers ---- */

static bool
dns_list_code_has(const struct dns_list_code *code, const uint8_t address[4])
{
	if (code->bit != 0)
		return address[3] & code->bit;
	for (int i = 0; i < 4; i++)
		if (address[i] < code->first[i] || address[i] > code->last[i])
			return false;
	return true;
}

/* The first row that has the address, of those with a bit or of those without. */
static const struct dns_list_code *
dns_list_code_find(const struct dns_list_codes *codes, const uint8_t address[4], bool by_bit)
{
	for (size_t i = 0; i < codes->count; i++)
		if ((codes->item[i].bit != 0) == by_bit &&
		    dns_list_code_has(&codes->item[i], address))
			return &codes->item[i];
	return NULL;
}

__attribute__((format(printf, 3, 4))) static void
dns_list_fail(struct dns_list_result *result, enum dns_list_fault fault, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(result->why, sizeof(result->why), format, args);
	va_end(args);
	result->fault = fault;
}

/* Does this address make the whole answer worthless? A bit of the list's own must not hide
 * what an address as a whole means, so those rows come last. */
static bool
dns_list_is_fault(
    struct dns_list_result *result, const struct dns_list *list, const uint8_t bytes[4])
{
	const struct dns_list_codes refusals = {
		sizeof(dns_list_refusals) / sizeof(dns_list_refusals[0]), dns_list_refusals
	};
	const struct dns_list_code *own = dns_list_code_find(&list->errors, bytes, false);
	const struct dns_list_code *refusal = dns_list_code_find(&refusals, bytes, false);
	char address[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, bytes, address, sizeof(address));
	if (own == NULL && refusal == NULL)
		own = dns_list_code_find(&list->errors, bytes, true);
	if (bytes[0] != 127)
		dns_list_fail(result, DNS_LIST_OUTSIDE,
		    "%s: no list answers so; the zone was sold, or a resolver rewrites NXDOMAIN",
		    address);
	else if (refusal != NULL)
		dns_list_fail(result, DNS_LIST_REFUSED, "%s: %s", address,
		    own != NULL ? own->word : refusal->word);
	else if (own != NULL)
		dns_list_fail(result, DNS_LIST_CODE, "%s: %s", address, own->word);
	else if (bytes[1] == 0 && bytes[2] == 0 && bytes[3] == 1)
		dns_list_fail(result, DNS_LIST_LOOPBACK, "%s is never a listing", address);
	else
		return false;
	return true;
}

static void
dns_list_add(struct dns_list_result *result, const char *word, const uint8_t bytes[4])
{
	for (size_t i = 0; i < result->count; i++)
		if (strcmp(result->words[i].word, word) == 0)
			return;
	if (result->count == DNS_LIST_WORDS_MOST)
		return;
	struct dns_list_word *new = &result->words[result->count++];

	new->word = word;
	inet_ntop(AF_INET, bytes, new->address, sizeof(new->address));
}

static void
dns_list_look_up(
    struct dns_list_result *result, const struct dns_list *list, const uint8_t bytes[4])
{
	bool is_known = false;

	for (size_t i = 0; i < list->codes.count; i++)
		if (dns_list_code_has(&list->codes.item[i], bytes)) {
			dns_list_add(result, list->codes.item[i].word, bytes);
			is_known = true;
		}
	if (!is_known)
		dns_list_fail(result, DNS_LIST_UNKNOWN,
		    "%u.%u.%u.%u: not in the table of its codes", bytes[0], bytes[1], bytes[2],
		    bytes[3]);
}

/* The order of records is the server's and means nothing: it must not decide what is told. */
static int
dns_list_compare(const void *a, const void *b)
{
	return memcmp(a, b, 4);
}

static size_t
dns_list_sort(uint8_t sorted[DNS_RECORDS_MOST][4], const struct dns_answer *answer)
{
	size_t count = 0;

	for (; count < answer->count && count < DNS_RECORDS_MOST; count++) {
		assert(answer->records[count].length == 4);
		memcpy(sorted[count], answer->records[count].data, 4);
	}
	qsort(sorted, count, 4, dns_list_compare);
	return count;
}

static void
dns_list_judge_records(
    struct dns_list_result *result, const struct dns_list *list, const struct dns_answer *answer)
{
	uint8_t sorted[DNS_RECORDS_MOST][4];
	size_t count = dns_list_sort(sorted, answer);

	if (answer->is_cut) {
		dns_list_fail(result, DNS_LIST_TOO_MUCH, "more than %d addresses in one answer",
		    DNS_RECORDS_MOST);
		return;
	}
	for (size_t i = 0; i < count; i++)
		if (dns_list_is_fault(result, list, sorted[i]))
			return;
	for (size_t i = 0; i < count; i++)
		dns_list_look_up(result, list, sorted[i]);
}

void
dns_list_judge(
    struct dns_list_result *result, const struct dns_list *list, const struct dns_answer *answer)
{
	char why[DNS_LIST_WHY_MOST];

	result->state = DNS_LIST_NONE;
	result->fault = DNS_LIST_GOOD;
	result->count = 0;
	result->why[0] = '\0';
	if (answer->state == DNS_FAILED)
		dns_list_fail(result, DNS_LIST_NO_ANSWER, "no answer: %s",
		    dns_list_hide(why, list, answer->why));
	else if (answer->state == DNS_OK)
		dns_list_judge_records(result, list, answer);
	if (result->count > 0)
		result->state = DNS_LIST_LISTED;
	else if (result->fault != DNS_LIST_GOOD)
		result->state = DNS_LIST_ERROR;
}

/* ---- questions ---- */

bool
dns_list_takes(const struct dns_list *list, const struct ip *ip)
{
	return list->kind == DNS_LIST_BOTH || (list->kind == DNS_LIST_IP4 && ip->length == 4) ||
	    (list->kind == DNS_LIST_IP6 && ip->length == 16);
}

const char *
dns_list_name(char name[DNS_NAME_MOST], const struct dns_list *list, struct slice address)
{
	return dns_reverse(name, address, list->zone);
}

const char *
dns_list_domain(char name[DNS_NAME_MOST], const struct dns_list *list, const char *domain)
{
	size_t length = strlen(domain);

	if (length > 0 && domain[length - 1] == '.')
		length--;
	size_t zone = strlen(list->zone);

	name[0] = '\0';
	if (length == 0 || length + 1 + zone >= DNS_NAME_MOST)
		return name;
	memcpy(name, domain, length);
	name[length] = '.';
	memcpy(name + length + 1, list->zone, zone + 1);
	return name;
}

static uint8_t
dns_list_random(void)
{
	uint8_t byte;

	while (getrandom(&byte, 1, 0) != 1)
		assert(errno == EINTR);
	return byte;
}

static void
dns_list_draw(uint8_t *bytes, size_t length, unsigned bits)
{
	for (size_t i = 0; i < length; i++) {
		unsigned given = bits > i * 8 ? bits - (unsigned)i * 8 : 0;
		uint8_t mask = (uint8_t)(given >= 8 ? 0 : 0xff >> given);

		bytes[i] = (uint8_t)((bytes[i] & ~mask) | (dns_list_random() & mask));
	}
}

const char *
dns_list_point(char name[DNS_NAME_MOST], const struct dns_list *list,
    const struct dns_list_point *point, char text[DNS_NAME_MOST])
{
	uint8_t bytes[16];
	char about[DNS_NAME_MOST];

	if (text == NULL)
		text = about;
	if (point->length == 0 && point->is_random) {
		snprintf(text, DNS_NAME_MOST, "x%02x%02x%02x%02x.%s", dns_list_random(),
		    dns_list_random(), dns_list_random(), dns_list_random(), point->text + 2);
		return dns_list_domain(name, list, text);
	}
	if (point->length == 0) {
		snprintf(text, DNS_NAME_MOST, "%s", point->text);
		return dns_list_domain(name, list, text);
	}
	memcpy(bytes, point->bytes, sizeof(bytes));
	dns_list_draw(bytes, point->length, point->bits);
	inet_ntop(point->length == 4 ? AF_INET : AF_INET6, bytes, text, DNS_NAME_MOST);
	return dns_list_name(name, list, (struct slice) { (const char *)bytes, point->length });
}

const char *
dns_list_hide(char out[DNS_LIST_WHY_MOST], const struct dns_list *list, const char *text)
{
	static const char instead[] = "(key)";
	size_t length = 0, key = list->key != NULL ? strlen(list->key) : 0;

	while (*text != '\0' && length < DNS_LIST_WHY_MOST - sizeof(instead)) {
		if (key > 0 && strncasecmp(text, list->key, key) == 0) {
			memcpy(out + length, instead, sizeof(instead) - 1);
			length += sizeof(instead) - 1;
			text += key;
		} else {
			out[length++] = *text++;
		}
	}
	out[length] = '\0';
	return out;
}
