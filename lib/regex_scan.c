#include "lib/regex_scan.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/clock.h"
#include "lib/regex_relax.h"
#include "lib/utf8.h"

#ifdef HAVE_VECTORSCAN
#include <hs.h>
#else
typedef struct {
	int unused;
} hs_database_t, hs_scratch_t;
#endif

enum { SHORT = 1024 };

struct regex_scan {
	const struct regex *set;
	size_t first, count;
	hs_database_t *database; /* NULL: each pattern is asked about each time */
	hs_scratch_t *scratch;

	/* By the number of the pattern in this scan. */
	uint32_t *always, *maybe; /* those that the first pass does not know; that it has found */
	size_t always_count, maybe_count;
	uint32_t *beyond; /* those it knows in which there is more than ASCII */
	size_t beyond_count;
	bool has_newer; /* letters in the text of which the first pass does not know all */
};

/* ---- the first pass ---- */

#ifdef HAVE_VECTORSCAN

/*
 * A letter whose other case Vectorscan does not know, as it, or that one, came with Unicode 7 or
 * later. Where there are some in a text, PCRE2 is asked about all patterns beyond ASCII.
 */
static bool
regex_scan_is_newer(uint32_t code)
{
	static const uint32_t ranges[][2] = { { 0x26a, 0x26a }, { 0x282, 0x282 }, { 0x29d, 0x29d },
		{ 0x13a0, 0x13fd }, { 0x1c80, 0x1cbf }, { 0x1d8e, 0x1d8e }, { 0x2c2f, 0x2c2f },
		{ 0x2c5f, 0x2c5f }, { 0xa64a, 0xa64b }, { 0xa794, 0xa794 }, { 0xa7ae, 0xa7f6 },
		{ 0xab53, 0xabbf }, { 0x104b0, 0x105bc }, { 0x10c80, 0x10cf2 },
		{ 0x16e40, 0x16e7f }, { 0x1e900, 0x1e943 } };

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]) && ranges[i][0] <= code; i++)
		if (code <= ranges[i][1])
			return true;
	return false;
}

/* Not by Vectorscan: for it, a pattern of nothing but such a class is work at every byte. */
static bool
regex_scan_has_newer(struct slice text)
{
	while (text.length > 0) {
		size_t size = utf8_ascii(text);
		uint32_t code;

		text = (struct slice) { text.data + size, text.length - size };
		size = utf8_read(text, &code);
		if (size > 0 && regex_scan_is_newer(code))
			return true;
		size += size == 0 && text.length > 0;
		text = (struct slice) { text.data + size, text.length - size };
	}
	return false;
}

static bool
regex_scan_is_beyond(const char *pattern)
{
	for (; *pattern != '\0'; pattern++)
		if ((uint8_t)*pattern >= 0x80 ||
		    (*pattern == '\\' && strchr("xo0123456789", pattern[1]) != NULL))
			return true;
	return false;
}

static void
regex_scan_undo(void *arg)
{
	struct regex_scan *scan = arg;

	hs_free_scratch(scan->scratch);
	hs_free_database(scan->database);
}

static unsigned
regex_scan_flags(unsigned flags)
{
	unsigned all = HS_FLAG_UTF8 | HS_FLAG_PREFILTER | HS_FLAG_SINGLEMATCH | HS_FLAG_ALLOWEMPTY;

	all |= flags & REGEX_CASELESS ? HS_FLAG_CASELESS : 0;
	return all | (flags & REGEX_LINES ? HS_FLAG_MULTILINE : 0);
}

static bool
regex_scan_knows(const char *pattern, unsigned flags)
{
	hs_compile_error_t *error = NULL;
	hs_expr_info_t *info = NULL;
	bool is_good = hs_expression_info(pattern, flags, &info, &error) == HS_SUCCESS;

	free(info);
	hs_free_compile_error(error);
	return is_good;
}

/* The patterns that it knows, as it wants them. */
struct regex_scan_draft {
	const char **texts;
	unsigned *flags, *numbers;
	unsigned count;
};

static bool
regex_scan_compile(struct regex_scan *scan, const struct regex_scan_draft *draft)
{
	hs_compile_error_t *error = NULL;

	if (draft->count == 0 || hs_valid_platform() != HS_SUCCESS)
		return false;
	if (hs_compile_multi(draft->texts, draft->flags, draft->numbers, draft->count,
		HS_MODE_BLOCK, NULL, &scan->database, &error) == HS_SUCCESS &&
	    hs_alloc_scratch(scan->database, &scan->scratch) == HS_SUCCESS)
		return true;
	hs_free_compile_error(error);
	hs_free_database(scan->database);
	scan->database = NULL;
	return false;
}

static void
regex_scan_prepare(struct arena *arena, struct regex_scan *scan)
{
	struct regex_scan_draft draft = {
		.texts = arena_alloc(arena, (scan->count + 1) * sizeof(*draft.texts)),
		.flags = arena_alloc(arena, (scan->count + 1) * sizeof(*draft.flags)),
		.numbers = arena_alloc(arena, (scan->count + 1) * sizeof(*draft.numbers)),
	};

	scan->always_count = 0;
	for (uint32_t i = 0; i < scan->count; i++) {
		const char *text = regex_relax(arena, regex_text(scan->set, scan->first + i));
		unsigned flags = regex_scan_flags(regex_flags(scan->set, scan->first + i));

		if (text == NULL || !regex_scan_knows(text, flags)) {
			scan->always[scan->always_count++] = i;
			continue;
		}
		draft.texts[draft.count] = text;
		draft.flags[draft.count] = flags;
		draft.numbers[draft.count++] = i;
		if (regex_scan_is_beyond(text))
			scan->beyond[scan->beyond_count++] = i;
	}
	if (regex_scan_compile(scan, &draft)) {
		arena_defer(arena, regex_scan_undo, scan);
		return;
	}
	scan->always_count = scan->count;
	for (uint32_t i = 0; i < scan->count; i++)
		scan->always[i] = i;
}

/* Each pattern once. */
static int
regex_scan_found(
    unsigned number, unsigned long long from, unsigned long long to, unsigned flags, void *arg)
{
	struct regex_scan *scan = arg;

	(void)from, (void)to, (void)flags;
	scan->maybe[scan->maybe_count++] = number;
	return 0;
}

static void
regex_scan_pass(struct regex_scan *scan, struct slice piece)
{
	scan->maybe_count = 0;
	scan->has_newer = false;
	if (scan->database == NULL)
		return;
	scan->has_newer = scan->beyond_count > 0 && regex_scan_has_newer(piece);
	hs_error_t error = hs_scan(scan->database, piece.length > 0 ? piece.data : "",
	    (unsigned)piece.length, 0, scan->scratch, regex_scan_found, scan);

	assert(error == HS_SUCCESS);
}

#else

static void
regex_scan_prepare(struct arena *arena, struct regex_scan *scan)
{
	(void)arena, (void)scan;
}

static void
regex_scan_pass(struct regex_scan *scan, struct slice piece)
{
	(void)scan, (void)piece;
}

#endif

/* ---- all of it ---- */

struct regex_scan *
regex_scan_new(
    struct arena *arena, const struct regex *set, size_t first, size_t count, bool is_plain)
{
	struct regex_scan *scan = arena_alloc(arena, sizeof(*scan));

	*scan = (struct regex_scan) {
		.set = set,
		.first = first,
		.count = count,
		.always = arena_alloc(arena, (count + 1) * sizeof(*scan->always)),
		.maybe = arena_alloc(arena, (count + 1) * sizeof(*scan->maybe)),
		.beyond = arena_alloc(arena, (count + 1) * sizeof(*scan->beyond)),
		.always_count = count,
	};
	for (uint32_t i = 0; i < count; i++) {
		assert(regex_flags(set, first + i) & REGEX_CLEAN);
		scan->always[i] = i;
	}
	if (!is_plain)
		regex_scan_prepare(arena, scan);
	return scan;
}

size_t
regex_scan_known(const struct regex_scan *scan)
{
	return scan->count - scan->always_count;
}

/* What is known while one text is looked at. */
struct regex_scan_run {
	const struct regex_scan *scan;
	struct slice piece;
	unsigned edges;
	uint8_t *results;
	size_t limits, changes;
	double work; /* when the last match was over */
};

/* REGEX_LIMIT also when it was not cut short, but has taken long all the same; which a short text
 * cannot bring about, and to look at this clock costs more than to look at such a text. */
static enum regex_result
regex_scan_match(struct regex_scan_run *run, uint32_t number)
{
	enum regex_result result =
	    regex_match_piece(run->scan->set, run->scan->first + number, run->piece, run->edges);
	double before = run->work;

	if (run->piece.length < SHORT)
		return result;
	run->work = clock_work();
	if (result == REGEX_NO && run->work - before > REGEX_SCAN_SLOW / 1000.0)
		return REGEX_LIMIT;
	return result;
}

static void
regex_scan_ask(struct regex_scan_run *run, const uint32_t *numbers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint8_t *result = &run->results[numbers[i]];

		if (*result != REGEX_NO)
			continue;
		*result = run->limits == REGEX_SCAN_LIMITS
		    ? REGEX_LIMIT
		    : (uint8_t)regex_scan_match(run, numbers[i]);
		run->limits += *result == REGEX_LIMIT && run->limits < REGEX_SCAN_LIMITS;
		run->changes += *result != REGEX_NO;
	}
}

size_t
regex_scan_piece(
    const struct regex_scan *scan, struct slice piece, unsigned edges, uint8_t *results)
{
	struct regex_scan_run run = {
		.scan = scan, .piece = piece, .edges = edges, .results = results
	};

	if (memchr(results, REGEX_NO, scan->count) == NULL)
		return 0;
	regex_scan_pass((struct regex_scan *)scan, piece);
	if (piece.length >= SHORT)
		run.work = clock_work();
	regex_scan_ask(&run, scan->maybe, scan->maybe_count);
	regex_scan_ask(&run, scan->always, scan->always_count);
	if (scan->has_newer)
		regex_scan_ask(&run, scan->beyond, scan->beyond_count);
	return run.changes;
}
