#include "lib/arc_set.h"

#include <ctype.h>

#include "lib/dkim_tags.h"

static const char *const arc_set_names[ARC_KINDS] = { "ARC-Authentication-Results",
	"ARC-Message-Signature", "ARC-Seal" };

/* ARC_KINDS: it is none of them. */
static enum arc_kind
arc_set_kind(const struct header_field *field)
{
	enum arc_kind kind = ARC_RESULTS;

	while (kind < ARC_KINDS && !slice_matches(field->name, arc_set_names[kind]))
		kind++;
	return kind;
}

/* 0: it is no instance. */
static unsigned
arc_set_number(struct slice text)
{
	unsigned number = 0;

	if (text.length == 0 || text.length > 2)
		return 0;
	for (size_t i = 0; i < text.length; i++) {
		if (!isdigit((unsigned char)text.data[i]))
			return 0;
		number = number * 10 + (unsigned)(text.data[i] - '0');
	}
	return number <= ARC_SETS_MOST ? number : 0;
}

/* Results are no list of tags, but begin with one. */
static unsigned
arc_set_instance(enum arc_kind kind, struct slice value)
{
	const char *end = memchr(value.data, ';', value.length);
	const struct slice *number;
	struct dkim_tags tags;

	if (kind == ARC_RESULTS && end == NULL)
		return 0;
	if (kind == ARC_RESULTS)
		value.length = (size_t)(end - value.data);
	if (dkim_tags_read(&tags, value) != NULL)
		return 0;
	number = dkim_tags_find(&tags, "i");
	return number != NULL ? arc_set_number(*number) : 0;
}

static const char *
arc_set_add(struct arc_sets *sets, enum arc_kind kind, const struct header_field *field)
{
	unsigned instance = field->faults == 0 ? arc_set_instance(kind, field->value) : 0;

	if (instance == 0)
		return "a field without a number";
	struct header_field *place = &sets->set[instance - 1].field[kind];

	if (instance > sets->count)
		sets->count = instance;
	if (place->whole.data != NULL)
		return "a field that is there twice";
	*place = *field;
	return NULL;
}

static const char *
arc_set_complete(const struct arc_sets *sets)
{
	for (size_t i = 0; i < sets->count; i++)
		for (enum arc_kind kind = ARC_RESULTS; kind < ARC_KINDS; kind++)
			if (sets->set[i].field[kind].whole.data == NULL)
				return "a set is not whole";
	return NULL;
}

static void
arc_set_read_seal(struct arc_set *set, struct arena *arena, double now)
{
	static const char *const words[] = { "none", "pass", "fail" };
	struct slice value = set->field[ARC_SEAL].value;
	const struct slice *validation;
	struct dkim_tags tags;

	dkim_signature_read_as(&set->seal, DKIM_FORM_ARC_SEAL, arena, value, now);
	set->cv = "";
	if (dkim_tags_read(&tags, value) != NULL)
		return;
	validation = dkim_tags_find(&tags, "cv");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]) && validation != NULL; i++)
		if (slice_matches(*validation, words[i]))
			set->cv = words[i];
}

/* RFC 8617 5.2, steps 2 and 3 */
static const char *
arc_set_validation(const struct arc_sets *sets)
{
	if (sets->count > 0 && strcmp(sets->set[sets->count - 1].cv, "fail") == 0)
		return "it was broken before (cv=fail)";
	for (size_t i = 0; i < sets->count; i++)
		if (strcmp(sets->set[i].cv, i == 0 ? "none" : "pass") != 0)
			return "a seal with the wrong cv=";
	return NULL;
}

static const char *
arc_set_signatures(const struct arc_sets *sets)
{
	if (sets->message.word != NULL)
		return sets->message.why;
	if (sets->message.has_length)
		return "the body is signed in part (l=)";
	for (size_t i = sets->count; i > 0; i--)
		if (sets->set[i - 1].seal.word != NULL)
			return sets->set[i - 1].seal.why;
	return NULL;
}

static const char *
arc_set_judge(struct arc_sets *sets, struct arena *arena, double now)
{
	const char *why = arc_set_complete(sets);

	for (size_t i = 0; i < sets->count; i++) {
		sets->set[i].cv = "";
		sets->set[i].seal.domain = "";
		if (sets->set[i].field[ARC_SEAL].whole.data != NULL)
			arc_set_read_seal(&sets->set[i], arena, now);
	}
	if (why != NULL || (why = arc_set_validation(sets)) != NULL)
		return why;
	dkim_signature_read_as(&sets->message, DKIM_FORM_ARC_MESSAGE, arena,
	    sets->set[sets->count - 1].field[ARC_MESSAGE].value, now);
	return arc_set_signatures(sets);
}

struct arc_sets *
arc_sets_read(struct arena *arena, struct slice header, double now)
{
	struct arc_sets *sets = NULL;
	struct header_field field;
	const char *fault = NULL;
	size_t offset = 0;

	while (header_next(header, &offset, &field)) {
		enum arc_kind kind = arc_set_kind(&field);

		if (kind == ARC_KINDS)
			continue;
		if (sets == NULL)
			sets = arena_alloc(arena, sizeof(*sets));
		const char *why = arc_set_add(sets, kind, &field);

		if (fault == NULL)
			fault = why;
	}
	if (sets == NULL)
		return NULL;
	sets->why = fault;
	fault = sets->count > 0 ? arc_set_judge(sets, arena, now) : NULL;
	if (sets->why == NULL)
		sets->why = fault;
	return sets;
}
