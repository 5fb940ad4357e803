#include "filters/rule_set.h"

#include <glob.h>
#include <unistd.h>

#include "filters/rule_draft.h"
#include "lib/buf.h"
#include "lib/file.h"
#include "lib/patterns.h"
#include "lib/watch.h"
#include "lib/yaml.h"

enum { NAMES_MOST = 512 * 1024 };

/* ---- patterns, sorted by where they look ---- */

static bool
rule_set_is_of(const struct rule_stream *stream, const struct rule_pattern *pattern)
{
	return stream->place == pattern->place &&
	    (stream->field == NULL || strcasecmp(stream->field, pattern->field) == 0);
}

static size_t
rule_set_streams(const struct rule_draft *draft, struct rule_stream *streams)
{
	size_t count = 0;

	for (size_t i = 0; i < draft->pattern_count; i++) {
		const struct rule_pattern *pattern = &draft->patterns[i];
		size_t j = 0;

		while (j < count && !rule_set_is_of(&streams[j], pattern))
			j++;
		if (j == count)
			streams[count++] = (struct rule_stream) { .place = pattern->place,
				.field = pattern->field };
	}
	return count;
}

/* The patterns of each stream stand side by side in one set. */
static void
rule_set_compile(struct rule_draft *draft, struct rule_stream *streams, size_t count)
{
	struct option_reader *reader = draft->reader;
	struct regex *regex = regex_new(reader->arena);
	const unsigned flags = REGEX_CASELESS | REGEX_LINES | REGEX_CLEAN;

	for (size_t i = 0; i < count; i++) {
		struct rule_stream *stream = &streams[i];

		stream->first = regex_count(regex);
		for (size_t j = 0; j < draft->pattern_count; j++) {
			struct rule_pattern *pattern = &draft->patterns[j];

			if (!rule_set_is_of(stream, pattern))
				continue;
			pattern->number = (uint32_t)regex_count(regex);
			patterns_add_text(reader, regex, pattern->text, flags);
		}
		stream->count = regex_count(regex) - stream->first;
	}
	for (size_t i = 0; i < count && reader->faults->count == 0; i++)
		streams[i].scan = regex_scan_new(
		    reader->arena, regex, streams[i].first, streams[i].count, draft->is_plain);
}

/* Terms were written before the patterns had their numbers. */
static void
rule_set_number(const struct rule_draft *draft, struct rule_terms *terms)
{
	for (size_t i = 0; i < terms->count; i++)
		if (!terms->item[i].is_rule)
			terms->item[i].number = draft->patterns[terms->item[i].number].number;
}

/* ---- the set ---- */

static const char *
rule_set_names(const struct rule_draft *draft)
{
	struct buf *names = buf_new(draft->reader->arena, NAMES_MOST);

	for (size_t i = 0; i < draft->count; i++)
		if (!draft->rules[i].is_quiet)
			buf_print(names, "%s ", draft->rules[i].name);
	buf_print(names, "none");
	buf_append_byte(names, 0);
	return names->data;
}

static const struct rule_set *
rule_set_make(struct rule_draft *draft)
{
	struct arena *arena = draft->reader->arena;
	struct rule_set *set = arena_alloc(arena, sizeof(*set));
	struct rule_stream *streams =
	    arena_alloc(arena, (draft->pattern_count + 1) * sizeof(*streams));

	set->stream_count = rule_set_streams(draft, streams);
	rule_set_compile(draft, streams, set->stream_count);
	for (size_t i = 0; i < draft->count; i++) {
		rule_set_number(draft, &draft->rules[i].all);
		rule_set_number(draft, &draft->rules[i].any);
		rule_set_number(draft, &draft->rules[i].none);
		rule_set_number(draft, &draft->rules[i].of);
	}
	for (size_t i = 0; i < set->stream_count; i++)
		if (streams[i].place != RULE_IN_FIELD)
			set->stream_of[streams[i].place] = i + 1;
	set->streams = streams;
	set->patterns = draft->pattern_count;
	set->rules = draft->rules;
	set->count = draft->count;
	set->names = rule_set_names(draft);
	return set;
}

/* Unknown keys are not looked for in the configuration's sections: a rule is none. */
static struct rule_draft
rule_set_draft(struct option_reader *outer, bool is_plain)
{
	struct option_reader *reader = arena_alloc(outer->arena, sizeof(*reader));

	*reader = *outer;
	reader->scopes = NULL;
	return (struct rule_draft) {
		.reader = reader,
		.is_plain = is_plain,
		.rules = arena_alloc(reader->arena, RULES_MOST * sizeof(struct rule_entry)),
		.maps = arena_alloc(reader->arena, RULES_MOST * sizeof(const struct node *)),
		.examples = arena_alloc(reader->arena, RULES_MOST * sizeof(struct rule_examples)),
	};
}

static const struct rule_set *
rule_set_finish(struct rule_draft *draft, size_t faults)
{
	if (draft->reader->faults->count > faults)
		return NULL;

	const struct rule_set *set = rule_set_make(draft);

	if (draft->reader->faults->count == faults)
		rule_examples_try(draft, set);
	return draft->reader->faults->count == faults ? set : NULL;
}

static void
rule_set_add_list(struct rule_draft *draft, const struct node *list)
{
	if (list->kind != NODE_LIST) {
		option_impossible(draft->reader, list, "a list of rules");
		return;
	}
	for (const struct node *item = list->child; item != NULL; item = item->next) {
		if (draft->reader->watch != NULL && item->file != NULL)
			watch_add(draft->reader->watch, item->file);
		rule_draft_add(draft, item);
	}
}

/* ---- files ---- */

static void
rule_set_add_file(struct rule_draft *draft, const char *path)
{
	struct option_reader *reader = draft->reader;
	const struct node *list = yaml_read_file(reader->arena, path, reader->data, reader->faults);

	if (reader->watch != NULL)
		watch_add(reader->watch, path);
	if (list != NULL && !node_is_empty(list))
		rule_set_add_list(draft, list);
}

/* What is new in the folder is found when it comes; it may be empty, but must be there. */
static void
rule_set_add_files(struct rule_draft *draft, const struct node *name)
{
	struct option_reader *reader = draft->reader;
	const char *pattern = option_path(reader, name);
	glob_t found = { 0 };

	if (strpbrk(name->text, "*?[") == NULL) {
		rule_set_add_file(draft, pattern);
		return;
	}
	const char *folder = file_directory(reader->arena, pattern);

	if (reader->watch != NULL)
		watch_add(reader->watch, folder);
	if (glob(pattern, 0, NULL, &found) != 0 && access(folder, X_OK) != 0)
		fault_add(reader->faults, name, "there is no folder \"%s\"", folder);
	for (size_t i = 0; i < found.gl_pathc && i < RULE_FILE_MOST; i++)
		rule_set_add_file(draft, arena_strdup(reader->arena, found.gl_pathv[i]));
	if (found.gl_pathc > RULE_FILE_MOST)
		fault_add(reader->faults, name, "more than %d files", RULE_FILE_MOST);
	globfree(&found);
}

const struct rule_set *
rule_set_read(struct option_reader *reader, const struct node *names, bool is_plain)
{
	struct rule_draft draft = rule_set_draft(reader, is_plain);
	const struct node *name = names->kind == NODE_LIST ? names->child : names;
	size_t faults = reader->faults->count;

	for (; name != NULL; name = names->kind == NODE_LIST ? name->next : NULL) {
		if (name->kind != NODE_TEXT || *name->text == '\0')
			option_impossible(reader, name, "the name of a file with rules");
		else
			rule_set_add_files(&draft, name);
	}
	return rule_set_finish(&draft, faults);
}

const struct rule_set *
rule_set_of(struct option_reader *reader, const struct node *list, bool is_plain)
{
	struct rule_draft draft = rule_set_draft(reader, is_plain);
	size_t faults = reader->faults->count;

	rule_set_add_list(&draft, list);
	return rule_set_finish(&draft, faults);
}

const struct rule_stream *
rule_set_stream(const struct rule_set *set, size_t pattern)
{
	const struct rule_stream *stream = set->streams;

	while (pattern >= stream->first + stream->count)
		stream++;
	return stream;
}
