#include "lib/option_value.h"

/* Nothing in it is taken for a request or an escape, and "-" stays what one can copy. */
static void
man_text(FILE *to, const char *text)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", to);
	for (; *text != '\0'; text++) {
		if (*text == '\\')
			fputs("\\e", to);
		else if (*text == '-')
			fputs("\\-", to);
		else if (*text == '\n')
			fputs(text[1] == '.' || text[1] == '\'' ? "\n\\&" : "\n", to);
		else
			fputc(*text, to);
	}
}

/* What is expected, but escaped: it is printed from texts of the tables. */
static void
man_expected(FILE *to, const struct option *row)
{
	char words[400] = "";
	FILE *memory = fmemopen(words, sizeof(words), "w");

	option_value_expected(memory, row);
	if (row->kind == OPTION_IS_LIST && row->shorthand != NULL)
		fprintf(memory, ", or of values of %s", row->shorthand);
	fclose(memory);
	man_text(to, words);
}

static void
man_row(FILE *to, const struct option *row)
{
	fputs(".TP\n\\fB", to);
	man_text(to, row->key);
	fputs(":\\fP \\fI", to);
	man_expected(to, row);
	fputs("\\fP\n", to);
	if (row->help != NULL) {
		man_text(to, row->help);
		fputc('\n', to);
	}
	if (row->required) {
		fputs("(required)\n", to);
	} else if (row->fallback != NULL) {
		fputs("(default: ", to);
		man_text(to, row->fallback);
		fputs(")\n", to);
	}
	if (row->help == NULL && !row->required && row->fallback == NULL)
		fputs("\\&\n", to);
}

void
option_write_man(FILE *to, const struct option *table)
{
	for (const struct option *row = table; row->key != NULL; row++) {
		man_row(to, row);
		if (row->table == NULL)
			continue;
		fputs(".RS\n", to);
		option_write_man(to, row->table);
		fputs(".RE\n", to);
	}
}
