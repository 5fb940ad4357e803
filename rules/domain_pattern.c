#include "rules/domain_pattern.h"

#include <ctype.h>

enum { NAME_MOST = 253, LABEL_MOST = 63 };

static bool
domain_pattern_has(char byte)
{
	return isalnum((unsigned char)byte) || byte == '-' || byte == '_' || (byte & 0x80);
}

bool
domain_pattern_is_name(struct slice text)
{
	size_t label = 0;

	for (size_t i = 0; i < text.length; i++) {
		bool is_end = text.data[i] == '.';

		if (is_end ? label == 0 : !domain_pattern_has(text.data[i]))
			return false;
		label = is_end ? 0 : label + 1;
		if (label > LABEL_MOST || (label == 1 && text.data[i] == '-'))
			return false;
	}
	return label > 0 && text.length <= NAME_MOST;
}

const char *
domain_pattern_read(struct option_reader *reader, const struct node *at, const char *text)
{
	struct slice name = slice_of(*text == '.' ? text + 1 : text);

	if (strncmp(text, "*.", 2) == 0) {
		fault_add(reader->faults, at,
		    "no patterns here: \"%.80s\" stands for the sub-domains, \"%.80s\" for the "
		    "domain itself",
		    text + 1, text + 2);
		return NULL;
	}
	if (name.length > 1 && name.data[name.length - 1] == '.')
		name.length--;
	if (!domain_pattern_is_name(name)) {
		option_impossible(
		    reader, at, "a domain such as example.com, or .example.com for those below it");
		return NULL;
	}

	size_t length = (size_t)(name.data - text) + name.length;
	char *lower = arena_copy(reader->arena, (struct slice) { .data = text, .length = length });

	for (char *byte = lower; *byte != '\0'; byte++)
		if (!(*byte & 0x80))
			*byte = (char)tolower((unsigned char)*byte);
	return lower;
}
