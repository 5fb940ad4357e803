/* The manual page postern.yaml(5), from the tables. */
#include "rules/config_draft.h"
#include "rules/policy_read.h"

#ifndef POSTERN_SYSCONFDIR
#define POSTERN_SYSCONFDIR "/etc/postern"
#endif
#ifndef POSTERN_DATADIR
#define POSTERN_DATADIR "/usr/share/postern"
#endif
#ifndef POSTERN_VERSION
#define POSTERN_VERSION ""
#endif

static const char man_head[] =
    ".TH POSTERN.YAML 5 \"\" \"postern " POSTERN_VERSION "\" \"\"\n"
    ".SH NAME\n"
    "postern.yaml \\- configuration of the mail gateway postern\n"
    ".SH DESCRIPTION\n"
    "The file is YAML: keys and values, lists and maps. It is read and\n"
    "checked completely, by\n"
    ".B postern check\n"
    "and before it is used; what is wrong is named with file, line and\n"
    "column, and a running postern stays with what it has.\n"
    ".PP\n"
    ".B include: FILE\n"
    "stands for the contents of another file wherever a value, an item of\n"
    "a list or a key may stand. In lists of networks and patterns,\n"
    ".B file: FILE\n"
    "is a text file with one entry a line. Relative names start where the\n"
    "file lies that names them, or else in the directory of what comes with\n"
    "postern.\n"
    ".B ${env:NAME}\n"
    "and\n"
    ".B ${file:PATH}\n"
    "in a value are replaced. A running postern looks every five seconds\n"
    "whether one of these files, or a certificate, has changed, and then\n"
    "reads all of them again.\n"
    ".PP\n"
    "Times are written 500ms, 30s, 5m, 1h, 7d; sizes 4096, 256K, 25M, 1G, in\n"
    "units of 1024.\n";

static const char man_foot[] = ".SH FILES\n"
			       ".TP\n"
			       ".I " POSTERN_SYSCONFDIR "/postern.yaml\n"
			       "The configuration, unless\n"
			       ".B postern \\-c\n"
			       "names another.\n"
			       ".TP\n"
			       ".I " POSTERN_DATADIR "/defaults/policy.yaml\n"
			       "The policy that comes with postern:\n"
			       ".B include: defaults/policy.yaml\n"
			       ".SH SEE ALSO\n"
			       ".BR postern (1)\n";

static void
config_man_facts(FILE *out, const struct filter *filter)
{
	if (filter->named_values != NULL)
		fprintf(out,
		    ".TP\n\\fB%s.\\fP\\fIID\\fP: words of the list, none, error\n"
		    "what the list of this id says.\n",
		    filter->name);
	for (const struct fact_kind *fact = filter->facts; fact != NULL && fact->key != NULL;
	     fact++)
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
		config_man_facts(out, registry[i]);
	fputs(man_foot, out);
	arena_free(scratch);
}
