#include "lib/option_table.h"
#include "lib/option_value.h"
#include "lib/yaml_write.h"

struct printer {
	FILE *to;
	unsigned indent;
	bool is_begun; /* the line is: behind "- " */
};

static bool
printer_rows(struct printer *, const struct option *, const void *filled, const struct node *map);

static void
printer_key(struct printer *printer, const struct option *row)
{
	if (!printer->is_begun)
		fprintf(printer->to, "%*s", (int)printer->indent, "");
	printer->is_begun = false;
	yaml_write_text(printer->to, row->key);
	fputc(':', printer->to);
}

static void
printer_section(
    struct printer *printer, const struct option *row, const void *filled, const struct node *value)
{
	printer_key(printer, row);
	fputc('\n', printer->to);
	printer->indent += 2;
	printer_rows(printer, row->table, filled, value);
	printer->indent -= 2;
}

static void
printer_list(struct printer *printer, const struct option *row, const struct option_items *items,
    const struct node *value)
{
	const char *at = items->item;
	const struct node *item = value != NULL && value->kind == NODE_LIST ? value->child : value;

	printer_key(printer, row);
	fputs(items->count == 0 ? " []\n" : "\n", printer->to);
	for (size_t i = 0; i < items->count; i++) {
		struct node space[3];
		const struct node *map = item != NULL ? option_item(row, item, space) : NULL;

		fprintf(printer->to, "%*s- ", (int)printer->indent + 2, "");
		printer->indent += 4;
		printer->is_begun = true;
		if (!printer_rows(printer, row->table, at, map))
			fputs("{}\n", printer->to);
		printer->is_begun = false;
		printer->indent -= 4;
		at += row->size;
		item = item != NULL ? item->next : NULL;
	}
}

static void
printer_texts(struct printer *printer, const struct texts *texts, const struct node *value)
{
	const struct node *item = value != NULL && value->kind == NODE_LIST ? value->child : value;

	fputs(" [", printer->to);
	for (size_t i = 0; i < texts->count; i++) {
		fputs(i == 0 ? "" : ", ", printer->to);
		yaml_write_text(
		    printer->to, item != NULL && item->secret ? "(secret)" : texts->item[i]);
		item = item != NULL ? item->next : NULL;
	}
	fputs("]\n", printer->to);
}

/* What was read for it is known to its function only: as it stood in the file. */
static void
printer_custom(struct printer *printer, const struct option *row, const struct node *value)
{
	if (value != NULL)
		yaml_write_block(printer->to, value, printer->indent + 2);
	else
		fprintf(printer->to, " %s\n", row->fallback);
}

/* Options that are not there and have no fallback. */
static bool
printer_skips(const struct option *row, const void *field, const struct node *value)
{
	if (row->kind == OPTION_IS_CUSTOM)
		return value == NULL && row->fallback == NULL;
	return (row->kind == OPTION_TEXT || row->kind == OPTION_IS_MAYBE) &&
	    *(const void *const *)field == NULL;
}

static void
printer_row(
    struct printer *printer, const struct option *row, const void *field, const struct node *value)
{
	if (row->kind == OPTION_IS_SECTION || row->kind == OPTION_IS_MAYBE) {
		const void *inner =
		    row->kind == OPTION_IS_MAYBE ? *(const void *const *)field : field;

		printer_section(printer, row, inner, value);
		return;
	}
	if (row->kind == OPTION_IS_LIST) {
		printer_list(printer, row, field, value);
		return;
	}
	printer_key(printer, row);
	if (row->secret || (value != NULL && value->secret)) {
		fputs(" \"(secret)\"\n", printer->to);
	} else if (row->kind == OPTION_TEXTS) {
		printer_texts(printer, field, value);
	} else if (row->kind == OPTION_IS_CUSTOM) {
		printer_custom(printer, row, value);
	} else {
		fputc(' ', printer->to);
		if (row->kind == OPTION_TEXT)
			yaml_write_text(printer->to, *(const char *const *)field);
		else
			option_value_print(printer->to, row, field);
		fputc('\n', printer->to);
	}
}

/* Whether anything was printed. */
static bool
printer_rows(
    struct printer *printer, const struct option *table, const void *filled, const struct node *map)
{
	bool is_any = false;

	for (const struct option *row = table; row->key != NULL; row++) {
		const void *field = (const char *)filled + row->offset;
		const struct node *value = node_find(map, row->key);

		if (printer_skips(row, field, value))
			continue;
		printer_row(printer, row, field, value);
		is_any = true;
	}
	return is_any;
}

void
option_print_yaml(FILE *to, const struct option *table, const void *filled, const struct node *map)
{
	struct printer printer = { .to = to };

	printer_rows(&printer, table, filled, map);
}
