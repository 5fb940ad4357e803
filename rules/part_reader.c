#include "rules/part_reader.h"

bool
part_reader_is_wanted(const struct scope *scope)
{
	const struct pipeline *pipeline = scope->pipeline;

	for (size_t i = 0; i < pipeline->count; i++)
		if (pipeline->rows[i].filter->uri != NULL ||
		    pipeline->rows[i].filter->shown != NULL)
			return true;
	return scope->watch_uri != NULL;
}

static void
part_reader_found(void *arg, const struct uri *uri)
{
	struct part_reader *reader = arg;
	struct scope *scope = reader->scope;
	struct uri marked = *uri;

	if (reader->part->is_raw)
		marked.flags |= URI_IS_HIDDEN;
	for (size_t i = 0; i < scope->pipeline->count; i++) {
		const struct pipeline_row *row = &scope->pipeline->rows[i];

		if (row->filter->uri != NULL)
			row->filter->uri(scope_lend(scope, i), row->options, reader->part, &marked);
	}
	if (scope->watch_uri != NULL)
		scope->watch_uri(scope->watch->arg, reader->part, &marked);
}

static void
part_reader_shown(void *arg, struct slice text)
{
	struct part_reader *reader = arg;
	struct scope *scope = reader->scope;

	for (size_t i = 0; i < scope->pipeline->count; i++) {
		const struct pipeline_row *row = &scope->pipeline->rows[i];

		if (row->filter->shown != NULL)
			row->filter->shown(scope_lend(scope, i), row->options, reader->part, text);
	}
}

void
part_reader_begin(struct part_reader *reader, struct scope *scope, const struct part *part)
{
	struct arena *arena = scope->mail.arena;

	reader->scope = scope;
	reader->part = part;
	reader->sink = (struct uri_sink) { part_reader_found, reader, part_reader_shown };
	if (part->is_html) {
		if (reader->page == NULL)
			reader->page = arena_alloc(arena, sizeof(*reader->page));
		uri_page_init(reader->page, &reader->sink);
	} else {
		if (reader->scan == NULL)
			reader->scan = arena_alloc(arena, sizeof(*reader->scan));
		uri_scan_init(reader->scan, URI_IN_TEXT, &reader->sink);
	}
}

void
part_reader_feed(struct part_reader *reader, struct slice text)
{
	if (reader->part->is_html) {
		uri_page_feed(reader->page, text);
		return;
	}
	part_reader_shown(reader, text);
	uri_scan_feed(reader->scan, text);
}

void
part_reader_end(struct part_reader *reader)
{
	if (reader->part->is_html)
		uri_page_end(reader->page);
	else
		uri_scan_end(reader->scan);
}
