/*
 * A header, of which the author domains are read: twice, as it is and as the value of a From field.
 * What comes out are domain names, each once, and as many as the kind says; a second From field
 * leaves nothing of them; a comment before changes nothing.
 */
#include <assert.h>
#include <stdint.h>

#include "lib/author.h"
#include "lib/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(struct arena *arena, const struct author *author)
{
	assert((author->kind == AUTHOR_MALFORMED) == (author->why[0] != '\0'));
	assert(author->kind != AUTHOR_ONE || author->count == 1);
	assert(author->kind != AUTHOR_MANY || author->count > 1);
	assert(author->kind != AUTHOR_NONE || author->count == 0);
	assert(author->count <= AUTHOR_DOMAINS_MOST);
	if (author->kind == AUTHOR_MALFORMED)
		return;
	for (size_t i = 0; i < author->count; i++) {
		const char *again = author_domain(arena, slice_of(author->domain[i]));

		assert(again != NULL && strcmp(again, author->domain[i]) == 0);
		for (size_t k = 0; k < i; k++)
			assert(strcmp(author->domain[k], author->domain[i]) != 0);
	}
}

static void
check_same(const struct author *one, const struct author *other)
{
	assert(one->kind == other->kind);
	if (one->kind == AUTHOR_MALFORMED)
		return;
	assert(one->count == other->count);
	for (size_t i = 0; i < one->count; i++)
		assert(strcmp(one->domain[i], other->domain[i]) == 0);
}

/* In one line. */
static void
check_value(struct arena *arena, struct slice text)
{
	char *value = arena_copy(arena, text);

	for (size_t i = 0; i < text.length; i++)
		if (value[i] == '\r' || value[i] == '\n' || value[i] == '\0')
			value[i] = ' ';
	struct author author =
	    author_read(arena, slice_of(arena_format(arena, "From:%s\r\n", value)));
	struct author other = author_read(arena,
	    slice_of(arena_format(arena, "To: x@x.test\r\nfrom: (\\)a(b))\r\n %s\r\n", value)));
	struct author twice = author_read(
	    arena, slice_of(arena_format(arena, "From:%s\r\nFrom: a@a.test\r\n", value)));

	check(arena, &author);
	check_same(&author, &other);
	assert(twice.kind == AUTHOR_MALFORMED);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(SIZE_MAX);
	struct slice text = { (const char *)data, size };
	struct author author = author_read(arena, text);

	check(arena, &author);
	if (header_count(text, "From") != 1)
		assert(author.kind == AUTHOR_MALFORMED);
	check_value(arena, text);
	arena_free(arena);
	return 0;
}
