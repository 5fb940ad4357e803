#include "lib/regex.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum { STACK_LEAST = 32 * 1024 };

struct pattern {
	pcre2_code *code;
	const char *place, *text;
	unsigned flags;
	bool is_slow; /* without just-in-time code */
};

struct regex {
	struct arena *arena;
	struct pattern *patterns;
	size_t count, size;
	pcre2_compile_context *lines; /* LF ends them */
	pcre2_match_context *limits;
	pcre2_jit_stack *stack; /* NULL: PCRE2 was built without */
	pcre2_match_data *data;
};

static void
regex_undo(void *arg)
{
	struct regex *regex = arg;

	for (size_t i = 0; i < regex->count; i++)
		pcre2_code_free(regex->patterns[i].code);
	pcre2_match_data_free(regex->data);
	pcre2_match_context_free(regex->limits);
	pcre2_compile_context_free(regex->lines);
	pcre2_jit_stack_free(regex->stack);
}

struct regex *
regex_new(struct arena *arena)
{
	struct regex *regex = arena_alloc(arena, sizeof(*regex));

	arena_defer(arena, regex_undo, regex);
	regex->arena = arena;
	regex->lines = pcre2_compile_context_create(NULL);
	regex->limits = pcre2_match_context_create(NULL);
	regex->data = pcre2_match_data_create(1, NULL);
	if (regex->lines == NULL || regex->limits == NULL || regex->data == NULL)
		abort(); /* no memory, as with the arena */
	pcre2_set_newline(regex->lines, PCRE2_NEWLINE_LF);
	pcre2_set_match_limit(regex->limits, REGEX_STEPS);
	pcre2_set_heap_limit(regex->limits, REGEX_HEAP_MOST);
	regex->stack = pcre2_jit_stack_create(STACK_LEAST, REGEX_STACK_MOST, NULL);
	pcre2_jit_stack_assign(regex->limits, NULL, regex->stack);
	return regex;
}

static bool
regex_refuse(struct regex_fault *fault, size_t at, const char *why)
{
	fault->at = at;
	snprintf(fault->why, sizeof(fault->why), "%s", why);
	return false;
}

/* Patterns are few and read once: the old array is left to the arena. */
static struct pattern *
regex_place_for(struct regex *regex)
{
	if (regex->count == regex->size) {
		size_t size = regex->size > 0 ? regex->size * 2 : 8;
		struct pattern *patterns = arena_alloc(regex->arena, size * sizeof(*patterns));

		for (size_t i = 0; i < regex->count; i++)
			patterns[i] = regex->patterns[i];
		regex->patterns = patterns;
		regex->size = size;
	}
	return &regex->patterns[regex->count++];
}

static uint32_t
regex_options(unsigned flags)
{
	uint32_t options = PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C;

	options |= flags & REGEX_CASELESS ? PCRE2_CASELESS : 0;
	options |= flags & REGEX_LINES ? PCRE2_MULTILINE : 0;
	options |= flags & REGEX_CLEAN ? 0 : PCRE2_MATCH_INVALID_UTF;
	return options;
}

bool
regex_add(struct regex *regex, struct slice pattern, const char *place, unsigned flags,
    struct regex_fault *fault)
{
	char words[REGEX_WHY_MOST];
	size_t at;
	int error;

	if (regex->count == REGEX_MOST)
		return regex_refuse(fault, 0, "too many patterns");
	if (pattern.length == 0)
		return regex_refuse(fault, 0, "an empty pattern, which matches everything");
	if (pattern.length > REGEX_PATTERN_MOST)
		return regex_refuse(fault, REGEX_PATTERN_MOST, "the pattern is too long");
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern.data, pattern.length,
	    regex_options(flags), &error, &at, flags & REGEX_LINES ? regex->lines : NULL);

	if (code == NULL) {
		pcre2_get_error_message(error, (PCRE2_UCHAR *)words, sizeof(words));
		return regex_refuse(fault, at < pattern.length ? at : pattern.length, words);
	}
	*regex_place_for(regex) = (struct pattern) {
		.code = code,
		.place = arena_strdup(regex->arena, place),
		.text = arena_copy(regex->arena, pattern),
		.flags = flags,
		.is_slow = pcre2_jit_compile(code, PCRE2_JIT_COMPLETE) != 0,
	};
	return true;
}

size_t
regex_count(const struct regex *regex)
{
	return regex != NULL ? regex->count : 0;
}

size_t
regex_slow_count(const struct regex *regex)
{
	size_t slow = 0;

	for (size_t i = 0; i < regex_count(regex); i++)
		slow += regex->patterns[i].is_slow;
	return slow;
}

const char *
regex_place(const struct regex *regex, size_t number)
{
	assert(number < regex->count);
	return regex->patterns[number].place;
}

const char *
regex_text(const struct regex *regex, size_t number)
{
	assert(number < regex->count);
	return regex->patterns[number].text;
}

unsigned
regex_flags(const struct regex *regex, size_t number)
{
	assert(number < regex->count);
	return regex->patterns[number].flags;
}

enum regex_result
regex_match_piece(const struct regex *regex, size_t number, struct slice piece, unsigned edges)
{
	PCRE2_SPTR bytes = (PCRE2_SPTR)(piece.length > 0 ? piece.data : "");
	uint32_t options = 0;

	assert(number < regex->count);
	options |= edges & REGEX_CUT_BEFORE ? PCRE2_NOTBOL : 0;
	options |= edges & REGEX_CUT_BEHIND ? PCRE2_NOTEOL : 0;
	options |= regex->patterns[number].flags & REGEX_CLEAN ? PCRE2_NO_UTF_CHECK : 0;
	int result = pcre2_match(regex->patterns[number].code, bytes, piece.length, 0, options,
	    regex->data, regex->limits);

	if (result >= 0) /* 0: matched, with more pairs than we keep */
		return REGEX_YES;
	return result == PCRE2_ERROR_NOMATCH ? REGEX_NO : REGEX_LIMIT;
}

enum regex_result
regex_match(const struct regex *regex, size_t number, struct slice text)
{
	return regex_match_piece(regex, number, text, 0);
}

enum regex_result
regex_find(const struct regex *regex, struct slice text, size_t *number)
{
	enum regex_result result = REGEX_NO;

	for (size_t i = 0; i < regex_count(regex); i++) {
		enum regex_result one = regex_match(regex, i, text);

		if (one == REGEX_YES || (one == REGEX_LIMIT && result == REGEX_NO)) {
			*number = i;
			result = one;
		}
		if (one == REGEX_YES)
			break;
	}
	return result;
}
