/*
 * ARC: a key record, a NUL, a message; every key is that record. Whatever it is, the chain gets
 * a word, the same one for the whole and for the message in pieces; and without any ARC field
 * it is `none`.
 */
#include <assert.h>
#include <stdint.h>

#include "lib/arc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NOW = 1800000000 };

static const char *
run(struct arena *arena, struct slice message, struct slice record, size_t step)
{
	const struct dns_answer answer = {
		.state = DNS_OK, .why = "", .count = 1, .records = &record
	};
	struct header_end end = { 0 };
	size_t length = header_end_feed(&end, message);
	struct arc arc = { 0 };

	arc_begin(&arc, arena, (struct slice) { message.data, length }, NOW);
	for (size_t at = length; at < message.length; at += step)
		arc_body(&arc,
		    (struct slice) { message.data + at,
			message.length - at < step ? message.length - at : step });
	for (size_t i = 0; i < arc.count; i++)
		arc_key(&arc, &arc.key[i], &answer);
	arc_end(&arc);
	assert(arc.why != NULL && (arc.sets == NULL) == (strcmp(arc.word, "none") == 0));
	assert(arc.sets == NULL || arc.sets->count <= ARC_SETS_MOST);
	return arc.word;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *nul = size > 0 ? memchr(text, '\0', size) : NULL;
	struct arena *arena = arena_new(SIZE_MAX);

	if (nul != NULL) {
		struct slice record = { text, (size_t)(nul - text) };
		struct slice message = { nul + 1, size - record.length - 1 };
		const char *word = run(arena, message, record, SIZE_MAX / 2);

		assert(strcmp(word, run(arena, message, record, 1 + size % 7)) == 0);
	}
	arena_free(arena);
	return 0;
}
