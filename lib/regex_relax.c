#include "lib/regex_relax.h"

#include <stdlib.h>

#include "lib/buf.h"

/* Where the pattern's text is, while it is gone through. */
struct relax {
	const char *at;
	struct buf *out;
	bool has_widened;
};

static void
relax_copy(struct relax *relax, size_t length)
{
	buf_append(relax->out, (struct slice) { relax->at, length });
	relax->at += length;
}

/* A backslash and what belongs to it: \x{456}, \p{L}, and all of \Q ... \E. */
static void
relax_escape(struct relax *relax)
{
	const char *end;

	if (relax->at[1] == 'Q') {
		end = strstr(relax->at, "\\E");
		relax_copy(relax, end != NULL ? (size_t)(end - relax->at) + 2 : strlen(relax->at));
		return;
	}
	relax_copy(relax, relax->at[1] != '\0' ? 2 : 1);
	if (relax->at[0] != '{' || strchr("xpPoNkgu", relax->at[-1]) == NULL)
		return;
	end = strchr(relax->at, '}');
	relax_copy(relax, end != NULL ? (size_t)(end - relax->at) + 1 : strlen(relax->at));
}

/* [ ... ], in which a bracket at the beginning, or of [:alpha:], ends nothing. */
static void
relax_class(struct relax *relax)
{
	relax_copy(relax, 1);
	if (relax->at[0] == '^')
		relax_copy(relax, 1);
	if (relax->at[0] == ']')
		relax_copy(relax, 1);
	while (relax->at[0] != '\0' && relax->at[0] != ']') {
		const char *end =
		    relax->at[0] == '[' && relax->at[1] == ':' ? strstr(relax->at, ":]") : NULL;

		if (relax->at[0] == '\\')
			relax_escape(relax);
		else
			relax_copy(relax, end != NULL ? (size_t)(end - relax->at) + 2 : 1);
	}
	if (relax->at[0] == ']')
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
	if (*end != '}' || (most <= REGEX_RELAX_MOST && least <= REGEX_RELAX_MOST)) {
		relax_copy(relax, 1);
		return;
	}
	buf_print(relax->out, "{%lu,}", least < REGEX_RELAX_MOST ? least : REGEX_RELAX_MOST);
	relax->at = end + 1;
	relax->has_widened = true;
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

const char *
regex_relax(struct arena *arena, const char *pattern)
{
	struct relax relax = { pattern, buf_new(arena, 2 * strlen(pattern) + 16), false };

	while (relax.at[0] != '\0') {
		if (relax.at[0] == '\\')
			relax_escape(&relax);
		else if (relax.at[0] == '[')
			relax_class(&relax);
		else if (relax.at[0] == '{')
			relax_repeat(&relax);
		else
			relax_copy(&relax, strcspn(relax.at + 1, "\\[{") + 1);
	}
	if (relax.has_widened && relax_has_negation(pattern))
		return NULL;
	return arena_copy(arena, buf_slice(relax.out));
}
