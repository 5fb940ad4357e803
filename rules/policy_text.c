#include "rules/policy_parts.h"

#include "lib/nearest.h"

enum { TEXT_MOST = 400 };

static bool
policy_is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

/* Bytes of an enhanced status code (RFC 3463) at the front of a text; 0: there is none. */
static size_t
policy_code_length(const char *text)
{
	size_t at = 0;

	for (int part = 0; part < 3; part++) {
		size_t digits = 0;

		if (part > 0 && text[at++] != '.')
			return 0;
		while (policy_is_digit(text[at]))
			at++, digits++;
		if (digits == 0 || digits > (part == 0 ? 1 : 3))
			return 0;
	}
	return text[at] == ' ' || text[at] == '\0' ? at : 0;
}

/* {client}, {case}, ... */
static void
policy_names_check(struct option_reader *reader, const struct node *node)
{
	static const char *const names[] = { "client", "name", "helo", "from", "recipient", "rule",
		"detail", "case", NULL };
	char name[32];

	for (const char *at = node->text; (at = strchr(at, '{')) != NULL; at++) {
		size_t length = strcspn(at + 1, "}");
		const char *meant;

		if (at[1 + length] == '\0' || length >= sizeof(name)) {
			fault_add(reader->faults, node, "a { in the text without its }");
			return;
		}
		memcpy(name, at + 1, length);
		name[length] = '\0';
		meant = nearest_of(name, names);
		if (meant != NULL && strcmp(meant, name) == 0)
			continue;
		fault_add(reader->faults, node, "unknown {%s} in the text; %s%s", name,
		    meant != NULL ? "did you mean "
				  : "there are {client} {name} {helo} {from} {recipient} {rule} "
				    "{detail} {case}",
		    meant != NULL ? meant : "");
	}
}

void
policy_text_check(struct option_reader *reader, const struct node *node, char class)
{
	const char *text = node->text;

	if (strlen(text) > TEXT_MOST)
		fault_add(reader->faults, node, "a reply's text has at most %d bytes", TEXT_MOST);
	for (const char *at = text; *at != '\0'; at++)
		if (*at < ' ' || *at > '~') {
			fault_add(
			    reader->faults, node, "a reply's text is one line of printable ASCII");
			return;
		}
	if (policy_code_length(text) > 0 && *text != class)
		fault_add(reader->faults, node,
		    "the code %.*s does not belong to this action: it begins with %c",
		    (int)policy_code_length(text), text, class);
	policy_names_check(reader, node);
}
