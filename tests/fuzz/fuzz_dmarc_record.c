/*
 * DMARC records, and walks over them. Lines of the input:
 *
 *	AUTHOR OTHER        two domains
 *	N TEXT              a record of the last N labels of AUTHOR; of OTHER where N is a letter,
 *	                    a is 1; where TEXT is "!" the name fails
 *
 * What is read is inside the text and as its kind says. What a walk finds is the same with all
 * answers at hand and one by one in any order, and asks no more than it may.
 */
#include <assert.h>
#include <ctype.h>
#include <stdint.h>

#include "lib/author.h"
#include "lib/dmarc_walk.h"
#include "tests/unit/spf_zone.h"

enum { LINES_MOST = 30, FOUND_MOST = 1000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ev_loop *loop;
static struct task_queue queue;

static struct slice
fuzz_take(struct slice *rest, char until)
{
	const char *end = rest->length > 0 ? memchr(rest->data, until, rest->length) : NULL;
	struct slice taken = { rest->data,
		end != NULL ? (size_t)(end - rest->data) : rest->length };
	size_t length = end != NULL ? taken.length + 1 : taken.length;

	rest->data += length;
	rest->length -= length;
	return taken;
}

static void
fuzz_uris(struct slice text, const struct dmarc_uris *uris)
{
	assert(uris->count <= DMARC_URIS_MOST);
	for (size_t i = 0; i < uris->count; i++) {
		const char *uri = uris->uri[i].data;

		assert(uri >= text.data && uri + uris->uri[i].length <= text.data + text.length);
		assert(uris->uri[i].length > 0 && memchr(uri, ',', uris->uri[i].length) == NULL);
	}
}

static void
fuzz_read(struct slice text)
{
	struct dmarc_record record;
	enum dmarc_kind kind = dmarc_record_read(&record, text);

	if (kind == DMARC_DISCARD)
		return;
	assert(text.length <= DMARC_RECORD_MOST);
	assert((kind == DMARC_USABLE) == (record.p != DMARC_ABSENT && kind != DMARC_UNUSABLE));
	assert(record.p == DMARC_NONE || kind == DMARC_USABLE);
	assert((record.fo.length == 0) == (record.ruf.count == 0));
	fuzz_uris(text, &record.rua);
	fuzz_uris(text, &record.ruf);
	for (enum dmarc_policy p = DMARC_NONE; p <= DMARC_REJECT; p++)
		assert(dmarc_policy_tested(p) <= p && dmarc_policy_word(p)[0] != '\0');
}

static bool
fuzz_is_suffix(const char *domain, const char *suffix)
{
	size_t length = strlen(domain), short_length = strlen(suffix);

	return short_length <= length && strcmp(domain + length - short_length, suffix) == 0 &&
	    (length == short_length || domain[length - short_length - 1] == '.');
}

/* Until it waits for nothing. */
static enum dmarc_knowledge
fuzz_choose(struct dmarc_choice *choice, struct dmarc_walk *walk, struct zone *zone,
    struct dns *dns, const char *author)
{
	for (;;) {
		dmarc_walk(walk, dns, author);
		enum dmarc_knowledge known = dmarc_choose(choice, walk, dns);

		if (known != DMARC_WAITS)
			return known;
		bool is_answered = zone_answer_one(zone);

		assert(is_answered);
	}
}

static enum dmarc_knowledge
fuzz_align(bool *is, struct zone *zone, struct dns *dns, const char *author, const char *other,
    bool is_strict)
{
	for (;;) {
		struct dmarc_walk walk;

		dmarc_walk(&walk, dns, author);
		enum dmarc_knowledge known = dmarc_is_aligned(is, &walk, dns, other, is_strict);

		if (known != DMARC_WAITS)
			return known;
		bool is_answered = zone_answer_one(zone);

		assert(is_answered);
	}
}

static void
fuzz_check_choice(const struct dmarc_choice *choice, const char *author)
{
	assert((choice->source == DMARC_FROM_NONE) == (choice->record == NULL));
	if (choice->record == NULL)
		return;
	assert(fuzz_is_suffix(author, choice->domain));
	assert((choice->source == DMARC_FROM_AUTHOR) == (strcmp(choice->domain, author) == 0));
	if (!choice->is_unusable)
		assert(choice->policy != DMARC_ABSENT && choice->tag[0] != '\0');
}

/* All that is to be found out, in words. */
static void
fuzz_find(char found[FOUND_MOST], struct zone *zone, const char *author, const char *other)
{
	struct arena *arena = arena_new(SIZE_MAX);
	struct task *task = arena_alloc(arena, sizeof(*task));
	struct dmarc_choice choice;
	struct dmarc_walk walk;
	bool is_same = false, is_strict = false, is_relaxed = false;

	task_init(task, arena, &queue, zone_session_run, NULL);
	struct dns *dns = dns_new(arena, &zone->source, task);

	zone->asked = 0;
	enum dmarc_knowledge known = fuzz_choose(&choice, &walk, zone, dns, author);

	assert(zone->asked <= DMARC_NAMES_MOST + 1);
	if (known == DMARC_KNOWN)
		fuzz_check_choice(&choice, author);
	int length = snprintf(found, FOUND_MOST, "%d %d %s %s %d", known, choice.source,
	    choice.record != NULL ? choice.domain : "", choice.tag, choice.policy);

	assert(fuzz_align(&is_same, zone, dns, author, author, true) == DMARC_KNOWN && is_same);
	assert(fuzz_align(&is_strict, zone, dns, author, other, true) == DMARC_KNOWN);
	assert(is_strict == (strcmp(author, other) == 0));
	known = fuzz_align(&is_relaxed, zone, dns, author, other, false);
	assert(!is_strict || (known == DMARC_KNOWN && is_relaxed));
	snprintf(found + length, FOUND_MOST - (size_t)length, " %d %d", known,
	    known == DMARC_KNOWN && is_relaxed);
	assert(zone->asked <= 2 * DMARC_NAMES_MOST + 1);
	arena_free(arena);
}

/* The last labels; all of it if there are not so many. */
static const char *
fuzz_labels(const char *domain, size_t count)
{
	const char *at = domain + strlen(domain);

	while (at > domain && (at[-1] != '.' || --count > 0))
		at--;
	return at;
}

static void
fuzz_record(struct zone *zone, struct slice line, const char *author, const char *other)
{
	struct slice name = fuzz_take(&line, ' ');
	struct zone_record *record = &zone->records[zone->count];

	if (name.length != 1 || zone->count == LINES_MOST)
		return;
	unsigned char letter = (unsigned char)name.data[0];
	const char *domain = isdigit(letter) && letter != '0'
	    ? fuzz_labels(author, (size_t)letter - '0')
	    : islower(letter) ? fuzz_labels(other, (size_t)letter - 'a' + 1)
			      : NULL;

	if (domain == NULL)
		return;
	*record = (struct zone_record) {
		.name = (char *)(uintptr_t)arena_format(zone->arena, "_dmarc.%s", domain),
		.type = DNS_TXT,
		.value = { arena_copy(zone->arena, line), line.length },
	};
	if (slice_equals(line, slice_of("!"))) {
		record->type = 0;
		record->fails = true;
	}
	zone->count++;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = { (const char *)data, size }, line = { "", 0 };
	char found[ZONE_ORDERS][FOUND_MOST];

	if (size > 1 << 16)
		return 0;
	fuzz_read(rest);
	if (loop == NULL) {
		loop = ev_loop_new(0);
		task_queue_init(&queue, loop);
	}
	struct arena *arena = arena_new(SIZE_MAX);
	struct zone *zone = zone_new(arena, loop);

	line = fuzz_take(&rest, '\n');
	const char *author = author_domain(arena, fuzz_take(&line, ' '));
	const char *other = author_domain(arena, line);

	while (author != NULL && other != NULL && rest.length > 0) {
		line = fuzz_take(&rest, '\n');
		fuzz_record(zone, line, author, other);
		fuzz_read(line);
	}
	zone->random = (uint32_t)size;
	for (zone->order = 0; author != NULL && other != NULL && zone->order < ZONE_ORDERS;
	     zone->order++) {
		fuzz_find(found[zone->order], zone, author, other);
		assert(strcmp(found[zone->order], found[0]) == 0);
	}
	arena_free(arena);
	return 0;
}
