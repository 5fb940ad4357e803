#include "lib/regex_relax.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>

#include "lib/buf.h"

enum { DEEPEST = 100, LETTER = 1, FEW = 4, MANY = 16 };

/* Where the pattern's text is, while it is gone through. */
struct relax {
	const char *at;
	struct buf *out;
	bool has_widened, is_strange;

	/* How large what stands in each open group is, and of it what a repeat here is about. */
	size_t depth, sizes[DEEPEST + 1], item;
};

static void
relax_copy(struct relax *relax, size_t length)
{
	buf_append(relax->out, (struct slice) { relax->at, length });
	relax->at += length;
}

static void
relax_count(struct relax *relax, size_t size)
{
	relax->item = size;
	relax->sizes[relax->depth] += size;
}

/* Up to the first `end`, and with it; all that is left if there is none. */
static size_t
relax_until(const char *text, const char *end)
{
	const char *found = strstr(text, end);

	return found != NULL ? (size_t)(found - text) + strlen(end) : strlen(text);
}

static size_t
relax_escape_size(char letter)
{
	if (strchr("dwshvxo", letter) != NULL)
		return FEW;
	return isalpha((unsigned char)letter) ? MANY : LETTER;
}

/* A backslash and what belongs to it: \x{456}, \cA, and all of \Q ... \E. How large it is. */
static size_t
relax_escape(struct relax *relax)
{
	char letter = relax->at[1];
	size_t length = letter == 'Q' ? relax_until(relax->at, "\\E") : letter != '\0' ? 2 : 1;

	relax->is_strange = relax->is_strange || letter == 'p' || letter == 'P' || letter == 'X';
	relax_copy(relax, length);
	if (letter == 'Q')
		return length;
	if (letter == 'c' && relax->at[0] != '\0')
		relax_copy(relax, 1);
	else if (relax->at[0] == '{' && strchr("xpPoNkgu", letter) != NULL)
		relax_copy(relax, relax_until(relax->at, "}"));
	return relax_escape_size(letter);
}

/* Of [:alpha:] all, and of anything else one byte. */
static size_t
relax_named(const char *at)
{
	const char *end = at + 2;

	if (at[0] != '[' || at[1] != ':')
		return 1;
	end += *end == '^';
	end += strspn(end, "abcdefghijklmnopqrstuvwxyz");
	return end[0] == ':' && end[1] == ']' ? (size_t)(end + 2 - at) : 1;
}

/* [ ... ], in which a bracket at the beginning, or of [:alpha:], ends nothing. */
static void
relax_class(struct relax *relax)
{
	size_t size = relax->at[1] == '^' ? MANY : FEW;

	relax_copy(relax, relax->at[1] == '^' ? 2 : 1);
	if (relax->at[0] == ']')
		relax_copy(relax, 1);
	while (relax->at[0] != '\0' && relax->at[0] != ']') {
		size_t one = (uint8_t)relax->at[0] >= 0x80 ? MANY : LETTER;

		if (relax->at[0] == '\\')
			one = relax_escape(relax);
		else
			relax_copy(relax, relax_named(relax->at));
		size = one > size ? one : size;
	}
	if (relax->at[0] == ']')
		relax_copy(relax, 1);
	relax_count(relax, size);
}

/* A parenthesis. Comments are not read here, and so nothing that may hold some is. */
static void
relax_group(struct relax *relax)
{
	if (relax->at[0] == ')' && relax->depth > 0) {
		relax->depth--;
		relax_count(relax, relax->sizes[relax->depth + 1]);
	} else if (relax->at[0] == '(') {
		size_t flags = relax->at[1] == '?' ? strspn(relax->at + 2, "^-imsxnJU") : 0;

		relax->is_strange = relax->is_strange || relax->depth == DEEPEST ||
		    strncmp(relax->at, "(?#", 3) == 0 || relax->at[1] == '*' ||
		    memchr(relax->at + 2, 'x', flags) != NULL;
		relax->depth += relax->depth < DEEPEST;
		relax->sizes[relax->depth] = relax->item = 0;
	}
	relax_copy(relax, 1);
}

/* {n} {n,} {n,m}; what is none of these stands for itself. */
static void
relax_repeat(struct relax *relax)
{
	const char *at = relax->at + 1;
	char *end;
	unsigned long least = strtoul(at, &end, 10), most = least;

	if (end == at || at[0] < '0' || at[0] > '9') {
		relax_copy(relax, 1);
		return;
	}
	if (*end == ',' && end[1] >= '0' && end[1] <= '9')
		most = strtoul(end + 1, &end, 10);
	else if (*end == ',')
		end++;
	if (*end != '}' || most < least) {
		relax_copy(relax, 1);
		return;
	}
	size_t times = most < REGEX_RELAX_MOST ? most : REGEX_RELAX_MOST;

	if (relax->item * times > REGEX_RELAX_REPEAT)
		times = 1;
	if (most > times || least > times) {
		buf_print(relax->out, "{%lu,}", least < times ? least : (unsigned long)times);
		relax->has_widened = true;
	} else {
		buf_append(relax->out, (struct slice) { relax->at, (size_t)(end + 1 - relax->at) });
	}
	relax->at = end + 1;
	relax->sizes[relax->depth] -= relax->item;
	relax_count(relax, relax->item * (times > 0 ? times : 1));
}

/* Is there anything in it that fails because something matches? */
static bool
relax_has_negation(const char *pattern)
{
	static const char *const signs[] = { "(?!", "(?<!", "(?>", "(?(", "(*", "++", "*+", "?+",
		"}+" };

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (strstr(pattern, signs[i]) != NULL)
			return true;
	return false;
}

static void
relax_next(struct relax *relax)
{
	char byte = relax->at[0];

	if (byte == '\\') {
		relax_count(relax, relax_escape(relax));
	} else if (byte == '[') {
		relax_class(relax);
	} else if (byte == '(' || byte == ')') {
		relax_group(relax);
	} else if (byte == '{') {
		relax_repeat(relax);
	} else {
		if (strchr("*+?", byte) == NULL)
			relax_count(relax, byte == '.' ? MANY : LETTER);
		relax_copy(relax, 1);
	}
}

const char *
regex_relax(struct arena *arena, const char *pattern)
{
	struct relax relax = { .at = pattern, .out = buf_new(arena, 2 * strlen(pattern) + 16) };

	while (relax.at[0] != '\0')
		relax_next(&relax);
	if (relax.is_strange || relax.sizes[0] > REGEX_RELAX_WHOLE ||
	    (relax.has_widened && relax_has_negation(pattern)))
		return NULL;
	return arena_copy(arena, buf_slice(relax.out));
}
