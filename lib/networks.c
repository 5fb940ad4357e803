#include "lib/networks.h"

/* One list being read. */
struct networks_list {
	struct option_reader *reader;
	struct ipset_builder *builder;
	const char *file; /* the configuration's file of the last entry, and its source */
	int source;
};

static const char *
networks_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static bool
networks_open(struct networks_list *list, const struct node *at, const char *name)
{
	list->source = ipset_builder_source(list->builder, name);
	if (list->source >= 0)
		return true;
	fault_add(list->reader->faults, at, "one list can be made of at most %d files",
	    IPSET_SOURCES_MOST);
	return false;
}

/* A network that stands in the configuration itself. */
static void
networks_add(struct networks_list *list, const struct node *item)
{
	const char *file = item->file != NULL ? item->file : "";
	char why[IPSET_WHY_MOST];

	if (list->file == NULL || strcmp(list->file, file) != 0) {
		if (!networks_open(list, item, networks_name(file)))
			return;
		list->file = file;
	}

	uint32_t line = item->line > 0 && item->line <= IPSET_LINE_MOST ? item->line : 1;

	if (!ipset_builder_add_text(list->builder, list->source, line, slice_of(item->text), why))
		fault_add(list->reader->faults, item, "%s", why);
}

static void
networks_add_file(struct networks_list *list, const struct node *name)
{
	struct faults *faults = list->reader->faults;
	const char *path = option_path(list->reader, name);
	struct ipset_report report;

	list->file = NULL;
	if (!networks_open(list, name, name->text))
		return;
	if (!ipset_builder_file(list->builder, list->source, path, &report)) {
		fault_add(faults, name, "cannot read \"%s\": %s", path, report.why);
		return;
	}
	for (size_t i = 0; i < report.bad && i < IPSET_FAULTS_MOST; i++)
		fault_add_place(faults, path, report.faults[i].line, 1, "%s", report.faults[i].why);
	if (report.bad > IPSET_FAULTS_MOST)
		fault_add(faults, name, "%zu more bad lines in \"%s\"",
		    report.bad - IPSET_FAULTS_MOST, path);
}

static void
networks_item(struct networks_list *list, const struct node *item)
{
	const struct node *file = node_find(item, "file");

	if (item->kind == NODE_TEXT && !node_is_empty(item))
		networks_add(list, item);
	else if (file != NULL && node_count(item) == 1 && file->kind == NODE_TEXT &&
	    !node_is_empty(file))
		networks_add_file(list, file);
	else
		option_impossible(list->reader, item, "a network or file: NAME");
}

bool
networks_read(struct option_reader *reader, const struct node *value, void *field)
{
	struct networks *networks = field;
	struct arena *scratch = arena_new(SIZE_MAX);
	struct networks_list list = { .reader = reader, .builder = ipset_builder_new(scratch) };
	size_t before = reader->faults->count;
	const struct node *item = value->kind == NODE_LIST ? value->child : value;

	for (; item != NULL; item = value->kind == NODE_LIST ? item->next : NULL)
		networks_item(&list, item);

	const struct ipset *set = ipset_finish(list.builder, reader->arena);

	networks->set = ipset_count(set) > 0 ? set : NULL;
	arena_free(scratch);
	return reader->faults->count == before;
}

bool
networks_have(const struct networks *networks, struct ip ip, char *where, size_t size)
{
	struct ipset_match match;

	if (networks->set == NULL || !ipset_find(networks->set, &ip, &match))
		return false;
	if (where != NULL)
		snprintf(where, size, "%s:%u", match.source, (unsigned)match.line);
	return true;
}
