#include "lib/intake.h"

#include <assert.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define INTAKE_IS_GUARDED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define INTAKE_IS_GUARDED 1
#endif
#endif

/* The wide block that nobody holds. */
static char *intake_spare;

static char *
intake_malloc(size_t size)
{
	char *block = malloc(size);

	if (block == NULL)
		abort();
	return block;
}

/* Under AddressSanitizer a block really goes, so that a slice kept too long is found. */
void
intake_free(struct intake *intake)
{
	bool is_spare = intake->size == INTAKE_WIDE && intake_spare == NULL;

#ifdef INTAKE_IS_GUARDED
	is_spare = false;
#endif
	if (is_spare)
		intake_spare = intake->block;
	else
		free(intake->block);
	*intake = (struct intake) { 0 };
}

static void
intake_move(struct intake *intake, char *block, unsigned size)
{
	unsigned held = intake->end - intake->begin;

	if (held > 0)
		memmove(block, intake->block + intake->begin, held);
	if (block != intake->block)
		intake_free(intake);
	*intake = (struct intake) { block, 0, held, size };
}

/* Within a wide block the bytes move only if they are fewer than those before them, or if
 * nothing could be read otherwise. So taking little and reading little, in turn, stays cheap. */
void
intake_widen(struct intake *intake)
{
	if (intake->size == INTAKE_WIDE) {
		if (intake->begin >= intake->end - intake->begin || intake->end == INTAKE_WIDE)
			intake_move(intake, intake->block, INTAKE_WIDE);
		return;
	}

	char *wide = intake_spare != NULL ? intake_spare : intake_malloc(INTAKE_WIDE);

	intake_spare = NULL;
	intake_move(intake, wide, INTAKE_WIDE);
}

char *
intake_room(const struct intake *intake, size_t limit, size_t *size)
{
	size_t held = intake->end - intake->begin;
	size_t behind = intake->size - intake->end;
	size_t allowed = held < limit ? limit - held : 0;

	*size = behind < allowed ? behind : allowed;
	return intake->block + intake->end;
}

void
intake_commit(struct intake *intake, size_t count)
{
	assert(count <= intake->size - intake->end);
	intake->end += (unsigned)count;
}

void
intake_rest(struct intake *intake)
{
	unsigned held = intake->end - intake->begin;

	if (intake->size == INTAKE_WIDE && held <= INTAKE_REST)
		intake_move(intake, held > 0 ? intake_malloc(held) : NULL, held);
}

struct slice
intake_slice(const struct intake *intake)
{
	if (intake->block == NULL)
		return (struct slice) { "", 0 };
	return (struct slice) { intake->block + intake->begin, intake->end - intake->begin };
}

void
intake_take(struct intake *intake, size_t count)
{
	assert(count <= intake->end - intake->begin);
	intake->begin += (unsigned)count;
	if (intake->begin == intake->end)
		intake_free(intake);
}
