#include "lib/nearest.h"
#include "lib/option.h"

enum { SEARCH_DEPTH = 6, PATH_MAX_BYTES = 128, KEYS_SHOWN = 12 };

/* A search through the tables of other places for a key. */
struct search {
	struct nearest nearest;
	const struct option *except;
	char path[PATH_MAX_BYTES]; /* of nearest.name */
};

static void
search_table(struct search *search, const struct option *table, const char *path, unsigned depth)
{
	char inner[PATH_MAX_BYTES];

	for (const struct option *row = table; row->key != NULL; row++) {
		if (table != search->except && nearest_offer(&search->nearest, row->key))
			snprintf(search->path, sizeof(search->path), "%s", path);
		if (row->table == NULL || depth == SEARCH_DEPTH)
			continue;
		int length = snprintf(
		    inner, sizeof(inner), "%s%s%s", path, *path == '\0' ? "" : ".", row->key);

		if (length < (int)sizeof(inner))
			search_table(search, row->table, inner, depth + 1);
	}
}

static void
search_keys(FILE *to, const struct option *table)
{
	fputs("expected", to);
	for (size_t i = 0; table[i].key != NULL; i++) {
		if (i == KEYS_SHOWN) {
			fputs(", ...", to);
			break;
		}
		const char *between = table[i + 1].key == NULL ? " or" : ",";

		fprintf(to, "%s %s", i == 0 ? "" : between, table[i].key);
	}
	if (table->key == NULL)
		fputs(" none here", to);
}

/* A slip of one letter is likelier than a wrong place; a wrong place than two wrong letters. */
static void
search_hint(
    FILE *to, const struct search *here, const struct search *there, const struct option *table)
{
	bool is_there = there->nearest.name != NULL && there->nearest.distance < 2 &&
	    (here->nearest.name == NULL || here->nearest.distance > 1);

	if (is_there && there->nearest.distance > 0)
		fprintf(to, "did you mean %s, which ", there->nearest.name);
	if (is_there && *there->path == '\0')
		fputs("belongs at the top of the file", to);
	else if (is_there)
		fprintf(to, "belongs under %s:", there->path);
	else if (here->nearest.name != NULL)
		fprintf(to, "did you mean %s", here->nearest.name);
	else
		search_keys(to, table);
}

void
option_unknown(struct option_reader *reader, const struct option *table, const struct node *key)
{
	struct search here = { .nearest = nearest_to(key->text) };
	struct search there = { .nearest = nearest_to(key->text), .except = table };
	const struct option_scope *scope = reader->scopes;
	char words[400] = "";

	if (reader->faults->count < FAULTS_KEPT) {
		FILE *to = fmemopen(words, sizeof(words), "w");

		for (const struct option *row = table; row->key != NULL; row++)
			nearest_offer(&here.nearest, row->key);
		for (; scope != NULL && scope->path != NULL; scope++)
			search_table(&there, scope->table, scope->path, 0);
		search_hint(to, &here, &there, table);
		fclose(to);
	}
	fault_add(reader->faults, key, "unknown key \"%.60s\"; %s", key->text, words);
}
