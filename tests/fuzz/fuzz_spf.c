/*
 * SPF: what a domain publishes, and a client. Lines of the input:
 *
 *	ADDRESS HELO             the client
 *	LOCAL@DOMAIN             the sender
 *	TYPE NAME VALUE          T A 6 M P C are TXT, A, AAAA, MX, PTR, CNAME; ! fails
 *
 * The result, the term that decided and the explanation must be the same with all answers at
 * hand and one by one in any order, and the same that a plain evaluation has (spf_plain.h). So
 * must be what is right by the grammar.
 */
#include <assert.h>
#include <stdio.h>

#include "tests/unit/spf_compare.h"

enum { LINES_MOST = 60 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ev_loop *loop;
static struct task_queue queue;
static const struct regex *grammar;

/* Up to the byte, which is dropped, or all. */
static struct slice
fuzz_take(struct slice *rest, char until)
{
	const char *end = memchr(rest->data, until, rest->length);
	struct slice taken = { rest->data,
		end != NULL ? (size_t)(end - rest->data) : rest->length };
	size_t length = end != NULL ? taken.length + 1 : taken.length;

	rest->data += length;
	rest->length -= length;
	return taken;
}

/* As a session has it: without control characters. */
static char *
fuzz_text(struct arena *arena, struct slice slice)
{
	char *text = arena_copy(arena, slice);

	for (char *c = text; c < text + slice.length; c++)
		if ((*c >= 0 && *c < ' ') || *c == 127)
			*c = '.';
	return text;
}

static void
fuzz_sender(struct arena *arena, struct spf_query *query, struct slice line)
{
	size_t at = line.length;

	while (at > 0 && line.data[at - 1] != '@')
		at--;
	query->local = fuzz_text(arena, (struct slice) { line.data, at > 0 ? at - 1 : 0 });
	char *domain = fuzz_text(arena, (struct slice) { line.data + at, line.length - at });
	size_t length = strlen(domain);

	for (char *c = domain; *c != '\0'; c++)
		*c = (char)(*c & 0x7f) == '\0' ? 'x' : (char)(*c & 0x7f);
	while (length > 0 && domain[length - 1] == '.')
		domain[--length] = '\0';
	query->domain = domain;
}

static void
fuzz_record(struct zone *zone, struct slice line)
{
	static const char letters[] = "TA6MPC!";
	static const enum dns_type types[] = { DNS_TXT, DNS_A, DNS_AAAA, DNS_MX, DNS_PTR,
		DNS_CNAME };
	struct slice type = fuzz_take(&line, ' '), name = fuzz_take(&line, ' ');
	const char *letter = type.length == 1 ? memchr(letters, type.data[0], 7) : NULL;
	struct zone_record *record = &zone->records[zone->count];

	if (letter == NULL || zone->count == LINES_MOST)
		return;
	*record = (struct zone_record) {
		.name = arena_copy(zone->arena, name),
		.type = *letter == '!' ? 0 : types[letter - letters],
		.fails = *letter == '!',
	};
	if (record->type == DNS_MX && line.length > 0) {
		record->preference = (unsigned char)line.data[0] & 3;
		line.data++, line.length--;
	}
	if (record->type == DNS_A || record->type == DNS_AAAA) {
		struct ip ip;

		if (!ip_read(&ip, line) || ip.length != (record->type == DNS_A ? 4 : 16))
			return;
		line = ip_slice(&ip);
		record->value = (struct slice) { arena_copy(zone->arena, line), line.length };
	} else if (record->type == DNS_TXT) {
		record->value = (struct slice) { arena_copy(zone->arena, line), line.length };
	} else {
		record->value = slice_of(fuzz_text(zone->arena, line));
	}
	zone->count++;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = { (const char *)data, size }, line;
	struct spf_query query = { .now = 1e9, .terms = 10, .voids = 2, .wants_explanation = true };

	if (size == 0 || size > 1 << 16)
		return 0;
	if (loop == NULL) {
		loop = ev_loop_new(0);
		task_queue_init(&queue, loop);
		grammar = plain_grammar(arena_new(SIZE_MAX));
	}
	struct arena *arena = arena_new(SIZE_MAX);
	struct zone *zone = zone_new(arena, loop);

	line = fuzz_take(&rest, '\n');
	if (!ip_read(&query.client, fuzz_take(&line, ' ')))
		ip_read(&query.client, slice_of("192.0.2.1"));
	query.helo = fuzz_text(arena, line);
	fuzz_sender(arena, &query, fuzz_take(&rest, '\n'));
	zone->random = (uint32_t)size;
	while (rest.length > 0) {
		line = fuzz_take(&rest, '\n');
		fuzz_record(zone, line);
	}
	for (size_t i = 0; i < zone->count; i++)
		if (zone->records[i].type == DNS_TXT)
			compare_grammar(arena, grammar, zone->records[i].value);
	compare_all(arena, zone, &queue, &query);
	arena_free(arena);
	return 0;
}
