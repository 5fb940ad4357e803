#include "lib/yaml_write.h"

#include "lib/utf8.h"

/* Plain texts that cannot be mistaken for anything else, whatever stands around them. */
static bool
text_is_plain(const char *text)
{
	static const char letters[] = "0123456789_./@+-"
				      "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	return *text != '\0' && strchr("-@+", *text) == NULL &&
	    text[strspn(text, letters)] == '\0' && strcmp(text, "...") != 0;
}

/* What libyaml takes as it is; the rest it wants escaped, or folds it. */
static bool
code_is_printable(uint32_t code)
{
	if (code < 0xa0)
		return code >= ' ' && code < 0x7f;
	return code != 0x2028 && code != 0x2029 && code != 0xfeff && (code & 0xfffe) != 0xfffe;
}

static void
code_write(FILE *to, struct slice character, uint32_t code)
{
	if (code == '"' || code == '\\')
		fprintf(to, "\\%c", (int)code);
	else if (code == '\n')
		fputs("\\n", to);
	else if (code_is_printable(code))
		fwrite(character.data, 1, character.length, to);
	else
		fprintf(to, "\\U%08X", (unsigned)code);
}

void
yaml_write_text(FILE *to, const char *text)
{
	struct slice rest = slice_of(text);

	if (text_is_plain(text)) {
		fputs(text, to);
		return;
	}
	fputc('"', to);
	while (rest.length > 0) {
		uint32_t code = (unsigned char)*rest.data;
		size_t length = utf8_read(rest, &code);

		if (length == 0)
			length = 1;
		if (code == '$' && rest.length > 1 && rest.data[1] == '{')
			fputc('$', to);
		code_write(to, (struct slice) { .data = rest.data, .length = length }, code);
		rest.data += length;
		rest.length -= length;
	}
	fputc('"', to);
}

void
yaml_write_flow(FILE *to, const struct node *node)
{
	if (node->kind == NODE_TEXT) {
		yaml_write_text(to, node->secret ? "(secret)" : node->text);
		return;
	}
	fputc(node->kind == NODE_MAP ? '{' : '[', to);
	for (const struct node *at = node->child; at != NULL; at = at->next) {
		yaml_write_flow(to, at);
		if (node->kind == NODE_MAP) {
			fputs(": ", to);
			at = at->next;
			yaml_write_flow(to, at);
		}
		if (at->next != NULL)
			fputs(", ", to);
	}
	fputc(node->kind == NODE_MAP ? '}' : ']', to);
}

void
yaml_write_block(FILE *to, const struct node *node, unsigned indent)
{
	if (node->kind == NODE_TEXT || node->child == NULL) {
		fputc(' ', to);
		yaml_write_flow(to, node);
		fputc('\n', to);
		return;
	}
	fputc('\n', to);
	for (const struct node *at = node->child; at != NULL; at = at->next) {
		fprintf(to, "%*s", (int)indent, "");
		if (node->kind == NODE_LIST) {
			fputs("- ", to);
		} else {
			yaml_write_flow(to, at);
			fputs(": ", to);
			at = at->next;
		}
		yaml_write_flow(to, at);
		fputc('\n', to);
	}
}
