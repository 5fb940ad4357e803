#include "proxy/explain_parts.h"

#include "filters/registry.h"
#include "lib/log.h"
#include "lib/utf8.h"

enum { BAR = 24, DETAIL_MOST = 200, NAME_LEAST = 16, NAME_MOST = 40, VALUE_MOST = 24 };

struct row {
	const struct fact *fact;
	const struct recipient *recipient; /* whose own it is; NULL: of all */
	enum stage stage;
};

struct table {
	const struct explain *explain;
	struct row *rows;
	size_t count;
	double most; /* ms of the longest bar */
	int name_width, value_width;
	bool is_unicode;
};

static const char *const explain_stages[STAGES] = {
	[CONNECT] = "connect",
	[HELO] = "helo",
	[MAIL] = "mail",
	[RCPT] = "rcpt",
	[HEADERS] = "headers",
	[END] = "end",
};

static const struct pipeline_row *
explain_pipeline_row(const struct table *table, const char *filter)
{
	const struct pipeline *pipeline = &table->explain->config->pipeline;

	for (size_t i = 0; i < pipeline->count; i++)
		if (strcmp(pipeline->rows[i].filter->name, filter) == 0)
			return &pipeline->rows[i];
	return NULL;
}

/* The stage after which it is in: by the filter's table, or as a named list's. */
static enum stage
explain_stage(const struct table *table, const struct fact *fact)
{
	const struct pipeline_row *row = explain_pipeline_row(table, fact->filter);

	if (row == NULL)
		return END;
	for (const struct fact_kind *kind = row->filter->facts; kind->key != NULL; kind++)
		if (strcmp(kind->key, fact->key) == 0)
			return kind->stage;
	if (row->filter->named_stage_of != NULL)
		return row->filter->named_stage_of(row->options, fact->key);
	return row->filter->named_values != NULL ? row->filter->named_stage : END;
}

/* ---- which rows there are ---- */

static int
explain_widen(int width, size_t length, int most)
{
	if (length > (size_t)most)
		return most;
	return (int)length > width ? (int)length : width;
}

/*
 * How many facts there are in this scope (and those around it, where `only` is NULL); into the
 * rows with them, once there are rows.
 */
static size_t
explain_take(struct table *table, const struct evidence *evidence, const struct evidence *only,
    const struct recipient *recipient)
{
	struct evidence_place place = { 0 };
	const struct fact *fact;
	size_t count = 0;

	while ((fact = evidence_next(evidence, &place)) != NULL) {
		if (only != NULL && place.scope != only)
			continue;
		count++;
		if (table->rows == NULL)
			continue;
		table->rows[table->count++] = (struct row) { fact, recipient,
			recipient != NULL ? RCPT : explain_stage(table, fact) };
		if ((double)fact->ms > table->most)
			table->most = (double)fact->ms;
		table->name_width = explain_widen(
		    table->name_width, strlen(fact->filter) + 1 + strlen(fact->key), NAME_MOST);
		table->value_width =
		    explain_widen(table->value_width, strlen(fact->value), VALUE_MOST);
	}
	return count;
}

static size_t
explain_take_all(struct table *table)
{
	const struct session *session = table->explain->session;
	const struct transaction *t = session->mail;
	size_t count;

	if (t == NULL)
		return explain_take(table, session->connection->mail.evidence, NULL, NULL);
	count = explain_take(table, t->scope->mail.evidence, NULL, NULL);
	for (const struct recipient *r = t->recipients; r != NULL; r = r->next)
		count += explain_take(table, r->scope->mail.evidence, r->scope->mail.evidence, r);
	return count;
}

/* ---- how they look ---- */

/* Padded to so many characters. */
static void
explain_print_padded(const char *text, int width)
{
	struct slice rest = slice_of(text);

	for (; rest.length > 0; width--) {
		size_t length = utf8_read(rest, NULL);

		length += length == 0;
		rest = (struct slice) { rest.data + length, rest.length - length };
	}
	printf("%s%*s", text, width > 0 ? width : 0, "");
}

static void
explain_print_bar(const struct table *table, double ms)
{
	int length = table->most > 0 ? (int)(ms / table->most * BAR + 0.5) : 0;

	printf("|");
	for (int i = 0; i < BAR; i++)
		if (i >= length)
			printf(" ");
		else if (table->is_unicode)
			printf("\u2501");
		else
			printf("%c", i + 1 == length ? '>' : '=');
	printf("|");
}

/* Whose it is stands above a recipient's own facts. */
static void
explain_print_about(const struct row *row)
{
	const struct about *about = row->fact->about;
	char clean[DETAIL_MOST];

	for (; about != NULL && about->name != NULL; about++)
		if (row->recipient == NULL || strcmp(about->name, "recipient") != 0)
			printf("  %s=%s", about->name,
			    log_printable(clean, sizeof(clean), slice_of(about->value)));
}

static void
explain_print_fact(const struct table *table, const struct row *which)
{
	const struct fact *fact = which->fact;
	const struct pipeline_row *row = explain_pipeline_row(table, fact->filter);
	char name[NAME_MOST + 1], clean[DETAIL_MOST];
	double ms = (double)fact->ms > 0 ? (double)fact->ms : 0;

	snprintf(name, sizeof(name), "%s.%s", fact->filter, fact->key);
	printf("    %-*s  ", table->name_width, name);
	explain_print_padded(
	    log_printable(clean, sizeof(clean), slice_of(fact->value)), table->value_width);
	printf("  %8.*f ms  ", ms < 10 ? 3 : 1, ms);
	explain_print_bar(table, ms);
	if (fact->detail[0] != '\0')
		printf("  %s", log_printable(clean, sizeof(clean), slice_of(fact->detail)));
	explain_print_about(which);
	printf("%s\n", row != NULL && row->is_shadow ? "  (shadow)" : "");
}

/* ---- stage by stage ---- */

/* The filters that are not over with this stage, a bit per row of the pipeline. */
static uint32_t
explain_missing(const struct scope *scope, enum stage stage)
{
	return scope != NULL ? scope->reached[stage] & ~scope->over[stage] : 0;
}

static bool
explain_is_of(const struct row *row, enum stage stage, const struct recipient *recipient)
{
	return row->stage == stage && row->recipient == recipient;
}

static void
explain_print_stage(const struct table *table, const struct scope *scope, enum stage stage,
    const struct recipient *recipient)
{
	uint32_t missing = explain_missing(scope, stage);
	size_t count = 0;

	for (size_t i = 0; i < table->count; i++)
		count += explain_is_of(&table->rows[i], stage, recipient);
	if (count > 0 || missing != 0)
		printf("  %s%s%s\n", explain_stages[stage], recipient != NULL ? " " : "",
		    recipient != NULL ? recipient->address.text : "");
	for (size_t i = 0; i < table->count; i++)
		if (explain_is_of(&table->rows[i], stage, recipient))
			explain_print_fact(table, &table->rows[i]);
	for (; missing != 0; missing &= missing - 1)
		printf("    %-*s  no answer in time\n", table->name_width,
		    scope->pipeline->rows[__builtin_ctz(missing)].filter->name);
}

static const struct scope *
explain_scope(const struct session *session, enum stage stage)
{
	const struct transaction *t = session->mail;

	if (stage == CONNECT)
		return session->connection;
	if (stage == HELO)
		return session->hello;
	return t != NULL && stage != RCPT ? t->scope : NULL;
}

static void
explain_print_table(const struct table *table)
{
	const struct session *session = table->explain->session;
	const struct transaction *t = session->mail;

	for (enum stage stage = CONNECT; stage < STAGES; stage++) {
		explain_print_stage(table, explain_scope(session, stage), stage, NULL);
		if (t == NULL || stage != RCPT)
			continue;
		for (const struct recipient *r = t->recipients; r != NULL; r = r->next)
			explain_print_stage(table, r->scope, RCPT, r);
	}
}

void
explain_print_facts(const struct explain *explain, bool is_unicode)
{
	struct table table = {
		.explain = explain, .name_width = NAME_LEAST, .is_unicode = is_unicode
	};
	size_t count = explain_take_all(&table);

	table.rows = arena_alloc(explain->session->arena, (count + 1) * sizeof(*table.rows));
	explain_take_all(&table);
	printf("\nFacts%s\n", explain->is_late ? " (not all of them came in time)" : "");
	explain_print_table(&table);
}
