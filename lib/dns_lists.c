#include "lib/dns_lists.h"

#include <assert.h>

#include "lib/file.h"
#include "lib/nearest.h"
#include "lib/yaml.h"

static const char lists_file[] = "defaults/lists.yaml";

static struct dns_list_entries
dns_lists_entries(struct option_reader *reader, const struct node *root)
{
	size_t count = root->kind == NODE_LIST ? node_count(root) : 0, i = 0;
	struct dns_list_entry *entries = arena_alloc(reader->arena, (count + 1) * sizeof(*entries));

	if (root->kind != NODE_LIST)
		option_impossible(reader, root, "a list of lists");
	for (const struct node *item = count > 0 ? root->child : NULL; item != NULL;
	     item = item->next)
		option_read(reader, dns_list_options, item, &entries[i++]);
	return (struct dns_list_entries) { count, entries };
}

/* Those without an id have their fault already. */
static struct dns_lists
dns_lists_make(
    struct option_reader *reader, const struct node *root, const struct dns_list_entries *entries)
{
	struct dns_list *lists = arena_alloc(reader->arena, (entries->count + 1) * sizeof(*lists));
	const struct node *item = entries->count > 0 ? root->child : NULL;
	size_t count = 0;

	for (size_t i = 0; i < entries->count; i++, item = item->next)
		if (entries->item[i].id != NULL)
			lists[count++] = dns_list_make(reader, item, &entries->item[i], false);
	return (struct dns_lists) { count, lists };
}

struct dns_lists
dns_lists_read(struct option_reader *reader, const struct node *root)
{
	struct dns_list_entries entries = dns_lists_entries(reader, root);

	return dns_lists_make(reader, root, &entries);
}

const struct dns_list *
dns_lists_find(const struct dns_lists *lists, const char *id)
{
	for (size_t i = 0; i < lists->count; i++)
		if (strcmp(lists->item[i].id, id) == 0)
			return &lists->item[i];
	return NULL;
}

const char *
dns_lists_words(const struct dns_lists_made *made, const char *id)
{
	const struct dns_list *list = dns_lists_find(&made->asked, id);

	if (list == NULL)
		list = dns_lists_find(&made->known, id);
	return list != NULL ? list->words : NULL;
}

/* ---- one's own laid over the well-known ---- */

/* An entry while others may still be laid over it. */
struct dns_lists_row {
	struct dns_list_entry entry;
	const struct node *at; /* the last one */
};

struct dns_lists_draft {
	struct option_reader *reader;
	struct dns_list_entries known;
	struct dns_lists_row rows[DNS_LISTS_MOST];
	size_t count;
};

static const struct dns_list_entry *
dns_lists_below(const struct dns_lists_draft *draft, const char *id)
{
	for (size_t i = 0; i < draft->known.count; i++)
		if (draft->known.item[i].id != NULL && strcmp(draft->known.item[i].id, id) == 0)
			return &draft->known.item[i];
	return NULL;
}

static void
dns_lists_unknown(const struct dns_lists_draft *draft, const struct node *at, const char *id)
{
	struct nearest nearest = nearest_to(id);
	const char *names = "";

	for (size_t i = 0; i < draft->known.count; i++) {
		const char *name = draft->known.item[i].id;

		if (name == NULL)
			continue;
		nearest_offer(&nearest, name);
		names = arena_format(draft->reader->arena, "%s %s", names, name);
	}
	if (nearest.name != NULL)
		fault_add(draft->reader->faults, at,
		    "unknown list \"%.60s\"; did you mean %s, or is its zone missing", id,
		    nearest.name);
	else
		fault_add(draft->reader->faults, at,
		    "unknown list \"%.60s\" without a zone; well-known are:%s", id, names);
}

static void
dns_lists_add(
    struct dns_lists_draft *draft, const struct node *at, const struct dns_list_entry *entry)
{
	static const struct dns_list_entry nothing;
	const struct dns_list_entry *below = dns_lists_below(draft, entry->id);
	struct dns_lists_row *row = draft->rows;

	while (row < draft->rows + draft->count && strcmp(row->entry.id, entry->id) != 0)
		row++;
	if (row == draft->rows + draft->count) {
		if (below == NULL && entry->zone == NULL && entry->keyed_zone == NULL) {
			dns_lists_unknown(draft, at, entry->id);
			return;
		}
		assert(draft->count < DNS_LISTS_MOST);
		draft->count++;
		row->entry = below != NULL ? *below : nothing;
	}
	row->entry = dns_list_lay_over(&row->entry, entry);
	row->at = at;
}

/* The well-known lists; without a file none are known, and that is a fault. */
static struct dns_lists
dns_lists_known(struct dns_lists_draft *draft, const struct node *at)
{
	struct option_reader *reader = draft->reader;
	const char *beside =
	    file_directory(reader->arena, at != NULL && at->file != NULL ? at->file : "");
	const char *path = file_find(reader->arena, beside, reader->data, lists_file);
	const struct node *root = yaml_read_file(reader->arena, path, reader->data, reader->faults);

	if (root == NULL)
		return (struct dns_lists) { 0 };
	draft->known = dns_lists_entries(reader, root);
	return dns_lists_make(reader, root, &draft->known);
}

static void
dns_lists_check_kind(const struct dns_lists_draft *draft, const struct node *at,
    const struct dns_list *list, const struct dns_lists_use *use)
{
	static const char *const about[] = { "addresses", "addresses", "addresses", "domains",
		"hashes" };

	if (!(use->kinds & 1u << list->kind))
		fault_add(draft->reader->faults, at, "the list %s is about %s, which %s", list->id,
		    about[list->kind], use->instead);
}

void
dns_lists_complete(struct option_reader *reader, const struct node *node,
    const struct dns_list_entries *entries, const struct dns_lists_use *use,
    struct dns_lists_made *made)
{
	struct dns_lists_draft *draft = arena_alloc(reader->arena, sizeof(*draft));
	const struct node *at = node != NULL && node->kind == NODE_LIST ? node->child : node;
	struct dns_list *lists;

	draft->reader = reader;
	made->known = dns_lists_known(draft, node);
	for (size_t i = 0; i < entries->count && i < DNS_LISTS_MOST; i++) {
		if (entries->item[i].id != NULL)
			dns_lists_add(draft, at, &entries->item[i]);
		at = at != NULL && node->kind == NODE_LIST ? at->next : at;
	}
	lists = arena_alloc(reader->arena, (draft->count + 1) * sizeof(*lists));
	for (size_t i = 0; i < draft->count; i++) {
		lists[i] = dns_list_make(reader, draft->rows[i].at, &draft->rows[i].entry, true);
		dns_lists_check_kind(draft, draft->rows[i].at, &lists[i], use);
	}
	made->asked = (struct dns_lists) { draft->count, lists };
}
