/* The manual page postern.yaml(5), from the tables. */
#include "rules/config_draft.h"
#include "rules/policy_read.h"

static const char man_head[] =
    ".TH POSTERN.YAML 5\n"
    ".SH NAME\n"
    "postern.yaml \\- configuration of the mail gateway postern\n"
    ".SH DESCRIPTION\n"
    "The file is YAML: keys and values, lists and maps. It is read and checked completely, by\n"
    ".B postern check\n"
    "and before it is used; what is wrong is named with file, line and column, and a running\n"
    "postern stays with what it has.\n"
    ".PP\n"
    ".B include: FILE\n"
    "stands for the contents of another file wherever a value, an item of a list or a key may\n"
    "stand. In lists of networks and patterns,\n"
    ".B file: FILE\n"
    "is a text file with one entry a line. Relative names start where the file lies that names\n"
    "them, or else in the directory of what comes with postern.\n"
    ".B ${env:NAME}\n"
    "and\n"
    ".B ${file:PATH}\n"
    "in a value are replaced. Changed files are noticed, and read again.\n"
    ".PP\n"
    "Times are written 500ms, 30s, 5m, 1h, 7d; sizes 4096, 256K, 25M, 1G, in units of 1024.\n";

static void
config_man_fact(FILE *out, const struct filter *filter, const struct fact_kind *fact)
{
	fprintf(out, ".TP\n\\fB%s.%s\\fP: %s\n%s.\n", filter->name, fact->key, fact->values,
	    fact->meaning);
}

void
config_write_man(FILE *out)
{
	struct arena *scratch = arena_new(SIZE_MAX);

	fputs(man_head, out);
	fputs(".SH KEYS\n", out);
	option_write_man(out, config_table(scratch));
	fputs(".SH RULES\nA rule, an item of\n.BR policy: ,\nhas these keys:\n", out);
	option_write_man(out, policy_rule_rows);
	fputs(".SH FACTS\nWhat rules can ask for in\n.B when:\nand\n.BR unless: .\n", out);
	for (size_t i = 0; registry[i] != NULL; i++)
		for (const struct fact_kind *fact = registry[i]->facts;
		     fact != NULL && fact->key != NULL; fact++)
			config_man_fact(out, registry[i], fact);
	fputs(".SH FILES\n/etc/postern/postern.yaml\n"
	      ".SH SEE ALSO\n.BR postern (8)\n",
	    out);
	arena_free(scratch);
}
