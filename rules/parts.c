#include "rules/parts.h"

#include "lib/charset.h"
#include "lib/mime.h"
#include "rules/part_reader.h"

static bool
parts_is_wanted_by(const struct filter *filter)
{
	return filter->part_begin != NULL || filter->data != NULL || filter->text != NULL ||
	    filter->shown != NULL || filter->uri != NULL || filter->part_end != NULL;
}

bool
parts_are_wanted(const struct pipeline *pipeline)
{
	for (size_t i = 0; i < pipeline->count; i++)
		if (parts_is_wanted_by(pipeline->rows[i].filter))
			return true;
	return false;
}

void
parts_open(const struct pipeline *pipeline)
{
	if (parts_are_wanted(pipeline))
		charset_preload();
}

/* ---- one tap of all filters, and of who watches ---- */

/* Who reads the text of this part; NULL: nobody. */
static struct part_reader *
parts_reader(struct scope *scope, const struct part *part)
{
	if (scope->readers == NULL || !part->is_text || part->is_container)
		return NULL;
	return &scope->readers[part->is_raw];
}

static void
parts_on_begin(void *arg, const struct part *part)
{
	struct scope *scope = arg;
	struct part_reader *reader = parts_reader(scope, part);

	for (size_t i = 0; i < scope->pipeline->count; i++) {
		const struct pipeline_row *row = &scope->pipeline->rows[i];

		if (row->filter->part_begin != NULL)
			row->filter->part_begin(scope_lend(scope, i), row->options, part);
	}
	if (reader != NULL)
		part_reader_begin(reader, scope, part);
	if (scope->watch != NULL)
		scope->watch->part_begin(scope->watch->arg, part);
}

static void
parts_on_data(void *arg, const struct part *part, struct slice bytes)
{
	struct scope *scope = arg;

	for (size_t i = 0; i < scope->pipeline->count; i++) {
		const struct pipeline_row *row = &scope->pipeline->rows[i];

		if (row->filter->data != NULL)
			row->filter->data(scope_lend(scope, i), row->options, part, bytes);
	}
	if (scope->watch != NULL)
		scope->watch->data(scope->watch->arg, part, bytes);
}

static void
parts_on_text(void *arg, const struct part *part, struct slice text)
{
	struct scope *scope = arg;
	struct part_reader *reader = parts_reader(scope, part);

	for (size_t i = 0; i < scope->pipeline->count; i++) {
		const struct pipeline_row *row = &scope->pipeline->rows[i];

		if (row->filter->text != NULL)
			row->filter->text(scope_lend(scope, i), row->options, part, text);
	}
	if (reader != NULL)
		part_reader_feed(reader, text);
}

static void
parts_on_end(void *arg, const struct part *part)
{
	struct scope *scope = arg;
	struct part_reader *reader = parts_reader(scope, part);

	if (reader != NULL)
		part_reader_end(reader);
	for (size_t i = 0; i < scope->pipeline->count; i++) {
		const struct pipeline_row *row = &scope->pipeline->rows[i];

		if (row->filter->part_end != NULL)
			row->filter->part_end(scope_lend(scope, i), row->options, part);
	}
	if (scope->watch != NULL)
		scope->watch->part_end(scope->watch->arg, part);
}

/* ---- the message ---- */

static struct mime *
parts_mime(struct scope *scope)
{
	const struct mime_sink sink = { parts_on_begin, parts_on_data, parts_on_text, parts_on_end,
		scope };

	if (scope->mime != NULL || (scope->watch == NULL && !parts_are_wanted(scope->pipeline)))
		return scope->mime;
	scope->mail.mime = scope->mime = mime_new(scope->mail.arena, &sink);
	if (part_reader_is_wanted(scope))
		scope->readers = arena_alloc(scope->mail.arena, 2 * sizeof(*scope->readers));
	return scope->mime;
}

void
parts_feed(struct scope *scope, struct slice bytes)
{
	struct mime *mime = parts_mime(scope);

	if (mime != NULL)
		mime_feed(mime, bytes);
}

void
parts_end(struct scope *scope)
{
	struct mime *mime = parts_mime(scope);

	if (mime != NULL)
		mime_end(mime);
}
